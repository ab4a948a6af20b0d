# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import fields
from itertools import combinations

import pytest

from ris_node.errors import ConfigError
from ris_scene import COLOUR_NAMES, DOMAINS, SceneSpec
from ris_scene.palette import Palette


def all_values(palette: Palette) -> set[tuple]:
    values = set()
    for item in fields(palette):
        content = getattr(palette, item.name)
        if item.name in ("paints", "cloth"):
            values |= {(item.name, rgb) for tones in content.values() for rgb in tones}
        elif item.name == "weather":
            values |= {("weather", weather.name) for weather in content}
            values |= {("sky", weather.zenith, weather.horizon) for weather in content}
        elif item.name == "texture_seed":
            values.add(("texture", content))
        else:
            values |= {(item.name, rgb) for rgb in content}
    return values


@pytest.mark.parametrize(("one", "other"), list(combinations(DOMAINS, 2)))
def test_domains_share_no_seed_colour_texture_or_layout(one, other):
    a, b = DOMAINS[one], DOMAINS[other]
    assert a.last_seed < b.first_seed or b.last_seed < a.first_seed
    assert not all_values(a.palette) & all_values(b.palette)
    assert not {layout.name for layout in a.layouts} & {layout.name for layout in b.layouts}
    shapes = [{(x.lanes_forward, x.lanes_back, x.lane, x.pavement, x.curvature) for x in d.layouts} for d in (a, b)]
    assert not shapes[0] & shapes[1]
    assert not {x.lane for x in a.layouts} & {x.lane for x in b.layouts}


def test_every_domain_can_paint_every_named_colour():
    for domain in DOMAINS.values():
        for name in COLOUR_NAMES:
            assert domain.palette.paints[name] and domain.palette.cloth[name]


@pytest.mark.parametrize(
    ("domain", "seed", "layout"),
    [("demo", 5, ""), ("train", 200_000, ""), ("train", 1, "main street"), ("moon", 1, "")],
)
def test_what_is_not_of_a_domain_is_refused(domain, seed, layout):
    with pytest.raises(ConfigError, match=r"train|demo|moon|main street"):
        SceneSpec(domain, seed, layout)
