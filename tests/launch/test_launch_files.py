# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The launch file against stand-ins (launch_ros is not on PyPI), the parameter file, the Fast DDS profile."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml
from stand_ins import ROOT, Recorded, kinds, run_launch_file

from ris_node import interface
from ris_node.config import NodeConfig, RegionConfig, all_specs
from ris_node.errors import ConfigError
from ris_node.launching import PARAMETERS, SIZE, VEHICLES, parameter_arguments

NAMESPACE = {"dds": "http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles"}


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Recorded]]:
    """Return the launch file's entities by class, and the node for the arguments' defaults."""
    found = kinds(run_launch_file("ris.launch.py", monkeypatch)["generate_launch_description"]().args[0])
    return found | {"LifecycleNode": [node_of(found)]}


def node_of(found: dict[str, list[Recorded]], **arguments: str) -> Recorded:
    """Return the node that the launch file starts for these arguments."""
    values = {entity.args[0]: entity.kwargs["default_value"] for entity in found["DeclareLaunchArgument"]}
    assert set(arguments) <= set(values)
    started: list[Recorded] = found["OpaqueFunction"][0].kwargs["function"](values | arguments)
    return started[0]


def parameters_of(node: Recorded) -> dict[str, Any]:
    """Return the parameters by name, besides the file."""
    given = node.kwargs["parameters"][1].items()
    return {name: value.args[0] if isinstance(value, Recorded) else value for name, value in given}


def test_every_configuration_used_is_declared_with_a_meaning(launched: dict[str, list[Recorded]]) -> None:
    declared = {entity.args[0]: entity.kwargs for entity in launched["DeclareLaunchArgument"]}
    node = launched["LifecycleNode"][0].kwargs
    used = {node["name"], node["namespace"], node["parameters"][0], node["arguments"][-1]}
    used |= {value.args[0] for value in node["parameters"][1].values()} | {to for _, to in node["remappings"]}
    assert {configuration.args[0] for configuration in used} | set(parameter_arguments()) == set(declared)
    assert all(kwargs["description"] and isinstance(kwargs["default_value"], str) for kwargs in declared.values())
    assert Path(declared["params_file"]["default_value"]).is_file()


def test_launch_parameters_and_topics_are_the_nodes(launched: dict[str, list[Recorded]]) -> None:
    node = launched["LifecycleNode"][0].kwargs
    assert set(node["parameters"][1]) - {"use_sim_time"} <= {spec.name for spec in all_specs()}
    assert {topic for topic, _ in node["remappings"]} == {topic.name for topic in interface.SUBSCRIPTIONS}
    assert f"{node['executable']} = ris_node.ros.grounding_node:main" in (ROOT / "setup.py").read_text()


def test_arguments_left_empty_leave_the_parameter_file_alone(launched: dict[str, list[Recorded]]) -> None:
    assert set(parameters_of(node_of(launched))) == {"autostart", "use_sim_time"}


def test_given_arguments_set_parameters(launched: dict[str, list[Recorded]]) -> None:
    words = {"image_transport": "compressed", "depth_transport": "compressedDepth", "default_query": "no"}
    given = dict.fromkeys(PARAMETERS, "1.5") | words
    node = node_of(launched, **given)
    found = parameters_of(node)
    assert {name: found[name] for name in PARAMETERS} == {
        name: float(text) if name.startswith("camera_") else text for name, text in given.items()
    }
    words = node.kwargs["parameters"][1]["default_query"]
    assert words.kwargs == {"value_type": str}, "else launch_ros reads the word as YAML: False"


@pytest.mark.parametrize("vehicle", VEHICLES)
def test_a_vehicle_sets_what_has_to_fit(launched: dict[str, list[Recorded]], vehicle: str) -> None:
    found = {name: value for name, value in parameters_of(node_of(launched, vehicle=vehicle)).items() if name in SIZE}
    assert found == VEHICLES[vehicle]
    length, width, clearance, region = (found[name] for name in SIZE)
    assert region <= (length + 2 * clearance) * (width + 2 * clearance), "a region that just fits is not too small"


def test_the_car_is_the_default_and_the_others_are_smaller() -> None:
    assert VEHICLES["car"] == {name: getattr(RegionConfig(), name) for name in SIZE}
    for name in SIZE:
        assert VEHICLES["indoor"][name] < VEHICLES["delivery"][name] < VEHICLES["car"][name]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("vehicle", "tank", "car, delivery, indoor"),
        ("camera_z_m", "high", "camera_z_m:=high is no number"),
        ("camera_z_m", "-1", "camera_z_m is -1"),
        ("image_transport", "theora", "raw"),
        ("params_file", "/nowhere.yaml", "params_file:=/nowhere.yaml is no file"),
    ],
)
def test_an_argument_that_does_not_fit_is_named(
    launched: dict[str, list[Recorded]], name: str, value: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        node_of(launched, **{name: value})


@pytest.mark.parametrize("own", ["", "/home/me/profile.xml"])
def test_the_fast_dds_profile_yields_to_the_users(
    own: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("FASTRTPS_DEFAULT_PROFILES_FILE", own)
    monkeypatch.delenv("FASTDDS_DEFAULT_PROFILES_FILE", raising=False)
    found = request.getfixturevalue("launched").get("SetEnvironmentVariable", [])
    assert {Path(entity.args[1]) for entity in found} == (set() if own else {ROOT / "launch" / "fastdds.xml"})
    assert len(found) == (0 if own else 2)


def test_the_parameter_file_is_the_definition() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "ris_node.cli", "config"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    text = (ROOT / "config" / "ris_node.yaml").read_text()
    written = [line for line in text.splitlines() if not line.startswith("#")]
    assert written == printed.splitlines(), "out of date: run `make config`"
    values = yaml.safe_load(text)["/**"]["ros__parameters"]
    assert NodeConfig.from_values(values) == NodeConfig()


def test_fast_dds_profile_holds_several_full_frames() -> None:
    tree = ET.parse(ROOT / "launch" / "fastdds.xml")
    descriptors = tree.findall(".//dds:transport_descriptor", NAMESPACE)
    types = {entry.findtext("dds:type", namespaces=NAMESPACE) for entry in descriptors}
    assert types == {"SHM", "UDPv4"}
    shm = next(entry for entry in descriptors if entry.findtext("dds:type", namespaces=NAMESPACE) == "SHM")
    frame = 1920 * 1080 * 3
    assert int(shm.findtext("dds:segment_size", "0", NAMESPACE)) >= 8 * frame
    assert int(shm.findtext("dds:maxMessageSize", "0", NAMESPACE)) >= 2 * frame
