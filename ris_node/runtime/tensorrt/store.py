# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The engines on this machine: found by key, refused with a reason, locked, listed, removed.

An engine file is code. Only what lies in our own cache, in the folder of its key, with the hash that its manifest says,
is ever loaded; nothing is downloaded, and a bundle carries none.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ris_node.atomic import write_atomic
from ris_node.errors import BackendError, EngineMissingError, EngineRefusedError, EngineRejectedError
from ris_node.hashing import hash_files
from ris_node.runtime.tensorrt.spec import EngineManifest, EngineRequest

ENGINE, MANIFEST, PARITY, SAMPLES, REJECTED = (
    "model.engine",
    "engine.json",
    "parity.json",
    "samples.npz",
    "model.engine.rejected",
)
LOCKS = ".locks"
_POLL_S = 0.2
# only folders of these names are ever removed: people give --cache-dir folders that hold other things, too
_NAME = re.compile(r".+-sm.+-(trt|rtx).+-[0-9a-f]{16}")
_LEFT = re.compile(r"\.(part|old)-[0-9a-f]{16}-\d+")  # of builds that were killed
_WORDS = {
    "gpu_name": "the GPU",
    "sm": "compute capability",
    "trt_version": "TensorRT",
    "runtime": "the runtime",
    "platform": "the platform",
    "onnx_sha256": "the network",
    "spec": "the settings",
    "schema": "schema",
}


@dataclass(frozen=True)
class StoredEngine:
    """An engine whose files are whole; `parity` is None until it has been held against ONNX Runtime."""

    folder: Path
    manifest: EngineManifest
    parity: Mapping[str, Any] | None

    @property
    def plan(self) -> Path:
        """The engine file."""
        return self.folder / ENGINE


def cache_root(configured: str = "") -> Path:
    """Return the engines' folder: `configured`, or ris_node/engines under XDG_CACHE_HOME or ~/.cache."""
    if configured:
        return Path(configured).expanduser()
    base = os.environ.get("XDG_CACHE_HOME", "")
    home = Path(base) if Path(base).is_absolute() else Path("~/.cache").expanduser()
    return home / "ris_node" / "engines"


def rebuild_command(request: EngineRequest) -> str:
    """Return the command that builds this engine anew."""
    where = f" --bundle {request.bundle}" if request.bundle else ""
    return f"ris engine build{where} --precision {request.spec.precision} --force"


def find_engine(request: EngineRequest) -> StoredEngine:
    """Return the engine that was asked for.

    Raises:
        EngineMissingError: it has not been built.
        EngineRefusedError: what lies in its place must not be used; says why, and how to build it anew.
        EngineRejectedError: it was built, and gave wrong answers.
    """
    if not request.folder.is_dir():
        raise EngineMissingError(f"no {request.spec.precision} engine {request.key} for {request.device.name} yet")
    try:
        return check_engine(request.folder, request)
    except EngineRefusedError as error:
        raise type(error)(f"{error}; build it anew: {rebuild_command(request)}") from error


def check_engine(folder: Path, request: EngineRequest | None = None) -> StoredEngine:
    """Check an engine: what was asked for, in the folder of its key, whole, with the manifest's hash, and ours alone.

    Raises:
        EngineRefusedError: saying what is wrong.
    """
    try:
        text = (folder / MANIFEST).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EngineRefusedError(f"{folder / MANIFEST} cannot be read ({error})") from error
    manifest = EngineManifest.from_json(text, str(folder / MANIFEST))
    if request is not None:
        _compare(manifest, request)
    if not folder.name.endswith(f"-{manifest.key}"):
        raise EngineRefusedError(f"the engine in {folder} has the key {manifest.key}: it was put there from elsewhere")
    parity = _read_parity(folder / PARITY)
    if parity is not None and not parity["passed"]:
        raise EngineRejectedError(f"the engine in {folder} gives wrong answers ({parity['reason']})")
    plan = folder / ENGINE
    if not plan.is_file():
        raise EngineRefusedError(f"{plan} is missing")
    if plan.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH) or plan.stat().st_uid not in (os.getuid(), 0):
        raise EngineRefusedError(f"{plan} can be written by others, and an engine is code")
    size = plan.stat().st_size
    if size != manifest.engine_bytes:
        raise EngineRefusedError(f"{plan} has {size} bytes of {manifest.engine_bytes}: it is truncated or was changed")
    if hash_files(plan) != manifest.engine_sha256:
        raise EngineRefusedError(f"{plan} is not the file that was built (its SHA-256 differs)")
    return StoredEngine(folder, manifest, parity)


def set_parity(engine: StoredEngine, parity: Mapping[str, Any]) -> StoredEngine:
    """Write down how the engine compares with ONNX Runtime; one that failed is set aside and never used."""
    write_atomic(engine.folder / PARITY, json.dumps(dict(parity), indent=1) + "\n")
    if not parity["passed"]:
        engine.plan.replace(engine.folder / REJECTED)
    return StoredEngine(engine.folder, engine.manifest, parity)


def list_engines(root: Path) -> Iterator[tuple[Path, StoredEngine | None, str]]:
    """Yield every engine of a cache: its folder, the engine, or None and why it cannot be used."""
    for folder in sorted(root.glob("*/*-*")):
        if not folder.is_dir() or not _NAME.fullmatch(folder.name):
            continue
        try:
            engine = check_engine(folder)
        except EngineRefusedError as error:
            yield folder, None, str(error)
        else:
            yield folder, engine, ""


@contextmanager
def engine_lock(root: Path, key: str, on_wait: Callable[[float], None] | None = None) -> Iterator[None]:
    """Hold the lock of an engine; `on_wait` is called with the seconds so far while another process has it.

    The system frees the lock when its holder ends, however it ends, so a killed builder locks nobody out.

    Raises:
        OSError: the cache's folder cannot be written to.
    """
    folder = root / LOCKS
    folder.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    with (folder / key).open("w") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if on_wait is not None:
                    on_wait(time.monotonic() - begin)
                time.sleep(_POLL_S)
        yield


def unfinished(root: Path) -> list[Path]:
    """Return the folders that killed builds have left behind."""
    return sorted(p for p in root.glob("*/.*") if p.is_dir() and _LEFT.fullmatch(p.name))


def shared(root: Path) -> list[Path]:
    """Return the folders of a cache that belong to no one engine: timing caches and locks."""
    folders = ((root / "timing", "*-sm*.cache"), (root / LOCKS, "*"))
    return [f for f, own in folders if f.is_dir() and all(p.is_file() and p.match(own) for p in f.iterdir())]


def remove(path: Path, root: Path) -> int:
    """Remove a folder of the cache; returns how many bytes that freed.

    Raises:
        BackendError: it does not lie in the cache.
    """
    if root.resolve() not in path.resolve().parents:
        raise BackendError(f"{path} does not lie in the engine cache {root}: nothing was removed")
    size = sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
    shutil.rmtree(path)
    return size


def _compare(manifest: EngineManifest, request: EngineRequest) -> None:
    wanted, found = request.keyed(), manifest.keyed
    for name, words in _WORDS.items():
        if found.get(name) != wanted[name]:
            raise EngineRefusedError(
                f"the engine in {request.folder} was built for {words} {found.get(name)}, here it is {wanted[name]}"
            )
    if manifest.contract != request.contract:
        raise EngineRefusedError(
            f"the engine in {request.folder} was built for a bundle that prepares inputs otherwise"
        )


def _read_parity(path: Path) -> Mapping[str, Any] | None:
    if not path.is_file():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return {**data, "passed": bool(data["passed"]), "reason": str(data["reason"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EngineRefusedError(f"{path} cannot be read ({error!r})") from error
