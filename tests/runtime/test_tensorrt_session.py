# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Running an engine: buffers, stream, CUDA graph and refusals, on a fake that executes on the addresses it is given."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from engine_kit import GPU, RELEASES, Rig, ask, quiet
from fake_cuda import BAD_VALUE
from tiny_bundle import make_tiny_bundle

from ris_node.bundle import open_bundle
from ris_node.config import ModelConfig
from ris_node.errors import BackendError, EngineMissingError, EngineRefusedError, EngineRejectedError
from ris_node.export.tensorrt.samples import make_samples
from ris_node.runtime import select
from ris_node.runtime.ort import OrtSession
from ris_node.runtime.tensorrt import backend, toolkit
from ris_node.runtime.tensorrt.accept import Samples, compare
from ris_node.runtime.tensorrt.build import make_engine
from ris_node.runtime.tensorrt.cuda import Cuda
from ris_node.runtime.tensorrt.session import TensorRtSession
from ris_node.runtime.tensorrt.store import StoredEngine, find_engine
from ris_node.runtime.tensorrt.toolkit import load_module, version_numbers


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    return make_tiny_bundle(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(params=RELEASES)
def rig(request) -> Rig:
    return Rig(request.param)


@pytest.fixture
def engine(rig, bundle, tmp_path) -> StoredEngine:
    return make_engine(ask(bundle, rig.kit, tmp_path), rig.kit, quiet)[0]


def feeds_of(session, seed):
    rng = np.random.default_rng(seed)
    return {
        s.name: rng.integers(0, 255, s.shape, np.uint8)
        if s.dtype == np.uint8
        else rng.normal(0, 1, s.shape).astype(s.dtype)
        for s in session.inputs
    }


@pytest.mark.parametrize("graph", [False, True])
def test_it_answers_as_onnx_runtime_does_each_time(rig, engine, bundle, graph):
    with OrtSession(bundle / "vision.fp32.onnx", num_threads=1) as reference:
        session = TensorRtSession(engine, rig.kit, cuda_graph=graph)
        kept = []
        for seed in range(4):
            feeds = feeds_of(session, seed)
            out, expected = session.run(feeds), reference.run(feeds)
            assert all(np.allclose(out[name], expected[name], atol=1e-5) for name in expected)
            kept.append((out, expected))
        for out, expected in kept:  # later runs must not write into earlier answers
            assert np.allclose(out["mask_logits"], expected["mask_logits"], atol=1e-5)
    assert rig.cudart.launches == (3 if graph else 0), "the first run settles, then it is captured and replayed"
    assert session.info.backend == "tensorrt" and session.info.engine_key == engine.manifest.key
    assert "Pretend GPU (sm 8.7" in session.info.device
    session.close()
    session.close()
    assert not rig.cudart.live
    with pytest.raises(BackendError, match="closed"):
        session.run(feeds)


def test_a_capture_that_fails_costs_the_graph_alone(rig, engine, bundle, monkeypatch, caplog):
    monkeypatch.setattr(rig.cudart, "cudaStreamEndCapture", refuse_capture(rig.cudart))
    with (
        OrtSession(bundle / "vision.fp32.onnx", num_threads=1) as reference,
        TensorRtSession(engine, rig.kit, cuda_graph=True) as session,
    ):
        for seed in range(3):
            feeds = feeds_of(session, seed)
            out, expected = session.run(feeds), reference.run(feeds)
            assert all(np.allclose(out[name], expected[name], atol=1e-5) for name in expected)
    assert caplog.text.count("no CUDA graph for this engine") == 1 and rig.cudart.launches == 0
    assert not rig.cudart.live


def refuse_capture(cudart):
    """Return an end of capture as CUDA gives it after a call that cannot be captured."""

    def end(stream):
        stream.captured = None
        return BAD_VALUE, None

    return end


def test_wrong_inputs_are_named_before_anything_is_copied(rig, engine):
    with TensorRtSession(engine, rig.kit) as session:
        feeds = feeds_of(session, 0)
        with pytest.raises(BackendError, match="image is float32"):
            session.run({**feeds, "image": feeds["image"].astype(np.float32)})
        with pytest.raises(BackendError, match="missing"):
            session.run({"image": feeds["image"]})


def test_every_thread_that_runs_it_chooses_the_gpu(rig, engine):
    with TensorRtSession(engine, rig.kit) as session:
        before = len(rig.cudart.chosen)
        thread = threading.Thread(target=session.run, args=(feeds_of(session, 0),))
        thread.start()
        thread.join()
        session.run(feeds_of(session, 1))
        assert len(rig.cudart.chosen) == before + 2


@pytest.mark.parametrize(
    "refuse, kind, words",
    [
        ("deserialize_cuda_engine", EngineRefusedError, "does not load .*model.engine .*sm 8.6"),
        ("create_execution_context", BackendError, "gives no context .*sm 8.6"),
        ("set_tensor_address", BackendError, "no address for image"),
        ("set_input_shape", BackendError, "for image"),
    ],
)
def test_a_call_that_says_no_raises_with_the_log_and_gives_all_back(rig, engine, refuse, kind, words):
    rig.script.refuse.add(refuse)
    rig.script.errors = ["the engine was built for sm 8.6"]
    with pytest.raises(kind, match=words):
        TensorRtSession(engine, rig.kit)
    assert not rig.cudart.live


def test_a_run_that_fails_says_so(rig, engine):
    with TensorRtSession(engine, rig.kit) as session:
        rig.script.refuse.add("execute_async_v3")
        rig.script.errors = ["illegal memory access"]
        with pytest.raises(BackendError, match=r"did not run the network .*illegal memory access"):
            session.run(feeds_of(session, 0))


def test_tensors_that_are_not_the_manifests(rig, engine):
    manifest = replace(engine.manifest, outputs=engine.manifest.outputs[:2])
    with pytest.raises(EngineRefusedError, match="its manifest says"):
        TensorRtSession(StoredEngine(engine.folder, manifest, None), rig.kit)
    assert not rig.cudart.live


def test_too_little_memory_and_no_gpu(rig, engine):
    rig.cudart.memory = 1000
    with pytest.raises(BackendError, match=r"cudaMallocHost failed: out of memory \(CUDA error 2\)"):
        TensorRtSession(engine, rig.kit)
    assert not rig.cudart.live
    with pytest.raises(BackendError, match="no CUDA here"):
        TensorRtSession(engine, replace(rig.kit, cuda=None))
    none = Rig("10.3.0", devices=0)
    with pytest.raises(BackendError, match="no CUDA-capable device"):
        none.kit.cuda.device_count()


def samples_of(count=8):
    rng = np.random.default_rng(1)
    planes = {name: rng.normal(0, 6, (count, 8, 10)).astype(np.float32) for name in ("mask_logits", "region_logits")}
    answers = {**planes, "presence_logit": rng.normal(0, 4, (count,)).astype(np.float32)}
    return Samples({"image": np.zeros((count, 2), np.uint8)}, answers, dict.fromkeys(answers, 0.0))


@pytest.mark.parametrize(
    "precision, change, words",
    [
        ("fp32", lambda a: a["mask_logits"].__iadd__(0.1), "logits differ|IoU|sure pixels"),
        ("fp16", lambda a: a["mask_logits"].__imul__(-1), "a mask has IoU"),
        ("fp16", lambda a: a["region_logits"].__setitem__((0, 0, 0), np.nan), "region_logits has NaN"),
        ("fp16", lambda a: a["presence_logit"].__imul__(-1), "same presence in"),
        ("int8", lambda a: a["mask_logits"].__isub__(2.5), "mean mask IoU"),
    ],
)
def test_answers_that_differ_do_not_pass(precision, change, words):
    samples = samples_of()
    found = {name: value.copy() for name, value in samples.answers.items()}
    assert compare(samples, found, precision).passed
    change(found)
    parity = compare(samples, found, precision)
    assert not parity.passed
    import re

    assert re.search(words, parity.reason), parity.reason


def test_small_differences_pass_where_they_may():
    samples = samples_of()
    noise = np.random.default_rng(2).normal(0, 0.004, samples.answers["mask_logits"].shape).astype(np.float32)
    found = {**samples.answers, "mask_logits": samples.answers["mask_logits"] + noise}
    assert compare(samples, found, "fp16").passed and compare(samples, found, "int8").passed
    empty = {name: np.full_like(value, -9.0) for name, value in samples.answers.items()}
    nothing = Samples(samples.feeds, empty, samples.thresholds)
    assert compare(nothing, {k: v + 0.001 for k, v in empty.items()}, "fp16").mean_iou == 1.0, "two empty masks agree"


def test_samples_come_back_from_their_file(tmp_path):
    samples = samples_of()
    samples.save(tmp_path / "s.npz")
    again = Samples.load(tmp_path / "s.npz")
    assert np.array_equal(again.answers["mask_logits"], samples.answers["mask_logits"]) and len(again) == 8
    (tmp_path / "s.npz").write_bytes((tmp_path / "s.npz").read_bytes()[:200])
    with pytest.raises(EngineRefusedError, match="cannot be read"):
        Samples.load(tmp_path / "s.npz")


def test_as_a_backend_missing_accepted_rejected(rig, bundle, tmp_path, monkeypatch):
    monkeypatch.setattr(toolkit, "detect", lambda device_id=0: rig.kit)
    opened, config = open_bundle(bundle), ModelConfig(engine_cache_dir=str(tmp_path))
    with pytest.raises(EngineMissingError, match="no fp32 engine"):
        backend.open_session(opened, "vision", config)
    first = select.open_network(opened, "vision", config)
    assert first.session.info.backend == "onnxruntime" and "no fp32 engine" in first.skipped[0].reason
    assert not first.degraded, "an engine that is not built yet is no fault"

    request, kit = backend.wanted_engine(opened, config)
    make_engine(request, kit, quiet, make_samples=partial(make_samples, bundle))
    with select.open_network(opened, "vision", config).session as session:
        assert session.info.backend == "tensorrt" and session.info.precision == "fp32"
    assert find_engine(request).parity["passed"] and find_engine(request).parity["samples"] == 16
    assert backend.wanted_engine(opened, config) is None
    assert backend.wanted_engine(opened, replace(config, engine_build="force")) is not None
    with select.open_network(opened, "text", replace(config, backend="tensorrt")).session as text:
        assert text.info.backend == "onnxruntime"

    (find_engine(request).folder / "parity.json").unlink()  # as a fresh engine, whose GPU now gives nonsense
    rig.script.bend = lambda out: {**out, "mask_logits": -out["mask_logits"]}
    opened_again = select.open_network(opened, "vision", config)
    assert opened_again.session.info.backend == "onnxruntime"
    assert "gives wrong answers (" in opened_again.degraded and "ris engine build" in opened_again.degraded
    with pytest.raises(EngineRejectedError, match="gives wrong answers"):
        find_engine(request)
    assert backend.wanted_engine(opened, config) is None, "it would come out the same"
    assert backend.wanted_engine(opened, replace(config, engine_build="force")) is not None


def test_no_graph_of_that_precision(rig, bundle, tmp_path):
    with pytest.raises(BackendError, match=r"vision.fp16.onnx.*ris cast"):
        ask(bundle, rig.kit, tmp_path, precision="fp16")
    with pytest.raises(BackendError, match=r"vision.int8-trt.onnx"):
        ask(bundle, rig.kit, tmp_path, precision="int8")


def test_what_is_not_supported_is_refused_by_version(monkeypatch):
    import sys
    from types import ModuleType

    assert version_numbers("10.3.0.post1") == (10, 3, 0) and version_numbers("x") == ()
    for version, good in (("8.6.2", False), ("10.3.0", True), ("11.4.0.106", True), ("12.0.0", False)):
        module = ModuleType("tensorrt")
        module.__version__ = version
        monkeypatch.setitem(sys.modules, "tensorrt", module)
        if good:
            assert load_module("tensorrt") is module
        else:
            with pytest.raises(BackendError, match=f"tensorrt is {version}, this works with >=10.3,<12.0"):
                load_module("tensorrt")


def test_detection_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(toolkit.importlib.util, "find_spec", lambda name: None)
    assert "TensorRT is not installed: on a Jetson" in toolkit.probe()
    monkeypatch.setattr(toolkit, "installed", lambda: "tensorrt")
    rig = Rig("10.3.0")
    monkeypatch.setattr(Cuda, "load", classmethod(lambda cls: Cuda(rig.cudart)))
    monkeypatch.setattr(toolkit, "load_module", lambda name: rig.trt)
    found = toolkit.detect(0)
    assert (found.device.name, found.device.sm, found.device.driver) == (GPU.name, "8.7", "12.6")
    assert found.device.present and found.version == "10.3.0"
    assert "there is no GPU 3 (CUDA sees 1)" in toolkit.probe(3)
