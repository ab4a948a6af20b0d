# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Texts that people wrote with their meanings: the public set `text`, and our own labels for manoeuvres."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ris_node.data.text.wording import slip
from ris_node.types import Manoeuvre

Rng = np.random.Generator
TALK_WIDTH = 1600
# Which of the lexicon's concepts name an annotated class rightly; the model's prototypes use the first.
ANNOTATED: dict[str, tuple[str, ...]] = {
    "vehicle.car": ("car", "vehicle"),
    "vehicle.truck": ("truck", "vehicle"),
    "vehicle.trailer": ("trailer", "vehicle", "truck"),
    "vehicle.construction": ("construction vehicle", "vehicle", "truck"),
    "vehicle.bus.rigid": ("bus", "vehicle"),
    "vehicle.bus.bendy": ("bus", "vehicle"),
    "vehicle.emergency.police": ("car", "vehicle"),
    "vehicle.motorcycle": ("motorcycle", "cyclist", "vehicle", "bicycle"),
    "vehicle.bicycle": ("bicycle", "cyclist"),
    "movable_object.barrier": ("barrier", "fence"),
    "movable_object.trafficcone": ("cone",),
    "movable_object.pushable_pullable": ("bin", "cart"),
    "static_object.bicycle_rack": ("bicycle rack", "bicycle"),
}
# Our own labels: line number (from 1) in the file, and the manoeuvre that the vehicle ends up with: P park, S stop,
# F follow, W wait, L and R turn, N another one. "Turn left and park" is P; "wait, then go straight" is W. All are
# commands to the vehicle. The lines were drawn with a seed and labelled before looking at what the grammar says.
TALK2CAR_LABELS = (
    "33L 36P 75S 124L 128P 159P 163R 170N 177N 196P 208F 239L 243R 249L 263P 275P 282P 285N 320P 332P 339F 351R 374P "
    "375P 376S 378R 384P 429F 435F 442N 445P 447S 449W 457P 460N 465N 488F 499F 536L 538P 543P 570N 571P 576S 577P "
    "580W 581P 592F 609P 613S 657N 660N 690N 696R 706P 714L 742R 743R 755F 756S 779N 788F 793P 797F 802P 807P 817S "
    "819S 825F 827P 833S 849P 863F 870P 879R 889P 894P 895S 922N 923F 938P 939R 947L 956S 966F 981N 1001P 1009P 1017S "
    "1020P 1035P 1060P 1063N 1082N 1102S 1134S 1136S 1153N 1154N 1162N"
)
# Drawn and labelled in the same way when the grammar seemed done. At first look it got 52 of 56; the four were changes
# of lane that it took for turns, put right since.
TALK2CAR_FRESH = (
    "77N 96N 99N 102N 119S 122S 123P 127L 129S 144P 149P 168F 186N 193P 200P 212N 242S 254P 273N 296R 309N 369P 371L "
    "385P 422P 440S 453N 458N 493L 500N 509L 594S 614N 632S 644F 664S 741S 749R 763W 809P 813S 857F 859S 876P 929P "
    "954F 1040F 1089N 1098L 1108W 1122N 1129N 1141N 1148W 1156N 1159F"
)
CARLA_LABELS = (
    "9S 10S 14S 15S 20L 29S 36R 72S 107W 118L 122S 125N 126S 142S 161S 169S 197R 208R 209L 214S 218R 219R 233S 241S "
    "248S 268R 275P 280N 289S 290S 291S 302S 303S 308S 309S 317P 329S 331R 333S 338L 350R 357S 364P 365S 418R 420R "
    "424L 430S 433S 441R"
)
_LETTERS = {
    "P": Manoeuvre.PARK, "S": Manoeuvre.STOP, "F": Manoeuvre.FOLLOW, "W": Manoeuvre.WAIT, "L": Manoeuvre.TURN_LEFT,
    "R": Manoeuvre.TURN_RIGHT, "N": Manoeuvre.NONE,
}  # fmt: skip


@dataclass(frozen=True)
class Utterance:
    """Text with the annotated class of what it means ("" where the set has none), and where that lies.

    `at` is the middle of the box from 0 (left border) to 1, NaN where unknown. `group` numbers what texts are about.
    """

    text: str
    target: str = ""
    at: float = float("nan")
    group: int = 0


def talk2car(folder: Path) -> list[Utterance]:
    """Return the commands of talk2car_val.jsonl in `folder`."""
    out: list[Utterance] = []
    for line in (folder / "talk2car_val.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        x, _, width, _ = row["box_xywh_1600x900"]
        out.append(Utterance(row["command"], row["target"], (x + 0.5 * width) / TALK_WIDTH, len(out)))
    return out


def expressions(folder: Path) -> list[Utterance]:
    """Return the noun phrases of talk2car_expr_train.jsonl."""
    out: list[Utterance] = []
    for line in (folder / "talk2car_expr_train.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        x, _, width, _ = row["box"]
        out.append(Utterance(row["description"], row["class"], (x + 0.5 * width) / TALK_WIDTH, len(out)))
    return [said for said in out if any(c.isalnum() for c in said.text)]


def carla(folder: Path) -> list[Utterance]:
    """Return the commands of carla_nav_sub_commands.csv."""
    with (folder / "carla_nav_sub_commands.csv").open(encoding="utf-8") as stream:
        return [Utterance(row["command"], group=number) for number, row in enumerate(csv.DictReader(stream))]


def referit(folder: Path) -> list[Utterance]:
    """Return the phrases of referit_train.jsonl.gz; pictures are 480x360 or 360x480: a long box shows which."""
    out: list[Utterance] = []
    with gzip.open(folder / "referit_train.jsonl.gz", "rt", encoding="utf-8") as stream:
        for number, line in enumerate(stream):
            row = json.loads(line)
            x0, _, x1, y1 = row["box_xyxy"]
            width = 480 if x1 > 360 else (360 if y1 > 360 else float("nan"))
            width = width if x1 - x0 < 0.9 * width else float("nan")  # a box of the whole picture is on no side
            out += [
                Utterance(t, at=0.5 * (x0 + x1) / width, group=number) for t in row["texts"] if any(map(str.isalnum, t))
            ]
    return out


def labelled(said: list[Utterance], labels: str) -> list[tuple[Utterance, Manoeuvre]]:
    """Return the texts of a label string with their manoeuvres."""
    return [(said[int(entry[:-1]) - 1], _LETTERS[entry[-1]]) for entry in labels.split()]


def concepts_of(target: str) -> tuple[str, ...]:
    """Return the concepts that name an annotated class rightly; pedestrians of all kinds are persons."""
    return ("person",) if target.startswith("human.") else ANNOTATED.get(target, ())


def _slipped(text: str, rng: Rng) -> str:
    """One typing slip in a word of four letters or more, any word, the first included."""
    words = text.split()
    long = [i for i, word in enumerate(words) if len(word) >= 4 and word.isalpha()]
    if long:
        i = long[int(rng.integers(len(long)))]
        words[i] = slip(rng, words[i], 4)
    return " ".join(words)


def _asked(text: str, _: Rng) -> str:
    return f"excuse me, could you please {text.strip().rstrip('.!')}, thank you"


def _spoken(text: str, _: Rng) -> str:
    """As a recogniser writes it: no punctuation, no apostrophes, hesitation at the start."""
    return "um " + re.sub(r"[^\w\s]", "", text.lower())


DISTURBED: dict[str, Callable[[str, Rng], str]] = {
    "one typing slip": _slipped,
    "capitals": lambda text, _: text.upper(),
    "politeness": _asked,
    "no punctuation": _spoken,
}
