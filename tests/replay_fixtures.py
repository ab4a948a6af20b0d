# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the replay's tests; test files import them by name (a second conftest would hide the first)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import drives
import pytest
from tiny_bundle import make_tiny_bundle

from ris_node.pipeline.grounder import Grounder
from ris_node.replay.options import ReplayOptions
from ris_node.replay.replay import open_model


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bundle to which "the red thing" is every red pixel."""
    return make_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny")


@pytest.fixture(scope="session")
def model(tiny: Path) -> Iterator[Grounder]:
    """Return that model, loaded once for all replays."""
    with open_model(ReplayOptions(bundle=tiny)) as grounder:
        yield grounder


@pytest.fixture(scope="session")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bag (MCAP) of twelve frames that nobody changes."""
    return drives.write(tmp_path_factory.mktemp("bags") / "drive")
