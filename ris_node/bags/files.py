# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which files make up a bag, and compressed ones made readable one at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from ris_node.bags.message import Topic
from ris_node.bags.typestore import needs
from ris_node.errors import BagError

STORAGES = (".mcap", ".db3", ".bag")
PACKED = (".zstd", ".zst", ".lz4")
METADATA = "metadata.yaml"
_BLOCK = 1 << 16  # what a damaged place costs at most


@dataclass(frozen=True)
class BagFiles:
    """The files of a bag in order, and its topics by metadata.yaml (empty: it is missing or damaged)."""

    files: tuple[Path, ...]
    topics: tuple[Topic, ...] = ()
    note: str = ""


def kind_of(path: Path) -> str:
    """Return the storage by a file's ending, below a compression's too: ".mcap", ".db3", ".bag" or nothing."""
    name = PurePath(path.name)
    inner = PurePath(name.stem) if name.suffix in PACKED else name
    return inner.suffix if inner.suffix in STORAGES else ""


def bag_name(path: Path) -> str:
    """Return the name that results call a bag by: its folder's, or its file's without endings."""
    return path.name if path.is_dir() else path.name.split(".")[0]


def is_bag(path: Path) -> bool:
    """Return whether a path looks like a bag: a folder with metadata.yaml or storage files, or a storage file."""
    if path.is_dir():
        return (path / METADATA).is_file() or any(kind_of(entry) for entry in path.iterdir())
    return bool(kind_of(path))


def find_files(path: Path) -> BagFiles:
    """Return the files of the bag at `path`, a folder or one file.

    Raises:
        BagError: nothing is there, or nothing in it is a bag's.
    """
    if not path.exists():
        raise BagError(f"there is no bag at {path}: give a bag's folder, or a .mcap, .db3 or .bag file")
    if path.is_file():
        if not kind_of(path):
            raise BagError(f"{path} is no bag: give a bag's folder, or a .mcap, .db3 or .bag file")
        return BagFiles((path,))
    found = _from_metadata(path) if (path / METADATA).is_file() else None
    if found is not None and not found.note:
        return found
    try:
        files = sorted((entry for entry in path.iterdir() if entry.is_file() and kind_of(entry)), key=_natural)
    except OSError as error:
        raise BagError(f"cannot list {path}: {error.strerror}") from error
    if not files:
        raise BagError(f"{path} holds no .mcap, .db3 or .bag file: give a bag's folder or file")
    note = found.note if found else f"{path / METADATA} is missing: the files are taken in the order of their names"
    return BagFiles(tuple(files), (), note)


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sorts drive_2 before drive_10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name) if part]


def _from_metadata(folder: Path) -> BagFiles:
    path = folder / METADATA
    try:
        text = path.read_text(encoding="utf-8")
        import yaml

        info = yaml.safe_load(text)["rosbag2_bagfile_information"]
        files = tuple(folder / PurePath(name).name for name in info["relative_file_paths"])
        topics = tuple(_topic(entry) for entry in info["topics_with_message_count"])
    except PermissionError as error:
        raise BagError(f"cannot read {path}: {error.strerror}; change its permissions") from error
    except Exception as error:  # whatever is wrong in it, the files themselves can still be read
        return BagFiles((), (), f"{path} is damaged ({type(error).__name__}: {error}): the files are read without it")
    missing = [file.name for file in files if not file.exists()]
    if missing or not files:
        return BagFiles((), (), f"{path} names files that are missing: {', '.join(missing) or 'none at all'}")
    return BagFiles(files, topics)


def _topic(entry: dict[str, Any]) -> Topic:
    about = entry["topic_metadata"]
    if about.get("serialization_format", "cdr") != "cdr":
        raise BagError(f"topic {about['name']} is serialised as '{about['serialization_format']}', not as CDR")
    digest = str(about.get("type_description_hash") or "")
    return Topic(name=str(about["name"]), type=str(about["type"]), count=int(entry["message_count"]), digest=digest)


def unpack(path: Path, folder: Path) -> tuple[Path, str]:
    """Decompress a packed file into `folder`.

    Returns:
        The file to read, which is `path` itself where it is not packed, and its damage (empty: none).

    Raises:
        BagError: it cannot be read, or the disk is full.
    """
    if path.suffix not in PACKED:
        return path, ""
    target, problem = folder / path.stem, ""
    try:
        with path.open("rb") as source, target.open("wb") as out:
            decoder = _decoder(path.suffix)
            while block := source.read(_BLOCK):
                try:
                    out.write(decoder.decompress(block))
                except OSError:
                    raise
                except Exception as error:
                    problem = f"{path}: damaged at or after byte {source.tell() - len(block)} ({error})"
                    break
            else:
                if not decoder.eof:
                    problem = f"{path}: ends in the middle of its compressed data, at byte {source.tell()}"
    except OSError as error:
        target.unlink(missing_ok=True)
        raise BagError(
            f"cannot decompress {path} into {folder}: {error.strerror}; set TMPDIR to a larger disk"
        ) from error
    return target, problem


def _decoder(suffix: str) -> Any:
    if suffix == ".lz4":
        return needs("lz4.frame").LZ4FrameDecompressor()
    return needs("zstandard").ZstdDecompressor().decompressobj()
