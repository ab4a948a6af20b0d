# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A bag's camera as a source of the demo: its pictures, intrinsics, where the camera sat, and what was said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.demo.script import Script, Step, own_script, scene_script
from ris_node.demo.sources import SourceFrame, fitted
from ris_node.errors import BagError, ConfigError, DemoError, ImageError, RisError
from ris_node.geometry.camera import Camera
from ris_node.geometry.transform import OPTICAL_IN_BODY, Transform
from ris_node.types import U8

_ENDINGS = (".mcap", ".db3", ".bag", ".zstd")
_LAST_S = 5.0
_OWN_COMMANDS = ["the car", "stop behind the nearest car", "the road", "the elephant"]


def is_bag(path: Path) -> bool:
    """Whether a path looks like a bag: a folder with metadata.yaml or storage files, or a storage file."""
    if path.is_dir():
        return (path / "metadata.yaml").is_file() or any(path.glob("*.mcap")) or any(path.glob("*.db3"))
    return path.suffix in _ENDINGS


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


class BagSource:
    """The pictures of a bag's camera at their recorded spacing, shrunk to fit into width x height."""

    def __init__(self, path: Path, width: int, height: int) -> None:
        """Open the bag and find its camera.

        Raises:
            DemoError: it cannot be read, or its camera is missing or one of several.
        """
        from ris_node.bags.reader import open_bag
        from ris_node.bags.topics import Topics, choose, first_readable
        from ris_node.sensing.camera import camera_from_info, is_rectified

        try:
            self._bag = open_bag(path)
            chosen = choose(self._bag, Topics(), commands=False)
            info = first_readable(self._bag, chosen.camera_info) if chosen.camera_info else None
            rectified = is_rectified(chosen.image.name)
            self._camera = camera_from_info(info, rectified=rectified) if info is not None else None
        except RisError as error:
            raise DemoError(f"cannot show the bag {path}: {error}") from error
        self._image = chosen.image
        self._size = (width, height)
        self._frames = self._read()
        self._begin_ns: int | None = None
        self._next: tuple[int, Any] | None = None
        self._shown: SourceFrame | None = None

    def frame(self, time_s: float) -> SourceFrame | None:
        """Return the last frame up to a time in seconds from the first, or None past the end of the bag.

        Frames that cannot be decoded are passed over.
        """
        moved = False
        while True:
            self._next = self._next or next(self._frames, None)
            if self._next is None:
                return self._shown if moved else None
            log_ns, message = self._next
            self._begin_ns = log_ns if self._begin_ns is None else self._begin_ns
            at_s = (log_ns - self._begin_ns) / 1e9
            if self._shown is not None and at_s > time_s:
                return self._shown
            self._next = None
            with suppress(BagError, ImageError):
                image = self._decoded(message)
                self._shown, moved = SourceFrame(image, at_s, camera=self._shrunk(image)), True

    def _read(self) -> Iterator[tuple[int, Any]]:
        for message in self._bag.messages([self._image.name]):
            yield message.log_ns, message

    def _decoded(self, message: Any) -> U8:
        from ris_node.sensing.images import decode_compressed, decode_image

        picture = self._bag.deserialize(message)
        compressed = message.type.endswith("/CompressedImage")
        return fitted(decode_compressed(picture) if compressed else decode_image(picture), *self._size)

    def _shrunk(self, image: U8) -> Camera | None:
        """The bag's camera at the size of the picture shown."""
        camera = self._camera
        if camera is None or not camera.width or not camera.height:
            return None
        scale = np.array([image.shape[1] / camera.width, image.shape[0] / camera.height])
        matrix = camera.matrix.copy()
        matrix[[0, 1], [0, 1]] *= scale
        # the origin is the middle of the first pixel, which moves when pixels grow
        matrix[:2, 2] = (matrix[:2, 2] + 0.5) * scale - 0.5
        return Camera(image.shape[1], image.shape[0], matrix, camera.distortion, camera.model)


def recorded_script(path: Path, seconds: float) -> Script | None:
    """Return the commands that were recorded with a drive, for at most so many seconds; None when there are none."""
    from ris_node.bags.reader import open_bag
    from ris_node.bags.topics import Topics, choose

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
    from ris_node.bags.reader import open_bag
    from ris_node.replay.options import Commands, ReplayOptions
    from ris_node.replay.run import jobs_of

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
