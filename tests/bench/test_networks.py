# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Network against network: in turn, with what could not be exported named, and floors that are measured."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "export"))

from small_net import small_bundle, small_vision

from ris_node.bench.measure import BenchPlan, Measurements
from ris_node.bench.networks import count_macs, find_networks, floors, rows, run_networks, table
from ris_node.bench.profile import lines, ratio, where_time_goes
from ris_node.bench.series import Series
from ris_node.bundle import open_bundle
from ris_node.config import ModelConfig


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("networks")
    bundle = open_bundle(small_bundle(folder / "bundle"))
    rivals = folder / "rivals"
    rivals.mkdir()
    onnx.save(small_vision(seed=4), rivals / "clipseg.onnx")
    (rivals / "swin-lavt.txt").write_text("swin-lavt cannot be exported (why)\n", encoding="utf-8")
    networks = find_networks(bundle, rivals)
    run_networks(networks, threads=1, rounds=2, passes=3, say=lambda text: None)
    return networks, floors(1)


def test_networks_take_turns_and_what_is_missing_says_why(compared):
    networks, best = compared
    found = {one.name: one for one in networks}
    assert set(found) == {"fp32", "clipseg", "swin-lavt", "grounding-dino-tiny"}
    assert [len(r) for r in found["fp32"].series.rounds] == [3, 3] and found["fp32"].input_size == "80x64"
    assert found["swin-lavt"].failed == "swin-lavt cannot be exported (why)"
    assert found["grounding-dino-tiny"].failed == "not exported"
    whole = rows(networks, best)
    assert whole[0]["times_clipseg"] > 0 and whole[0]["floor_ms"] > 0.0
    assert len(table(whole)) == 2 + len(networks)
    assert min(best.values()) > 1e8


def test_multiplications_are_counted_from_shapes(tmp_path):
    onnx.save(small_vision(), tmp_path / "small.onnx")
    cells, wide = 16 * 20, 16
    by_hand = cells * (wide * 3 * 16 + wide * 9 + wide * wide + wide * wide + 2 * wide + 14 * wide) + 8 * wide
    assert count_macs(tmp_path / "small.onnx") == by_hand


def test_where_the_time_goes_adds_up(compared):
    networks, best = compared
    plan = BenchPlan(
        config=ModelConfig(), text="the car", sizes=("640x480",), rounds=1, passes=2, starts=1, with_node=True
    )
    outcome = Measurements(plan)
    from ris_node.bench.live import Load

    load = Load()
    load.end_to_end.add([30.0, 32.0, 34.0])
    for name, value in (("preprocess", 1.0), ("inference", 20.0), ("postprocess", 3.0)):
        load.stages[name].add([value])
    outcome.paced["640x480"], outcome.networks, outcome.best = load, networks, best
    echo = Series()
    echo.add([2.0])
    outcome.echo["640x480"] = echo
    parts = where_time_goes(outcome, "640x480")
    assert sum(part["ms"] for part in parts) == pytest.approx(32.0)
    assert parts[0]["part"] == "network" and parts[0]["floor_ms"] < 20.0 and parts[-1]["floor_ms"] == 2.0
    assert any("network" in line and "0.62" in line for line in lines(outcome))
    assert np.isnan(ratio(outcome, "fp32", "int8")) and ratio(outcome, "fp32", "clipseg") > 0
