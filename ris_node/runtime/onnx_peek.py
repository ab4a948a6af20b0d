# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Read a graph's precision from its file, without the onnx package.

ONNX Runtime gives a file's metadata, but neither operators nor weights, and bundles made before the metadata and files
of others have none. So the few fields of onnx.proto that say it are declared here, and protobuf, which comes with ONNX
Runtime, reads them.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.message import DecodeError

from ris_node.errors import BackendError

_TYPES = {1: "float32", 2: "uint8", 3: "int8", 10: "float16", 16: "bfloat16", 21: "uint4", 22: "int4"}
_PRECISION = "ris_node.precision"
_QUANTISED = ("QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger", "DynamicQuantizeLinear", "QuantizeLinear")
_SCHEMA = {  # message -> its fields: name, number, type, and whether it is repeated
    "Entry": (("key", 1, "string", False), ("value", 2, "string", False)),
    "Node": (("op_type", 4, "string", False),),
    "Tensor": (("dims", 1, "int64", True), ("data_type", 2, "int32", False)),
    "Graph": (("node", 1, "Node", True), ("initializer", 5, "Tensor", True)),
    "Model": (("graph", 7, "Graph", False), ("metadata_props", 14, "Entry", True)),
}


@dataclass(frozen=True)
class GraphContents:
    """How often each operator occurs, and how many weights there are of each type."""

    operators: Counter[str]
    weights: Counter[str]
    said: str = ""  # what the file says of itself: weights stored in half precision may be computed with in float32

    @property
    def precision(self) -> str:
        """What the graph computes in: int8, fp16 or fp32 ("fp32-int8-weights": stored small, computed in fp32)."""
        if any(self.operators[name] for name in _QUANTISED):
            return "int8"
        if self.said == "fp32":
            return "fp32"
        kind = self.weights.most_common(1)[0][0] if self.weights else "float32"
        return {"float32": "fp32", "float16": "fp16"}.get(kind, f"fp32-{kind}-weights")


def peek(path: Path) -> GraphContents:
    """Count the operators and weights of an ONNX file.

    Raises:
        BackendError: the file is not ONNX, or is cut off.
    """
    model = _model_class()()
    try:
        model.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise BackendError(f"{path} is not an ONNX file, or is cut off ({error}): restore it") from error
    if not model.graph.node:
        raise BackendError(f"{path} has no operators, so it is not an ONNX file: restore it")
    weights: Counter[str] = Counter()
    for tensor in model.graph.initializer:
        if kind := _TYPES.get(tensor.data_type):
            weights[kind] += math.prod(tensor.dims)
    said = {entry.key: entry.value for entry in model.metadata_props}
    return GraphContents(Counter(node.op_type for node in model.graph.node), weights, said.get(_PRECISION, ""))


@cache
def _model_class() -> Any:
    """Return the protobuf message of an ONNX file, with the declared fields only."""
    file = descriptor_pb2.FileDescriptorProto(name="ris_node/onnx.proto", package="ris_node", syntax="proto2")
    kinds, labels = descriptor_pb2.FieldDescriptorProto.Type, descriptor_pb2.FieldDescriptorProto.Label
    for name, fields in _SCHEMA.items():
        message = file.message_type.add(name=name)
        for field, number, kind, repeated in fields:
            made = message.field.add(name=field, number=number)
            made.label = labels.Value("LABEL_REPEATED" if repeated else "LABEL_OPTIONAL")
            made.type = kinds.Value("TYPE_MESSAGE" if kind in _SCHEMA else f"TYPE_{kind.upper()}")
            if kind in _SCHEMA:
                made.type_name = f".ris_node.{kind}"
    return message_factory.GetMessages([file])["ris_node.Model"]
