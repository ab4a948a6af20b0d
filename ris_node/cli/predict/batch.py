# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris predict --manifest`: one prediction a line, written and flushed as it is made."""

from __future__ import annotations

import argparse
import json
import math
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from tqdm import tqdm

from ris_node.cli.predict.answers import batch_line
from ris_node.cli.predict.common import KINDS, VERB, make_frame, open_grounder, reason_of
from ris_node.entry import INTERRUPTED, in_one_piece
from ris_node.errors import DataError
from ris_node.media.images import read_image
from ris_node.outputs import check_file, claim_file
from ris_node.types import Query, QueryKind, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from ris_node.types import Frame


@dataclass(frozen=True)
class Item:
    """One good line of the manifest."""

    id: str | int | float
    image: Path
    text: str
    kind: QueryKind


@dataclass
class Tally:
    """What became of the lines so far; `bad` holds (line number from 1, what is wrong with it)."""

    total: int
    answers: int
    bad: list[tuple[int, str]]


def parse_line(raw: bytes, root: Path) -> Item:
    """Return the item that one line of a manifest describes.

    Raises:
        DataError: the line is not JSON, or a field is missing, of another type, or unknown.
    """
    try:
        line = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise DataError(f"not JSON in UTF-8: {error}") from None
    if not isinstance(line, dict):
        raise DataError(f"a JSON object is expected, got {type(line).__name__}")
    for name, types in (("id", (str, int, float)), ("image", (str,)), ("text", (str,))):
        if name not in line:
            raise DataError(f"'{name}' is missing")
        if not isinstance(line[name], types) or isinstance(line[name], bool):
            raise DataError(f"'{name}' is {line[name]!r}: give a string{' or a number' if name == 'id' else ''}")
    if line["id"] in (math.inf, -math.inf) or line["id"] != line["id"]:
        raise DataError(f"'id' is {line['id']}: give a finite number or a string")
    kind = line.get("type", "object")
    if kind not in ("object", "region"):
        raise DataError(f'\'type\' is {kind!r}: give "object" or "region"')
    return Item(line["id"], root / line["image"], line["text"], KINDS[kind])


def run_batch(args: argparse.Namespace) -> int:
    """Answer every line of the manifest; bad lines are named by number and do not stop the rest."""
    lines = _read_manifest(args.manifest)
    if str(args.out) != "-":
        check_file(args.out, [args.manifest], by=VERB)
    grounder = open_grounder(args)
    root = args.root if args.root is not None else args.manifest.parent

    @lru_cache(maxsize=1)  # manifests list one picture's texts one after another
    def frame_of(path: Path) -> Frame:
        return make_frame(read_image(path), args.hfov)

    def answer(raw: bytes) -> dict[str, Any]:
        item = parse_line(raw, root)
        grounding = grounder.ground(frame_of(item.image), Query(item.text, kind=item.kind))
        if grounding.status is Status.ERROR:
            raise DataError(grounding.message)
        return batch_line(item.id, grounding, item.kind)

    tally = Tally(len(lines), 0, [])
    with grounder, _open_out(args.out) as out:
        try:
            _answer_lines(lines, answer, out, tally)
        except KeyboardInterrupt:
            done = tally.answers + len(tally.bad)
            print(f"ris predict: interrupted after {done} of {tally.total} lines", file=sys.stderr)
            _report(args, tally)
            return INTERRUPTED
    _report(args, tally)
    return 1 if tally.bad else 0


def _read_manifest(path: Path) -> list[tuple[int, bytes]]:
    """The numbered lines of a manifest that are not blank.

    Raises:
        DataError: the file cannot be read or has no lines.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot open the manifest '{path}': {error.strerror}") from error
    lines = [(n, line) for n, line in enumerate(raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1) if line.strip()]
    if not lines:
        raise DataError(f"the manifest '{path}' has no lines: write one JSON object a line")
    return lines


def _open_out(path: Path) -> Any:
    if str(path) == "-":
        return nullcontext(sys.stdout)
    claim_file(path, by=VERB)
    return path.open("w", encoding="utf-8")


def _answer_lines(
    lines: list[tuple[int, bytes]], answer: Callable[[bytes], dict[str, Any]], out: TextIO, tally: Tally
) -> None:
    """Answer the lines in order, each flushed as soon as it is known."""
    interval = 0.1 if sys.stderr.isatty() else 10.0
    for number, raw in tqdm(lines, desc="predict", unit="line", file=sys.stderr, mininterval=interval):
        try:
            prediction = answer(raw)
        except Exception as error:  # one line must not stop the thousands after it
            reason = reason_of(error)
            with in_one_piece():
                tally.bad.append((number, reason))
                tqdm.write(f"line {number}: {reason}", file=sys.stderr)
            continue
        line = json.dumps(prediction) + "\n"
        try:
            with in_one_piece():
                out.write(line)
                out.flush()
                tally.answers += 1
        except BrokenPipeError:
            raise
        except OSError as error:
            raise DataError(f"cannot write on after {tally.answers} answers: {error.strerror}") from error


def _report(args: argparse.Namespace, tally: Tally) -> None:
    """Say what was written where, and which lines are missing."""
    if args.json:
        bad = [{"line": number, "error": error} for number, error in tally.bad]
        summary = {"out": str(args.out), "lines": tally.total, "answers": tally.answers, "bad": bad}
        print(json.dumps(summary, indent=2), file=sys.stderr if str(args.out) == "-" else sys.stdout)
        return
    numbers = ", ".join(str(number) for number, _ in tally.bad[:20]) + (", ..." if len(tally.bad) > 20 else "")
    missing = f"; {len(tally.bad)} bad lines: {numbers}" if tally.bad else ""
    print(f"{args.out}: {tally.answers} answers of {tally.total} lines{missing}", file=sys.stderr)
