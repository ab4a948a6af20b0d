# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""CUDA's runtime API with the processor's memory as the GPU's: addresses, streams and capture, for control flow only.

It has the names that `cuda.bindings.runtime` has and returns what they return: a status first, then the values.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any


class Status(int):
    """A cudaError_t."""


OK, BAD_VALUE, NO_MEMORY, NO_DEVICE = Status(0), Status(1), Status(2), Status(100)
TEXTS = {0: b"no error", 1: b"invalid argument", 2: b"out of memory", 100: b"no CUDA-capable device is detected"}


class Stream:
    """A stream; while it captures, what is put on it is kept instead of done."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self.captured: list[Callable[[], None]] | None = None

    def __int__(self) -> int:
        return self.handle

    def put(self, work: Callable[[], None]) -> None:
        if self.captured is not None:
            self.captured.append(work)
        else:
            work()


class FakeCudart:
    """What `Cuda` calls; `live` are the allocations, streams and graphs that were not given back."""

    cudaStreamNonBlocking = 1  # noqa: N815  # CUDA's names
    cudaMemcpyKind = SimpleNamespace(cudaMemcpyHostToDevice=1, cudaMemcpyDeviceToHost=2)  # noqa: N815
    cudaStreamCaptureMode = SimpleNamespace(cudaStreamCaptureModeThreadLocal=1)  # noqa: N815

    def __init__(self, devices: int = 1, memory: int = 1 << 30) -> None:
        self.devices, self.memory = devices, memory
        self.live: dict[int, Any] = {}
        self.streams: dict[int, Stream] = {}
        self.chosen: list[int] = []
        self.launches = 0

    def cudaGetErrorString(self, status: int) -> tuple[Status, bytes]:  # noqa: N802
        return OK, TEXTS[int(status)]

    def cudaGetDeviceCount(self) -> tuple[Any, ...]:  # noqa: N802
        return (OK, self.devices) if self.devices else (NO_DEVICE, None)

    def cudaSetDevice(self, device: int) -> tuple[Status]:  # noqa: N802
        self.chosen.append(device)
        return (OK if 0 <= device < self.devices else NO_DEVICE,)

    def cudaGetDeviceProperties(self, device: int) -> tuple[Any, ...]:  # noqa: N802
        return OK, SimpleNamespace(name=b"Pretend GPU\0\0", major=8, minor=7, totalGlobalMem=8 << 30)

    def cudaDriverGetVersion(self) -> tuple[Status, int]:  # noqa: N802
        return OK, 12060

    def cudaRuntimeGetVersion(self) -> tuple[Status, int]:  # noqa: N802
        return OK, 12060

    def _allocate(self, size: int) -> tuple[Any, ...]:
        if size > self.memory:
            return NO_MEMORY, None
        block = ctypes.create_string_buffer(size)
        self.live[ctypes.addressof(block)] = block
        return OK, ctypes.addressof(block)

    def _free(self, address: int) -> tuple[Status]:
        return (OK if self.live.pop(address, None) is not None else BAD_VALUE,)

    def cudaMalloc(self, size: int) -> tuple[Any, ...]:  # noqa: N802
        return self._allocate(size)

    def cudaMallocHost(self, size: int) -> tuple[Any, ...]:  # noqa: N802
        return self._allocate(size)

    def cudaFree(self, address: int) -> tuple[Status]:  # noqa: N802
        return self._free(address)

    def cudaFreeHost(self, address: int) -> tuple[Status]:  # noqa: N802
        return self._free(address)

    def cudaStreamCreateWithFlags(self, flags: int) -> tuple[Any, ...]:  # noqa: N802
        stream = Stream(7000 + len(self.streams))
        self.streams[stream.handle] = self.live[stream.handle] = stream
        return OK, stream

    def cudaStreamDestroy(self, stream: Stream) -> tuple[Status]:  # noqa: N802
        return self._free(int(stream))

    def cudaStreamSynchronize(self, stream: Stream) -> tuple[Status]:  # noqa: N802
        return (OK if stream.captured is None else BAD_VALUE,)

    def cudaMemcpyAsync(self, to: int, source: int, size: int, kind: int, stream: Stream) -> tuple[Status]:  # noqa: N802
        stream.put(lambda: ctypes.memmove(to, source, size) and None)
        return (OK,)

    def cudaStreamBeginCapture(self, stream: Stream, mode: int) -> tuple[Status]:  # noqa: N802
        stream.captured = []
        return (OK,)

    def cudaStreamEndCapture(self, stream: Stream) -> tuple[Any, ...]:  # noqa: N802
        captured, stream.captured = stream.captured, None
        graph = SimpleNamespace(work=captured)
        self.live[id(graph)] = graph
        return OK, graph

    def cudaGraphInstantiate(self, graph: Any, flags: int) -> tuple[Any, ...]:  # noqa: N802
        ready = SimpleNamespace(work=list(graph.work))
        self.live[id(ready)] = ready
        return OK, ready

    def cudaGraphDestroy(self, graph: Any) -> tuple[Status]:  # noqa: N802
        return self._free(id(graph))

    def cudaGraphExecDestroy(self, graph: Any) -> tuple[Status]:  # noqa: N802
        return self._free(id(graph))

    def cudaGraphLaunch(self, graph: Any, stream: Stream) -> tuple[Status]:  # noqa: N802
        self.launches += 1
        for work in graph.work:
            work()
        return (OK,)
