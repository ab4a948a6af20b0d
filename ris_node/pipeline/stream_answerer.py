# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Answers the frames of a stream, whatever is wrong with them; the live node and the replay of bags share it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from ris_node.errors import RisError, printable
from ris_node.pipeline.grounder import Grounder, PreparedQuery
from ris_node.pipeline.grounding import Grounding
from ris_node.sensing.queries import ActiveQuery
from ris_node.types import U8, Frame, Query, Status

NO_QUERY = "no query is active: publish on 'command' or 'query', or call ~/set_query"
_MOST_PREPARED = 64


@dataclass(frozen=True, kw_only=True)
class StreamFrame:
    """A frame as it came, with the query in force at that moment; nothing is decoded that no answer needs.

    `size` gives height and width without decoding (0, 0 where that is not known), `decode` RGB u8[H,W,3]; both may
    raise. `place` adds camera, depth and pose to the image.
    """

    query: ActiveQuery | None
    stamp_ns: int
    frame_id: str
    size: Callable[[], tuple[int, int]]
    decode: Callable[[], U8]
    place: Callable[[U8], Frame]


@dataclass(frozen=True)
class StreamAnswer:
    """The answer to a frame, its image where that was decoded, the time for it in ms, and the error of status ERROR."""

    grounding: Grounding
    image: U8 | None
    decode_ms: float
    error: Exception | None = None


class StreamAnswerer:
    """Gives exactly one answer for every frame; errors become answers with status ERROR.

    Several threads may call `answer` where the model allows it.

    Args:
        grounder: the model in force; None while there is none.
        picture_wanted: whether the image is needed even without a query.
    """

    def __init__(self, grounder: Callable[[], Grounder | None], picture_wanted: Callable[[], bool]) -> None:
        self._grounder, self._picture_wanted = grounder, picture_wanted
        self._prepared: dict[tuple[Grounder, ActiveQuery], PreparedQuery] = {}

    def restart(self) -> None:
        """Forget the features of earlier queries."""
        self._prepared.clear()

    def answer(self, frame: StreamFrame) -> StreamAnswer:
        """Decode and ground one frame."""
        begin, decode_ms = time.perf_counter(), 0.0
        image: U8 | None = None
        try:
            if frame.query is not None or self._picture_wanted():
                image = frame.decode()
                decode_ms = (time.perf_counter() - begin) * 1e3
            return StreamAnswer(self._ground(frame, image, decode_ms), image, decode_ms)
        except Exception as error:
            return StreamAnswer(self.failed(frame, error), image, decode_ms, error)

    def failed(self, frame: StreamFrame, error: Exception) -> Grounding:
        """Return the answer to a frame whose work ended with an error."""
        message = str(error) if isinstance(error, RisError) else f"internal error, {type(error).__name__}: {error}"
        if isinstance(error, MemoryError):
            message = "the image does not fit into memory"
        size = (0, 0)
        with suppress(Exception):
            size = frame.size()
        return self._empty(frame, Status.ERROR, printable(message), size)

    def _ground(self, frame: StreamFrame, image: U8 | None, decode_ms: float) -> Grounding:
        grounder = self._grounder()
        if frame.query is None or grounder is None or image is None:
            height, width = image.shape[:2] if image is not None else frame.size()
            return self._empty(frame, Status.NO_QUERY, NO_QUERY, (height, width))
        prepared, text_ms = self._features(grounder, frame.query)
        found = grounder.ground(frame.place(image), prepared)
        timing = replace(found.timing, preprocess=found.timing.preprocess + decode_ms, text=text_ms)
        return replace(found, timing=timing)

    def _features(self, grounder: Grounder, query: ActiveQuery) -> tuple[PreparedQuery, float]:
        """Return a query's features, kept while query and model stay the same, and the milliseconds they cost now."""
        prepared = self._prepared.get((grounder, query))
        if prepared is not None:
            return prepared, 0.0
        if len(self._prepared) >= _MOST_PREPARED:
            self._prepared.clear()
        prepared = self._prepared[grounder, query] = grounder.prepare(query.query, query.command)
        return prepared, prepared.text_ms

    def _empty(self, frame: StreamFrame, status: Status, message: str, size: tuple[int, int]) -> Grounding:
        grounder = self._grounder()
        return Grounding(
            query=frame.query.query if frame.query is not None else Query(""),
            status=status,
            presence=0.0,
            instances=(),
            width=int(size[1]),
            height=int(size[0]),
            stamp_ns=frame.stamp_ns,
            frame_id=frame.frame_id,
            model_id=grounder.model_id if grounder is not None else "",
            message=message,
        )
