# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The documents keep up with the code: generated tables, links, and every command they show."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from ris_node.cli.__main__ import build_parser
from ris_node.cli.config import parse_settings
from ris_node.cli.verbs import VERBS

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("ris_node", "ris_scene", "tests", "scripts", "examples", "launch")
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
FENCE = re.compile(r"^```(?:sh|bash|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:ris|make|scripts/\w+) [^`]+)`")
INDENTED = re.compile(r"^    ((?:make|ris|scripts/\w+) .*)$", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)")


def shown_commands() -> Iterator[tuple[str, str]]:
    """Every (document, command) shown, without its comment."""
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        lines = [line for block in FENCE.findall(text) for line in block.splitlines()]
        for line in [*lines, *INDENTED.findall(text), *INLINE.findall(text)]:
            for command in re.split(r"&&|;|\|", re.sub(r"\s#.*", "", line)):
                if command.strip():
                    yield path.name, command.strip()


COMMANDS = sorted(set(shown_commands()))
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def check_ris(words: list[str]) -> None:
    """Check a call of `ris`: the verb, each option, and each parameter that is set."""
    if words[:1] == ["VERB"] or words[:1] == ["--help"]:
        return
    assert words[0] in {verb.name for verb in VERBS}, f"there is no 'ris {words[0]}'"
    parser, _ = build_parser(words[0])
    text = parser._subparsers._group_actions[0].choices[words[0]].format_help()  # type: ignore[union-attr,index]
    for word in words[1:]:
        if word.startswith("--"):
            assert re.search(rf"{word}\b", text), f"'ris {words[0]}' has no {word}"
    settings = [after for before, after in pairwise(words) if before == "--set"]
    parse_settings(setting for setting in settings if setting != "NAME=VALUE")


@pytest.mark.parametrize(("document", "command"), COMMANDS)
def test_every_command_shown_exists(document: str, command: str) -> None:
    words = shlex.split(command)
    if words[0].startswith("scripts/"):
        assert (ROOT / words[0]).is_file(), f"there is no {words[0]}"
        words = words[1:]
    if words[:1] == ["make"]:
        named = [word for word in words[1:] if "=" not in word]
        assert set(named) <= TARGETS, f"the Makefile has no {set(named) - TARGETS}"
    elif words[:1] == ["ris"]:
        check_ris(words[1:])
    elif "pip" in words[:3]:
        for name in (after for before, after in pairwise(words) if before == "-r"):
            assert (ROOT / name).is_file(), f"there is no {name}"
    for word in words:
        if re.fullmatch(r"(?:scripts|requirements|launch|docs)/[\w./-]+\w", word):
            assert (ROOT / word).exists(), f"there is no {word}"


def test_the_commands_are_found() -> None:
    shown = {command for document, command in COMMANDS if document == "README.md"}
    assert {"make demo", "make test", "ris doctor --live"} <= shown


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_files_named_exist(path: Path) -> None:
    """A Python file in back quotes exists, by the end of its path; a dotted name leads to a module or what it holds."""
    text = path.read_text(encoding="utf-8")
    there = [f"/{file.relative_to(ROOT)}" for top in SOURCES for file in (ROOT / top).rglob("*.py")]
    for name in re.findall(r"`([\w/]+\.py)`", text):
        assert any(file.endswith(f"/{name}") for file in there), f"{path.name} names {name}"
    for name in re.findall(r"`((?:ris_node|ris_scene)(?:\.\w+)+)", text):
        parts = name.split(".")
        files = ["/".join(parts[:end]) for end in (len(parts), len(parts) - 1)]
        assert any((ROOT / f"{file}.py").exists() or (ROOT / file).is_dir() for file in files), (
            f"{path.name} names {name}"
        )


def test_generated_tables_are_up_to_date() -> None:
    script = [sys.executable, str(ROOT / "scripts" / "make_docs.py"), "--check"]
    answer = subprocess.run(script, capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_check_of_the_tables_can_fail(tmp_path: Path) -> None:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import make_docs
    finally:
        sys.path.pop(0)
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- generated: verbs -->\nold\n<!-- end -->\nafter\n", encoding="utf-8")
    assert make_docs.renew(page, check=True)
    assert "old" in page.read_text(encoding="utf-8")
    assert make_docs.renew(page, check=False)
    assert "`ris predict`" in page.read_text(encoding="utf-8")
    assert not make_docs.renew(page, check=True)


@pytest.mark.parametrize(
    ("schema", "pattern"),
    [("vendor.citation-file-format", "CITATION.cff"), ("vendor.github-issue-forms", ".github/ISSUE_TEMPLATE/*_*.yml"),
     ("vendor.github-issue-config", ".github/ISSUE_TEMPLATE/config.yml")],
)  # fmt: skip
def test_what_the_forge_reads_keeps_its_schema(schema: str, pattern: str) -> None:
    files = [str(path) for path in ROOT.glob(pattern)]
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert files and done.returncode == 0, done.stdout + done.stderr


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def numbers(value: object, name: str = "") -> Iterator[str]:
    """Yield the name of every number in a JSON value; a list's numbers carry the list's name."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from numbers(inner, name)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield name


@pytest.mark.parametrize(
    "file", ["docs/measured/bench.json", "docs/measured/evaluation.json", "engines/default/manifest.json"]
)
def test_every_measured_number_is_explained(file: str) -> None:
    page = (ROOT / "docs" / "numbers.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"[\w/]+", " ".join(re.findall(r"`([^`]+)`", page))))
    found = json.loads((ROOT / file).read_text(encoding="utf-8"))
    found.pop("sets", None)  # counts of items by set and kind, which bear the sets' own names
    found.get("provenance", {}).pop("data", None)
    missing = {name for name in numbers(found) if not set(re.findall(r"[\w/]+", name)) <= explained}
    assert not missing, f"docs/numbers.md says nothing of {sorted(missing)}"
