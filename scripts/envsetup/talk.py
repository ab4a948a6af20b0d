# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the set-up says: numbered steps with the time they took, a live line on a terminal, and the log on failure."""

from __future__ import annotations

import queue
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from envsetup.place import SetupError

if TYPE_CHECKING:
    from typing import TextIO

    from envsetup.place import Place

QUIET_S = 15.0  # without a terminal, a sign of life this often
TAIL_LINES = 25


class Talk:
    """Prints to standard error, so that a command's own output stays clean."""

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose
        self._live = sys.stderr.isatty() and not verbose
        self._began = self._step_began = time.monotonic()

    def say(self, text: str) -> None:
        """Print one line."""
        print(f"setup: {text}", file=sys.stderr, flush=True)

    def step(self, number: int, total: int, title: str) -> None:
        """Announce a step."""
        self._step_began = time.monotonic()
        self.say(f"[{number}/{total}] {title}")

    def done(self) -> None:
        """Say how long the step took."""
        self._clear()
        self.say(f"      done in {time.monotonic() - self._step_began:.1f} s")

    def ready(self, profile: str, place: Place, *, anything: bool) -> None:
        """Say that the environment is there, and how long all of it took."""
        state = "ready" if anything else "up to date"
        self.say(f"{place.venv} is {state} for '{profile}' ({time.monotonic() - self._began:.1f} s)")

    def fail(self, text: str) -> None:
        """Print why the set-up stopped."""
        self._clear()
        print(f"\nsetup failed: {text}", file=sys.stderr, flush=True)

    def run(self, command: list[str], *, log: Path, env: dict[str, str], hint: str) -> None:
        """Run `command`, its output into `log`, with signs of life.

        Raises:
            SetupError: it failed; carries the log's last lines and `hint`, what to do about it.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as record:
            record.write(f"$ {' '.join(command)}\n")
            try:
                process = subprocess.Popen(
                    command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                    text=True, errors="replace", env=env,
                )  # fmt: skip
            except OSError as error:
                raise SetupError(f"cannot run {command[0]}: {error}\n{hint}") from error
            try:
                self._follow(process, record)
            except BaseException:
                process.terminate()
                process.wait()
                raise
        if process.returncode:
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            wanted = [line for line in lines if not line.startswith("WARNING: Location")][-TAIL_LINES:]
            raise SetupError("\n".join(["", *wanted, "", f"the whole log: {log}", hint]))

    def _follow(self, process: subprocess.Popen[str], record: TextIO) -> None:
        """Copy the process's lines into the record until it ends, with a live line or a heartbeat."""
        lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=_pump, args=(process, lines), daemon=True).start()
        last, spoken = "", time.monotonic()
        while True:
            try:
                line = lines.get(timeout=0.5)
            except queue.Empty:
                line = ""
            if line is None:
                break
            if line:
                record.write(line)
                last = line.strip() or last
                if self._verbose:
                    sys.stderr.write(line)
            spoken = self._sign_of_life(last, spoken)
        process.wait()

    def _sign_of_life(self, last: str, spoken: float) -> float:
        """Show the elapsed time and the tool's last line; return when that was last done."""
        now = time.monotonic()
        if now - spoken < (0.2 if self._live else QUIET_S):
            return spoken
        text = f"      {now - self._step_began:4.0f} s  {last}"
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r\x1b[K{text[:width]}", end="", file=sys.stderr, flush=True)
        else:
            self.say(text[:160])
        return now

    def _clear(self) -> None:
        if self._live:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _pump(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    """Move the process's output into the queue, None at its end."""
    if process.stdout is not None:
        for line in process.stdout:
            lines.put(line)
    lines.put(None)
