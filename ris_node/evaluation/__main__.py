# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris evaluate` and `python -m ris_node.evaluation`: measure bundles or predictions on pictures with the truth."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ris_node.entry import run_verb, start
from ris_node.errors import ConfigError
from ris_node.outputs import check, check_file, claim, claim_file, sign

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ris_node.data.evalset import EvalItem
    from ris_node.evaluation.measure import Measured, Setting

VERB, ANSWERS = "ris evaluate", "answers"
OUTPUTS = ("report.json", "report.html", ANSWERS)

EPILOG = """examples:
  ris evaluate --bundles engines/keyword-baseline engines/default --out report
  ris evaluate --bundles engines/keyword-baseline engines/keyword-baseline:no-rules engines/default --out report
  ris evaluate --bundles engines/default --every 20 --out quick              every 20th picture: half a minute
  ris evaluate --manifest truth.jsonl --root pictures --bundles my/bundle --out report
  ris evaluate --manifest truth.jsonl --predictions theirs.jsonl --out report    what another system answered
  ris evaluate --data refcoco coco --split testA --bundles my/bundle --out report   a set of 'ris data list'
  ris evaluate --write-manifest truth.jsonl                                  the evaluation set itself, as JSON lines

FOLDER:no-rules is a keyword bundle that answers with everything of the classes named.

writes into OUT  report.html    tables with 95 % intervals, reliability, ROC, best, median and worst answers; one file
                 report.json    every number of it ('python -m ris_node.export --quality', scripts/make_docs.py)
                 answers/       what each bundle answered, as 'ris predict --manifest' writes it; the same command
                                run again takes from there what it finds of the same bundle, items and code

A line of the manifest is one of 'ris predict --manifest' with the truth beside it:
  {"id", "image", "text", "type", "present", "size": [width, height], "mask": run lengths or null, "region": the same}
  and, where known, "kind", "set", "class", "group" (true and false sentences that belong together).

Without --manifest the set is built from the public sets under RIS_DATA (see `ris data`): camvid/val, 84
streets, 20 COCO pictures, none of which is trained on; --suite first is the part that version 0.1 was measured on.

exit codes: 0 measured, goals reached or not; 1 something could not be measured (pictures that cannot be read are named
and left out); 2 wrong usage
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ris evaluate`."""
    parser.epilog = EPILOG
    what = parser.add_argument_group("what is measured")
    what.add_argument("--bundles", metavar="DIR", nargs="+", default=[], help="model folders, side by side")
    theirs = "answers of other systems, as 'ris predict --manifest' writes them; needs --manifest"
    what.add_argument("--predictions", metavar="FILE", nargs="+", type=Path, default=[], help=theirs)
    on = parser.add_argument_group("what it is measured on")
    on.add_argument("--manifest", metavar="FILE", type=Path, help="JSON lines with the truth (default: built)")
    on.add_argument("--data", metavar=("NAME", "ROOT"), nargs=2, help="a set of 'ris data list', or jsonl and a file")
    on.add_argument("--split", default="", help="part of --data (default: its validation part)")
    on.add_argument(
        "--root", metavar="DIR", type=Path, help="the images' folder (default: the manifest's, or RIS_DATA)"
    )
    on.add_argument("--suite", choices=("full", "first"), default="full", help="which built set (default: full)")
    on.add_argument("--every", metavar="N", type=int, default=1, help="every N-th picture only, for a quick look")
    on.add_argument("--write-manifest", metavar="FILE", type=Path, help="write what is measured on as JSON lines")
    parser.add_argument("--out", metavar="DIR", type=Path, help="folder for the report")
    parser.add_argument("--no-html", action="store_true", help="no HTML report (it needs the extra 'report')")
    parser.add_argument("--no-cache", action="store_true", help="answer anew, and keep no answers")
    parser.add_argument("--threads", metavar="N", type=int, default=0, help="networks at a time (default: one a core)")
    parser.add_argument("--precision", default="auto", help="as the node's parameter (default: auto)")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no tables")
    parser.add_argument("--json", action="store_true", help="print report.json on stdout instead of the tables")


def run(args: argparse.Namespace) -> int:
    """Measure what `args` name and write the report."""
    systems = bool(args.bundles or args.predictions)
    if not systems and not args.write_manifest:
        raise ConfigError("nothing to measure: give --bundles, or --predictions with --manifest")
    if args.predictions and not args.manifest:
        raise ConfigError("--predictions needs --manifest, the truth that the answers are to")
    if args.data and args.manifest:
        raise ConfigError("--data and --manifest both say what is measured on: give one")
    if args.every < 1 or args.threads < 0:
        raise ConfigError(
            f"--every is {args.every} and --threads {args.threads}: give 1 or more (threads 0: all cores)"
        )
    html = bool(systems and args.out and not args.no_html)
    if html:
        from ris_node.report.page import require

        require()
    _guard(args, check_file, check)
    setting = _setting(args)
    _guard(args, claim_file, claim)
    from ris_node.evaluation.systems import answerable

    if args.write_manifest:
        from ris_node.data.evalset import write_manifest

        write_manifest(args.write_manifest, setting.items)
    if not systems:
        return 0
    problems: list[str] = []
    if args.bundles:  # predictions need no pictures
        items, problems = answerable(setting.items, setting.root, setting.threads)
        setting = replace(setting, items=items)
    for said in problems:
        print(f"left out: {said}", file=sys.stderr)
    _report(args, setting, _measure(args, setting), html)
    return 1 if problems else 0


def _guard(args: argparse.Namespace, file: Callable[..., None], folder: Callable[..., None]) -> None:
    """Check or claim the files to be written: checked before anything is read, claimed before anything is measured."""
    inputs = [*args.predictions, *([args.manifest] if args.manifest else [])]
    if args.write_manifest:
        file(args.write_manifest, inputs, by=VERB)
    if args.out and (args.bundles or args.predictions):
        folder(args.out, OUTPUTS, inputs, by=VERB)
        if folder is claim and not args.no_cache:
            sign(args.out / ANSWERS, by=VERB)


def _setting(args: argparse.Namespace) -> Setting:
    from ris_node.data.evalset import build, read_manifest
    from ris_node.data.location import data_root
    from ris_node.evaluation.measure import Setting

    if args.data:
        from ris_node.evaluation.datasets import read_items

        folder = Path(args.data[1])
        items = read_items(args.data[0], folder, args.split)
        root = args.root or (folder.parent if args.data[0] == "jsonl" else folder)
    elif args.manifest:
        items, root = read_manifest(args.manifest), args.root or args.manifest.parent
    else:
        root = args.root or data_root()
        print("building the evaluation set (about 15 s) ...", file=sys.stderr)
        items = build(root, args.suite)
    suite = "" if args.manifest or args.data else args.suite
    cache = args.out / ANSWERS if args.out and not args.no_cache else None
    threads = args.threads or os.cpu_count() or 1
    return Setting(
        items=every_nth(items, args.every),
        root=root,
        suite=suite,
        every=args.every,
        threads=threads,
        precision=args.precision,
        cache=cache,
        quiet=args.quiet,
    )


def every_nth(items: Sequence[EvalItem], step: int) -> list[EvalItem]:
    """Return the items of every `step`-th picture."""
    kept = set(list(dict.fromkeys(i.image for i in items))[::step])
    return [i for i in items if i.image in kept]


def _measure(args: argparse.Namespace, setting: Setting) -> list[Measured]:
    from ris_node.evaluation.bootstrap import Resampler
    from ris_node.evaluation.measure import measure, measure_bundles
    from ris_node.evaluation.systems import read_predictions
    from ris_node.evaluation.variants import parse_entries

    found = measure_bundles(parse_entries(args.bundles), setting)
    resampler = Resampler.draw(len({i.image for i in setting.items}))
    for path in args.predictions:
        answers, missing = read_predictions(path, setting.items)
        if missing:
            print(f"{path}: {missing} of {len(answers)} items are not answered: taken as ABSENT", file=sys.stderr)
        found.append(measure(path.stem, setting.items, answers, resampler, {"missing": missing}))
    names = [system.name for system in found]
    if len(set(names)) < len(names):
        raise ConfigError(f"the systems are named {names}: give files and folders of different names")
    return found


def _report(args: argparse.Namespace, setting: Setting, systems: list[Measured], html: bool) -> None:
    from ris_node.evaluation.goals import format_goals
    from ris_node.evaluation.measure import make_report, save_report
    from ris_node.evaluation.table import format_table

    report = make_report(systems, setting)
    if args.out:
        save_report(report, args.out / "report.json")
    if html:
        from ris_node.evaluation.report.html import write_html

        write_html(args.out / "report.html", report, systems, setting)
    if args.json:
        print(json.dumps(report))
    elif not args.quiet:
        for system in systems:
            print(f"\n{system.name} ({len(system.scored)} items)\n{format_table(system.rows)}")
            goals = report["bundles"][system.name].get("goals")
            if goals:
                print(f"\n{system.name}: what is asked\n{format_goals(goals)}")
    if args.out:
        print(f"wrote {args.out / 'report.json'}{' and report.html beside it' if html else ''}", file=sys.stderr)


if __name__ == "__main__":
    start(lambda: run_verb("evaluate", add_arguments, run))
