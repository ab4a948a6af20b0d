# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Any known data set as samples: read once into a file of JSON lines, which later calls open at once.

Indexes are in `$XDG_CACHE_HOME/ris_node/data`. They are made anew when an annotation file has another size or time, or
this package reads or words things differently. They hold texts and outlines, never images.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import zipfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np

from ris_node.atomic import replacing
from ris_node.data.formats.generated import lines_of
from ris_node.data.formats.request import Line, PictureSet, Request
from ris_node.data.location import locate
from ris_node.data.pictures import stamp
from ris_node.data.registry import FORMATS, Format, facts_of, format_named
from ris_node.data.samples.jsonl import Problem, SampleSet, open_jsonl
from ris_node.data.samples.sample import sample_of
from ris_node.errors import DataError


def open_data(name: str, root: Path | str, split: str = "train", cache_dir: Path | None = None) -> SampleSet:
    """Open a set of `FORMATS` by name, or a file of JSON lines.

    Args:
        name: e.g. "refcoco"; "jsonl": `root` is a file of JSON lines.
        root: the folder that holds the set (`Format.layout` says how).
        split: one of the set's splits; not used for "jsonl".
        cache_dir: where indexes are kept; None: `index_dir()`.

    Raises:
        DataError: when the set or split is unknown, files are missing (saying what to download), or damaged.
    """
    root = Path(root)
    if name == "jsonl":
        return open_jsonl(root)
    entry = format_named(name)
    request = Request(entry, root, entry.split(split))
    if not root.is_dir():
        raise entry.absent(root, root)
    reader = _reader(entry)
    inputs: tuple[Path, ...] = reader.inputs(request)
    path = (cache_dir or index_dir()) / f"{entry.name}-{split}-{_key(request, inputs)}.jsonl"
    kept = _load(path, request)
    if kept is not None:
        return kept
    found = lines_of(reader.annotated(request), split) if entry.annotated else reader.samples(request)
    return _build(path, request, found)


def open_pictures(name: str, root: Path | None = None) -> PictureSet:
    """Open the annotated pictures of "SET/SPLIT", e.g. "camvid/train".

    Args:
        name: a set of `FORMATS` whose every pixel has a class, and one of its splits.
        root: the data root that holds the set's folder; None: RIS_DATA.

    Raises:
        DataError: when the set is unknown, has no such pictures, or is not there.
    """
    source, _, split = name.partition("/")
    entry = facts_of(source)
    if not entry.annotated:
        known = ", ".join(one.name for one in FORMATS if one.annotated)
        raise DataError(f"no picture set {name!r}; write SET/SPLIT, with one of the sets {known}")
    pictures: PictureSet = _reader(entry).annotated(Request(entry, locate(source, root), entry.split(split)))
    return pictures


def _reader(entry: Format) -> ModuleType:
    return importlib.import_module(f"ris_node.data.formats.{entry.module}")


def index_dir() -> Path:
    """Return where indexes are kept: `$XDG_CACHE_HOME/ris_node/data`, by default below `~/.cache`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ris_node" / "data"


def _build(path: Path, request: Request, found: Iterable[Line | Problem]) -> SampleSet:
    """Write the index of what a reader found and return it opened."""
    places: list[tuple[int, int, int]] = []
    known: dict[str, int] = {}
    problems: list[Problem] = []
    offset = 0
    _make_folder(path.parent)
    with replacing(path) as beside, beside.open("wb") as file:
        for item in found:
            if isinstance(item, Problem):
                problems.append(item)
                continue
            try:
                sample = sample_of(item, request.root, request.format.name, len(places) + 1, files=True)
            except DataError as error:
                problems.append(Problem(f"{request.format.name} {item.get('id')}", str(error)))
                continue
            line = (json.dumps(item, ensure_ascii=False, separators=(",", ":")) + "\n").encode()
            file.write(line)
            places.append((offset, len(places) + 1, known.setdefault(sample.image_name, len(known))))
            offset += len(line)
        if not places:
            first = f"; the first problem: {problems[0]}" if problems else ""
            raise DataError(f"{request.format.name}: nothing of split {request.split!r} can be used{first}")
    table = np.array(places, np.int64).reshape(-1, 3)
    texts = np.array([(p.where, p.reason) for p in problems], np.str_).reshape(-1, 2)
    with replacing(path.with_suffix(".npz")) as beside, beside.open("wb") as file:
        np.savez(file, table=table, problems=texts, size=np.int64(offset))
    return SampleSet(path, request.root, request.format.name, table, tuple(problems))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"cannot keep an index in {folder} ({error.strerror or error}); set XDG_CACHE_HOME to a folder of yours"
        ) from error


def _load(path: Path, request: Request) -> SampleSet | None:
    """Return the index at `path`, or None where there is none that is whole."""
    try:
        with np.load(path.with_suffix(".npz"), allow_pickle=False) as kept:
            table, texts, size = kept["table"], kept["problems"], int(kept["size"])
        if path.stat().st_size != size:
            return None
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None
    problems = tuple(Problem(str(where), str(reason)) for where, reason in texts)
    return SampleSet(path, request.root, request.format.name, table, problems)


def _key(request: Request, inputs: tuple[Path, ...]) -> str:
    """Return a digest of all that the index depends on."""
    about = [request.format.name, request.split, str(request.root.resolve()), np.__version__, _package_digest()]
    about += [f"{path}:{stamp(path)}" for path in inputs]
    return hashlib.sha256("\n".join(about).encode()).hexdigest()[:20]


@cache
def _package_digest() -> str:
    """Return a hash of all in `ris_node/data` and `ris_scene`: readers, lists, predicates, wordings, renderer."""
    package = Path(__file__).resolve().parents[3]
    digest = hashlib.sha256()
    for folder in (package / "ris_node/data", package / "ris_scene"):
        for path in sorted(p for p in folder.rglob("*") if p.suffix in (".py", ".txt", ".json")):
            digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
