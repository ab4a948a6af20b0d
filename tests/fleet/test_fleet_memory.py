# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Memory is bounded by the frames in flight, whatever the bag's size: 10,000 frames against 1,000, minutes long."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rosbags")
pytest.importorskip("pyarrow")

from tiny_bundle import make_tiny_bundle

from ris_scene.bag import write_scene_bag

ROOT = Path(__file__).resolve().parents[2]
FEW, MANY = 1_000, 10_000
SPARE_MB = 60  # allocators keep some; a bag of 10,000 decoded frames would be 576 MB

# One bag in a process of its own, as a fleet's worker replays it; prints the most memory it ever had.
CHILD = """
import json, sys
from pathlib import Path
from ris_node.fleet.jobs import Job
from ris_node.fleet.worker import Worker
from ris_node.replay.options import Commands, ReplayOptions
options = ReplayOptions(commands=Commands(text="the red square"), bundle=Path(sys.argv[1]), bag=False, video=False,
                        report=False, threads=1)
worker = Worker(options)
outcome = worker.run(Job(0, Path(sys.argv[2]), Path(sys.argv[3])))
assert outcome.summary is not None, outcome.error
# not getrusage: its maximum is inherited from the process that started this one
status = Path("/proc/self/status").read_text().splitlines()
peak = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
print(json.dumps({"frames": outcome.summary.frames, "rss_mb": peak, "rate_hz": outcome.summary.rate_hz}))
"""


def measure(bundle: Path, folder: Path, frames: int) -> dict[str, float]:
    """Replay a bag of so many frames and return what the process says of itself."""
    bag = write_scene_bag(
        folder / f"of_{frames}", frames, distinct=5, width=160, height=120, encoding="jpeg", truth=False
    )
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(bundle), str(bag), str(folder / f"out_{frames}")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    size = sum(path.stat().st_size for path in bag.iterdir()) / 1e6
    print(f"{frames} frames, bag of {size:.0f} MB: {found}")
    return found


@pytest.mark.soak
def test_memory_does_not_grow_with_the_bag(tmp_path: Path) -> None:
    bundle = make_tiny_bundle(tmp_path / "tiny")
    few, many = (measure(bundle, tmp_path, frames) for frames in (FEW, MANY))
    assert (few["frames"], many["frames"]) == (FEW, MANY)
    assert many["rss_mb"] < few["rss_mb"] + SPARE_MB
    assert many["rss_mb"] < 1024
