# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Masks that a line names in a JSON file of COCO's form: `{"coco": "annotations.json", "id": 17}`, or several ids."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ris_node.data.pictures import stamp
from ris_node.errors import DataError

if TYPE_CHECKING:
    from ris_node.data.formats.coco import Instances


def check_coco(spec: dict[str, Any]) -> None:
    """Check the form of such a mask.

    Raises:
        DataError: it names no file, or no annotation.
    """
    if not isinstance(spec["coco"], str) or not spec["coco"].strip() or not _ids(spec):
        raise DataError(f"a mask of COCO's JSON is {{'coco': path, 'id': number or [numbers]}}, not {spec!r}")


def annotations_in(spec: Any) -> list[dict[str, Any]]:
    """The masks of this form among the parts of a mask of any form."""
    if not isinstance(spec, dict):
        return []
    return [spec] if "coco" in spec else [found for part in spec.get("any", ()) for found in annotations_in(part)]


def outline(spec: dict[str, Any], root: Path, image: str = "") -> tuple[Any, tuple[int, int]]:
    """The union of the annotations as another form of mask, and the (height, width) that it is for.

    Args:
        spec: the mask; its path is below `root`.
        root: a folder.
        image: the image that it has to be of, by its file's name ("": not checked).

    Raises:
        DataError: the file or an annotation is not there, or is of another image.
    """
    path, ids = root / spec["coco"], _ids(spec)
    instances = _opened(path, stamp(path))
    try:
        first = instances.annotations.get(ids[0])
        about = int(first["image_id"]) if first else 0
        parts = instances.outline(ids, about)
        width, height = instances.size(about)
        named = str(instances.images[about].get("file_name", ""))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: annotations {ids} are not of COCO's form: {error!r}") from error
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    if image and named and Path(named).name != Path(image).name:
        raise DataError(f"{path}: annotation {ids[0]} is of {named}, not of {image}")
    return parts, (height, width)


def _ids(spec: dict[str, Any]) -> list[int]:
    given = spec.get("id")
    ids: list[Any] = given if isinstance(given, list) else [given]
    return [] if any(isinstance(n, bool) or not isinstance(n, int) for n in ids) else ids


@lru_cache(maxsize=4)
def _opened(path: Path, version: tuple[int, int]) -> Instances:  # noqa: ARG001
    from ris_node.data.formats.coco import Instances  # it knows of masks itself

    return Instances.read(path)
