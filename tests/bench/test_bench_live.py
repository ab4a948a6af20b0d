# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from domains import free_domain
from tiny_bundle import make_tiny_bundle

from ris_node.cli.__main__ import main

pytestmark = pytest.mark.ros


@pytest.fixture
def domain(monkeypatch: pytest.MonkeyPatch):
    number, lock = free_domain()
    monkeypatch.setenv("RIS_BENCH_DOMAIN", str(number))
    yield number
    lock.close()


def test_bench_measures_a_live_node(tmp_path: Path, domain: int) -> None:
    bundle = make_tiny_bundle(tmp_path / "tiny")
    words = f"bench --no-networks --model {bundle} --sizes 160x120 --rounds 1 --passes 4 --starts 1".split()
    main([*words, "--threads", "1", "--command", "the red square", "--out", str(tmp_path / "out")])
    found = json.loads((tmp_path / "out" / "bench.json").read_text())
    paced = found["node_paced"]["160x120"]
    assert paced["published"] == 4
    assert 1 <= paced["answered"] <= 4
    assert paced["end_to_end"]["p50_ms"] >= paced["stages"]["total"]["p50_ms"] > 0
    assert set(paced["cpu_cores"]) == {"node", "camera", "client"}
    assert 30 < paced["rss_mb"] < 1500
    assert len(found["start_to_ready_s"]) == 1
    assert found["ratios"]["160x120"]["node/network"] > 0.0


def test_where_int8_runs_the_node_is_measured_in_float32_too(tmp_path: Path, domain: int) -> None:
    words = ["bench", "--no-networks", "--sizes", "640x480", "--rounds", "1", "--passes", "4", "--starts", "1"]
    main([*words, "--precision", "int8", "--out", str(tmp_path)])
    found = json.loads((tmp_path / "bench.json").read_text())
    assert found["machine"]["vision_graph"]["file"] == "vision.int8-cpu.onnx"
    leg, goals = found["float32"], {goal["goal"]: goal for goal in found["goals"]}
    assert leg["node_paced"]["answered"] >= 1 and leg["bare_network"]["count"] == 4
    judged = goals["node / bare network, p50, 640x480, float32"]
    assert judged["measured"] == leg["node/network"] and judged["at_most"] == 1.6 and judged["reached"] is not None
    beside = goals["node / bare network, p50, 640x480, int8"]
    assert beside["measured"] == found["ratios"]["640x480"]["node/network"] and beside["reached"] is None
    assert "| 640x480 | node in float32, stamp to result |" in (tmp_path / "bench.md").read_text()


@pytest.mark.soak
def test_nothing_grows_and_everything_adds_up_for_ten_minutes(tmp_path: Path, domain: int) -> None:
    seconds = os.environ.get("RIS_SOAK_S", "600")
    assert main(["bench", "--soak", seconds, "--out", str(tmp_path)]) == 0, (tmp_path / "soak.json").read_text()
