# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Backends and goal policies of other packages.

A package registers them in a module, and names that module in the entry-point group `ris_node.plugins`. The module is
imported when a parameter first has a value that is not built in, in the node as in every verb of `ris`.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import TypeVar

from ris_node.errors import ConfigError

GROUP = "ris_node.plugins"
log = logging.getLogger(__name__)
T = TypeVar("T")
_added: dict[str, list[str]] = {}


def register(registry: dict[str, T], parameter: str, name: str, implementation: T) -> None:
    """Add an implementation to a registry, and its name to the choices of a parameter.

    Raises:
        ConfigError: the name is taken.
    """
    if name in registry:
        raise ConfigError(f"{parameter} '{name}' is registered already: choose another name")
    registry[name] = implementation
    _added.setdefault(parameter, []).append(name)


def added_choices(parameter: str) -> tuple[str, ...]:
    """Return the names that were registered for a parameter, by installed packages too."""
    load_installed()
    return tuple(_added.get(parameter, ()))


@cache
def load_installed() -> None:
    """Import the modules that installed packages name; one that fails is logged and left out."""
    from importlib.metadata import entry_points  # here: it takes longer to import than the rest of this package

    for entry in entry_points(group=GROUP):
        try:
            entry.load()
        except Exception as error:  # another package's code: whatever it raises, the built-in choices go on
            log.warning("plugin %s (%s) is left out: %s: %s", entry.name, entry.value, type(error).__name__, error)
