# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""INT8 and half precision of a small network with all its difficulties; the compile gate is the real TensorRT-RTX."""

from __future__ import annotations

import importlib.util
import platform
import sys
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")

from onnx import helper, numpy_helper  # noqa: E402
from small_net import small_feeds, small_vision  # noqa: E402

from ris_node.errors import ExportError  # noqa: E402
from ris_node.export import onnx_edit  # noqa: E402
from ris_node.export.cast import cast  # noqa: E402
from ris_node.export.check import check_file  # noqa: E402
from ris_node.export.int8.quantize import quantise  # noqa: E402
from ris_node.export.int8.ranges import best_ranges, channel_maxima  # noqa: E402
from ris_node.export.int8.weights import equalise, pairs  # noqa: E402
from ris_node.runtime.onnx_peek import peek  # noqa: E402

GATED = sys.platform == "linux" and platform.machine() == "x86_64"  # where `make test` installs tensorrt-rtx
needs_gate = pytest.mark.skipif(
    not GATED and importlib.util.find_spec("tensorrt_rtx") is None, reason="tensorrt-rtx is for Linux on x86-64"
)


@pytest.fixture
def source(tmp_path) -> Path:
    onnx.save(small_vision(), tmp_path / "vision.fp32.onnx")
    return tmp_path / "vision.fp32.onnx"


def answers(path: Path, feeds) -> dict[str, np.ndarray]:
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    rows = [dict(zip([o.name for o in session.get_outputs()], session.run(None, feed))) for feed in feeds]  # noqa: B905
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def worst(a, b) -> float:
    return max(float(np.abs(a[name] - b[name]).max() / np.abs(a[name]).max()) for name in a)


def test_equalising_changes_ranges_but_not_answers(source, tmp_path):
    model, feeds = onnx.load(source), small_feeds(4)
    found = list(pairs(model))
    assert [(p.first.name, p.second.name) for p in found] == [("depthwise", "pointwise")]  # conv1 is read twice
    before = channel_maxima(model, [found[0].between], feeds)
    assert equalise(model, before) == 1
    after = channel_maxima(model, [found[0].between], feeds)[found[0].between]
    onnx.save(model, tmp_path / "equal.onnx")
    assert worst(answers(source, small_feeds(3, 9)), answers(tmp_path / "equal.onnx", small_feeds(3, 9))) < 1e-4
    spread = before[found[0].between]
    assert np.log(spread).std() > 1.5 * np.log(after).std()


def test_ranges_leave_out_an_outlier_but_hold_zero(source):
    model = onnx.load(source)
    feeds = small_feeds(6)
    low, high = best_ranges(model, ["r1"], feeds, symmetric=False)["r1"]
    assert low == 0.0 < high
    wide = best_ranges(model, ["centred"], feeds, symmetric=True)["centred"]
    assert wide[0] == -wide[1] < 0


@pytest.mark.parametrize("target", ["cpu", "tensorrt"])
def test_int8_is_close_and_is_what_it_says(source, tmp_path, target):
    out = tmp_path / "int8.onnx"
    done = quantise(source, out, small_feeds(24), target)
    assert done.layers == 6 and done.kept == () and done.equalised == 1  # not the product with one row
    exact, rounded = answers(source, small_feeds(6, 77)), answers(out, small_feeds(6, 77))
    error = max(float(np.abs(exact[n] - rounded[n]).mean() / np.abs(exact[n]).mean()) for n in exact)
    assert 1e-4 < error < 0.08
    assert peek(out).precision == "int8"
    checked = check_file(out)
    assert checked.precision == f"int8-{target}" and checked.good, checked.problems
    assert checked.layers["asked"] == "fp32" and checked.layers["depthwise"] == "int8"
    zeros = {
        value.dtype.name
        for name, value in onnx_edit.constants(onnx.load(out)).items()
        if name.endswith("zero_point") and np.any(value != 0)
    }
    assert zeros == (set() if target == "tensorrt" else {"uint8"})  # TensorRT takes no other zero than 0


def test_kept_layers_stay_float_and_a_second_time_is_refused(source, tmp_path):
    out = tmp_path / "int8.onnx"
    assert quantise(source, out, small_feeds(8), "cpu", keep=["depth*"]).kept == ("depthwise",)
    assert check_file(out).layers["depthwise"] == "fp32"
    with pytest.raises(ExportError, match="quantised already"):
        quantise(out, tmp_path / "again.onnx", small_feeds(8), "cpu")
    with pytest.raises(ExportError, match="calibrate"):
        quantise(source, out, [], "cpu")


@needs_gate
@pytest.mark.parametrize("form", ["fp16", "fp16-safe"])
def test_half_precision_is_close_and_tensorrt_builds_it(source, tmp_path, form):
    out = tmp_path / "half.onnx"
    done = cast(source, out, form)
    assert (done.kept > 0) == (form == "fp16-safe") and out.stat().st_size < source.stat().st_size
    model = onnx.load(out)
    assert {o.type.tensor_type.elem_type for o in model.graph.output} == {onnx.TensorProto.FLOAT}
    assert worst(answers(source, small_feeds(4, 5)), answers(out, small_feeds(4, 5))) < 0.01
    checked = check_file(out, gate=True)
    assert checked.good and checked.compiled == "built" and checked.shares == {"fp16": 1.0}, checked.problems


@needs_gate
def test_the_gate_builds_float32_and_int8_for_tensorrt_and_refuses_the_cpus(source, tmp_path):
    for target in ("cpu", "tensorrt"):
        quantise(source, tmp_path / f"{target}.onnx", small_feeds(8), target)
    assert check_file(source, gate=True).compiled == "built"
    good = check_file(tmp_path / "tensorrt.onnx", gate=True)
    assert good.compiled == "built" and good.good, good.problems
    refused = check_file(tmp_path / "cpu.onnx", gate=True)
    assert refused.good and refused.compiled.startswith("refused, as it has to be"), refused.problems


def test_a_silent_float32_file_is_an_error(source):
    model = onnx.load(source)
    onnx_edit.write_contract(model, {}, "fp16")
    onnx.save(model, source)
    checked = check_file(source)
    assert not checked.good and "says it is fp16" in checked.problems[0]


def test_what_robots_stumble_over_is_named(tmp_path):
    node = helper.make_node
    nodes = [
        node("ReduceMean", ["x", "axis"], ["mean"]),
        node("Add", ["mean", "eps"], ["more"]),
        node("Sqrt", ["more"], ["root"], "root"),
        node("Div", ["x", "root"], ["y"]),
        node("ScatterND", ["y", "at", "what"], ["z"], "written"),
        node("Det", ["square"], ["d"], "determinant"),
        node("Add", ["z", "d"], ["out"]),
    ]
    tensors = {
        "axis": np.array([1]),
        "eps": np.float32(1e-6),
        "at": np.array([[0, 0]]),
        "what": np.float32([1]),
        "square": np.eye(2, dtype=np.float32),
    }
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "bad",
        [info("x", 1, ["n", 4])],
        [info("out", 1, None)],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in tensors.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), tmp_path / "bad.onnx")
    problems = " | ".join(check_file(tmp_path / "bad.onnx").problems)
    for words in (
        "opset 17",
        "x has no static shape",
        "root is a norm in pieces",
        "written (ScatterND) writes",
        "determinant (Det) is not among the operators of TensorRT 10 and 11",
    ):
        assert words in problems, words
    with pytest.raises(ExportError, match="no ONNX file"):
        (tmp_path / "junk.onnx").write_bytes(b"\xff\x00junk")
        check_file(tmp_path / "junk.onnx")


def test_weights_stored_in_half_are_computed_in_float32(tmp_path):
    model = small_vision()
    big = np.random.default_rng(0).normal(0, 0.05, (64, 64)).astype(np.float32)
    model.graph.initializer.append(numpy_helper.from_array(big, "big"))
    model.graph.node.append(helper.make_node("MatMul", ["big", "big"], ["square"], "square"))
    large = big.size + onnx_edit.constants(model)["codes"].size  # the others have fewer than 1,024 numbers
    assert onnx_edit.store_half(model) == 2 * large
    onnx_edit.write_contract(model, {"input": {"height": 64}}, "fp32")
    onnx_edit.save(model, tmp_path / "stored.onnx")
    assert peek(tmp_path / "stored.onnx").precision == "fp32"
    assert check_file(tmp_path / "stored.onnx").shares == {"fp32": 1.0}
    again = onnx.load(tmp_path / "stored.onnx")
    assert onnx_edit.read_contract(again) == ({"input": {"height": 64}}, "fp32")
    onnx_edit.unpack_half(again)
    kept = onnx_edit.constants(again)["big"]
    assert kept.dtype == np.float32 and np.array_equal(kept, big.astype(np.float16).astype(np.float32))


def test_corrected_biases_bring_the_mean_back(source, tmp_path):
    """With weights rounded coarsely, the mean of a convolution's output moves; the corrected bias moves it back."""
    from ris_node.export.int8 import weights

    exact, corrected, feeds = onnx.load(source), onnx.load(source), small_feeds(8)
    wanted = weights.channel_means(exact, ["c1", "c2"], feeds)
    assert weights.correct_biases(corrected, feeds) == 3  # the two maps share a bias
    gained = []
    for model in (exact, corrected):
        for name in ("w1", "w2"):
            onnx_edit.set_constant(model, name, weights.rounded(onnx_edit.constants(model)[name]))
        off = weights.channel_means(model, ["c1"], feeds)["c1"] - wanted["c1"]
        gained.append(float(np.abs(off).mean()))
    assert gained[1] < 0.1 * gained[0]
