# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The things people name in the street, the words they use for them, and the Cityscapes classes that show them."""

from __future__ import annotations

from dataclasses import dataclass

CITYSCAPES = (
    "road",
    "sidewalk",
    "building",
    "wall",
    "fence",
    "pole",
    "traffic light",
    "traffic sign",
    "vegetation",
    "terrain",
    "sky",
    "person",
    "rider",
    "car",
    "truck",
    "bus",
    "train",
    "motorcycle",
    "bicycle",
)


@dataclass(frozen=True)
class Concept:
    """Kind of thing: its label, its words in the singular, and the Cityscapes classes that show it (often none).

    `stuff` has no number: one road, one sky.
    """

    label: str
    words: tuple[str, ...]
    classes: tuple[str, ...] = ()
    stuff: bool = False


@dataclass(frozen=True)
class Noun:
    """A word form and what it means."""

    concept: Concept
    plural: bool


_PEOPLE = (
    "person pedestrian man woman boy girl guy lady kid child adult worker officer policeman dude gentleman friend "
    "somebody someone walker jogger stranger human fellow mother father mom dad brother sister boyfriend girlfriend "
    "wife husband colleague student toddler uncle aunt neighbour neighbor boss coworker co-worker cousin grandma "
    "grandpa grandmother grandfather mum pal buddy cop crowd"
)
_CARS = (
    "car sedan suv hatchback taxi cab van minivan jeep automobile auto coupe convertible limousine limo 4x4 audi bmw "
    "mercedes volkswagen toyota honda tesla volvo porsche chevy ford nissan"
)
CONCEPTS: tuple[Concept, ...] = (
    Concept(
        "car",
        tuple(_CARS.split()),
        ("car",),
    ),
    Concept(
        "truck",
        ("truck", "lorry", "pickup", "pick up truck", "pickup truck", "fire engine", "big rig", "semi"),
        ("truck",),
    ),
    Concept(
        "construction vehicle",
        (
            "construction vehicle",
            "forklift",
            "forklift truck",
            "excavator",
            "digger",
            "bulldozer",
            "cherry picker",
            "crane",
        ),
        ("truck",),
    ),
    Concept("bus", ("bus", "double decker", "coach", "minibus"), ("bus",)),
    Concept("vehicle", ("vehicle", "trailer", "ambulance"), ("car", "truck", "bus")),
    Concept("train", ("train", "locomotive", "tram", "streetcar"), ("train",)),
    Concept("motorcycle", ("motorcycle", "motorbike", "moped", "scooter", "motor"), ("motorcycle",)),
    Concept("bicycle", ("bicycle", "bike", "cycle", "push bike"), ("bicycle",)),
    Concept("cyclist", ("cyclist", "bicyclist", "biker", "rider", "motorcyclist"), ("rider", "bicycle")),
    Concept("person", tuple(_PEOPLE.split()), ("person",)),
    Concept("traffic light", ("traffic light", "traffic signal", "stop light", "stoplight"), ("traffic light",)),
    Concept(
        "sign",
        ("sign", "stop sign", "traffic sign", "street sign", "road sign", "signboard", "sign symbol", "billboard"),
        ("traffic sign",),
    ),
    Concept("pole", ("pole", "post", "lamp post", "lamppost", "street light", "streetlight", "column"), ("pole",)),
    Concept("fence", ("fence", "railing", "fencing", "guard rail", "guardrail"), ("fence",), stuff=True),
    Concept("wall", ("wall",), ("wall",), stuff=True),
    Concept(
        "building",
        ("building", "house", "shop", "store", "hotel", "church", "garage", "tower", "facade"),
        ("building",),
    ),
    Concept("tree", ("tree", "bush", "hedge", "shrub"), ("vegetation",)),
    Concept("vegetation", ("vegetation", "greenery", "foliage"), ("vegetation",), stuff=True),
    Concept("grass", ("grass", "terrain", "lawn", "verge", "soil"), ("terrain",), stuff=True),
    Concept("sky", ("sky", "cloud", "heavens"), ("sky",), stuff=True),
    Concept(
        "road",
        ("road", "street", "roadway", "tarmac", "asphalt", "carriageway", "driving surface", "highway"),
        ("road",),
        stuff=True,
    ),
    Concept(
        "pavement",
        ("pavement", "sidewalk", "side walk", "footpath", "footway", "walkway", "kerb", "curb"),
        ("sidewalk",),
        stuff=True,
    ),
    # No Cityscapes class shows these: the baseline answers ABSENT, a trained model may know better.
    Concept("lane", ("lane",), stuff=True),
    Concept("parking space", ("parking space", "parking spot", "parking lot", "parking place", "parking bay", "bay")),
    Concept("crossing", ("crosswalk", "zebra crossing", "crossing", "intersection", "junction", "roundabout")),
    Concept("bus stop", ("bus stop", "bus station", "bus shelter")),
    Concept("cone", ("cone", "traffic cone", "trafficcone", "pylon", "traffic barrel")),
    Concept("barrier", ("barrier", "jersey barrier", "barricade", "bollard")),
    Concept(
        "bin",
        (
            "bin",
            "dustbin",
            "trash can",
            "garbage can",
            "trash bin",
            "dumpster",
            "container",
            "trashcan",
            "garbage bin",
            "rubbish bin",
            "garbage container",
            "trash container",
            "garbage dump",
        ),
    ),
    Concept(
        "cart",
        ("cart", "stroller", "pushchair", "pram", "wheelchair", "trolley", "pushable", "pullable", "pushable pullable"),
    ),
    Concept("bicycle rack", ("bicycle rack", "bike rack")),
    Concept("hydrant", ("hydrant", "fire hydrant")),
    Concept("bench", ("bench",)),
    Concept("bridge", ("bridge", "overpass", "tunnel")),
    Concept("door", ("door", "entrance", "gate")),
    Concept("window", ("window",)),
    Concept(
        "animal",
        ("animal", "dog", "cat", "horse", "elephant", "cow", "bird", "sheep", "giraffe", "zebra", "bear"),
    ),
)
_IRREGULAR = {
    "person": ("people", "persons", "folks"),
    "man": ("men",),
    "woman": ("women",),
    "child": ("children", "kids"),
    "policeman": ("policemen",),
    "gentleman": ("gentlemen",),
    "dude": ("dudes",),
    "sheep": ("sheep",),
    "vegetation": ("plants",),
}


def _plurals(words: str) -> tuple[str, ...]:
    if words in _IRREGULAR:
        return _IRREGULAR[words]
    if words.endswith(("s", "x", "ch", "sh")):
        return (words + "es",)
    if words.endswith("y") and words[-2] not in "aeiou":
        return (words[:-1] + "ies",)
    return (words + "s",)


def _table() -> dict[str, Noun]:
    table: dict[str, Noun] = {}
    for concept in CONCEPTS:
        for word in concept.words:
            table[word] = Noun(concept, plural=False)
            for form in _plurals(word):
                table.setdefault(form, Noun(concept, plural=True))
    return table


PLACES = frozenset(("lane", "road", "pavement", "parking space", "crossing"))  # where one goes, rather than beside what
NOUNS: dict[str, Noun] = _table()
LONGEST = max(len(words.split()) for words in NOUNS)
