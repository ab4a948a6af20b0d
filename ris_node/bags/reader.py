# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Any bag's messages in order: ROS 2 (sqlite3, MCAP, split, compressed, without metadata.yaml) and ROS 1."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from ris_node.bags.files import PACKED, bag_name, find_files, unpack
from ris_node.bags.message import BrokenBagError, Message, Storage, Topic
from ris_node.bags.storage import open_storage
from ris_node.bags.typestore import typestore
from ris_node.errors import BagError

__all__ = ["Bag", "Message", "Topic", "open_bag"]


class _Lenient(bytes):
    """A message's bytes of which the strings decode as ROS decodes them: U+FFFD where they are no UTF-8."""

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return _Lenient(found) if isinstance(key, slice) else found

    def __bytes__(self) -> _Lenient:
        return self

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)


class Bag:
    """An open bag; `open_bag` makes it.

    `problems` fills as damage is met (reading then goes on with the next message, piece or file); `notes` are harmless.
    Not thread-safe, but each `messages` may run in a thread of its own as long as only one does.
    """

    def __init__(self, path: Path) -> None:
        """Find the bag's files and topics; files are opened when they are read.

        Raises:
            BagError: it is missing, empty, unreadable, or not a bag.
        """
        self.path = path
        self.name = bag_name(path)
        self._problems: list[str] = []
        self._left_out: dict[str, dict[int, str]] = {}
        self.notes: list[str] = []
        found = find_files(path)
        self._files = found.files
        if found.note:
            self.notes.append(found.note)
        self._folder = tempfile.TemporaryDirectory(prefix="ris_bag_")
        self._open: tuple[int, Storage] | None = None
        try:
            self.topics = self._topics(found.topics)
        except BaseException:
            self.close()
            raise

    def messages(self, topics: Collection[str] = (), start_ns: int | None = None) -> Iterator[Message]:
        """Yield messages of some topics (none named: all) in order of receive time, from `start_ns` on."""
        for number in range(len(self._files)):
            try:
                storage = self._storage(number)
                for message in storage.messages(topics, start_ns):
                    if (found := self._converted(storage, message)) is not None:
                        yield found
            except BrokenBagError as error:
                self._trouble(str(error))
            except BagError as error:  # a later file of a split bag that cannot even be opened
                self._trouble(str(error))

    def _converted(self, storage: Storage, message: Message) -> Message | None:
        """Return a stored message in CDR; None where it cannot be: it is counted."""
        try:
            data = storage.convert(message.data, message.type)
        except Exception as error:  # zstd's, lz4's and rosbags' own
            words = f"the message received at {message.log_ns / 1e9:.6f} s ({type(error).__name__}: {error})"
            self.leave_out(message, BagError(words))
            return None
        return message if data is message.data else replace(message, data=data)

    def deserialize(self, message: Message) -> Any:
        """Return the message as an object with the fields of its definition; arrays are NumPy views.

        Raises:
            BagError: its bytes are not what its type says, or the type is not known here.
        """
        if message.type not in typestore().fielddefs:
            raise BagError(f"{self.path}: the type {message.type} of {message.topic} is not known")
        try:
            try:
                return typestore().deserialize_cdr(message.data, message.type)
            except Exception as error:
                if not isinstance(error.__cause__ or error, UnicodeDecodeError):
                    raise
                return typestore().deserialize_cdr(_Lenient(message.data), message.type)
        except Exception as error:  # rosbags raises several kinds for bytes that do not fit
            raise BagError(
                f"{self.path}: the message on {message.topic} received at {message.log_ns / 1e9:.6f} s is no"
                f" {message.type} ({type(error).__name__}: {error})"
            ) from error

    @property
    def problems(self) -> list[str]:
        """Damage, each with its place."""
        counted = [
            f"{topic}: {len(lost)} damaged, left out; the first: {next(iter(lost.values()))}"
            for topic, lost in self._left_out.items()
        ]
        return [*self._problems, *counted]

    def leave_out(self, message: Message, error: BagError) -> None:
        """Count a message that cannot be used, once however often it is read."""
        self._left_out.setdefault(message.topic, {}).setdefault(message.log_ns, str(error))

    def close(self) -> None:
        """Close the files and remove what was decompressed."""
        if self._open is not None:
            self._open[1].close()
            self._open = None
        self._folder.cleanup()

    def __enter__(self) -> Bag:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _topics(self, known: tuple[Topic, ...]) -> tuple[Topic, ...]:
        """Return topics by name; where metadata.yaml counts them, only the first file is opened (definitions, QoS)."""
        merged = {topic.name: topic for topic in known}
        for number in range(1 if known else len(self._files)):
            try:
                found = self._storage(number).topics
            except BagError as error:
                if len(self._files) == 1:
                    raise
                self._trouble(str(error))
                continue
            for topic in found:
                old = merged.get(topic.name)
                if known and old is not None:
                    merged[topic.name] = replace(topic, count=old.count, type=old.type)
                elif old is not None:
                    both = old.count >= 0 and topic.count >= 0
                    merged[topic.name] = replace(old, count=old.count + topic.count if both else -1)
                else:
                    merged[topic.name] = topic
        return tuple(merged.values())

    def _storage(self, number: int) -> Storage:
        """Open the file of this number; the one before is closed, and removed where it was decompressed."""
        if self._open is not None and self._open[0] == number:
            return self._open[1]
        if self._open is not None:
            self._open[1].close()
            self._open = None
        packed = self._files[number]
        for old in Path(self._folder.name).iterdir():
            old.unlink()
        path, problem = unpack(packed, Path(self._folder.name))
        try:
            storage = open_storage(path, damaged=bool(problem))
        except BagError as error:
            raise BagError(f"{problem}; {self._named(str(error))}" if problem else self._named(str(error))) from error
        if problem:
            storage.problem = problem
            self._trouble(problem)
        elif storage.problem:
            self._trouble(storage.problem)
        self._open = (number, storage)
        return storage

    def _named(self, words: str) -> str:
        """Return the words with the names of decompressed files as they are known outside."""
        for packed in self._files:
            if packed.suffix in PACKED:
                words = words.replace(str(Path(self._folder.name) / packed.stem), f"{packed}, decompressed")
        return words

    def _trouble(self, problem: str) -> None:
        problem = self._named(problem)
        if problem not in self._problems:
            self._problems.append(problem)


def open_bag(path: Path | str) -> Bag:
    """Open a bag: a ROS 2 bag's folder, one `.mcap` or `.db3` file (also `.zstd`, `.lz4`), or a ROS 1 `.bag`.

    Raises:
        BagError: it is missing, empty, unreadable, or not a bag; the message names the file, offset and what to do.
    """
    return Bag(Path(path))
