# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""COCO's `instances.json` (images, outlines, category names), and masks that name annotations of such a file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ris_node.data.masks.spec import MaskSpec, coco_ids
from ris_node.data.pictures import stamp
from ris_node.data.plain import load_json
from ris_node.errors import DataError

# Images of COCO's first release are named by the split they were in.
_TRAIN2014 = "COCO_train2014_"


@dataclass(frozen=True)
class Instances:
    """Content of an `instances.json`: `images` and `annotations` by id, and category names by id."""

    images: dict[int, dict[str, Any]]
    annotations: dict[int, dict[str, Any]]
    categories: dict[int, str]

    @staticmethod
    def read(path: Path) -> Instances:
        """Read the file.

        Raises:
            DataError: when it is no JSON, or not of this form.
        """
        content = load_json(path)
        try:
            return Instances(
                {int(item["id"]): item for item in content["images"]},
                {int(item["id"]): item for item in content["annotations"]},
                {int(item["id"]): str(item["name"]) for item in content.get("categories", [])},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"{path} is not a COCO instances file: {error!r}; download it again") from error

    def size(self, image_id: int) -> list[int]:
        """Return [width, height] of an image in pixels.

        Raises:
            DataError: when the file does not have the image.
        """
        about = self.images.get(image_id)
        if about is None:
            raise DataError(f"instances.json has no image {image_id}")
        return [int(about["width"]), int(about["height"])]

    def outline(self, ids: list[int], image_id: int) -> MaskSpec:
        """Return the union of annotations of an image, as lines write masks.

        Raises:
            DataError: when one is not there, is of another image, or has no outline that can be drawn.
        """
        parts: list[MaskSpec] = []
        for number in ids:
            found = self.annotations.get(number)
            if found is None:
                raise DataError(f"instances.json has no annotation {number}")
            if int(found["image_id"]) != image_id:
                raise DataError(f"annotation {number} is of image {found['image_id']}, not {image_id}")
            parts.append(_outline(found))
        return parts[0] if len(parts) == 1 else {"any": parts}

    def box(self, ids: list[int]) -> list[float] | None:
        """Return [x, y, width, height] around annotations, or None where one has no box."""
        found = [self.annotations[number].get("bbox") for number in ids]
        boxes = [box for box in found if isinstance(box, list) and len(box) == 4]
        if not boxes or len(boxes) < len(ids):
            return None
        x0, y0 = min(box[0] for box in boxes), min(box[1] for box in boxes)
        x1, y1 = max(box[0] + box[2] for box in boxes), max(box[1] + box[3] for box in boxes)
        return [x0, y0, x1 - x0, y1 - y0]

    def class_name(self, ids: list[int]) -> str:
        """Return the category that all annotations share, or ""."""
        names = {self.categories.get(int(self.annotations[number].get("category_id", -1)), "") for number in ids}
        return names.pop() if len(names) == 1 else ""


def image_file(about: dict[str, Any], image_id: int) -> str:
    """Return the file name of a train2014 image; made from its id where the file does not say."""
    return str(about.get("file_name") or f"{_TRAIN2014}{image_id:012d}.jpg")


def _outline(annotation: dict[str, Any]) -> MaskSpec:
    """Polygons of three points or more, or run lengths (packed or not), as in the file."""
    found = annotation.get("segmentation")
    if isinstance(found, list):
        # Two points are no area; four numbers would be taken for a box.
        found = [part for part in found if isinstance(part, list) and len(part) >= 6 and len(part) % 2 == 0]
    if not found:
        raise DataError(f"annotation {annotation.get('id')} has no outline")
    return found


def outline(spec: dict[str, Any], root: Path, image: str = "") -> tuple[Any, tuple[int, int]]:
    """Return the union of the annotations as another form of mask, and the (height, width) that it is for.

    Args:
        spec: the mask; its path is below `root`.
        root: a folder.
        image: the image that it has to be of, by its file's name ("": not checked).

    Raises:
        DataError: the file or an annotation is not there, or is of another image.
    """
    path, ids = root / spec["coco"], coco_ids(spec)
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


@lru_cache(maxsize=4)
def _opened(path: Path, version: tuple[int, int]) -> Instances:  # noqa: ARG001
    return Instances.read(path)
