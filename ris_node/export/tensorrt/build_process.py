# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Start the process that builds an engine, follow its progress, and outlive its crash."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ris_node.errors import BackendError
from ris_node.runtime.tensorrt.spec import EngineRequest
from ris_node.runtime.tensorrt.store import StoredEngine, find_engine

MARK = "@engine "  # begins each line of the builder that is for us
HEARTBEAT_S = 5.0
_POLL_S = 0.2
_PACKAGE_ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class BuildProgress:
    """How far a build is: `fraction` 0..1 of its steps, which do not take equally long."""

    phase: str
    fraction: float
    seconds: float

    def __str__(self) -> str:
        return f"{self.phase}, {self.fraction:.0%} of the steps, {self.seconds:.0f} s"


class EngineBuild:
    """One build in a process of its own.

    Args:
        request: what to build.
        force: build it even if it is there.
    """

    def __init__(self, request: EngineRequest, *, force: bool = False) -> None:
        self._request = request
        self._force = force
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._cancelled = False
        self._last = BuildProgress("starting", 0.0, 0.0)
        self.built = False  # by us, not found

    @property
    def pid(self) -> int | None:
        """The process id while it builds."""
        process = self._process
        return process.pid if process is not None else None

    def run(self, on_progress: Callable[[BuildProgress], None]) -> StoredEngine:
        """Build and return the engine; `on_progress` is called at every change and at least every five seconds.

        Raises:
            BackendError: the build failed, the process died, or somebody cancelled it; nothing unfinished is used.
        """
        with tempfile.TemporaryDirectory(prefix="ris_engine_") as folder, tempfile.TemporaryFile("w+") as errors:
            path = Path(folder) / "request.json"
            path.write_text(self._request.to_json(), encoding="utf-8")
            with self._lock:
                if self._cancelled:
                    raise BackendError("the build was cancelled")
                self._process = self._start(path, errors)
            try:
                reason = self._follow(self._process, on_progress)
                code = self._process.wait()
            finally:
                self._end()
            if code != 0:
                errors.seek(0)
                raise BackendError(self._why(code, reason, errors.read()))
        return find_engine(self._request)

    def cancel(self) -> None:
        """End the build; `run` raises. Harmless when there is none."""
        with self._lock:
            self._cancelled = True
            process = self._process
        if process is not None and process.poll() is None:
            process.terminate()

    def _start(self, path: Path, errors: IO[str]) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "ris_node.export.tensorrt.builder", str(path)]
        paths = [str(_PACKAGE_ROOT), *filter(None, [os.environ.get("PYTHONPATH", "")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        return subprocess.Popen(
            [*command, *(["--force"] if self._force else [])],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment,
            start_new_session=True,  # a Ctrl-C is for the node, which then cancels
        )

    def _follow(self, process: subprocess.Popen[str], on_progress: Callable[[BuildProgress], None]) -> str:
        """Read the builder's lines until it ends; returns the reason it gave for failing, or nothing."""
        assert process.stdout is not None
        begin, heard, reason, rest = time.monotonic(), 0.0, "", ""
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ)
            while True:
                lines = []
                if ready.select(_POLL_S):
                    data = os.read(process.stdout.fileno(), 1 << 16)
                    if not data:
                        return reason
                    *lines, rest = (rest + data.decode(errors="replace")).split("\n")
                seconds = time.monotonic() - begin
                for line in lines:
                    reason = self._take(line, seconds) or reason
                if lines or seconds - heard >= HEARTBEAT_S:
                    heard = seconds
                    on_progress(BuildProgress(self._last.phase, self._last.fraction, seconds))

    def _take(self, line: str, seconds: float) -> str:
        if not line.startswith(MARK):
            return ""
        said = json.loads(line[len(MARK) :])
        if said["event"] == "progress":
            self._last = BuildProgress(said["phase"], float(said["fraction"]), seconds)
        elif said["event"] == "done":
            self.built = bool(said["built"])
            self._last = BuildProgress("built" if self.built else "found", 1.0, seconds)
        return str(said.get("reason", ""))

    def _end(self) -> None:
        process = self._process
        assert process is not None
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        self._process = None

    def _why(self, code: int, reason: str, errors: str) -> str:
        if self._cancelled:
            return "the build was cancelled"
        if reason:
            return reason
        tail = " ".join(errors.split())[-400:]
        if code < 0:
            name = signal.Signals(-code).name
            hint = " (out of memory? lower the workspace, or build while little else runs)" if -code == 9 else ""
            return f"the builder was ended by {name} while {self._last}{hint}; {tail}".rstrip("; ")
        return f"the builder ended with exit code {code} while {self._last}: {tail}"
