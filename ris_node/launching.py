# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the launch files share. `ros2 launch` loads each by itself, so that they meet only in an installed package."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ris_node.config import NodeConfig, RegionConfig, Value, all_specs
from ris_node.errors import ConfigError

# What the node subscribes to; each is remapped to the launch argument of its name.
TOPICS = {
    "image": "camera images, raw",
    "image/compressed": "camera images, compressed; with the parameter image_transport",
    "camera_info": "the camera's calibration; without it there is no target in metres",
    "depth/image": "depth images, where there are any",
    "depth/image/compressedDepth": "depth images, compressed; with the parameter depth_transport",
    "command": "std_msgs/String with the command's text",
    "query": "ris_msgs/Query",
}
# Parameters with a launch argument each; one left empty keeps what the parameter file says.
PARAMETERS = (
    *("model_dir", "default_query", "image_transport", "depth_transport"),
    *("camera_x_m", "camera_y_m", "camera_z_m", "camera_roll_deg", "camera_pitch_deg", "camera_yaw_deg"),
)
SIZE = ("vehicle_length_m", "vehicle_width_m", "clearance_m", "min_region_m2")
# What has to fit, in metres (the order of SIZE); examples to start from, the parameters say it exactly.
VEHICLES: dict[str, dict[str, float]] = {
    "car": {name: getattr(RegionConfig(), name) for name in SIZE},
    "delivery": dict(zip(SIZE, (1.0, 0.7, 0.2, 1.0), strict=True)),
    "indoor": dict(zip(SIZE, (0.5, 0.5, 0.1, 0.3), strict=True)),
}
PROFILE_VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")


def argument_name(topic: str) -> str:
    """Return the launch argument for a topic: `/` cannot be in one."""
    return topic.replace("/", "_")


def topic_arguments(where: str = "") -> dict[str, tuple[str, str]]:
    """Return (default, meaning) of each topic's launch argument; `where` is added to the meanings."""
    return {argument_name(topic): (topic, meaning + where) for topic, meaning in TOPICS.items()}


def parameter_arguments() -> dict[str, tuple[str, str]]:
    """Return (default, meaning) of the launch arguments that set parameters."""
    docs = {spec.name: spec.doc for spec in all_specs()}
    kept = "; empty: as in params_file"
    vehicle = f"{', '.join(VEHICLES)}: sets {', '.join(SIZE)}{kept}"
    return {"vehicle": ("", vehicle)} | {name: ("", docs[name].partition(";")[0] + kept) for name in PARAMETERS}


def given_parameters(arguments: Mapping[str, str]) -> dict[str, Value]:
    """Return the parameters that launch arguments set, checked; those left empty set none.

    Raises:
        ConfigError: a value does not fit, or `params_file`, which launch_ros would only warn of, is not there.
    """
    file = arguments["params_file"]
    if not Path(file).is_file():
        raise ConfigError(f"params_file:={file} is no file: give one as `ris config` prints it")
    vehicle = arguments["vehicle"]
    if vehicle and vehicle not in VEHICLES:
        raise ConfigError(
            f"vehicle:={vehicle} is none of {', '.join(VEHICLES)}: choose one, or set vehicle_length_m ..."
        )
    found: dict[str, Value] = dict(VEHICLES.get(vehicle, {}))
    types = {spec.name: spec.type for spec in all_specs()}
    for name in PARAMETERS:
        text = arguments[name]
        if text:
            found[name] = _number(name, text) if types[name] is float else text
    NodeConfig.from_values(found)
    return found


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConfigError(f"{name}:={text} is no number: give one such as {name}:=1.5") from None


def fast_dds_profile(share: Path) -> dict[str, str]:
    """Return the environment that lets camera images through Fast DDS's shared memory.

    Empty where the user has a profile of their own; `share` is the package's share folder.
    """
    if any(os.environ.get(name) for name in PROFILE_VARIABLES):
        return {}
    return dict.fromkeys(PROFILE_VARIABLES, str(share / "launch" / "fastdds.xml"))
