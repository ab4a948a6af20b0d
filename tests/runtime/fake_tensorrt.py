# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A TensorRT for control flow only, held to the names and signatures that a release's bindings were found to have.

`fake_tensorrt(path_of_api_json)` makes a module. What a class does here is written below; what it may be called, and
with which arguments, comes from the file: a name that it lacks cannot be defined, set or used. Networks are not
compiled: a "plan" carries its ONNX file, and "execution" is ONNX Runtime on the addresses that were set.
"""

from __future__ import annotations

import ctypes
import inspect
import json
import re
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto

ENUMS = ("DataType", "LayerType", "BuilderFlag", "NetworkDefinitionCreationFlag", "MemoryPoolType", "TensorIOMode")
KINDS = {
    TensorProto.FLOAT: "FLOAT",
    TensorProto.FLOAT16: "HALF",
    TensorProto.INT64: "INT64",
    TensorProto.UINT8: "UINT8",
}
LAYERS = {
    "Conv": "CONVOLUTION",
    "MatMul": "MATRIX_MULTIPLY",
    "Gemm": "MATRIX_MULTIPLY",
    "DequantizeLinear": "DEQUANTIZE",
}
MAGIC = b"FAKEPLAN"


class Script:
    """How the fake behaves: each flag makes one call say no, as the real one does; `used` collects what was touched."""

    def __init__(self) -> None:
        self.used: set[tuple[str, str]] = set()
        self.refuse: set[str] = set()  # names of methods that return None or False
        self.errors: list[str] = []  # logged before a refusal
        self.load: Callable[[bytes], bytes | None] = lambda plan: plan[len(MAGIC) :] if plan[:8] == MAGIC else None
        self.bend: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]] = lambda out: out
        self.streams: dict[int, Any] = {}  # of the fake CUDA, so that capture works


def fake_tensorrt(api: Path, script: Script, version: str = "") -> ModuleType:
    """A module with the API of the API file of a release (real_bindings.py), whose behaviour `script` steers."""
    names: dict[str, Any] = json.loads(api.read_text(encoding="utf-8"))["names"]
    trt = ModuleType("fake_tensorrt")
    trt.__version__ = version or json.loads(api.read_text(encoding="utf-8"))["version"]
    for enum in ENUMS:
        setattr(trt, enum, _enum(enum, names[enum]))
    for make in (_logging, _network, _parsing, _building, _running):
        for cls in make(trt, script):
            setattr(trt, cls.__name__, _limit(cls, names, script))
    return trt


def signature_of(text: str) -> inspect.Signature | None:
    """The signature in a binding's documentation, or None where it has several ("*args, **kwargs")."""
    inner = re.search(r"\((.*)\)\s*->", text, re.S)
    if inner is None or "*args" in inner[1]:
        return None
    parameters = []
    for part in _split(inner[1]):
        name = part.split(":")[0].split("=")[0].strip()
        if name == "/":
            continue
        default = "..." if "=" in part else inspect.Parameter.empty
        parameters.append(inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default))
    return inspect.Signature(parameters)


def _split(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(text):
        depth += (letter in "([{<") - (letter in ")]}>" and text[at - 1] != "-")
        if letter == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return [part for part in (*parts, text[start:]) if part.strip()]


def _enum(name: str, members: dict[str, str]) -> Any:
    names = [member for member in members if member.isupper() or re.fullmatch(r"[A-Z0-9_]+", member)]
    return IntEnum(name, {member: number for number, member in enumerate(sorted(names))})


def _limit(cls: type, names: dict[str, Any], script: Script) -> type:
    """Hold a class to the API: its public names, the names set on it, and the arguments of its methods."""
    api = names[cls.__name__]
    for name, value in list(vars(cls).items()):
        if name.startswith("_"):
            continue
        assert name in api, f"{cls.__name__}.{name} is not in this release"
        if inspect.isfunction(value):
            setattr(cls, name, _checked(cls.__name__, name, value, api[name], script))

    def get(self: Any, name: str) -> Any:
        if not name.startswith("_") and name in api:
            script.used.add((cls.__name__, name))
        return object.__getattribute__(self, name)

    def put(self: Any, name: str, value: Any) -> None:
        if not name.startswith("_"):
            if name not in api and type(self) is cls:
                raise AttributeError(f"{cls.__name__} has no {name} in this release")
            if name in api:
                script.used.add((cls.__name__, name))
        object.__setattr__(self, name, value)

    if cls.__name__ != "IHostMemory":
        cls.__getattribute__, cls.__setattr__ = get, put  # type: ignore[method-assign,assignment]
    return cls


def _checked(owner: str, name: str, method: Any, text: str, script: Script) -> Any:
    signature = signature_of(text)

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if signature is not None:
            signature.bind(self, *args, **kwargs)  # TypeError where the release would raise one
        if name in script.refuse:
            for line in script.errors:
                _logger_of(self).log(_logger_of(self).ERROR, line)
            return False if name.startswith(("set_", "parse", "execute")) else None  # as the bindings say no
        return method(self, *args, **kwargs)

    return call


def _logger_of(thing: Any) -> Any:
    return thing._logger


def _logging(trt: ModuleType, script: Script) -> list[type]:
    class ILogger:
        INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = range(5)

        def log(self, severity: Any, msg: str) -> None:
            raise NotImplementedError

    class IProgressMonitor:
        def phase_start(self, phase_name: str, parent_phase: str, num_steps: int) -> None:
            raise NotImplementedError

        def step_complete(self, phase_name: str, step: int) -> bool:
            raise NotImplementedError

        def phase_finish(self, phase_name: str) -> None:
            raise NotImplementedError

    return [ILogger, IProgressMonitor]


def _network(trt: ModuleType, script: Script) -> list[type]:
    class ITensor:
        def __init__(self, name: str, kind: int, shape: tuple[int, ...] = ()) -> None:
            self.name, self.shape = name, shape
            self.dtype = getattr(trt.DataType, KINDS.get(kind, "FLOAT"))

    class ILayer:
        def __init__(self, kind: Any, inputs: list[Any], outputs: list[Any]) -> None:
            self.type, self._inputs, self._outputs = kind, inputs, outputs

        def get_input(self, index: int) -> Any:
            return self._inputs[index]

        def get_output(self, index: int) -> Any:
            return self._outputs[index]

    class INetworkDefinition:
        def __init__(self, logger: Any) -> None:
            self._logger, self._inputs, self._outputs, self._layers, self._file = logger, [], [], [], b""

        @property
        def num_inputs(self) -> int:
            return len(self._inputs)

        @property
        def num_outputs(self) -> int:
            return len(self._outputs)

        @property
        def num_layers(self) -> int:
            return len(self._layers)

        def get_input(self, index: int) -> Any:
            return self._inputs[index]

        def get_output(self, index: int) -> Any:
            return self._outputs[index]

        def get_layer(self, index: int) -> Any:
            return self._layers[index]

    return [ITensor, ILayer, INetworkDefinition]


def _parsing(trt: ModuleType, script: Script) -> list[type]:
    class ParserError:
        def desc(self) -> str:
            return "this operator is not supported"

        def node(self) -> int:
            return 3

        def node_name(self) -> str:
            return "node_3"

        def node_operator(self) -> str:
            return "GridSample"

    class OnnxParser:
        def __init__(self, network: Any, logger: Any) -> None:
            self._network, self._logger, self._errors = network, logger, []

        def parse_from_file(self, model: str) -> bool:
            data = Path(model).read_bytes()
            graph = onnx.shape_inference.infer_shapes(onnx.load_from_string(data)).graph
            if any(node.op_type == "GridSample" for node in graph.node):
                self._errors.append(trt.ParserError())
                return False
            kinds = {v.name: v.type.tensor_type.elem_type for v in (*graph.value_info, *graph.output, *graph.input)}
            network = self._network
            network._file = data
            network._inputs = [_io(trt, value) for value in graph.input]
            network._outputs = [_io(trt, value) for value in graph.output]
            for node in graph.node:
                kind = getattr(trt.LayerType, LAYERS.get(node.op_type, "SHUFFLE"))
                tensors = [
                    [trt.ITensor(name, kinds.get(name, 1)) for name in side] for side in (node.input, node.output)
                ]
                network._layers.append(trt.ILayer(kind, *tensors))
            return True

        @property
        def num_errors(self) -> int:
            return len(self._errors)

        def get_error(self, index: int) -> Any:
            return self._errors[index]

    return [ParserError, OnnxParser]


def _io(trt: ModuleType, value: onnx.ValueInfoProto) -> Any:
    kind = value.type.tensor_type
    return trt.ITensor(value.name, kind.elem_type, tuple(d.dim_value or -1 for d in kind.shape.dim))


def _building(trt: ModuleType, script: Script) -> list[type]:
    class IHostMemory(bytes):
        pass

    class ITimingCache:
        def __init__(self, data: bytes) -> None:
            self._data = data

        def serialize(self) -> Any:
            return trt.IHostMemory(self._data or b"TIMINGS of the fake")

    class IBuilderConfig:
        def __init__(self, logger: Any) -> None:
            self._logger, self._flags, self._cache = logger, set(), None
            self.progress_monitor = None
            self.builder_optimization_level = 3

        def set_memory_pool_limit(self, pool: Any, pool_size: int) -> None:
            assert pool in trt.MemoryPoolType and pool_size > 0

        def set_flag(self, flag: Any) -> None:
            assert flag in trt.BuilderFlag

        def clear_flag(self, flag: Any) -> None:
            assert flag in trt.BuilderFlag

        def create_timing_cache(self, serialized_timing_cache: bytes) -> Any:
            return trt.ITimingCache(bytes(serialized_timing_cache))

        def set_timing_cache(self, cache: Any, ignore_mismatch: bool) -> bool:
            self._cache = cache if not cache._data or cache._data.startswith(b"TIMINGS") else None
            return self._cache is not None

        def get_timing_cache(self) -> Any:
            return self._cache

    class Builder:
        def __init__(self, logger: Any) -> None:
            if "Builder" in script.refuse:
                raise TypeError("pybind11::init(): factory function returned nullptr")
            self._logger = logger

        def create_network(self, flags: int = 0) -> Any:
            assert flags & 1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
            return trt.INetworkDefinition(self._logger)

        def create_builder_config(self) -> Any:
            return trt.IBuilderConfig(self._logger)

        def build_serialized_network(self, network: Any, config: Any) -> Any:
            monitor = config.progress_monitor
            if monitor is not None:
                monitor.phase_start("Building", None, 2)
                monitor.phase_start("Timing", "Building", 2)
                assert monitor.step_complete("Timing", 0) and monitor.step_complete("Timing", 1)
                monitor.phase_finish("Timing")
                assert monitor.step_complete("Building", 0)
                monitor.phase_finish("Building")
            return trt.IHostMemory(MAGIC + network._file)

    return [IHostMemory, ITimingCache, IBuilderConfig, Builder]


def _running(trt: ModuleType, script: Script) -> list[type]:
    class Runtime:
        def __init__(self, logger: Any) -> None:
            self._logger = logger

        def deserialize_cuda_engine(self, serialized_engine: bytes) -> Any:
            model = script.load(bytes(serialized_engine))
            return trt.ICudaEngine(model, self._logger) if model is not None else None

    class ICudaEngine:
        def __init__(self, model: bytes, logger: Any) -> None:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            self._logger = logger
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
            self._inputs, self._outputs = self._session.get_inputs(), self._session.get_outputs()
            self._all = {node.name: node for node in (*self._inputs, *self._outputs)}

        @property
        def num_io_tensors(self) -> int:
            return len(self._all)

        def get_tensor_name(self, index: int) -> str:
            return list(self._all)[index]

        def get_tensor_shape(self, name: str) -> tuple[int, ...]:
            return tuple(self._all[name].shape)

        def get_tensor_dtype(self, name: str) -> Any:
            kinds = {"tensor(float)": "FLOAT", "tensor(uint8)": "UINT8", "tensor(int64)": "INT64"}
            return getattr(trt.DataType, kinds[self._all[name].type])

        def get_tensor_mode(self, name: str) -> Any:
            return trt.TensorIOMode.INPUT if name in {n.name for n in self._inputs} else trt.TensorIOMode.OUTPUT

        def create_execution_context(self) -> Any:
            return trt.IExecutionContext(self)

    class IExecutionContext:
        def __init__(self, engine: Any) -> None:
            self._engine, self._logger, self._at, self._shapes = engine, engine._logger, {}, {}

        def set_tensor_address(self, name: str, memory: int) -> bool:
            self._at[name] = memory
            return name in self._engine._all

        def set_input_shape(self, name: str, shape: Any) -> bool:
            self._shapes[name] = tuple(shape)
            return tuple(self._engine._all[name].shape) == tuple(shape)

        def infer_shapes(self) -> list[str]:
            return [node.name for node in self._engine._inputs if node.name not in self._shapes]

        def execute_async_v3(self, stream_handle: int) -> bool:
            script.streams[stream_handle].put(self._execute)
            return True

        def _execute(self) -> None:
            engine = self._engine
            out = engine._session.run(None, {n.name: _array(self._at[n.name], n).copy() for n in engine._inputs})
            named = script.bend({node.name: value for node, value in zip(engine._outputs, out, strict=True)})
            for node in engine._outputs:
                _array(self._at[node.name], node)[...] = named[node.name]

    return [Runtime, ICudaEngine, IExecutionContext]


def _array(address: int, node: Any) -> np.ndarray:
    dtype = np.dtype({"tensor(float)": "f4", "tensor(uint8)": "u1", "tensor(int64)": "i8"}[node.type])
    size = int(np.prod(node.shape)) * dtype.itemsize
    return np.frombuffer((ctypes.c_uint8 * size).from_address(address), dtype).reshape(node.shape)
