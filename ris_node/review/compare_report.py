# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The comparison of two runs as text and as one HTML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.atomic import write_atomic
from ris_node.bags.files import bag_name
from ris_node.replay.options import read_summary
from ris_node.report import page as parts
from ris_node.report.page import SHARE, figure
from ris_node.report.values import shown
from ris_node.review.compare import Comparison, Line, Pair, most_different
from ris_node.review.pictures import drawn, fetch
from ris_node.types import U8

_MORE_IS_WORSE = ("jitter", "latency")
_MOST_POINTS = 4000


def format_comparison(found: Comparison, names: tuple[str, str]) -> str:
    """Return the comparison as text: a line a metric, with 95 % intervals of the difference."""
    head = f"{'':14s}{'A':>10s}{'B':>10s}{'B - A':>10s}   95 % interval"
    lines = [f"A {names[0]}", f"B {names[1]}", head]
    for line in found.lines:
        lines.append(
            f"{line.name:14s}{shown(line.a, 4):>10s}{shown(line.b, 4):>10s}{shown(line.difference, 4, sign=True):>10s}"
            f"   {_interval(line)}{' *' if line.certain else ''}"
        )
    lines.append(
        f"{len(found.pairs)} frames in both ({found.alone[0]} only in A, {found.alone[1]} only in B): masks agree with"
        f" IoU {found.agreement:.3f}, verdicts differ in {found.flipped:.1%}"
    )
    return "\n".join([*lines, "* the interval leaves out 0"])


def write_comparison(
    path: Path, found: Comparison, runs: tuple[Path, Path], bags: Sequence[Path], failures: Sequence[str] = ()
) -> None:
    """Write the comparison as an HTML file; pictures come from `bags`, by their names.

    Raises:
        ConfigError: a package that draws is missing.
        BagError: a bag cannot be opened.
    """
    parts.require()
    names = tuple(_name(run) for run in runs)
    sections = [_metrics(found, names, failures), _timeline(found)]
    different = most_different(found.pairs)
    shown = _pictures(different, runs[0], bags)
    if different:
        gallery = [picture for n, pair in enumerate(different) for picture in _figures(pair, shown.get(n))]
        body = (
            parts.gallery(gallery) if shown else parts.table(("bag", "frame", "A", "B", "IoU"), map(_line, different))
        )
        note = "A on the left of each pair, B on the right." if shown else "Give --bag for pictures."
        sections.append(parts.Section("Frames that differ most", body, note))
    lead = f"A: {names[0]}; B: {names[1]}; {len(found.pairs)} frames"
    write_atomic(path, parts.page("Two replays compared", lead, sections))


def _metrics(found: Comparison, names: tuple[str, ...], failures: Sequence[str]) -> parts.Section:
    rows, marks = [], {}
    for number, line in enumerate(found.lines):
        rows.append((f"{line.name}: {line.doc}", line.a, line.b, shown(line.difference, 4, sign=True), _interval(line)))
        if line.certain:
            better = (line.difference > 0) != (line.name in _MORE_IS_WORSE)
            marks[number, 3] = "good" if better else "bad"
    body = parts.table(("metric", f"A {names[0]}", f"B {names[1]}", "B - A", "95 % interval"), rows, marks)
    facts = (
        f"The masks of both agree with IoU {found.agreement:.3f} on average; in {found.flipped:.1%} of the frames only"
        f" one of them found something. {found.alone[0]} frames are only in A, {found.alone[1]} only in B."
    )
    body += parts.paragraph(facts) + "".join(parts.paragraph(f"FAILED: {failure}") for failure in failures)
    return parts.Section("Metrics", body, "Intervals by drawing stretches of 20 frames again, paired.")


def _timeline(found: Comparison) -> parts.Section:
    pairs = found.pairs[:: -(-len(found.pairs) // _MOST_POINTS)]
    chart = figure(xaxis_title="frames in both", yaxis=SHARE)
    frames = list(range(len(pairs)))
    chart.add_scatter(x=frames, y=[pair.a["presence"] for pair in pairs], mode="lines", name="presence A")
    chart.add_scatter(x=frames, y=[pair.b["presence"] for pair in pairs], mode="lines", name="presence B")
    chart.add_scatter(
        x=frames, y=[pair.agreement for pair in pairs], mode="lines", name="IoU of both masks", line={"dash": "dot"}
    )
    return parts.Section("Frame by frame", parts.chart(chart, 360))


def _pictures(pairs: Sequence[Pair], run: Path, bags: Sequence[Path]) -> dict[int, U8]:
    """Return the images u8[H,W,3] of pairs by their place, from the bags that bear their names."""
    summary = read_summary(run)
    runs = summary.get("runs", [summary])
    found: dict[int, U8] = {}
    for bag in bags:
        name = bag_name(bag)
        about: Mapping[str, Any] = next((one for one in runs if one.get("bag") == name), runs[0])
        own = {n: pair for n, pair in enumerate(pairs) if pair.a["bag"] == name}
        images = fetch(bag, str(about.get("image_topic", "")), [pair.a for pair in own.values()]) if own else {}
        found |= {n: images[pair.a["frame"]] for n, pair in own.items() if pair.a["frame"] in images}
    return found


def _figures(pair: Pair, image: U8 | None) -> list[str]:
    if image is None:
        return []
    both = np.hstack([drawn(image, row, 380) for row in (pair.a, pair.b)])
    a, b = (f"{row['status']} {row['presence']:.2f}" for row in (pair.a, pair.b))
    caption = f"{pair.a['bag']}, frame {pair.a['source_index']}: A {a}, B {b}"
    return [parts.picture(both, caption, f"IoU {pair.agreement:.2f}; {pair.a['command']}")]


def _line(pair: Pair) -> tuple[Any, ...]:
    return pair.a["bag"], pair.a["source_index"], pair.a["status"], pair.b["status"], pair.agreement


def _name(run: Path) -> str:
    summary = read_summary(run)
    return f"{run.name} ({summary['model_id']})" if summary.get("model_id") else run.name


def _interval(line: Line) -> str:
    return f"[{line.interval[0]:+.4f}, {line.interval[1]:+.4f}]" if line.interval else "-"
