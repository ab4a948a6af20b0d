# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Loads the model beside the executor, so that no manager waits in vain and SIGINT is heard."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ris_node.config import NodeConfig
from ris_node.pipeline.grounder import Grounder
from ris_node.ros.logs import NodeLogger
from ris_node.ros.node.upgrade import EngineUpgrade, Submit
from ris_node.ros.outputs.status import NodeState, StatusBoard

_POLL_S = 0.02


class Engine:
    """Holds the loaded `Grounder`, and loads the next one in a thread of its own.

    While a new model loads the old one stays in `grounder`; what `start` is given as `done` is called on the loading
    thread when the new one is there, and has to `adopt` it between two frames.

    Args:
        status: told about LOADING, WARMING, READY and FAULT.
        log: the node's logger.
        submit: runs a task between two frames; None while there is no worker.
        open_model: opens a model; the tests of slow loading put a slower one here.
    """

    def __init__(
        self,
        status: StatusBoard,
        log: NodeLogger,
        submit: Submit,
        open_model: Callable[[NodeConfig], Grounder] | None = None,
    ) -> None:
        self._status = status
        self._log = log
        self._open = open_model or open_grounder
        self.upgrade = EngineUpgrade(status, log, submit)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ticket = 0  # a load whose ticket is no longer this one has been given up
        self._grounder: Grounder | None = None
        self.error = ""

    @property
    def grounder(self) -> Grounder | None:
        """The model that answers now; None before the first has loaded."""
        return self._grounder

    @property
    def loading(self) -> bool:
        """Whether a model is being loaded."""
        thread = self._thread
        return thread is not None and thread.is_alive()

    def start(self, config: NodeConfig, done: Callable[[Grounder], bool]) -> None:
        """Begin to load the model of `config`; `done` gets it on the loading thread, False refuses it."""
        with self._lock:
            self._ticket += 1
            self.upgrade.cancel()
            self.error = ""
            where = config.model.model_dir or "the packaged default"
            changes: dict[str, Any] = {"message": f"loading {where}", "progress": 0.0}
            if self._grounder is None:
                changes["state"] = NodeState.LOADING
            self._status.update(**changes)
            self._thread = threading.Thread(
                target=self._load, args=(self._ticket, config, done), name="model loader", daemon=True
            )
            self._thread.start()

    def wait(self, timeout_s: float, alive: Callable[[], bool]) -> bool:
        """Wait until nothing is being loaded, time is up, or the process is told to end; True when done."""
        deadline = time.monotonic() + timeout_s
        while self.loading and alive() and time.monotonic() < deadline:
            thread = self._thread
            if thread is not None:
                thread.join(_POLL_S)
        return not self.loading

    def adopt(self, grounder: Grounder) -> None:
        """Make this the model that answers, and close the one before."""
        old, self._grounder = self._grounder, grounder
        if old is not None:
            old.close()
            del old
            give_back_memory()

    def release(self) -> None:
        """Free the model; one that is still being loaded is freed when it is there."""
        self.upgrade.cancel()
        with self._lock:
            self._ticket += 1
            self._thread = None
            grounder, self._grounder = self._grounder, None
        if grounder is not None:
            grounder.close()
            del grounder
            give_back_memory()

    def _load(self, ticket: int, config: NodeConfig, done: Callable[[Grounder], bool]) -> None:
        begin = time.monotonic()
        try:
            self.upgrade.build_first(config)
            grounder = self._open(config)
            if self._grounder is None and config.model.warmup_iterations:
                self._status.update(state=NodeState.WARMING, message="warming up")
            grounder.warm_up(config.model.warmup_iterations)
        except Exception as error:  # whatever is wrong with a bundle, the node lives and says so
            self._failed(ticket, f"{type(error).__name__}: {error}")
            return
        with self._lock:
            current = ticket == self._ticket
        if not current:
            grounder.close()
            return
        if not done(grounder):
            grounder.close()
            return
        # the core has logged the terms of use, what was skipped and why (see ris_node.ros.logs)
        self._log.info(f"model {grounder.model_id} is ready after {time.monotonic() - begin:.2f} s")
        self._status.update(
            state=NodeState.READY,
            progress=1.0,
            info=grounder.info,
            model_id=grounder.model_id,
            impaired=grounder.vision.degraded,
            message="; ".join(grounder.notes),
        )
        with self._lock:
            if ticket == self._ticket:
                self.upgrade.start(config, grounder)

    def _failed(self, ticket: int, reason: str) -> None:
        with self._lock:
            if ticket != self._ticket:
                return
            self.error = " ".join(reason.split())
            kept = self._grounder
        words = f"the model was not loaded: {self.error}"
        self._log.error(words)
        if kept is None:
            self._status.update(state=NodeState.FAULT, progress=0.0, message=words)
        else:
            self._status.update(state=NodeState.READY, progress=1.0, message=f"{kept.model_id} goes on; {words}")


def give_back_memory() -> None:
    """Give the system back what a closed model leaves in the heap; only on glibc, whose thresholds the node raises."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def open_grounder(config: NodeConfig) -> Grounder:
    """Open the model of a configuration; it is warmed up afterwards.

    Raises:
        RisError: the bundle or the runtime cannot be used.
    """
    return Grounder.open(
        model=replace(config.model, warmup_iterations=0),
        output=config.output,
        region=config.region,
        max_query_chars=config.query.max_query_chars,
    )
