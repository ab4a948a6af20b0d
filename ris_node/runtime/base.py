# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The contract that every network runtime keeps, and the check that a loaded graph is the bundle's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol

import numpy.typing as npt

from ris_node.bundle.contract import check_tensors
from ris_node.bundle.manifest import Manifest
from ris_node.types import TensorSpec

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class BackendInfo:
    """What really runs: the words that `~/status` and `/diagnostics` carry."""

    backend: str  # "onnxruntime", "tensorrt"
    provider: str  # "CPUExecutionProvider", ...
    precision: str  # read from the loaded network, not from the request: "fp32", "fp16", "int8"
    device: str  # "AMD EPYC (2 threads)", "Orin (nvgpu)", ...
    engine_key: str = ""  # cache key of a built engine; empty for ONNX Runtime
    impaired: str = ""  # why this is less than was asked for, such as float32 instead of INT8; empty where all is well


class Session(Protocol):
    """One loaded network with static shapes; used by one thread at a time."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    info: BackendInfo

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Run the network once.

        Args:
            feeds: an array for each input, of exactly its shape and dtype.

        Raises:
            BackendError: an input is missing or unknown, or differs in shape or dtype.
        """

    def close(self) -> None:
        """Free the network; closing twice is harmless."""

    def __enter__(self) -> Session:
        """Return the session itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the session."""
        self.close()


def check_session(session: Session, manifest: Manifest, graph: str, where: str) -> None:
    """Check that a loaded graph is what the manifest says.

    Raises:
        BundleError: a tensor is missing, unknown, or differs in shape or dtype.
    """
    check_tensors(session.inputs, manifest.graphs[graph].inputs, f"{where} inputs")
    check_tensors(session.outputs, manifest.graphs[graph].outputs, f"{where} outputs")
