# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The launch file against stand-ins (launch_ros is not on PyPI), the parameter file, the Fast DDS profile."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml
from stand_ins import ROOT, Recorded, kinds, run_launch_file

from ris_node import interface
from ris_node.config import NodeConfig, all_specs

NAMESPACE = {"dds": "http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles"}


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Recorded]]:
    """Return the launch file's entities by class."""
    return kinds(run_launch_file("ris.launch.py", monkeypatch)["generate_launch_description"]().args[0])


def test_every_configuration_used_is_declared_with_a_meaning(launched: dict[str, list[Recorded]]) -> None:
    declared = {entity.args[0]: entity.kwargs for entity in launched["DeclareLaunchArgument"]}
    node = launched["LifecycleNode"][0].kwargs
    used = {node["name"], node["namespace"], node["parameters"][0], node["arguments"][-1]}
    used |= {value.args[0] for value in node["parameters"][1].values()} | {to for _, to in node["remappings"]}
    assert {configuration.args[0] for configuration in used} == set(declared)
    assert all(kwargs["description"] and isinstance(kwargs["default_value"], str) for kwargs in declared.values())
    assert Path(declared["params_file"]["default_value"]).is_file()


def test_launch_parameters_and_topics_are_the_nodes(launched: dict[str, list[Recorded]]) -> None:
    node = launched["LifecycleNode"][0].kwargs
    assert set(node["parameters"][1]) - {"use_sim_time"} <= {spec.name for spec in all_specs()}
    assert {topic for topic, _ in node["remappings"]} == {topic.name for topic in interface.SUBSCRIPTIONS}
    assert f"{node['executable']} = ris_node.ros.grounding_node:main" in (ROOT / "setup.py").read_text()


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
