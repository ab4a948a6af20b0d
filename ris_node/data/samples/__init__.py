# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Samples: an image, an expression and its truth, as lines of JSON hold them."""
