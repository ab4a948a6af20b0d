# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny_bundle import make_tiny_bundle

from ris_node.config import QueryConfig
from ris_node.errors import ImageError
from ris_node.pipeline.grounder import Grounder
from ris_node.pipeline.stream_answerer import NO_QUERY, StreamAnswerer, StreamFrame
from ris_node.sensing.queries import ActiveQuery, Queries
from ris_node.types import U8, Frame, Query, Status

IMAGE = np.full((48, 64, 3), 90, np.uint8)


@pytest.fixture(scope="module")
def grounder(tmp_path_factory: pytest.TempPathFactory) -> Grounder:
    return Grounder.open(make_tiny_bundle(tmp_path_factory.mktemp("tiny")))


def query(text: str) -> ActiveQuery:
    return Queries(QueryConfig, lambda _now, _why: None).check(Query(text, "q1"))


def frame(active: ActiveQuery | None, image: U8 | Exception = IMAGE, size: tuple[int, int] = (48, 64)) -> StreamFrame:
    def decode() -> U8:
        if isinstance(image, Exception):
            raise image
        return image

    return StreamFrame(query=active, stamp_ns=7, frame_id="camera", size=lambda: size, decode=decode,
                       place=lambda image: Frame(image, 7, "camera"))  # fmt: skip


def test_an_answer_is_the_grounders_with_the_query_encoded_once(grounder: Grounder) -> None:
    stream, active = StreamAnswerer(lambda: grounder, lambda: False), query("the car")
    first, second = (stream.answer(frame(active)) for _ in range(2))
    wanted = grounder.ground(Frame(IMAGE, 7, "camera"), active.query)
    assert replace(first.grounding, timing=wanted.timing) == wanted and first.error is None
    assert second.grounding.timing.text == 0.0 and second.grounding.query.id == "q1"
    assert first.grounding.timing.preprocess >= first.decode_ms > 0.0


def test_without_a_query_nothing_is_decoded_unless_a_picture_is_wanted(grounder: Grounder) -> None:
    blind, seeing = (StreamAnswerer(lambda: grounder, lambda wanted=wanted: wanted) for wanted in (False, True))
    answer = blind.answer(frame(None, RuntimeError("decoded")))
    assert answer.grounding.status is Status.NO_QUERY and answer.grounding.message == NO_QUERY
    assert (answer.grounding.width, answer.grounding.height, answer.image) == (64, 48, None)
    assert seeing.answer(frame(None)).image is IMAGE
    assert StreamAnswerer(lambda: None, lambda: False).answer(frame(query("the car"))).grounding.model_id == ""


@pytest.mark.parametrize(
    ("error", "message"),
    [(ImageError("a step too short"), "a step too short"), (KeyError("x"), "internal error, KeyError: 'x'"),
     (MemoryError(), "the image does not fit into memory"), (ImageError("no file \udce9"), "no file \\udce9")],
)  # fmt: skip
def test_an_error_is_an_answer_too(grounder: Grounder, error: Exception, message: str) -> None:
    answer = StreamAnswerer(lambda: grounder, lambda: False).answer(frame(query("the car"), error))
    assert answer.error is error and answer.grounding.status is Status.ERROR
    assert answer.grounding.message == message and answer.grounding.query.id == "q1"
    assert (answer.grounding.width, answer.grounding.height, answer.grounding.stamp_ns) == (64, 48, 7)
