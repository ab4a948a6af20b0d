# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Workers as Ray actors, on this machine or on a cluster; the only file that knows Ray."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from ris_node.errors import BackendError, ConfigError
from ris_node.fleet.jobs import Job, Outcome
from ris_node.fleet.worker import Worker
from ris_node.replay.options import Progress, ReplayOptions

EXTRA = "pip install 'ris_node[ray]'"
_STORE = 100 << 20  # bytes: only summaries travel through Ray's object store
_ASK_S = 0.3
_LOAD_S = 600.0
_STARTS = 3


def ray_module() -> Any:
    """Import Ray.

    Raises:
        ConfigError: it is not installed.
    """
    # nothing is sent anywhere unless the user has asked for it
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        return import_module("ray")
    except ImportError as error:
        raise ConfigError(f"--executor ray needs the Python package 'ray' ({error}): {EXTRA}") from error


@contextmanager
def cluster(address: str, cpus: int) -> Iterator[Any]:
    """Connect Ray to a cluster (`address`, or the variable RAY_ADDRESS), or start it here with so many CPUs.

    Raises:
        BackendError: it cannot be reached or started.
    """
    ray = ray_module()
    if ray.is_initialized():
        yield ray
        return
    address = address or os.environ.get("RAY_ADDRESS", "")
    local: dict[str, Any] = {}
    if not address:
        # workers inherit the environment: they shall import this very package
        package = str(Path(__file__).resolve().parents[2])
        path = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part and part != package]
        os.environ["PYTHONPATH"] = os.pathsep.join([package, *path])
        local = {"num_cpus": cpus, "object_store_memory": _STORE, "include_dashboard": False}
    _begin(ray, address, local)
    try:
        yield ray
    finally:
        ray.shutdown()


def _begin(ray: Any, address: str, local: dict[str, Any]) -> None:
    """Connect; a Ray of our own is tried several times, for it gives its first process half a minute and no more."""
    for attempt in range(1 if address else _STARTS):
        try:
            ray.init(address=address or "local", logging_level=logging.ERROR, log_to_driver=False, **local)
            return
        except Exception as error:  # Ray raises of its own, and plain ones
            with suppress(Exception):
                ray.shutdown()
            if address or attempt == _STARTS - 1:
                where = f"at {address} does not answer" if address else "does not start"
                raise BackendError(f"Ray {where}: {error}") from error


class RayPool:
    """`size` actors with `threads` CPUs each; see `jobs.Pool`.

    Raises:
        BackendError: the model cannot be loaded, or the cluster has no room for a worker.
    """

    def __init__(self, ray: Any, options: ReplayOptions, size: int, threads: int) -> None:
        self._ray, self._options = ray, options
        # progress and stop are answered beside the bag in hand
        self._kind = ray.remote(num_cpus=threads, max_restarts=0, max_concurrency=3)(Worker)
        self._actors = [self._kind.remote(options) for _ in range(size)]
        self._running: dict[Any, tuple[int, Job]] = {}
        try:
            problems = ray.get([actor.load.remote() for actor in self._actors], timeout=_LOAD_S)
        except Exception as error:
            raise BackendError(f"the workers do not start: {error}") from error
        if found := [problem for problem in problems if problem]:
            raise BackendError(f"the model cannot be loaded in a worker: {found[0]}")

    @property
    def size(self) -> int:
        """How many workers there are."""
        return len(self._actors)

    def pids(self) -> list[int]:
        """Return the workers' process ids (of use on one machine only)."""
        return [int(pid) for pid in self._ray.get([actor.pid.remote() for actor in self._actors])]

    def idle(self) -> int:
        """Return how many workers have nothing to do."""
        return len(self._actors) - len(self._running)

    def start(self, job: Job) -> None:
        """Give a job to an idle worker."""
        busy = {slot for slot, _ in self._running.values()}
        slot = next(number for number in range(len(self._actors)) if number not in busy)
        self._running[self._actors[slot].run.remote(job)] = (slot, job)

    def poll(self, patience_s: float) -> list[Outcome]:
        """Wait for a job to end; a lost worker is replaced."""
        if not self._running:
            return []
        ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=patience_s)
        found = []
        for reference in ready:
            slot, job = self._running.pop(reference)
            try:
                found.append(self._ray.get(reference))
            except Exception as error:  # Ray's own: the process is gone
                self._actors[slot] = self._replaced(self._actors[slot])
                reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
                found.append(Outcome(job, error=f"the worker was lost: {reason}", again=True, lost=True))
        return found

    def progress(self) -> dict[int, Progress]:
        """Return how far the running jobs are, by index."""
        asked = [self._actors[slot].progress.remote() for slot, _ in self._running.values()]
        jobs = {job.index for _, job in self._running.values()}
        found: dict[int, Progress] = {}
        ready, _ = self._ray.wait(asked, num_returns=len(asked), timeout=_ASK_S) if asked else ([], [])
        for reference in ready:
            with suppress(Exception):  # a worker that has just been lost
                answer = self._ray.get(reference)
                if answer is not None and answer[0] in jobs:
                    found[answer[0]] = answer[1]
        return found

    def stop(self) -> None:
        """Ask the workers to seal their parts."""
        for actor in self._actors:
            actor.stop.remote()

    def close(self) -> None:
        """End the workers."""
        for actor in self._actors:
            with suppress(Exception):
                self._ray.kill(actor)

    def _replaced(self, actor: Any) -> Any:
        with suppress(Exception):
            self._ray.kill(actor)
        return self._kind.remote(self._options)
