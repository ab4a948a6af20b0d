# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The demo: a node, a camera and a speaker of commands over DDS; then the film, the sheet and the judgement."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ris_node.demo import drive_bag, report
from ris_node.demo.judge import judge, truth_of
from ris_node.demo.picture import compose
from ris_node.demo.processes import Crew
from ris_node.demo.recording import ANSWERS, KEPT, VERB, JsonLines, read_frames, read_lines
from ris_node.demo.script import Script
from ris_node.errors import DemoError
from ris_node.media.film import Film, contact_sheet
from ris_node.outputs import remove, sign
from ris_node.types import U8
from ris_scene.populate import build_world
from ris_scene.spec import demo_spec
from ris_scene.world import World

_PATIENCE_S = 60.0
# The street ahead is long and what is far is uncertain: of the places that fit, the one that is reached first.
_GOAL_POINT = "nearest"


@dataclass(frozen=True, kw_only=True)
class DemoSettings:
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


def perform(settings: DemoSettings, say: Callable[[str], None]) -> None:
    """Run the four processes until every command was published."""
    remove(settings.out, KEPT, by=VERB)
    drive_bag.clear(settings.out)
    commands = settings.out / "commands.json"
    commands.write_text(json.dumps(settings.script.spoken(), indent=1), encoding="utf-8")
    mount = demo_spec(settings.width, settings.height, settings.seed).camera
    parameters: dict[str, object] = {"autostart": "true", "goal_point": _GOAL_POINT}
    parameters |= {f"camera_{name}": getattr(mount, name) for name in ("x_m", "y_m", "z_m", "pitch_deg")}
    parameters |= settings.mount
    if settings.model_dir:
        parameters["model_dir"] = settings.model_dir
    options = [part for name, value in parameters.items() for part in ("-p", f"{name}:={value}")]
    with Crew(sign(settings.out / "logs", by=VERB)) as crew:
        say("starting: node, camera, recorder and speaker, each a process of its own, over DDS")
        crew.start("node", "ris_node.ros.grounding_node", "--ros-args", *options)
        crew.start("recorder", "ris_node.ros.tools.demo_recorder", "--out", str(settings.out))
        if settings.record is not None:
            sign(settings.out / drive_bag.HALVES, by=VERB)
            crew.start("bag", "ris_node.cli", "record", "--out", str(settings.out / drive_bag.LIVE))
        crew.start("camera", "ris_node.ros.tools.demo_camera", *_camera_arguments(settings))
        crew.start(
            "speaker",
            "ris_node.ros.tools.demo_command",
            "--script",
            str(commands),
            "--timeout",
            str(_PATIENCE_S),
            "--listeners",
            "2" if settings.record is None else "3",
        )
        _watch(crew, settings, say)
        crew.stop("camera")
        time.sleep(0.5)
        if crew.stop("recorder", 30.0) != 0 or (settings.record is not None and crew.stop("bag", 30.0) != 0):
            crew.check()
        crew.stop("node")


def _camera_arguments(settings: DemoSettings) -> list[str]:
    seconds = settings.script.seconds + _PATIENCE_S
    options = {
        "source": settings.source,
        "seed": settings.seed,
        "width": settings.width,
        "height": settings.height,
        "rate": settings.rate,
    }
    options |= {"hfov": settings.hfov, "seconds": seconds, "keep": settings.out / KEPT}
    options["listeners"] = 1 if settings.record is None else 2
    return [part for name, value in options.items() for part in (f"--{name}", str(value))]


def _watch(crew: Crew, settings: DemoSettings, say: Callable[[str], None]) -> None:
    """Wait for the speaker to end, passing on its lines.

    Raises:
        DemoError: a process failed, or it took too long.
    """
    end = time.monotonic() + settings.script.seconds + 2 * _PATIENCE_S
    while crew.running("speaker"):
        crew.check()
        if time.monotonic() > end:
            raise DemoError(f"the demo did not end in time; see {settings.out / 'logs'}")
        if settings.source != "scene" and not crew.running("camera"):
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


def finish(settings: DemoSettings, say: Callable[[str], None]) -> dict[str, Any]:
    """Judge the answers, make the film and the sheet, and sum up.

    Raises:
        DemoError: there is no answer.
        OSError: something could not be written; what was written stays.
    """
    rows = [row for row in read_lines(settings.out / ANSWERS) if row["query_id"] in settings.script.by_id]
    if not rows:
        raise DemoError(f"the node gave no answer to any command; see {settings.out / 'logs'}")
    say(f"judging {len(rows)} answers, making the film")
    length_s = (rows[-1]["stamp_ns"] - rows[0]["stamp_ns"]) * 1e-9
    rate = min(30.0, max(1.0, (len(rows) - 1) / max(length_s, 1e-3)))
    shown = _film(settings, rows, rate)
    # The camera may be stopped between publishing its last frame and keeping it.
    rows = [row for row in rows if "time_s" in row]
    contact_sheet(settings.out / "contact_sheet.png", shown)
    _rewrite(settings.out, rows)
    if settings.record is not None:
        mount = settings.world.spec.camera.mount() if settings.world is not None else None
        say(f"writing the drive to {settings.record}")
        drive_bag.write_drive(settings.out, settings.record, mount)
    return report.summary(settings.script, rows, rate)


def _film(settings: DemoSettings, rows: list[dict[str, Any]], rate: float) -> list[U8]:
    """Judge each answer in its row, make the film, and return the pictures of the best answer to each command."""
    by_stamp = {row["stamp_ns"]: row for row in rows}
    answered = {row["query_id"] for row in rows}
    chosen = {report.best_row(rows, name)["stamp_ns"] for name in settings.script.by_id if name in answered}
    shown: list[U8] = []
    with Film(settings.out / "overlay.mp4", rate) as film, drive_bag.truths(settings.out, settings.record) as truths:
        for frame in read_frames(settings.out / KEPT, settings.world, set(by_stamp)):
            row = by_stamp[frame.stamp_ns]
            row["time_s"] = round(frame.time_s, 3)
            step = settings.script.by_id[row["query_id"]]
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
