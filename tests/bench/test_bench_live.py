# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from conftest import free_domain
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
    words = ["bench", "--model", str(bundle), "--sizes", "160x120", "--rounds", "1", "--passes", "4", "--starts", "1"]
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


@pytest.mark.soak
def test_nothing_grows_and_everything_adds_up_for_ten_minutes(tmp_path: Path, domain: int) -> None:
    seconds = os.environ.get("RIS_SOAK_S", "600")
    assert main(["bench", "--soak", seconds, "--out", str(tmp_path)]) == 0, (tmp_path / "soak.json").read_text()
