# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris check`: what would go wrong with an ONNX file on a robot, and whether TensorRT compiles it."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from pathlib import Path

from ris_node.errors import BackendError, ExportError

EPILOG = """\
Looked at: operators against what the ONNX parsers of TensorRT 10 and 11 name, norms in one piece, no writes in place,
static shapes, weights inside the file, and the precision of every heavy layer against what the file says it is. Then
the compile gate: `tensorrt-rtx` (no GPU needed) parses and builds each file that is meant for TensorRT, strongly typed;
the CPU's INT8 it has to refuse.

examples:
  ris check                                all graphs of the packaged default bundle
  ris check my/bundle other/vision.fp16.onnx
  ris check --compile my/bundle            fails where tensorrt-rtx is not installed
  ris check --no-compile --json my/bundle

exit codes: 0 all is well; 1 something has to be mended; 2 wrong usage
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ris check`."""
    parser.epilog = EPILOG
    parser.add_argument("files", nargs="*", help="ONNX files and bundles (default: the packaged default bundle)")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--compile", action="store_true", help="the compile gate has to run")
    group.add_argument("--no-compile", action="store_true", help="leave it out (default: where it is installed)")
    parser.add_argument("--layers", action="store_true", help="also list each heavy layer with its precision")
    parser.add_argument("--json", action="store_true", help="print the result as JSON on stdout")


def run(args: argparse.Namespace) -> int:
    """Check.

    Raises:
        RisError: a file is missing or no ONNX file, or --compile was asked for where it cannot be.
    """
    from ris_node.bundle import open_bundle
    from ris_node.export.check import check_file

    there = importlib.util.find_spec("tensorrt_rtx") is not None
    if args.compile and not there:
        raise BackendError("tensorrt-rtx is not installed: pip install 'ris_node[check]' (Linux x86-64)")
    given = [Path(name) for name in args.files] or [open_bundle(None).path]
    files = [file for path in given for file in (sorted(path.glob("*.onnx")) if path.is_dir() else [path])]
    if not files:
        raise ExportError(f"there are no ONNX files in {', '.join(map(str, given))}")
    found = [check_file(file, gate=there and not args.no_compile) for file in files]
    if args.json:
        print(json.dumps([one.as_dict() for one in found]))
    else:
        for one in found:
            shares = ", ".join(f"{share:.0%} {kind}" for kind, share in sorted(one.shares.items()))
            print(f"{'ok  ' if one.good else 'BAD '} {one.path}: {one.precision} ({shares}), {one.layer_norms} norms")
            print(f"     TensorRT: {one.compiled}" if one.compiled else "     TensorRT: not asked")
            for name, kind in one.layers.items() if args.layers else ():
                print(f"     {kind:5} {name}")
            for problem in one.problems:
                print(f"     {problem}")
    if not there and not args.no_compile:
        print("not compiled: pip install 'ris_node[check]' brings tensorrt-rtx (Linux x86-64)", file=sys.stderr)
    return 0 if all(one.good for one in found) else 1
