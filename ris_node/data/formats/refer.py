# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""RefCOCO, RefCOCO+, RefCOCOg, gRefCOCO and R-RefCOCO: references to the objects of COCO's train2014 images.

(Unverified against the files themselves: written from the code of public loaders.) `refs(BY).p` is a pickle of a list
of references `{ref_id, ann_id, category_id, image_id, split, sentences: [{raw, sent, tokens, sent_id}]}`, and
`instances.json` holds the outlines. gRefCOCO's `grefs(unc).json` is the same list in JSON, where `ann_id` is a list
and [-1] (or `no_target`) says that nothing is meant. In R-RefCOCO a sentence with `exist` 0 is a negative one, about
the object of its reference but not true of it: it shares the group of the true sentences.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ris_node.data.formats.request import Line, Request, watched
from ris_node.data.masks.coco import Instances, image_file
from ris_node.data.plain import load_json, load_plain
from ris_node.data.samples.jsonl import Problem
from ris_node.errors import DataError

_IMAGES = ("images/mscoco/images/train2014", "images/mscoco/train2014", "images/train2014", "train2014")


def inputs(request: Request) -> tuple[Path, ...]:
    """Return the files that the references are read from.

    Raises:
        DataError: when one is missing, saying what to download.
    """
    request.need(*_IMAGES)
    return _refs_path(request), request.need(f"{request.format.options['folder']}/instances.json")


def samples(request: Request) -> Iterator[Line | Problem]:
    """Yield a line for each sentence of the split, or a problem for each reference that cannot be used.

    Raises:
        DataError: when the files are not of this form.
    """
    path, instances_path = inputs(request)
    refs = load_json(path) if path.suffix == ".json" else load_plain(path)
    if not isinstance(refs, list):
        raise DataError(f"{path} holds {type(refs).__name__}, not a list of references; download it again")
    instances = Instances.read(instances_path)
    images = request.below(request.need(*_IMAGES))
    for place, ref in enumerate(watched(refs, f"indexing {request.format.name}")):
        try:
            if _in_split(str(ref["split"]), request.split):
                yield from _lines(ref, instances, images)
        except (DataError, KeyError, TypeError, ValueError, AttributeError) as error:
            reason = f"has no {error}" if isinstance(error, KeyError) else str(error)
            name = ref.get("ref_id", f"number {place}") if isinstance(ref, dict) else f"number {place}"
            yield Problem(f"reference {name}", reason)


def _refs_path(request: Request) -> Path:
    folder, by, kind = (request.format.options[key] for key in ("folder", "by", "refs"))
    endings = ("json", "p") if kind == "grefs" else ("p", "json")
    return request.need(*(f"{folder}/{kind}({by}).{ending}" for ending in endings))


def _in_split(split: str, wanted: str) -> bool:
    """Return whether a reference's split is the one asked for; "testAB" is in testA and testB, all are in "test"."""
    if wanted.startswith("test"):
        return split.startswith("test") and wanted[4:] in split[4:]
    return split == wanted


def _lines(ref: dict[str, Any], instances: Instances, images: str) -> Iterator[Line]:
    image_id = int(ref["image_id"])
    listed = ref["ann_id"] if isinstance(ref["ann_id"], list) else [ref["ann_id"]]
    ids = [int(number) for number in listed if int(number) != -1]
    target = bool(ids) and not ref.get("no_target", False)
    shared: Line = {
        "image": f"{images}/{image_file(instances.images.get(image_id, {}), image_id)}",
        "size": instances.size(image_id),
        "group": f"{image_id}/{'+'.join(map(str, sorted(ids))) or 'none'}",
    }
    outline = instances.outline(ids, image_id) if target else None
    if target:
        shared |= {"class": instances.class_name(ids), "box": instances.box(ids)}
    for place, sentence in enumerate(ref["sentences"]):
        positive = target and bool(sentence.get("exist", True))
        yield {
            "id": f"{ref['ref_id']}/{sentence.get('sent_id', place)}",
            "expression": _text(sentence),
            "mask": outline if positive else None,
            "present": positive,
            **(shared if positive else {key: shared[key] for key in ("image", "size", "group")}),
        }


def _text(sentence: dict[str, Any]) -> str:
    """Return the text: as typed, else as cleaned by the publishers."""
    for key in ("raw", "sent"):
        if isinstance(sentence.get(key), str) and sentence[key].strip():
            return str(sentence[key])
    return " ".join(str(word) for word in sentence["tokens"])
