# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""One engine from one ONNX file: the same code for TensorRT 10.3 to 11.x and TensorRT-RTX.

Networks are strongly typed, so precision comes from the file alone (11.x knows nothing else); tensors go by name; no
plugins; static shapes. Everything that TensorRT answers is looked at, and what it logged is in the error.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.atomic import replacing, write_atomic
from ris_node.errors import BackendError
from ris_node.runtime.tensorrt.audit import Audit, audit_network
from ris_node.runtime.tensorrt.log import complaint, given, make_logger
from ris_node.runtime.tensorrt.monitor import make_monitor
from ris_node.runtime.tensorrt.spec import BuildSpec
from ris_node.runtime.tensorrt.toolkit import load_module
from ris_node.types import TensorSpec

Progress = Callable[[str, float], None]  # what is being done, and how much of all of it is done, 0..1
_CHECK = "run `ris check` on the file, and export it again"
_DTYPES = ("FLOAT", "HALF", "INT8", "INT32", "INT64", "UINT8", "BOOL")
_NUMPY = ("float32", "float16", "int8", "int32", "int64", "uint8", "bool")


@dataclass(frozen=True)
class Built:
    """What came out of a build besides the engine file."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    audit: Audit
    seconds: float
    log: tuple[str, ...]  # the builder's last warnings and errors


def build_engine(
    onnx: Path,
    spec: BuildSpec,
    out: Path,
    trt: Any = None,
    *,
    timing_cache: Path | None = None,
    on_progress: Progress | None = None,
) -> Built:
    """Build an engine file from an ONNX file.

    Args:
        onnx: the network, with static shapes.
        spec: what is asked for; the file's own precision has to be that of `spec`.
        out: where the engine is written, whole or not at all.
        trt: the module `tensorrt` or `tensorrt_rtx`; None: the one that is installed.
        timing_cache: what earlier builds measured; read, and written anew.
        on_progress: told what goes on, from TensorRT's thread.

    Raises:
        BackendError: TensorRT refuses the file or fails, or the network's precision is not what was asked for.
        OSError: the engine cannot be written.
    """
    trt = load_module() if trt is None else trt
    begin = time.monotonic()
    logger = make_logger(trt)
    builder = _create(lambda: trt.Builder(logger), logger, "a builder")
    network = _network(trt, builder, logger, onnx)
    inputs, outputs = tables(trt, network)
    audit = audit_network(trt, network)
    audit.check(spec.precision)
    config = given(logger, builder.create_builder_config(), "TensorRT makes no configuration", "see its log above")
    monitor = _configure(trt, config, spec, on_progress)
    _load_timings(config, timing_cache)
    failed = f"TensorRT {trt.__version__} could not build {onnx.name}"
    hint = "free GPU memory or lower the workspace, and see the log"
    plan = given(logger, builder.build_serialized_network(network, config), failed, hint)
    del monitor
    with replacing(out) as beside:
        beside.write_bytes(memoryview(plan))
    _save_timings(config, timing_cache)
    return Built(inputs, outputs, audit, time.monotonic() - begin, tuple(logger.lines))


def _network(trt: Any, builder: Any, logger: Any, onnx: Path) -> Any:
    """The file as a strongly typed network."""
    # the flag's number differs between 10.x and 11.x, where it is a no-op
    typed = 1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    network = given(logger, builder.create_network(typed), "TensorRT makes no network", "see its log above")
    _parse(trt, network, logger, onnx)
    return network


def dtype_of(trt: Any, kind: Any) -> np.dtype[Any]:
    """The NumPy type of a TensorRT type.

    Raises:
        BackendError: NumPy has none.
    """
    for name, numpy_name in zip(_DTYPES, _NUMPY, strict=True):
        if kind == getattr(trt.DataType, name):
            return np.dtype(numpy_name)
    raise BackendError(f"NumPy has no type for {kind}: export the network with float32 in- and outputs")


def tables(trt: Any, network: Any) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """A parsed network's inputs and outputs.

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


def _create(make: Callable[[], Any], logger: Any, what: str) -> Any:
    try:
        return make()
    except TypeError as error:  # the bindings' way to say that the library gave nothing
        raise complaint(logger, f"TensorRT gives no {what.removeprefix('a ')}", "is the GPU's driver there?") from error


def _parse(trt: Any, network: Any, logger: Any, onnx: Path) -> None:
    if not onnx.is_file():
        raise BackendError(f"there is no network at {onnx}: restore the bundle")
    parser = _create(lambda: trt.OnnxParser(network, logger), logger, "a parser")
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


def _configure(trt: Any, config: Any, spec: BuildSpec, on_progress: Progress | None) -> Any:
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, spec.workspace_mib << 20)
    config.builder_optimization_level = spec.optimization_level
    (config.set_flag if spec.tf32 else config.clear_flag)(trt.BuilderFlag.TF32)
    if on_progress is None:
        return None
    monitor = make_monitor(trt, on_progress)
    config.progress_monitor = monitor
    return monitor  # the configuration does not keep it alive


def _load_timings(config: Any, path: Path | None) -> None:
    if path is None:
        return
    stored = path.read_bytes() if path.is_file() else b""
    cache = config.create_timing_cache(stored)
    if cache is None or not config.set_timing_cache(cache, False):  # of another GPU or version, or damaged
        cache = config.create_timing_cache(b"")
        if cache is None or not config.set_timing_cache(cache, False):
            raise BackendError(f"TensorRT takes no timing cache, not even an empty one: remove {path}")


def _save_timings(config: Any, path: Path | None) -> None:
    cache = config.get_timing_cache() if path is not None else None
    if path is not None and cache is not None:
        write_atomic(path, bytes(memoryview(cache.serialize())))
