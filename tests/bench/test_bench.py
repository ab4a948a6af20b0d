# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path

import pytest
from tiny_bundle import make_tiny_bundle

from ris_node.bench.float32 import Leg
from ris_node.bench.goals import SpeedGoal, goals
from ris_node.bench.inprocess import Passes
from ris_node.bench.live import Load
from ris_node.bench.measure import BenchPlan, Measurements
from ris_node.bench.pictures import Pictures, render_pictures
from ris_node.bench.processes import ProcessMeter, rss_mb
from ris_node.bench.series import Series
from ris_node.bench.soak import Soak, _judge
from ris_node.cli.__main__ import main
from ris_node.config import ModelConfig
from ris_node.errors import DemoError


def series(*rounds: list[float]) -> Series:
    made = Series()
    for one in rounds:
        made.add(one)
    return made


def test_ratios_are_of_the_same_round_so_that_a_slow_minute_drops_out() -> None:
    network, node = series([10.0, 10.0], [40.0, 40.0], [10.0]), series([15.0], [60.0], [15.0])
    assert node.ratio(network) == 1.5
    assert network.p50 == 10.0
    assert math.isnan(series().p99)
    assert series([1.0, float("nan")]).to_json() == {"count": 1, "p50_ms": 1.0, "p99_ms": 1.0, "rounds_ms": [1.0]}


def plan(*, with_node: bool) -> BenchPlan:
    """Return the plan of one short round at 640x480."""
    return BenchPlan(
        config=ModelConfig(), text="the car", sizes=("640x480",), rounds=1, passes=2, starts=1, with_node=with_node
    )


def test_what_was_not_measured_is_no_goal_reached() -> None:
    outcome = Measurements(plan(with_node=False))
    assert {goal.reached for goal in goals(outcome)} == {None}
    outcome.starts_s = [1.0, 9.0]
    assert [goal.reached for goal in goals(outcome)] == [None, None, False]
    assert SpeedGoal("x", 1.0, 1.0).reached
    assert SpeedGoal("x", 1.0).reached is None and SpeedGoal("x", 1.0).verdict == "for information"


def node_beside(network: float, node: float) -> tuple[Passes, Load]:
    bare, load = Passes(), Load(answered=10, wall_s=1.0)
    bare.total.add([network])
    load.end_to_end.add([node])
    return bare, load


def test_the_ratio_of_node_to_network_is_judged_in_float32_alone() -> None:
    outcome = Measurements(plan(with_node=True), precision="int8")
    outcome.bare["640x480"], outcome.paced["640x480"] = node_beside(18.0, 36.0)
    judged, beside = goals(outcome)[:2]
    assert (judged.name, judged.reached) == ("node / bare network, p50, 640x480, float32", None)
    assert (beside.name, beside.value, beside.reached) == ("node / bare network, p50, 640x480, int8", 2.0, None)
    outcome.float32 = Leg("640x480", *node_beside(30.0, 45.0))
    assert goals(outcome)[0].reached and goals(outcome)[0].value == 1.5
    outcome.float32 = Leg("640x480", *node_beside(30.0, 49.0))
    assert goals(outcome)[0].reached is False
    outcome.precision, outcome.float32 = "fp32", None
    now = goals(outcome)[0]
    assert (now.name, now.reached) == (judged.name, False)
    assert not any("int8" in goal.name for goal in goals(outcome))


def test_pictures_come_back_from_the_folder(tmp_path: Path) -> None:
    pictures = render_pictures("160x120", 2)
    pictures.save(tmp_path)
    back = Pictures.load(tmp_path, "160x120")
    assert (back.images == pictures.images).all()
    assert (back.camera.matrix == pictures.camera.matrix).all()
    assert (pictures.images[0] != pictures.images[1]).any()
    with pytest.raises(DemoError, match="640x480"):
        render_pictures("640")


def test_meter_sees_a_busy_process() -> None:
    with ProcessMeter({"self": os.getpid()}, "self") as meter:
        used = time.process_time()
        while time.process_time() - used < 0.1:
            pass
    assert meter.cpu["self"] * meter.wall_s == pytest.approx(0.1, abs=0.08)
    assert meter.rss_mb >= 0.5 * rss_mb(os.getpid()) > 10.0


def test_soak_finds_what_does_not_add_up() -> None:
    def judged(growth: float, rounds: tuple[float, ...] = (), **changes: int) -> list[str]:
        count = {"received": 100, "processed": 40, "dropped": 60, "waiting": 0, **changes}
        memory = [(float(k), 200.0 + growth * k / 100.0) for k in range(101)]
        outcome = Soak(100.0, memory=memory, rounds=list(rounds), published=110, results=40, counters=count)
        _judge(outcome)
        return outcome.faults

    assert judged(0.0) == judged(0.0, (400.0, 430.0, 420.0)) == []
    assert "160 MB over the lifecycle" in judged(0.0, (400.0, 480.0, 560.0))[0]
    assert "grew" in judged(30.0)[0]
    assert "not processed" in judged(0.0, dropped=59)[0]
    assert len(judged(0.0, received=120, dropped=80)) == 1


def test_bench_without_ros_writes_table_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = make_tiny_bundle(tmp_path / "tiny")
    words = f"bench --no-node --no-networks --model {bundle} --sizes 160x120 --rounds 1 --passes 3".split()
    assert main([*words, "--command", "the red square", "--out", str(tmp_path / "out"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads((tmp_path / "out" / "bench.json").read_text())
    assert found["bare_network"]["160x120"]["count"] == 3
    assert found["ratios"]["160x120"]["core/network"] > 0
    assert len(found["machine"]["manifest_sha256"]) == 64
    report = (tmp_path / "out" / "bench.md").read_text()
    assert bool(found["gpu"]["missing"]) == ("No GPU table: " in report) == (not found["gpu"]["variants"])
    assert "| 160x120 | core |" in (tmp_path / "out" / "bench.md").read_text()
