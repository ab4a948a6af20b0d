# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the launch files share. `ros2 launch` loads each by itself, so that they meet only in an installed package."""

from __future__ import annotations

import os
from pathlib import Path

# What the node subscribes to; each is remapped to the launch argument of its name.
TOPICS = {
    "image": "camera images, raw",
    "image/compressed": "camera images, compressed; with the parameter image_transport",
    "camera_info": "the camera's calibration; without it there is no target in metres",
    "depth/image": "depth images, where there are any",
    "command": "std_msgs/String with the command's text",
    "query": "ris_msgs/Query",
}
PROFILE_VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")


def argument_name(topic: str) -> str:
    """Return the launch argument for a topic: `/` cannot be in one."""
    return topic.replace("/", "_")


def topic_arguments(where: str = "") -> dict[str, tuple[str, str]]:
    """Return (default, meaning) of each topic's launch argument; `where` is added to the meanings."""
    return {argument_name(topic): (topic, meaning + where) for topic, meaning in TOPICS.items()}


def fast_dds_profile(share: Path) -> dict[str, str]:
    """Return the environment that lets camera images through Fast DDS's shared memory.

    Empty where the user has a profile of their own; `share` is the package's share folder.
    """
    if any(os.environ.get(name) for name in PROFILE_VARIABLES):
        return {}
    return dict.fromkeys(PROFILE_VARIABLES, str(share / "launch" / "fastdds.xml"))
