# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The Fast DDS profile in force, and the sizes its shared memory transport allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")  # newer and older Fast DDS
IN_FOLDER = ("DEFAULT_FASTDDS_PROFILES.xml", "DEFAULT_FASTRTPS_PROFILES.xml")
SEGMENT, MESSAGE = 512 * 1024, 65500  # bytes, where a profile says nothing


@dataclass(frozen=True)
class Limits:
    """Bytes of a shared memory segment, and of the largest message in it."""

    segment: int
    message: int


def find_profiles(environ: Mapping[str, str], folder: Path) -> dict[Path, str]:
    """Return the profile files that Fast DDS may read, and the variable or file name that chose each."""
    profiles: dict[Path, str] = {}
    for variable in VARIABLES:
        if environ.get(variable):
            profiles.setdefault(Path(environ[variable]), variable)
    if not profiles:
        profiles = {folder / name: name for name in IN_FOLDER if (folder / name).is_file()}
    return profiles


def read_limits(path: Path) -> Limits:
    """Read the shared memory sizes of a profile file; Fast DDS's own where it has none.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not XML, or a size is not a number.
    """
    try:
        root = ElementTree.fromstring(path.read_bytes())
    except ElementTree.ParseError as error:
        raise ValueError(f"not XML: {error}") from error
    for descriptor in root.iter():
        values = {_local(child.tag): (child.text or "").strip() for child in descriptor}
        if _local(descriptor.tag) == "transport_descriptor" and values.get("type") == "SHM":
            segment = int(values.get("segment_size", SEGMENT))
            return Limits(segment, int(values.get("maxMessageSize", min(segment, MESSAGE))))
    return Limits(SEGMENT, MESSAGE)


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
