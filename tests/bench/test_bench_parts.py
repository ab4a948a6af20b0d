# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Parts of the bench by themselves: series, helper processes, loads, tables and goals."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris_node.bench.goals import SpeedGoal
from ris_node.bench.live import STAGES, Load, summary
from ris_node.bench.networks import Network, rows, table
from ris_node.bench.pictures import mount_parameters, render_pictures
from ris_node.bench.processes import Peer, ProcessMeter, environment, rss_mb
from ris_node.bench.series import Series
from ris_node.bench.soak import Soak
from ris_node.errors import DemoError

ECHO = """
import json, sys
print("a line of the middleware", flush=True)
for line in sys.stdin:
    question = json.loads(line)
    if question.get("die"):
        sys.stderr.write("no more\\n")
        sys.exit(1)
    print("[1]" if question.get("list") else json.dumps({"heard": question}), flush=True)
"""


@pytest.fixture
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "bench_echo_peer.py").write_text(ECHO, encoding="utf-8")
    made = Peer("echo", "bench_echo_peer", [], {**os.environ, "PYTHONPATH": str(tmp_path)})
    yield made
    made.stop()


def test_a_peer_answers_and_other_lines_are_passed_over(peer: Peer) -> None:
    assert peer.ask({"n": 1}, 20.0) == {"heard": {"n": 1}}
    peer.tell({"n": 2})
    peer.tell({"n": 3})
    assert [peer.answer(20.0)["heard"]["n"] for _ in range(2)] == [2, 3]
    with pytest.raises(DemoError, match=r"echo said nothing for 0\.01 s"):
        peer.answer(0.01)


def test_the_last_words_of_a_peer_are_in_the_error(peer: Peer) -> None:
    with pytest.raises(DemoError, match="echo has ended"):
        peer.ask({"die": True}, 20.0)
    peer.process.wait(10)
    peer.stop()
    assert peer.process.returncode == 1


@given(st.lists(st.floats(0.1, 1e3), min_size=1, max_size=20), st.floats(0.5, 4.0))
def test_a_ratio_does_not_depend_on_the_pace_of_the_machine(values: list[float], factor: float) -> None:
    one, other = Series(), Series()
    for pace in (1.0, 7.0):
        one.add([value * factor * pace for value in values])
        other.add([value * pace for value in values])
    assert one.ratio(other) == pytest.approx(factor)
    assert min(one.values) <= one.p50 <= one.p99 <= max(one.values)


def test_a_round_without_values_has_no_part_in_a_ratio() -> None:
    one, other = Series([[2.0], [], [9.0]]), Series([[1.0], [5.0], []])
    assert one.ratio(other) == 2.0
    assert np.isnan(one.ratio(Series()))
    assert Series().to_json() == {"count": 0, "p50_ms": None, "p99_ms": None, "rounds_ms": []}


def test_a_load_adds_up_rounds() -> None:
    load = Load()
    meter = cast(ProcessMeter, SimpleNamespace(cpu={"node": 0.5, "camera": 0.1}, wall_s=2.0, rss_mb=300.0))
    stages = [float(k) for k in range(len(STAGES))]
    results = [[30.0, "PRESENT", 0, 0, 0, stages], [34.0, "ABSENT", 0, 0, 0, stages]]
    for _ in range(2):
        load.take({"results": results, "masks": [40.0]}, meter, {"published": 3, "wall_s": 2.0})
    load.take({}, meter, {"published": 3, "wall_s": 2.0})
    assert (load.published, load.answered, load.statuses) == (9, 4, {"PRESENT": 2, "ABSENT": 2})
    found: dict[str, Any] = summary(load)
    assert found["rate_hz"] == pytest.approx(4 / 6, abs=0.01)
    assert found["node_cpu_ms"] == 500.0
    assert found["end_to_end"]["p50_ms"] == 32.0
    assert found["stages"][STAGES[-1]]["count"] == 4
    assert found["cpu_cores"] == {"node": 0.5, "camera": 0.1}
    assert summary(Load())["rate_hz"] is None


@pytest.mark.parametrize(
    ("value", "limit", "verdict"),
    [(1.0, 2.0, "reached"), (2.0, 2.0, "reached"), (2.1, 2.0, "**missed**"), (float("nan"), 2.0, "not measured"),
     (5.0, None, "for information")],
)  # fmt: skip
def test_a_goal_says_how_it_stands(value: float, limit: float | None, verdict: str) -> None:
    goal = SpeedGoal("ms", value, limit)
    assert goal.verdict == verdict
    assert goal.to_json()["measured"] == (None if np.isnan(value) else value)
    assert (goal.reached is None) == (verdict in ("not measured", "for information"))


def test_the_table_of_networks_compares_with_the_reference(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(b"x" * 2_000_000)
    ours = Network("int8", "ours", path, "256x320", series=Series([[5.0, 7.0]]), macs=1e9)
    other = Network("clipseg", "CLIPSeg", path, "352x352", series=Series([[60.0]]), macs=2e9)
    absent = Network("lavt", "LAVT", path, "", failed="not exported")
    best = {"int8_macs_per_s": 1e12, "fp32_macs_per_s": 5e11, "bytes_per_s": 1e10}
    found = rows([ours, other, absent], best)
    assert (found[0]["times_clipseg"], found[0]["best_ms"], found[0]["per_s"]) == (10.0, 5.0, pytest.approx(166.667))
    assert found[0]["floor_ms"] == pytest.approx(1.0 + 0.2)
    assert found[1]["floor_ms"] == pytest.approx(4.0 + 0.2)
    assert found[2] == {"network": "LAVT", "failed": "not exported"}
    lines = table(found)
    assert len(lines) == 5
    assert "not exported" in lines[-1]
    assert len({line.count("|") for line in lines}) == 1


def test_a_soak_keeps_every_tenth_second_of_memory() -> None:
    soak = Soak(50.0, memory=[(float(k), 100.0 + k) for k in range(51)], published=9)
    found = soak.to_json()
    assert found["rss_mb"] == [100.0, 110.0, 120.0, 130.0, 140.0, 150.0]
    assert found["growth_mb"] == pytest.approx(145.0 - 124.5)
    assert found["published"] == 9


def test_frames_have_the_camera_and_mount_of_the_street() -> None:
    pictures = render_pictures("96x64", 2)
    frames = pictures.frames()
    first, second, third = next(frames), next(frames), next(frames)
    assert np.array_equal(first.image, third.image)
    assert not np.array_equal(first.image, second.image)
    assert first.camera is pictures.camera
    assert first.camera_in_target is not None
    assert first.camera_in_target.translation[2] == pytest.approx(mount_parameters()["camera_z_m"])
    assert pictures.size == "96x64"


def test_processes_of_the_bench_have_a_domain_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIS_BENCH_DOMAIN", "77")
    assert environment()["ROS_DOMAIN_ID"] == "77"
    monkeypatch.delenv("RIS_BENCH_DOMAIN")
    assert 1 <= int(environment()["ROS_DOMAIN_ID"]) <= 100
    assert rss_mb(os.getpid()) > 10
