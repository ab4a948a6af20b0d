# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m ris_node.evaluation.language`: measure how well texts are understood, without pictures.

The grammar against annotated classes, boxes and labels of our own; the same after typing slips, capitals, politeness
and without punctuation; and a model's text side against prototypes of the classes. Writes Markdown tables, or JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.data.location import locate
from ris_node.entry import start
from ris_node.errors import RisError
from ris_node.evaluation.language import people
from ris_node.evaluation.language.people import Utterance
from ris_node.evaluation.language.prototypes import text_side_agreement
from ris_node.language.keywords import keyword_rule
from ris_node.language.lexicon import NOUNS
from ris_node.language.parse import ParsedCommand, parse_command
from ris_node.report.values import mean
from ris_node.types import QueryKind

Numbers = dict[str, float]
_parsed = lru_cache(maxsize=None)(parse_command)  # the same texts are asked several things


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 unless the texts or a bundle could not be read."""
    options = _parser().parse_args(arguments)
    try:
        report = measure(locate("text"), options.bundles)
    except (RisError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(report, indent=1) if options.json else format_report(report))
    return 0


def measure(folder: Path, bundles: Sequence[Path] = ()) -> dict[str, Any]:
    """Measure all numbers over the texts in `folder`; shares are of the texts counted in the row's `texts`."""
    talk, names = people.talk2car(folder), people.expressions(folder)
    drives, refer = people.carla(folder), people.referit(folder)
    return {
        "classes": {"talk2car commands": class_agreement(talk), "talk2car expressions": class_agreement(names)},
        "same thing": {"referit": same_concept(refer)},
        "sides": {
            "talk2car commands": side_agreement(talk),
            "talk2car expressions": side_agreement(names),
            "referit": side_agreement(refer),
        },
        "manoeuvres": {
            "talk2car commands": manoeuvre_agreement(people.labelled(talk, people.TALK2CAR_LABELS)),
            "talk2car, fresh": manoeuvre_agreement(people.labelled(talk, people.TALK2CAR_FRESH)),
            "carla-nav": manoeuvre_agreement(people.labelled(drives, people.CARLA_LABELS)),
        },
        "kinds": {
            "talk2car commands": kind_share([*talk], QueryKind.REGION),
            "carla-nav": kind_share(drives, QueryKind.REGION),
            "talk2car expressions": kind_share(names, QueryKind.OBJECT),
            "referit": kind_share(refer, QueryKind.OBJECT),
        },
        "unique": {"referit": {"texts": len(refer), "said to be one": mean(_parsed(s.text).unique for s in refer)}},
        "disturbed": {name: robustness(talk, name) for name in people.DISTURBED},
        "milliseconds per command": time_of(talk),
        "text side": {path.name: text_side_agreement(path, talk, names) for path in bundles},
    }


def concept(command: ParsedCommand) -> str:
    """Return the lexicon's concept of what a command means, or "" where its label is not in the lexicon."""
    noun = NOUNS.get(command.label)
    return noun.concept.label if noun else ""


def class_agreement(said: Iterable[Utterance]) -> Numbers:
    """Count how often the grammar's noun names the annotated class: rightly, another class, or none that it knows."""
    known = [(concept(_parsed(s.text)), wanted) for s in said if (wanted := people.concepts_of(s.target))]
    return {
        "texts": len(known),
        "agrees": mean(found in wanted for found, wanted in known),
        "other": mean(bool(found) and found not in wanted for found, wanted in known),
        "none": mean(not found for found, _ in known),
    }


def same_concept(said: Sequence[Utterance]) -> Numbers:
    """Return how often two phrases for one box have the same concept, where the grammar knows both nouns."""
    groups: dict[int, list[str]] = {}
    for s in said:
        groups.setdefault(s.group, []).append(concept(_parsed(s.text)))
    pairs = [(a, b) for g in groups.values() for i, a in enumerate(g) for b in g[i + 1 :] if a and b]
    known = mean(bool(c) for g in groups.values() for c in g)
    return {"pairs": len(pairs), "agrees": mean(a == b for a, b in pairs), "known noun": known}


def side_agreement(said: Iterable[Utterance]) -> Numbers:
    """Return how often the box lies on the half that the grammar hears (left, right, leftmost, rightmost).

    `heard` is the share of texts with exactly one of the words "left" and "right" in which it hears that side; it need
    not be all of them: "turn left" and "left of the tree" say nothing about the half of the picture.
    """
    right, heard, count = [], [], 0
    for s in said:
        if not np.isfinite(s.at):
            continue
        count += 1
        rule = keyword_rule(_parsed(s.text))
        side = {"leftmost": "left", "rightmost": "right"}.get(rule.order, rule.side)
        if side in ("left", "right"):
            right.append((s.at < 0.5) == (side == "left"))
        words = {w for w in ("left", "right") if w in s.text.lower().split()}
        if len(words) == 1:
            heard.append(side in words)
    return {"texts": count, "sides heard": len(right), "agrees": mean(right), "heard": mean(heard)}


def manoeuvre_agreement(pairs: Sequence[tuple[Utterance, Any]]) -> Numbers:
    """Return how often manoeuvre and kind are those of our labels."""
    parsed = [(_parsed(s.text), wanted) for s, wanted in pairs]
    return {
        "texts": len(parsed),
        "manoeuvre": mean(p.manoeuvre == wanted for p, wanted in parsed),
        "kind": mean(p.kind == QueryKind.REGION and p.groundable for p, _ in parsed),
    }


def kind_share(said: Sequence[Utterance], kind: QueryKind) -> Numbers:
    """Return the share of texts that are taken for `kind` and can be answered."""
    parsed = [_parsed(s.text) for s in said]
    return {"texts": len(parsed), "right": mean(p.kind == kind and p.groundable for p in parsed)}


def robustness(said: Sequence[Utterance], name: str) -> Numbers:
    """Measure what stays the same, and how often the class is right, after a disturbance of `people.DISTURBED`."""
    rng = np.random.default_rng(20261122)
    pairs = [(s, _parsed(s.text), _parsed(people.DISTURBED[name](s.text, rng))) for s in said]
    return {
        "texts": len(pairs),
        "same manoeuvre": mean(
            (a.kind, a.manoeuvre, a.groundable) == (b.kind, b.manoeuvre, b.groundable) for _, a, b in pairs
        ),
        "same class": mean(concept(a) == concept(b) for _, a, b in pairs),
        "same side": mean(_where(a) == _where(b) for _, a, b in pairs),
        "class agrees": mean(concept(b) in people.concepts_of(s.target) for s, _, b in pairs),
    }


def time_of(said: Sequence[Utterance]) -> Numbers:
    """Measure the median and 99th percentile of the time to parse one command, in milliseconds of this thread."""
    taken = []
    for s in said:
        begin = time.thread_time_ns()
        parse_command(s.text)
        taken.append((time.thread_time_ns() - begin) / 1e6)
    return {"texts": len(taken), "median": float(np.median(taken)), "p99": float(np.percentile(taken, 99))}


def format_report(report: dict[str, Any]) -> str:
    """Return the report as Markdown: one table per question."""
    blocks = []
    for title, found in report.items():
        rows = {title: found} if "texts" in found else found
        if rows:
            keys = list(dict.fromkeys(key for values in rows.values() for key in values))
            lines = [f"| {title} | " + " | ".join(keys) + " |", "|---" * (len(keys) + 1) + "|"]
            lines += [
                f"| {name} | " + " | ".join(_cell(title, values.get(k, float("nan"))) for k in keys) + " |"
                for name, values in rows.items()
            ]
            blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _where(command: ParsedCommand) -> tuple[str, str, int]:
    rule = keyword_rule(command)
    return rule.side, rule.order, rule.ordinal


def _cell(title: str, value: float) -> str:
    if isinstance(value, int):
        return str(value)
    if np.isnan(value):
        return ""
    return f"{value:.2f}" if "milliseconds" in title else f"{100 * value:.1f} %"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ris_node.evaluation.language",
        description="Measure the grammar and the text side of bundles on what people said (the public set `text`).",
        epilog="example: python -m ris_node.evaluation.language --bundles engines/default --json > language.json",
    )
    parser.add_argument("--bundles", nargs="*", type=Path, default=[], help="bundles of the referring family")
    parser.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
    return parser


if __name__ == "__main__":
    start(main)
