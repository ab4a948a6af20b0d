# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Networks on ONNX Runtime: they compute, check what they are fed, and say what they really are."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tiny_bundle import make_tiny_bundle, text_graph

from ris_node.bundle import open_bundle
from ris_node.config import ModelConfig
from ris_node.errors import BackendError, BundleError
from ris_node.runtime import select
from ris_node.runtime.onnx_peek import peek
from ris_node.runtime.ort import OrtSession, session_options


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_tiny_bundle(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def session(folder):
    with OrtSession(folder / "vision.fp32.onnx", num_threads=1) as opened:
        yield opened


def zeros(session):
    return {spec.name: np.zeros(spec.shape, spec.dtype) for spec in session.inputs}


def test_it_runs_and_says_what_it_is(session):
    out = session.run(zeros(session))
    assert {name: value.shape for name, value in out.items()} == {s.name: s.shape for s in session.outputs}
    info = session.info
    assert (info.backend, info.provider, info.precision) == ("onnxruntime", "CPUExecutionProvider", "fp32")
    assert "1 threads" in info.device


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda f: f.pop("words"), "missing.*words"),
        (lambda f: f.update(depth=np.zeros(1)), "unknown.*depth"),
        (lambda f: f.update(depth=f.pop("words")), "words is missing"),
        (lambda f: f.update(image=f["image"].astype(np.float32)), "image is float32"),
        (lambda f: f.update(image=f["image"][:, ::2]), r"\[1, 128, 320, 3\]"),
    ],
)
def test_wrong_inputs_are_named(session, change, words):
    feeds = zeros(session)
    change(feeds)
    with pytest.raises(BackendError, match=words):
        session.run(feeds)


def test_closing_twice_is_harmless_and_running_closed_is_not(folder):
    session = OrtSession(folder / "text.onnx")
    session.close()
    session.close()
    with pytest.raises(BackendError, match="closed"):
        session.run({})


def test_workers_spin_for_a_moment_only_where_that_can_be_bounded():
    import onnxruntime

    options = session_options(onnxruntime, 2)
    spins = options.get_session_config_entry("session.intra_op.allow_spinning")
    if tuple(int(n) for n in onnxruntime.__version__.split(".")[:2]) >= (1, 32):
        assert spins == "1" and options.get_session_config_entry("session.force_spinning_stop") == "1"
        assert int(options.get_session_config_entry("session.intra_op.spin_duration_us")) <= 50
    else:
        assert spins == "0"
    for version in ("1.16.3", "1.31.0"):
        older = SimpleNamespace(**{**vars(onnxruntime), "__version__": version})
        assert session_options(older, 2).get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_an_idle_session_costs_nothing(folder):
    with OrtSession(folder / "vision.fp32.onnx", num_threads=4) as session:
        session.run(zeros(session))
        used = time.process_time()
        time.sleep(0.3)
        assert time.process_time() - used < 0.05


def test_files_that_are_no_networks(folder, tmp_path):
    with pytest.raises(BackendError, match="no network at"):
        OrtSession(tmp_path / "missing.onnx")
    whole = (folder / "vision.fp32.onnx").read_bytes()
    for name, data in {"empty": b"", "text": b"hello, this is text", "cut": whole[: len(whole) // 2]}.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(BackendError, match=r"restore it|refuses"):
            OrtSession(tmp_path / name)


def test_dynamic_shapes_are_refused(tmp_path):
    model = text_graph()
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batch"
    onnx.save(model, tmp_path / "dynamic.onnx")
    with pytest.raises(BackendError, match="static shapes"):
        OrtSession(tmp_path / "dynamic.onnx")


def test_a_provider_that_is_not_there(folder):
    with pytest.raises(BackendError, match="has none of MadeUpProvider"):
        OrtSession(folder / "text.onnx", providers=["MadeUpProvider"])


def graph_of(operators, weight):
    nodes = [helper.make_node(name, ["x"], [f"y{i}"]) for i, name in enumerate(operators)]
    info = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    graph = helper.make_graph(nodes, "g", [info], [], [numpy_helper.from_array(weight, "w")])
    return helper.make_model(graph)


@pytest.mark.parametrize(
    "operators, dtype, precision",
    [
        (["Conv"], np.float32, "fp32"),
        (["Conv"], np.float16, "fp16"),
        (["QuantizeLinear", "DequantizeLinear", "Conv"], np.int8, "int8"),
        (["ConvInteger"], np.uint8, "int8"),
        (["DequantizeLinear", "MatMul"], np.int8, "fp32-int8-weights"),
    ],
)
def test_precision_is_read_from_the_graph(tmp_path, operators, dtype, precision):
    onnx.save(graph_of(operators, np.ones((4, 5), dtype)), tmp_path / "g.onnx")
    found = peek(tmp_path / "g.onnx")
    assert found.precision == precision
    assert found.operators.total() == len(operators) and found.weights.total() == 20


def test_selection_keeps_why_others_were_skipped(folder, monkeypatch):
    opened = select.open_network(open_bundle(folder), "vision", ModelConfig())
    assert opened.session.info.backend == "onnxruntime"
    monkeypatch.setattr(select, "PREFERENCE", ("wishful", "broken", "onnxruntime"))
    broken = select.Backend(lambda: "no driver", select.BACKENDS["onnxruntime"].open)
    monkeypatch.setitem(select.BACKENDS, "broken", broken)
    opened = select.open_network(open_bundle(folder), "vision", ModelConfig())
    assert [(s.backend, s.reason) for s in opened.skipped] == [
        ("wishful", "not part of this version"),
        ("broken", "no driver"),
    ]
    assert select.probe_backends()["onnxruntime"] == ""


def test_a_backend_or_precision_asked_for_by_name_is_not_replaced(folder):
    bundle = open_bundle(folder)
    with pytest.raises(BackendError, match="no int8 vision graph"):
        select.open_network(bundle, "vision", ModelConfig(precision="int8"))
    assert select.graph_file(bundle, "vision", "auto") == "vision.fp32.onnx"
    if select.probe_backends()["tensorrt"]:
        with pytest.raises(BackendError, match="tensorrt: "):
            select.open_network(bundle, "vision", ModelConfig(backend="tensorrt"))


def test_a_graph_that_is_not_what_the_manifest_says(tmp_path):
    bundle = open_bundle(make_tiny_bundle(tmp_path))
    make_tiny_bundle(tmp_path, height=128)
    with pytest.raises(BundleError, match=r"image is uint8\[1, 128, 320, 3\]"):
        select.open_network(bundle, "vision", ModelConfig())
