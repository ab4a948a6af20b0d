# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What lies beside every engine: `engine.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ris_node.decode import decode
from ris_node.errors import EngineRefusedError
from ris_node.runtime.tensorrt.spec import SCHEMA
from ris_node.types import TensorSpec


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
