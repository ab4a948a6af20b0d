# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Bags without ROS: reading, salvaging and writing them, and the messages in them."""
