# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""report.html: the results of a replay in one self-contained file."""

from __future__ import annotations

import html
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from ris_node import __version__
from ris_node.atomic import write_atomic
from ris_node.errors import DataError
from ris_node.replay.options import REPORT, read_summary
from ris_node.replay.reasons import count_reasons, reason_of
from ris_node.replay.rows import FOUND, content_hash, iter_rows
from ris_node.report import page as parts
from ris_node.review import charts
from ris_node.review.pictures import drawn, fetch
from ris_node.review.scores import read_figures, read_scores

STRIP, WORST = 6, 8  # pictures of the whole drive, and of the worst frames
_PLAIN = (
    "bag", "frame", "source_index", "log_ns", "stamp_ns", "query_id", "command", "status", "presence", "mask_area",
    "region_area", "target_status", "target_confirmed", "target_x", "target_y", "target_frame", "footprint",
    "decode_ms", "preprocess_ms", "inference_ms", "postprocess_ms", "total_ms", "message",
)  # fmt: skip
_HEADS = {
    "miou": "mIoU", "oiou": "oIoU", "p50": "P@0.5", "found": "found", "refused": "refused", "riou": "rIoU",
    "pointing": "pointing", "inside": "inside", "region_miou": "region mIoU", "ece": "ECE",
}  # fmt: skip
Rows = Sequence[Mapping[str, Any]]


def write_report(out: Path, bags: Sequence[Path]) -> Path:
    """Write `report.html` over the results in `out`; pictures come from the recorded `bags`, where they are given.

    Returns:
        The report's path.

    Raises:
        ConfigError: a package that draws is missing.
        DataError: there are no results in `out`.
    """
    parts.require()
    rows = list(iter_rows(out, _PLAIN))
    if not rows:
        raise DataError(f"{out} holds no answered frames: there is nothing to report")
    summary, scores = read_summary(out), read_scores(out)
    found = [_summary(summary, rows, out), _timelines(rows, scores), *_targets(rows), *_quality(out)]
    found += _pictures(out, rows, scores, summary, bags)
    found += [*_reasons(rows), *_troubles(rows)]
    found.append(_about(out, summary))
    state = "" if summary.get("complete", True) else "PARTIAL: "
    commands = list(dict.fromkeys(row["command"] for row in rows if row["command"]))
    lead = f"{state}{len(rows)} frames, " + (f"“{commands[0]}”" if commands else "no command")
    lead += f" and {len(commands) - 1} more" if len(commands) > 1 else ""
    names = list(dict.fromkeys(str(row["bag"]) for row in rows))
    title = f"Replay of {names[0] if len(names) == 1 else f'{len(names)} drives'}"
    write_atomic(out / REPORT, parts.page(title, lead, found))
    return out / REPORT


def _summary(summary: Mapping[str, Any], rows: Rows, out: Path) -> parts.Section:
    figures = read_figures(out)
    steady, live = figures.get("steadiness") or {}, figures.get("live")
    seconds = sum(_span(rows, name) for name in {row["bag"] for row in rows})
    lines: list[tuple[str, Any]] = [
        ("frames answered", len(rows)),
        ("length of the drive, s", round(seconds, 2)),
        ("model", summary.get("model_id") or _models(summary)),
        ("found (PRESENT or AMBIGUOUS), share of frames with a command", steady.get("found")),
        ("verdict flips, share of neighbouring frames", steady.get("flips")),
        ("mask IoU with the frame before, after optical flow", steady.get("mask_iou")),
        ("targets in metres, share of region answers", steady.get("targets")),
        ("scatter of the goal, m (one standard deviation)", steady.get("jitter_m")),
        ("time for a frame in this replay, ms: median", steady.get("latency_p50_ms")),
        ("time for a frame in this replay, ms: 99 of 100", steady.get("latency_p99_ms")),
    ]
    if live:
        lines += [
            ("a live node here: time for a frame alone, ms", live["latency_ms"]),
            ("a live node here: share of frames dropped", live["dropped"]),
            ("a live node here: from arrival to answer, ms", live["age_ms"]),
        ]
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["status"]] = counts.get(row["status"], 0) + 1
    verdicts = parts.table(("verdict", "frames", "share"), [(k, v, v / len(rows)) for k, v in sorted(counts.items())])
    body = parts.side_by_side((parts.table(("", "value"), lines), verdicts))
    for problem in summary.get("problems", ()):
        body += f'<p class="bad"><b>{html.escape(str(problem))}</b></p>'
    body += "".join(parts.paragraph(f"Note: {note}") for note in summary.get("notes", ()))
    note = "Several frames were answered at once, so their times are longer than a live node's." if live else ""
    return parts.Section("Summary", body + _runs(summary), note)


def _runs(summary: Mapping[str, Any]) -> str:
    runs = summary.get("runs")
    if not runs:
        return ""
    head = ("drive", "frames", "complete", "model", "frames a second", "problems")
    rows = [
        (r.get("bag"), r.get("frames"), "yes" if r.get("complete") else "NO", r.get("model_id"), r.get("rate_hz"),
         "; ".join(r.get("problems", ())))
        for r in runs
    ]  # fmt: skip
    return parts.heading("Drives") + parts.table(head, rows)


def _timelines(rows: Rows, scores: Rows) -> parts.Section:
    body = "".join(parts.chart(figure, height) for figure, height in charts.timelines(rows, scores))
    return parts.Section("Timelines", body, "Seconds from the first frame of each drive; drag to zoom.")


def _targets(rows: Rows) -> list[parts.Section]:
    figure = charts.top_down(rows)
    if figure is None:
        return []
    frame = next(row["target_frame"] for row in rows if row["target_status"] == "OK")
    note = f"Metres in {frame}: x forward is up, y left is left. Outlines are of up to 12 regions over the drive."
    return [parts.Section("Targets from above", parts.chart(figure, 620), note)]


def _quality(out: Path) -> list[parts.Section]:
    table = read_figures(out).get("table") or []
    if not table:
        return []
    names = [name for name in _HEADS if any(name in row["metrics"] for row in table)]
    lines = []
    for row in table:
        cells = []
        for name in names:
            entry = row["metrics"].get(name)
            cells.append(_with_interval(entry) if entry else None)
        lines.append((row["name"], row["present"], row["absent"], *cells))
    body = parts.table(("frames", "present", "absent", *(_HEADS[name] for name in names)), lines)
    note = "The metrics of 'ris evaluate'; in brackets 95 % intervals over stretches of 20 frames."
    return [parts.Section("Against the truth", body, note)]


def _with_interval(entry: Mapping[str, Any]) -> str:
    value, interval = entry["value"], entry["interval"]
    if value is None:
        return "-"
    return f"{value:.3f}" + (f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "")


def _pictures(
    out: Path, rows: Rows, scores: Rows, summary: Mapping[str, Any], bags: Sequence[Path]
) -> list[parts.Section]:
    """Show strips over each drive, and the frames where the answers are worst."""
    names = list(dict.fromkeys(str(row["bag"]) for row in rows))
    topics = [run.get("image_topic", "") for run in summary.get("runs", [summary])]
    found = []
    worst = _worst(rows, scores)
    for place, (name, bag) in enumerate(zip(names, bags, strict=False)):
        own = [row for row in rows if row["bag"] == name]
        strip = [own[i] for i in sorted({round(k * (len(own) - 1) / max(STRIP - 1, 1)) for k in range(STRIP)})]
        bad = [(row, why) for row, why in worst if row["bag"] == name]
        topic = topics[place] if place < len(topics) else topics[0]
        shown = picture_rows(out, bag, topic, [*strip, *(row for row, _ in bad)])
        gallery = [_figure(shown, row, "") for row in strip]
        found.append(parts.Section(f"Pictures of {name}", parts.gallery(filter(None, gallery))))
        if bad:
            body = parts.gallery(filter(None, [_figure(shown, row, why) for row, why in bad]))
            found.append(parts.Section(f"Worst frames of {name}", body, _WORST_NOTE))
    return found


_WORST_NOTE = (
    "Least like the truth where it is known; else where the mask or the verdict changed most from the frame before."
)


def picture_rows(out: Path, bag: Path, topic: str, wanted: Rows) -> dict[int, tuple[Any, Mapping[str, Any]]]:
    """Return the drawn answers u8[H,W,3] of some rows, with their full rows, by `frame`."""
    frames = {int(row["frame"]) for row in wanted}
    name = wanted[0]["bag"] if wanted else ""
    full = [row for row in iter_rows(out) if row["frame"] in frames and row["bag"] == name]
    images = fetch(bag, topic, full)
    return {int(row["frame"]): (drawn(images[row["frame"]], row), row) for row in full if row["frame"] in images}


def _figure(shown: Mapping[int, tuple[Any, Mapping[str, Any]]], row: Mapping[str, Any], why: str) -> str:
    if row["frame"] not in shown:
        return ""
    picture, full = shown[row["frame"]]
    caption = f"frame {full['frame']}: {full['status']} {full['presence']:.2f}"
    return parts.picture(picture, caption, "; ".join(filter(None, (why, str(full["command"])))))


def _worst(rows: Rows, scores: Rows) -> list[tuple[Mapping[str, Any], str]]:
    """Return the frames to look at, with the reason: least IoU with the truth, false alarms, else least steady ones."""
    found: list[tuple[float, Mapping[str, Any], str]] = []
    for row, score in zip(rows, scores, strict=False):
        answered = row["status"] in FOUND
        if score["truth_present"] is not None:
            if score["iou"] is not None:
                found.append((score["iou"], row, f"IoU {score['iou']:.2f} with the truth"))
            elif answered:
                found.append((0.0, row, "it is not in the picture"))
        elif score["steady_iou"] is not None and score["steady_iou"] < 0.8:
            found.append((1.0 + score["steady_iou"], row, f"IoU {score['steady_iou']:.2f} with the frame before"))
    found.sort(key=lambda item: (item[0], item[1]["frame"]))
    kept: list[tuple[Mapping[str, Any], str]] = []
    for _, row, why in found:  # neighbours look alike: one picture of them is enough
        if all(row["bag"] != k["bag"] or abs(row["frame"] - k["frame"]) > 3 for k, _ in kept):
            kept.append((row, why))
    return kept[:WORST]


def _reasons(rows: Rows) -> list[parts.Section]:
    kinds = count_reasons(filter(None, map(reason_of, rows)))
    if not kinds:
        return []
    body = parts.table(("target", "frames", "reason"), [(kind.status, kind.frames, kind.message) for kind in kinds])
    note = "What ~/region says in frames whose region is in the picture; reasons that differ in numbers are one line."
    return [parts.Section("Why there was no target", body, note)]


def _troubles(rows: Rows) -> list[parts.Section]:
    bad = [row for row in rows if row["status"] == "ERROR"]
    if not bad:
        return []
    head = ("drive", "frame", "stamp, s", "what")
    lines = [(r["bag"], r["frame"], f"{r['stamp_ns'] / 1e9:.6f}", r["message"]) for r in bad[:50]]
    return [parts.Section(f"{len(bad)} frames that could not be answered", parts.table(head, lines))]


def _about(out: Path, summary: Mapping[str, Any]) -> parts.Section:
    lines = [("results (all columns but timings)", content_hash(out)), ("ris_node", __version__)]
    lines += [("Python", platform.python_version()), ("machine", f"{platform.system()} {platform.machine()}")]
    for name in ("numpy", "opencv-python-headless", "onnxruntime", "rosbags", "pyarrow"):
        try:
            lines.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    settings = summary.get("settings") or {}
    body = parts.table(("version or hash", ""), lines)
    if settings:
        body += parts.heading("Settings") + parts.table(("name", "value"), sorted(settings.items()))
    return parts.Section("How it was made", body)


def _models(summary: Mapping[str, Any]) -> str:
    return ", ".join(dict.fromkeys(str(run.get("model_id", "")) for run in summary.get("runs", ())))


def _span(rows: Rows, name: str) -> float:
    stamps = [int(row["log_ns"]) for row in rows if row["bag"] == name]
    return (max(stamps) - min(stamps)) / 1e9
