# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""An ONNX file as TensorRT parses it: its tensors, and its precision held against the one that was asked for.

TensorRT builds what it is given: a float32 file where half precision was meant becomes a float32 engine that runs five
times slower and says nothing. So the layers that cost time are counted by type after parsing, before hours are spent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.errors import BackendError
from ris_node.runtime.tensorrt.log import complaint, given
from ris_node.types import TensorSpec

HEAVY = ("CONVOLUTION", "DECONVOLUTION", "MATRIX_MULTIPLY", "EINSUM")
LEAST = {"fp32": 1.0, "fp16": 0.9, "fp16-safe": 0.6, "int8": 0.5}  # share of heavy layers in that type
_CHECK = "run `ris check` on the file, and export it again"
_DTYPES = ("FLOAT", "HALF", "INT8", "INT32", "INT64", "UINT8", "BOOL")
_NUMPY = ("float32", "float16", "int8", "int32", "int64", "uint8", "bool")
_TYPE = {"fp32": "fp32", "fp16": "fp16", "fp16-safe": "fp16", "int8": "int8"}


@dataclass(frozen=True)
class Audit:
    """How many heavy layers (convolutions, matrix products) compute in each type: {"fp16": 41, "fp32": 2}."""

    heavy: dict[str, int]

    @property
    def total(self) -> int:
        """All heavy layers."""
        return sum(self.heavy.values())

    def share(self, kind: str) -> float:
        """Return the share of heavy layers in a type; 0 where there are none."""
        return self.heavy.get(kind, 0) / self.total if self.total else 0.0

    @property
    def precision(self) -> str:
        """The type of most heavy layers."""
        return max(self.heavy, key=lambda kind: self.heavy[kind]) if self.heavy else "fp32"

    def check(self, wanted: str) -> None:
        """Compare with a precision asked for.

        Raises:
            BackendError: too few heavy layers have it.
        """
        kind = _TYPE[wanted]
        if not self.total or self.share(kind) < LEAST[wanted]:
            found = ", ".join(f"{count} {name}" for name, count in sorted(self.heavy.items())) or "none"
            raise BackendError(
                f"{wanted} was asked for, but of the network's {self.total} convolutions and matrix products {found}: "
                f"precision lives in the ONNX file, so give one in {wanted} (`ris cast`, `ris quantize`)"
            )


def audit_network(trt: Any, network: Any) -> Audit:
    """Count a parsed network's heavy layers by the type they compute in.

    A layer whose input comes out of a DequantizeLinear computes in int8; others in the type of what they give.
    """
    heavy_types = {getattr(trt.LayerType, name) for name in HEAVY}
    names = {trt.DataType.FLOAT: "fp32", trt.DataType.HALF: "fp16", trt.DataType.BF16: "bf16"}
    dequantised: set[str] = set()
    found: Counter[str] = Counter()
    for index in range(network.num_layers):
        layer = network.get_layer(index)
        if layer.type == trt.LayerType.DEQUANTIZE:
            dequantised.add(layer.get_output(0).name)
        elif layer.type in heavy_types:
            if layer.get_input(0).name in dequantised:
                found["int8"] += 1
            else:
                kind = layer.get_output(0).dtype
                found[names.get(kind, str(kind))] += 1
    return Audit(dict(found))


def parse_network(trt: Any, builder: Any, logger: Any, onnx: Path) -> Any:
    """Return an ONNX file as a strongly typed network.

    Raises:
        BackendError: TensorRT does not parse it.
    """
    # the flag's number differs between 10.x and 11.x, where it is a no-op
    typed = 1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    network = given(logger, builder.create_network(typed), "TensorRT makes no network", "see its log above")
    _parse(trt, network, logger, onnx)
    return network


def dtype_of(trt: Any, kind: Any) -> np.dtype[Any]:
    """Return the NumPy type of a TensorRT type.

    Raises:
        BackendError: NumPy has none.
    """
    for name, numpy_name in zip(_DTYPES, _NUMPY, strict=True):
        if kind == getattr(trt.DataType, name):
            return np.dtype(numpy_name)
    raise BackendError(f"NumPy has no type for {kind}: export the network with float32 in- and outputs")


def tables(trt: Any, network: Any) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Return a parsed network's inputs and outputs.

    Raises:
        BackendError: one has a shape that is not fixed.
    """
    tensors = [network.get_input(i) for i in range(network.num_inputs)]
    tensors += [network.get_output(i) for i in range(network.num_outputs)]
    specs = []
    for tensor in tensors:
        shape = tuple(int(size) for size in tensor.shape)
        if any(size < 1 for size in shape):
            raise BackendError(f"{tensor.name} has the shape {list(shape)}: export the network with static shapes")
        specs.append(TensorSpec(str(tensor.name), shape, dtype_of(trt, tensor.dtype)))
    return tuple(specs[: network.num_inputs]), tuple(specs[network.num_inputs :])


def create(make: Callable[[], Any], logger: Any, what: str) -> Any:
    """Return what `make` gives.

    Raises:
        BackendError: TensorRT gave nothing.
    """
    try:
        return make()
    except TypeError as error:  # the bindings' way to say that the library gave nothing
        raise complaint(logger, f"TensorRT gives no {what.removeprefix('a ')}", "is the GPU's driver there?") from error


def _parse(trt: Any, network: Any, logger: Any, onnx: Path) -> None:
    if not onnx.is_file():
        raise BackendError(f"there is no network at {onnx}: restore the bundle")
    parser = create(lambda: trt.OnnxParser(network, logger), logger, "a parser")
    what = f"TensorRT {trt.__version__} does not parse {onnx}"
    if parser.parse_from_file(str(onnx)):
        if not network.num_outputs:  # TensorRT-RTX 1.7 takes any bytes for an empty network
            raise BackendError(f"{what}: there is no network in it; restore the bundle")
        return
    errors = []
    for index in range(parser.num_errors):
        error = parser.get_error(index)
        text = " ".join(str(error.desc()).split())[:300]
        errors.append(f"node {error.node()} {error.node_name()} ({error.node_operator()}): {text}")
    raise BackendError(f"{what}: {'; '.join(errors)}; {_CHECK}") if errors else complaint(logger, what, _CHECK)
