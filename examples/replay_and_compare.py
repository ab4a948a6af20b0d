# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Replay a recorded drive with two configurations, and compare the answers frame by frame.

python examples/replay_and_compare.py drive/ "the red car" --out out     (needs the extra `replay`)
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from ris_node.config import NodeConfig
from ris_node.replay.options import Commands, ReplayOptions
from ris_node.replay.replay import replay
from ris_node.review.compare import compare_runs, most_different


def main() -> None:
    """Replay twice, and print what differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bag", type=Path)
    parser.add_argument("command")
    parser.add_argument("--bundle", type=Path, help="a model bundle; default: the packaged one")
    parser.add_argument("--out", type=Path, default=Path("out"))
    args = parser.parse_args()

    options = ReplayOptions(commands=Commands(args.command), bundle=args.bundle, bag=False, video=False, report=False)
    smooth = replace(options, config=NodeConfig.from_values({"temporal_smoothing": 0.7}))
    for name, chosen in (("plain", options), ("smooth", smooth)):
        summary = replay(args.bag, args.out / name, chosen)
        print(f"{name}: {summary.frames} frames, complete: {summary.complete}")

    table = pq.read_table(args.out / "plain" / "results.parquet")  # a row a frame; pandas and polars read it too
    print(f"columns: {', '.join(table.column_names[:8])}, ...")

    found = compare_runs(args.out / "plain", args.out / "smooth")
    print(f"masks agree with IoU {found.agreement:.3f}, verdicts differ in {found.flipped:.1%} of the frames")
    for line in found.lines:
        print(f"{line.name:>10} {line.a:8.3f} {line.b:8.3f} {line.difference:+8.3f}   {line.doc}")
    for pair in most_different(found.pairs, count=3):
        print(f"differs most at {pair.a['stamp_ns']}: IoU {pair.agreement:.2f}")


if __name__ == "__main__":
    main()
