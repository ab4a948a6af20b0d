# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Every registered system keeps the contract of `System`, and so does one that only a test knows."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")
sys.path.insert(0, str(Path(__file__).parent))

import tiny_models
import toy_system
from system_contract import SystemContract

from ris_node.models.registry import DEFAULT, SYSTEMS

pytestmark = pytest.mark.torch


class TestTsmi(SystemContract):
    name, settings = "tsmi", tiny_models.SETTINGS
    structure = json.dumps(tiny_models.graph().to_json())


class TestToy(SystemContract):
    name, settings = "toy", toy_system.SETTINGS

    @pytest.fixture(autouse=True)
    def registered(self, monkeypatch):
        monkeypatch.setitem(SYSTEMS, "toy", toy_system.Toy)


def test_no_registered_system_goes_without_the_contract():
    checked = {kind.name for kind in SystemContract.__subclasses__()}
    assert set(SYSTEMS) <= checked and DEFAULT in SYSTEMS
