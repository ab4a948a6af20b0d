# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A finished replay looked at: truth, scores, steadiness, comparisons and reports."""
