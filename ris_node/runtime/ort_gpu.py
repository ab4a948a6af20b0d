# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime on a GPU: its CUDA and TensorRT providers, which one really runs the network, and bound tensors.

ONNX Runtime falls back to the CPU without an error, so what it does is asked afterwards, node by node where the release
can tell (1.24 and later), and a provider that was asked for by name and does not run is an error. A CUDA graph needs
inputs and outputs at fixed addresses: `BoundTensors`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.errors import BackendError
from ris_node.runtime.base import Array
from ris_node.runtime.tensorrt.store import cache_root
from ris_node.types import TensorSpec

CUDA, TENSORRT = "CUDAExecutionProvider", "TensorrtExecutionProvider"
PROVIDERS = {"onnxruntime-cuda": CUDA, "onnxruntime-tensorrt": TENSORRT}
HEAVY = ("Conv", "ConvTranspose", "MatMul", "Gemm", "FusedConv", "FusedMatMul", "QLinearConv", "QLinearMatMul")
RECORD = ("session.record_ep_graph_assignment_info", "1")
LEAST = 0.9  # of the heavy nodes
_TF32_OPTION = (1, 18)  # the first release whose CUDA provider can leave TF32 out


@dataclass(frozen=True)
class InUse:
    """The provider that comes first in a loaded session, and how many nodes each has (empty: not known)."""

    provider: str
    nodes: Counter[str]
    heavy: Counter[str]

    def check(self, wanted: str) -> None:
        """Make sure that a provider runs the network.

        Raises:
            BackendError: it does not, or only a small part.
        """
        if self.provider != wanted:
            raise BackendError(
                f"ONNX Runtime was asked for {wanted} and silently took {self.provider}: its GPU libraries do not "
                "load; see `ris doctor`"
            )
        total = sum(self.heavy.values())
        # the TensorRT provider compiles nodes away: what is left of them is listed under other providers
        if total and self.heavy[wanted] < LEAST * total and not (self.nodes[wanted] and not self.heavy[wanted]):
            raise BackendError(
                f"{wanted} runs only {self.heavy[wanted]} of {total} convolutions and matrix products "
                f"({dict(self.heavy)}): choose another backend"
            )

    def __str__(self) -> str:
        return ", ".join(f"{count} nodes on {name}" for name, count in self.nodes.most_common())


@dataclass(frozen=True)
class Placement:
    """Which GPU, where engines are kept (empty: beside ours), and whether passes become one CUDA graph."""

    device_id: int = 0
    cache_dir: str = ""
    cuda_graph: bool = False


def provider_settings(name: str, where: Placement, version: str) -> dict[str, str]:
    """Return the options of a provider under an onnxruntime of `version`.

    The CUDA provider computes in float32, not in TF32, its default; TensorRT's keeps its engines beside ours.
    """
    if name == TENSORRT:
        folder = cache_root(where.cache_dir) / "onnxruntime"
        folder.mkdir(parents=True, exist_ok=True)
        keep = {"trt_engine_cache_enable": "1", "trt_engine_cache_path": str(folder)}
        return {"device_id": str(where.device_id), **keep, "trt_timing_cache_enable": "1"}
    if name != CUDA:
        return {}
    exact = {"use_tf32": "0"} if release(version) >= _TF32_OPTION else {}
    graph = {"enable_cuda_graph": "1"} if where.cuda_graph else {}
    return {"device_id": str(where.device_id), **exact, **graph}


def true_precision(provider: str, precision: str, version: str) -> str:
    """Return what a provider computes a float32 file in: "tf32" where it may and cannot be told otherwise."""
    rounded = provider == TENSORRT or (provider == CUDA and release(version) < _TF32_OPTION)
    return "tf32" if rounded and precision == "fp32" else precision


def release(version: str) -> tuple[int, ...]:
    """Return the numbers of a version that settings depend on, such as (1, 18)."""
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def probe(backend: str) -> str:
    """Return why a backend of this file cannot run here; empty when it can."""
    try:
        import onnxruntime
    except ImportError as error:
        return f"onnxruntime does not import ({error}): pip install onnxruntime-gpu"
    have, wanted = onnxruntime.get_available_providers(), PROVIDERS[backend]
    if wanted not in have:
        return f"this onnxruntime has no {wanted} (it has {', '.join(have)}): pip install onnxruntime-gpu instead"
    from ris_node.runtime.tensorrt.cuda import Cuda

    try:
        return "" if Cuda.load().device_count() else "CUDA sees no GPU"
    except BackendError as error:
        # without cuda-python nobody knows yet; loading the network will tell
        return "" if "cuda-python" in str(error) else str(error)


def in_use(session: Any) -> InUse:
    """Return the providers that a loaded `onnxruntime.InferenceSession` runs on."""
    nodes: Counter[str] = Counter()
    heavy: Counter[str] = Counter()
    ask = getattr(session, "get_provider_graph_assignment_info", None)
    for part in _assignments(ask):
        for node in part.get_nodes():
            nodes[part.ep_name] += 1
            heavy[part.ep_name] += node.op_type in HEAVY
    return InUse(session.get_providers()[0], nodes, +heavy)


def prepare(onnxruntime: Any) -> None:
    """Make onnxruntime find the CUDA libraries that pip installed; harmless where there are none."""
    if hasattr(onnxruntime, "preload_dlls") and any(Path("/proc/driver/nvidia").glob("version")):
        onnxruntime.preload_dlls()


def _assignments(ask: Any) -> list[Any]:
    if ask is None:
        return []
    try:
        return list(ask())
    except Exception:  # not recorded in this session, or a release that cannot
        return []


SETTLE = 2  # the first pass allocates, the second is captured; both belong to loading


class BoundTensors:
    """The tensors of one session, allocated once on a device and bound to every pass.

    A CUDA graph replays kernels with the addresses that they were captured with, so inputs are copied into the same
    memory each time and outputs are copied out of it. One thread at a time.
    """

    def __init__(
        self,
        onnxruntime: Any,
        session: Any,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        device: tuple[str, int],
    ) -> None:
        """Allocate and bind every tensor, and run the network until it is settled.

        Args:
            onnxruntime: the module.
            session: a loaded `onnxruntime.InferenceSession` with static shapes.
            inputs: what the network takes.
            outputs: what it gives.
            device: kind and index, such as ("cuda", 0).

        Raises:
            BackendError: the device has no memory left, or the passes cannot be captured.
        """
        self._session = session
        try:
            self._binding = session.io_binding()
            allocate = onnxruntime.OrtValue.ortvalue_from_shape_and_type
            self._inputs = {s.name: allocate(list(s.shape), s.dtype.type, *device) for s in inputs}
            self._outputs = {s.name: allocate(list(s.shape), s.dtype.type, *device) for s in outputs}
            for name, value in self._inputs.items():
                self._binding.bind_ortvalue_input(name, value)
            for name, value in self._outputs.items():
                self._binding.bind_ortvalue_output(name, value)
        except Exception as error:  # onnxruntime raises many kinds, none of them public
            raise BackendError(f"ONNX Runtime binds no tensors on {device[0]}:{device[1]} ({error})") from error
        blank = {spec.name: np.zeros(spec.shape, spec.dtype) for spec in inputs}
        for _ in range(SETTLE):
            self.run(blank)

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Run the network once on checked inputs; the outputs are copies that later passes leave alone.

        Raises:
            BackendError: the pass fails.
        """
        try:
            for name, value in self._inputs.items():
                value.update_inplace(np.ascontiguousarray(feeds[name]))
            self._session.run_with_iobinding(self._binding)
            return {name: np.array(value.numpy()) for name, value in self._outputs.items()}
        except Exception as error:  # onnxruntime raises many kinds, none of them public
            raise BackendError(f"ONNX Runtime did not run the network ({error}); see `ris doctor`") from error
