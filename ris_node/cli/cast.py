# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris cast`: a bundle's vision graph in half precision, for GPUs."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from ris_node.outputs import claim_file

EPILOG = """\
Precision lives in the file: TensorRT 11 has no flag for it, and a float32 file gives a float32 engine without a word.
fp16 computes everything in half precision; fp16-safe leaves norms, softmax and sums in float32: try it where
fp16 is off. In- and outputs stay float32 in both. A bundle's graph is held against float32 (`ris parity`) and the
manifest says whether it kept its answers: only then GPUs take it by themselves (precision: auto).

examples:
  ris cast --to fp16                        the packaged default bundle: writes vision.fp16.onnx beside it
  ris cast my/bundle --to fp16-safe
  ris cast my/vision.fp32.onnx --to fp16 --out half.onnx

writes: vision.fp16.onnx into the bundle and lists it in manifest.json; or --out

exit codes: 0 done; 1 it cannot be cast, or it is cast and off; 2 wrong usage
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ris cast`."""
    parser.epilog = EPILOG
    parser.add_argument("source", nargs="?", default="", help="a bundle's folder or an ONNX file (default: packaged)")
    parser.add_argument("--to", choices=("fp16", "fp16-safe"), required=True, help="the form to write")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to (default: into the bundle)")
    parser.add_argument("--real", type=int, default=24, help="real frames to compare on (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON on stdout")


def run(args: argparse.Namespace) -> int:
    """Cast.

    Raises:
        RisError: the graph is not float32, or the bundle is damaged.
    """
    from ris_node.bundle import open_bundle
    from ris_node.bundle.bundle import VISION_FILES, claim_bundle
    from ris_node.export.cast import cast, cast_bundle

    path = Path(args.source) if args.source else open_bundle(None).path
    folder = path if path.is_dir() else None
    source = path / VISION_FILES["fp32"] if folder else path
    out = args.out or source.with_name(VISION_FILES["fp16"])
    found = None
    if folder is not None and args.out is None:
        claim_bundle(folder, [out.name], by="ris cast")
        done, found = cast_bundle(folder, args.to, args.real)
    else:
        claim_file(out, [source], by="ris cast")
        done = cast(source, out, args.to)
    if args.json:
        print(json.dumps(asdict(done) | {"out": str(out), "parity": found and found.as_dict()}))
    else:
        print(f"{out}: {done.form}, {done.nodes} nodes, {done.kept} in float32, {done.bytes / 1e6:.2f} MB")
        if found is not None:
            print(("ok: GPUs take it" if found.passed else "BAD: GPUs stay with float32") + f"; {found}")
    return 0 if found is None or found.passed else 1
