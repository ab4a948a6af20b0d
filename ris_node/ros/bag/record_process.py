# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The process of `ris record`: topics come in on one thread, and the main thread writes them to the disk."""

from __future__ import annotations

import math
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import rclpy
from rclpy.parameter import Parameter

from ris_node.bags.message import Message, Topic
from ris_node.bags.writer import BagWriter
from ris_node.errors import ConfigError, DataError
from ris_node.ros.bag.play_process import spinning
from ris_node.ros.bag.recorder import BagRecorder, Wanted
from ris_node.ros.start import end_ros, start_ros

NODE = "ris_record"
_SYNC_S = 1.0
_PATIENCE_S = 0.1
_GRACE_S = 0.3  # for what has arrived when the end is asked for


@dataclass(frozen=True, kw_only=True)
class RecordOptions:
    """Options of a recording; `seconds` 0: until a signal ends it."""

    out: Path
    wanted: Wanted
    storage: str = "mcap"
    compression: str = "none"
    seconds: float = 0.0
    use_sim_time: bool = False


@dataclass
class RecordSummary:
    """Summary of a recording: messages and dropped ones by topic, bytes, and topics that could not be recorded."""

    messages: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    bytes: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return asdict(self)


def record_bag(options: RecordOptions) -> RecordSummary:
    """Record until SIGINT, SIGTERM or the end of the time; in the main thread of a process of its own.

    Raises:
        ConfigError: the bag's folder exists, or storage and compression do not go together.
        DataError: the disk is full or failed; what was written before is kept.
    """
    start_ros()
    asked: list[int] = []  # no Event: a second signal, while the first one's handler sets it, would wait for its lock
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: asked.append(number))
    try:
        writer = BagWriter(options.out, storage=options.storage, compression=options.compression)
        overrides = [Parameter("use_sim_time", value=options.use_sim_time)]
        node = rclpy.create_node(NODE, parameter_overrides=overrides)
        recorder = BagRecorder(node, options.wanted)
        recording = _Recording(writer, recorder)
        try:
            with spinning(node):
                recording.write(lambda: bool(asked), options.seconds)
            recording.drain()  # no more comes in; what is there is still written
            writer.close()
        except OSError as error:
            with suppress(Exception):  # without room for its end, the bag keeps what was synced
                writer.close()
            raise DataError(
                f"cannot write {error.filename or options.out}: {error.strerror or error}; {writer.count} messages"
                " were written before: free some space, and `ris replay` reads that part"
            ) from error
        return recording.summary()
    finally:
        end_ros()


class _Recording:
    def __init__(self, writer: BagWriter, recorder: BagRecorder) -> None:
        self._writer, self._recorder = writer, recorder
        self._counts: Counter[str] = Counter()
        self._bytes = 0
        self._told: set[str] = set()

    def write(self, ended: Callable[[], bool], seconds: float) -> None:
        """Write incoming messages until `ended` or the end of the time."""
        begin = synced = time.monotonic()
        end = begin + seconds if seconds else math.inf
        while time.monotonic() < end:
            if ended():
                end = min(end, time.monotonic() + _GRACE_S)
            self._put(self._recorder.take(_PATIENCE_S))
            if time.monotonic() - synced > _SYNC_S:
                synced = time.monotonic()
                self._writer.sync()
                self._warn()

    def drain(self) -> None:
        """Write the messages that have come in already."""
        while (entry := self._recorder.take(0.0)) is not None:
            self._put(entry)
        self._warn()

    def summary(self) -> RecordSummary:
        recorder = self._recorder
        return RecordSummary(dict(self._counts), dict(recorder.dropped), dict(recorder.unknown), self._bytes)

    def _put(self, entry: Topic | Message | None) -> None:
        if isinstance(entry, Topic):
            try:
                self._writer.add_topic(entry.name, entry.type, entry.qos)
                self._counts[entry.name] += 0
            except ConfigError as error:
                self._recorder.unknown[entry.name] = str(error)
        elif entry is not None and entry.topic in self._writer:
            self._writer.write(entry.topic, entry.log_ns, entry.data)
            self._counts[entry.topic] += 1
            self._bytes += len(entry.data)

    def _warn(self) -> None:
        recorder = self._recorder
        for name, why in list(recorder.unknown.items()):
            self._say(f"not recorded: {name} ({why})")
        for name in list(recorder.dropped):
            self._say(f"the disk is too slow: messages of {name} are dropped")

    def _say(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            print(text, file=sys.stderr, flush=True)
