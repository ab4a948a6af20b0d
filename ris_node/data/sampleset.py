# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A lazy sequence of `Sample` over a file of JSON lines, of which only the lines' places are kept in memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.data.sample import Sample, sample_of
from ris_node.errors import DataError
from ris_node.types import I64


@dataclass(frozen=True)
class Problem:
    """A line, or an item of a published file, that was left out: where it is and what is wrong with it."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


@dataclass(frozen=True, eq=False)
class SampleSet(Sequence[Sample]):
    """Samples of one set in the file's order; each is read from its line when asked for.

    `offsets` i64[N] are the places of the lines in `path`, `numbers` i64[N] their line numbers (from 1), `images`
    i64[N] the image of each as an index: samples with equal numbers share their image. `problems` are what was left
    out. It holds no open file, so worker processes can share it.
    """

    path: Path
    root: Path
    source: str
    offsets: I64
    numbers: I64
    images: I64
    problems: tuple[Problem, ...] = field(default=())

    def __len__(self) -> int:
        return int(self.offsets.size)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        place = range(len(self))[index]
        with self.path.open("rb") as file:
            file.seek(int(self.offsets[place]))
            return self._sample(file.readline(), int(self.numbers[place]))

    def __iter__(self) -> Iterator[Sample]:
        with self.path.open("rb") as file:
            for place in range(len(self)):
                file.seek(int(self.offsets[place]))
                yield self._sample(file.readline(), int(self.numbers[place]))

    @cached_property
    def by_image(self) -> tuple[tuple[int, ...], ...]:
        """The indexes of the samples of each image, images in the order of their first sample."""
        order = np.argsort(self.images, kind="stable")
        cuts = np.flatnonzero(np.diff(self.images[order])) + 1
        return tuple(tuple(part.tolist()) for part in np.split(order, cuts)) if order.size else ()

    def subset(self, indexes: Iterable[int]) -> SampleSet:
        """The samples at these indexes, in this order."""
        chosen = np.fromiter(indexes, np.int64)
        return SampleSet(
            self.path, self.root, self.source, self.offsets[chosen], self.numbers[chosen], self.images[chosen],
            self.problems,
        )  # fmt: skip

    def problem_text(self, most: int = 10) -> str:
        """The problems as lines of text, at most `most` of them and how many more; "" without any."""
        lines = [str(problem) for problem in self.problems[:most]]
        more = len(self.problems) - len(lines)
        return "\n".join([*lines, f"... and {more} more"] if more else lines)

    def _sample(self, line: bytes, number: int) -> Sample:
        try:
            return sample_of(parse_line(line), self.root, self.source, number)
        except DataError as error:  # it could be read when it was indexed
            raise DataError(f"{self.path}, line {number} has changed since it was opened: {error}") from error


def parse_line(line: bytes) -> dict[str, Any]:
    """A line of a file as an object.

    Raises:
        DataError: saying why it is none.
    """
    try:
        value = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError(f"byte {error.start} is not UTF-8; save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        raise DataError(f"no JSON: {error.msg} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise DataError("no JSON: nested too deeply") from error
    if not isinstance(value, dict):
        raise DataError(f"a line is an object {{...}}, not {type(value).__name__}")
    return value
