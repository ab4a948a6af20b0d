# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Plays a bag to the grounding node: ros2 launch ris_node replay.launch.py bag:=/path/to/drive loop:=true.

Starts the node under simulated time, `ris play` with /clock and, with `record:=/path/to/out`, `ris record`. Everything
ends when the bag does. Needs an installed ROS 2. launch_ros is not on PyPI, so the project's own tests run this file
against a stand-in only; what it starts is tested by itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ament_index_python.packages import get_package_prefix, get_package_share_directory
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
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
    "bag": ("", "the bag to play: a folder, an MCAP file or a ROS 1 .bag; must be given"),
    "rate": ("1.0", "seconds of the bag in a second"),
    "start": ("0.0", "begin so many seconds into the bag"),
    "loop": ("false", "begin again at the end: time jumps back"),
    "wait": ("60.0", "seconds to wait for the node to listen to the camera before the bag begins"),
    "record": ("", "also record the node's answers into this bag"),
    "namespace": ("", "namespace of the node and its topics"),
    "name": ("grounding_node", "name of the node; its outputs lie under it"),
    "params_file": (str(SHARE / "config" / "ris_node.yaml"), "parameter file; `ris config` prints one"),
    "log_level": ("info", "debug, info, warn or error"),
}
# Not `ros2 run`, which keeps a launch's SIGINT to itself: the recorder would never close its bag.
RIS = str(Path(get_package_prefix("ris_node")) / "lib" / "ris_node" / "ris")


def base_name(values: dict[str, str]) -> str:
    """The node's full name, which its outputs lie below."""
    return "/" + "/".join(part for part in (values["namespace"].strip("/"), values["name"]) if part)


def player_command(values: dict[str, str]) -> list[str]:
    """The command line of `ris play` for the launch arguments' values; answers in the bag stay out of the node's."""
    if not values["bag"]:
        raise RuntimeError("bag is missing: ros2 launch ris_node replay.launch.py bag:=/path/to/drive")
    command = [RIS, "play", values["bag"], "--rate", values["rate"], "--start", values["start"]]
    command += ["--wait", values["wait"], "--exclude", f"{base_name(values)}/"]
    return [*command, "--loop"] if values["loop"].lower() in ("true", "1", "yes") else command


def recorder_command(values: dict[str, str]) -> list[str]:
    """The command line of `ris record`, which takes the node's answers and stamps them with the bag's time."""
    outputs = ("result", "region", "target_pose", "region_polygon", "status")
    topics = [f"{base_name(values)}/{output}" for output in outputs]
    return [RIS, "record", "--out", values["record"], "--use-sim-time", "--topics", *topics]


def processes(context: Any) -> list[Any]:
    """The player, and the recorder where one is wanted; the launch ends with the player."""
    values = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    player = ExecuteProcess(cmd=player_command(values), output="screen", name="ris_play")
    ended = RegisterEventHandler(
        OnProcessExit(target_action=player, on_exit=[EmitEvent(event=Shutdown(reason="the bag is over"))])
    )
    found = [player, ended]
    if values["record"]:
        found.insert(0, ExecuteProcess(cmd=recorder_command(values), output="screen", name="ris_record"))
    return found


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
                "autostart": True,
                "use_sim_time": True,
            },
        ],
        remappings=[(topic, LaunchConfiguration(argument_name(topic))) for topic in TOPICS],
        arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
    )
    return [node]


def everything(context: Any) -> list[Any]:
    """Node and processes in one: an argument that does not fit ends the launch, which leaves what has started alone."""
    return [*grounding_node(context), *processes(context)]


def generate_launch_description() -> LaunchDescription:
    declared = topic_arguments(" (its name in the bag)") | parameter_arguments() | ARGUMENTS
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=meaning)
                for name, (default, meaning) in declared.items()
            ),
            *(SetEnvironmentVariable(name, value) for name, value in fast_dds_profile(SHARE).items()),
            OpaqueFunction(function=everything),
        ]
    )
