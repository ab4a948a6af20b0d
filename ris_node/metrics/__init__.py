# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Metrics as pure functions on pixel counts, each in the convention its name says (NumPy only)."""
