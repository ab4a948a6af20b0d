# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is measured on texts: small files in the published formats, with numbers counted by hand."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from ris_node.evaluation.language import __main__ as language
from ris_node.evaluation.language import people
from ris_node.evaluation.language.prototypes import classes, nearest
from ris_node.language.parse import parse_command
from ris_node.types import Manoeuvre

COMMANDS = (
    ("park behind the red car on the left", "vehicle.car", 100),
    ("stop next to the man", "human.pedestrian.adult", 1200),
    ("follow the truck on the right", "vehicle.bus.rigid", 1300),
    ("pull over near the cyclist on the left", "vehicle.bicycle", 1300),
)


@pytest.fixture
def folder(tmp_path):
    lines = [{"command": c, "target": t, "box_xywh_1600x900": [x, 400, 100, 80]} for c, t, x in COMMANDS]
    (tmp_path / "talk2car_val.jsonl").write_text("\n".join(map(json.dumps, lines)))
    lines = [{"description": "A WHITE CAR ON THE RIGHT", "class": "vehicle.car", "box": [1500, 400, 50, 50]}]
    (tmp_path / "talk2car_expr_train.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (tmp_path / "carla_nav_sub_commands.csv").write_text(
        ",command,sub_command_0\n0,turn left,turn left\n1,stop here,x\n"
    )
    rows = [
        {"texts": ["man on left", "the guy on the left"], "box_xyxy": [0, 0, 90, 470], "image_wh": None},
        {"texts": ["tree right", "bush"], "box_xyxy": [300, 10, 470, 200], "image_wh": None},
        {"texts": ["left half of the sky"], "box_xyxy": [0, 0, 479, 100], "image_wh": None},
    ]
    with gzip.open(tmp_path / "referit_train.jsonl.gz", "wt") as stream:
        stream.write("\n".join(map(json.dumps, rows)))
    return tmp_path


def test_readers_keep_what_was_meant_and_where(folder):
    talk = people.talk2car(folder)
    assert [s.target for s in talk] == [t for _, t, _ in COMMANDS]
    np.testing.assert_allclose([s.at for s in talk], [(x + 50) / 1600 for _, _, x in COMMANDS])
    refer = people.referit(folder)
    assert [s.group for s in refer] == [0, 0, 1, 1, 2]
    np.testing.assert_allclose([s.at for s in refer], [45 / 360, 45 / 360, 385 / 480, 385 / 480, np.nan])


def test_agreement_is_counted(folder):
    talk, refer = people.talk2car(folder), people.referit(folder)
    found = language.class_agreement(talk)
    assert (found["texts"], found["agrees"], found["other"], found["none"]) == (4, 0.75, 0.25, 0.0)
    sides = language.side_agreement(talk)
    assert (sides["sides heard"], sides["heard"]) == (3, 1.0)
    assert sides["agrees"] == pytest.approx(2 / 3)
    same = language.same_concept(refer)
    assert (same["pairs"], same["agrees"], same["known noun"]) == (2, 1.0, 1.0)


def test_labels_are_line_numbers_with_a_letter(folder):
    pairs = people.labelled(people.talk2car(folder), "1P 2S 3L")
    assert [wanted for _, wanted in pairs] == [Manoeuvre.PARK, Manoeuvre.STOP, Manoeuvre.TURN_LEFT]
    found = language.manoeuvre_agreement(pairs)
    assert (found["texts"], found["manoeuvre"], found["kind"]) == (3, pytest.approx(2 / 3), 1.0)
    for labels in (people.TALK2CAR_LABELS, people.TALK2CAR_FRESH, people.CARLA_LABELS):
        lines = [int(entry[:-1]) for entry in labels.split()]
        assert lines == sorted(set(lines)) and len(lines) >= 50
    assert not {*people.TALK2CAR_LABELS.split()} & {*people.TALK2CAR_FRESH.split()}


@pytest.mark.parametrize("name", people.DISTURBED)
def test_disturbances_change_the_text_and_not_what_is_asked(folder, name):
    rng = np.random.default_rng(0)
    for said in people.talk2car(folder):
        changed = people.DISTURBED[name](said.text, rng)
        assert changed != said.text
        if name != "one typing slip":
            assert parse_command(changed).manoeuvre == parse_command(said.text).manoeuvre
    row = language.robustness(people.talk2car(folder), name)
    assert row["texts"] == 4 and row["same side"] >= 0.75


def test_the_report_is_a_table_for_each_question(folder, monkeypatch):
    for labels in ("TALK2CAR_LABELS", "TALK2CAR_FRESH"):
        monkeypatch.setattr(people, labels, "1P 2S")
    monkeypatch.setattr(people, "CARLA_LABELS", "1L 2S")
    report = language.measure(folder)
    text = language.format_report(report)
    assert text.count("|---") > 20 and "| talk2car commands | 4 | 75.0 % | 25.0 % | 0.0 % |" in text
    assert report["manoeuvres"]["carla-nav"]["manoeuvre"] == 1.0
    assert 0.0 < report["milliseconds per command"]["median"] < 50.0


def test_the_nearest_prototype_is_by_direction_from_the_middle():
    marks = np.eye(len(classes()), dtype=np.float32) + 5.0
    assert nearest(marks * 1.0, marks) == list(classes())
