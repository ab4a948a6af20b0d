# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Output folders: what this program made there is listed in a marker file; nothing else is ever replaced or removed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from ris_node.atomic import write_atomic
from ris_node.errors import ConfigError

MARKER = ".ris_node_made.json"


def check(out: Path, names: Iterable[str], inputs: Iterable[Path] = (), known: Iterable[str] = ()) -> None:
    """Refuse a folder in which writing `names` would touch what this program did not make; touches nothing.

    Args:
        out: the output folder; it may be missing.
        names: files and folders in it that will be written, replaced or removed.
        inputs: files and folders that are read; none of them may be, or lie in, what is written.
        known: what another record than the marker (a bundle's manifest) says to be this program's.

    Raises:
        ConfigError: one of them is in the way; the message names it.
    """
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out} is a file: give a folder")
    wanted, made = list(names), _made(out) | set(known)
    for source in (Path(os.path.realpath(path)) for path in inputs):
        for name in wanted:
            if _holds(out / name, source):
                raise ConfigError(f"the input {source} lies where {out / name} will be written: choose another --out")
    for name in wanted:
        if os.path.lexists(out / name) and name not in made:
            raise ConfigError(f"{out / name} was not made by this program: choose another --out, or move it away")


def claim(out: Path, names: Iterable[str], inputs: Iterable[Path] = (), known: Iterable[str] = ()) -> None:
    """Make the folder and list `names` in its marker, after `check`, so that a later run may replace them.

    Raises:
        ConfigError: see `check`; nothing was touched.
        OSError: the folder cannot be written to.
    """
    wanted, listed = list(names), set(known)
    check(out, wanted, inputs, listed)
    out.mkdir(parents=True, exist_ok=True)
    made = _made(out)
    if not made | listed >= set(wanted):
        write_atomic(out / MARKER, json.dumps({"made": sorted(made | set(wanted))}, indent=1) + "\n")


def owns(out: Path, name: str) -> bool:
    """Whether this program has made `name` in the folder."""
    return name in _made(out)


def _holds(target: Path, source: Path) -> bool:
    target = Path(os.path.realpath(target))
    return target == source or target in source.parents


def _made(out: Path) -> set[str]:
    try:
        found = json.loads((out / MARKER).read_text(encoding="utf-8"))["made"]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    return {name for name in found if isinstance(name, str)} if isinstance(found, list) else set()
