# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The few CUDA calls that running an engine takes, by cuda-python, each status checked. No torch."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from ris_node.errors import BackendError
from ris_node.runtime.base import Array
from ris_node.types import TensorSpec

_HINT = "see `nvidia-smi`, or on a Jetson `tegrastats`"


class Cuda:
    """CUDA's runtime API; addresses are plain integers.

    Args:
        runtime: the module `cuda.bindings.runtime`, or one that has the same names.
    """

    def __init__(self, runtime: Any) -> None:
        self._runtime = runtime

    @classmethod
    def load(cls) -> Cuda:
        """Load CUDA by cuda-python.

        Raises:
            BackendError: cuda-python is not installed, or does not import.
        """
        try:
            from cuda.bindings import runtime
        except Exception as error:  # without a driver some releases raise more than ImportError
            raise BackendError(f"cuda-python does not import ({error}): pip install cuda-python") from error
        return cls(runtime)

    def call(self, name: str, *args: Any) -> Any:
        """Call a function of the runtime API and return what it returns besides its status.

        Raises:
            BackendError: the status is not success; with CUDA's own words.
        """
        try:
            status, *values = getattr(self._runtime, name)(*args)
        except RuntimeError as error:  # cuda-python 12.x, where there is no driver
            raise BackendError(f"{name} failed: {error}; {_HINT}") from error
        if int(status) != 0:
            _, text = self._runtime.cudaGetErrorString(status)
            words = text.decode() if isinstance(text, bytes) else str(text)
            raise BackendError(f"{name} failed: {words} (CUDA error {int(status)}); {_HINT}")
        return values[0] if len(values) == 1 else tuple(values)

    def device_count(self) -> int:
        """Return how many GPUs there are."""
        return int(self.call("cudaGetDeviceCount"))

    def use(self, device_id: int) -> None:
        """Make a GPU the calling thread's own: CUDA keeps that by thread."""
        self.call("cudaSetDevice", device_id)

    def describe(self, device_id: int) -> tuple[str, str, int]:
        """Return a GPU's name, compute capability and memory in bytes."""
        found = self.call("cudaGetDeviceProperties", device_id)
        name = found.name.decode() if isinstance(found.name, bytes) else str(found.name)
        return name.rstrip("\0"), f"{found.major}.{found.minor}", int(found.totalGlobalMem)

    def versions(self) -> tuple[str, str]:
        """Return the driver's CUDA version and the runtime's."""
        numbers = (int(self.call("cudaDriverGetVersion")), int(self.call("cudaRuntimeGetVersion")))
        driver, runtime = (f"{number // 1000}.{number % 1000 // 10}" for number in numbers)
        return driver, runtime

    def new_stream(self) -> Any:
        """Return a stream that does not wait for the default one, on which TensorRT would synchronise too much."""
        return self.call("cudaStreamCreateWithFlags", self._runtime.cudaStreamNonBlocking)

    def free_stream(self, stream: Any) -> None:
        """Give a stream back."""
        self.call("cudaStreamDestroy", stream)

    def wait(self, stream: Any) -> None:
        """Wait until a stream has done everything."""
        self.call("cudaStreamSynchronize", stream)

    def upload(self, device: int, host: int, size: int, stream: Any) -> None:
        """Copy bytes from pinned memory to the GPU."""
        self.call("cudaMemcpyAsync", device, host, size, self._runtime.cudaMemcpyKind.cudaMemcpyHostToDevice, stream)

    def download(self, host: int, device: int, size: int, stream: Any) -> None:
        """Copy bytes from the GPU to pinned memory."""
        self.call("cudaMemcpyAsync", host, device, size, self._runtime.cudaMemcpyKind.cudaMemcpyDeviceToHost, stream)

    def begin_capture(self, stream: Any) -> None:
        """Begin to record what is put on the stream, instead of doing it."""
        self.call(
            "cudaStreamBeginCapture", stream, self._runtime.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        )

    def end_capture(self, stream: Any) -> Any:
        """End the recording; returns a graph that can be launched again and again."""
        graph = self.call("cudaStreamEndCapture", stream)
        try:
            return self.call("cudaGraphInstantiate", graph, 0)
        finally:
            self.call("cudaGraphDestroy", graph)

    def launch(self, graph: Any, stream: Any) -> None:
        """Do what was recorded."""
        self.call("cudaGraphLaunch", graph, stream)

    def free_graph(self, graph: Any) -> None:
        """Give a graph back."""
        self.call("cudaGraphExecDestroy", graph)


class Buffer:
    """One tensor twice: in pinned memory, as the array `host`, and on the GPU, at the address `device`.

    Raises:
        BackendError: there is not enough memory.
    """

    def __init__(self, cuda: Cuda, spec: TensorSpec) -> None:
        self._cuda = cuda
        self.spec = spec
        self.size = int(np.prod(spec.shape, dtype=np.int64)) * spec.dtype.itemsize
        self.device = self._pinned = 0
        try:
            self._pinned = int(cuda.call("cudaMallocHost", self.size))
            self.device = int(cuda.call("cudaMalloc", self.size))
        except BackendError:
            self.close()
            raise
        raw = memoryview((ctypes.c_uint8 * self.size).from_address(self._pinned))
        self.host: Array = np.frombuffer(raw, spec.dtype).reshape(spec.shape)

    def upload(self, stream: Any) -> None:
        """Copy the array to the GPU."""
        self._cuda.upload(self.device, self._pinned, self.size, stream)

    def download(self, stream: Any) -> None:
        """Copy the array from the GPU."""
        self._cuda.download(self._pinned, self.device, self.size, stream)

    def close(self) -> None:
        """Give the memory back; the array must not be used any more."""
        device, pinned = self.device, self._pinned
        self.device = self._pinned = 0
        if device:
            self._cuda.call("cudaFree", device)
        if pinned:
            self._cuda.call("cudaFreeHost", pinned)
