# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime says node by node what runs where, and a provider that was asked for and does not run is an error."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from tiny_bundle import make_tiny_bundle

from ris_node.bundle import open_bundle
from ris_node.config import ModelConfig
from ris_node.errors import BackendError
from ris_node.runtime import ort_gpu, select
from ris_node.runtime.ort import CPU, OrtSession
from ris_node.runtime.ort_gpu import CUDA, TENSORRT, BoundTensors, Placement, provider_settings, true_precision


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    return make_tiny_bundle(tmp_path_factory.mktemp("tiny"))


def test_what_runs_where_is_known_node_by_node(bundle):
    with OrtSession(bundle / "vision.fp32.onnx", num_threads=1, providers=(CPU,), strict=True) as session:
        used = ort_gpu.in_use(session._session)
    assert used.provider == CPU
    if hasattr(onnxruntime.InferenceSession, "get_provider_graph_assignment_info"):
        assert used.nodes[CPU] > 10 and used.heavy == Counter({CPU: 1})


def test_a_provider_that_takes_nothing_is_not_said_to_run(bundle):
    """This one is in every build of ONNX Runtime for Linux, and silently leaves such networks to the CPU."""
    silent = "AzureExecutionProvider"
    if not hasattr(onnxruntime.InferenceSession, "get_provider_graph_assignment_info"):
        pytest.skip(f"onnxruntime {onnxruntime.__version__} cannot tell which provider runs a node")
    if silent not in onnxruntime.get_available_providers():
        pytest.skip(f"this onnxruntime has no {silent}")
    with pytest.raises(BackendError, match=rf"silently took|{silent} runs only 0 of 1"):
        OrtSession(bundle / "vision.fp32.onnx", num_threads=1, providers=(silent, CPU), strict=True)
    with OrtSession(bundle / "vision.fp32.onnx", num_threads=1, providers=(silent, CPU)) as session:
        assert "nodes on CPUExecutionProvider" in session.info.device or session.info.provider == CPU


@pytest.mark.parametrize(
    "used, wanted, words",
    [
        (ort_gpu.InUse(CPU, Counter({CPU: 9}), Counter({CPU: 3})), CUDA, f"asked for {CUDA} and silently took {CPU}"),
        (ort_gpu.InUse(CUDA, Counter({CUDA: 5, CPU: 9}), Counter({CUDA: 2, CPU: 8})), CUDA, "runs only 2 of 10"),
        (ort_gpu.InUse(CUDA, Counter({CUDA: 90, CPU: 4}), Counter({CUDA: 30})), CUDA, ""),
        (ort_gpu.InUse(CUDA, Counter(), Counter()), CUDA, ""),  # a release that cannot tell
        (ort_gpu.InUse(TENSORRT, Counter({TENSORRT: 1}), Counter()), TENSORRT, ""),  # compiled into one node
    ],
)
def test_the_provider_in_use_is_asserted(used, wanted, words):
    if words:
        with pytest.raises(BackendError, match=words):
            used.check(wanted)
    else:
        used.check(wanted)


def test_engines_of_the_provider_are_kept_beside_ours(tmp_path):
    settings = provider_settings(TENSORRT, Placement(1, str(tmp_path)), "1.23.0")
    assert settings["device_id"] == "1" and settings["trt_engine_cache_path"] == str(tmp_path / "onnxruntime")
    assert (tmp_path / "onnxruntime").is_dir()


@pytest.mark.parametrize(
    "version, graph, settings, precision",
    [
        ("1.23.1", False, {"use_tf32": "0"}, "fp32"),
        ("1.18.0", True, {"use_tf32": "0", "enable_cuda_graph": "1"}, "fp32"),
        ("1.17.3", True, {"enable_cuda_graph": "1"}, "tf32"),  # cannot be told: it is said
    ],
)
def test_the_cuda_provider_computes_what_the_session_says(version, graph, settings, precision):
    where = Placement(1, cuda_graph=graph)
    assert provider_settings(CUDA, where, version) == {"device_id": "1", **settings}
    assert provider_settings(CPU, where, version) == {}
    assert true_precision(CUDA, "fp32", version) == precision
    assert true_precision(TENSORRT, "fp32", version) == "tf32" and true_precision(CPU, "fp32", version) == "fp32"
    assert {true_precision(p, "fp16", version) for p in (CUDA, TENSORRT, CPU)} == {"fp16"}


def random_feeds(session: OrtSession, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        spec.name: rng.integers(0, 255, spec.shape).astype(spec.dtype)
        if spec.dtype.kind in "iu"
        else rng.normal(0, 1, spec.shape).astype(spec.dtype)
        for spec in session.inputs
    }


def test_bound_tensors_give_the_same_bits_and_keep_earlier_answers(bundle):
    with OrtSession(bundle / "vision.fp32.onnx", num_threads=1) as session:
        bound = BoundTensors(onnxruntime, session._session, session.inputs, session.outputs, ("cpu", 0))
        kept = []
        for seed in range(3):
            feeds = random_feeds(session, seed)
            feeds = {name: np.asfortranarray(value) for name, value in feeds.items()}  # copied as C order
            kept.append((bound.run(feeds), session.run(feeds)))
    assert not all(np.array_equal(kept[0][0][name], kept[1][0][name]) for name in kept[0][0])
    for out, expected in kept:
        assert out.keys() == expected.keys()
        assert all(np.array_equal(out[name], expected[name]) for name in expected)


def test_a_graph_that_cannot_be_captured_costs_the_graph_alone(bundle, monkeypatch, caplog):
    """The processor stands in for the GPU: it takes the network and binds nothing at an address of CUDA."""
    monkeypatch.setattr(ort_gpu, "CUDA", CPU)
    caplog.set_level(logging.WARNING)
    with OrtSession(bundle / "vision.fp32.onnx", num_threads=1, cuda_graph=True) as session:
        feeds = random_feeds(session, 0)
        out = session.run(feeds)
    with OrtSession(bundle / "vision.fp32.onnx", num_threads=1) as plain:
        assert all(np.array_equal(out[name], value) for name, value in plain.run(feeds).items())
    assert "no CUDA graph for vision.fp32.onnx" in caplog.text and "one CUDA graph" not in session.info.device


@pytest.mark.parametrize("name", ort_gpu.PROVIDERS)
def test_a_build_without_the_provider_says_what_to_install(bundle, name):
    if ort_gpu.PROVIDERS[name] in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has it: pytest -m gpu")
    assert "pip install onnxruntime-gpu" in select.probe_backends().get(name, select.BACKENDS[name].probe())
    with pytest.raises(BackendError, match=f"{name}: this onnxruntime has no {ort_gpu.PROVIDERS[name]}"):
        select.open_network(open_bundle(bundle), "vision", ModelConfig(backend=name))
