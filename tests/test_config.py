# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ris_node.config import NodeConfig, OutputConfig, RegionConfig, all_specs
from ris_node.errors import ConfigError


def test_every_default_passes_its_own_check() -> None:
    for spec in all_specs():
        assert spec.check(spec.default) == spec.default
        assert spec.doc


def test_names_are_unique_over_all_groups() -> None:
    names = [spec.name for spec in all_specs()]
    assert len(names) == len(set(names))


def test_values_reach_their_group_and_round_trip() -> None:
    config = NodeConfig.from_values(
        {"max_range_m": 20, "providers": ["CPUExecutionProvider"], "backend": "onnxruntime"}
    )
    assert config.region.max_range_m == 20.0
    assert isinstance(config.region.max_range_m, float)
    assert config.model.providers == ("CPUExecutionProvider",)
    values = {s.name: getattr(getattr(config, s.group), s.name) for s in all_specs()}
    assert NodeConfig.from_values(values) == config


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"overlay_alpha": 2.0}, "from 0 to 1"),
        ({"overlay_alpha": float("nan")}, "finite"),
        ({"backend": "cuda"}, "auto, tensorrt, onnxruntime"),
        ({"max_instances": True}, "type int"),
        ({"max_range_m": "far"}, "type float"),
        ({"maximum_range": 3.0}, "maximum_range"),
    ],
)
def test_bad_values_name_the_parameter_and_what_fits(values: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        NodeConfig.from_values(values)
    assert next(iter(values)) in str(caught.value)


def test_a_change_makes_a_copy() -> None:
    config = RegionConfig()
    assert config.with_values({"vehicle_length_m": 3}).vehicle_length_m == 3.0
    assert config.vehicle_length_m == 4.5
    assert OutputConfig().with_values({"vehicle_length_m": 3}) == OutputConfig()
