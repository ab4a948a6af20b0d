# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Options, progress and summary of a replay."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ris_node.bags.topics import Topics
from ris_node.config import NodeConfig
from ris_node.errors import ConfigError, DataError

RESULTS, BAG, FILM, REPORT, SUMMARY = "results.parquet", "results", "overlay.mp4", "report.html", "summary.json"
SCORES, FIGURES = "scores.parquet", "scores.json"
VERB = "ris replay"  # in the markers of what is written
PARTS = "parts"  # sealed pieces of an unfinished replay, which a resumed one goes on from


@dataclass(frozen=True)
class Commands:
    """Where commands come from; one of these, or none for the node's `default_query`.

    `text` is in force from the first frame; `recorded` takes `std_msgs/String` or `ris_msgs/Query` from the bag at
    their own times; `script` is a CSV or YAML file of `t, command`, t in seconds from the first frame.
    """

    text: str = ""
    recorded: bool = False
    script: Path | None = None

    def __post_init__(self) -> None:
        given = [name for name in ("text", "recorded", "script") if getattr(self, name)]
        if len(given) > 1:
            raise ConfigError(f"commands from {' and '.join(given)} at once: give one of them")
        if self.script is not None and not self.script.is_file():
            raise ConfigError(f"cannot read the script {self.script}: there is no such file")


@dataclass(frozen=True, kw_only=True)
class ReplayOptions:
    """How to replay a bag. Every n-th frame is answered (`every`), or at most `rate_hz` a second by stamp; 0: all.

    `results.parquet` and `summary.json` are always written; `bag`, `video` and `report` add the result bag, the
    overlay video and the report. `overlays` puts raw overlay images into the bag too (large). `truth` is a folder of
    masks, a COCO file, a manifest, or `topic:/name`. `threads` 0: as many networks and threads as there are cores.
    """

    commands: Commands = field(default_factory=Commands)
    topics: Topics = field(default_factory=Topics)
    config: NodeConfig = field(default_factory=NodeConfig)
    bundle: Path | None = None
    every: int = 1
    rate_hz: float = 0.0
    max_frames: int = 0
    bag: bool = True
    video: bool = True
    report: bool = True
    overlays: bool = True
    truth: str = ""
    resume: bool = False
    overwrite: bool = False
    threads: int = 0
    part_frames: int = 1000

    def __post_init__(self) -> None:
        if self.every < 1 or self.rate_hz < 0.0 or self.max_frames < 0 or self.part_frames < 1 or self.threads < 0:
            raise ConfigError(
                f"every {self.every}, rate {self.rate_hz:g} Hz, {self.max_frames} frames, {self.threads} threads:"
                " give 1 or more for every, and nothing negative"
            )
        if self.every > 1 and self.rate_hz > 0.0:
            raise ConfigError("every n-th frame and a rate at once: give one of them")

    def writes(self) -> tuple[str, ...]:
        """Return the names of the files and folders that a replay writes into its folder."""
        wanted = {BAG: self.bag, FILM: self.video, REPORT: self.report}
        scored = (SCORES, FIGURES) if self.report or self.truth else ()
        return (RESULTS, SUMMARY, PARTS, *(name for name, asked in wanted.items() if asked), *scored)

    def fingerprint(self, *more: str) -> str:
        """Hash all that decides the answers (not what is written); resuming needs the same hash."""
        parts: dict[str, Any] = {
            "commands": asdict(self.commands),
            "topics": asdict(self.topics),
            "config": asdict(self.config),
            "pick": [self.every, self.rate_hz, self.max_frames],
            "outputs": [self.bag, self.video, self.overlays],
            "more": more,
        }
        script = self.commands.script
        if script is not None:
            parts["commands"]["script"] = hashlib.sha256(script.read_bytes()).hexdigest()
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a replay is: frames answered of those expected (0: not known), frames a second, seconds left.

    `resumed` of the frames were there from an earlier session; the rate does not count them.
    """

    bag: str
    done: int
    total: int
    rate_hz: float
    left_s: float
    resumed: int = 0


@dataclass(frozen=True, kw_only=True)
class ReplaySummary:
    """Summary of one bag's replay.

    `complete` is False when it was stopped, failed, or the bag is damaged; `problems` says why, `notes` what else
    deserves a word. `frames` were answered, of `seen` in the bag's image topic; `rate_hz` counts this session only.
    `reused`: an earlier run had done it all.
    """

    bag: str
    out: Path
    complete: bool
    frames: int = 0
    seen: int = 0
    rate_hz: float = 0.0
    seconds: float = 0.0
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    statuses: dict[str, int] = field(default_factory=dict)
    model_id: str = ""
    interrupted: bool = False
    reused: bool = False

    def lines(self) -> list[str]:
        """Return notes and problems as lines for a console."""
        return [*(f"note: {note}" for note in self.notes), *self.problems]

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON values; whether it is reused is not part of it."""
        found = {**asdict(self), "out": str(self.out), "problems": list(self.problems), "notes": list(self.notes)}
        del found["reused"]
        return found


def read_summary(folder: Path) -> dict[str, Any]:
    """Return the summary that a replay left in its folder; empty where there is none.

    Raises:
        DataError: it is damaged.
    """
    path = folder / SUMMARY
    if not path.is_file():
        return {}
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path} is damaged ({error}): replay the bag again") from error
    return found
