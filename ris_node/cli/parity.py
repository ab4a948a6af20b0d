# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris parity`: whether another precision of a vision graph still answers as float32 does."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ris_node.errors import ConfigError

EPILOG = """\
Both graphs run on ONNX Runtime, on rendered streets, edge cases (black, saturated, very wide, one word, too many words,
an absent thing) and, where RIS_DATA has camvid and streets, real frames. Limits by the second one's precision: no
NaN; masks IoU at least 0.995 each (float32), 0.99 (fp16), 0.95 on average (INT8); the same presence on 98 %; sure
pixels agree.
Engines are held against ONNX Runtime by `ris engine verify` on the machine that runs them.

examples:
  ris parity                                              every graph of the packaged bundle against its float32
  ris parity my/bundle
  ris parity my/vision.fp32.onnx my/vision.fp16.onnx --bundle my

exit codes: 0 they agree; 1 they do not; 2 wrong usage
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ris parity`."""
    parser.epilog = EPILOG
    parser.add_argument("graphs", nargs="*", metavar="A", help="two vision graphs, or one bundle (default: packaged)")
    parser.add_argument("--bundle", type=Path, help="whose text graph and thresholds are used, with two graphs")
    parser.add_argument(
        "--real", type=int, default=24, help="real frames of the public sets to add (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON on stdout")


def run(args: argparse.Namespace) -> int:
    """Compare.

    Raises:
        ConfigError: neither two graphs nor one bundle were given.
        RisError: a graph or the bundle is damaged.
    """
    from ris_node.export.parity import parity

    bundle, pairs = _pairs(args)
    report = []
    for first, second in pairs:
        kind, found = parity(first, second, bundle, args.real)
        report.append({"reference": str(first), "candidate": str(second), "precision": kind, **found.as_dict()})
        if not args.json:
            print(f"{'ok  ' if found.passed else 'BAD '} {second} ({kind}) {found}")
    if args.json:
        print(json.dumps(report))
    elif not pairs:
        print(f"{bundle} has no graph beside float32: `ris cast` and `ris quantize` make some")
    return 0 if all(one["passed"] for one in report) else 1


def _pairs(args: argparse.Namespace) -> tuple[Path, list[tuple[Path, Path]]]:
    from ris_node.bundle import open_bundle
    from ris_node.bundle.bundle import VISION_FILES

    given = [Path(name) for name in args.graphs]
    if len(given) == 2 and all(path.suffix == ".onnx" for path in given):
        return args.bundle or given[0].parent, [(given[0], given[1])]
    if len(given) > 1 or (given and given[0].suffix == ".onnx"):
        raise ConfigError("give two vision graphs (A.onnx B.onnx), or one bundle's folder")
    bundle = open_bundle(given[0] if given else None)
    exact = bundle.path / VISION_FILES["fp32"]
    others = [bundle.path / file for name, file in VISION_FILES.items() if name != "fp32" and bundle.file(file)]
    return bundle.path, [(exact, other) for other in others]
