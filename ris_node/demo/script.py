# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Scene and commands of the demo, with the true meaning of each command."""

from __future__ import annotations

from dataclasses import KW_ONLY, asdict, dataclass, field
from typing import Any

from ris_scene.truth import Place, Wanted


@dataclass(frozen=True)
class Step:
    """One command: its text, its duration, and its meaning (none: unknown, in own footage).

    `meaning` is the referent; `place` the destination (None: only point it out); `one` False: all that fit are meant.
    """

    text: str
    seconds: float
    _: KW_ONLY
    meaning: Wanted | None = None
    place: Place | None = None
    one: bool = True
    note: str = ""

    def spoken(self, number: int) -> dict[str, Any]:
        """Return the command as the speaking process reads it."""
        return {"id": f"demo-{number}", "text": self.text, "seconds": self.seconds, "note": self.note}


@dataclass(frozen=True)
class Script:
    """The commands of one run; `step(id)` finds the one behind a query id."""

    steps: tuple[Step, ...]
    by_id: dict[str, Step] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_id", {f"demo-{i}": step for i, step in enumerate(self.steps, 1)})

    def spoken(self) -> list[dict[str, Any]]:
        """Return the commands for the speaking process, in order."""
        return [step.spoken(i) for i, step in enumerate(self.steps, 1)]

    @property
    def seconds(self) -> float:
        """How long all commands take together."""
        return sum(step.seconds for step in self.steps)


_RED_LEFT = Wanted("car", "red", side="left", order="nearest")


def scene_script(seconds: float) -> Script:
    """Return the commands for the rendered street, stretched or squeezed to about so many seconds in all."""
    steps = (
        Step("the red car on the left", 6.0, meaning=Wanted("car", "red", side="left")),
        Step("stop next to the red car on the left", 8.0, meaning=_RED_LEFT, place=Place.BESIDE),
        Step("the elephant", 4.5, meaning=Wanted("elephant"), note="absent"),
        Step("the cyclist", 6.0, meaning=Wanted("cyclist")),
        Step(
            "stop next to the blue car on the right",
            1.2,
            meaning=Wanted("car", "blue", side="right"),
            place=Place.BESIDE,
            note="changed in mid-flight",
        ),
        Step("the white van on the right", 6.0, meaning=Wanted("van", "white", side="right")),
        Step("the yellow bus", 4.5, meaning=Wanted("bus", "yellow"), note="absent"),
        Step("pedestrians", 5.0, meaning=Wanted("pedestrian"), one=False),
        Step("pull over on the right", 6.0, place=Place.KERB_RIGHT),
    )
    scale = seconds / sum(step.seconds for step in steps)
    return Script(tuple(Step(**{**_shallow(step), "seconds": step.seconds * scale}) for step in steps))


def own_script(commands: list[str], seconds: float) -> Script:
    """Return a script for footage of which nothing is known: each command for an equal share of the time."""
    return Script(tuple(Step(command, seconds / len(commands)) for command in commands))


def _shallow(step: Step) -> dict[str, Any]:
    return {name: getattr(step, name) for name in asdict(step)}
