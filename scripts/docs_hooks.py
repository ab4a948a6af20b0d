# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Hooks of mkdocs: links from docs/ into the rest of the repository work on GitHub and in the site.

A file outside of docs/ that a page links to becomes part of the site below `repository/`, a page where it is Markdown.
"""

from __future__ import annotations

import logging
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("ris_node", "ris_scene")
OUTER = "repository/"
LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)(?P<path>[^)#\s]+)")


def on_startup(command: str, dirty: bool) -> None:
    """Leave out a line for every API page. `--quiet` would also keep warnings from failing a strict build."""
    del command, dirty
    logging.getLogger("mkdocs.plugins.api-autonav").setLevel(logging.WARNING)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Give API pages to every package of the repository."""
    config.plugins["api-autonav"].config.modules = [str(ROOT / name) for name in PACKAGES if (ROOT / name).is_dir()]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files outside of docs/ that pages link to, and what those link to."""
    waiting = ["README.md", "CONTRIBUTING.md", "SECURITY.md"]  # the first and last for the check of their links alone
    waiting += [f"docs/{file.src_uri}" for file in files.documentation_pages() if not file.generated_by]
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        if not path.startswith("docs/"):
            files.append(File.generated(config, site_path(path), abs_src_path=str(ROOT / path)))
        if path.endswith(".md"):
            waiting += [link for link in links(path) if (ROOT / link).is_file() and not link.startswith("docs/")]
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point the links of a page at where the site has the files."""
    del config, files
    uri = page.file.src_uri
    if page.file.generated_by and not uri.startswith(OUTER):
        return markdown
    source = uri.removeprefix(OUTER).replace("about.md", "README.md") if uri.startswith(OUTER) else f"docs/{uri}"

    def moved(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), match["path"]))
        return posixpath.relpath(site_path(target), posixpath.dirname(uri) or ".")

    return LINK.sub(moved, markdown)


def site_path(path: str) -> str:
    """Return where the site has a file of the repository; a README is a page, not the index of its folder."""
    return path.removeprefix("docs/") if path.startswith("docs/") else OUTER + path.replace("README.md", "about.md")


def links(path: str) -> Iterator[str]:
    """Yield the files of the repository that a page links to."""
    for match in LINK.finditer((ROOT / path).read_text(encoding="utf-8")):
        yield posixpath.normpath(posixpath.join(posixpath.dirname(path), match["path"]))
