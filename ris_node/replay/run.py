# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Replays one bag: reads, answers and writes, each in its own thread, without losing a frame."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from ris_node.pipeline.grounder import Grounder
from ris_node.replay.options import Progress, ReplayOptions, ReplaySummary


def replay(
    bag: Path,
    out: Path,
    options: ReplayOptions,
    *,
    grounder: Grounder | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> ReplaySummary:
    """Answer a bag's frames and write the results into the folder `out`.

    Args:
        bag: a ROS 2 bag's folder, one `.mcap` or `.db3` file, or a ROS 1 `.bag`.
        out: made if missing; holds results.parquet, summary.json and what `options` asks for.
        options: commands, topics, configuration, which frames, what to write.
        grounder: a loaded model to use again for the next bag (it is not closed); None: opened and closed here.
        progress: called from this thread about twice a second, and at the end.
        stop: when set, the replay seals what it has, marks it partial and returns.

    Returns:
        What came of it; `complete` False and `problems` where the bag broke off, the disk was full or it was stopped.

    Raises:
        ConfigError: options that do not go together, or topics that are ambiguous or missing.
        BagError: nothing could be read from the bag.
    """
    raise NotImplementedError
