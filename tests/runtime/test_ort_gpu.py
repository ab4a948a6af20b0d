# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime says node by node what runs where, and a provider that was asked for and does not run is an error."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import onnxruntime
import pytest
from tiny_bundle import make_tiny_bundle

from ris_node.bundle import open_bundle
from ris_node.config import ModelConfig
from ris_node.errors import BackendError
from ris_node.runtime import ort_gpu, select
from ris_node.runtime.ort import CPU, OrtSession

CUDA, TENSORRT = ort_gpu.PROVIDERS["onnxruntime-cuda"], ort_gpu.PROVIDERS["onnxruntime-tensorrt"]


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
    settings = ort_gpu.provider_settings(TENSORRT, 1, str(tmp_path))
    assert settings["device_id"] == "1" and settings["trt_engine_cache_path"] == str(tmp_path / "onnxruntime")
    assert (tmp_path / "onnxruntime").is_dir()
    assert ort_gpu.provider_settings(CUDA, 1, "") == {"device_id": "1"} and ort_gpu.provider_settings(CPU, 1, "") == {}


@pytest.mark.parametrize("name", ort_gpu.PROVIDERS)
def test_a_build_without_the_provider_says_what_to_install(bundle, name):
    if ort_gpu.PROVIDERS[name] in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has it: pytest -m gpu")
    assert "pip install onnxruntime-gpu" in select.probe_backends().get(name, select.BACKENDS[name].probe())
    with pytest.raises(BackendError, match=f"{name}: this onnxruntime has no {ort_gpu.PROVIDERS[name]}"):
        select.open_network(open_bundle(bundle), "vision", ModelConfig(backend=name))
