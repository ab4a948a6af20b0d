# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The evaluation as one HTML file: goals, tables with intervals, charts, pictures. Every number is of report.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ris_node.atomic import write_atomic
from ris_node.evaluation.goals import BASELINE
from ris_node.evaluation.measure import Measured, Setting
from ris_node.evaluation.report import charts
from ris_node.evaluation.report.pictures import LEGEND, galleries
from ris_node.evaluation.table import SHOWN
from ris_node.report import page
from ris_node.report.page import Section

MAIN = (
    ("miou", "mIoU"), ("oiou", "oIoU"), ("p50", "P@0.5"), ("riou", "rIoU"), ("found", "found"), ("refused", "refused"),
    ("pointing", "pointing"), ("inside", "inside"), ("region_miou", "mIoU of regions"), ("listens", "listens"),
    ("listens_strict", "listens, both with pixels"), ("apart", "told apart in one class"),
    ("apart_strict", "told apart, both with pixels"), ("auc", "presence: AUC"), ("ece", "presence: ECE"),
)  # fmt: skip
PUBLISHED = (  # headings of the other conventions and their metrics
    ("P@X, noun phrases", ("p50", "p60", "p70", "p80", "p90")),
    ("GRES", ("giou_gres", "ciou_gres", "n_acc", "t_acc")),
    ("LISA", ("giou_lisa", "ciou_lisa")),
    ("R-RIS (a ref is a picture)", ("ref_miou", "mrr", "ref_riou")),
    ("Regions: overall IoU, recall at k", ("region_oiou", *(f"recall_{k}" for k in (1, 10, 100, 1000, 5000)))),
)
Report = Mapping[str, Any]


def write_html(path: Path, report: Report, systems: Sequence[Measured], setting: Setting) -> None:
    """Write the report; pictures are read below the setting's root, and left out where they are not there."""
    sections = [
        *goal_sections(report),
        side_by_side(report),
        kinds(report),
        presence(report),
        regions(report),
        published(report),
        *differences(report),
        *everything(report),
        *answer_sections(systems, setting),
        set_up(report),
    ]
    names = ", ".join(report["bundles"])
    part = "" if report["every"] == 1 else f" (one picture in {report['every']} of the set: a quick look, no result)"
    lead = (
        f"{names} on {report['items']} expressions over {report['pictures']} pictures{part}. "
        "Ranges are 95 % intervals from resampling pictures."
    )
    write_atomic(path, page.page("Evaluation", lead, sections))


def goal_sections(report: Report) -> list[Section]:
    """Return the goals of each model with the values measured."""
    made = []
    for name, own in report["bundles"].items():
        goals = own.get("goals")
        if not goals:
            continue
        rows = [
            [g["name"], g["asked"], g["value"], span(g["interval"]), "reached" if g["reached"] else "missed"]
            for g in goals
        ]
        marks = {(n, 4): "good" if g["reached"] else "bad" for n, g in enumerate(goals)}
        body = page.table(("goal", "asked", "measured", "95 %", ""), rows, marks)
        made.append(Section(f"What is asked of {name}", body, note_on_regions(report)))
    return made


def note_on_regions(report: Report) -> str:
    """Return the points to beat in pointing."""
    if report["mean_region_cover"] is None:
        return ""
    centre = report["pointing_road_centre"]
    return (
        f"True regions cover {report['mean_region_cover']:.1%} of the picture on average; the middle of the labelled "
        f"road lies in {centre:.1%} of them."
    )


def side_by_side(report: Report) -> Section:
    """Return the main metrics of every system, over everything, driving and everyday."""
    bundles, body = report["bundles"], ""
    for scope in ("all", "driving", "everyday"):
        table: dict[str, Mapping[str, Any]] = {}
        for name, own in bundles.items():
            table[name] = next((r for r in own["rows"] if r["name"] == scope), {})
        spans = {n: own["intervals"].get(scope, {}) for n, own in bundles.items()}
        rows = [[label, *(cell(table[n], spans[n], metric) for n in bundles)] for metric, label in MAIN]
        if any(table.values()):
            body += page.heading(f"{scope} ({row_size(report, scope)})") + page.table(("", *bundles), rows)
    return Section("Side by side", body, "IoU is over noun phrases; found and refused are over commands too.")


def row_size(report: Report, name: str) -> str:
    """Return the number of items of a row."""
    for own in report["bundles"].values():
        for row in own["rows"]:
            if row["name"] == name:
                return f"{row['present']} present, {row['absent']} absent"
    return "none"


def cell(row: Mapping[str, Any], intervals: Mapping[str, Any], metric: str) -> str:
    """Return a value with its interval on a second line."""
    value = row.get(metric)
    return "-" if value is None else f"{value:.3f}\n{span(intervals.get(metric))}".strip()


def span(interval: Sequence[float] | None) -> str:
    """Return an interval in brackets."""
    return "" if not interval else f"({interval[0]:.3f} to {interval[1]:.3f})"


def kinds(report: Report) -> Section:
    """Return bars by kind of expression and by size of the target."""
    by_kind = charts.bars(report, charts.kinds_of(report, "miou"), "miou", "mIoU by kind of expression")
    by_size = charts.bars(report, charts.sizes_of(report), "miou", "mIoU by size of the target")
    refused = charts.bars(report, charts.kinds_of(report, "refused"), "refused", "Refused, by kind")
    found = charts.bars(report, charts.kinds_of(report, "miou"), "found", "Found, by kind")
    parts = [page.chart(figure) for figure in (by_kind, by_size, refused, found)]
    return Section("By kind and size", page.side_by_side(parts), "Whiskers are 95 % intervals.")


def presence(report: Report) -> Section:
    """Return reliability and ROC of presence."""
    parts = [page.chart(charts.reliability(report), 430), page.chart(charts.roc(report), 430)]
    note = "Over all items. Reliability: 15 bins of equal mass; on the diagonal, a presence of 0.8 is right in 80 %."
    return Section("Presence: can its confidence be trusted", page.side_by_side(parts), note)


def regions(report: Report) -> Section:
    """Return recall at k of the region's map."""
    figure = charts.recall(report)
    body = page.chart(figure) if figure is not None else page.paragraph("No region has a truth here.")
    return Section("Where to go", body, note_on_regions(report))


def published(report: Report) -> Section:
    """Return the metrics of other conventions."""
    body = ""
    for heading, names in PUBLISHED:
        rows = []
        for name, own in report["bundles"].items():
            row, spans = own["rows"][0], own["intervals"].get("all", {})
            if any(row.get(metric) is not None for metric in names):
                rows.append([name, *(cell(row, spans, metric) for metric in names)])
        if rows:
            body += page.heading(heading) + page.table(("", *names), rows)
    return Section("Published conventions", body, "Over everything; what each name means is said at the end.")


def differences(report: Report) -> list[Section]:
    """Return each model minus each baseline, paired."""
    shown = ("miou", "p50", "riou", "found", "refused", "pointing", "inside", "listens_strict", "apart_strict")
    made = []
    for name, own in report["bundles"].items():
        for other, rows in own["against"].items():
            if name.startswith(BASELINE) or not other.startswith(BASELINE):
                continue
            values = [[row, *(found.get(metric) for metric in shown)] for row, found in rows.items()]
            marks = {(n, c): sign(v) for n, line in enumerate(values) for c, v in enumerate(line) if c and v}
            lines = [[line[0], *("-" if v is None else difference(v) for v in line[1:])] for line in values]
            note = "Paired over the same draws of pictures; green or red where the interval leaves out zero."
            made.append(Section(f"{name} minus {other}", page.table(("", *shown), lines, marks), note))
    return made


def difference(value: Sequence[Any]) -> str:
    """Return a difference with its interval on a second line."""
    return f"{value[0]:+.3f}" + ("" if value[1] is None else f"\n{span(value[1:])}")


def sign(value: Sequence[Any]) -> str:
    """Return the mark of a difference: good or bad where its interval leaves out zero."""
    if value[1] is None:
        return ""
    return "good" if value[1] > 0 else "bad" if value[2] < 0 else "weak"


def everything(report: Report) -> list[Section]:
    """Return every row of every system."""
    head = ("", "present", "absent", *(heading for _, heading in SHOWN))
    made = []
    for name, own in report["bundles"].items():
        lines = [[r["name"], r["present"], r["absent"], *(r.get(m) for m, _ in SHOWN)] for r in own["rows"]]
        made.append(Section(f"All rows: {name}", page.table(head, lines)))
    return made


def answer_sections(systems: Sequence[Measured], setting: Setting) -> list[Section]:
    """Return pictures of every system that is no baseline (of all, where there are only baselines)."""
    chosen = [s for s in systems if not s.name.startswith(BASELINE)] or list(systems)
    made = []
    for system in chosen:
        found = galleries(system.scored, setting.root)
        body = "".join(page.heading(title) + pictures for title, pictures in found)
        made.append(Section(f"Answers of {system.name}", body or page.paragraph("No picture could be read."), LEGEND))
    return made


def set_up(report: Report) -> Section:
    """Return the items, settings and systems of the measurement."""
    names = list(dict.fromkeys(kind for own in report["sets"].values() for kind in own["kinds"]))
    rows = [
        [name, own["pictures"], *(own["kinds"].get(kind, 0) for kind in names)] for name, own in report["sets"].items()
    ]
    body = page.heading("Items by set and kind") + page.table(("set", "pictures", *names), rows)
    known = ("model", "family", "variant", "backend", "bytes", "description", "use")
    about = {name: own["about"] for name, own in report["bundles"].items()}
    lines = [[name, *(values.get(key) for key in known)] for name, values in about.items()]
    body += page.heading("Systems") + page.table(("", *known), lines)
    body += page.heading("What the names mean") + page.table(("", ""), list(report["conventions"].items()))
    boot = report["bootstrap"]
    note = (
        f"Items {report['items_sha256'][:16]}; bootstrap over {boot['unit']}s, {boot['draws']} draws "
        f"({boot['draws_ece_auc']} for ECE and AUC), seed {boot['seed']}."
    )
    return Section("Set-up", body, note)
