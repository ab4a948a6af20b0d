# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import drives
import pytest
from drives import START, STEP, Drive, msg
from replay_fixtures import drive, model, tiny  # noqa: F401

from ris_node.bags.typestore import typestore
from ris_node.config import NodeConfig, QueryConfig
from ris_node.errors import ConfigError
from ris_node.pipeline.grounder import Grounder
from ris_node.replay.commands import Commander, read_script
from ris_node.replay.options import Commands, ReplayOptions
from ris_node.replay.replay import replay
from ris_node.replay.rows import iter_rows

PLAIN = ReplayOptions(bag=False, video=False, report=False)


def said(bag: Path, out: Path, model: Grounder, options: ReplayOptions) -> list[tuple[str, str]]:
    replay(bag, out, options, grounder=model)
    return [(row["command"], row["status"]) for row in iter_rows(out)]


def test_scripts_in_csv_and_yaml_are_the_same(tmp_path: Path) -> None:
    csv = tmp_path / "a.csv"
    csv.write_text('t, command\n# a comment\n0.5, "stop here, please"\n0, the red thing\n\n1.25,\n2,"no",,\n')
    yaml = tmp_path / "a.yaml"
    yaml.write_text(
        '- {t: 0.5, command: "stop here, please"}\n- [0, the red thing]\n- {t: 1.25, command: }\n- [2, "no"]\n'
    )
    wanted = ((0.0, "the red thing"), (0.5, "stop here, please"), (1.25, ""), (2.0, "no"))
    assert read_script(csv) == read_script(yaml) == wanted


@pytest.mark.parametrize("name", ["a.csv", "a.yaml"])
def test_what_windows_saves_is_read(tmp_path: Path, name: str) -> None:
    text = "0, the van\r\n1, the car\r\n" if name == "a.csv" else "- [0, the van]\r\n- [1, the car]\r\n"
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_script(tmp_path / name) == ((0.0, "the van"), (1.0, "the car"))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "soon, the van\n", "line 1"),
        ("a.csv", "0, the van\nnan, the car\n", "line 2"),
        ("a.csv", "", "holds no commands"),
        ("a.csv", "0, " + "x" * 600, "line 1"),
        ("a.csv", "t, command\n\n0, the van\n1, stop here, please\n", r"a\.csv, line 4: .*into quotes"),
        ("a.csv", "# one\n0,0;the car\n", r"a\.csv, line 2: .*decimal comma"),
        ("a.csv", "1,5\n", r"a\.csv, line 1: .*decimal comma"),
        ("a.csv", '0, the van\n1, "the car\n2, the bus\n', r"a\.csv, line 2"),
        ("a.csv", "0, " + "x" * 200_000, r"a\.csv, line 1"),
        (
            "a.yaml",
            "- {t: 0, command: the van}\n\n- t: 1\n  command: no\n",
            r"a\.yaml, item 2, line 3: .*False.*quotes",
        ),
        ("a.yaml", "- [0, 2024-01-02]", r"line 1: .*date"),
        ("a.yaml", "- [0, 2024-13-02]", "is no YAML"),
        ("a.yaml", "- [0, stop here, please]", r"line 1: .*\[t, command\]"),
        ("a.yaml", "- {t: 0, comand: the van}", r"line 1: .*\[t, command\]"),
        ("a.yaml", "- {t: yes, command: the van}", r"line 1: .*True"),
        ("a.yaml", "- 5", r"line 1: 5 is not"),
        ("a.yaml", "t: 0", "give a list"),
        ("a.yaml", "- {t: 0", "is no YAML"),
        ("a.yaml", "- {command: the van}", "item 1"),
        ("a.yml", "- {t: 0, command: the van, command: the car}", "line 1: a key is there twice"),
        ("a.YAML", "- [0, the van]\n- [1:30, the car]", "line 2: '1:30' is no plain number"),
        ("a.yaml", "- {t: 010, command: the van}", "line 1: '010' is no plain number"),
        ("a.csv", "t;command\n0;the van\n", "line 1"),
        ("a.csv", "0\tthe van\n", "line 1"),
    ],
)
def test_a_bad_script_is_refused_by_line(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=words):
        read_script(tmp_path / name)


def test_a_script_is_followed_by_the_drives_own_time(drive: Path, model: Grounder, tmp_path: Path) -> None:
    script = tmp_path / "orders.csv"
    script.write_text("0.3, the red thing\n0.6, the green thing\n0.9, cancel\n")
    found = said(drive, tmp_path / "out", model, replace(PLAIN, commands=Commands(script=script)))
    nothing, red, green = ("", "NO_QUERY"), ("the red thing", "PRESENT"), ("the green thing", "ABSENT")
    assert found == [nothing] * 3 + [red] * 3 + [green] * 3 + [nothing] * 3


def test_recorded_commands_count_from_their_own_times(model: Grounder, tmp_path: Path) -> None:
    def query(text: str, at: int, ttl_s: float = 0.0, **values: Any) -> drives.Item:
        ttl = msg("builtin_interfaces/Duration", sec=int(ttl_s), nanosec=round(ttl_s % 1 * 1e9))
        message = msg(
            "ris_msgs/Query", header=drives.header(at), id="", text=text, kind=0, manoeuvre=0, source="test",
            confidence=1.0, language="en", ttl=ttl, **values,
        )  # fmt: skip
        return ("/query", at, "ris_msgs/Query", message)

    more = [query("the red thing", START + 2 * STEP), query("the blue thing", START + 5 * STEP, 0.3)]
    bag = drives.write(tmp_path / "bag", Drive(command="", more=more))
    found = said(bag, tmp_path / "out", model, replace(PLAIN, commands=Commands(recorded=True)))
    assert [text for text, _ in found] == [""] * 2 + ["the red thing"] * 3 + ["the blue thing"] * 3 + [""] * 4


def test_a_refused_command_leaves_the_one_before_and_is_noted() -> None:
    commander = Commander(Commands(recorded=True), QueryConfig(max_query_chars=40))
    commander.recorded(msg("std_msgs/String", data="the red thing"), 1)
    commander.recorded(msg("std_msgs/String", data="x" * 41), 2)
    active = commander.at(3)
    assert active is not None
    assert active.query.text == "the red thing"
    assert "refused" in commander.notes[0]


@pytest.mark.parametrize(("field", "value"), [("kind", 9), ("manoeuvre", 200), ("confidence", 1.5), ("ttl", -1)])
def test_a_recorded_query_is_refused_as_the_node_refuses_it(field: str, value: float) -> None:
    from ris_node.bags.typestore import make

    values = {"ttl": make("builtin_interfaces/Duration", sec=value)} if field == "ttl" else {field: value}
    commander = Commander(Commands(recorded=True), QueryConfig())
    commander.recorded(make("ris_msgs/Query", text="the red thing", **values), 1)
    assert commander.at(2) is None
    assert f"refused: {field} is {value}" in commander.notes[0]


def test_what_is_no_utf8_is_read_as_the_node_reads_it(model: Grounder, tmp_path: Path) -> None:
    """A command is refused, a frame is answered: ROS puts U+FFFD in place of bytes that do not decode."""
    items = Drive(command="the red thing").items()
    bad = typestore().serialize_cdr(msg("std_msgs/String", data="the green \x02hing"), "std_msgs/msg/String")
    items.insert(8, ("/command", START + 2 * STEP, "std_msgs/String", bytes(bad).replace(b"\x02", b"\xff")))
    for n, (topic, at, kind, message) in enumerate(items):
        if kind == "sensor_msgs/Image":
            data = bytes(typestore().serialize_cdr(message, "sensor_msgs/msg/Image"))
            items[n] = (topic, at, kind, data.replace(b"camera", b"cam\xffra", 1))
    bag = drives.write_items(tmp_path / "bag", items)
    summary = replay(bag, tmp_path / "out", replace(PLAIN, commands=Commands(recorded=True)), grounder=model)
    rows = list(iter_rows(tmp_path / "out"))
    assert [(row["command"], row["status"]) for row in rows] == [("the red thing", "PRESENT")] * 12
    assert {row["frame_id"] for row in rows} == {"cam\ufffdra"}
    assert any("refused" in note and "not UTF-8" in note for note in summary.notes)


def test_ids_are_the_same_in_every_run_and_differ_between_commands() -> None:
    def ids() -> list[str]:
        commander = Commander(Commands(recorded=True), QueryConfig())
        found = []
        for text in ("the van", "the car", "the van"):
            commander.recorded(msg("std_msgs/String", data=text), 1)
            active = commander.at(2)
            assert active is not None
            found.append(active.query.id)
        return found

    assert ids() == ids()
    assert len(set(ids())) == 3


def test_the_default_query_counts_where_nothing_is_said(drive: Path, model: Grounder, tmp_path: Path) -> None:
    config = NodeConfig().with_values({"default_query": "the red thing"})
    found = said(drive, tmp_path / "out", model, replace(PLAIN, config=config))
    assert found == [("the red thing", "PRESENT")] * 12
    with pytest.raises(ConfigError, match="at once"):
        Commands("the van", recorded=True)
