# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Registry of systems: a file under `systems/` and a line here add one."""

from __future__ import annotations

from collections.abc import Mapping

from ris_node.decode import DecodeError, decode
from ris_node.errors import ConfigError
from ris_node.models.base import System, SystemConfig
from ris_node.models.systems.tsmi import Tsmi

SYSTEMS: dict[str, type[System]] = {
    "tsmi": Tsmi,
}
DEFAULT = "tsmi"


def find_system(name: str) -> type[System]:
    """Return the system registered as `name`.

    Raises:
        ConfigError: no such system.
    """
    if name not in SYSTEMS:
        raise ConfigError(f"no model is named {name!r}; there are {sorted(SYSTEMS)}")
    return SYSTEMS[name]


def model_config(name: str, values: Mapping[str, object]) -> SystemConfig:
    """Return the config of system `name` with `values` over its defaults.

    Raises:
        ConfigError: no such system, or a key that its config does not have, or a value of another type.
    """
    try:
        return decode(find_system(name).config_type, values, f"model {name!r}")
    except DecodeError as error:
        raise ConfigError(f"settings of {error}") from error


def loss_weights(name: str, values: Mapping[str, float], where: str = "config") -> dict[str, float]:
    """Return the weights of the loss terms of system `name` with `values` over its defaults.

    Raises:
        ConfigError: no such system, or a term that it does not have.
    """
    weights = dict(find_system(name).loss_weights)
    if unknown := sorted(set(values) - set(weights)):
        raise ConfigError(f"{where}: loss has unknown keys {', '.join(unknown)}; known are {', '.join(weights)}")
    return weights | dict(values)
