# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Answers of the node to recorded drives: bags in, results out, without ROS and without losing a frame.

`ris_node.replay.replay.replay` answers one bag; `ris_node.bags.reader.open_bag` reads any bag's messages.
"""
