# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The systems by name. A new one is a file with a config dataclass and a module beside it, and one line here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ris_node.errors import ConfigError
from ris_node.models.trunk import TrunkSpec
from ris_node.models.tsmi import Tsmi, TsmiConfig

SYSTEMS: dict[str, tuple[type[Any], type[Any]]] = {
    "tsmi": (TsmiConfig, Tsmi),
}


def model_config(name: str, values: Mapping[str, Any]) -> Any:
    """Return the config of system `name` with `values` over its defaults.

    Raises:
        ConfigError: no such system, or a key that its config does not have.
    """
    if name not in SYSTEMS:
        raise ConfigError(f"no model is named {name!r}; there are {sorted(SYSTEMS)}")
    kind = SYSTEMS[name][0]
    known = {field.name for field in dataclasses.fields(kind)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ConfigError(f"model {name!r} has no settings {unknown}; it has {sorted(known)}")
    return kind(**{key: tuple(v) if isinstance(v, list) else v for key, v in values.items()})


def build_model(name: str, config: Any, graph: TrunkSpec) -> Any:
    """Return an untrained network of system `name` over a trunk of this structure."""
    return SYSTEMS[name][1](config, graph)
