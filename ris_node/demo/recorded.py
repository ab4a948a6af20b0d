# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Commands and camera mount of the demo, from the bag that it shows where there is one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.bags.files import is_bag
from ris_node.bags.reader import open_bag
from ris_node.bags.topics import Topics, choose
from ris_node.demo.script import Script, Step, own_script, scene_script
from ris_node.errors import BagError, ConfigError, DemoError, RisError
from ris_node.geometry.transform import OPTICAL_IN_BODY, Transform

_LAST_S = 5.0
_OWN_COMMANDS = ["the car", "stop behind the nearest car", "the road", "the elephant"]


def script_of(source: str, commands: list[str], wanted_s: float) -> tuple[Script, dict[str, float]]:
    """Return the commands for a source and, for a bag, the parameters that say where its camera sat.

    Args:
        source: as `--source` names it.
        commands: given by the user; none: the scene's own, a bag's recorded ones, or some that fit most streets.
        wanted_s: for how long in seconds; 0: as long as is usual for the source.

    Raises:
        DemoError: it would be too short or too long.
    """
    own = source != "scene" or bool(commands)
    seconds = wanted_s or (20.0 if own else 48.0)
    if not 1.0 <= seconds <= 3600:
        raise DemoError(f"--seconds is {wanted_s:g}: give 1 to 3600")
    if not own:
        return scene_script(seconds), {}
    script, path = own_script(commands or _OWN_COMMANDS, seconds), Path(source)
    if not (path.exists() and is_bag(path)):
        return script, {}
    return (script if commands else recorded_script(path, seconds) or script), recorded_mount(path)


def recorded_script(path: Path, seconds: float) -> Script | None:
    """Return the commands that were recorded with a drive, for at most so many seconds; None when there are none."""
    said: list[tuple[float, str]] = []
    try:
        with open_bag(path) as bag:
            chosen = choose(bag, Topics(), commands=True)
            first = next(bag.messages([chosen.image.name]), None)
            for message in bag.messages([chosen.command]) if first is not None else ():
                text = ""
                with suppress(BagError):
                    entry: Any = bag.deserialize(message)
                    text = str(getattr(entry, "text", getattr(entry, "data", ""))).strip()
                at_s = max(0.0, (message.log_ns - first.log_ns) / 1e9) if first is not None else 0.0
                if text and at_s < seconds:
                    said.append((at_s, text))
    except RisError:  # no command topic: the demo has its own
        return None
    if not said:
        return None
    ends = [at_s for at_s, _ in said[1:]] + [max(seconds, said[-1][0] + _LAST_S)]
    return Script(tuple(Step(text, max(end - at_s, 0.1)) for (at_s, text), end in zip(said, ends, strict=True)))


def recorded_mount(path: Path) -> dict[str, float]:
    """Return the parameters `camera_*` of a bag's first transform of the camera in base_link; empty when unknown."""
    from ris_node.replay.options import Commands, ReplayOptions
    from ris_node.replay.replay import jobs_of

    with suppress(RisError, ConfigError), open_bag(path) as bag:
        options = ReplayOptions(commands=Commands(text="stop next to the car"), max_frames=1)
        job = next(jobs_of(bag, options), None)
        pose = job.frame.camera_in_target if job is not None else None
        if pose is not None:
            return mount_parameters(pose)
    return {}


def mount_parameters(pose: Transform) -> dict[str, float]:
    """Return the parameters `camera_*` (metres, degrees, REP 103) of an optical frame's pose in base_link."""
    body = (pose @ OPTICAL_IN_BODY.inverse()).rotation
    roll = np.degrees(np.arctan2(body[2, 1], body[2, 2]))
    pitch = np.degrees(np.arcsin(np.clip(-body[2, 0], -1.0, 1.0)))
    yaw = np.degrees(np.arctan2(body[1, 0], body[0, 0]))
    values = dict(zip(("x_m", "y_m", "z_m"), pose.translation, strict=True))
    values |= {"roll_deg": roll, "pitch_deg": pitch, "yaw_deg": yaw}
    return {f"camera_{name}": round(float(value), 6) for name, value in values.items()}
