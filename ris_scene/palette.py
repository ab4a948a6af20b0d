# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Colours, weather and building styles of the three domains, with no value shared between two of them.

Every paint has a name people use; the domains differ in the actual RGB values behind a name, so that a model
cannot pass on `demo` by having memorised the values of `train`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

RGB = tuple[int, int, int]

_Kind = TypeVar("_Kind")
COLOUR_NAMES: tuple[str, ...] = ("red", "blue", "white", "black", "grey", "green", "yellow")


@dataclass(frozen=True, kw_only=True)
class Weather:
    """Light and air: sky colours at the zenith and the horizon, sun, cloud cover 0..1 and haze per metre.

    `sun_azimuth_deg` is where the sun stands seen from the road (0 ahead, 90 left), `sun` its strength.
    """

    name: str
    zenith: RGB
    horizon: RGB
    sun_azimuth_deg: float
    sun_elevation_deg: float
    sun: float
    sun_tint: RGB
    ambient: float
    clouds: float
    haze: float


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Colours of a domain: paints by colour name, ground tones, walls, roofs, leaves, skin and weather."""

    paints: dict[str, tuple[RGB, ...]]
    cloth: dict[str, tuple[RGB, ...]]
    asphalt: tuple[RGB, ...]
    paving: tuple[RGB, ...]
    kerb: tuple[RGB, ...]
    grass: tuple[RGB, ...]
    walls: tuple[RGB, ...]
    roofs: tuple[RGB, ...]
    leaves: tuple[RGB, ...]
    skin: tuple[RGB, ...]
    weather: tuple[Weather, ...]
    texture_seed: int


def table(kind: Callable[..., _Kind], columns: str, *rows: tuple[object, ...]) -> tuple[_Kind, ...]:
    """Make one `kind` of each row, whose cells are the fields that `columns` names in order."""
    return tuple(kind(**dict(zip(columns.split(), row, strict=True))) for row in rows)


_WEATHER = "name zenith horizon sun_azimuth_deg sun_elevation_deg sun sun_tint ambient clouds haze"
TRAIN = Palette(
    paints={
        "red": ((176, 28, 32), (146, 18, 28), (208, 44, 38), (120, 22, 26)),
        "blue": ((32, 62, 150), (24, 44, 104), (58, 104, 182), (20, 78, 128)),
        "white": ((232, 232, 228), (246, 246, 242), (222, 224, 226)),
        "black": ((20, 20, 23), (30, 31, 34), (12, 13, 15)),
        "grey": ((132, 136, 140), (166, 170, 174), (96, 100, 106)),
        "green": ((30, 92, 52), (56, 120, 60), (22, 70, 56)),
        "yellow": ((236, 190, 30), (222, 170, 20), (244, 206, 70)),
    },
    cloth={
        "red": ((168, 34, 40), (196, 52, 48)),
        "blue": ((40, 62, 120), (62, 92, 160)),
        "white": ((226, 224, 218), (238, 236, 232)),
        "black": ((26, 26, 30), (36, 35, 38)),
        "grey": ((110, 112, 116), (142, 142, 144)),
        "green": ((44, 96, 58), (82, 118, 70)),
        "yellow": ((226, 186, 52), (238, 204, 84)),
    },
    asphalt=((117, 119, 122), (99, 101, 106), (135, 134, 133), (81, 84, 89)),
    paving=((158, 154, 148), (140, 138, 136), (172, 164, 152)),
    kerb=((178, 176, 172), (164, 162, 158)),
    grass=((92, 116, 60), (84, 104, 52), (110, 124, 70)),
    walls=((168, 120, 96), (196, 178, 150), (150, 142, 134), (182, 158, 132), (134, 92, 76), (208, 200, 188)),
    roofs=((110, 70, 58), (84, 82, 84), (124, 84, 64)),
    leaves=((73, 107, 49), (91, 123, 56), (60, 94, 51), (109, 125, 58)),
    skin=((224, 180, 152), (176, 128, 98), (118, 80, 60)),
    weather=table(
        Weather,
        _WEATHER,
        ("sunny", (88, 140, 206), (198, 216, 232), 60.0, 48.0, 0.85, (255, 246, 226), 0.62, 0.35, 0.0022),
        ("overcast", (168, 176, 186), (208, 212, 214), 120.0, 60.0, 0.18, (250, 250, 250), 0.95, 0.9, 0.0048),
        ("hazy", (140, 168, 200), (222, 222, 214), -70.0, 35.0, 0.55, (255, 240, 214), 0.74, 0.5, 0.0075),
        ("afternoon", (96, 136, 188), (228, 214, 190), 150.0, 28.0, 0.78, (255, 228, 186), 0.64, 0.45, 0.003),
        ("backlit", (120, 160, 210), (236, 232, 220), 15.0, 38.0, 0.7, (255, 244, 224), 0.56, 0.3, 0.0035),
    ),
    texture_seed=11,
)

VAL = Palette(
    paints={
        "red": ((188, 36, 26), (138, 26, 34)),
        "blue": ((40, 74, 162), (28, 52, 118)),
        "white": ((236, 238, 238), (226, 228, 222)),
        "black": ((24, 24, 26), (16, 17, 20)),
        "grey": ((140, 142, 144), (108, 112, 118)),
        "green": ((36, 104, 62), (46, 86, 48)),
        "yellow": ((230, 182, 38), (240, 198, 52)),
    },
    cloth={
        "red": ((182, 42, 44),),
        "blue": ((52, 76, 140),),
        "white": ((232, 230, 226),),
        "black": ((31, 30, 34),),
        "grey": ((124, 126, 130),),
        "green": ((60, 108, 64),),
        "yellow": ((232, 194, 66),),
    },
    asphalt=((110, 111, 115), (125, 125, 126)),
    paving=((150, 147, 142), (166, 160, 150)),
    kerb=((171, 169, 166),),
    grass=((88, 110, 57),),
    walls=((176, 132, 106), (188, 168, 144), (142, 102, 86), (202, 190, 172)),
    roofs=((117, 77, 61), (92, 90, 92)),
    leaves=((81, 114, 52), (67, 100, 56)),
    skin=((214, 168, 138), (148, 104, 80)),
    weather=table(
        Weather,
        _WEATHER,
        ("fair", (92, 144, 200), (204, 218, 228), 75.0, 44.0, 0.78, (255, 245, 222), 0.64, 0.42, 0.0026),
        ("grey day", (174, 180, 188), (212, 214, 216), -110.0, 55.0, 0.2, (249, 250, 252), 0.92, 0.85, 0.0052),
    ),
    texture_seed=23,
)

DEMO = Palette(
    paints={
        "red": ((198, 22, 34), (170, 24, 22)),
        "blue": ((26, 70, 170), (46, 90, 148)),
        "white": ((240, 240, 236), (229, 231, 233)),
        "black": ((22, 22, 25), (33, 33, 36)),
        "grey": ((150, 154, 158), (118, 122, 127)),
        "green": ((26, 110, 70), (40, 98, 44)),
        "yellow": ((248, 196, 24), (234, 176, 28)),
    },
    cloth={
        "red": ((204, 38, 46),),
        "blue": ((46, 84, 168),),
        "white": ((242, 240, 236),),
        "black": ((28, 28, 33),),
        "grey": ((132, 134, 139),),
        "green": ((52, 116, 76),),
        "yellow": ((244, 200, 44),),
    },
    asphalt=((104, 107, 112), (92, 94, 99)),
    paving=((164, 158, 149), (153, 150, 146)),
    kerb=((184, 181, 176),),
    grass=((96, 122, 62),),
    walls=((186, 124, 98), (214, 192, 160), (160, 148, 138), (196, 150, 118), (224, 212, 194)),
    roofs=((126, 74, 58), (88, 86, 90)),
    leaves=((85, 120, 51), (103, 134, 60), (69, 105, 53)),
    skin=((230, 188, 160), (164, 116, 88)),
    weather=table(
        Weather,
        _WEATHER,
        ("bright", (74, 132, 206), (206, 222, 234), 65.0, 42.0, 0.88, (255, 243, 218), 0.6, 0.27, 0.0024),
        ("late", (104, 140, 190), (236, 220, 194), -60.0, 30.0, 0.8, (255, 224, 182), 0.68, 0.5, 0.0032),
    ),
    texture_seed=37,
)
