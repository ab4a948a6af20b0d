# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The grounding node: a lifecycle shell, its parts, and the worker that answers frames."""
