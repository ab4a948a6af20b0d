# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Remembers which steps succeeded on which inputs, by the inputs' content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envsetup.place import Place
    from envsetup.talk import Talk


Run = Callable[["Place", "Talk"], None]


@dataclass(frozen=True)
class Step:
    """One part of the set-up: `inputs` are files or folders whose content, with `key`, decides whether it is due."""

    name: str
    title: str
    run: Run
    inputs: tuple[Path, ...] = ()
    key: str = ""
    products: tuple[Path, ...] = ()


class Stamps:
    """The stamps of one environment, kept inside it: they go when it goes."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def fresh(self, step: Step) -> bool:
        """Whether `step` succeeded before on what its inputs hold now, and its products are still there."""
        stamp = self._file(step)
        if not stamp.is_file() or not all(product.exists() for product in step.products):
            return False
        return stamp.read_text(encoding="ascii").strip() == self._digest(step)

    def due(self, steps: list[Step]) -> list[Step]:
        """Return the steps that have to run: all of them when the first, which makes the environment, has to."""
        return [step for step in steps if not (self.fresh(steps[0]) and self.fresh(step))]

    def mark(self, step: Step) -> None:
        """Write down that `step` has succeeded."""
        self._file(step).parent.mkdir(parents=True, exist_ok=True)
        self._file(step).write_text(self._digest(step) + "\n", encoding="ascii")

    def _file(self, step: Step) -> Path:
        return self._place.work / f"{step.name}.done"

    def _digest(self, step: Step) -> str:
        digest = hashlib.sha256(f"{self._place.identity()}|{step.key}".encode())
        for source in step.inputs:
            for file in sorted(source.rglob("*")) if source.is_dir() else [source]:
                if file.is_file():
                    digest.update(f"\0{file.relative_to(self._place.root)}\0".encode())
                    digest.update(file.read_bytes())
        return digest.hexdigest()
