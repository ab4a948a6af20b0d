# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The precision that a parsed network has, held against the one that was asked for.

TensorRT builds what it is given: a float32 file where half precision was meant becomes a float32 engine that runs five
times slower and says nothing. So the layers that cost time are counted by type after parsing, before hours are spent.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from ris_node.errors import BackendError

HEAVY = ("CONVOLUTION", "DECONVOLUTION", "MATRIX_MULTIPLY", "EINSUM")
LEAST = {"fp32": 1.0, "fp16": 0.9, "fp16-safe": 0.6, "int8": 0.5}  # share of heavy layers in that type
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
        """The share of heavy layers in a type; 0 where there are none."""
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
