# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The replay launch file against stand-ins; its command lines against the parsers of `ris play` and `ris record`."""

from __future__ import annotations

import argparse
from typing import Any

import pytest
from stand_ins import kinds, run_launch_file

from ris_node import interface
from ris_node.cli.verbs import VERBS
from ris_node.config import all_specs
from ris_node.launching import VEHICLES


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the launch file's names."""
    return run_launch_file("replay.launch.py", monkeypatch)


def parsed(command: list[str]) -> argparse.Namespace:
    """Return what the verb's own parser makes of a command line."""
    program, name, *rest = command
    assert program == "/opt/ris_node/lib/ris_node/ris", "nothing between that would keep a signal to itself"
    add_arguments, _ = next(verb for verb in VERBS if verb.name == name).load()
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(rest)


def test_the_node_runs_in_simulated_time_with_every_topic_remapped(file: dict[str, Any]) -> None:
    found = kinds(file["generate_launch_description"]().args[0])
    declared = {entity.args[0]: entity.kwargs for entity in found["DeclareLaunchArgument"]}
    defaults = {name: kwargs["default_value"] for name, kwargs in declared.items()}
    (starter,) = found["OpaqueFunction"]  # one, so that nothing has started when it raises
    start = starter.kwargs["function"]
    with pytest.raises(RuntimeError, match="bag is missing"):
        start(defaults)
    defaults["bag"] = "/drives/monday"
    assert set(start(defaults)[0].kwargs["parameters"][1]) == {"autostart", "use_sim_time"}
    node = start(defaults | {"vehicle": "indoor", "default_query": "the red car"})[0].kwargs
    values = node["parameters"][1]
    assert values["use_sim_time"] is True
    assert values["autostart"] is True
    assert values["vehicle_length_m"] == VEHICLES["indoor"]["vehicle_length_m"]
    assert values["default_query"].args == ("the red car",)
    assert set(values) - {"use_sim_time"} <= {spec.name for spec in all_specs()}
    assert {topic for topic, _ in node["remappings"]} == {topic.name for topic in interface.SUBSCRIPTIONS}
    used = {to.args[0] for _, to in node["remappings"]} | {node["name"].args[0], node["parameters"][0].args[0]}
    assert used <= set(declared)
    assert all(kwargs["description"] and isinstance(kwargs["default_value"], str) for kwargs in declared.values())


def test_the_processes_are_what_the_verbs_take_and_the_end_of_the_bag_ends_all(file: dict[str, Any]) -> None:
    values = {name: default for name, (default, _) in file["ARGUMENTS"].items()}
    values |= {"bag": "/drives/monday", "loop": "true", "rate": "0.5", "record": "/out", "namespace": "front"}
    found = kinds(file["processes"](values))
    recorder, player = (process.kwargs["cmd"] for process in found["ExecuteProcess"])
    play, record = parsed(player), parsed(recorder)
    assert (str(play.bag), play.rate, play.loop, play.wait) == ("/drives/monday", 0.5, True, 60.0)
    assert play.exclude == ["/front/grounding_node/"], "else the bag's old answers are recorded beside the new"
    assert str(record.out) == "/out"
    assert record.use_sim_time
    assert "/front/grounding_node/result" in record.topics
    own = {topic.name.replace("~", "/front/grounding_node") for topic in interface.PUBLISHERS}
    assert set(record.topics) <= own
    handler = found["RegisterEventHandler"][0].args[0].kwargs
    assert handler["target_action"].kwargs["cmd"] == player
    assert type(handler["on_exit"][0]).__name__ == "EmitEvent"
    quiet = kinds(file["processes"](values | {"record": "", "loop": "false"}))
    assert len(quiet["ExecuteProcess"]) == 1
    assert not parsed(quiet["ExecuteProcess"][0].kwargs["cmd"]).loop


def test_a_launch_without_a_bag_says_so(file: dict[str, Any]) -> None:
    values = {name: default for name, (default, _) in file["ARGUMENTS"].items()}
    with pytest.raises(RuntimeError, match="bag is missing"):
        file["processes"](values)
