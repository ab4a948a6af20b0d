# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Build dataclasses from the plain values of JSON and YAML, or say which value does not fit.

Not cattrs: with what it needs it is three more packages on every robot and 60 ms of import, and to turn its errors into
one line with the key's path, the value and what is allowed takes as much code as this.
"""

from __future__ import annotations

import types
from collections.abc import Collection, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

Made = TypeVar("Made")
_NOUNS = {bool: "true or false", int: "an integer", float: "a number", str: "a string"}


class DecodeError(ValueError):
    """A value that does not fit; the message begins with its path."""


def decode(
    kind: type[Made], values: object, where: str, *, required: Collection[str] = (), ignore_unknown: bool = False
) -> Made:
    """Build a dataclass, and those within, from nested mappings; values that are built already are taken as they are.

    Args:
        kind: the dataclass; its annotations say what is allowed.
        values: the fields by name.
        where: the path that messages begin with.
        required: fields that must be there although they have a default.
        ignore_unknown: pass over keys that are no fields instead of refusing them.

    Raises:
        DecodeError: a key is unknown or missing, or a value is of another type.
    """
    if not isinstance(values, Mapping):
        raise DecodeError(f"{where} must be a mapping, got {type(values).__name__}")
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    if not ignore_unknown and (unknown := sorted(map(str, set(values) - set(known)))):
        raise DecodeError(f"{where} has unknown keys {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    bare = (name for name, f in known.items() if f.default is MISSING and f.default_factory is MISSING)
    if missing := sorted({*required, *bare} - set(values)):
        raise DecodeError(f"{where} lacks {', '.join(missing)}")
    hints, made = get_type_hints(kind), {}
    for name in known.keys() & values.keys():
        default = known[name].default
        wanted = f"like {default!r}" if default is not MISSING and default is not None else ""
        made[name] = _value(hints[name], values[name], f"{where}: {name}", wanted)
    return kind(**made)


def _value(kind: Any, value: object, where: str, wanted: str = "") -> object:
    """Return a value as its annotation wants it."""
    origin, inner = get_origin(kind) or kind, get_args(kind)
    if kind is Any:
        return value
    if is_dataclass(kind):
        assert isinstance(kind, type)
        return value if isinstance(value, kind) else decode(kind, value, where)
    if origin in (Union, types.UnionType):  # with None
        (other,) = (one for one in inner if one is not type(None))
        return None if value is None else _value(other, value, where, wanted)
    if origin is np.dtype:
        try:
            return np.dtype(value)  # type: ignore[call-overload]
        except TypeError as error:
            raise DecodeError(f"{where} must be the name of a NumPy type, got {value!r}") from error
    if origin in (tuple, list) and isinstance(value, (tuple, list)):
        return origin(_value(inner[0], one, f"{where}[{index}]") for index, one in enumerate(value))
    if origin in (Mapping, dict) and isinstance(value, Mapping):
        return {key: _value(inner[1], one, f"{where}: {key}") for key, one in value.items()}
    if origin is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if origin in _NOUNS and isinstance(value, origin) and isinstance(value, bool) == (origin is bool):
        return value
    noun = _NOUNS.get(origin) or ("a mapping" if origin in (Mapping, dict) else "a list")
    raise DecodeError(f"{where} must be {wanted or noun}, got {value!r}")
