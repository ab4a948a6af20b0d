# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Inputs of training: annotated pictures, the sample cache and the batches of a step."""
