# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Outputs: what a verb made in a folder is listed there in a marker file; nothing else is ever replaced or removed.

A folder that a verb makes is signed too, by the same file inside it: one that somebody put in its place is not ours.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ris_node.atomic import write_atomic
from ris_node.errors import ConfigError

MARKER = ".made_by_ris_node"


def check(
    out: Path, names: Iterable[str], inputs: Iterable[Path] = (), *, by: str, known: Collection[str] = ()
) -> None:
    """Refuse a folder in which writing `names` would touch what the verb did not make; touches nothing.

    Args:
        out: the output folder; it may be missing.
        names: files and folders in it that will be written, replaced or removed.
        inputs: files and folders that are read; none of them may be, or lie in, what is written.
        by: the verb that writes, as the marker names it: "ris replay". What another one made is not its own.
        known: names that are the verb's own by their content, whatever the marker says.

    Raises:
        ConfigError: one of them is in the way; the message names it.
    """
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out} is a file: give a folder")
    wanted = list(names)
    targets = {os.path.realpath(out / name): name for name in wanted}
    for source in (Path(os.path.realpath(path)) for path in inputs):
        for place in map(str, (source, *source.parents)):
            if place in targets:
                target = out / targets[place]
                raise ConfigError(f"the input {source} lies where {target} will be written: choose another --out")
    made = _made(out)
    for name in wanted:
        if os.path.lexists(out / name) and name not in known and not _is_own(out / name, made.get(name), by):
            other = made.get(name, by)
            who = f"was made by {other!r}, not by {by!r}" if other != by else "was not made by this program"
            raise ConfigError(f"{out / name} {who}: choose another --out, or move it away")


def claim(
    out: Path, names: Iterable[str], inputs: Iterable[Path] = (), *, by: str, known: Collection[str] = ()
) -> None:
    """Make the folder and list `names` in its marker, after `check`, so that the same verb may replace them later.

    Raises:
        ConfigError: see `check`; nothing was touched.
        OSError: the folder cannot be written to.
    """
    wanted = list(names)
    check(out, wanted, inputs, by=by, known=known)
    out.mkdir(parents=True, exist_ok=True)
    with _locked(out):  # several processes may write into one folder
        made = _made(out)
        listed = made | dict.fromkeys((name for name in wanted if name not in known), by)
        if listed != made:
            _write(out, {**_read(out), "made": dict(sorted(listed.items()))})


def check_file(path: Path, inputs: Iterable[Path] = (), *, by: str) -> None:
    """Refuse one file that the user named, as `check` does; a pipe or a device is written to as it is.

    Raises:
        ConfigError: it is a folder, an input, or not of this verb's making; nothing was touched.
    """
    if path.is_dir():
        raise ConfigError(f"--out {path} is a folder: give a file")
    if not _is_device(path):
        check(path.parent, [path.name], inputs, by=by)


def claim_file(path: Path, inputs: Iterable[Path] = (), *, by: str) -> None:
    """Claim one file that the user named, after `check_file`, shortly before it is written.

    Raises:
        ConfigError: see `check_file`; nothing was touched.
        OSError: its folder cannot be written to.
    """
    check_file(path, inputs, by=by)
    if not _is_device(path):
        claim(path.parent, [path.name], by=by)


def owns(out: Path, name: str, *, by: str) -> bool:
    """Whether the verb has made what is now `name` in the folder."""
    return _is_own(out / name, _made(out).get(name), by)


def remove(out: Path, name: str, *, by: str) -> None:
    """Remove a file or folder if the verb has made it; anything else stays."""
    if owns(out, name, by=by):
        if (out / name).is_dir():
            shutil.rmtree(out / name, ignore_errors=True)
        else:
            (out / name).unlink(missing_ok=True)


def sign(folder: Path, *, by: str) -> Path:
    """Make a folder, if it is missing, and sign it as made by the verb; call it before anything else is in there."""
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        _write(folder, {**_read(folder), "made_by": by})
    return folder


def _is_device(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


def _is_own(path: Path, maker: str | None, by: str) -> bool:
    if maker != by or (path.is_symlink() and not _is_device(path)):  # this program makes no links
        return False
    return not path.is_dir() or _read(path).get("made_by") == by


def _write(folder: Path, content: Mapping[str, object]) -> None:
    write_atomic(folder / MARKER, json.dumps(content, indent=1) + "\n")


def _made(out: Path) -> dict[str, str]:
    found = _read(out).get("made")
    if not isinstance(found, dict):
        return {}
    return {name: maker for name, maker in found.items() if isinstance(maker, str)}


def _read(folder: Path) -> dict[str, object]:
    try:
        found = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # file systems without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
