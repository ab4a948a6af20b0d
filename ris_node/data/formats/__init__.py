# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Readers of data sets: modules with `inputs` and `annotated` or `samples`, each named by an entry of `registry.py`.

`annotated(request)` gives the pictures of a set whose every pixel has a class, of which expressions are generated;
`samples(request)` yields the lines (image, expression, mask) of a set that has texts.
"""
