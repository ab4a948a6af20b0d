# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris export` and `python -m ris_node.export`: make a bundle of a checkpoint."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ris_node.entry import run_verb, start
from ris_node.errors import ConfigError, TrainingError
from ris_node.outputs import check, check_file, claim_file

if TYPE_CHECKING:
    from ris_node.training.config import TrainConfig

VERB = "ris export"  # in the markers of what is written

EPILOG = """examples:
  ris export runs/mine/best.pt --out engines/mine        graphs, tokenizer, thresholds, manifest
  ris export runs/mine/moments --out engines/mine        the mean of the averages that `moments` of the YAML kept
  ris export runs/mine/best.pt --out engines/mine --use "our own pictures, any use"
  ris export runs/mine/last.pt --weights mine.safetensors         weights for another run's `init`, in half precision
  ris predict --image a.png --command "the red car" --bundle engines/mine --out out
  ris export --quality report.json --out engines/mine    put an evaluation report into the manifest of a bundle

The thresholds are chosen on the run's held-out pictures, drawn again where the pools are not kept. The graphs are
compared with the trained network before they are kept; the vision network is timed with two threads.

writes into DIR: vision.fp32.onnx, text.onnx, tokenizer.json, manifest.json (with where it came from)

exit codes: 0 exported; 1 the checkpoint is damaged, or a graph does not match the network; 2 wrong usage
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ris export`."""
    parser.epilog = EPILOG
    of = "best.pt or last.pt of a run; several, or its folder of moments: the mean of their averages"
    parser.add_argument("checkpoints", metavar="CHECKPOINT", type=Path, nargs="*", help=of)
    parser.add_argument("--out", metavar="DIR", type=Path, help="the bundle's folder")
    parser.add_argument("--weights", metavar="FILE", type=Path, help="write the weights alone, to train on from")
    parser.add_argument("--cache", metavar="DIR", type=Path, default=Path("runs/pools"), help="where pools are kept")
    parser.add_argument("--quality", metavar="FILE", type=Path, help="an evaluation report for the manifest")
    parser.add_argument("--note", metavar="TEXT", default="", help="what the manifest should say of the run besides")
    parser.add_argument(
        "--use", metavar="TEXT", default="", help="what the bundle may be used for (default: by the data)"
    )


def run(args: argparse.Namespace) -> int:
    """Export, or add a report, as `args` say."""
    if bool(args.checkpoints) == bool(args.quality):
        raise ConfigError("give a checkpoint to export, or --quality to add a report to a bundle")
    if (args.out is None and args.weights is None) or (args.quality and (args.weights or not args.out)):
        raise ConfigError("say where to: --out DIR for a bundle, and, with a checkpoint, --weights FILE for weights")
    if args.weights is not None:
        _weights(args)
    if args.out is None:
        return 0
    if args.quality is not None:
        from ris_node.export.manifest import add_quality

        manifest = add_quality(args.out, args.quality)
    else:
        from ris_node.bundle.bundle import ALL_FILES, files_of
        from ris_node.export.bundle_writer import calibrate_on_held_out, open_checkpoint, write_bundle

        check(args.out, ALL_FILES, by=VERB, known=files_of(args.out))
        trained = open_checkpoint(*args.checkpoints)
        chosen = calibrate_on_held_out(trained, args.cache)
        manifest = write_bundle(trained, chosen, args.out, _trunk(trained.config), args.note, args.use)
    if args.json:
        print(json.dumps({"out": str(args.out), "id": manifest.model_id, "latency": manifest.latency}))
    else:
        print(f"{args.out}: {manifest.model_id}, thresholds {manifest.thresholds}, latency {manifest.latency}")
    return 0


def _trunk(config: TrainConfig) -> Path | None:
    """The bare trunk to time beside the network, where it is at hand."""
    from ris_node.training.begin import find_trunk

    try:
        return find_trunk(config)
    except TrainingError:
        return None


def _weights(args: argparse.Namespace) -> None:
    from ris_node.training.checkpoint import SUFFIX, load_mean, save_weights

    if args.weights.suffix != SUFFIX:
        raise ConfigError(f"{args.weights}: a file of weights is named *{SUFFIX}, as `init` knows it by")
    check_file(args.weights, args.checkpoints, by=VERB)
    mean = load_mean(args.checkpoints)
    claim_file(args.weights, by=VERB)
    save_weights(args.weights, mean)
    size = args.weights.stat().st_size
    if args.json and args.out is None:
        print(json.dumps({"weights": str(args.weights), "bytes": size}))
    else:
        print(f"{args.weights}: {size} bytes", file=sys.stderr if args.json else sys.stdout)


if __name__ == "__main__":
    start(lambda: run_verb("export", add_arguments, run))
