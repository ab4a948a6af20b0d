# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A real Ray on this machine, two workers, one killed in the middle: nothing lost, nothing twice, failures listed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray")
pytest.importorskip("rosbags")
pytest.importorskip("pyarrow")

from tiny_bundle import make_tiny_bundle

from ris_node.config import NodeConfig
from ris_node.fleet.fleet import FleetOptions, FleetResult, merge, replay_fleet
from ris_node.fleet.jobs import BagRecord, FleetProgress, Job
from ris_node.fleet.ray_pool import RayPool, cluster
from ris_node.replay.options import Commands, ReplayOptions
from ris_node.replay.replay import open_model, replay
from ris_node.replay.rows import read_table
from ris_node.review.merge import merge_runs
from ris_scene.bag import write_scene_bag

ROOT = Path(__file__).resolve().parents[2]
FRAMES, BAGS = 120, 4


@pytest.fixture(scope="module")
def ray_here() -> Iterator[Any]:
    """One Ray for the module: starting it takes seconds."""
    with cluster("", 2) as ray:
        yield ray


@pytest.fixture(scope="module")
def drives(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four bags, and one that is no bag."""
    folder = tmp_path_factory.mktemp("drives")
    bags = [
        write_scene_bag(folder / f"day{n}", FRAMES, distinct=2, width=160, height=120, seed=200_026 + n, truth=False)
        for n in range(BAGS)
    ]
    (folder / "broken.mcap").write_bytes(b"this is no bag")
    return [*bags, folder / "broken.mcap"]


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> ReplayOptions:
    bundle = make_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny")
    config = NodeConfig().with_values({"warmup_iterations": 1})
    return ReplayOptions(
        commands=Commands(text="the red square"),
        config=config,
        bundle=bundle,
        bag=False,
        video=False,
        report=False,
        part_frames=7,
        threads=1,
    )


def rows(folder: Path) -> list[dict[str, Any]]:
    """All rows but for what timings are in them."""
    found: list[dict[str, Any]] = read_table(folder).to_pylist()
    return [{name: value for name, value in row.items() if not name.endswith("_ms")} for row in found]


@pytest.fixture(scope="module")
def alone(drives: list[Path], options: ReplayOptions, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What one process says to the four bags, one after the other."""
    out = tmp_path_factory.mktemp("alone")
    with open_model(options) as grounder:
        for bag in drives[:BAGS]:
            replay(bag, out / bag.name, options, grounder=grounder)
    merge_runs([out / bag.name for bag in drives[:BAGS]], out, report=False)
    return rows(out)


def in_the_middle(folders: list[Path], act: Callable[[int], bool], patience_s: float = 500.0) -> None:
    """Call `act` with the number of the first folder that holds some sealed parts, until it says that it could."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        for number, folder in enumerate(folders):
            if len(list((folder / "parts").glob("*/seal.json"))) in (3, 4, 5, 6) and act(number):
                return
        time.sleep(0.002)


def test_what_was_sealed_of_a_bag_that_was_given_up_is_in_the_table(
    drives: list[Path], options: ReplayOptions, alone: list[dict[str, Any]], tmp_path: Path
) -> None:
    stop = threading.Event()
    folder = tmp_path / drives[0].name

    def stop_it(_: int) -> bool:
        stop.set()
        return True

    threading.Thread(target=in_the_middle, args=([folder], stop_it), daemon=True).start()
    summary = replay(drives[0], folder, options, stop=stop)
    sealed = len(list((folder / "parts").glob("*/seal.json")))
    assert 0 < summary.frames < FRAMES, "it was not stopped in the middle"
    for name in ("results.parquet", "summary.json"):  # as a killed worker leaves it
        (folder / name).unlink()
    record = BagRecord(Job(0, drives[0], folder), attempts=3, errors=["the worker was lost"] * 3)
    merge(FleetResult((record,), 3), tmp_path, options)
    assert sealed
    assert rows(tmp_path) == alone[: summary.frames]


@pytest.mark.usefixtures("ray_here")
def test_a_killed_worker_loses_nothing_and_doubles_nothing(
    drives: list[Path], options: ReplayOptions, alone: list[dict[str, Any]], tmp_path: Path
) -> None:
    pools: list[RayPool] = []
    pids: list[int] = []
    killed: list[int] = []
    told: list[FleetProgress] = []

    def on_pool(pool: RayPool) -> None:
        pools.append(pool)
        pids.extend(pool.pids())

    def kill_the_one_of(index: int) -> bool:
        slot = next((slot for slot, job in list(pools[0]._running.values()) if job.index == index), None)
        if slot is not None:
            killed.append(pids[slot])
            os.kill(pids[slot], signal.SIGKILL)
        return slot is not None

    folders = [tmp_path / bag.name for bag in drives]
    watch = threading.Thread(target=in_the_middle, args=(folders, kill_the_one_of), daemon=True)
    watch.start()
    result = replay_fleet(
        drives,
        folders,
        tmp_path,
        options,
        FleetOptions(workers=2, retries=1),
        progress=told.append,
        on_pool=on_pool,
    )
    watch.join(10.0)
    assert len(killed) == 1
    assert result.lost_workers == 1
    assert [record.failed for record in result.records] == [False] * BAGS + [True]
    assert sorted(record.attempts for record in result.records[:BAGS]) == [1] * (BAGS - 1) + [2]
    assert rows(tmp_path) == alone
    assert told[-1].bags_done == BAGS + 1
    assert told[-1].frames == BAGS * FRAMES
    check_listing(tmp_path, result)


def check_listing(out: Path, result: FleetResult) -> None:
    listed = json.loads((out / "fleet.json").read_text())
    assert listed["lost_workers"] == 1
    bad = listed["bags"][-1]
    assert bad["bag"].endswith("broken.mcap")
    assert not bad["complete"]
    assert bad["attempts"] == 2
    assert "broken.mcap" in bad["errors"][0]
    lost = next(entry for entry in listed["bags"] if entry["attempts"] == 2 and entry["complete"])
    assert "the worker was lost" in lost["errors"][0]
    assert not result.complete
    whole = json.loads((out / "summary.json").read_text())
    assert not whole["complete"] and [problem.split(":")[0] for problem in whole["problems"]] == ["broken.mcap"]


def test_the_command_line_replays_a_list(
    drives: list[Path], options: ReplayOptions, ray_here: Any, tmp_path: Path
) -> None:
    """In a process of its own, on a cluster that runs already."""
    listing = tmp_path / "list.txt"
    listing.write_text("".join(f"{bag}\n" for bag in drives[:2]))
    command = [sys.executable, "-m", "ris_node.cli", "replay", "--bags", str(listing), "--executor", "ray"]
    command += ["--workers", "2", "--command", "the red square", "--bundle", str(options.bundle), "--every", "10"]
    command += ["--results-only", "--out", str(tmp_path / "out"), "--json"]
    command += ["--ray-address", ray_here.get_runtime_context().gcs_address]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert [entry["frames"] for entry in json.loads(done.stdout)["bags"]] == [FRAMES // 10] * 2
    assert len(rows(tmp_path / "out")) == FRAMES // 5
    assert f"{FRAMES // 5} frames of 2 bags" in done.stderr
