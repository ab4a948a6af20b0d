# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ris_node.config import QueryConfig
from ris_node.errors import CommandError
from ris_node.sensing.queries import Queries
from ris_node.types import Manoeuvre, Query

NS = 1_000_000_000


class Held:
    def __init__(self, **config) -> None:
        self.config = QueryConfig(**config)
        self.told: list[tuple[str, str]] = []
        self.queries = Queries(lambda: self.config, self.on_change)

    def on_change(self, now, why: str) -> None:
        self.told.append((now.query.text if now else "", why))

    @property
    def text(self) -> str:
        return self.queries.active.query.text if self.queries.active else ""


def test_the_last_said_wins_and_every_query_has_an_id_of_its_own():
    held = Held()
    ids = {held.queries.set(Query(text), 5 * NS).query.id for text in ("the car", "the bus", "the car")}
    assert held.text == "the car" and len(ids) == 3 and all(ids)
    assert held.queries.set(Query("the van", id="mine"), 5 * NS).query.id == "mine"
    assert [text for text, _ in held.told] == ["the car", "the bus", "the car", "the van"]


@pytest.mark.parametrize("query", [Query("cancel"), Query("", manoeuvre=Manoeuvre.CANCEL), Query("forget it, please")])
def test_a_cancellation_clears(query: Query):
    held = Held()
    held.queries.set(Query("the car"), NS)
    accepted = held.queries.set(query, NS)
    assert accepted.query.id and held.queries.active is None
    assert held.told[-1] == ("", "cancelled")


@pytest.mark.parametrize("text", ["", "   ", "\t\n", "x" * 10_000, "🚗🚗", "\x00\x01\x07", "???"])
def test_what_is_no_command_is_refused_and_the_active_one_stays(text: str):
    held = Held()
    held.queries.set(Query("the car"), NS)
    with pytest.raises(CommandError) as refusal:
        held.queries.set(Query(text), NS)
    assert len(str(refusal.value)) < 300 and held.text == "the car"


@pytest.mark.parametrize("text", ["das rote Auto", "赤い車", "the \x07red\u200b car 🚗"])
def test_other_languages_and_stray_characters_pass(text: str):
    held = Held()
    assert held.queries.set(Query(text), NS).command.text.isprintable()


def test_longer_than_the_parameter_allows():
    held = Held(max_query_chars=10)
    with pytest.raises(CommandError, match="max_query_chars"):
        held.queries.set(Query("the car over there"), NS)


def test_speech_that_was_hardly_understood_is_refused():
    held = Held(min_asr_confidence=0.6)
    with pytest.raises(CommandError, match=r"0\.50.*min_asr_confidence"):
        held.queries.set(Query("stop", confidence=0.5), NS)
    for confidence in (0.6, float("nan"), 0.0):
        held.queries.set(Query("stop", confidence=confidence), NS)


@pytest.mark.parametrize(
    ("own_s", "common_s", "left_s"), [(0.0, 0.0, None), (2.0, 0.0, 2.0), (0.0, 3.0, 3.0), (2.0, 9.0, 2.0)]
)
def test_time_to_live(own_s: float, common_s: float, left_s: float | None):
    held = Held(query_ttl_s=common_s)
    held.queries.set(Query("the car", ttl_s=own_s), 100 * NS)
    if left_s is None:
        assert not held.queries.expire(10**6 * NS)
        return
    assert not held.queries.expire(int((100 + left_s) * NS) - 1)
    assert held.queries.expire(int((100 + left_s) * NS)) and held.queries.active is None
    assert "expired" in held.told[-1][1] and not held.queries.expire(10**6 * NS)


def test_the_time_to_live_starts_when_the_clock_does_and_again_when_it_goes_back():
    held = Held()
    held.queries.set(Query("the car", ttl_s=2.0), 0)
    assert not held.queries.expire(0)
    assert not held.queries.expire(100 * NS)
    assert not held.queries.expire(10 * NS)  # the clock went back
    assert not held.queries.expire(11 * NS)
    held.queries.restart_ttl()
    assert not held.queries.expire(13 * NS)
    assert held.queries.expire(15 * NS)
