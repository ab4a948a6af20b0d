# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""RIS-CQ: long queries, each meaning one segment of COCO's panoptic truth.

A JSON list of `{file_name: "train2017/...jpg", sentence, pan_seg_file: "panoptic_train2017/...png", id}`. Fields and
ids were seen in the 1,000 samples that are published; how the rest is divided into files was not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ris_node.data.formats.request import Line, Request, watched
from ris_node.data.plain import load_json
from ris_node.data.samples.jsonl import Problem
from ris_node.errors import DataError


def inputs(request: Request) -> tuple[Path, ...]:
    """Return the file of queries.

    Raises:
        DataError: when it is missing, saying what to download.
    """
    names = ["sub_ris.json", "ris_cq.json"] if request.split == "all" else [f"{request.split}.json"]
    return (request.need(*names),)


def samples(request: Request) -> Iterator[Line | Problem]:
    """Yield a line for each query, or a problem for each that cannot be used.

    Raises:
        DataError: when the file is not of this form.
    """
    (path,) = inputs(request)
    items = load_json(path)
    if not isinstance(items, list):
        raise DataError(f"{path} holds {type(items).__name__}, not a list of queries; download it again")
    for place, item in enumerate(watched(items, f"indexing {request.format.name}")):
        try:
            number, image = int(item["id"]), _below(request, str(item["file_name"]))
            yield {
                "id": str(place),
                "image": image,
                "expression": item["sentence"],
                "mask": {"png": _below(request, str(item["pan_seg_file"])), "id": number},
                "group": f"{image}/{number}",
            }
        except (KeyError, TypeError, ValueError) as error:
            yield Problem(f"{path.name}, item {place}", f"{error!r}")


def _below(request: Request, name: str) -> str:
    """A file of COCO where the annotations say, or below `images/` or `annotations/`."""
    for folder in ("", "images/", "annotations/", "coco/"):
        if (request.root / folder / name).is_file():
            return folder + name
    return name
