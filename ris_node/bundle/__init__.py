# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Model bundles: a folder of graphs with a manifest, opened only when every byte and every shape is as it says."""

from __future__ import annotations

from ris_node.bundle.bundle import Bundle, engine_folders, open_bundle, packaged_bundles
from ris_node.bundle.manifest import InputContract, Manifest, TextContract, Thresholds

__all__ = [
    "Bundle",
    "InputContract",
    "Manifest",
    "TextContract",
    "Thresholds",
    "engine_folders",
    "open_bundle",
    "packaged_bundles",
]
