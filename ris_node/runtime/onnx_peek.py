# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Read a graph's precision from its file, without the onnx package.

An ONNX file is a protocol buffer (onnx.proto): `ModelProto.graph` is field 7; in it `GraphProto.node` is 1 and
`initializer` 5; `NodeProto.op_type` is 4; `TensorProto.dims` is 1 and `data_type` 2. `ModelProto.metadata_props` is 14,
with key 1 and value 2. Only these are read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ris_node.errors import BackendError

_TYPES = {1: "float32", 2: "uint8", 3: "int8", 10: "float16", 16: "bfloat16", 21: "uint4", 22: "int4"}
_PRECISION, _NONE = "ris_node.precision", memoryview(b"")
_QUANTISED = ("QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger", "DynamicQuantizeLinear", "QuantizeLinear")


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
    try:
        data = memoryview(path.read_bytes())
        operators: Counter[str] = Counter()
        weights: Counter[str] = Counter()
        notes = [dict(_fields(_bytes(value))) for number, value in _fields(data) if number == 14]
        said = {bytes(_bytes(n.get(1, _NONE))).decode(): bytes(_bytes(n.get(2, _NONE))).decode() for n in notes}
        for graph in (value for number, value in _fields(data) if number == 7):
            for number, value in _fields(_bytes(graph)):
                if number == 1:
                    operators.update(bytes(_bytes(v)).decode() for n, v in _fields(_bytes(value)) if n == 4)
                elif number == 5:
                    kind, size = _tensor(_bytes(value))
                    weights[kind] += size
    except (IndexError, TypeError, ValueError) as error:
        raise BackendError(f"{path} is not an ONNX file, or is cut off ({error}): restore it") from error
    if not operators:
        raise BackendError(f"{path} has no operators, so it is not an ONNX file: restore it")
    kinds = Counter({k: n for k, n in weights.items() if k in _TYPES.values()})
    return GraphContents(operators, kinds, said.get(_PRECISION, ""))


def _tensor(data: memoryview) -> tuple[str, int]:
    size, kind = 1, 0
    for number, value in _fields(data):
        if number == 1:
            for dim in [value] if isinstance(value, int) else _varints(value):
                size *= dim
        elif number == 2 and isinstance(value, int):
            kind = value
    return _TYPES.get(kind, str(kind)), size


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        if key & 7 == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
        elif key & 7 == 2:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise ValueError(f"a field of {size} bytes goes beyond the end")
            yield key >> 3, data[at : at + size]
            at += size
        elif key & 7 in (1, 5):
            at += 8 if key & 7 == 1 else 4
        else:
            raise ValueError(f"wire type {key & 7} at byte {at}")


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _varints(data: memoryview) -> list[int]:
    values, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        values.append(value)
    return values


def _bytes(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where a message should be")
    return value
