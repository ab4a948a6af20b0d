# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris record`: a bag of a live run, with each topic's own QoS."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ris_node.errors import ConfigError

if TYPE_CHECKING:
    from ris_node.ros.bag.record_process import RecordOptions

EPILOG = """examples:
  ris record --out drive                          the grounding node's topics, its camera and TF; Ctrl-C ends
  ris record --out drive --topics /front/image /front/camera_info /tf_static
  ris record --out drive --all --exclude compressed --seconds 60
  ris record --qos-overrides > qos.yaml           for people with a ROS installation:
  ros2 bag record --qos-profile-overrides-path qos.yaml -o drive /image /camera_info /grounding_node/status

Writes the bag's folder: MCAP (or sqlite3) and metadata.yaml, which `ros2 bag play` plays: a latched topic such as
/tf_static or the node's ~/status is recorded even when it was published before, and stays latched. Topics may appear
later. The node's pictures (~/mask, ~/overlay ...) cost it time as soon as someone listens: name them, or give --all.
Killed in the middle, the bag lacks its end; `ris replay` and `ris play` read what was written up to the last second.

exit codes: 0 recorded; 1 nothing came, or the disk is full (what was written is kept); 2 wrong usage
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ris record`."""
    parser.epilog = EPILOG
    parser.add_argument("--out", metavar="BAG", type=Path, help="the bag's folder, which must not exist")
    parser.add_argument(
        "--topics", nargs="+", action="extend", default=[], metavar="TOPIC", help="these, not the node's own"
    )
    parser.add_argument("--all", action="store_true", help="every topic but /rosout and /parameter_events")
    parser.add_argument("--exclude", default="", metavar="PATTERN", help="not those that this regular expression fits")
    parser.add_argument("--namespace", default="", help="namespace of the node whose topics are recorded")
    parser.add_argument("--storage", choices=("mcap", "sqlite3"), default="mcap", help="default mcap")
    parser.add_argument(
        "--compression",
        choices=("none", "message", "file", "storage"),
        default="none",
        help="zstd: each message, the whole file at the end, or MCAP's chunks (default none)",
    )
    parser.add_argument("--seconds", type=float, default=0.0, metavar="S", help="end after so long")
    parser.add_argument("--use-sim-time", action="store_true", help="stamp messages with /clock")
    parser.add_argument("--qos-overrides", action="store_true", help="print the node's QoS for `ros2 bag record`")
    parser.add_argument("--json", action="store_true", help="print what was recorded as JSON")


def options_of(args: argparse.Namespace) -> RecordOptions:
    """Return the options in `args`.

    Raises:
        ConfigError: one of them cannot be used, or ROS is not installed.
    """
    try:
        from ris_node.ros.bag.record_process import RecordOptions
        from ris_node.ros.bag.recorder import Wanted, node_topics
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"recording needs ROS ({error.name}): use scripts/with_ros ris record, or source ROS"
        ) from error
    if args.out is None:
        raise ConfigError("--out is missing: give the bag's folder")
    if args.seconds < 0:
        raise ConfigError(f"--seconds is {args.seconds:g}: give 0 or more")
    try:
        re.compile(args.exclude)
    except re.error as error:
        raise ConfigError(f"--exclude {args.exclude!r} is no regular expression: {error}") from error
    if args.all:
        names = None
    elif args.topics:
        names = frozenset("/" + name.lstrip("/") for name in args.topics)
    else:
        names = frozenset(node_topics(args.namespace))
    return RecordOptions(
        out=args.out, wanted=Wanted(names, args.exclude), storage=args.storage, compression=args.compression,
        seconds=args.seconds, use_sim_time=args.use_sim_time,
    )  # fmt: skip


def qos_overrides(namespace: str = "") -> dict[str, Any]:
    """Return the QoS of the node's topics as `ros2 bag record --qos-profile-overrides-path` reads it."""
    from ris_node.ros.bag.recorder import node_topics

    return {
        name: {
            "history": "keep_last",
            "depth": max(qos.depth, 10) if not qos.latched else qos.depth,
            "reliability": "reliable" if qos.reliable else "best_effort",
            "durability": "transient_local" if qos.latched else "volatile",
        }
        for name, qos in node_topics(namespace).items()
    }


def run(args: argparse.Namespace) -> int:
    """Record, or print the QoS overrides."""
    if args.qos_overrides:
        import yaml

        yaml.safe_dump(qos_overrides(args.namespace), sys.stdout, sort_keys=True)
        return 0
    options = options_of(args)
    from ris_node.ros.bag.record_process import record_bag

    print(f"recording to {options.out}; Ctrl-C ends", file=sys.stderr, flush=True)
    summary = record_bag(options)
    if args.json:
        print(json.dumps(summary.to_json()))
    else:
        for name, count in sorted(summary.messages.items()):
            lost = f"   {summary.dropped[name]} dropped" if name in summary.dropped else ""
            print(f"{count:8d}  {name}{lost}")
    if not sum(summary.messages.values()):
        print("ris record: no message came: do the topics exist ('ris doctor' looks), is ROS_DOMAIN_ID the same?",
              file=sys.stderr)  # fmt: skip
        return 1
    return 1 if summary.dropped else 0
