# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Plain data in files: JSON, and pickles read without running any code that they carry.

A pickle runs code by naming a class or function to be called. `load_plain` knows no name at all: lists, dictionaries,
tuples, sets, strings, bytes, numbers, booleans and None need none. Pickles of Python 2 are read too; their byte
strings become text (UTF-8, or Latin-1 where that does not fit).
"""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any, NoReturn

from ris_node.errors import DataError


def load_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        DataError: when it cannot be read or is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is no JSON ({error}); download it again") from error


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> NoReturn:
        raise DataError(
            f"it holds {module}.{name}, and is refused: only lists, dictionaries, strings and numbers are read, for "
            "anything else can run code. Get the file from its publisher again"
        )

    def persistent_load(self, pid: object) -> NoReturn:
        raise DataError(f"it refers to an object outside of it ({pid!r}), and is refused")


def load_plain(path: Path) -> object:
    """Read a pickle of plain data.

    Raises:
        DataError: when the file is missing, damaged, or names anything that is not plain data.
    """
    try:
        with path.open("rb") as file:
            return _as_text(_PlainUnpickler(file, encoding="utf-8", errors="surrogateescape").load())
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:  # a damaged pickle fails in any way: EOFError, IndexError, RecursionError ...
        raise DataError(f"{path} is damaged or no pickle ({error!r}); download it again") from error


def _as_text(value: object) -> object:
    """The value with byte strings that were not UTF-8 as Latin-1 text; nothing else is changed."""
    if isinstance(value, str):
        return value if value.isprintable() or not _has_escapes(value) else _latin(value)
    if isinstance(value, list):
        return [_as_text(part) for part in value]
    if isinstance(value, tuple):
        return tuple(_as_text(part) for part in value)
    if isinstance(value, dict):
        return {_as_text(key): _as_text(part) for key, part in value.items()}
    return value


def _has_escapes(text: str) -> bool:
    return any("\udc80" <= letter <= "\udcff" for letter in text)


def _latin(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("latin-1")
