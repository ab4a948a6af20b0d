# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Make the keyword baseline's bundle from a Cityscapes network: `python -m ris_node.export.keyword_baseline`.

The graph keeps the contract of every bundle: a letterboxed picture in, three planes of logits out. `sentence` is a
multi-hot vector of the 19 classes; the referent's logit is the log-odds of the selected classes against the rest.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ris_node.bundle import Manifest, TextContract, Thresholds
from ris_node.bundle.bundle import MANIFEST, claim_bundle
from ris_node.data.location import locate
from ris_node.entry import start
from ris_node.export.manifest import write_manifest
from ris_node.language.lexicon import CITYSCAPES

HEIGHT, WIDTH, WORDS = 256, 320, 32
STRONGEST = 16  # cells of the mask whose mean log-odds is the presence
FAR = 1e4
USE = (
    "Apache-2.0 network (google-coral/test_data), trained by its makers on Cityscapes, whose own terms allow "
    "non-commercial use"
)


def vision_graph(trunk: onnx.ModelProto) -> onnx.ModelProto:
    """Wrap a network image f32[1,3,h,w] in [-1,1] -> logits f32[1,19,h/16,w/16] into the contract's vision graph."""
    nodes, weights = _static_trunk(trunk)
    classes, mask = len(CITYSCAPES), [1, HEIGHT // 4, WIDTH // 4]
    constants = {
        "half": np.float32(127.5),
        "one": np.float32(1.0),
        "far": np.float32(FAR),
        "zero": np.float32(0.0),
        "sizes": np.array([1, classes, *mask[1:]], np.int64),
        "column": np.array([1, classes, 1, 1], np.int64),
        "row": np.array([1, -1], np.int64),
        "channels": np.array([1], np.int64),
        "last": np.array([1], np.int64),
        "strongest": np.array([STRONGEST], np.int64),
        "all_words": np.array([1, 2], np.int64),
        "road_in": _road(1.0),
        "road_out": _road(0.0),
    }
    weights = [*weights, *(numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items())]
    nodes = [*_picture_nodes(), *nodes, *_mask_nodes()]
    inputs = [
        helper.make_tensor_value_info("image", TensorProto.UINT8, [1, HEIGHT, WIDTH, 3]),
        helper.make_tensor_value_info("words", TensorProto.FLOAT, [1, WORDS, classes]),
        helper.make_tensor_value_info("word_mask", TensorProto.FLOAT, [1, WORDS]),
        helper.make_tensor_value_info("sentence", TensorProto.FLOAT, [1, classes]),
    ]
    outputs = [
        helper.make_tensor_value_info("mask_logits", TensorProto.FLOAT, mask),
        helper.make_tensor_value_info("region_logits", TensorProto.FLOAT, mask),
        helper.make_tensor_value_info("presence_logit", TensorProto.FLOAT, [1]),
    ]
    graph = helper.make_graph(nodes, "vision", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    model.producer_name = "ris_node"
    onnx.checker.check_model(model, full_check=True)
    return model


def _road(value: float) -> np.ndarray:
    """What to add to the logits so that only the road (1) or all but the road (0) is left, f32[1,19,1,1]."""
    keep = np.array([float(name == "road") == value for name in CITYSCAPES])
    return np.where(keep, 0.0, -FAR).astype(np.float32).reshape(1, -1, 1, 1)


def _picture_nodes() -> list[onnx.NodeProto]:
    """u8 NHWC in 0..255 -> f32 NCHW in [-1,1], named `image_nchw`."""
    return [
        helper.make_node("Cast", ["image"], ["image_f32"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["image_f32"], ["image_planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Div", ["image_planes", "half"], ["image_scaled"]),
        helper.make_node("Sub", ["image_scaled", "one"], ["image_nchw"]),
    ]


def _mask_nodes() -> list[onnx.NodeProto]:
    """Class logits -> the three outputs; `words` and `word_mask` enter with weight 0, so that no tool drops them."""
    node = helper.make_node
    # The trunk pads evenly, so that cell i looks at pixel 16 i and not at 16 i + 7.5: half-pixel alignment would move
    # every mask by half a cell (measured on camvid/val: IoU of cars 0.56 instead of 0.72).
    return [
        node(
            "Resize",
            ["class_logits", "", "", "sizes"],
            ["wide"],
            mode="linear",
            coordinate_transformation_mode="asymmetric",
        ),
        node("Reshape", ["sentence", "column"], ["selected"]),
        node("Sub", ["selected", "one"], ["unselected"]),
        node("Mul", ["unselected", "far"], ["hide_others"]),
        node("Mul", ["selected", "far"], ["hide_selected"]),
        node("Add", ["wide", "hide_others"], ["only_selected"]),
        node("Sub", ["wide", "hide_selected"], ["only_others"]),
        node("ReduceLogSumExp", ["only_selected", "channels"], ["for_it"], keepdims=0),
        node("ReduceLogSumExp", ["only_others", "channels"], ["against_it"], keepdims=0),
        node("Sub", ["for_it", "against_it"], ["mask_logits"]),
        node("Add", ["wide", "road_in"], ["only_road"]),
        node("Add", ["wide", "road_out"], ["no_road"]),
        node("ReduceLogSumExp", ["only_road", "channels"], ["for_road"], keepdims=0),
        node("ReduceLogSumExp", ["no_road", "channels"], ["against_road"], keepdims=0),
        node("Sub", ["for_road", "against_road"], ["region_logits"]),
        node("Reshape", ["mask_logits", "row"], ["cells"]),
        node("TopK", ["cells", "strongest"], ["best", "best_at"], axis=1),
        node("ReduceMean", ["best", "last"], ["strength"], keepdims=0),
        node("ReduceSum", ["words", "all_words"], ["word_sum"], keepdims=0),
        node("ReduceSum", ["word_mask", "last"], ["word_mask_sum"], keepdims=0),
        node("Add", ["word_sum", "word_mask_sum"], ["unused"]),
        node("Mul", ["unused", "zero"], ["nothing"]),
        node("Add", ["strength", "nothing"], ["presence_logit"]),
    ]


def _static_trunk(trunk: onnx.ModelProto) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """The trunk's nodes from `image_nchw` to `class_logits`, its one dynamic shape replaced by a constant."""
    source, target = trunk.graph.input[0].name, trunk.graph.output[0].name
    nodes, weights = [], list(trunk.graph.initializer)
    names = {source: "image_nchw", target: "class_logits"}
    shapes = {n.output[0] for n in trunk.graph.node if n.op_type in ("Shape", "Slice")}
    for node in trunk.graph.node:
        if node.op_type in ("Shape", "Slice") or (node.op_type == "Concat" and set(node.input) & shapes):
            continue
        new = onnx.NodeProto()
        new.CopyFrom(node)
        if node.op_type == "Expand":
            new.input[1] = "pooled_shape"
            pooled = [1, 1, HEIGHT // 16, WIDTH // 16]
            weights.append(numpy_helper.from_array(np.array(pooled, np.int64), "pooled_shape"))
        new.input[:] = [names.get(name, name) for name in new.input]
        new.output[:] = [names.get(name, name) for name in new.output]
        nodes.append(new)
    used = {name for node in nodes for name in node.input}
    return nodes, [w for w in weights if w.name in used]


def make_bundle(trunk: Path, folder: Path) -> Manifest:
    """Write the bundle: graph and manifest."""
    claim_bundle(folder, (MANIFEST, "vision.fp32.onnx"), by="ris_node.export.keyword_baseline")
    onnx.save(vision_graph(onnx.load(trunk)), folder / "vision.fp32.onnx")
    return write_manifest(
        folder,
        Manifest(
            name="keyword-baseline",
            version="1",
            family="keyword",
            use=USE,
            description="Cityscapes classes picked by rules on class, side, order, size and colour words; no relations",
            text=TextContract(max_tokens=WORDS, dim=len(CITYSCAPES), encoder="multi-hot of the 19 Cityscapes classes"),
            thresholds=Thresholds(mask=0.5, presence=0.5, uncertain_band=0.15, region=0.5, min_area_fraction=0.001),
            classes=CITYSCAPES,
            provenance={
                "network": "MobileNet-EdgeTPU + DeepLab, 19 Cityscapes classes, dequantised to float32",
                "source": "https://github.com/google-coral/test_data",
                "licence": "Apache-2.0",
                "trained_by_us": False,
                "made_by": "python -m ris_node.export.keyword_baseline",
            },
        ),
    )


def main() -> None:
    """Read the network and write `engines/keyword-baseline`."""
    root = Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trunk", type=Path, help="default: pretrained/deeplab_cityscapes.onnx under RIS_DATA")
    parser.add_argument("--out", type=Path, default=root / "engines/keyword-baseline")
    given = parser.parse_args()
    manifest = make_bundle(given.trunk or locate("pretrained/deeplab_cityscapes.onnx"), given.out)
    print(f"{given.out}: {manifest.model_id}")


if __name__ == "__main__":
    start(main)
