# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The table of a GPU, with the processor in its place: it runs the same code but for the capture itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_bundle import make_tiny_bundle

from ris_node.bench.gpu import find_variants, measure_gpu
from ris_node.bundle import open_bundle
from ris_node.bundle.bundle import Bundle
from ris_node.config import ModelConfig
from ris_node.export.manifest import write_manifest
from ris_node.runtime import ort, ort_gpu
from ris_node.runtime.ort import CPU, OrtSession
from ris_node.runtime.ort_gpu import BoundTensors

CONFIG = ModelConfig(num_threads=1)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """A tiny bundle with a half-precision graph."""
    cast = pytest.importorskip("ris_node.export.cast", reason="needs onnx").cast
    folder = make_tiny_bundle(tmp_path / "tiny")
    cast(folder / "vision.fp32.onnx", folder / "vision.fp16.onnx", "fp16")
    write_manifest(folder, open_bundle(folder).manifest)
    return open_bundle(folder)


@pytest.fixture
def feeds(bundle: Bundle) -> dict[str, Any]:
    with OrtSession(bundle.path / "vision.fp32.onnx", num_threads=1) as session:
        return {spec.name: np.ones(spec.shape, spec.dtype) for spec in session.inputs}


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processor is CUDA's provider; TensorRT's is missing."""
    monkeypatch.setattr(ort_gpu, "CUDA", CPU)
    monkeypatch.setattr(ort_gpu, "PROVIDERS", {"onnxruntime-cuda": CPU, "onnxruntime-tensorrt": "none"})
    monkeypatch.setattr(ort_gpu, "probe", lambda name: "" if name.endswith("cuda") else "not here")


@pytest.mark.usefixtures("pretend")
def test_the_ways_take_turns_and_stand_side_by_side(
    bundle: Bundle, feeds: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ort, "BoundTensors", lambda *given: BoundTensors(*given[:-1], ("cpu", 0)))
    table = measure_gpu(bundle, CONFIG, feeds, 2, 3, lambda _: None)
    assert not table.missing and not any(one.failed for one in table.variants)
    titles = [
        f"{p}, {way}" for p in ("float32", "half precision") for way in ("every kernel launched", "one CUDA graph")
    ]
    assert [one.title for one in table.variants] == titles
    assert all([len(r) for r in one.series.rounds] == [3, 3] for one in table.variants)
    assert table.variants[0].off == table.variants[1].off == 0.0 <= table.variants[3].off < 0.1
    lines = table.lines()
    assert [line.split(" | ")[0].strip("| ") for line in lines if line.startswith("| ")][1:] == titles
    if table.variants[0].nodes:  # this ONNX Runtime can tell
        assert f"| {table.variants[0].nodes} |" in lines[5]


@pytest.mark.usefixtures("pretend")
def test_a_way_that_fails_says_why_and_the_others_go_on(bundle: Bundle, feeds: dict[str, Any]) -> None:
    table = measure_gpu(bundle, CONFIG, feeds, 1, 2, lambda _: None)
    plain, graph = table.variants[:2]
    assert plain.series.values and "cannot be captured" in graph.failed
    assert "cannot be captured" in "\n".join(table.lines())
    assert table.to_json()["variants"][1] == {"network": graph.title, "failed": graph.failed}
    (bundle.path / "vision.fp32.onnx").rename(bundle.path / "gone.onnx")
    (bundle.path / "vision.fp16.onnx").unlink()
    table = measure_gpu(bundle, CONFIG, feeds, 1, 2, lambda _: None)
    assert "nothing runs on it: there is no network" in table.lines()[1]


def test_without_a_gpu_one_line_says_so(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort_gpu, "probe", lambda name: f"{name} is not here")
    table = find_variants(bundle)
    assert table.lines() == ["", "No GPU table: onnxruntime-cuda is not here."]
    assert table.to_json() == {"missing": "onnxruntime-cuda is not here", "variants": []}
