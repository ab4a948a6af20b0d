# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Meshes of buildings, vehicles, people and street furniture."""
