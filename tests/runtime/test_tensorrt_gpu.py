# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""On a machine with a GPU: `scripts/with_ros python -m pytest -m gpu`. Nothing here is fake.

Build, parity with ONNX Runtime, latency, CUDA graph, ONNX Runtime's own GPU providers, and the node's switch-over.
RIS_BUNDLE names another bundle than the packaged one; RIS_REPORT a file for the measured numbers.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ris_node.bundle import open_bundle
from ris_node.config import ModelConfig
from ris_node.errors import BackendError
from ris_node.export.tensorrt.build_process import EngineBuild
from ris_node.runtime import select
from ris_node.runtime.tensorrt import backend, toolkit
from ris_node.runtime.tensorrt.accept import Samples, accept
from ris_node.runtime.tensorrt.session import TensorRtSession
from ris_node.runtime.tensorrt.store import SAMPLES, StoredEngine

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def kit() -> toolkit.Toolkit:
    try:
        return toolkit.detect(0)
    except BackendError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def bundle():
    return open_bundle(os.environ.get("RIS_BUNDLE") or None)


@pytest.fixture(scope="module", params=["fp32", "fp16", "int8"])
def engine(request, kit, bundle, tmp_path_factory) -> StoredEngine:
    config = ModelConfig(precision=request.param, engine_cache_dir=str(tmp_path_factory.mktemp("engines")))
    try:
        wanted = backend.request_for(bundle, config, kit)
    except BackendError as error:
        pytest.skip(str(error))
    return EngineBuild(wanted).run(print)


def note(name: str, **values: object) -> None:
    print(name, values)
    if "RIS_REPORT" in os.environ:
        with Path(os.environ["RIS_REPORT"]).open("a") as file:
            file.write(json.dumps({"test": name, **values}) + "\n")


def test_it_answers_as_onnx_runtime_does_with_and_without_a_graph(kit, engine):
    samples, precision = Samples.load(engine.folder / SAMPLES), engine.manifest.keyed["spec"]["precision"]
    for graph in (False, True):
        with TensorRtSession(engine, kit, cuda_graph=graph) as session:
            parity = accept(session, samples, precision)
        note("parity", engine=engine.folder.name, cuda_graph=graph, **parity.as_dict())
        assert parity.passed, parity.reason


def test_latency(kit, engine):
    for graph in (False, True):
        with TensorRtSession(engine, kit, cuda_graph=graph) as session:
            feeds = {s.name: np.zeros(s.shape, s.dtype) for s in session.inputs}
            for _ in range(20):
                session.run(feeds)
            took = []
            for _ in range(200):
                begin = time.perf_counter()
                session.run(feeds)
                took.append((time.perf_counter() - begin) * 1e3)
        p50, p99 = np.percentile(took, (50, 99))
        note("latency", engine=engine.folder.name, device=session.info.device, cuda_graph=graph, p50_ms=p50, p99_ms=p99)
        assert p50 < 1000.0, "an engine that is slower than a processor is none"


def test_memory_is_given_back(kit, engine):
    free = []
    for _ in range(6):
        with TensorRtSession(engine, kit) as session:
            session.run({s.name: np.zeros(s.shape, s.dtype) for s in session.inputs})
        free.append(kit.cuda.call("cudaMemGetInfo")[0])
    assert free[-1] >= free[1] - (8 << 20)


@pytest.mark.parametrize("name", ["onnxruntime-cuda", "onnxruntime-tensorrt"])
def test_onnx_runtimes_gpu_providers_run_what_they_say(bundle, name, tmp_path):
    if why := select.BACKENDS[name].probe():
        pytest.skip(why)
    config = ModelConfig(backend=name, precision="fp32", engine_cache_dir=str(tmp_path))
    opened = select.open_network(bundle, "vision", config)
    note("provider", backend=name, provider=opened.session.info.provider, device=opened.session.info.device)
    from ris_node.export.tensorrt.samples import make_samples

    assert accept(opened.session, make_samples(bundle.path), "fp16").passed


def test_the_node_switches_over(kit, bundle, tmp_path):
    pytest.importorskip("ris_msgs")
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "ros"))
    from harness import rig, wait_for
    from ris_msgs.msg import NodeStatus

    begin = time.monotonic()
    with rig(bundle.path, engine_cache_dir=str(tmp_path), backend="auto", active=False) as live:
        client, node = live.client, live.node
        assert client.change(1) and client.change(3)
        wait_for(lambda: node.engine.grounder is not None, "ONNX Runtime", 10.0)
        note("first_frame_possible", seconds=time.monotonic() - begin)
        client.connected()
        client.say("the car")
        while node.engine.grounder.info.backend != "tensorrt" and time.monotonic() - begin < 1800:
            client.send()
            time.sleep(1 / 30)
        status = client.wait_state(NodeStatus.STATE_READY)
        note("switched", seconds=time.monotonic() - begin, device=status.device, precision=status.precision)
        assert status.backend == "tensorrt"
        stamps = [m.header.stamp.sec * 10**9 + m.header.stamp.nanosec for m in client.results]
        assert len(stamps) == len(set(stamps)), "no frame is answered twice"
