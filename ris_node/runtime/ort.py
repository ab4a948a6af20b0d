# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Networks on ONNX Runtime."""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from ris_node.errors import BackendError
from ris_node.runtime import ort_gpu
from ris_node.runtime.base import Array, BackendInfo
from ris_node.runtime.onnx_peek import peek
from ris_node.runtime.ort_gpu import BoundTensors, Placement
from ris_node.types import TensorSpec

log = logging.getLogger(__name__)
CPU = "CPUExecutionProvider"
SPIN_US = 30  # longer gains little more on an idle machine and costs on a busy one
_SPIN = "session.intra_op.allow_spinning"
_BOUNDED_SPIN = (1, 32)  # the version it was measured with; older ones may spin for milliseconds instead
_DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(bool)": "bool",
}


class OrtSession:
    """One network on ONNX Runtime; keeps the `Session` contract.

    Threads: `num_threads` 0 means one a core. Between passes worker threads sleep, so an idle node costs nothing and
    the camera's and middleware's threads get their turn; see `session_options` for within a pass.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        num_threads: int = 0,
        providers: Sequence[str] = (),
        device_id: int = 0,
        strict: bool = False,
        cache_dir: str = "",
        cuda_graph: bool = False,
        impaired: str = "",
    ) -> None:
        """Load a network.

        Args:
            path: an ONNX file with static shapes.
            num_threads: threads for one operator; 0: one a core.
            providers: execution providers in order of preference; empty: the CPU.
            device_id: which GPU, for providers that use one.
            strict: the first provider has to run the network; else what really runs is only reported.
            cache_dir: where a provider that builds engines keeps them; empty: beside ours.
            cuda_graph: replay passes of the CUDA provider as one CUDA graph; without one, kernels are launched.
            impaired: why another network was meant to run here; it is only reported.

        Raises:
            BackendError: onnxruntime is missing, has none of `providers`, or refuses the file.
        """
        ort, path = _onnxruntime(), Path(path)
        precision = _precision(path)
        threads = num_threads or cores()
        wanted = _usable(ort, tuple(providers) or (CPU,))
        where = Placement(device_id, cache_dir, cuda_graph and wanted[0] == ort_gpu.CUDA)
        self._session: Any = None
        self._bound: BoundTensors | None = None
        self._open(ort, path, threads, wanted, where)
        self.used = used = ort_gpu.in_use(self._session)
        if strict:
            used.check(wanted[0])
        self._names = [spec.name for spec in self.outputs]
        gpu = f"GPU {device_id} ({used}{', one CUDA graph' if self._bound else ''})"
        device = f"{_cpu_name()} ({threads} threads)" if used.provider == CPU else gpu
        precision = ort_gpu.true_precision(used.provider, precision, ort.__version__)
        self.info = BackendInfo(
            backend="onnxruntime", provider=used.provider, precision=precision, device=device, impaired=impaired
        )

    def _open(self, ort: Any, path: Path, threads: int, providers: list[str], where: Placement) -> None:
        """Load the network; a CUDA graph that cannot be captured costs the graph, not the network."""
        settings = [ort_gpu.provider_settings(name, where, ort.__version__) for name in providers]
        try:
            self._session = _load(ort, path, threads, providers, settings)
            self.inputs = tuple(_tensor(node, path) for node in self._session.get_inputs())
            self.outputs = tuple(_tensor(node, path) for node in self._session.get_outputs())
            if where.cuda_graph and self._session.get_providers()[0] == ort_gpu.CUDA:
                device = ("cuda", where.device_id)
                self._bound = BoundTensors(ort, self._session, self.inputs, self.outputs, device)
        except BackendError as error:
            if not where.cuda_graph:
                raise
            log.warning("no CUDA graph for %s, every kernel is launched: %s", path.name, error)
            self._session = None
            self._open(ort, path, threads, providers, replace(where, cuda_graph=False))

    @property
    def captured(self) -> bool:
        """Whether passes are replayed as one CUDA graph."""
        return self._bound is not None

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Run the network once; see `Session.run`."""
        if self._session is None:
            raise BackendError("this network was closed: open it again")
        check_feeds(self.inputs, feeds)
        if self._bound is not None:
            return self._bound.run(feeds)
        return dict(zip(self._names, self._session.run(self._names, dict(feeds)), strict=True))

    def close(self) -> None:
        """Free the network; closing twice is harmless."""
        self._bound = None  # its memory is the session's
        self._session = None

    def __enter__(self) -> OrtSession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _precision(path: Path) -> str:
    if not path.is_file():
        raise BackendError(f"there is no network at {path}: restore the bundle")
    return peek(path).precision


def _usable(ort: Any, wanted: tuple[str, ...]) -> list[str]:
    have = ort.get_available_providers()
    usable = [name for name in wanted if name in have]
    if not usable:
        raise BackendError(
            f"this onnxruntime has none of {', '.join(wanted)} (it has {', '.join(have)}): "
            "install the build that has it, or leave `providers` empty"
        )
    return usable


def _load(ort: Any, path: Path, threads: int, providers: list[str], settings: list[dict[str, str]]) -> Any:
    if providers != [CPU]:
        ort_gpu.prepare(ort)
    try:
        options = session_options(ort, threads)
        return ort.InferenceSession(str(path), options, providers=providers, provider_options=settings)
    except Exception as error:  # onnxruntime raises many kinds, none of them public
        raise BackendError(f"ONNX Runtime refuses {path} ({error}): export the network again") from error


def check_feeds(specs: Sequence[TensorSpec], feeds: Mapping[str, Array]) -> None:
    """Check a network's inputs, for every backend alike.

    Raises:
        BackendError: an input is missing or unknown, or differs in shape or dtype.
    """
    if len(feeds) != len(specs):
        extra, missing = set(feeds) - {s.name for s in specs}, {s.name for s in specs} - set(feeds)
        raise BackendError(f"inputs missing: {sorted(missing)}, unknown: {sorted(extra)}")
    for spec in specs:
        value = feeds.get(spec.name)
        if value is None:
            raise BackendError(f"input {spec.name} is missing; given are {', '.join(feeds)}")
        if value.shape != spec.shape or value.dtype != spec.dtype:
            raise BackendError(
                f"input {spec.name} is {value.dtype}{list(value.shape)}, the network wants "
                f"{spec.dtype}{list(spec.shape)}"
            )


def _onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise BackendError(f"onnxruntime does not import ({error}): pip install onnxruntime") from error
    return onnxruntime


def session_options(ort: Any, threads: int) -> Any:
    """Return the options of every session: all rewriting, one operator at a time, threads that hardly spin.

    Waking a thread that sleeps takes longer than many an operator. Where ONNX Runtime can bound it, a worker therefore
    stays awake for some microseconds within a pass: a sixth off an INT8 pass and a tenth off float32, for the same
    processor time. Its own default of many milliseconds doubles a pass on a busy machine.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    for name, value in _waiting(ort.__version__).items():
        options.add_session_config_entry(name, value)
    options.add_session_config_entry(*ort_gpu.RECORD)
    return options


def _waiting(version: str) -> dict[str, str]:
    """How workers wait for work: asleep, unless this ONNX Runtime knows how to bound how long they spin."""
    if ort_gpu.release(version) < _BOUNDED_SPIN:
        return {_SPIN: "0"}
    return {_SPIN: "1", "session.intra_op.spin_duration_us": str(SPIN_US), "session.force_spinning_stop": "1"}


def _tensor(node: Any, path: Path) -> TensorSpec:
    if node.type not in _DTYPES or not all(isinstance(d, int) and d > 0 for d in node.shape):
        raise BackendError(f"{path}: {node.name} is {node.type}{node.shape}; export it with static shapes")
    return TensorSpec(node.name, tuple(node.shape), np.dtype(_DTYPES[node.type]))


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
