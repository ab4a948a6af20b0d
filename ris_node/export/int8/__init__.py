# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""INT8 graphs: rewriting, calibration and rounding."""
