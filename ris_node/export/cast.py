# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Half precision, written into the graph: TensorRT 11 knows no flag for it, and 10 obeys the file as well.

In- and outputs keep the contract's float32. `fp16-safe` leaves norms, softmax and sums in float32, which is where half
precision loses accuracy first; it costs a Cast around each.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.errors import ExportError
from ris_node.export.onnx_edit import constants, load, read_contract, save, unpack_half, write_contract

FORMS: dict[str, tuple[str, ...]] = {
    "fp16": (),
    "fp16-safe": ("LayerNormalization", "Softmax", "Softplus", "ReduceMean", "ReduceSum", "Exp", "Div"),
}
_ALWAYS_FLOAT = {("Resize", 1), ("Resize", 2), ("Upsample", 1)}  # (operator, input): scales are float32 by definition
_LARGEST = 65504.0


@dataclass(frozen=True)
class Cast:
    """What a cast did."""

    form: str
    nodes: int  # of the network
    kept: int  # that stay float32
    casts: int  # that had to be put in
    bytes: int


def cast(source: Path, out: Path, form: str) -> Cast:
    """Write a float32 network as half precision.

    Args:
        source: a float32 ONNX file.
        out: where the half-precision network goes.
        form: "fp16" or "fp16-safe".

    Raises:
        ExportError: the source is not float32, or has weights beyond half precision.
    """
    if form not in FORMS:
        raise ExportError(f"there is no form {form!r}: choose one of {', '.join(FORMS)}")
    model = load(source)
    contract, _ = read_contract(model)
    unpack_half(model)
    _check_source(model, source)
    nodes = len(model.graph.node)
    caster = _Caster(model, FORMS[form])
    caster.run()
    write_contract(model, contract, form)
    save(model, out)
    return Cast(form, nodes, caster.kept, caster.casts, out.stat().st_size)


class _Caster:
    """Goes through the nodes in their order and gives each float tensor the type that its reader needs."""

    def __init__(self, model: Any, floats: tuple[str, ...]) -> None:
        import onnx

        self.onnx, self.model, self.floats = onnx, model, floats
        self.float, self.half = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16
        inferred = onnx.shape_inference.infer_shapes(model).graph
        known = [*inferred.value_info, *inferred.input, *inferred.output]
        self.types = {value.name: value.type.tensor_type.elem_type for value in known}
        self.values = {name: v for name, v in constants(model).items() if v.dtype == np.float32}
        self.now = {i.name: self.float for i in model.graph.input if self.types[i.name] == self.float}
        self.made: dict[tuple[str, int], str] = {}
        self.nodes: list[Any] = []
        self.kept = self.casts = 0

    def run(self) -> None:
        """Rewrite the model in place."""
        outputs = {value.name for value in self.model.graph.output}
        for node in list(self.model.graph.node):
            kind = self.float if node.op_type in self.floats else self.half
            self.kept += kind == self.float
            for index, name in enumerate(node.input):
                wanted = self.float if (node.op_type, index) in _ALWAYS_FLOAT else kind
                node.input[index] = self._as(name, wanted)
            self._retarget(node)
            self.nodes.append(node)
            for index, name in enumerate(node.output):
                if self.types.get(name) != self.float:
                    continue
                if name in outputs and kind == self.half:  # the contract's outputs are float32
                    node.output[index] = f"{name}.half"
                    self.now[f"{name}.half"] = self.half
                    self.made[name, self.half] = f"{name}.half"
                    self._cast(f"{name}.half", name, self.float)
                self.now[name] = self.float if name in outputs else kind
        self._write()

    def _as(self, name: str, kind: int) -> str:
        """The name under which a tensor is to be had in a type."""
        if name in self.values:
            if kind == self.half:
                self.made.setdefault((name, kind), f"{name}.half")
                return f"{name}.half"
            self.made.setdefault((name, kind), name)
            return name
        if self.now.get(name, kind) == kind:
            return name
        if (name, kind) not in self.made:
            self.made[name, kind] = f"{name}.as{kind}"
            self._cast(name, f"{name}.as{kind}", kind)
        return self.made[name, kind]

    def _cast(self, source: str, target: str, kind: int) -> None:
        self.nodes.append(self.onnx.helper.make_node("Cast", [source], [target], f"{target}.cast", to=kind))
        self.casts += 1

    def _retarget(self, node: Any) -> None:
        """The source's own casts to float32, as of the image, go to half precision."""
        for item in node.attribute:
            if node.op_type == "Cast" and item.name == "to" and item.i == self.float:
                item.i = self.half

    def _write(self) -> None:
        graph = self.model.graph
        others = [tensor for tensor in graph.initializer if tensor.name not in self.values]
        stored = []
        for name, kind in self.made:
            if name in self.values:
                value = self.values[name] if kind == self.float else self.values[name].astype(np.float16)
                stored.append(self.onnx.numpy_helper.from_array(value, self.made[name, kind]))
        for field, content in ((graph.initializer, [*others, *stored]), (graph.node, self.nodes)):
            del field[:]
            field.extend(content)
        del graph.value_info[:]


def _check_source(model: Any, source: Path) -> None:
    kinds = {node.op_type for node in model.graph.node}
    if kinds & {"QuantizeLinear", "DequantizeLinear"}:
        raise ExportError(f"{source} is quantised: give the float32 file")
    for name, value in constants(model).items():
        if value.dtype == np.float16:
            raise ExportError(f"{source} is half precision already: give the float32 file")
        if value.dtype == np.float32 and value.size and not float(np.abs(value).max()) <= _LARGEST:
            raise ExportError(f"{source}: {name} holds {np.abs(value).max():g}, beyond half precision: rescale it")
