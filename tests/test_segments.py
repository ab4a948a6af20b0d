# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The shared memory of killed processes is given back, that of living ones is left alone."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from domains import remove_dead_segments

LIVE = """
import rclpy, sys, time
rclpy.init()
node = rclpy.create_node("holder")
print("up", flush=True)
time.sleep(60)
"""


def mapped() -> str:
    """The memory maps of all living processes: nodes of other tests may share a segment."""
    texts = []
    for maps in Path("/proc").glob("[0-9]*/maps"):
        with suppress(OSError):
            texts.append(maps.read_text())
    return "".join(texts)


@pytest.mark.ros
def test_segments_of_the_dead_go_and_those_of_the_living_stay() -> None:
    folder = Path("/dev/shm")
    with subprocess.Popen([sys.executable, "-c", LIVE], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "up\n"
        maps = Path(f"/proc/{process.pid}/maps").read_text()
        held = {name for name in re.findall(r"/dev/shm/(fastrtps_\w+)", maps) if (folder / f"{name}_el").exists()}
        assert held, "Fast DDS made no segment: is shared memory off?"
        assert not held & set(remove_dead_segments(folder))
        process.send_signal(signal.SIGKILL)
        process.wait()
    deadline = time.monotonic() + 5
    gone: set[str] = set()
    while not held <= gone and time.monotonic() < deadline:
        gone |= set(remove_dead_segments(folder))
        time.sleep(0.1)
    left, living = [name for name in held if (folder / name).exists()], mapped()
    assert [name for name in left if f"/dev/shm/{name}\n" not in living] == []
