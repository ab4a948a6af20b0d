# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Processes of the live part: node, camera and client, each by itself, and their processor time and memory."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from ris_node.errors import DemoError

NAMESPACE = "/ris_bench"
_MB = 1024.0 * 1024.0
_TAIL = 15


class Peer:
    """A helper process that takes one JSON object a line and answers each with one."""

    def __init__(self, name: str, module: str, arguments: list[str], environ: Mapping[str, str]) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(environ),
        )
        self._answers: queue.Queue[str | None] = queue.Queue()
        self._complaints: deque[str] = deque(maxlen=_TAIL)
        for target in (self._read, self._listen):
            threading.Thread(target=target, name=f"{name} reader", daemon=True).start()

    def ask(self, question: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
        """Send a question and wait for its answer.

        Raises:
            DemoError: the process has ended, or does not answer in time; its last words are in the message.
        """
        self.tell(question)
        return self.answer(timeout_s)

    def tell(self, question: Mapping[str, Any]) -> None:
        """Send a question whose answer is fetched later."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
        except OSError as error:
            raise DemoError(f"the bench's {self.name} has ended ({error}): {self.last_words}") from error

    def answer(self, timeout_s: float) -> dict[str, Any]:
        """Wait for the next answer; raises as `ask`."""
        try:
            line = self._answers.get(timeout=timeout_s)
        except queue.Empty:
            raise DemoError(f"the bench's {self.name} said nothing for {timeout_s:g} s: {self.last_words}") from None
        if line is None:
            raise DemoError(f"the bench's {self.name} has ended: {self.last_words}")
        answer = json.loads(line)
        if not isinstance(answer, dict):
            raise DemoError(f"the bench's {self.name} answered {line!r}")
        return answer

    @property
    def last_words(self) -> str:
        """The end of what the process wrote on stderr."""
        return " | ".join(self._complaints) or "it wrote nothing on stderr"

    def stop(self) -> None:
        """End the process, politely first."""
        stop(self.process)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):  # the middleware may write lines of its own
                self._answers.put(line)
        self._answers.put(None)

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._complaints.append(line.rstrip())


class NodeProcess:
    """The grounding node in a process of its own; its log goes to a file."""

    def __init__(self, parameters: Mapping[str, Any], environ: Mapping[str, str], log: Path) -> None:
        given = [part for name, value in parameters.items() for part in ("-p", f"{name}:={_yaml(value)}")]
        command = [
            sys.executable,
            "-m",
            "ris_node.ros.grounding_node",
            "--ros-args",
            "-r",
            f"__ns:={NAMESPACE}",
            *given,
        ]
        self.log = log
        self.started_s = time.monotonic()
        with log.open("w", encoding="utf-8") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=dict(environ))

    def check(self) -> None:
        """Raise when the node has died.

        Raises:
            DemoError: with the end of its log.
        """
        if self.process.poll() is not None:
            tail = " | ".join(self.log.read_text(encoding="utf-8").splitlines()[-5:])
            raise DemoError(f"the node ended with exit code {self.process.returncode}: {tail}")

    def stop(self) -> None:
        """End the node as SIGTERM does."""
        stop(self.process)


def stop(process: subprocess.Popen[Any]) -> None:
    """End a process: SIGTERM, and SIGKILL after five seconds."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class ProcessMeter:
    """Processor time and memory of processes while it is entered.

    `cpu` is the share of one core that each took (2.0: two cores); `rss_mb` the node's largest resident memory.
    """

    def __init__(self, processes: Mapping[str, int], watched: str, every_s: float = 0.2) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in processes.items()}
        self._watched = self._processes[watched]
        self._every_s = every_s
        self._done = threading.Event()
        self.cpu: dict[str, float] = {}
        self.rss_mb = 0.0
        self.wall_s = 0.0

    def __enter__(self) -> ProcessMeter:
        self._begin = (time.monotonic(), self._used())
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        if kind is None:
            self.wall_s = time.monotonic() - self._begin[0]
            used = self._used()
            self.cpu = {name: (used[name] - self._begin[1][name]) / self.wall_s for name in used}

    def _used(self) -> dict[str, float]:
        times = {name: process.cpu_times() for name, process in self._processes.items()}
        return {name: float(t.user + t.system) for name, t in times.items()}

    def _watch(self) -> None:
        while True:
            self.rss_mb = max(self.rss_mb, rss_mb(self._watched.pid))
            if self._done.wait(self._every_s):
                return


def rss_mb(pid: int) -> float:
    """Return the resident memory of a process in megabytes; 0 once it is gone."""
    try:
        return float(psutil.Process(pid).memory_info().rss) / _MB
    except psutil.Error:
        return 0.0


def environment() -> dict[str, str]:
    """Return the environment of the bench's processes: a ROS domain apart, on this machine only."""
    environ = dict(os.environ)
    environ["ROS_DOMAIN_ID"] = environ.get("RIS_BENCH_DOMAIN", str(1 + os.getpid() % 100))
    environ.setdefault("PYTHONUNBUFFERED", "1")
    return environ


def _yaml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, str) else str(value)
