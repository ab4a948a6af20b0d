# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Masks: the forms that JSON lines write, COCO's annotations, and their pixels."""
