# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris data`: public sets under RIS_DATA, which forms can be read, whether a set is whole, and one as JSON lines."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ris_node.errors import ConfigError, DataError
from ris_node.outputs import check_file, claim_file

if TYPE_CHECKING:
    from ris_node.data.registry import Format
    from ris_node.data.samples.jsonl import SampleSet

EPILOG = """examples:
  ris data                                          the public sets that recipes name, and which are here
  ris data sets camvid                              one of them: terms, source, layout under RIS_DATA
  ris data list                                     every data set that can be read
  ris data list refcoco                             where it comes from and how it lies on the disk
  ris data check refcoco data --split val           read it, count it, and draw some of it: refcoco-val.png
  ris data check jsonl mine.jsonl --sheet mine.png  the same for your own JSON lines
  ris data convert refcoco data --split train --out train.jsonl

A line of JSON lines          {"image": "a.jpg", "expression": "the red car", "mask": "a_car.png"}
  image, mask, region         paths are relative to the file; null: there is none
  mask, region                a path of a PNG, run lengths, COCO run lengths, or polygons (docs/data.md shows all)

`check` reads the pixels of 500 samples spread over the set (--all: of every one) and writes a contact sheet: masks
orange, regions green, boxes yellow. The first reading of a set makes an index in ~/.cache/ris_node/data.

exit codes: 0 all can be used; 1 something is missing or cannot be read (it is named); 2 wrong usage
"""
_SHOWN = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ris data`."""
    parser.epilog = EPILOG
    actions = ("sets", "list", "check", "convert")
    parser.add_argument("action", nargs="?", choices=actions, default="sets", help="what to do (default: sets)")
    parser.add_argument("name", nargs="?", help="a public set; else a form of 'ris data list', or jsonl")
    parser.add_argument("root", nargs="?", type=Path, help="the folder that holds it (jsonl: the file)")
    parser.add_argument("--split", help="part of the set (default: its first)")
    parser.add_argument("--out", metavar="FILE", type=Path, help="convert: the file of JSON lines to write")
    parser.add_argument("--sheet", metavar="FILE", type=Path, help="check: the contact sheet (default: NAME-SPLIT.png)")
    parser.add_argument("--samples", metavar="N", type=int, default=24, help="check: how many to draw (0: no sheet)")
    parser.add_argument("--seed", type=int, default=0, help="check: draws others (default: 0)")
    parser.add_argument("--all", action="store_true", help="check: read the pixels of every sample")
    parser.add_argument("--json", action="store_true", help="print the result as JSON on stdout")


def run(args: argparse.Namespace) -> int:
    """Do what `args` ask for."""
    if args.action == "sets":
        return _sets(args)
    if args.action == "list":
        return _list(args)
    if not args.name or args.root is None:
        raise ConfigError(f"'ris data {args.action}' needs a data set and its folder ('ris data --help' shows how)")
    if args.action == "convert":
        return _convert(args)
    return _check(args)


def _sets(args: argparse.Namespace) -> int:
    """Say of the public sets what they are and what is here; 1 where the one that was asked for is not whole."""
    from ris_node.data.location import data_root, folder_of
    from ris_node.data.registry import PUBLIC, public_set

    chosen = [public_set(args.name)] if args.name else list(PUBLIC)
    root, problem = None, ""
    try:
        root = data_root()
    except DataError as error:
        problem = str(error)
    state = {one.name: _state(one, root) for one in chosen}
    if args.json:
        rows = [
            {"name": one.name, "what": one.title, "licence": one.licence, "published": one.download,
             "files": dict(one.files), "layout": one.layout, "folder": str(folder_of(one.name, root)) if root else "",
             "whole": not state[one.name], "missing": state[one.name]} for one in chosen
        ]  # fmt: skip
        print(json.dumps({"root": str(root or ""), "problem": problem, "sets": rows}, indent=2))
        return 1 if args.name and any(state.values()) else 0
    if args.name:
        (one,) = chosen
        print(f"{one.name}: {one.title}\nterms: {one.licence}\npublished: {one.download}")
        print(f"below {root or '$RIS_DATA'}/{one.name}:")
        print("\n".join(f"  {line}" for line in one.layout))
        if not state[one.name]:
            print(f"here: whole, {', '.join(f'{count} {pattern}' for pattern, count in one.files.items())}")
        return _complain(state[one.name], "missing") if root or not problem else _complain([problem], "problem")
    for one in chosen:
        print(f"{'whole  ' if not state[one.name] else 'missing'} {one.name:20} {one.title} [{one.licence}]")
    print(problem or f"RIS_DATA is {root}", file=sys.stderr)
    return 0


def _state(one: Format, root: Path | None) -> list[str]:
    """Return what a set lacks; empty where it is whole."""
    from ris_node.data.location import folder_of

    return one.missing(folder_of(one.name, root)) if root else ["RIS_DATA is not set"]


def _list(args: argparse.Namespace) -> int:
    from ris_node.data.registry import FORMATS, format_named

    entries = [format_named(args.name)] if args.name else list(FORMATS)
    if args.json:
        keys = ("name", "module", "title", "splits", "layout", "download", "verified", "unverified", "options")
        print(json.dumps([{key: getattr(entry, key) for key in keys} for entry in entries], indent=2))
    elif args.name:
        (entry,) = entries
        print(f"{entry.name}: {entry.title}\nsplits: {', '.join(entry.splits)}")
        print(f"get: {entry.download or 'nothing'}\nbelow ROOT:")
        print("\n".join(f"  {line}" for line in entry.layout))
        print(f"reader held against: {entry.verified}{' (UNVERIFIED)' if entry.unverified else ''}")
    else:
        for entry in entries:
            mark = "?" if entry.unverified else " "
            print(f"{mark} {entry.name:16} {entry.title} [{', '.join(entry.splits)}]")
        print("  jsonl            your own JSON lines\n? no real file of it was at hand when its reader was written")
    return 0


def _open(args: argparse.Namespace) -> tuple[SampleSet, str]:
    from ris_node.data.formats.index import open_data
    from ris_node.data.registry import format_named

    if args.name == "jsonl":
        return open_data("jsonl", args.root), args.root.stem
    split = args.split or format_named(args.name).splits[0]
    return open_data(args.name, args.root, split), f"{args.name}-{split}"


def _convert(args: argparse.Namespace) -> int:
    from ris_node.data.samples.jsonl import write_jsonl
    from ris_node.data.samples.survey import converted

    if args.out is None:
        raise ConfigError("'ris data convert' needs --out FILE")
    samples, _ = _open(args)
    claim_file(args.out, [samples.path], by="ris data convert")
    count = write_jsonl(args.out, converted(samples, args.out.parent))
    left_out = [str(problem) for problem in samples.problems]
    result = {"lines": count, "out": str(args.out), "left_out": left_out}
    print(json.dumps(result) if args.json else f"{count} lines in {args.out}")
    return _complain(left_out, "left out")


def _check(args: argparse.Namespace) -> int:
    from ris_node.data.samples.survey import survey

    if args.samples < 0:
        raise ConfigError(f"--samples is {args.samples}: give 0 or more")
    samples, name = _open(args)
    sheet = args.sheet or Path(f"{name}.png")
    if args.samples:
        check_file(sheet, by="ris data check")
    result = survey(samples, None if args.all else 500)
    drawn = _sheet(args, samples, sheet) if args.samples else []
    if args.json:
        print(json.dumps({**result, "sheet": drawn}, ensure_ascii=False, indent=2))
    else:
        _tell(result)
        for number, sample in enumerate(drawn, 1):
            print(f"  #{number} {sample['expression']}  ({sample['image']}, {sample['id']})")
    failed = _complain(result["left_out"], "left out") + _complain(result["unreadable"], "cannot be read")
    return min(1, failed + _complain(result["empty"], "present, but with a mask without a pixel"))


def _sheet(args: argparse.Namespace, samples: SampleSet, path: Path) -> list[dict[str, str]]:
    """Draw a contact sheet of what can be read; returns what is on it."""
    from ris_node.data.samples.sheet import contact_sheet, spread
    from ris_node.media.images import write_png

    shown = []
    for index in spread(samples, 2 * args.samples, args.seed):
        sample = samples[index]
        try:
            _ = sample.image, sample.has_target()
        except DataError:  # the survey names it
            continue
        shown.append(sample)
        if len(shown) == args.samples:
            break
    if shown:
        claim_file(path, by="ris data check")
        write_png(path, contact_sheet(shown))
        print(f"contact sheet: {path}", file=sys.stderr)
    return [{"expression": s.expression, "image": s.image_name, "id": s.id} for s in shown]


def _tell(result: dict[str, Any]) -> None:
    counts = ("samples", "images", "present", "absent", "masks", "regions", "not_annotated", "groups")
    print(", ".join(f"{key.replace('_', ' ')} {result[key]}" for key in counts))
    print(f"groups with positive and negative sentences: {result['groups_with_both']}")
    for key in ("types", "kinds", "image_sizes"):
        print(f"{key.replace('_', ' ')}: {', '.join(f'{name} {count}' for name, count in result[key].items())}")
    for key in ("mask_area", "region_area"):
        if result[key]:
            share = ", ".join(f"{name} {value:.2%}" for name, value in result[key].items())
            print(f"{key.replace('_', ' ')} of the image: {share}")
    print(f"pixels read of {result['read']} samples")


def _complain(items: list[str], what: str) -> int:
    """Name items on stderr; 1 when there are any."""
    if not items:
        return 0
    print(f"{len(items)} {what}:", file=sys.stderr)
    for item in items[:_SHOWN]:
        print(f"  {item}", file=sys.stderr)
    if len(items) > _SHOWN:
        print(f"  ... and {len(items) - _SHOWN} more", file=sys.stderr)
    return 1
