# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris train`, and `python -m ris_node.training` for launchers: a network from a YAML file, on a CPU, a GPU or many."""

from __future__ import annotations

import argparse
from pathlib import Path

from ris_node.entry import run_verb, start

LAST = Path("last.pt")  # of OUT: what --resume alone means

EPILOG = """examples:
  ris train own.yaml --out runs/mine            as many CPU processes as optim.processes, or one GPU
  ris train own.yaml --out runs/mine --resume   go on after a stop, a crash or a power cut
  ris train own.yaml --out runs/b --resume runs/a/best.pt       go on from another checkpoint
  ris train own.yaml --out runs/mine --go-on    the same line begins it and, after a stop, goes on
  ris train own.yaml --out runs/try --set optim.steps=100 --set 'data.variants={own: 2}'
  accelerate launch --num_processes 4 -m ris_node.training own.yaml --out runs/mine     four GPUs

writes into OUT: last.pt and best.pt (checkpoints, whole or not there), log.jsonl (one line every 20 steps and every
check). `ris export OUT/best.pt --out BUNDLE` makes a bundle of a checkpoint; `ris make` makes the packaged one.

exit codes: 0 trained to the end; 1 the run failed, its last checkpoint is whole; 2 wrong usage or an unknown key in
the YAML; 130 stopped by Ctrl-C or SIGTERM: the step was finished and saved, a second Ctrl-C stops at once.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ris train`."""
    parser.epilog = EPILOG
    parser.add_argument("config", metavar="CONFIG", type=Path, help="YAML of the run (unknown keys are refused)")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="the run's folder")
    again = parser.add_mutually_exclusive_group()
    again.add_argument(
        "--resume", metavar="FILE", type=Path, nargs="?", const=LAST, help="go on from FILE (default: OUT/last.pt)"
    )
    again.add_argument("--go-on", action="store_true", help="--resume where DIR holds a run, else begin one")
    parser.add_argument(
        "--set", metavar="KEY=VALUE", action="append", default=[], help="instead of what CONFIG says (repeatable)"
    )
    parser.add_argument("--cache", metavar="DIR", type=Path, default=Path("runs/pools"), help="where pools are kept")
    parser.add_argument("--workers", metavar="N", type=int, default=2, help="processes that draw the pools")


def run(args: argparse.Namespace) -> int:
    """Train as `args` say."""
    from ris_node.training.config import load_config
    from ris_node.training.run import Plan, run_training

    last = args.out / LAST
    resume = last if args.resume is LAST or (args.go_on and last.exists()) else args.resume
    return run_training(Plan(load_config(args.config, args.set), args.out, args.cache, args.workers, resume))


if __name__ == "__main__":
    start(lambda: run_verb("train", add_arguments, run))
