# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris config`: what it prints is a parameter file that gives the defaults back."""

from __future__ import annotations

import json

import pytest
import yaml

from ris_node.cli.__main__ import main
from ris_node.cli.config import parse_settings
from ris_node.config import NodeConfig, all_specs
from ris_node.errors import ConfigError


def test_the_parameter_file_read_back_is_the_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--set", "max_range_m=25", "--set", "autostart=true"]) == 0
    values = yaml.safe_load(capsys.readouterr().out)["/**"]["ros__parameters"]
    assert NodeConfig.from_values(values) == NodeConfig().with_values({"max_range_m": 25.0, "autostart": True})
    assert len(values) == sum(1 for spec in all_specs() if spec.default != ())


def test_json_has_every_parameter_and_groups_choose(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in entries] == [spec.name for spec in all_specs()]
    assert main(["config", "query", "--json"]) == 0
    assert {entry["group"] for entry in json.loads(capsys.readouterr().out)} == {"query"}


@pytest.mark.parametrize("setting", ["mask_threshold", "mask_threshold=high", "mask_treshold=0.5", "backend=caffe"])
def test_a_wrong_setting_is_refused_by_name(setting: str) -> None:
    with pytest.raises(ConfigError, match=setting.partition("=")[0]):
        parse_settings([setting])


def test_lists_and_groups_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    providers = "providers=CUDAExecutionProvider,CPUExecutionProvider"
    assert parse_settings([providers]).model.providers == ("CUDAExecutionProvider", "CPUExecutionProvider")
    assert main(["config", "wings"]) == 2
    assert "wings" in capsys.readouterr().err


def test_the_parameter_file_says_when_a_change_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("model: used at the next configure or ~/reload_model" in line for line in lines)
    found = {line.split(":")[0].strip(): line for line in lines}
    assert "read at start-up" in found["autostart"] and "while running" in found["max_rate_hz"]
    assert "configure" not in found["backend"].split("#")[1], "the group's heading says it"
