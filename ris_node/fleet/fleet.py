# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Replay of many bags over Ray, and their merged results."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ris_node.atomic import write_atomic
from ris_node.errors import ConfigError
from ris_node.fleet.jobs import BagRecord, FleetProgress, Job
from ris_node.fleet.ray_pool import RayPool, cluster
from ris_node.fleet.schedule import Schedule
from ris_node.outputs import claim
from ris_node.replay.options import PARTS, RESULTS, VERB, ReplayOptions
from ris_node.replay.parts import ROWS, SEAL
from ris_node.replay.rows import join
from ris_node.review.merge import MERGED, check_runs, merge_runs
from ris_node.runtime.ort import cores

FLEET = "fleet.json"


@dataclass(frozen=True)
class FleetOptions:
    """How the work is shared out.

    `workers` 0: as many as the CPUs allow with `threads` (of the replay's options, 1 where that is 0), but no more
    than bags; `retries` how often a bag is tried again; `address` of a running Ray cluster, empty: RAY_ADDRESS, or
    Ray is started on this machine.
    """

    workers: int = 0
    retries: int = 2
    address: str = ""

    def __post_init__(self) -> None:
        if self.workers < 0 or self.retries < 0:
            raise ConfigError(f"{self.workers} workers, {self.retries} retries: give 0 or more")


@dataclass(frozen=True)
class FleetResult:
    """Records of all bags, in order, and the number of workers lost."""

    records: tuple[BagRecord, ...]
    lost_workers: int

    @property
    def complete(self) -> bool:
        """Whether every bag is complete."""
        return all(record.summary is not None and record.summary.complete for record in self.records)


def replay_fleet(
    bags: Sequence[Path],
    folders: Sequence[Path],
    out: Path,
    options: ReplayOptions,
    fleet: FleetOptions,
    *,
    progress: Callable[[FleetProgress], None] | None = None,
    stop: threading.Event | None = None,
    on_pool: Callable[[RayPool], None] | None = None,
) -> FleetResult:
    """Replay `bags` into `folders`, and merge table, summary and report into `out`.

    On several machines, bags and folders lie on a disk that all of them see under the same name.

    Args:
        bags: the recorded drives.
        folders: where the results of each go, in the same order.
        out: where those of all go; also `fleet.json`, which lists attempts and failures.
        options: as for one bag.
        fleet: how the work is shared out.
        progress: called about twice a second.
        stop: when set, what there is gets sealed and merged.
        on_pool: given the workers once they are there.

    Returns:
        The records; bags that failed are in it, and do not keep the others from being merged.

    Raises:
        ConfigError: Ray is missing, or options do not go together.
        BackendError: Ray does not start, or the model cannot be loaded.
    """
    check_runs(bags, folders, out, options)
    claim(out, (*MERGED, FLEET), bags, by=VERB)
    pairs = zip(bags, folders, strict=True)
    jobs = [Job(number, bag.resolve(), folder.resolve()) for number, (bag, folder) in enumerate(pairs)]
    with _pool(options, fleet, len(jobs)) as pool:
        if on_pool is not None:
            on_pool(pool)
        schedule = Schedule(pool, jobs, fleet.retries, progress or (lambda _: None), stop or threading.Event())
        schedule.run()
    result = FleetResult(tuple(schedule.records), schedule.lost_workers)
    merge(result, out, options)
    return result


@contextmanager
def _pool(options: ReplayOptions, fleet: FleetOptions, bags: int) -> Iterator[RayPool]:
    """Yield as many workers as are wanted, or as there are CPUs for."""
    threads = options.threads or 1
    wanted = fleet.workers or max(1, cores() // threads)
    with cluster(fleet.address, min(wanted, bags) * threads) as ray:
        if not fleet.workers:
            wanted = max(1, int(ray.cluster_resources().get("CPU", wanted)) // threads)
        pool = RayPool(ray, replace(_absolute(options), threads=threads), min(wanted, bags), threads)
        try:
            yield pool
        finally:
            pool.close()


def _absolute(options: ReplayOptions) -> ReplayOptions:
    """Return the options with paths that hold in a worker's folder too."""
    script = options.commands.script
    commands = replace(options.commands, script=script.resolve() if script is not None else None)
    bundle = options.bundle.resolve() if options.bundle is not None else None
    truth = options.truth
    if truth and not truth.startswith("topic:"):
        truth = str(Path(truth).resolve())
    return replace(options, commands=commands, bundle=bundle, truth=truth)


def merge(result: FleetResult, out: Path, options: ReplayOptions) -> None:
    """Write `fleet.json`, and one table, summary and report over all bags with results, into `out`."""
    rows = {"lost_workers": result.lost_workers, "bags": [record.to_json() for record in result.records]}
    write_atomic(out / FLEET, json.dumps(rows, indent=1) + "\n")
    for record in result.records:
        if record.failed:
            _keep_parts(record.job.out)
    kept = [record.job for record in result.records if (record.job.out / RESULTS).is_file()]
    if kept and not (len(kept) == 1 and kept[0].out == out.resolve()):
        lost = [
            f"{record.job.bag.name}: {'; '.join(record.errors[-1:]) or 'not begun'}"
            for record in result.records
            if record.job not in kept
        ]
        merge_runs([job.out for job in kept], out, report=options.report, bags=[job.bag for job in kept], lost=lost)


def _keep_parts(folder: Path) -> None:
    """Make a table of the sealed parts of a bag that was given up; the parts stay, for resuming."""
    sealed = sorted(seal.parent / ROWS for seal in (folder / PARTS).glob(f"*/{SEAL}"))
    if sealed and not (folder / RESULTS).is_file():
        join(sealed, folder / RESULTS)
