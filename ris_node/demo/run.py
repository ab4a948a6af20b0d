# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris demo`: a real node, a camera and someone giving commands over DDS; then the film, the sheet and the verdict."""

from __future__ import annotations

import argparse
import importlib.util
import json
import queue
import signal
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ris_node.demo import drive_bag, report
from ris_node.demo.judge import judge, truth_of
from ris_node.demo.picture import compose
from ris_node.demo.processes import Crew
from ris_node.demo.recorded import script_of
from ris_node.demo.recording import ANSWERS, KEPT, MADE, VERB, JsonLines, read_frames, read_lines
from ris_node.demo.script import SEED, Script, demo_spec
from ris_node.demo.sources import open_source
from ris_node.errors import ConfigError, DemoError, RisError
from ris_node.media.film import Film, contact_sheet
from ris_node.outputs import claim, remove, sign
from ris_node.types import U8
from ris_scene.populate import build_world
from ris_scene.world import World

_PATIENCE_S = 60.0
# The street ahead is long and what is far is uncertain: of the places that fit, the one that is reached first.
_GOAL_POINT = "nearest"


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
    parser.add_argument("--seed", type=int, default=SEED, help=f"which street, 200000 to 200999 (default {SEED})")
    parser.add_argument(
        "--record",
        nargs="?",
        const="",
        metavar="BAG",
        help="write the drive as a bag: camera, commands, answers, truth (default OUT/drive)",
    )
    parser.add_argument("--keep-frames", action="store_true", help="keep the recorded frames in OUT/frames")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


@dataclass(frozen=True)
class Plan:
    """One run, after its arguments were checked."""

    source: str
    script: Script
    width: int
    height: int
    rate: float
    hfov: float
    seed: int
    out: Path
    model_dir: str
    mount: dict[str, float] = field(default_factory=dict)
    record: Path | None = None

    @property
    def world(self) -> World | None:
        """The street behind the frames, or None for own footage."""
        return build_world(demo_spec(self.width, self.height, self.seed)) if self.source == "scene" else None


def run(args: argparse.Namespace) -> int:
    """Run the demo; returns 0, or 1 with a message on standard error."""
    # Ended from outside, the demo must still end its processes.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        plan = plan_of(args)
        begin = time.monotonic()
        say = _silent if args.json else _aloud
        _perform(plan, say)
        summary = finish(plan, say)
        if not args.keep_frames:
            remove(plan.out, KEPT, by=VERB)
        summary["seconds"] = round(time.monotonic() - begin, 1)
        print(json.dumps(summary) if args.json else report.text(summary, plan.out))
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


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _aloud(text: str) -> None:
    print(text, flush=True)


def _silent(_: str) -> None:
    pass


def plan_of(args: argparse.Namespace) -> Plan:
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
    size = int(width), int(height)
    record = drive_bag.record_path(args.record, out)
    return Plan(args.source, script, *size, args.rate, args.hfov, args.seed, out, args.model_dir, mount, record)


def _perform(plan: Plan, say: Any) -> None:
    """Run the four processes until every command has been said."""
    remove(plan.out, KEPT, by=VERB)
    drive_bag.clear(plan.out)
    commands = plan.out / "commands.json"
    commands.write_text(json.dumps(plan.script.spoken(), indent=1), encoding="utf-8")
    mount = demo_spec(plan.width, plan.height, plan.seed).camera
    parameters: dict[str, object] = {"autostart": "true", "goal_point": _GOAL_POINT}
    parameters |= {f"camera_{name}": getattr(mount, name) for name in ("x_m", "y_m", "z_m", "pitch_deg")}
    parameters |= plan.mount
    if plan.model_dir:
        parameters["model_dir"] = plan.model_dir
    settings = [part for name, value in parameters.items() for part in ("-p", f"{name}:={value}")]
    with Crew(sign(plan.out / "logs", by=VERB)) as crew:
        say("starting: node, camera, recorder and speaker, each a process of its own, over DDS")
        crew.start("node", "ris_node.ros.grounding_node", "--ros-args", *settings)
        crew.start("recorder", "ris_node.ros.tools.demo_recorder", "--out", str(plan.out))
        if plan.record is not None:
            sign(plan.out / drive_bag.HALVES, by=VERB)
            crew.start("bag", "ris_node.cli", "record", "--out", str(plan.out / drive_bag.LIVE))
        crew.start("camera", "ris_node.ros.tools.demo_camera", *_camera_arguments(plan))
        crew.start(
            "speaker",
            "ris_node.ros.tools.demo_command",
            "--script",
            str(commands),
            "--timeout",
            str(_PATIENCE_S),
            "--listeners",
            "2" if plan.record is None else "3",
        )
        _watch(crew, plan, say)
        crew.stop("camera")
        time.sleep(0.5)
        if crew.stop("recorder", 30.0) != 0 or (plan.record is not None and crew.stop("bag", 30.0) != 0):
            crew.check()
        crew.stop("node")


def _camera_arguments(plan: Plan) -> list[str]:
    seconds = plan.script.seconds + _PATIENCE_S
    options = {"source": plan.source, "seed": plan.seed, "width": plan.width, "height": plan.height, "rate": plan.rate}
    options |= {"hfov": plan.hfov, "seconds": seconds, "keep": plan.out / KEPT}
    options["listeners"] = 1 if plan.record is None else 2
    return [part for name, value in options.items() for part in (f"--{name}", str(value))]


def _watch(crew: Crew, plan: Plan, say: Any) -> None:
    """Wait for the speaker to end, passing on what it says.

    Raises:
        DemoError: a process failed, or it took too long.
    """
    end = time.monotonic() + plan.script.seconds + 2 * _PATIENCE_S
    while crew.running("speaker"):
        crew.check()
        if time.monotonic() > end:
            raise DemoError(f"the demo did not end in time; see {plan.out / 'logs'}")
        if plan.source != "scene" and not crew.running("camera"):
            break
        try:
            name, line = crew.lines.get(timeout=0.3)
        except queue.Empty:
            continue
        if name == "speaker" and line.startswith("{"):
            said = json.loads(line)
            note = f"   ({said['note']})" if said["note"] else ""
            say(f"  {said['at']:5.1f} s  {said['said']}{note}")
    crew.check()


def finish(plan: Plan, say: Any) -> dict[str, Any]:
    """Judge the answers, make the film and the sheet, and sum up.

    Raises:
        DemoError: there is no answer.
        OSError: something could not be written; what was written stays.
    """
    rows = [row for row in read_lines(plan.out / ANSWERS) if row["query_id"] in plan.script.by_id]
    if not rows:
        raise DemoError(f"the node gave no answer to any command; see {plan.out / 'logs'}")
    say(f"judging {len(rows)} answers, making the film")
    length_s = (rows[-1]["stamp_ns"] - rows[0]["stamp_ns"]) * 1e-9
    rate = min(30.0, max(1.0, (len(rows) - 1) / max(length_s, 1e-3)))
    shown = _film(plan, rows, rate)
    # The camera may be stopped between publishing its last frame and keeping it.
    rows = [row for row in rows if "time_s" in row]
    contact_sheet(plan.out / "contact_sheet.png", shown)
    _rewrite(plan.out, rows)
    if plan.record is not None:
        mount = plan.world.spec.camera.mount() if plan.world is not None else None
        say(f"writing the drive to {plan.record}")
        drive_bag.write_drive(plan.out, plan.record, mount)
    return report.summary(plan.script, rows, rate)


def _film(plan: Plan, rows: list[dict[str, Any]], rate: float) -> list[U8]:
    """Judge each answer in its row, make the film, and return the pictures of the best answer to each command."""
    by_stamp = {row["stamp_ns"]: row for row in rows}
    answered = {row["query_id"] for row in rows}
    chosen = {report.best_row(rows, name)["stamp_ns"] for name in plan.script.by_id if name in answered}
    shown: list[U8] = []
    with Film(plan.out / "overlay.mp4", rate) as film, drive_bag.truths(plan.out, plan.record) as truths:
        for frame in read_frames(plan.out / KEPT, plan.world, set(by_stamp)):
            row = by_stamp[frame.stamp_ns]
            row["time_s"] = round(frame.time_s, 3)
            step = plan.script.by_id[row["query_id"]]
            truth = truth_of(frame.scene, step) if frame.scene is not None and (step.meaning or step.place) else None
            if truth is not None:
                row["truth"] = {**asdict(judge(truth, row)), "goal_wanted": truth.region is not None}
                truths.add(frame.stamp_ns, truth, frame.image.shape[:2])
            picture = compose(frame, row, truth.region if truth else None, step.note)
            film.add(picture)
            if frame.stamp_ns in chosen:
                shown.append(picture)
    return shown


def _rewrite(out: Path, rows: list[dict[str, Any]]) -> None:
    """Put the judged answers in the place of the raw ones, at once."""
    fresh = JsonLines(out / f"{ANSWERS}.new")
    for row in rows:
        fresh.write(row)
    fresh.close()
    fresh.path.replace(out / ANSWERS)
