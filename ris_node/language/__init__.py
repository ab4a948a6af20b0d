# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Commands to meanings: cleaning, a small grammar, keyword rules and word pieces."""

from __future__ import annotations
