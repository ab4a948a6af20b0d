# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Run any `Grounder` over the evaluation set and print the table (`python -m ris_node.evaluation`)."""
