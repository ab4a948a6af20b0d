# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Build an engine from an ONNX file, and put it into the store: locked, checked, then renamed into place whole.

The same code serves TensorRT 10.3 to 11.x and TensorRT-RTX.
Networks are strongly typed, so precision comes from the file alone (11.x knows nothing else); tensors go by name; no
plugins; static shapes. Everything that TensorRT answers is looked at, and what it logged is in the error.
"""

from __future__ import annotations

import datetime
import os
import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ris_node import __version__
from ris_node.atomic import replacing, write_atomic
from ris_node.errors import BackendError, EngineMissingError, EngineRefusedError
from ris_node.hashing import hash_files
from ris_node.runtime.tensorrt.accept import Samples
from ris_node.runtime.tensorrt.log import given, make_logger
from ris_node.runtime.tensorrt.monitor import make_monitor
from ris_node.runtime.tensorrt.network import Audit, audit_network, create, parse_network, tables
from ris_node.runtime.tensorrt.session import TensorRtSession
from ris_node.runtime.tensorrt.spec import BuildSpec, EngineManifest, EngineRequest, hash_network
from ris_node.runtime.tensorrt.store import (
    ENGINE,
    MANIFEST,
    SAMPLES,
    StoredEngine,
    check_engine,
    engine_lock,
    find_engine,
)
from ris_node.runtime.tensorrt.toolkit import Toolkit, check_capability, load_module
from ris_node.types import TensorSpec

Progress = Callable[[str, float], None]  # the phase, and the fraction of the whole that is done, 0..1
MakeSamples = Callable[[], Samples]


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
        on_progress: called with phase and fraction, from TensorRT's thread.

    Raises:
        BackendError: TensorRT refuses the file or fails, or the network's precision is not what was asked for.
        OSError: the engine cannot be written.
    """
    trt = load_module() if trt is None else trt
    begin = time.monotonic()
    logger = make_logger(trt)
    builder = create(lambda: trt.Builder(logger), logger, "a builder")
    network = parse_network(trt, builder, logger, onnx)
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


def make_engine(
    request: EngineRequest,
    toolkit: Toolkit,
    on_progress: Progress,
    *,
    force: bool = False,
    make_samples: MakeSamples | None = None,
) -> tuple[StoredEngine, bool]:
    """The engine of a request, built if it is not there or must not be used.

    Whoever comes second waits for the first and takes what it built. A build that is killed leaves a folder that
    nothing reads, and the next build removes; one that runs out of disk removes it itself.

    Args:
        request: what to build, and where.
        toolkit: what to build it with; where it has a GPU the engine is loaded and run once, too.
        on_progress: called with the phase and the fraction that is done.
        force: build it even if it is there.
        make_samples: gives the samples that the engine is accepted by; None: it is stored without.

    Returns:
        The engine, and whether it was built now.

    Raises:
        BackendError: TensorRT or the network is not what the request says, or the build failed.
        OSError: the cache cannot be written to, or the disk is full.
    """
    check_capability(toolkit.name, toolkit.device)
    _check(request, toolkit)
    root = Path(request.root)

    def waiting(seconds: float) -> None:
        on_progress(f"another process builds this engine ({seconds:.0f} s)", 0.0)

    with engine_lock(root, request.key, waiting):
        if not force:
            try:
                return find_engine(request), False
            except (EngineMissingError, EngineRefusedError) as reason:
                on_progress(str(reason), 0.0)
        _make(request, toolkit, on_progress, make_samples)
        return check_engine(request.folder, request), True


def _make(request: EngineRequest, toolkit: Toolkit, on_progress: Progress, make_samples: MakeSamples | None) -> None:
    """Build beside the engine's folder and put it there whole; the lock is ours."""
    folder = request.folder
    for leftover in folder.parent.glob(f".*-{request.key}-*"):  # of builds that were killed
        shutil.rmtree(leftover, ignore_errors=True)
    part = folder.parent / f".part-{request.key}-{os.getpid()}"
    part.mkdir(parents=True)
    try:
        manifest = _fill(part, request, toolkit, on_progress)
        if make_samples is not None:
            on_progress("asking ONNX Runtime for reference answers", 1.0)
            make_samples().save(part / SAMPLES)
        if toolkit.cuda is not None and toolkit.device.present:
            on_progress("loading the engine", 1.0)
            run_once(StoredEngine(part, manifest, None), toolkit)
        _sync(part)
        _place(part, folder)
    except BackendError as error:  # whoever reads it must not look for a folder that is gone
        raise type(error)(str(error).replace(str(part), "the engine just built")) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _check(request: EngineRequest, toolkit: Toolkit) -> None:
    if (toolkit.name, toolkit.version) != (request.runtime, request.version):
        raise BackendError(
            f"{request.runtime} {request.version} was asked for, here is {toolkit.name} {toolkit.version}: ask again"
        )
    if hash_network(Path(request.onnx)) != request.onnx_sha256:
        raise BackendError(f"{request.onnx} has changed since the engine was asked for: ask again")


def _fill(part: Path, request: EngineRequest, toolkit: Toolkit, on_progress: Progress) -> EngineManifest:
    """Build the engine and write it with its manifest into `part`."""
    plan = part / ENGINE
    built = build_engine(
        Path(request.onnx),
        request.spec,
        plan,
        toolkit.trt,
        timing_cache=request.timing_cache,
        on_progress=on_progress,
    )
    plan.chmod(0o600)  # an engine is code
    manifest = describe(request, built, plan)
    (part / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
    return manifest


def _sync(folder: Path) -> None:
    """Write the files of a folder through to the disk."""
    for file in folder.iterdir():
        with file.open("rb+") as handle:
            os.fsync(handle.fileno())


def run_once(engine: StoredEngine, toolkit: Toolkit) -> None:
    """Load an engine and run it on zeros.

    Raises:
        EngineRefusedError: it does not load, or gives NaN or infinite values.
        BackendError: it does not run.
    """
    with TensorRtSession(engine, toolkit) as session:
        out = session.run({spec.name: np.zeros(spec.shape, spec.dtype) for spec in session.inputs})
    bad = [name for name, value in out.items() if not np.isfinite(value).all()]
    if bad:
        raise EngineRefusedError(f"{engine.plan} gives NaN or infinite values in {', '.join(bad)} for a black picture")


def describe(request: EngineRequest, built: Built, plan: Path) -> EngineManifest:
    """Return the manifest of an engine that was just built."""
    device = request.device
    return EngineManifest(
        key=request.key,
        keyed=request.keyed(),
        engine_sha256=hash_files(plan),
        engine_bytes=plan.stat().st_size,
        inputs=built.inputs,
        outputs=built.outputs,
        precision=built.audit.precision,
        heavy=built.audit.heavy,
        model_id=request.model_id,
        onnx=Path(request.onnx).name,
        seconds=round(built.seconds, 3),
        log=built.log,
        contract=request.contract,
        recorded={
            "driver": device.driver,
            "cuda": device.cuda,
            "system": device.system,
            "memory_bytes": device.memory_bytes,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "built_at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "ris_node": __version__,
        },
    )


def _place(part: Path, folder: Path) -> None:
    """Rename a finished folder into place; one that was there goes."""
    old = folder.parent / part.name.replace(".part-", ".old-")
    if folder.exists():
        folder.rename(old)
    part.rename(folder)
    handle = os.open(folder.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    shutil.rmtree(old, ignore_errors=True)
