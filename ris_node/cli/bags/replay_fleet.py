# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris replay --engine ray`: many bags at once."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ris_node.cli.bags.replay import out_folders, stopping
from ris_node.entry import FAILED, INTERRUPTED

if TYPE_CHECKING:
    from ris_node.fleet.jobs import FleetProgress
    from ris_node.fleet.run import FleetResult
    from ris_node.replay.options import ReplayOptions


def run_fleet(args: argparse.Namespace, bags: Sequence[Path], options: ReplayOptions) -> int:
    """Share `bags` out over Ray, tell how far it is, and list what failed."""
    from tqdm import tqdm

    from ris_node.fleet.run import FleetOptions, replay_fleet

    fleet = FleetOptions(args.workers, args.retries, args.ray_address)
    quick = sys.stderr.isatty()
    with stopping() as stop, tqdm(unit="frame", file=sys.stderr, mininterval=0.3 if quick else 10.0) as bar:

        def show(progress: FleetProgress) -> None:
            bar.total = progress.total or None
            bar.set_description(f"{progress.bags_done} of {progress.bags} bags, {progress.workers} workers", False)
            bar.update(progress.frames - bar.n)

        result = replay_fleet(bags, out_folders(bags, args.out), args.out, options, fleet, progress=show, stop=stop)
        stopped = stop.is_set()
    _tell(result, args.out)
    if args.json:
        rows = {"lost_workers": result.lost_workers, "bags": [record.to_json() for record in result.records]}
        print(json.dumps(rows, indent=2))
    if stopped:
        return INTERRUPTED
    return 0 if result.complete else FAILED


def _tell(result: FleetResult, out: Path) -> None:
    frames = sum(record.summary.frames for record in result.records if record.summary is not None)
    for record in result.records:
        for error in record.errors:
            print(f"{record.job.bag}: {error}", file=sys.stderr)
        for line in record.summary.lines() if record.summary is not None else ():
            print(f"{record.job.bag}: {line}", file=sys.stderr)
    failed = [record for record in result.records if record.failed]
    again = sum(record.attempts > 1 for record in result.records)
    lost = f", {result.lost_workers} workers lost" if result.lost_workers else ""
    print(
        f"{out}: {frames} frames of {len(result.records) - len(failed)} bags; {again} tried again{lost}, "
        f"{len(failed)} failed",
        file=sys.stderr,
    )
    for record in failed:
        print(f"failed after {record.attempts} attempts: {record.job.bag}", file=sys.stderr)
