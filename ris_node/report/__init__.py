# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Reports: one HTML file that needs no network, with tables, Plotly charts and embedded pictures (extra `report`)."""
