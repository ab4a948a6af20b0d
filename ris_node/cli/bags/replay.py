# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris replay`: the node's answers to every frame of recorded drives, without ROS."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ris_node.cli.config import add_set_argument, parse_settings
from ris_node.errors import ConfigError

if TYPE_CHECKING:
    from ris_node.replay.options import ReplayOptions


EPILOG = """examples:
  ris replay drive/ --command "stop next to the red car" --out out
  ris replay drive.mcap --script orders.csv --out out          lines of  t, command  (seconds from the first frame)
  ris replay drive/ --recorded --out out                       the commands in the bag, at their own times
  ris replay day1/ day2/ --command "the cyclist" --rate 5 --results-only --out out
  ris replay drive/ --command "the van" --truth topic:/truth/mask --out out
  ris replay drive/ --command "the van" --out out --resume     after Ctrl-C, a full disk or a power cut
  ris replay --bags list.txt --executor ray --workers 4 --command "the van" --out out

A bag is a ROS 2 bag's folder (sqlite3 or MCAP, split or not, compressed or not), one .mcap or .db3 file, or a ROS 1
.bag. Damaged bags give their good part. Topics are found by their types; where several could be meant, they are
listed and one has to be named.

OUT (with several bags OUT/NAME for each, and all together in OUT)
  results.parquet   a row for each processed frame; columns that hold timings end in _ms, all others are the same in
                    every run with the same model
  results/          a bag (MCAP) of the node's own topics at the recorded stamps, to open beside the original
  overlay.mp4       the answers drawn over the pictures
  report.html       summary, timelines, targets from above, pictures, configuration; one file
  summary.json      what came of it

--truth   what the frames really show, for the metrics of 'ris evaluate':
  masks/                folder of masks named by stamp in nanoseconds (1700000000000000000.png, or SEC_NANOSEC.png)
  topic:/truth/mask     a recorded mono8 mask topic; topic:/a,/b adds one with regions
  coco.json             COCO instances, file names by stamp
  truth.jsonl           lines of the manifest of 'ris predict' with stamp_ns, mask and region as run lengths

exit codes: 0 done; 1 something is missing (damaged bag, unreadable frames, full disk): what there is, is marked
partial; 2 wrong usage; 130 stopped with Ctrl-C, --resume goes on
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ris replay`."""
    parser.epilog = EPILOG
    parser.add_argument("bag", metavar="BAG", nargs="*", type=Path, help="recorded drive")
    parser.add_argument("--bags", metavar="LIST", type=Path, help="file that names bags, one a line")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for the results")
    said = parser.add_argument_group("commands (default: the parameter default_query)")
    said.add_argument("--command", metavar="TEXT", default="", help="in force for the whole drive")
    said.add_argument("--script", metavar="FILE", type=Path, help="CSV or YAML of t, command")
    said.add_argument("--recorded", action="store_true", help="the bag's own commands, at their own times")
    topics = parser.add_argument_group("topics (default: found by type)")
    topics.add_argument("--image", metavar="TOPIC", default="", help="camera, raw or compressed")
    topics.add_argument("--camera-info", metavar="TOPIC", default="", help="calibration; 'none' leaves it out")
    topics.add_argument("--depth", metavar="TOPIC", default="", help="registered depth; 'none' leaves it out")
    topics.add_argument("--command-topic", metavar="TOPIC", default="", help="String or Query, with --recorded")
    frames = parser.add_argument_group("frames (default: every one)")
    frames.add_argument("--every", metavar="N", type=int, default=1, help="every n-th frame")
    frames.add_argument("--rate", metavar="HZ", type=float, default=0.0, help="at most so many a second, by stamp")
    frames.add_argument("--max-frames", metavar="N", type=int, default=0, help="stop after so many")
    wanted = parser.add_argument_group("results")
    wanted.add_argument("--results-only", action="store_true", help="no result bag, video and report")
    wanted.add_argument("--no-bag", action="store_true", help="no result bag")
    wanted.add_argument("--no-video", action="store_true", help="no overlay video")
    wanted.add_argument("--no-report", action="store_true", help="no report.html")
    wanted.add_argument("--truth", metavar="WHAT", default="", help="score the answers, see below")
    wanted.add_argument("--resume", action="store_true", help="go on where an earlier run was stopped")
    wanted.add_argument("--overwrite", action="store_true", help="replace an earlier run's results")
    many = parser.add_argument_group("many bags at once")
    many.add_argument("--executor", choices=("here", "ray"), default="here", help="ray shares bags out to processes")
    many.add_argument("--engine", choices=("here", "ray"), help=argparse.SUPPRESS)  # the old name of --executor
    many.add_argument("--workers", metavar="N", type=int, default=0, help="processes (default: CPUs / --threads)")
    many.add_argument("--retries", metavar="N", type=int, default=2, help="further attempts at a bag (default 2)")
    many.add_argument("--ray-address", metavar="ADDRESS", default="", help="a running cluster (default: RAY_ADDRESS)")
    parser.add_argument("--bundle", metavar="DIR", type=Path, help="model bundle (default: the packaged one)")
    parser.add_argument("--threads", metavar="N", type=int, default=0, help="frames answered at once (default: cores)")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON on stdout")
    add_set_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Replay the bags that `args` name, one after the other."""
    from ris_node.bags.files import find_files

    bags = bag_list(args.bag, args.bags)
    options = make_options(args)
    if len(bags) == 1:
        find_files(bags[0])  # before a model is loaded; of several, each is named in its turn
    from ris_node.cli.bags.executors import replay_here, replay_on_ray

    if args.engine is not None:
        print(f"ris replay: --engine is named --executor now: give --executor {args.engine}", file=sys.stderr)
    executor = replay_on_ray if "ray" in (args.executor, args.engine) else replay_here
    return executor(args, bags, options)


def bag_list(named: Sequence[Path], listing: Path | None) -> list[Path]:
    """Return the bags of the command line and of a file (one a line, relative to the file; # begins a comment).

    Raises:
        ConfigError: there are none, or the file cannot be read.
    """
    bags = list(named)
    if listing is not None:
        try:
            lines = listing.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"cannot read the list {listing}: {getattr(error, 'strerror', error)}") from error
        bags += [listing.parent / line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not bags:
        raise ConfigError("no bag is named: give a bag's folder or file, or --bags LIST")
    return bags


def make_options(args: argparse.Namespace) -> ReplayOptions:
    """Return the options that `args` give."""
    from ris_node.bags.topics import Topics
    from ris_node.replay.options import Commands, ReplayOptions

    only = args.results_only
    return ReplayOptions(
        commands=Commands(args.command, args.recorded or bool(args.command_topic), args.script),
        topics=Topics(args.image, args.camera_info, args.depth, args.command_topic),
        config=parse_settings(args.set),
        bundle=args.bundle,
        every=args.every,
        rate_hz=args.rate,
        max_frames=args.max_frames,
        bag=not (only or args.no_bag),
        video=not (only or args.no_video),
        report=not (only or args.no_report),
        truth=args.truth,
        resume=args.resume,
        overwrite=args.overwrite,
        threads=args.threads,
    )
