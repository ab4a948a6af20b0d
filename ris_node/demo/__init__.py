# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The demo: a node, a camera and someone giving commands, as separate processes; a video and a judgement afterwards."""
