# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`backend:=auto` on a machine with TensorRT: frames go on while a real engine is built, and across the switch.

The build is real: TensorRT-RTX in a process of its own, with its lock, manifest and hash. Only execution is not, for
there is no GPU: the built plan is "loaded" by the fake of tests/runtime, which runs ONNX Runtime on the buffers.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("ris_msgs")
pytestmark = pytest.mark.ros

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "runtime"))
from engine_kit import Rig as EngineRig  # noqa: E402
from engine_kit import rtx_kit  # noqa: E402
from harness import ACTIVATE, CONFIGURE, header, rig, tiny, wait_for  # noqa: E402
from ris_msgs.msg import Grounding, NodeStatus  # noqa: E402

from ris_node.runtime.tensorrt import toolkit  # noqa: E402
from ris_node.runtime.tensorrt.cuda import Cuda  # noqa: E402
from ris_node.runtime.tensorrt.store import list_engines, unfinished  # noqa: E402
from ris_node.runtime.tensorrt.toolkit import DeviceInfo, Toolkit, platform_name  # noqa: E402

PERIOD_S = 0.1
LIMIT_S = 5.0  # from `configure` to the first answer, while the engine builds
BUSY_S = 2.0  # a machine on which a node without TensorRT needs more is busy: then its time is the measure


@dataclass
class Machine:
    """A machine that seems to have a GPU: builds are TensorRT-RTX's, execution is the fake's."""

    engine: EngineRig
    cache: Path


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    return tiny(tmp_path_factory.mktemp("bundle"))


@pytest.fixture
def machine(bundle, tmp_path, monkeypatch) -> Iterator[Machine]:
    built_by = rtx_kit()
    fake = EngineRig("11.4.0.106")
    network = (bundle / "vision.fp32.onnx").read_bytes()
    fake.script.load = lambda plan: network if plan.startswith(b"vtrt") else None  # only what RTX has built
    fake.trt.__version__ = built_by.version
    # index -1: the builder's process must not look for the GPU that is not there
    device = DeviceInfo(name="a GPU that only seems", sm="8.9", platform=platform_name(), system="test", index=-1)
    kit = Toolkit(fake.trt, Cuda(fake.cudart), device, "tensorrt_rtx")
    monkeypatch.setattr(toolkit, "detect", lambda device_id=0: kit)
    fake.cudart.cudaSetDevice = lambda device_id: (0,)
    yield Machine(fake, tmp_path / "engines")


def statuses(client):
    return [m.state for m in list(client.statuses)]


def states(client) -> list[int]:
    """The states in order, without repeats."""
    found = statuses(client)
    return [state for i, state in enumerate(found) if i == 0 or state != found[i - 1]]


def stream_until(client, done, timeout_s=120.0):
    """Send frames at a steady rate until `done()`; return the stamps and when each answer came."""
    stamps, deadline = [], time.monotonic() + timeout_s
    while not done() and time.monotonic() < deadline:
        stamps.append(client.send())
        time.sleep(PERIOD_S)
    assert done(), f"{states(client)} {client.statuses[-1].message}"
    for _ in range(5):
        stamps.append(client.send())
        time.sleep(PERIOD_S)
    wait_for(lambda: client.find(stamps[-1]), "the last answer")
    return stamps


def first_answer_s(live) -> float:
    """Seconds from `configure` to the first answer to the default query; the camera is on all the time."""
    client, begin = live.client, time.monotonic()
    assert client.change(CONFIGURE) and client.change(ACTIVATE)

    def answered():
        client.send()
        time.sleep(0.02)
        return [m for m in list(client.results) if m.status == Grounding.STATUS_PRESENT]

    wait_for(answered, "the first answer", 120.0)
    return time.monotonic() - begin


def plain_s(bundle) -> float:
    """The same for a node that has no engine to build."""
    with rig(bundle, active=False, backend="onnxruntime", default_query="the red thing") as live:
        return first_answer_s(live)


def test_it_serves_within_five_seconds_while_the_engine_builds(bundle, machine):
    """5 s; on a busy machine as many times a plain node's time, the slower of one before and one after."""
    tries = []
    for number in range(3):  # a busy moment hits one of the three nodes, not all of three times three
        before, cache = plain_s(bundle), str(machine.cache / str(number))
        with rig(bundle, active=False, engine_cache_dir=cache, default_query="the red thing") as live:
            taken = first_answer_s(live)
            assert live.node.engine.grounder.info.backend == "onnxruntime", "served before the engine is there"
            wait_for(lambda: NodeStatus.STATE_BUILDING_ENGINE in statuses(live.client), "the build")
        plain = max(before, plain_s(bundle))
        tries.append((taken, LIMIT_S * max(1.0, plain / BUSY_S)))
        print(f"first answer after {taken:.2f} s, without TensorRT after {plain:.2f} s")
        if taken <= tries[-1][1]:
            return
    raise AssertionError(f"first answers and limits in s: {tries}")


def test_frames_go_on_while_the_engine_is_built_and_across_the_switch(bundle, machine):
    with rig(bundle, active=False, engine_cache_dir=str(machine.cache)) as live:
        client, node = live.client, live.node
        assert client.change(1) and client.change(3)
        client.connected()
        client.say("the red thing")
        first = client.ground()
        assert first.status == Grounding.STATUS_PRESENT
        client.results.clear()
        before = node.worker.counters
        stamps = stream_until(client, lambda: node.engine.grounder.info.backend == "tensorrt")
        final = client.wait_state(NodeStatus.STATE_READY)
        assert (final.backend, final.provider, final.precision) == ("tensorrt", "tensorrt_rtx", "fp32")
        assert len(final.engine_key) == 16 and not final.message

        results = list(client.results)
        answered = [m.header.stamp for m in results]
        assert len({(s.sec, s.nanosec) for s in answered}) == len(answered), "no frame is answered twice"
        wanted = {(header(s).stamp.sec, header(s).stamp.nanosec) for s in stamps}
        assert {(s.sec, s.nanosec) for s in answered} <= wanted
        indices = [m.frame_index for m in results]
        assert indices == list(range(indices[0], indices[0] + len(indices))), "and none is lost after it was answered"
        assert all(m.status == Grounding.STATUS_PRESENT and len(m.instances) == 1 for m in results)
        assert len({round(m.presence, 4) for m in results}) == 1, "the engine says what ONNX Runtime said"
        wait_for(lambda: not node.worker.counters.waiting, "the worker to be idle")
        now = node.worker.counters
        assert now.received == now.processed + now.dropped
        assert now.processed - before.processed >= len(results)

        seen = states(client)
        assert NodeStatus.STATE_LOADING in seen and seen[-1] == NodeStatus.STATE_READY
        assert NodeStatus.STATE_BUILDING_ENGINE in seen[seen.index(NodeStatus.STATE_READY) :], "served, then built"
        building = [m for m in client.statuses if m.state == NodeStatus.STATE_BUILDING_ENGINE]
        assert all(m.backend == "onnxruntime" for m in building) and "building the fp32 engine" in building[-1].message
        assert [m.progress for m in building] == sorted(m.progress for m in building)
        _, engine, why = next(iter(list_engines(machine.cache)))
        assert engine is not None and not why and engine.plan.read_bytes()[:4] == b"vtrt"
        assert engine.parity["passed"] and engine.manifest.key == final.engine_key


def test_the_switch_itself_leaves_no_gap(bundle, machine):
    """Between two answers around the switch there is no more than a frame's period and what an answer takes."""
    with rig(bundle, engine_cache_dir=str(machine.cache), engine_build="never") as live:
        client, node = live.client, live.node
        client.say("the red thing")
        taken: list[float] = []
        switched: list[float] = []
        replace_vision = node.engine.grounder.replace_vision

        def timed(opened):
            begin = time.perf_counter()
            try:
                return replace_vision(opened)
            finally:
                taken.append(time.perf_counter() - begin)
                switched.append(time.monotonic())

        node.engine.grounder.replace_vision = timed
        node.engine.upgrade.start(
            replace(node.live, model=replace(node.live.model, engine_build="auto")), node.engine.grounder
        )
        stream_until(client, lambda: node.engine.grounder.info.backend == "tensorrt")
        assert len(taken) == 1 and taken[0] < 0.02, "between two frames nothing is loaded, built or compared"
        moments = list(node.meter._moments)  # when answers were ready
        gaps = [(later - earlier, earlier <= switched[0] < later) for earlier, later in itertools.pairwise(moments)]
        there = [gap for gap, at_switch in gaps if at_switch]
        others = [gap for gap, at_switch in gaps if not at_switch]
        print(f"gap at the switch {there[0]:.3f} s; others {np.median(others):.3f} s, at most {max(others):.3f} s")
        # one period more than usual, or no worse than what a busy machine does to other frames
        assert len(there) == 1 and there[0] <= max(np.median(others) + PERIOD_S, *others)


@pytest.mark.parametrize("how", ["killed", "wrong"])
def test_what_fails_leaves_onnx_runtime_and_says_why(bundle, machine, how):
    if how == "wrong":
        machine.engine.script.bend = lambda out: {**out, "mask_logits": -out["mask_logits"]}
    with rig(bundle, active=False, engine_cache_dir=str(machine.cache)) as live:
        client, node = live.client, live.node
        assert client.change(1) and client.change(3)
        if how == "killed":
            pid = wait_for(lambda: node.engine.upgrade.builder_pid, "the builder")
            os.kill(pid, signal.SIGKILL)
        status = client.wait_state(NodeStatus.STATE_DEGRADED, timeout_s=180.0)
        assert status.backend == "onnxruntime" and "onnxruntime fp32 goes on, no TensorRT engine" in status.message
        wanted = "ended by SIGKILL" if how == "killed" else "gives wrong answers"
        assert wanted in status.message and "ris engine build --bundle" in status.message
        client.connected()
        client.say("the red thing")
        assert client.ground().status == Grounding.STATUS_PRESENT
        assert not [engine for _, engine, _ in list_engines(machine.cache) if engine is not None]
    if how == "killed":  # the next start is not held up by what was left, and builds
        left = unfinished(machine.cache)
        with rig(bundle, active=False, engine_cache_dir=str(machine.cache)) as live:
            assert live.client.change(1)
            wait_for(lambda: live.node.engine.grounder.info.backend == "tensorrt", "the engine", 180.0)
        assert not unfinished(machine.cache), left


def test_an_engine_that_is_there_is_used_from_the_start_and_a_damaged_one_is_not(bundle, machine):
    with rig(bundle, active=False, engine_cache_dir=str(machine.cache)) as live:
        assert live.client.change(1)
        wait_for(lambda: live.node.engine.grounder.info.backend == "tensorrt", "the engine", 180.0)
    with rig(bundle, engine_cache_dir=str(machine.cache)) as live:
        assert live.client.statuses[-1].backend == "tensorrt"
        assert NodeStatus.STATE_BUILDING_ENGINE not in states(live.client)
    _, engine, _ = next(iter(list_engines(machine.cache)))
    engine.plan.write_bytes(engine.plan.read_bytes()[:1000])
    with rig(bundle, engine_cache_dir=str(machine.cache), engine_build="never") as live:
        status = live.client.wait_state(NodeStatus.STATE_DEGRADED)
        assert "has 1000 bytes of" in status.message and "build it anew: ris engine build" in status.message
        assert status.backend == "onnxruntime"


def test_stopping_the_node_ends_the_builder(bundle, machine):
    with rig(bundle, active=False, engine_cache_dir=str(machine.cache)) as live:
        assert live.client.change(1)
        pid = wait_for(lambda: live.node.engine.upgrade.builder_pid, "the builder")
        assert live.client.change(2)  # cleanup
        wait_for(lambda: not Path(f"/proc/{pid}").exists(), "the builder to end")
        live.client.wait_state(NodeStatus.STATE_UNLOADED)
        assert np.all([m.state != NodeStatus.STATE_DEGRADED for m in live.client.statuses])


def test_asked_for_by_name_it_is_built_before_anything_is_answered(bundle, machine):
    with rig(bundle, active=False, engine_cache_dir=str(machine.cache), backend="tensorrt") as live:
        client = live.client
        assert client.change(1)
        client.wait_state(NodeStatus.STATE_READY, timeout_s=180.0)
        building = [m for m in client.statuses if m.state == NodeStatus.STATE_BUILDING_ENGINE]
        assert building and all(not m.backend for m in building)
        assert NodeStatus.STATE_WARMING in states(client)
        assert client.statuses[-1].backend == "tensorrt"
    with rig(bundle, active=False, engine_cache_dir=str(machine.cache / "other"), backend="tensorrt",
             engine_build="never") as live:  # fmt: skip
        assert not live.client.change(1)
        status = live.client.wait_state(NodeStatus.STATE_FAULT)
        assert "no fp32 engine" in status.message
