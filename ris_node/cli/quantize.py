# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris quantize`: a bundle's INT8 graph, for x86 CPUs or for TensorRT, with what it costs in quality."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ris_node.errors import ConfigError

EPILOG = """\
The two files are of no use to each other's machine: CPUs want unsigned activations, TensorRT parses only signed,
symmetric ones and builds nothing else. Both are calibrated on real frames with varied commands.

With --for cpu the INT8 graph is then measured beside float32 (masks, presence, goals, milliseconds in turn), and the
result is written into the manifest: INT8 is the CPU's default only where it kept the quality, and on every machine
only after the golden answers in the bundle came out as here.

examples:
  ris quantize --for cpu                              the packaged default bundle, frames of the public sets
  ris quantize --for cpu my/bundle --images frames/   calibrated on your own camera
  ris quantize --for tensorrt my/bundle               writes vision.int8-trt.onnx; see `ris check`
  ris quantize --for cpu --keep 'node_conv2d_2' --every 4

writes into the bundle: vision.int8-cpu.onnx and golden.npz, or vision.int8-trt.onnx; and manifest.json

exit codes: 0 done (whether or not INT8 kept the quality); 1 it was not made; 2 wrong usage
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ris quantize`."""
    parser.epilog = EPILOG
    parser.add_argument("bundle", nargs="?", default="", help="the bundle's folder (default: the packaged one)")
    parser.add_argument("--for", dest="target", choices=("cpu", "tensorrt"), required=True, help="who shall run it")
    parser.add_argument("--frames", type=int, default=128, help="frames to calibrate on (default: %(default)s)")
    parser.add_argument(
        "--images", type=Path, metavar="DIR", help="calibrate on these pictures instead of the public sets"
    )
    parser.add_argument("--keep", nargs="+", default=[], metavar="NODE", help="nodes that stay float (patterns)")
    parser.add_argument(
        "--every", type=int, default=3, metavar="N", help="measure on every n-th evaluation picture; 0: not at all"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON on stdout")


def run(args: argparse.Namespace) -> int:
    """Quantise, and measure where asked to.

    Raises:
        ConfigError: an option is out of range.
        RisError: the graph cannot be quantised, or there is nothing to measure on.
    """
    if args.frames < 8 or args.every < 0:
        raise ConfigError("--frames is at least 8 and --every at least 0")
    from ris_node.bundle import open_bundle
    from ris_node.bundle.bundle import claim_bundle
    from ris_node.export.int8.bundle import FILES, quantise_bundle
    from ris_node.runtime.self_check import GOLDEN

    folder = Path(args.bundle) if args.bundle else open_bundle(None).path
    made = [FILES[args.target], *([GOLDEN] if args.target == "cpu" else [])]
    claim_bundle(folder, made, by="ris quantize")
    done = quantise_bundle(folder, args.target, args.frames, args.images, args.keep)
    print(
        f"{done.layers} layers in INT8, {len(done.kept)} kept float, {done.bytes / 1e6:.2f} MB, "
        f"{done.equalised} pairs of convolutions equalised",
        file=sys.stderr,
    )
    measured = _measure(folder, args.every) if args.target == "cpu" and args.every else {}
    if args.json:
        print(json.dumps({"made": asdict(done), "measured": measured}))
    elif measured:
        print(_text(measured))
    return 0


def _measure(folder: Path, every: int) -> dict[str, Any]:
    from ris_node.data.evalset import build
    from ris_node.data.location import data_root
    from ris_node.export.int8.bundle import measure_int8

    root = data_root()
    items = build(root)
    groups = set(list(dict.fromkeys(item.group for item in items))[::every])
    return measure_int8(folder, [item for item in items if item.group in groups], root)


def _text(found: dict[str, Any]) -> str:
    miou, pointing, times = found["miou"], found["pointing"], found["milliseconds"]
    verdict = "kept: INT8 is the CPU's default" if found["kept"] else "not kept: float32 stays the CPU's default"
    return (
        f"{found['items']} items: mIoU {miou['fp32']:.3f} -> {miou['int8']:.3f}, pointing {pointing['fp32']:.3f} -> "
        f"{pointing['int8']:.3f}, masks IoU {found['mask_iou']:.3f}, same presence {found['same_presence']:.1%}\n"
        f"float32 {times['fp32']['p50']} ms, INT8 {times['int8']['p50']} ms: {found['faster']} times as fast\n"
        f"quality {verdict}"
    )
