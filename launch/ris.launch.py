# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Starts the grounding node: ros2 launch ris_node ris.launch.py image:=/front/image camera_info:=/front/camera_info.

Needs an installed ROS 2. launch_ros is not on PyPI, so the project's own tests run this file against a stand-in only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchDescription
from ris_node.launching import (
    TOPICS,
    argument_name,
    fast_dds_profile,
    given_parameters,
    parameter_arguments,
    topic_arguments,
)

SHARE = Path(get_package_share_directory("ris_node"))

# name: (default, meaning); besides, each of the node's topics and some of its parameters have one of their name
ARGUMENTS = {
    "namespace": ("", "namespace of the node and its topics"),
    "name": ("grounding_node", "name of the node; its outputs lie under it"),
    "params_file": (str(SHARE / "config" / "ris_node.yaml"), "parameter file; `ris config` prints one"),
    "autostart": ("true", "configure and activate at once; false where a lifecycle manager does it"),
    "use_sim_time": ("false", "time from /clock"),
    "log_level": ("info", "debug, info, warn or error"),
}


def grounding_node(context: Any) -> list[Any]:
    """The node; of the arguments that set parameters only those that were given reach it."""
    names = (*parameter_arguments(), "params_file")
    given = given_parameters({name: LaunchConfiguration(name).perform(context) for name in names})
    node = LifecycleNode(
        package="ris_node",
        executable="grounding_node",
        name=LaunchConfiguration("name"),
        namespace=LaunchConfiguration("namespace"),
        output="screen",
        parameters=[
            LaunchConfiguration("params_file"),
            {
                # a text is taken as it is: "no" stays a word
                **{n: ParameterValue(v, value_type=str) if isinstance(v, str) else v for n, v in given.items()},
                "autostart": ParameterValue(LaunchConfiguration("autostart"), value_type=bool),
                "use_sim_time": ParameterValue(LaunchConfiguration("use_sim_time"), value_type=bool),
            },
        ],
        remappings=[(topic, LaunchConfiguration(argument_name(topic))) for topic in TOPICS],
        arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
    )
    return [node]


def generate_launch_description() -> LaunchDescription:
    declared = topic_arguments() | parameter_arguments() | ARGUMENTS
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=meaning)
                for name, (default, meaning) in declared.items()
            ),
            *(SetEnvironmentVariable(name, value) for name, value in fast_dds_profile(SHARE).items()),
            OpaqueFunction(function=grounding_node),
        ]
    )
