# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What an engine is built from and for, the key that follows from it, and the `engine.json` that lies beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ris_node.decode import decode
from ris_node.errors import BackendError, EngineRefusedError
from ris_node.hashing import hash_files
from ris_node.runtime.tensorrt.toolkit import DeviceInfo
from ris_node.types import TensorSpec

SCHEMA = 1
PRECISIONS = ("fp32", "fp16", "fp16-safe", "int8")


@dataclass(frozen=True)
class BuildSpec:
    """How an engine is built. Precision lives in the ONNX file; `precision` is what the file has to turn out to be."""

    precision: str = "fp32"
    workspace_mib: int = 1024
    optimization_level: int = 3
    tf32: bool = False  # off, so that float32 engines agree with ONNX Runtime

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise BackendError(f"there is no precision {self.precision!r}: choose one of {', '.join(PRECISIONS)}")
        if not 0 <= self.optimization_level <= 5 or self.workspace_mib < 1:
            raise BackendError(f"{self} is out of range: levels are 0 to 5, and a workspace has at least 1 MiB")


@dataclass(frozen=True, kw_only=True)
class EngineRequest:
    """One engine: of which network, by which TensorRT, for which GPU, and where it is kept.

    Driver, CUDA and the system are in `device` but not in the key: an engine survives their change.
    """

    onnx: str  # path
    onnx_sha256: str
    spec: BuildSpec
    runtime: str  # "tensorrt" or "tensorrt_rtx"
    version: str
    device: DeviceInfo
    root: str  # the cache's folder
    model: str = "model"  # the bundle's name: a folder of the cache
    model_id: str = ""
    bundle: str = ""  # the bundle's folder
    contract: dict[str, Any] = field(default_factory=dict)  # how images and texts are prepared

    def keyed(self) -> dict[str, Any]:
        """Return everything that the key depends on; no floats, so that the JSON text is the same everywhere."""
        return {
            "schema": SCHEMA,
            "runtime": self.runtime,
            "trt_version": self.version,
            "platform": self.device.platform,
            "sm": self.device.sm,
            "gpu_name": self.device.name,
            "onnx_sha256": self.onnx_sha256,
            "spec": asdict(self.spec),
        }

    @property
    def key(self) -> str:
        """16 hex digits of SHA-256 over `keyed()` as canonical JSON."""
        text = json.dumps(self.keyed(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def folder(self) -> Path:
        """Where the engine is kept: readable for people; the key decides."""
        brand = "rtx" if self.runtime == "tensorrt_rtx" else "trt"
        name = f"{self.spec.precision}-sm{self.device.sm}-{brand}{self.version}-{self.key}"
        return Path(self.root) / self.model / name

    @property
    def timing_cache(self) -> Path | None:
        """The timing cache shared by all engines of this TensorRT and GPU; TensorRT-RTX has none."""
        if self.runtime != "tensorrt":
            return None
        return Path(self.root) / "timing" / f"{self.version}-sm{self.device.sm}.cache"

    def to_json(self) -> str:
        """Return the request as JSON text, for the process that builds."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> EngineRequest:
        """Read a request.

        Raises:
            BackendError: it is no request.
        """
        try:
            return decode(cls, json.loads(text), "the request")
        except ValueError as error:
            raise BackendError(f"this is no request for an engine ({error!r})") from error


def hash_network(path: Path) -> str:
    """Return the SHA-256 in hex of an ONNX file and of the file of weights beside it, where there is one.

    Raises:
        BackendError: there is no such file.
    """
    beside = (path.with_name(path.name + ending) for ending in (".data", "_data"))
    try:
        return hash_files(path, *(file for file in beside if file.is_file()))
    except OSError as error:
        raise BackendError(f"{error.filename or path} cannot be read ({error}): restore the bundle") from error


@dataclass(frozen=True, kw_only=True)
class EngineManifest:
    """An engine's description.

    `keyed` is what the key was made from; `recorded` what was so when it was built and may change (driver, CUDA,
    system, host, time); `contract` how images and texts must be prepared; `heavy` the layers that cost time, by type.
    """

    key: str
    keyed: Mapping[str, Any]
    engine_sha256: str
    engine_bytes: int
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    precision: str
    heavy: Mapping[str, int] = field(default_factory=dict)
    model_id: str = ""
    onnx: str = ""
    seconds: float = 0.0
    log: tuple[str, ...] = ()
    recorded: Mapping[str, Any] = field(default_factory=dict)
    contract: Mapping[str, Any] = field(default_factory=dict)
    schema: int = SCHEMA

    def to_json(self) -> str:
        """Return the manifest as JSON text."""
        data = asdict(self)
        for side in ("inputs", "outputs"):
            data[side] = [_to_json(spec) for spec in getattr(self, side)]
        return json.dumps(data, indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str) -> EngineManifest:
        """Read a manifest.

        Raises:
            EngineRefusedError: it is not one, or is of another version of ris_node.
        """
        try:
            data = json.loads(text)
            if data["schema"] != SCHEMA:
                raise EngineRefusedError(f"{where} has schema {data['schema']}, this version reads {SCHEMA}")
            return decode(cls, data, "the manifest", required=("log",), ignore_unknown=True)
        except (ValueError, KeyError, TypeError) as error:
            raise EngineRefusedError(f"{where} cannot be read ({error!r})") from error


def _to_json(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "shape": list(spec.shape), "dtype": spec.dtype.name}
