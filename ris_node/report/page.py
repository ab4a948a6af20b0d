# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Put a self-contained HTML page and its figures together; everything given as text is escaped.

Jinja2 and Plotly come with the extra `report`; both are imported when a page or figure is made, not before.
"""

from __future__ import annotations

import base64
import html
import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ris_node.errors import ConfigError
from ris_node.report.values import shown
from ris_node.types import U8

INSTALL = 'pip install "ris_node[report]"'
CHART = {"displaylogo": False, "displayModeBar": False, "responsive": True}
ASSETS = Path(__file__).parent / "assets"
COLOURS = ("#2563eb", "#d97706", "#6b7280", "#059669", "#9333ea", "#dc2626")  # of series, in this order everywhere


@dataclass(frozen=True)
class Section:
    """A headed part of a page; `body` is HTML made by the functions of this module, `note` is plain text."""

    title: str
    body: str
    note: str = ""


def require(*names: str) -> None:
    """Check at the start of a run what its report needs at the end.

    Raises:
        ConfigError: a package is missing; the message says how to install it.
    """
    for name in names or ("jinja2", "plotly"):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            raise ConfigError(f"an HTML report needs the Python package '{error.name}': {INSTALL}") from error


def page(title: str, lead: str, sections: Sequence[Section]) -> str:
    """Return the whole page; the chart library is put in when a section has a chart."""
    require("jinja2")
    import jinja2

    charts = any("plotly-graph-div" in section.body for section in sections)
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((ASSETS / "page.html.j2").read_text(encoding="utf-8"))
    return template.render(title=title, lead=lead, sections=sections, library=_library() if charts else "")


def table(
    head: Sequence[str], rows: Iterable[Sequence[Any]], marks: Mapping[tuple[int, int], str] | None = None
) -> str:
    """Return an HTML table; the first column is a heading, numbers go to the right.

    Args:
        head: names of the columns.
        rows: cells; floats are shown with three digits, None and NaN as a dash, lines after the first in small.
        marks: CSS classes ("good", "bad", "weak") of cells by (row, column).
    """
    parts = ["<div class=wide><table><thead><tr>", *(f"<th>{html.escape(cell)}</th>" for cell in head), "</tr></thead>"]
    for number, row in enumerate(rows):
        cells = [f"<th>{_cell(row[0])}</th>"]
        for column, value in enumerate(row[1:], 1):
            kind = (marks or {}).get((number, column), "")
            cells.append(f'<td class="{kind}">{_cell(value)}</td>')
        parts.append(f"<tr>{''.join(cells)}</tr>")
    return "".join([*parts, "</table></div>"])


def chart(figure: Any, height: int = 380) -> str:
    """Return a Plotly figure as HTML that finds the library in the page."""
    figure.update_layout(
        template="plotly_white",
        height=height,
        margin={"l": 50, "r": 20, "t": 40, "b": 45},
        colorway=list(COLOURS),
        legend={"orientation": "h", "y": -0.18, "yanchor": "top"},
    )
    drawn = figure.to_html(full_html=False, include_plotlyjs=False, config=CHART)
    return f"<div class=chart>{drawn}</div>"


def picture(image: U8, caption: str, detail: str = "", quality: int = 82) -> str:
    """Return an image u8[H,W,3] (RGB) embedded as JPEG, with a caption."""
    done, coded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done, "JPEG takes any u8 image"
    text = base64.b64encode(np.asarray(coded).tobytes()).decode("ascii")
    shown = html.escape(caption) + (f"<small>{html.escape(detail)}</small>" if detail else "")
    return (
        f'<figure><img src="data:image/jpeg;base64,{text}" alt="{html.escape(caption, quote=True)}">'
        f"<figcaption>{shown}</figcaption></figure>"
    )


def gallery(pictures: Iterable[str]) -> str:
    """Return pictures side by side."""
    return f"<div class=gallery>{''.join(pictures)}</div>"


def side_by_side(parts: Iterable[str]) -> str:
    """Return charts or tables in columns where there is room."""
    return f"<div class=columns>{''.join(f'<div>{part}</div>' for part in parts)}</div>"


def heading(text: str) -> str:
    """Return a small heading inside a section."""
    return f"<h3>{html.escape(text)}</h3>"


def paragraph(text: str) -> str:
    """Return a paragraph of plain text."""
    return f"<p>{html.escape(text)}</p>"


def _cell(value: Any) -> str:
    text = shown(value) if value is None or isinstance(value, float) else str(value)
    first, _, rest = text.partition("\n")
    return html.escape(first) + (f"<small>{html.escape(rest)}</small>" if rest else "")


@lru_cache(maxsize=1)
def _library() -> str:
    require("plotly")
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


SHARE = {"range": [-0.03, 1.03]}  # an axis of shares and probabilities


def figure(title: str = "", **layout: Any) -> Any:
    """Return an empty figure with a title and Plotly's layout."""
    import plotly.graph_objects as go

    return go.Figure(layout={**({"title": title} if title else {}), **layout})
