# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The compile gate: every precision of the shipped graphs that is meant for TensorRT parses and builds, typed as meant.

TensorRT-RTX compiles without a GPU; it has to refuse the CPU's INT8. Calibration is by noise here: only types matter.
"""

from __future__ import annotations

import importlib.util
import json
import platform
import sys
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from ris_node.bundle import open_bundle  # noqa: E402
from ris_node.bundle.bundle import VISION_FILES  # noqa: E402
from ris_node.export.cast import cast  # noqa: E402
from ris_node.export.check import check_file  # noqa: E402
from ris_node.export.int8.quantize import quantise  # noqa: E402
from ris_node.export.onnx_edit import read_contract  # noqa: E402

ENGINES = Path(__file__).parents[2] / "engines"
MOST_BYTES = 40_000_000
GATED = sys.platform == "linux" and platform.machine() == "x86_64"  # where `make test` installs tensorrt-rtx
needs_gate = pytest.mark.skipif(
    not GATED and importlib.util.find_spec("tensorrt_rtx") is None, reason="tensorrt-rtx is for Linux on x86-64"
)
SOURCE = ENGINES / "default" / "vision.fp32.onnx"


def noise(path: Path, count: int) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    kinds = {onnx.TensorProto.UINT8: lambda size: rng.integers(0, 256, size).astype(np.uint8)}
    graph = onnx.load(path).graph
    found = []
    for _ in range(count):
        feeds = {}
        for tensor in graph.input:
            size = [d.dim_value for d in tensor.type.tensor_type.shape.dim]
            draw = kinds.get(tensor.type.tensor_type.elem_type, lambda size: rng.normal(0, 1, size).astype(np.float32))
            feeds[tensor.name] = draw(size) if tensor.name != "word_mask" else np.zeros(size, np.float32)
        found.append(feeds)
    return found


@needs_gate
@pytest.mark.parametrize("name", ["default", "keyword-baseline"])
def test_shipped_files_are_in_order_and_tensorrt_takes_those_meant_for_it(name):
    for path in sorted((ENGINES / name).glob("*.onnx")):
        checked = check_file(path, gate=True)
        assert checked.good, (path.name, checked.problems)
        if path.name == VISION_FILES["int8"]:
            assert checked.compiled.startswith("refused, as it has to be")
        elif path.name.startswith("vision"):
            assert checked.compiled == "built"


@needs_gate
@pytest.mark.parametrize("form", ["fp16", "fp16-safe", "int8"])
def test_the_default_network_in_every_precision_for_tensorrt(tmp_path, form):
    out = tmp_path / f"vision.{form}.onnx"
    if form == "int8":
        quantise(SOURCE, out, noise(SOURCE, 2), "tensorrt")
    else:
        cast(SOURCE, out, form)
    checked = check_file(out, gate=True)
    assert checked.good and checked.compiled == "built", checked.problems
    assert checked.layer_norms == check_file(SOURCE).layer_norms > 0


def test_the_default_bundle_fits_and_says_what_int8_costs():
    bundle = open_bundle(ENGINES / "default")
    files = [*bundle.manifest.files, "manifest.json"]
    assert sum((bundle.path / name).stat().st_size for name in files) <= MOST_BYTES
    if bundle.file(VISION_FILES["int8"]):
        assert bundle.file("golden.npz") and set(bundle.manifest.int8) >= {"kept", "miou", "pointing", "faster"}
        contract, precision = read_contract(onnx.load(bundle.path / VISION_FILES["int8"]))
        assert precision == "int8-cpu"
        assert contract["thresholds"] == json.loads((bundle.path / "manifest.json").read_text())["thresholds"]
