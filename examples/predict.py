# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Ground a command in a picture, without ROS.

python examples/predict.py a.png "stop next to the red car" --hfov 70 --out overlay.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2

from ris_node.config import RegionConfig
from ris_node.geometry import Camera
from ris_node.pipeline.grounder import Grounder
from ris_node.pipeline.overlay import draw_overlay
from ris_node.types import Frame


def main() -> None:
    """Print verdict, instances and goal, and write the overlay."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path)
    parser.add_argument("command")
    parser.add_argument("--hfov", type=float, default=70.0, help="the camera's horizontal view angle in degrees")
    parser.add_argument("--height", type=float, default=1.5, help="the camera's height above the ground in metres")
    parser.add_argument("--bundle", type=Path, help="a model bundle; default: the packaged one")
    parser.add_argument("--out", type=Path, default=Path("overlay.png"))
    args = parser.parse_args()

    image = cv2.cvtColor(cv2.imread(str(args.picture)), cv2.COLOR_BGR2RGB)  # u8[H,W,3], RGB
    height, width = image.shape[:2]
    frame = Frame(image, camera=Camera.pinhole(width, height, args.hfov))

    with Grounder.open(args.bundle, region=RegionConfig(camera_z_m=args.height)) as grounder:
        answer = grounder.ground(frame, args.command)

    print(f"{answer.status.name}, presence {answer.presence:.2f} {answer.message}")
    print(f"{answer.mask.sum()} of {answer.mask.size} pixels")
    for instance in answer.instances:
        print(f"  instance {instance.instance_id}: box {instance.box}, score {instance.score:.2f}")
    if answer.target is not None:  # only for commands that say where to go, and only when PRESENT
        x, y, _ = answer.target.position
        print(f"goal {answer.target.status.name}: {x:.1f} m forward, {y:.1f} m left {answer.target.message}")
    cv2.imwrite(str(args.out), cv2.cvtColor(draw_overlay(image, answer), cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
