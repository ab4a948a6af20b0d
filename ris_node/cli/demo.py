# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris demo`: a live node grounds commands in a rendered street or in own footage; a film of it."""

from __future__ import annotations

import argparse
import importlib.util
import json
import signal
import sys
import time
from pathlib import Path

from ris_node.demo import drive_bag, report
from ris_node.demo.demo import DemoSettings, finish, perform
from ris_node.demo.recorded import script_of
from ris_node.demo.recording import KEPT, MADE, VERB
from ris_node.demo.sources import open_source
from ris_node.errors import ConfigError, DemoError, RisError
from ris_node.outputs import claim, remove
from ris_scene.spec import DEMO_SEED, demo_spec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ris demo`."""
    parser.add_argument(
        "--source", default="scene", help="scene (default), a video file, a folder of images, a bag, or camera:0"
    )
    parser.add_argument(
        "--command",
        action="append",
        default=[],
        help="what to look for in your own footage; may be given several times",
    )
    parser.add_argument(
        "--size",
        default="640x480",
        help="WIDTHxHEIGHT of the scene; your own frames are shrunk to fit (default 640x480)",
    )
    parser.add_argument(
        "--seconds", type=float, default=0.0, help="how long to run (default 48 for the scene, 20 for your own footage)"
    )
    parser.add_argument("--rate", type=float, default=10.0, help="camera frames a second (default 10)")
    parser.add_argument(
        "--hfov",
        type=float,
        default=0.0,
        help="horizontal field of view of your own camera in degrees, for regions in metres",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("demo"), help="folder for the film, the sheet and results.jsonl (default demo)"
    )
    parser.add_argument("--model-dir", default="", help="bundle to use (default: the packaged one)")
    parser.add_argument(
        "--seed", type=int, default=DEMO_SEED, help=f"which street, 200000 to 200999 (default {DEMO_SEED})"
    )
    parser.add_argument(
        "--record",
        nargs="?",
        const="",
        metavar="BAG",
        help="write the drive as a bag: camera, commands, answers, truth (default OUT/drive)",
    )
    parser.add_argument("--keep-frames", action="store_true", help="keep the recorded frames in OUT/frames")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def run(args: argparse.Namespace) -> int:
    """Run the demo; returns 0, or 1 with a message on standard error."""
    # Ended from outside, the demo must still end its processes.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        settings = settings_of(args)
        begin = time.monotonic()
        say = _silent if args.json else _aloud
        perform(settings, say)
        summary = finish(settings, say)
        if not args.keep_frames:
            remove(settings.out, KEPT, by=VERB)
        summary["seconds"] = round(time.monotonic() - begin, 1)
        print(json.dumps(summary) if args.json else report.text(summary, settings.out))
    except RisError as error:
        print(f"ris demo: {error}", file=sys.stderr)
        return 2 if isinstance(error, ConfigError) else 1
    except OSError as error:
        print(
            f"ris demo: {error.strerror or error}: {error.filename or args.out}; free some space or choose --out",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("ris demo: stopped", file=sys.stderr)
        return 130
    return 0


def settings_of(args: argparse.Namespace) -> DemoSettings:
    """Check the arguments before anything starts.

    Raises:
        DemoError: one of them cannot be used, or ROS is not there.
        ConfigError: something that no demo made is in the way in the output folder, or is to be read; nothing was
            touched.
    """
    width, _, height = args.size.partition("x")
    if not (width.isdigit() and height.isdigit() and 64 <= int(width) <= 4096 and 64 <= int(height) <= 4096):
        raise DemoError(f"--size is {args.size!r}: give WIDTHxHEIGHT from 64x64 to 4096x4096, e.g. 640x480")
    if not 0.5 <= args.rate <= 120:
        raise DemoError(f"--rate is {args.rate:g}: give 0.5 to 120 frames a second")
    for module in ("rclpy", "ris_msgs"):
        if importlib.util.find_spec(module) is None:
            raise DemoError(
                f"no {module} in this Python: start the demo with 'make demo' or 'scripts/with_ros ris demo'"
            )
    script, mount = script_of(args.source, args.command, args.seconds)
    if args.source != "scene":
        open_source(args.source, demo_spec(int(width), int(height), args.seed), args.rate)
    out = Path(args.out)
    claim(
        out, (*MADE, *drive_bag.MADE, *([drive_bag.DRIVE] if args.record == "" else [])), [Path(args.source)], by=VERB
    )
    return DemoSettings(
        source=args.source,
        script=script,
        width=int(width),
        height=int(height),
        rate=args.rate,
        hfov=args.hfov,
        seed=args.seed,
        out=out,
        model_dir=args.model_dir,
        mount=mount,
        record=drive_bag.record_path(args.record, out),
    )


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _aloud(text: str) -> None:
    print(text, flush=True)


def _silent(_: str) -> None:
    pass
