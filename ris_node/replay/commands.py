# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Commands on their way to the frames: one for the whole drive, recorded ones, or a script."""

from __future__ import annotations

import csv
import hashlib
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from ris_node.config import QueryConfig
from ris_node.errors import CommandError, ConfigError
from ris_node.language.parse import parse_command
from ris_node.messages.grounding import query_from_msg
from ris_node.replay.options import Commands
from ris_node.sensing.queries import ActiveQuery, Queries
from ris_node.stamps import NS_PER_S
from ris_node.types import Query


def read_script(path: Path, max_chars: int = 512) -> tuple[tuple[float, str], ...]:
    """The (seconds, command) pairs of a CSV (`t,command`, with or without a heading) or YAML file, in order of time.

    An empty command withdraws the one before. In YAML each item is `{t: 1.5, command: ...}` or `[1.5, ...]`.

    Raises:
        ConfigError: the file cannot be read, or a line is not a time and a usable command; it names file and line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the script {path}: {getattr(error, 'strerror', None) or error}") from error
    rows = _yaml_rows(path, text) if path.suffix.lower() in (".yaml", ".yml") else _csv_rows(path, text)
    said = [_entry(where, row, max_chars) for where, row in rows]
    if not said:
        raise ConfigError(f"the script {path} holds no commands: write lines of 't, command', t in seconds")
    return tuple(sorted(said, key=lambda entry: entry[0]))


def _csv_rows(path: Path, text: str) -> list[tuple[str, list[Any]]]:
    """Where each line stands, and its two cells; line by line, so that a quote left open does not swallow the rest."""
    rows: list[tuple[str, list[Any]]] = []
    for number, line in enumerate(text.split("\n"), 1):
        where = f"{path}, line {number}"
        if not line.strip(" \t,") or line.lstrip().startswith("#"):
            continue
        try:
            row = [cell.strip() for cell in next(csv.reader([line.strip()], skipinitialspace=True, strict=True))]
        except csv.Error as error:
            raise ConfigError(f"{where}: {line!r} is not 't, \"command\"' ({error})") from error
        if not rows and row[0].lower() in ("t", "time", "t_s"):
            rows.append(("", []))  # the heading
            continue
        if any(row[2:]):
            raise ConfigError(f"{where}: {line!r} has {len(row)} columns: put a command that has commas into quotes")
        if len(row) > 1 and re.match(r"\d+\s*(;|$)", row[1]):
            raise ConfigError(
                f"{where}: {line!r} looks like a decimal comma: write the seconds with a point, a comma, the command"
            )
        rows.append((where, row[:2]))
    return [entry for entry in rows if entry[0]]


def _yaml_rows(path: Path, text: str) -> list[tuple[str, list[Any]]]:
    import yaml

    try:
        items, tree = yaml.safe_load(text), yaml.compose(text, yaml.SafeLoader)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: what looks like a date and is none
        raise ConfigError(f"the script {path} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(items, list):
        raise ConfigError(f"the script {path} is a {type(items).__name__}: give a list of {{t: ..., command: ...}}")
    places = [f"{path}, item {n}, line {node.start_mark.line + 1}" for n, node in enumerate(tree.value, 1)]
    for where, node in zip(places, tree.value, strict=True):
        _check_node(where, node)
    return [(where, _yaml_row(where, item)) for where, item in zip(places, items, strict=True)]


def _check_node(where: str, node: Any) -> None:
    """Refuse what YAML takes silently for something else: a key given twice, 1:30 for 90, 010 for 8."""
    pairs = [(key.value, value.value) for key, value in node.value] if node.id == "mapping" else []
    if len(dict(pairs)) < len(pairs):
        raise ConfigError(f"{where}: a key is there twice: write one item for each command")
    first = dict(pairs).get("t") if pairs else getattr(next(iter(node.value), None), "value", None)
    if isinstance(first, str) and re.match(r"[+-]?(0\d|\d+:|0[xo])", first):
        raise ConfigError(f"{where}: {first!r} is no plain number of seconds: write it as 90 or 7.5")


def _yaml_row(where: str, item: Any) -> list[Any]:
    if isinstance(item, dict) and item.keys() == {"t", "command"}:
        item = [item["t"], item["command"]]
    if not isinstance(item, list) or len(item) != 2:
        raise ConfigError(f"{where}: {item!r} is not {{t: ..., command: ...}} or [t, command]")
    if isinstance(item[0], bool) or not isinstance(item[1], (str, type(None))):
        wrong = item[0] if isinstance(item[0], bool) else item[1]
        raise ConfigError(
            f"{where}: YAML reads this as {wrong!r} ({type(wrong).__name__}): give t a number, the command quotes"
        )
    return item


def _entry(where: str, row: list[Any], max_chars: int) -> tuple[float, str]:
    try:
        time_s, words = float(row[0]), str(row[1] or "").strip()
    except (TypeError, ValueError, IndexError):
        time_s, words = math.nan, ""
    if not math.isfinite(time_s):
        raise ConfigError(f"{where}: {row!r} is not 't, command' with t in seconds from the first frame")
    if words:
        try:
            parse_command(Query(words), max_chars)
        except CommandError as error:
            raise ConfigError(f"{where}: {error}") from error
    return time_s, words


class Commander:
    """Says which query is in force at each frame; ids are the same in every run.

    Args:
        commands: where they come from.
        config: time to live, longest text, least confidence.
    """

    def __init__(self, commands: Commands, config: QueryConfig) -> None:
        """Read and check what is known from the start.

        Raises:
            ConfigError: the command or the script cannot be used.
        """
        self._config = config
        self._queries = Queries(lambda: config, lambda _active, _why: None)
        self._script = list(read_script(commands.script, config.max_query_chars)) if commands.script else []
        first = commands.text or ("" if commands.recorded or commands.script else config.default_query)
        self._first = self._checked(first)
        self._said = 0
        self._start_ns: int | None = None
        self.notes: list[str] = []

    def _checked(self, text: str) -> str:
        if text.strip():
            try:
                parse_command(Query(text), self._config.max_query_chars)
            except CommandError as error:
                raise ConfigError(f"the command cannot be used: {error}") from error
        return text.strip()

    def recorded(self, message: Any, log_ns: int) -> None:
        """Take a recorded `std_msgs/String` or `ris_msgs/Query`; what the node would refuse is noted and refused."""
        if hasattr(message, "data"):
            self._say(Query(str(message.data), source="command", stamp_ns=log_ns), log_ns)
            return
        try:
            query = query_from_msg(message)
        except CommandError as error:
            self.notes.append(f"a recorded query is refused: {error}")
        else:
            self._say(replace(query, stamp_ns=log_ns), log_ns)

    def at(self, log_ns: int) -> ActiveQuery | None:
        """The query in force for a frame received at `log_ns`; the first call is the drive's beginning."""
        if self._start_ns is None:
            self._start_ns = log_ns
            if self._first:
                self._say(Query(self._first, source="replay", stamp_ns=log_ns), log_ns)
        while self._script and log_ns - self._start_ns >= self._script[0][0] * NS_PER_S:
            _, text = self._script.pop(0)
            if text:
                self._say(Query(text, source="script", stamp_ns=log_ns), log_ns)
            else:
                self._queries.clear("the script")
        self._queries.expire(log_ns)
        return self._queries.active

    def time_jumped(self) -> None:
        """Count times to live afresh, as the node does when stamps go back."""
        self._queries.restart_ttl()

    def _say(self, query: Query, log_ns: int) -> None:
        self._said += 1
        if not query.id:
            digest = hashlib.sha256(f"{self._said}|{query.text}".encode()).hexdigest()
            query = replace(query, id=digest[:12])
        try:
            self._queries.set(query, log_ns)
        except CommandError as error:
            self.notes.append(f"a command at {log_ns / NS_PER_S:.3f} s is refused: {error}")
