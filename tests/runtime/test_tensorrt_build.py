# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Building: one path for both majors (on a fake held to their API) and for the real TensorRT-RTX."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from engine_kit import GPU, RELEASES, Rig, ask, grid_sample, quiet, rtx_kit
from fake_tensorrt import MAGIC
from onnx import TensorProto, helper, numpy_helper
from tiny_bundle import make_tiny_bundle

from ris_node.errors import BackendError, EngineRefusedError
from ris_node.runtime.tensorrt.build import build_engine, make_engine
from ris_node.runtime.tensorrt.monitor import Tracker
from ris_node.runtime.tensorrt.network import Audit
from ris_node.runtime.tensorrt.spec import BuildSpec


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    return make_tiny_bundle(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(params=RELEASES)
def rig(request) -> Rig:
    return Rig(request.param)


def convolution(path: Path, kind: int) -> Path:
    """A network of one convolution in float32 or float16, cast on both sides."""
    weight = np.zeros((2, 3, 1, 1), np.float16 if kind == TensorProto.FLOAT16 else np.float32)
    nodes = [
        helper.make_node("Cast", ["image"], ["x"], to=kind),
        helper.make_node("Conv", ["x", "w"], ["y"]),
        helper.make_node("Cast", ["y"], ["out"], to=TensorProto.FLOAT),
    ]
    infos = [
        helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 8, 8]),
        helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 2, 8, 8]),
    ]
    graph = helper.make_graph(nodes, "g", infos[:1], infos[1:], [numpy_helper.from_array(weight, "w")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path


def test_an_engine_with_its_tensors_and_progress(rig, bundle, tmp_path):
    seen: list[tuple[str, float]] = []
    out = tmp_path / "model.engine"
    built = build_engine(
        bundle / "vision.fp32.onnx", BuildSpec(), out, rig.trt, on_progress=lambda *beat: seen.append(beat)
    )
    assert out.read_bytes() == MAGIC + (bundle / "vision.fp32.onnx").read_bytes()
    assert {spec.name: spec.shape for spec in built.outputs}["mask_logits"] == (1, 64, 80)
    assert built.inputs[0].dtype == np.uint8 and built.audit.heavy == {"fp32": 1}
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0 and len(set(fractions)) > 2


@pytest.mark.parametrize(
    "refuse, words",
    [
        ("Builder", "gives no builder"),
        ("create_network", "makes no network"),
        ("create_builder_config", "makes no configuration"),
        ("build_serialized_network", "could not build vision.fp32.onnx"),
        ("parse_from_file", "does not parse"),
    ],
)
def test_everything_that_says_no_is_heard_with_the_log(rig, bundle, tmp_path, refuse, words):
    rig.script.refuse.add(refuse)
    rig.script.errors = ["out of tactics: node Conv_7"]
    with pytest.raises(BackendError, match=words) as caught:
        build_engine(bundle / "vision.fp32.onnx", BuildSpec(), tmp_path / "e" / "model.engine", rig.trt)
    assert refuse == "Builder" or "out of tactics: node Conv_7" in str(caught.value)
    assert not list((tmp_path / "e").glob("*")) if (tmp_path / "e").exists() else True


def test_parser_errors_name_the_node(rig, tmp_path):
    path = grid_sample(tmp_path / "bad.onnx")
    with pytest.raises(BackendError, match=r"node 3 node_3 \(GridSample\): this operator is not supported"):
        build_engine(path, BuildSpec(), tmp_path / "e", rig.trt)


def test_a_silent_float32_engine_is_an_error(rig, tmp_path):
    wide, half = convolution(tmp_path / "w.onnx", TensorProto.FLOAT), convolution(tmp_path / "h.onnx", 10)
    with pytest.raises(BackendError, match=r"fp16 was asked for, but .* 1 fp32"):
        build_engine(wide, BuildSpec("fp16"), tmp_path / "e", rig.trt)
    with pytest.raises(BackendError, match=r"fp32 was asked for, but .* 1 fp16"):
        build_engine(half, BuildSpec("fp32"), tmp_path / "e", rig.trt)
    assert not (tmp_path / "e").exists()
    assert build_engine(half, BuildSpec("fp16"), tmp_path / "e", rig.trt).audit.precision == "fp16"


def test_the_audit_on_the_real_parser(tmp_path):
    rtx = rtx_kit().trt
    wide, half = convolution(tmp_path / "w.onnx", TensorProto.FLOAT), convolution(tmp_path / "h.onnx", 10)
    assert build_engine(half, BuildSpec("fp16"), tmp_path / "e", rtx).audit.heavy == {"fp16": 1}
    for file, wish in ((wide, "fp16"), (wide, "int8"), (half, "fp32")):
        with pytest.raises(BackendError, match=f"{wish} was asked for"):
            build_engine(file, BuildSpec(wish), tmp_path / "other", rtx)


def test_how_many_layers_make_a_precision():
    Audit({"fp16": 95, "fp32": 5}).check("fp16")
    Audit({"int8": 60, "fp32": 40}).check("int8")
    for heavy, wish in (({"fp16": 80, "fp32": 20}, "fp16"), ({"int8": 40, "fp32": 60}, "int8"), ({}, "fp32")):
        with pytest.raises(BackendError, match="precision lives in the ONNX file"):
            Audit(heavy).check(wish)


def test_timings_are_kept_and_damaged_ones_replaced(rig, bundle, tmp_path):
    cache = tmp_path / "timing" / "10.cache"
    for content in (None, b"of another GPU"):
        if content is not None:
            cache.write_bytes(content)
        build_engine(bundle / "vision.fp32.onnx", BuildSpec(), tmp_path / "e", rig.trt, timing_cache=cache)
        assert cache.read_bytes().startswith(b"TIMINGS")
    rig.script.refuse.add("set_timing_cache")
    with pytest.raises(BackendError, match="no timing cache, not even an empty one"):
        build_engine(bundle / "vision.fp32.onnx", BuildSpec(), tmp_path / "e", rig.trt, timing_cache=cache)


def test_made_once_then_found_and_loaded_once_where_there_is_a_gpu(rig, bundle, tmp_path):
    request = ask(bundle, rig.kit, tmp_path)
    engine, built = make_engine(request, rig.kit, quiet)
    assert built and not make_engine(request, rig.kit, quiet)[1]
    assert make_engine(request, rig.kit, quiet, force=True)[1]
    manifest = engine.manifest
    assert engine.folder.name == f"fp32-sm8.7-trt{rig.kit.version}-{request.key}"
    assert manifest.keyed["gpu_name"] == GPU.name and manifest.recorded["driver"] == "12.6"
    assert manifest.contract["input"]["height"] == 256
    assert request.timing_cache is not None and request.timing_cache.is_file()
    assert not rig.cudart.live, "the check at the end of a build gave everything back"


def test_an_engine_that_does_not_load_is_not_kept(rig, bundle, tmp_path):
    rig.script.refuse.add("deserialize_cuda_engine")
    rig.script.errors = ["the plan is of another compute capability"]
    with pytest.raises(EngineRefusedError, match=r"does not load the engine just built/.*another compute capability"):
        make_engine(ask(bundle, rig.kit, tmp_path), rig.kit, quiet)
    assert not list(tmp_path.glob("tiny*/*"))


def test_an_engine_that_gives_nan_is_not_kept(rig, bundle, tmp_path):
    rig.script.bend = lambda out: {**out, "mask_logits": out["mask_logits"] * np.nan}
    with pytest.raises(EngineRefusedError, match=r"^the engine just built/.* NaN or infinite values in mask_logits"):
        make_engine(ask(bundle, rig.kit, tmp_path), rig.kit, quiet)
    assert not list(tmp_path.glob("*/fp32*"))


def test_a_builder_of_another_version_or_a_changed_network_is_refused(rig, bundle, tmp_path):
    request = ask(bundle, rig.kit, tmp_path)
    with pytest.raises(BackendError, match=r"tensorrt 10\.9\.0 was asked for, here is"):
        make_engine(replace(request, version="10.9.0"), rig.kit, quiet)
    with pytest.raises(BackendError, match="has changed since the engine was asked for"):
        make_engine(replace(request, onnx_sha256="0" * 64), rig.kit, quiet)


def test_progress_of_nested_phases_never_falls():
    seen: list[float] = []
    tracker = Tracker(lambda _, fraction: seen.append(fraction))
    tracker.start("all", None, 2)
    for name in ("a", "b"):
        tracker.start(name, "all", 4)
        for step in range(4):
            tracker.step(name, step)
        tracker.finish(name)
    tracker.step("all", 0)
    tracker.finish("all")
    tracker.step("unknown", 3)
    assert seen == sorted(seen) and seen[-1] == 1.0 and 0.4 < max(seen[:7]) < 0.6
