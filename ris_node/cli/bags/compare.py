# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris compare`: two replays, or two models on one bag, frame by frame; an exit code for CI."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ris_node.errors import ConfigError
from ris_node.outputs import check_file, claim_file

if TYPE_CHECKING:
    from ris_node.review.compare import Comparison

FAILED = 1
VERB = "ris compare"  # in the markers of what is written

EPILOG = """examples:
  ris compare out/old out/new                                  two folders that 'ris replay' wrote
  ris compare out/old out/new --bag drive/ --out diff.html     with pictures of the frames that differ most
  ris compare engines/default my_model --bag drive/ --command "the van" --out diff.html
                                                               two models: both are replayed first
  ris compare A B --truth masks/ --fail-if "mIoU drops 0.01"   for CI
  ris compare A B --fail-if "found drops 0.02 surely" --fail-if "latency rises 10"

--fail-if METRIC drops|rises|changes NUMBER [surely]   B against A; 'surely': the whole 95 % interval lies beyond
  without truth: found, presence, area, targets, steady, jitter (m), latency (ms)
  with --truth:  mIoU, oIoU, P@0.5, refused, rIoU, pointing, inside, region_miou
Intervals come from drawing stretches of 20 frames again; drives of fewer than 5 stretches have none.

exit codes: 0 done; 1 a --fail-if holds, or the work failed; 2 wrong usage
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ris compare`."""
    parser.epilog = EPILOG
    parser.add_argument("a", metavar="A", type=Path, help="folder of a replay, or of a model bundle (with --bag)")
    parser.add_argument("b", metavar="B", type=Path, help="another one")
    parser.add_argument("--bag", metavar="BAG", type=Path, action="append", default=[], help="the recorded drive")
    parser.add_argument("--command", metavar="TEXT", default="", help="two models: what is asked")
    parser.add_argument("--script", metavar="FILE", type=Path, help="two models: CSV or YAML of t, command")
    parser.add_argument("--recorded", action="store_true", help="two models: the bag's own commands")
    parser.add_argument("--image", metavar="TOPIC", default="", help="two models: the camera's topic")
    parser.add_argument("--truth", metavar="WHAT", default="", help="as in 'ris replay --help'")
    parser.add_argument("--out", metavar="FILE", type=Path, help="HTML report")
    parser.add_argument("--fail-if", metavar="RULE", action="append", default=[], help="see below; may be repeated")
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")


def run(args: argparse.Namespace) -> int:
    """Compare the two runs that `args` name."""
    from ris_node.review.compare import broken, compare_runs, to_json
    from ris_node.review.compare_report import format_comparison, write_comparison
    from ris_node.review.truth import open_truth

    if args.out is not None:
        check_file(args.out, [args.a, args.b, *args.bag], by=VERB)
    a, b = _runs(args)
    truth = open_truth(args.truth, args.bag[0] if args.bag else None) if args.truth else None
    found: Comparison = compare_runs(a, b, truth)
    failures = broken(found, args.fail_if)
    if args.json:
        print(json.dumps({**to_json(found), "failures": failures}, indent=2))
    else:
        print(format_comparison(found, (str(args.a), str(args.b))))
    if args.out is not None:
        claim_file(args.out, by=VERB)
        write_comparison(args.out, found, (a, b), args.bag, failures)
        print(f"{args.out}: written", file=sys.stderr)
    for failure in failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    return FAILED if failures else 0


def _runs(args: argparse.Namespace) -> tuple[Path, Path]:
    """Return the folders of both runs; models are replayed first, into folders beside the report."""
    models = [(path / "manifest.json").is_file() for path in (args.a, args.b)]
    if not any(models):
        return args.a, args.b
    if not all(models):
        raise ConfigError("one is a model bundle and the other is not: give two replays, or two models with --bag")
    if len(args.bag) != 1 or args.out is None:
        raise ConfigError("two models need one --bag to be replayed on, and --out FILE, beside which the replays go")
    from ris_node.bags.topics import Topics
    from ris_node.cli.bags.executors import stopping
    from ris_node.replay.options import Commands, ReplayOptions
    from ris_node.replay.replay import replay
    from ris_node.review.review import review

    options = ReplayOptions(
        commands=Commands(args.command, args.recorded, args.script), topics=Topics(image=args.image), bag=False,
        video=False, report=False, resume=True,
    )  # fmt: skip
    folders = []
    with stopping() as stop:
        for letter, bundle in (("a", args.a), ("b", args.b)):
            folder = args.out.with_suffix("") / letter
            print(f"replaying {args.bag[0]} with {bundle}", file=sys.stderr)
            chosen = replace(options, bundle=bundle)
            summary = replay(args.bag[0], folder, chosen, stop=stop)
            if stop.is_set():
                raise KeyboardInterrupt
            for problem in summary.problems:
                print(f"{args.bag[0]}: {problem}", file=sys.stderr)
            review(args.bag[0], folder, replace(chosen, truth=args.truth), steady=True)
            folders.append(folder)
    return folders[0], folders[1]
