# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The honest status of an answer: what the masks and the presence of a referent amount to."""

from __future__ import annotations

from dataclasses import dataclass

from ris_node.bundle.manifest import Thresholds
from ris_node.config import OutputConfig
from ris_node.language.parse import ParsedCommand
from ris_node.pipeline.instances import Pieces, several_fit
from ris_node.types import Manoeuvre, QueryKind, Status


@dataclass(frozen=True)
class Limits:
    """The thresholds in force: the configuration's, where it sets one, else the bundle's."""

    mask: float
    presence: float
    uncertain_band: float
    region: float
    min_area_fraction: float
    presence_command: float

    @classmethod
    def of(cls, output: OutputConfig, bundle: Thresholds) -> Limits:
        """Let each value of the configuration that is not negative win over the bundle's."""

        def pick(value: float, default: float) -> float:
            return value if value >= 0.0 else default

        return cls(
            pick(output.mask_threshold, bundle.mask),
            pick(output.presence_threshold, bundle.presence),
            pick(output.uncertain_band, bundle.uncertain_band),
            bundle.region,
            pick(output.min_area_fraction, bundle.min_area_fraction),
            pick(
                output.presence_threshold,
                bundle.presence if bundle.presence_command is None else bundle.presence_command,
            ),
        )


@dataclass(frozen=True)
class Verdict:
    """A status and, where it needs one, the reason in words."""

    status: Status
    message: str = ""


def refusal(command: ParsedCommand) -> Verdict:
    """The verdict on a command that is not groundable, whatever the picture shows."""
    return Verdict(Status.NO_QUERY if command.manoeuvre == Manoeuvre.CANCEL else Status.ABSENT, command.reason)


def by_presence(presence: float, limits: Limits, kind: QueryKind = QueryKind.OBJECT) -> Status:
    """PRESENT, UNCERTAIN or ABSENT by presence alone; commands to the vehicle (REGION) have their own threshold."""
    least = limits.presence_command if kind == QueryKind.REGION else limits.presence
    if presence >= least:
        return Status.PRESENT
    return Status.UNCERTAIN if presence >= least - limits.uncertain_band else Status.ABSENT


def judge(command: ParsedCommand, status: Status, pieces: Pieces, region: Pieces, width: int) -> Verdict:
    """Weigh presence against what the masks show.

    Args:
        command: what was asked.
        status: `by_presence`, not ABSENT.
        pieces: of the referent's mask.
        region: of where to go; empty for object queries.
        width: of the image, in pixels.
    """
    wants_region = command.kind == QueryKind.REGION
    if not pieces.instances and not (wants_region and region.instances):
        return Verdict(Status.ABSENT, "nothing in the picture is sure enough to be given a mask")
    if status == Status.UNCERTAIN:
        return Verdict(status, "it may be there: presence is just below the threshold")
    counts = bool(command.label) and not (command.plural or command.stuff or command.unique)
    if counts and several_fit(pieces.instances, width):
        return Verdict(Status.AMBIGUOUS, f"several fit '{command.label}': say which one")
    if wants_region and not region.instances:
        return Verdict(status, "it is there, but no place to go was found beside it")
    return Verdict(status)
