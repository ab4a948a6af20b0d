# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""An engine that runs: names only, one stream, pinned memory, fixed addresses, no torch."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import numpy as np

from ris_node.errors import BackendError, EngineRefusedError
from ris_node.runtime.base import Array, BackendInfo
from ris_node.runtime.ort import check_feeds
from ris_node.runtime.tensorrt.cuda import Buffer
from ris_node.runtime.tensorrt.log import complaint, given, make_logger
from ris_node.runtime.tensorrt.network import dtype_of
from ris_node.runtime.tensorrt.store import StoredEngine
from ris_node.runtime.tensorrt.toolkit import Toolkit
from ris_node.types import TensorSpec

log = logging.getLogger(__name__)
_OTHER = "it was built by another TensorRT or for another GPU, or memory ran out; `ris engine verify` shows it"


class TensorRtSession:
    """One network on TensorRT; keeps the `Session` contract, and belongs to one thread at a time.

    With `cuda_graph` the second run is captured and later ones replayed, since a network's many small kernels cost more
    to launch than to run. Where a run cannot be captured, kernels are launched one by one.
    """

    def __init__(self, engine: StoredEngine, toolkit: Toolkit, *, cuda_graph: bool = False) -> None:
        """Load an engine that was checked, and allocate its buffers.

        Raises:
            EngineRefusedError: TensorRT does not take it, or its tensors are not those of its manifest.
            BackendError: there is no GPU or not enough memory.
        """
        if toolkit.cuda is None:
            raise BackendError(f"there is no CUDA here to run {engine.folder} on: engines can only be built")
        self._cuda, self._device_id = toolkit.cuda, toolkit.device.index
        self._want_graph, self._runs = cuda_graph, 0
        self._graph: Any = None
        self._closed, self._thread = False, 0
        self._buffers: dict[str, Buffer] = {}
        self._stream: Any = None
        self._own_thread()
        trt = toolkit.trt
        self._logger = make_logger(trt)
        try:
            self._engine = self._load(trt, engine)
            self.inputs, self.outputs = self._tensors(trt, engine)
            self._context = self._made(self._engine.create_execution_context(), "TensorRT gives no context")
            self._stream = self._cuda.new_stream()
            self._bind()
        except BaseException:
            self.close()
            raise
        manifest = engine.manifest
        device = f"{toolkit.device.name} (sm {toolkit.device.sm}, {toolkit.name} {toolkit.version})"
        self.info = BackendInfo(
            backend="tensorrt",
            provider=toolkit.name,
            precision=manifest.precision,
            device=device,
            engine_key=manifest.key,
        )

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Run the network once; see `Session.run`."""
        if self._closed:
            raise BackendError("this network was closed: open it again")
        check_feeds(self.inputs, feeds)
        self._own_thread()
        for spec in self.inputs:
            np.copyto(self._buffers[spec.name].host, feeds[spec.name])
        # the first run settles what TensorRT does lazily, the second is captured
        if self._graph is not None or (self._want_graph and self._runs == 1 and self._captured()):
            self._cuda.launch(self._graph, self._stream)
        else:
            self._enqueue()
        self._cuda.wait(self._stream)
        self._runs += 1
        return {spec.name: self._buffers[spec.name].host.copy() for spec in self.outputs}

    def close(self) -> None:
        """Free the network; closing twice is harmless."""
        if self._closed:
            return
        self._closed = True
        self._own_thread()
        # what TensorRT made goes in the opposite order, and before the memory that it was given
        if self._graph is not None:
            self._cuda.free_graph(self._graph)
        self._context = self._engine = self._graph = None
        for buffer in self._buffers.values():
            buffer.close()
        self._buffers = {}
        if self._stream is not None:
            self._cuda.free_stream(self._stream)
            self._stream = None

    def __enter__(self) -> TensorRtSession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _own_thread(self) -> None:
        """Choose the GPU for this thread: loading and answering happen on different ones."""
        if self._thread != threading.get_ident():
            self._cuda.use(self._device_id)
            self._thread = threading.get_ident()

    def _load(self, trt: Any, engine: StoredEngine) -> Any:
        self._runtime = trt.Runtime(self._logger)
        plan = engine.plan.read_bytes()
        loaded = self._runtime.deserialize_cuda_engine(plan)
        if loaded is None:
            why = complaint(self._logger, f"TensorRT {trt.__version__} does not load {engine.plan}", _OTHER)
            raise EngineRefusedError(str(why))
        return loaded

    def _tensors(self, trt: Any, engine: StoredEngine) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
        """The engine's tensors by name, which have to be those that the network had when it was parsed."""
        sides: dict[bool, list[TensorSpec]] = {True: [], False: []}
        loaded = self._engine
        for index in range(loaded.num_io_tensors):
            name = loaded.get_tensor_name(index)
            shape = tuple(int(size) for size in loaded.get_tensor_shape(name))
            spec = TensorSpec(name, shape, dtype_of(trt, loaded.get_tensor_dtype(name)))
            sides[loaded.get_tensor_mode(name) == trt.TensorIOMode.INPUT].append(spec)
        for found, expected in ((sides[True], engine.manifest.inputs), (sides[False], engine.manifest.outputs)):
            if {(s.name, s.shape, s.dtype) for s in found} != {(s.name, s.shape, s.dtype) for s in expected}:
                raise EngineRefusedError(f"{engine.plan} has the tensors {found}, its manifest says {expected}")
        return engine.manifest.inputs, engine.manifest.outputs

    def _bind(self) -> None:
        for spec in (*self.inputs, *self.outputs):
            buffer = self._buffers[spec.name] = Buffer(self._cuda, spec)
            self._made(
                self._context.set_tensor_address(spec.name, buffer.device), f"TensorRT takes no address for {spec.name}"
            )
        for spec in self.inputs:
            self._made(
                self._context.set_input_shape(spec.name, spec.shape), f"TensorRT takes no {spec.shape} for {spec.name}"
            )
        missing = list(self._context.infer_shapes())
        if missing:
            raise complaint(self._logger, f"shapes are missing for {', '.join(missing)}", "build the engine anew")

    def _enqueue(self) -> None:
        for spec in self.inputs:
            self._buffers[spec.name].upload(self._stream)
        self._made(self._context.execute_async_v3(int(self._stream)), "TensorRT did not run the network")
        for spec in self.outputs:
            self._buffers[spec.name].download(self._stream)

    def _captured(self) -> bool:
        """Capture a run; say once where that fails."""
        try:
            self._cuda.begin_capture(self._stream)
            try:
                self._enqueue()
            finally:
                self._graph = self._cuda.end_capture(self._stream)
        except BackendError as error:
            if self._graph is not None:
                self._cuda.free_graph(self._graph)
                self._graph = None
            log.warning("no CUDA graph for this engine, every kernel is launched: %s", error)
        return self._graph is not None

    def _made(self, value: Any, what: str) -> Any:
        return given(self._logger, value, what, "see the log; `ris engine verify` tries the engine by itself")
