# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Figures of the code's structure; docs/architecture.md quotes them beside their goals.

Sizes, imports in circles, folders, parameters typed plain `Any`, positional arguments, docstring openings, commits.
Standard library only; tests/test_rings.py uses the same import graph.
"""

from __future__ import annotations

import argparse
import ast
import statistics
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("ris_node", "ris_scene")
MAX_MODULES = 15
# A docstring that opens with one of these begins with a clause, not with a verb or a noun.
CLAUSES = frozenset(
    """what which who whose how where when why if so as for from to in on at by with without and or but it its they this
    that these those there some any each every only also not no nothing somebody someone something made said seen
    told""".split()  # noqa: SIM905 (a list of words reads better as text)
)


@cache
def sources(root: Path = ROOT) -> tuple[Path, ...]:
    """Python files of both packages, sorted."""
    return tuple(sorted(path for name in PACKAGES for path in (root / name).rglob("*.py")))


@cache
def syntax(path: Path) -> ast.Module:
    """Syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def module_name(path: Path, root: Path = ROOT) -> str:
    """Dotted name of a file of either package."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> Iterator[str]:
    """Dotted names that a file imports at run time, in functions too; `from a import b` gives `a.b` as well as `a`."""
    tree = syntax(path)
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def import_graph(root: Path = ROOT) -> dict[str, set[str]]:
    """Imports between the modules of both packages; `from package import module` counts for the module only."""
    names = {module_name(path, root): path for path in sources(root)}
    graph = {}
    for name, path in names.items():
        found = set(imported(path)) & names.keys()
        packages = {inner.rpartition(".")[0] for inner in found if inner.count(".")}
        graph[name] = {
            inner for inner in found - {name} if not (inner in packages and names[inner].name == "__init__.py")
        }
    return graph


def package_graph(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Imports between first-level packages, such as `ris_node.replay`; `ris_scene` is one."""

    def package(name: str) -> str:
        return "ris_scene" if name.startswith("ris_scene") else ".".join(name.split(".")[:2])

    result: dict[str, set[str]] = {}
    for name, inner in graph.items():
        result.setdefault(package(name), set()).update({package(other) for other in inner} - {package(name)})
    return result


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Strongly connected groups of two or more nodes, each sorted: modules that import each other in a circle."""

    def reach(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            for name in graph.get(waiting.pop(), set()) - seen:
                seen.add(name)
                waiting.append(name)
        return seen

    reached = {name: reach(name) for name in graph}
    groups = {
        frozenset(other for other in reached[name] if name in reached.get(other, set()))
        for name in graph
        if name in reached[name]
    }
    return sorted(sorted(group) for group in groups)


def any_shares() -> dict[str, tuple[int, int]]:
    """Count parameters typed plain `Any`, and all typed ones, by first-level package."""
    plain: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for path in sources():
        package = ".".join(module_name(path).split(".")[:2]) if "ris_scene" not in path.parts else "ris_scene"
        for node in ast.walk(syntax(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                typed = [ast.unparse(one.annotation) for one in arguments if one.annotation is not None]
                total[package] += len(typed)
                plain[package] += typed.count("Any")
    return {name: (plain[name], total[name]) for name in total}


def positional_calls(least: int = 6) -> list[str]:
    """Places where a class is called with so many positional arguments or more."""
    found = []
    for path in sources():
        for node in ast.walk(syntax(path)):
            if isinstance(node, ast.Call) and len(node.args) >= least:
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name[:1].isupper() and name != "Sequential":  # torch's takes its modules so
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno} {name}")
    return found


def docstrings() -> Iterator[tuple[str, str]]:
    """Where each public docstring stands, and its text."""
    for path in sources():
        nodes = [
            node for node in ast.walk(syntax(path)) if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module))
        ]
        for node in nodes:
            name = getattr(node, "name", "")
            if not name.startswith("_") and (text := ast.get_docstring(node)):
                yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)} {name}", text


def clause_docstrings() -> list[str]:
    """Public docstrings that begin with a clause word instead of a verb or a noun."""
    return [where for where, text in docstrings() if text.split()[0].strip(".,:;`'\"").lower() in CLAUSES]


def _lines(paths: list[Path] | tuple[Path, ...]) -> int:
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths)


def _ratios() -> dict[str, float]:
    """Test lines per source line by package, with at least 300 lines of source."""
    ratios = {}
    for folder in sorted(path for path in (ROOT / "ris_node").iterdir() if (path / "__init__.py").is_file()):
        source = _lines(sorted(folder.rglob("*.py")))
        if source >= 300:
            ratios[folder.name] = _lines(sorted((ROOT / "tests" / folder.name).rglob("*.py"))) / source
    ratios["ris_scene"] = _lines(sorted((ROOT / "tests/ris_scene").rglob("*.py"))) / _lines(
        sorted((ROOT / "ris_scene").rglob("*.py"))
    )
    return ratios


def _subjects(since: str) -> list[str]:
    command = ["git", "log", "--format=%s", *([f"{since}..HEAD"] if since else ["-100"])]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def main() -> int:
    """Print the figures; returns 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="name the places behind the counts too")
    parser.add_argument("--since", default="", metavar="COMMIT", help="commits to judge (default: the last 100)")
    args = parser.parse_args()
    sizes = sorted(_lines([path]) for path in sources())
    tests = _lines(sorted((ROOT / "tests").rglob("*.py")))
    graph = import_graph()
    by_file, by_package = circles(graph), circles(package_graph(graph))
    folders = Counter(path.parent for path in sources() if path.name != "__init__.py")
    plain = any_shares()
    share = {name: some / total for name, (some, total) in plain.items() if total >= 50}
    positional, clauses, every = positional_calls(), clause_docstrings(), len(list(docstrings()))
    ratios, subjects = _ratios(), [len(text) for text in _subjects(args.since)]
    print(f"files {len(sizes)}, lines {sum(sizes)} (ris_node and ris_scene), lines of tests {tests}")
    print(f"file median {statistics.median(sizes):.0f}, p90 {sizes[int(0.9 * len(sizes))]}, longest {sizes[-1]}")
    print(f"tests per source line {tests / sum(sizes):.2f}; least {_few(ratios, reverse=False)}")
    print(f"import circles: {len(by_file)} by file, {len(by_package)} by package")
    print(f"most modules in one folder: {max(folders.values())}; over {MAX_MODULES}: {_over(folders)}")
    print(f"parameters typed plain Any: {_percent(plain)}; most {_few(share, reverse=True)}")
    print(f"constructor calls with six or more positional arguments: {len(positional)}")
    print(f"README: {_lines([ROOT / 'README.md'])} lines")
    print(f"docstrings that begin with a verb or a noun: {1 - len(clauses) / every:.1%} of {every}")
    print(f"commit subjects: median {statistics.median(subjects):.0f} characters, longest {max(subjects)}")
    if args.list:
        print("\n".join(["", *map(" ".join, [*by_file, *by_package]), *positional, *clauses]))
    return 0


def _few(values: Mapping[str, float], *, reverse: bool) -> str:
    chosen = sorted(values.items(), key=lambda item: item[1], reverse=reverse)[:5]
    return ", ".join(f"{name} {value:.2f}" for name, value in chosen)


def _over(folders: Mapping[Path, int]) -> str:
    return ", ".join(f"{path.relative_to(ROOT)} {n}" for path, n in folders.items() if n > MAX_MODULES) or "none"


def _percent(counts: Mapping[str, tuple[int, int]]) -> str:
    return f"{sum(some for some, _ in counts.values()) / sum(total for _, total in counts.values()):.1%}"


if __name__ == "__main__":
    raise SystemExit(main())
