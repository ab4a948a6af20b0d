# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A recipe: the `ris` command lines that make a bundle, in steps, read from a folder's `recipe.yaml`."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import yaml

from ris_node.data.location import folder_of
from ris_node.data.registry import set_named
from ris_node.errors import ConfigError, DataError
from ris_node.hashing import hash_files

FILE = "recipe.yaml"
BUNDLE = "bundle"  # the step in whose folder the bundle is made
_KEYS = {"data", "values", "smoke", "steps"}


@dataclass(frozen=True)
class Line:
    """Words of one `ris` command, with $names of folders in them; `gate` says that exit code 1 ends the making."""

    words: tuple[str, ...]
    gate: bool = True

    def filled(self, places: Mapping[str, str]) -> list[str]:
        """Return the words with folders in the place of their names.

        Raises:
            ConfigError: a name is unknown.
        """
        try:
            return [Template(word).substitute(places) for word in self.words]
        except (KeyError, ValueError) as error:
            known = ", ".join(f"${name}" for name in places)
            raise ConfigError(f"recipe line {shlex.join(self.words)!r}: {error} is unknown; known: {known}") from error


@dataclass(frozen=True)
class Step:
    """A part of the making that is done or not; its lines write into a folder of its name."""

    name: str
    lines: tuple[Line, ...]

    def inputs(self, recipe: Recipe, data: Mapping[str, str], before: str) -> dict[str, Any]:
        """Return the inputs of the step: its lines, the recipe's files that they read, the data, the step before."""
        used = sorted({word.removeprefix("$here/") for line in self.lines for word in line.words if "$here/" in word})
        files = {name: hash_files(recipe.folder / name) for name in used}
        return {"lines": [shlex.join(line.words) for line in self.lines], "files": files, "data": data, "after": before}


@dataclass(frozen=True)
class Recipe:
    """Content of `recipe.yaml`: the public sets that are needed and the steps, values filled in."""

    folder: Path
    data: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def name(self) -> str:
        """The folder's name, which the bundle gets too."""
        return self.folder.name


def load_recipe(folder: Path, smoke: bool = False, values: Mapping[str, str] | None = None) -> Recipe:
    """Read a recipe; with `smoke` its values for a short run take the place of the others, `values` those of both.

    Raises:
        ConfigError: it cannot be read, has unknown keys or values, or no step that makes the bundle.
    """
    folder = folder.resolve()
    try:
        said = yaml.safe_load((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot read {folder / FILE} ({error}): give a folder that holds a {FILE}") from error
    if not isinstance(said, Mapping) or not set(said) <= _KEYS or BUNDLE not in (said.get("steps") or {}):
        raise ConfigError(f"{folder / FILE}: give the keys {sorted(_KEYS)}, and among the steps one named {BUNDLE}")
    known: dict[str, Any] = dict(said.get("values") or {})
    given = {**((said.get("smoke") or {}) if smoke else {}), **(values or {})}
    if unknown := sorted(set(given) - set(known)):
        raise ConfigError(f"{folder / FILE} has no values {unknown}; known are {sorted(known)}")
    known |= given
    steps = tuple(Step(name, tuple(_line(text, known) for text in lines)) for name, lines in said["steps"].items())
    return Recipe(folder, tuple(said.get("data") or ()), steps)


def _line(text: str, values: Mapping[str, Any]) -> Line:
    words = shlex.split(Template(str(text)).safe_substitute(values))
    return Line((words[0].removeprefix("-"), *words[1:]), not words[0].startswith("-"))


def look_at_data(recipe: Recipe, root: Path, whole: bool = True) -> dict[str, str]:
    """Return a digest of each set that a recipe needs: the names and sizes of its files.

    Raises:
        DataError: one is not there, or, with `whole`, lacks files.
    """
    found = {}
    for name in recipe.data:
        one, folder = set_named(name), folder_of(name, root)
        missing = one.missing(folder) if whole or not folder.is_dir() else []
        if missing:
            raise DataError(f"{name} is not whole: {'; '.join(missing)}; {one.how}")
        files = sorted(path for pattern in one.files or ("**/*.*",) for path in folder.glob(pattern))
        found[name] = digest([[path.relative_to(folder).as_posix(), path.stat().st_size] for path in files])
    return found


def digest(value: object) -> str:
    """Return a short hash of a JSON value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
