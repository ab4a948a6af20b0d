# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Choose the goal inside a region by a rule of your own, here as far to the right as the vehicle fits.

In a package, name this module in an entry point of the group "ris_node.plugins": mine = "my_package.policy". Then
`goal_point: rightmost` works in the node and in every verb of `ris`.
"""

from __future__ import annotations

import numpy as np

from ris_node.config import RegionConfig
from ris_node.pipeline.grounder import Grounder
from ris_node.targets.policies import Piece, register_goal_policy
from ris_node.types import F64, Frame
from ris_scene import CameraSpec, SceneSpec, render_scene


def rightmost(piece: Piece) -> F64:
    """Return the cell (row, column) farthest to the right where the vehicle fits; the nearest of several.

    Rows run forward, away from the camera; columns run to the left. A goal where the vehicle does not fit would be
    moved to the nearest cell where it does.
    """
    places = np.argwhere(piece.fits)
    right = places[places[:, 1] == places[:, 1].min()]
    return right[right[:, 0].argmin()].astype(np.float64)


register_goal_policy("rightmost", rightmost)

if __name__ == "__main__":
    scene = render_scene(SceneSpec("train", seed=7, camera=CameraSpec(640, 480)), time_s=1.5)
    frame = Frame(scene.image, camera=scene.camera, camera_in_target=scene.camera_in_base, target_frame="base_link")
    with Grounder.open() as grounder:
        for policy in ("inscribed", "rightmost"):
            grounder.region = RegionConfig(goal_point=policy, vehicle_length_m=2.0, vehicle_width_m=1.0)
            answer = grounder.ground(frame, "pull over on the right")
            x, y, _ = answer.target.position
            print(f"{policy}: {answer.status.name}, {answer.target.status.name}, {x:.2f} m forward, {y:.2f} m left")
