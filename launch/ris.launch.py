# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Starts the grounding node: ros2 launch ris_node ris.launch.py image:=/front/image camera_info:=/front/camera_info.

Needs an installed ROS 2. launch_ros is not on PyPI, so the project's own tests run this file against a stand-in only.
"""

from __future__ import annotations

import os
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchDescription

SHARE = Path(get_package_share_directory("ris_node"))

# name: (default, meaning). Topics are remapped to the arguments of their name.
TOPICS = {
    "image": ("image", "camera images, raw"),
    "image/compressed": ("image/compressed", "camera images, compressed; with the parameter image_transport"),
    "camera_info": ("camera_info", "the camera's calibration; without it there is no target in metres"),
    "depth/image": ("depth/image", "depth images, where there are any"),
    "command": ("command", "std_msgs/String with the command's text"),
    "query": ("query", "ris_msgs/Query"),
}
ARGUMENTS = {
    "namespace": ("", "namespace of the node and its topics"),
    "name": ("grounding_node", "name of the node; its outputs lie under it"),
    "params_file": (str(SHARE / "config" / "ris_node.yaml"), "parameter file; `ris config` prints one"),
    "model_dir": ("", "folder of the model bundle; empty: the packaged default bundle"),
    "autostart": ("true", "configure and activate at once; false where a lifecycle manager does it"),
    "use_sim_time": ("false", "time from /clock"),
    "log_level": ("info", "debug, info, warn or error"),
}
PROFILE_VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")


def argument_name(topic: str) -> str:
    """Return the launch argument for a topic: `/` cannot be in one."""
    return topic.replace("/", "_")


def fast_dds_profile() -> list[SetEnvironmentVariable]:
    """Let camera images through Fast DDS's shared memory, unless the user has a profile of their own."""
    if any(os.environ.get(name) for name in PROFILE_VARIABLES):
        return []
    profile = str(SHARE / "launch" / "fastdds.xml")
    return [SetEnvironmentVariable(name, profile) for name in PROFILE_VARIABLES]


def generate_launch_description() -> LaunchDescription:
    declared = {argument_name(topic): entry for topic, entry in TOPICS.items()} | ARGUMENTS
    node = LifecycleNode(
        package="ris_node",
        executable="grounding_node",
        name=LaunchConfiguration("name"),
        namespace=LaunchConfiguration("namespace"),
        output="screen",
        parameters=[
            LaunchConfiguration("params_file"),
            {
                "model_dir": ParameterValue(LaunchConfiguration("model_dir"), value_type=str),
                "autostart": ParameterValue(LaunchConfiguration("autostart"), value_type=bool),
                "use_sim_time": ParameterValue(LaunchConfiguration("use_sim_time"), value_type=bool),
            },
        ],
        remappings=[(topic, LaunchConfiguration(argument_name(topic))) for topic in TOPICS],
        arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
    )
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=meaning)
                for name, (default, meaning) in declared.items()
            ),
            *fast_dds_profile(),
            node,
        ]
    )
