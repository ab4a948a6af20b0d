# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
sys.path.insert(0, str(Path(__file__).parent))

from published_trunk import write_published_trunk  # noqa: E402

from ris_node.errors import BundleError  # noqa: E402
from ris_node.models.registry import model_config  # noqa: E402
from ris_node.models.systems.tsmi import Tsmi  # noqa: E402
from ris_node.models.trunk import ConvGraph, TrunkSpec, import_graph  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    return write_published_trunk(tmp_path_factory.mktemp("trunk") / "trunk.onnx")


def run(path: Path, image: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: image})[0]


def test_a_published_trunk_computes_what_onnx_runtime_computes(published):
    path = published
    spec, weights = import_graph(path)
    graph = ConvGraph(spec, ("add12", "act79", "conv80"))
    graph.load_state_dict(weights)
    image = np.random.default_rng(0).uniform(-1, 1, (1, 3, 96, 128)).astype(np.float32)
    with torch.no_grad():
        values = graph(torch.from_numpy(image))
    wanted = run(path, image)
    assert wanted.std() > 0.01 and np.abs(values["conv80"].numpy() - wanted).max() < 1e-4
    assert values["add12"].shape[2:] == (24, 32) and values["act79"].shape[2:] == (6, 8)


def test_structure_survives_json_and_taps_cut_the_graph(published):
    spec, weights = import_graph(published)
    again = TrunkSpec.from_json(json.loads(json.dumps(spec.to_json())))
    assert again == spec
    short = ConvGraph(spec, ("add12",))
    assert 0 < len(short.convs) < 12
    short.load_state_dict({k: v for k, v in weights.items() if k in short.state_dict()})
    with pytest.raises(BundleError, match="nowhere"):
        spec.until(("nowhere",))


def test_freezing_stops_exactly_what_comes_before_a_tap(published):
    spec, _ = import_graph(published)
    graph = ConvGraph(spec, ("add23", "conv80"))
    graph.freeze_before("add23")
    frozen = {name for name, conv in graph.convs.items() if not conv.weight.requires_grad}
    assert "conv0" in frozen and "conv22" in frozen and "conv24" not in frozen and "conv80" not in frozen


def small_graph(path: Path, op: str) -> Path:
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(1)
    weight = numpy_helper.from_array(rng.normal(size=(4, 1, 3, 3)).astype(np.float32), "w")
    first = numpy_helper.from_array(rng.normal(size=(4, 3, 1, 1)).astype(np.float32), "v")
    bounds = [numpy_helper.from_array(np.array(v, np.float32), n) for v, n in ((0.0, "low"), (6.0, "high"))]
    nodes = [
        helper.make_node("Conv", ["x", "v"], ["a"]),
        helper.make_node("Conv", ["a", "w"], ["b"], group=4, strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Clip", ["b", "low", "high"], ["c"]) if op == "Clip" else helper.make_node(op, ["b"], ["c"]),
    ]
    value = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in ("x", "c")]
    graph = helper.make_graph(nodes, "g", value[:1], value[1:], [weight, first, *bounds])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def test_clip_and_grouped_strided_convolutions(tmp_path):
    path = small_graph(tmp_path / "g.onnx", "Clip")
    spec, weights = import_graph(path)
    graph = ConvGraph(spec, ("c",))
    graph.load_state_dict(weights)
    image = np.random.default_rng(2).normal(size=(2, 3, 8, 10)).astype(np.float32) * 4
    with torch.no_grad():
        given = graph(torch.from_numpy(image))["c"].numpy()
    assert given.min() == 0 and np.abs(given - run(path, image)).max() < 1e-5


def test_unknown_operation_is_refused_by_name(tmp_path):
    with pytest.raises(BundleError, match="Softplus"):
        import_graph(small_graph(tmp_path / "g.onnx", "Softplus"))


def test_a_system_begins_with_the_weights_of_its_trunk(published):
    sizes = {"height": 64, "width": 96, "token_width": 32, "fine_width": 16, "pixel_width": 16, "heads": 2, "layers": 1}
    system = Tsmi.begin(model_config("tsmi", sizes), lambda: published)
    spec, weights = import_graph(published)
    assert TrunkSpec.from_json(json.loads(system.structure)) == spec
    own = system.trunk.state_dict()
    assert own and all(torch.equal(value, weights[name]) for name, value in own.items())
    image = np.random.default_rng(0).integers(0, 256, (1, 64, 96, 3), np.uint8)
    with torch.no_grad():
        pixels, taps = system.run_trunk(torch.from_numpy(image))
        plain = system.trunk(pixels)
    assert pixels.min() >= -1 and pixels.max() <= 1 and list(taps) == ["add12", "add23", "add53", "add68", "conv71"]
    assert torch.allclose(taps["add12"], plain["add12"] / 40) and torch.allclose(taps["conv71"], plain["conv71"] / 4)
    assert system.tap_widths() == {name: value.shape[1] for name, value in taps.items()}
    system.freeze_before("add12")
    groups = {(group.pretrained, group.decay): len(group.parameters) for group in system.parameter_groups()}
    learnt = [name for name, p in system.named_parameters() if p.requires_grad and name.startswith("trunk.")]
    assert groups[True, True] == groups[True, False] == len(learnt) // 2 and "trunk.convs.conv0.weight" not in learnt
