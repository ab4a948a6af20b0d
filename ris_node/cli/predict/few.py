# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris predict --image --command`: each command in each picture, with an overlay to look at."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ris_node.cli.predict.answers import full_answer
from ris_node.cli.predict.common import KINDS, VERB, make_frame, open_grounder, reason_of
from ris_node.errors import ConfigError, RisError
from ris_node.media.images import read_image, write_png
from ris_node.outputs import check, claim
from ris_node.pipeline.overlay import draw_overlay
from ris_node.types import Frame, Query, Status

if TYPE_CHECKING:
    from ris_node.pipeline.grounder import Grounder
    from ris_node.pipeline.grounding import Grounding

ENDS = (".json", ".overlay.png", ".mask.png", ".region.png")
NAME_BYTES = 255  # longest file name of Linux, macOS and Windows file systems


def run_few(args: argparse.Namespace) -> int:
    """Answer every command in every picture; what cannot be answered is named and does not stop the rest."""
    stems = _stems(args)
    names = [f"{stem}{end}" for stem in stems.values() for end in ENDS]
    check(args.out, names, map(Path, args.image), by=VERB)
    grounder = open_grounder(args)
    claim(args.out, names, by=VERB)
    answers, failed = [], 0
    with grounder:
        for number, path in enumerate(map(Path, args.image)):
            try:
                frame = make_frame(read_image(path), args.hfov)
            except ConfigError:  # of an option
                raise
            except Exception as error:  # one picture must not stop those after it
                failed += 1
                print(f"ris predict: {reason_of(error)}", file=sys.stderr)
                continue
            for place, text in enumerate(args.command):
                stem = args.out / stems[number, place]
                try:
                    answers.append(_answer(grounder, frame, Query(text, kind=KINDS[args.type]), stem, path))
                except Exception as error:  # nor one answer: a file that cannot be written, a bad command
                    failed += 1
                    print(f"ris predict: '{path}', command {text[:60]!r}: {reason_of(error)}", file=sys.stderr)
                    continue
                if not args.json:
                    print(_sentence(answers[-1]))
    if args.json:
        print(json.dumps(answers, indent=2))
    return 1 if failed else 0


def _answer(grounder: Grounder, frame: Frame, query: Query, stem: Path, path: Path) -> dict[str, Any]:
    """Ground one query, write its files beside `stem`, and return the answer as it is in the JSON file."""
    grounding = grounder.ground(frame, query)
    if grounding.status is Status.ERROR:
        raise RisError(grounding.message)
    files = _write_pictures(frame, grounding, stem, grounder.output.overlay_alpha)
    answer = {"image": str(path), **full_answer(grounding), "files": files}
    Path(f"{stem}.json").write_text(json.dumps(answer, indent=2) + "\n", encoding="utf-8")
    return answer


def _write_pictures(frame: Frame, grounding: Grounding, stem: Path, alpha: float) -> dict[str, str]:
    pictures = {"overlay": draw_overlay(frame.image, grounding, alpha), "mask": grounding.mask.astype(np.uint8) * 255}
    if grounding.region_mask.any():
        pictures["region"] = grounding.region_mask.astype(np.uint8) * 255
    files = {kind: f"{stem}.{kind}.png" for kind in pictures}
    for kind, picture in pictures.items():
        write_png(Path(files[kind]), picture)
    return files


def _stems(args: argparse.Namespace) -> dict[tuple[int, int], str]:
    """What the files' names begin with, by the places of picture and command."""
    names: set[str] = set()
    return {
        (number, place): _free_name(Path(image), text, names)
        for number, image in enumerate(args.image)
        for place, text in enumerate(args.command)
    }


def _free_name(path: Path, text: str, taken: set[str]) -> str:
    """A file name that says picture and command, not given out before in this run, the picture's part cut to fit."""
    slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:48] or "command"
    name, count = _joined(path.stem, f".{slug}"), 1
    while name in taken:
        count += 1
        name = _joined(path.stem, f".{slug}-{count}")
    taken.add(name)
    return name


def _joined(stem: str, end: str) -> str:
    """`stem` and `end`, as much of `stem` as leaves room for what the files' names end with."""
    room = NAME_BYTES - len(".overlay.png") - len(end)
    while len(os.fsencode(stem)) > room:  # whole characters, of which some have several bytes
        stem = stem[:-1]
    return stem + end


def _sentence(answer: dict[str, Any]) -> str:
    """One line for people: verdict, presence, and where to look."""
    count = len(answer["instances"])
    found = f", {count} instance{'s' if count > 1 else ''}" if count else ""
    target = answer["target"]
    if target and target["status"] == "OK":
        x, y, _ = target["position_m"]
        found += f", goal {x:.1f} m forward and {abs(y):.1f} m {'left' if y >= 0 else 'right'} in {target['frame']}"
    why = f" ({answer['message']})" if answer["message"] else ""
    presence = f"{answer['presence']:.2f}" if answer["presence"] is not None else "?"
    head = f"{answer['image']}: '{answer['text']}' {answer['status']} {presence}"
    size = f"masks {answer['width']} x {answer['height']}"
    return f"{head}{found}, {answer['milliseconds']['total']:.0f} ms{why} -> {answer['files']['overlay']} ({size})"
