# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""From what was said to what is meant: cleaning, a small grammar, keyword rules and word pieces."""

from __future__ import annotations
