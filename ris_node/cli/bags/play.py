# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris play`: publish a bag and `/clock` over DDS, for a live node under `use_sim_time`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ris_node.errors import ConfigError

if TYPE_CHECKING:
    from ris_node.ros.bag.player import PlayOptions, PlaySummary

EPILOG = """examples:
  ris play drive                                       at the speed it was recorded, with /clock
  ris play drive --rate 0.5 --loop                     half as fast, again and again: time jumps back
  ris play drive --remap /camera/image_raw:=/image --remap /camera/camera_info:=/camera_info
  ris play drive --start 12.5 --topics /image /camera_info
and beside it:
  grounding_node --ros-args -p use_sim_time:=true -p autostart:=true

Every topic keeps the QoS it was recorded with: a latched one is latched again. With --start, latched messages from
before it are given first. Space pauses and goes on, q ends; so do SIGUSR1 and SIGINT, and the services
/ris_play/pause, /ris_play/resume and /ris_play/toggle_paused (std_srvs/Trigger). Topics whose messages are not
installed are left out and named. With a ROS installation, `ros2 bag play --clock 100 drive` does the same.

exit codes: 0 played, or ended by the user; 1 the bag cannot be read, or is damaged (what came before was published);
2 wrong usage
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ris play`."""
    parser.epilog = EPILOG
    parser.add_argument("bag", metavar="BAG", type=Path, help="a bag's folder, an MCAP file, or a ROS 1 .bag file")
    parser.add_argument("--rate", type=float, default=1.0, help="seconds of the bag in a second (default 1)")
    parser.add_argument("--start", type=float, default=0.0, metavar="S", help="begin so many seconds into the bag")
    parser.add_argument("--loop", action="store_true", help="begin again at the end, until stopped")
    parser.add_argument("--paused", action="store_true", help="begin paused")
    parser.add_argument("--topics", nargs="+", action="extend", default=[], metavar="TOPIC", help="only these")
    parser.add_argument(
        "--exclude", nargs="+", action="extend", default=[], metavar="TOPIC", help="all but these; /NAME/: all below it"
    )
    parser.add_argument(
        "--remap", action="append", default=[], metavar="FROM:=TO", help="publish a topic under another name"
    )
    parser.add_argument(
        "--clock", type=float, default=100.0, metavar="HZ", help="rate of /clock (default 100); 0 leaves it to the bag"
    )
    parser.add_argument(
        "--wait", type=float, default=0.0, metavar="S", help="wait up to so long for someone who listens to the camera"
    )
    parser.add_argument("--json", action="store_true", help="print what was played as JSON")


def options_of(args: argparse.Namespace) -> PlayOptions:
    """Return the options in `args`.

    Raises:
        ConfigError: one of them cannot be used, or ROS is not installed.
    """
    try:
        from ris_node.ros.bag.player import PlayOptions
    except ModuleNotFoundError as error:
        raise ConfigError(f"playing needs ROS ({error.name}): use scripts/with_ros ris play, or source ROS") from error

    remap = {}
    for entry in args.remap:
        source, sign, target = entry.partition(":=")
        if not (sign and source and target):
            raise ConfigError(f"--remap {entry!r}: give FROM:=TO, e.g. /camera/image_raw:=/image")
        remap[source] = target
    return PlayOptions(
        rate=args.rate,
        start_s=args.start,
        loop=args.loop,
        topics=tuple(args.topics),
        exclude=tuple(args.exclude),
        remap=remap,
        clock_hz=args.clock,
        wait_s=args.wait,
        paused=args.paused,
    )


def run(args: argparse.Namespace) -> int:
    """Play the bag that `args` name."""
    from ris_node.bags.files import find_files

    find_files(args.bag)  # a wrong path is said before missing packages, ROS among them
    options = options_of(args)
    from ris_node.ros.bag.play_process import play_bag

    show = not args.json and sys.stderr.isatty()
    summary = play_bag(args.bag, options, show=show)
    print(json.dumps(summary.to_json()) if args.json else _words(summary))
    return 0


def _words(summary: PlaySummary) -> str:
    total = sum(summary.messages.values())
    lines = [f"{count:8d}  {name}" for name, count in sorted(summary.messages.items())]
    return "\n".join([f"{total} messages, {summary.loops} times through, at most {summary.late_ms:g} ms late", *lines])
