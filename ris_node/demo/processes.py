# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's four processes: started together, watched, and always ended."""

from __future__ import annotations

import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType

from ris_node.errors import DemoError

# Domains that no test of this project uses; with higher ones the ports collide with those of ordinary programs.
_DOMAINS = range(101, 120)


class Crew:
    """Child processes that share a ROS domain; their lines are queued as (name, line), and no child outlives it.

    Their logs go to `logs/NAME.log`.
    """

    def __init__(self, logs: Path) -> None:
        self.lines: queue.Queue[tuple[str, str]] = queue.Queue()
        self._logs = logs
        self._children: dict[str, subprocess.Popen[str]] = {}
        self._env = dict(os.environ)
        self._env.setdefault("ROS_DOMAIN_ID", str(random.choice(_DOMAINS)))
        self._env["PYTHONUNBUFFERED"] = "1"
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, module: str, *arguments: str) -> None:
        """Start a Python module as a process."""
        with (self._logs / f"{name}.log").open("w") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, stderr=log, text=True, env=self._env
            )
        self._children[name] = child
        threading.Thread(target=self._read, args=(name, child), daemon=True).start()

    def running(self, name: str) -> bool:
        """Whether a process is still running."""
        return self._children[name].poll() is None

    def check(self) -> None:
        """Look after all of them.

        Raises:
            DemoError: one has failed; the error carries the end of its log.
        """
        for name, child in self._children.items():
            code = child.poll()
            if code not in (None, 0):
                raise DemoError(f"the {name} process ended with code {code}: {self._tail(name)}")

    def stop(self, name: str, patience_s: float = 5.0) -> int:
        """Ask a process to end (SIGINT), insist after some seconds; returns its exit code."""
        child = self._children[name]
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            if child.poll() is not None:
                break
            child.send_signal(number)
            try:
                child.wait(patience_s)
            except subprocess.TimeoutExpired:
                continue
        return child.wait()

    def __enter__(self) -> Crew:
        if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # a script's `&` does so, and children inherit it
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in self._children:
            self.stop(name, 3.0)

    def _read(self, name: str, child: subprocess.Popen[str]) -> None:
        if child.stdout is not None:
            for line in child.stdout:
                self.lines.put((name, line.rstrip()))

    def _tail(self, name: str) -> str:
        time.sleep(0.1)
        text = (self._logs / f"{name}.log").read_text(errors="replace").strip()
        return " / ".join(text.splitlines()[-4:]) or f"see {self._logs / name}.log"
