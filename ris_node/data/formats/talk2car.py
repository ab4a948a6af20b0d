# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Talk2Car: what passengers asked of the car, with a box around the object they meant.

`commands/SPLIT_commands.json` is `{"scene_tokens", "commands": [{command, command_token, t2c_img, obj_name, "2d_box":
[x, y, w, h] in 1600 x 900, sample_token, ...}]}`; fields and boxes were checked on the published val and test files,
the images were not at hand. There are no masks: samples are present and not annotated, with their box and class.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ris_node.data.formats.request import Line, Request, watched
from ris_node.data.plain import load_json
from ris_node.data.samples.jsonl import Problem
from ris_node.errors import DataError

_IMAGES = ("images", "imgs", "data/images")
SIZE = [1600, 900]


def inputs(request: Request) -> tuple[Path, ...]:
    """Return the file of commands.

    Raises:
        DataError: when it or the images are missing, saying what to download.
    """
    request.need(*_IMAGES)
    name = f"commands/{request.split}_commands.json"
    return (request.need(name, f"data/{name}", f"{request.split}_commands.json"),)


def samples(request: Request) -> Iterator[Line | Problem]:
    """Yield a line for each command, or a problem for each that cannot be used.

    Raises:
        DataError: when the file is not of this form.
    """
    (path,) = inputs(request)
    content = load_json(path)
    commands = content.get("commands") if isinstance(content, dict) else None
    if not isinstance(commands, list):
        raise DataError(f"{path} has no list 'commands'; download it again")
    images = request.below(request.need(*_IMAGES))
    for place, item in enumerate(watched(commands, f"indexing {request.format.name}")):
        try:
            yield {
                "id": item.get("command_token", str(place)),
                "image": f"{images}/{item['t2c_img']}",
                "size": SIZE,
                "expression": item["command"],
                "present": True,
                "type": "region",
                "box": item.get("2d_box"),
                "class": item.get("obj_name", ""),
                "group": item.get("sample_token", ""),
            }
        except (KeyError, TypeError, AttributeError) as error:
            yield Problem(f"{path.name}, command {place}", f"{error!r}")
