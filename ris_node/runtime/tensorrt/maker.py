# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""From a request to an engine in the store: locked, built beside, checked, then renamed into place whole."""

from __future__ import annotations

import datetime
import os
import shutil
import socket
from pathlib import Path

import numpy as np

from ris_node import __version__
from ris_node.errors import BackendError, EngineMissingError, EngineRefusedError
from ris_node.hashing import hash_files
from ris_node.runtime.tensorrt.build import Built, Progress, build_engine
from ris_node.runtime.tensorrt.lock import engine_lock
from ris_node.runtime.tensorrt.manifest import EngineManifest
from ris_node.runtime.tensorrt.samples import make_samples
from ris_node.runtime.tensorrt.session import TensorRtSession
from ris_node.runtime.tensorrt.spec import EngineRequest, hash_network
from ris_node.runtime.tensorrt.store import (
    ENGINE,
    MANIFEST,
    SAMPLES,
    StoredEngine,
    check_engine,
    find_engine,
)
from ris_node.runtime.tensorrt.toolkit import Toolkit, check_capability


def make_engine(
    request: EngineRequest, toolkit: Toolkit, on_progress: Progress, *, force: bool = False
) -> tuple[StoredEngine, bool]:
    """The engine of a request, built if it is not there or must not be used.

    Whoever comes second waits for the first and takes what it built. A build that is killed leaves a folder that
    nothing reads, and the next build removes; one that runs out of disk removes it itself.

    Args:
        request: what to build, and where.
        toolkit: what to build it with; where it has a GPU the engine is loaded and run once, too.
        on_progress: told what goes on, and the fraction that is done.
        force: build it even if it is there.

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
        _make(request, toolkit, on_progress)
        return check_engine(request.folder, request), True


def _make(request: EngineRequest, toolkit: Toolkit, on_progress: Progress) -> None:
    """Build beside the engine's folder and put it there whole; the lock is ours."""
    folder = request.folder
    for leftover in folder.parent.glob(f".*-{request.key}-*"):  # of builds that were killed
        shutil.rmtree(leftover, ignore_errors=True)
    part = folder.parent / f".part-{request.key}-{os.getpid()}"
    part.mkdir(parents=True)
    try:
        _fill(part, request, toolkit, on_progress)
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


def _fill(part: Path, request: EngineRequest, toolkit: Toolkit, on_progress: Progress) -> None:
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
    if request.bundle:
        on_progress("asking ONNX Runtime for reference answers", 1.0)
        make_samples(request.bundle).save(part / SAMPLES)
    if toolkit.cuda is not None and toolkit.device.present:
        on_progress("loading the engine", 1.0)
        run_once(StoredEngine(part, manifest, None), toolkit)
    for file in part.iterdir():
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
    """The manifest of an engine that was just built."""
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
