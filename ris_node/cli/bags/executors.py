# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Executors of `ris replay`: bags one after the other in this process, or many at once over Ray."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from tqdm import tqdm

from ris_node.entry import FAILED, INTERRUPTED
from ris_node.errors import RisError
from ris_node.fleet.fleet import FleetOptions, FleetResult, replay_fleet
from ris_node.fleet.jobs import FleetProgress
from ris_node.pipeline.grounder import Grounder
from ris_node.replay.options import RESULTS, Progress, ReplayOptions, ReplaySummary
from ris_node.replay.replay import open_model
from ris_node.review.merge import check_runs, merge_runs
from ris_node.review.review import replay_and_review


def out_folders(bags: Sequence[Path], out: Path) -> list[Path]:
    """Return each bag's folder: `out` itself for one bag, else a folder of the bag's name in it."""
    if len(bags) == 1:
        return [out]
    names: list[str] = []
    for bag in bags:
        name = base = bag.name.split(".")[0] or "bag"
        number = 2
        while name in names:
            name, number = f"{base}-{number}", number + 1
        names.append(name)
    return [out / name for name in names]


def exit_code(summaries: Sequence[ReplaySummary], stopped: bool) -> int:
    """Return 0 when every bag is complete, 130 when it was stopped, else 1."""
    if stopped:
        return INTERRUPTED
    return 0 if summaries and all(summary.complete for summary in summaries) else FAILED


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """Yield an event that the first Ctrl-C sets, so that parts are sealed; the second one ends at once."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # first: here again, it would wait for stop's lock
        stop.set()
        print("\nstopping: what has been answered is being sealed (Ctrl-C again gives that up)", file=sys.stderr)

    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, on_signal)
    try:
        yield stop
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, before)


def replay_here(args: argparse.Namespace, bags: Sequence[Path], options: ReplayOptions) -> int:
    """Replay bags in this process, one after the other; return the exit code."""
    with stopping() as stop:
        summaries = _replay_all(bags, args.out, options, stop)
    if args.json:
        print(json.dumps([summary.to_json() for summary in summaries], indent=2))
    return exit_code(summaries, stop.is_set())


def _replay_all(bags: Sequence[Path], out: Path, options: ReplayOptions, stop: threading.Event) -> list[ReplaySummary]:
    summaries = []
    folders = out_folders(bags, out)
    check_runs(bags, folders, out, options)
    with open_model(options) as grounder:
        print(f"model {grounder.model_id} on {grounder.info.backend} ({grounder.info.provider})", file=sys.stderr)
        for bag, folder in zip(bags, folders, strict=True):
            if stop.is_set():
                break
            try:
                summaries.append(_replay_one(bag, folder, options, grounder, stop))
            except RisError as error:
                if len(bags) == 1:
                    raise
                print(f"{bag}: {error}", file=sys.stderr)
                summaries.append(failed(bag, folder, error))
    if len(bags) > 1:
        pairs = [(s.out, bag) for s, bag in zip(summaries, bags, strict=False) if (s.out / RESULTS).is_file()]
        if pairs:
            folders = [folder for folder, _ in pairs]
            lost = [f"{s.bag}: {'; '.join(s.problems)}" for s in summaries if s.out not in folders]
            lost += [f"{bag.name}: not begun" for bag in bags[len(summaries) :]]
            merge_runs(folders, out, report=options.report, bags=[bag for _, bag in pairs], lost=lost)
    return summaries


def failed(bag: Path, folder: Path, error: RisError) -> ReplaySummary:
    """Return the summary of a bag without results."""
    return ReplaySummary(bag=bag.name, out=folder, complete=False, problems=(str(error),))


def _replay_one(
    bag: Path, folder: Path, options: ReplayOptions, grounder: Grounder, stop: threading.Event
) -> ReplaySummary:
    bar = tqdm(unit="frame", desc=bag.name, file=sys.stderr, mininterval=0.3 if sys.stderr.isatty() else 10.0)

    def show(progress: Progress) -> None:
        bar.total = progress.total or None
        bar.initial = progress.resumed
        bar.n = max(bar.n, progress.resumed)
        bar.update(progress.done - bar.n)

    with bar:
        summary = replay_and_review(bag, folder, options, grounder=grounder, progress=show, stop=stop)
    for line in summary.lines():
        print(f"{bag}: {line}", file=sys.stderr)
    counts = ", ".join(f"{count} {name}" for name, count in sorted(summary.statuses.items()))
    state = "" if summary.complete else " (partial)"
    print(
        f"{folder}: {summary.frames} frames{state}, {summary.rate_hz:.1f} a second; {counts or 'no answers'}",
        file=sys.stderr,
    )
    return summary


def replay_on_ray(args: argparse.Namespace, bags: Sequence[Path], options: ReplayOptions) -> int:
    """Share bags out to processes over Ray, show the progress, list failures; return the exit code."""
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
