# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Small edits of ONNX graphs: constants as arrays, readers of a tensor, weights stored in half, the contract inside.

`finish_graphs` does the last two for a folder of graphs, which makes it a bundle to ship.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import ModelProto, NodeProto, numpy_helper

from ris_node.atomic import replacing
from ris_node.bundle import Manifest
from ris_node.bundle.bundle import VISION_FILES
from ris_node.errors import ExportError

Array = npt.NDArray[Any]
SMALLEST_HALF = 1024  # numbers; smaller tensors stay float32 and cost nothing
CONTRACT = "ris_node.contract"  # the key in metadata_props
PRECISION = "ris_node.precision"


def load(path: Path) -> ModelProto:
    """Read an ONNX file.

    Raises:
        ExportError: it is missing or no ONNX file.
    """
    if not path.is_file():
        raise ExportError(f"there is no network at {path}: give an ONNX file, or a bundle's folder")
    try:
        return onnx.load(str(path))
    except Exception as error:  # protobuf raises its own kinds
        raise ExportError(f"{path} is no ONNX file ({error}): restore it, or export it again") from error


def save(model: ModelProto, path: Path) -> None:
    """Write an ONNX file with its weights inside, whole or not at all."""
    with replacing(path) as part:
        onnx.save(model, str(part))


def constants(model: ModelProto) -> dict[str, Array]:
    """Return the initializers as arrays."""
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def set_constant(model: ModelProto, name: str, value: Array) -> None:
    """Replace an initializer's value."""
    for tensor in model.graph.initializer:
        if tensor.name == name:
            tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(value), name))
            return
    raise ExportError(f"the graph has no constant {name}")


def readers(model: ModelProto) -> dict[str, list[NodeProto]]:
    """Return the nodes that read each tensor."""
    found: dict[str, list[NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            found.setdefault(name, []).append(node)
    return found


def attribute(node: NodeProto, name: str, default: object = None) -> Any:
    """Return one attribute of a node."""
    for item in node.attribute:
        if item.name == name:
            return onnx.helper.get_attribute_value(item)
    return default


def shapes(model: ModelProto) -> dict[str, tuple[int, ...]]:
    """Return the static shape of every tensor that shape inference knows."""
    inferred = onnx.shape_inference.infer_shapes(model).graph
    known = [*inferred.value_info, *inferred.input, *inferred.output]
    found = {v.name: tuple(d.dim_value for d in v.type.tensor_type.shape.dim) for v in known}
    return found | {tensor.name: tuple(tensor.dims) for tensor in inferred.initializer}


def store_half(model: ModelProto) -> int:
    """Store large float32 weights as float16 with a Cast behind each; the network still computes in float32.

    Returns:
        How many bytes that saves.
    """
    saved, casts = 0, []
    for tensor in model.graph.initializer:
        value = numpy_helper.to_array(tensor)
        if value.dtype != np.float32 or value.size < SMALLEST_HALF or np.abs(value).max() > 6e4:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(value.astype(np.float16), f"{name}.half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}.half"], [name], f"{name}.cast", to=onnx.TensorProto.FLOAT))
        saved += 2 * value.size
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return saved


def unpack_half(model: ModelProto) -> None:
    """Undo `store_half`: constants behind a Cast become float32 constants, rounded as they were stored."""
    values = constants(model)
    kept = []
    for node in model.graph.node:
        known = values.get(node.input[0]) if node.op_type == "Cast" and node.input else None
        if known is None or attribute(node, "to") != onnx.TensorProto.FLOAT:
            kept.append(node)
            continue
        for tensor in model.graph.initializer:
            if tensor.name == node.input[0]:
                tensor.CopyFrom(numpy_helper.from_array(known.astype(np.float32), node.output[0]))
    del model.graph.node[:]
    model.graph.node.extend(kept)


def write_contract(model: ModelProto, contract: Mapping[str, Any], precision: str) -> None:
    """Put the contract of a bundle (input, text, thresholds, tensors) into the file, for those who have only it."""
    kept = {p.key: p.value for p in model.metadata_props if p.key not in (CONTRACT, PRECISION)}
    kept |= {CONTRACT: json.dumps(contract, sort_keys=True), PRECISION: precision}
    onnx.helper.set_model_props(model, kept)


def read_contract(model: ModelProto) -> tuple[dict[str, Any], str]:
    """Return the contract and the precision that a file says of itself; empty where it says nothing."""
    props = {p.key: p.value for p in model.metadata_props}
    return json.loads(props.get(CONTRACT, "{}")), props.get(PRECISION, "")


DERIVED = (VISION_FILES["int8"], VISION_FILES["fp16"], VISION_FILES["int8-trt"], "golden.npz")


def contract_of(manifest: Manifest) -> dict[str, Any]:
    """Return all that is needed to feed the graphs and to read their answers."""
    return {
        "name": manifest.name,
        "version": manifest.version,
        "family": manifest.family,
        "input": asdict(manifest.input),
        "text": {"max_tokens": manifest.text.max_tokens, "dim": manifest.text.dim, "encoder": manifest.text.encoder},
        "thresholds": asdict(manifest.thresholds),
        "outputs": "logits: a probability is their sigmoid; masks at a quarter of the input's size",
    }


def finish_graphs(folder: Path, manifest: Manifest) -> None:
    """Write the contract into the float graphs of a folder, and store their large weights in half precision.

    Graphs made from earlier ones are removed: they would answer for another network. `write_manifest` comes after.
    """
    for name in DERIVED:
        (folder / name).unlink(missing_ok=True)
    for name, precision in ((VISION_FILES["fp32"], "fp32"), ("text.onnx", "text")):
        if (folder / name).is_file():
            model = load(folder / name)
            if not read_contract(model)[1]:
                store_half(model)
            write_contract(model, contract_of(manifest), precision)
            save(model, folder / name)
