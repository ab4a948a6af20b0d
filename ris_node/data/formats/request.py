# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Requests to readers, and the annotated pictures that they give."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from ris_node.data.annotated import Annotated
from ris_node.data.registry import Format

T = TypeVar("T")
Line = dict[str, Any]
# An image as lines write it: a path below the set's folder, or a rendered scene.
ImageSpec = str | Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """A split of a set below a folder."""

    format: Format
    root: Path
    split: str

    def need(self, *places: str) -> Path:
        """Return the first of these places below the root that is there.

        Raises:
            DataError: when none is, saying what to download and where it goes.
        """
        for place in places:
            if (self.root / place).exists():
                return self.root / place
        raise self.format.absent(self.root / places[0], self.root)

    def below(self, path: Path) -> str:
        """Return a path as lines write it: relative to the root."""
        return path.relative_to(self.root).as_posix()

    def picture_name(self, path: Path) -> str:
        """Return the name of the picture in a file: the set's, and the path below its folder without a suffix."""
        return f"{self.format.name}/{path.relative_to(self.root).with_suffix('').as_posix()}"


@dataclass(frozen=True)
class PictureSet(Sequence[Annotated]):
    """Annotated pictures of a split, each read when it is asked for: `names` are file stems."""

    format: Format
    names: tuple[str, ...]
    images: tuple[ImageSpec, ...]
    reader: Callable[[int], Annotated]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Annotated:  # type: ignore[override]
        return self.reader(range(len(self))[index])

    def path_of(self, index: int) -> str:
        """Return the path of an image below the data root, as written in manifests."""
        return f"{self.format.name}/{self.images[index]}"


def watched(items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """Return the items, with a progress bar on stderr where somebody watches."""
    yield from tqdm(items, desc=what, total=total, disable=None, leave=False)
