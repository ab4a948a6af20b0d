# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures for all parts of the bench: a rendered street, the same for core and node."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np

from ris_node.errors import DemoError
from ris_node.geometry import Camera
from ris_node.types import U8, Frame
from ris_scene.populate import build_world
from ris_scene.render import render_world
from ris_scene.spec import CameraSpec, demo_spec

FRAME_ID = "camera_optical_frame"
COUNT = 6
_STEP_S = 1.0


@dataclass(frozen=True)
class Pictures:
    """Pictures u8[N,H,W,3] of one size and the camera that took them, mounted as the scene's."""

    images: U8
    camera: Camera

    @property
    def size(self) -> str:
        """The size as `WIDTHxHEIGHT`."""
        return f"{self.camera.width}x{self.camera.height}"

    def frames(self) -> Iterator[Frame]:
        """Yield frames for the core for ever."""
        mount = CameraSpec().mount()
        for image in cycle(self.images):
            yield Frame(
                image,
                frame_id=FRAME_ID,
                camera=self.camera,
                camera_in_target=mount,
                target_frame="base_link",
            )

    def save(self, folder: Path) -> None:
        """Write them where the camera's process finds them."""
        np.save(folder / f"{self.size}.npy", self.images)
        about = {"width": self.camera.width, "height": self.camera.height, "k": self.camera.matrix.ravel().tolist()}
        (folder / f"{self.size}.json").write_text(json.dumps(about), encoding="utf-8")

    @staticmethod
    def load(folder: Path, size: str) -> Pictures:
        """Read what `save` wrote."""
        about = json.loads((folder / f"{size}.json").read_text(encoding="utf-8"))
        camera = Camera(about["width"], about["height"], np.reshape(about["k"], (3, 3)))
        return Pictures(np.load(folder / f"{size}.npy"), camera)


def render_pictures(size: str, count: int = COUNT) -> Pictures:
    """Render the demo's street in `WIDTHxHEIGHT`, a second apart.

    Raises:
        DemoError: the size is not two numbers.
    """
    width, _, height = size.partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        raise DemoError(f"size {size!r}: give WIDTHxHEIGHT, such as 640x480")
    spec = demo_spec(int(width), int(height))
    world = build_world(spec)
    images = np.stack([render_world(world, k * _STEP_S).image for k in range(count)])
    return Pictures(images, spec.camera.camera())


def mount_parameters() -> dict[str, float]:
    """Return the node parameters that put the camera where the scene has it."""
    spec = CameraSpec()
    return {
        "camera_x_m": spec.x_m,
        "camera_y_m": spec.y_m,
        "camera_z_m": spec.z_m,
        "camera_pitch_deg": spec.pitch_deg,
    }
