# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Auxiliary labels of a generated text: its class, its form and its manoeuvre."""

from __future__ import annotations

from functools import cache

import numpy as np

from ris_node.data.classes import class_id
from ris_node.data.text.expressions import Expression
from ris_node.data.text.templates import table
from ris_node.models.batch import UNKNOWN
from ris_node.types import I32


@cache
def _numbers(name: str) -> dict[str, int]:
    return {form: number for number, form in enumerate(sorted(table(name)))}


def meaning_of(expression: Expression) -> tuple[int, int, int]:
    """Return the class named, the form of its noun phrase and the manoeuvre, each `UNKNOWN` where not known."""
    named = class_id(expression.class_name) if expression.class_name else UNKNOWN
    form = _numbers("noun_phrases").get(expression.place, UNKNOWN)
    manoeuvre = _numbers("sentences").get(expression.carrier, UNKNOWN)
    return named, form, manoeuvre


def meanings_of(expressions: list[Expression] | tuple[Expression, ...]) -> I32:
    """Return `meaning_of` each, i32[n,3]."""
    return np.asarray([meaning_of(e) for e in expressions], np.int32).reshape(-1, 3)
