# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""From ONNX Runtime to a TensorRT engine while frames go on: built beside, held against it, switched between two."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from ris_node.bundle.bundle import open_bundle
from ris_node.config import NodeConfig
from ris_node.errors import BackendError, RisError
from ris_node.export.tensorrt.build_process import BuildProgress, EngineBuild
from ris_node.pipeline.grounder import Grounder
from ris_node.ros.logs import NodeLogger
from ris_node.ros.outputs.status import NodeState, StatusBoard
from ris_node.runtime.base import Session
from ris_node.runtime.select import Opened
from ris_node.runtime.tensorrt import backend
from ris_node.runtime.tensorrt.spec import EngineRequest
from ris_node.runtime.tensorrt.store import rebuild_command
from ris_node.runtime.tensorrt.toolkit import Toolkit

Submit = Callable[[Callable[[], Any]], "Future[Any] | None"]
_SWITCH_S = 30.0  # a frame in hand may take its time


class EngineUpgrade:
    """Builds the engine that a model in use lacks, and gives it to the model; one at a time.

    What fails leaves the model as it is: on ONNX Runtime, DEGRADED, with the reason.

    Args:
        status: told about BUILDING_ENGINE, WARMING, and how it ended.
        log: the node's logger.
        submit: runs a task between two frames; None while there is no worker.
    """

    def __init__(self, status: StatusBoard, log: NodeLogger, submit: Submit) -> None:
        self._status = status
        self._log = log
        self._submit = submit
        self._lock = threading.Lock()
        self._ticket = 0  # one whose ticket is no longer this one has been given up
        self._build: EngineBuild | None = None

    @property
    def builder_pid(self) -> int | None:
        """The process that builds now."""
        build = self._build
        return build.pid if build is not None else None

    def cancel(self) -> None:
        """Give up what is being built; harmless when nothing is."""
        with self._lock:
            self._ticket += 1
            build, self._build = self._build, None
        if build is not None:
            build.cancel()

    def build_first(self, config: NodeConfig) -> None:
        """Build before the model is opened, for `backend:=tensorrt` wants nothing else to answer; blocks.

        Raises:
            RisError: the bundle, TensorRT or the build failed.
        """
        if config.model.backend != "tensorrt":
            return
        wanted = backend.wanted_engine(open_bundle(config.model.model_dir or None), config.model)
        if wanted is not None:
            with self._lock:
                ticket = self._ticket
            self._run_build(ticket, wanted[0], force=config.model.engine_build == "force")

    def start(self, config: NodeConfig, grounder: Grounder) -> None:
        """Build in the background what `backend:=auto` would rather have, if there is anything."""
        if config.model.backend != "auto":
            return
        with self._lock:
            ticket = self._ticket
        threading.Thread(target=self._work, args=(ticket, config, grounder), name="engine upgrade", daemon=True).start()

    def _work(self, ticket: int, config: NodeConfig, grounder: Grounder) -> None:
        before = (self._status.report.message, self._status.report.impaired)
        rebuild = ""
        try:
            wanted = backend.wanted_engine(grounder.bundle, config.model)
            if wanted is None:
                return
            request, kit = wanted
            rebuild = rebuild_command(request)
            self._run_build(ticket, request, force=config.model.engine_build == "force")
            self._switch(ticket, config, grounder, request, kit)
        except Exception as error:  # whatever went wrong, the model that answers goes on
            reason = str(error) if isinstance(error, RisError) else f"{type(error).__name__}: {error}"
            self._failed(ticket, grounder, " ".join(reason.split()), rebuild, before[0])

    def _run_build(self, ticket: int, request: EngineRequest, *, force: bool) -> None:
        what = f"{request.spec.precision} engine for {request.device.name}"

        def show(progress: BuildProgress) -> None:
            self._say(
                ticket,
                state=NodeState.BUILDING_ENGINE,
                progress=progress.fraction,
                message=f"building the {what}: {progress}",
            )

        build = EngineBuild(request, force=force)
        with self._lock:
            if ticket != self._ticket:
                raise BackendError("given up")
            self._build = build
        self._log.info(f"building the {what} ({request.key}); frames are answered meanwhile")
        begin = time.monotonic()
        try:
            build.run(show)
        finally:
            with self._lock:
                self._build = None if self._build is build else self._build
        self._log.info(
            f"the {what} {'was built' if build.built else 'was built by another'} in {time.monotonic() - begin:.1f} s"
        )

    def _switch(
        self, ticket: int, config: NodeConfig, grounder: Grounder, request: EngineRequest, kit: Toolkit
    ) -> None:
        self._say(ticket, state=NodeState.WARMING, progress=1.0, message="holding the engine against ONNX Runtime")
        session = backend.open_built(request, kit, grounder.bundle, config.model)
        done: list[Session] = []

        def swap() -> None:
            with self._lock:
                if ticket == self._ticket:  # else the model has gone
                    skipped = tuple(s for s in grounder.vision.skipped if s.backend != "tensorrt")
                    done.append(grounder.replace_vision(Opened(session, skipped)))

        try:
            task = self._submit(swap)
            if task is not None:
                task.result(_SWITCH_S)
        finally:
            if not done:
                session.close()
        if done:
            done[0].close()
            self._log.info(f"frames are answered by {grounder.info.backend} {grounder.info.precision} from now on")
            notes = "; ".join(grounder.notes)
            self._say(ticket, state=NodeState.READY, info=grounder.info, message=notes, impaired="", progress=1.0)

    def _failed(self, ticket: int, grounder: Grounder, reason: str, rebuild: str, message: str) -> None:
        with self._lock:
            if ticket != self._ticket:
                return
        hint = f"; try again: {rebuild}" if rebuild and rebuild not in reason else ""
        words = f"{grounder.info.backend} {grounder.info.precision} goes on, no TensorRT engine: {reason}{hint}"
        self._log.warning(words)
        self._say(ticket, state=NodeState.READY, progress=1.0, impaired=words, message=message)

    def _say(self, ticket: int, **changes: Any) -> None:
        with self._lock:
            if ticket == self._ticket:
                self._status.update(**changes)
