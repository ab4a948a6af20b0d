# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers of reports: what JSON does not know is None, and a dash in tables."""

from __future__ import annotations

import json
import math

import pytest

from ris_node.report.page import figure
from ris_node.report.values import finite, mean, plain, shown

pytest.importorskip("plotly")


def test_numbers_as_json_has_them() -> None:
    assert finite(1.23456) == 1.235
    assert finite(1.23456, None) == 1.23456
    assert finite(math.nan) is None
    assert finite(-math.inf, 1) is None
    nested = {"a": (1.23456, math.nan), "b": {"c": 7, "d": "words"}}
    assert plain(nested) == {"a": [1.23456, None], "b": {"c": 7, "d": "words"}}
    assert json.dumps(plain(nested, 1)) == '{"a": [1.2, null], "b": {"c": 7, "d": "words"}}'


def test_numbers_as_tables_show_them() -> None:
    assert [shown(v) for v in (None, math.nan, 0.5, -2.0)] == ["-", "-", "0.500", "-2.000"]
    assert [shown(v, 1, sign=True) for v in (0.52, -2.0)] == ["+0.5", "-2.0"]
    assert mean([True, False]) == 0.5
    assert math.isnan(mean([]))


def test_a_figure_takes_plotlys_layout() -> None:
    layout = figure("title", xaxis_title="s", yaxis={"range": [0, 1]}).layout
    assert (layout.title.text, layout.xaxis.title.text, layout.yaxis.range) == ("title", "s", (0, 1))
    assert figure().layout.title.text is None
