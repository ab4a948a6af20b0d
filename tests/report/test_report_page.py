# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A page is one file without anything from the network, and what is put in as text comes out as text."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import plotly.graph_objects as go
import pytest

from ris_node.errors import ConfigError
from ris_node.report import page as report

NASTY = '<script>alert("x")</script> & "quotes"'


class Reader(HTMLParser):
    """Collects a page's links to other places, its scripts and its text."""

    def __init__(self):
        super().__init__()
        self.sources, self.scripts, self.text, self._in_script = [], 0, [], False

    def handle_starttag(self, tag, attrs):
        self._in_script = tag == "script"
        self.scripts += tag == "script"
        self.sources += [value for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag):
        self._in_script = False

    def handle_data(self, data):
        if not self._in_script:
            self.text.append(data)


def read(text):
    reader = Reader()
    reader.feed(text)
    return reader


def test_everything_is_in_the_file():
    image = np.full((24, 32, 3), (200, 30, 30), np.uint8)
    body = report.chart(go.Figure(go.Scatter(x=[0, 1], y=[1, 0]))) + report.gallery([report.picture(image, "a car")])
    text = report.page("T", "lead", [report.Section("One", body), report.Section("Two", report.table(["a"], [["b"]]))])
    found = read(text)
    assert all(source.startswith(("#", "data:image/jpeg;base64,")) for source in found.sources)
    assert "newPlot" in text and "plotly.js v" in text
    coded = next(s for s in found.sources if s.startswith("data:")).partition(",")[2]
    back = cv2.imdecode(np.frombuffer(base64.b64decode(coded), np.uint8), cv2.IMREAD_COLOR)
    assert back.shape == image.shape and np.abs(back[12, 16].astype(int) - (30, 30, 200)).max() < 12


def test_a_page_without_charts_is_small():
    assert len(report.page("T", "lead", [report.Section("One", report.paragraph("p"))])) < 10_000


def test_text_stays_text():
    body = report.table([NASTY], [[NASTY, 1.0]]) + report.heading(NASTY) + report.paragraph(NASTY)
    body += report.picture(np.zeros((8, 8, 3), np.uint8), NASTY, NASTY)
    text = report.page(NASTY, NASTY, [report.Section(NASTY, body, NASTY)])
    found = read(text)
    assert found.scripts == 0
    assert (
        "".join(found.text).count(NASTY) == 12
    )  # title, head, lead, link, section, note; table 2, heading, paragraph, picture 2
    assert re.search(r"<script>alert", text) is None


def test_numbers_in_tables():
    text = report.table(["", "x", "y"], [["a", 0.12345, float("nan")], ["b", 7, None]], {(0, 1): "good"})
    assert '<td class="good">0.123</td>' in text and text.count(">-</td>") == 2 and ">7</td>" in text


def test_a_missing_library_is_named(monkeypatch):
    with pytest.raises(ConfigError, match=r'pip install "ris_node\[report\]"'):
        report.require("no_such_chart_library")
