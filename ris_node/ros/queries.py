# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which command is in force; the node uses the core's as it is."""

from __future__ import annotations

from ris_node.sensing.queries import ActiveQuery, Queries

__all__ = ["ActiveQuery", "Queries"]
