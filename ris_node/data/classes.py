# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The project-wide list of classes: one id per class over all data sets, with the words people use for it.

Three natures: a *thing* is countable and has instances; a *mass* (trees, buildings, fences) has connected parts
that can lie on a side but are not worth counting; *stuff* (road, sky) is one mask. Id 0 is void: nothing is known.
"""

from __future__ import annotations

from dataclasses import dataclass

from ris_node.errors import DataError

VOID = 0

# name | nature and flags | singular words | plural words (none: the singular ones with an s). Flags: g stands on the
# ground (near and far by its foot), c worth a colour word, f can be followed. Order fixes the ids: append only.
_TABLE = """
person|thing gc|pedestrian,person,man,guy on foot,human|pedestrians,people,persons,people on foot,walkers
cyclist|thing gcf|cyclist,bicyclist,bike rider,person on the bike,biker|cyclists,bicyclists,bike riders,people on bikes
car|thing gcf|car,vehicle,automobile,auto|cars,vehicles,automobiles,autos
sign|thing|sign,traffic sign,road sign,street sign,signboard|signs,traffic signs,road signs,street signs,signboards
pole|thing g|pole,post,lamp post,column|poles,posts,lamp posts,columns
tree|mass|tree,vegetation,greenery,foliage|trees,vegetation,plants,greenery,bushes and trees
building|mass|building,house,facade|buildings,houses,facades
road|stuff|road,street,roadway,carriageway,tarmac,driving surface|
pavement|stuff|pavement,sidewalk,footpath,walkway,footway|
sky|stuff|sky,heavens|
fence|mass|fence,railing,fencing|fences,railings,fencing
door|thing c|door,doorway,entrance|doors,doorways,entrances
window|thing|window,window pane|windows,window panes
bicycle|thing gc|bicycle,bike,push bike|bicycles,bikes,push bikes
motorcycle|thing gcf|motorcycle,motorbike,scooter|motorcycles,motorbikes,scooters
bus|thing gcf|bus,coach,double decker|buses,coaches
truck|thing gcf|truck,lorry,pickup|trucks,lorries,pickups
train|thing gc|train,locomotive,tram|trains,locomotives,trams
boat|thing c|boat,ship,sailing boat|
airplane|thing c|airplane,plane,aircraft|airplanes,planes,aircraft
traffic light|thing|traffic light,traffic signal,stoplight|
fire hydrant|thing gc|fire hydrant,hydrant|
stop sign|thing|stop sign|
parking meter|thing g|parking meter|
bench|thing gc|bench,park bench|benches,park benches
bird|thing c|bird|
cat|thing gc|cat,kitty|cats,kitties
dog|thing gc|dog,puppy|dogs,puppies
horse|thing gc|horse,pony|horses,ponies
sheep|thing g|sheep,lamb|sheep,lambs
cow|thing gc|cow,bull|cows,cattle
elephant|thing g|elephant|
bear|thing gc|bear|
zebra|thing g|zebra|
giraffe|thing g|giraffe|
backpack|thing c|backpack,rucksack|
umbrella|thing c|umbrella,parasol|
handbag|thing c|handbag,purse|
tie|thing c|tie,necktie|
suitcase|thing gc|suitcase,trunk on wheels|suitcases
frisbee|thing c|frisbee|
skis|thing|pair of skis|skis
snowboard|thing c|snowboard|
ball|thing c|ball|
kite|thing c|kite|
baseball bat|thing|baseball bat,bat|
baseball glove|thing c|baseball glove,mitt|
skateboard|thing|skateboard|
surfboard|thing c|surfboard|
tennis racket|thing|tennis racket,racket|
bottle|thing c|bottle|
wine glass|thing|wine glass,goblet|wine glasses,goblets
cup|thing c|cup,mug|
fork|thing|fork|
knife|thing|knife|knives
spoon|thing|spoon|
bowl|thing c|bowl|
banana|thing|banana|
apple|thing c|apple|
sandwich|thing|sandwich|sandwiches
orange|thing|orange fruit|oranges
broccoli|thing|broccoli floret,piece of broccoli|broccoli,broccoli florets
carrot|thing|carrot|
hot dog|thing|hot dog|
pizza|thing|pizza|
donut|thing c|donut,doughnut|
cake|thing c|cake|
chair|thing gc|chair,seat|
couch|thing gc|couch,sofa|couches,sofas
potted plant|thing g|potted plant,plant pot|
bed|thing gc|bed|
table|thing g|table,dining table|
toilet|thing g|toilet|
tv|thing|tv,television,screen|
laptop|thing c|laptop,notebook computer|
mouse|thing|computer mouse|computer mice
remote|thing|remote,remote control|
keyboard|thing|keyboard|
cell phone|thing c|cell phone,mobile phone|
microwave|thing|microwave,microwave oven|
oven|thing|oven,stove|
toaster|thing|toaster|
sink|thing|sink,washbasin|
refrigerator|thing|refrigerator,fridge|
book|thing c|book|
clock|thing|clock|
vase|thing c|vase|
scissors|thing|pair of scissors|scissors
teddy bear|thing c|teddy bear,stuffed bear|
hair drier|thing|hair drier|
toothbrush|thing c|toothbrush|toothbrushes
banner|mass|banner|
blanket|mass|blanket|
bridge|mass|bridge|
cardboard|mass|cardboard,cardboard box|cardboard boxes
counter|mass|counter,worktop|
curtain|mass|curtain|
floor|stuff|floor|
flower|mass|flower|
fruit|mass|fruit|fruit
gravel|stuff|gravel|
light|mass|lamp,light fitting|
mirror|mass|mirror|
net|mass|net|
pillow|mass|pillow|
platform|stuff|platform|
playing field|stuff|playing field,pitch|
railway|stuff|railway,railway track|
water|stuff|water,river,sea|
sand|stuff|sand,beach|
shelf|mass|shelf|shelves
snow|stuff|snow|
stairs|mass|staircase|stairs,steps
tent|mass|tent|
towel|mass|towel|
wall|mass|wall|
ceiling|stuff|ceiling|
cabinet|mass|cabinet,cupboard|
mountain|mass|mountain,hill|
grass|stuff|grass,lawn|
dirt|stuff|dirt,bare ground|
paper|mass|sheet of paper|papers,paper
food|mass|food|food
rock|mass|rock|
rug|mass|rug,carpet|
bollard|thing gc|bollard|
traffic cone|thing gc|traffic cone,pylon|
parking bay|stuff|parking bay,parking space,parking spot|
kerb|stuff|kerb,curb|
van|thing gcf|van,delivery van,minivan|
bin|thing gc|bin,rubbish bin,trash can,garbage can,dustbin|
"""


@dataclass(frozen=True, kw_only=True)
class ClassInfo:
    """One class: id, name, nature ("thing", "mass" or "stuff"), words in both numbers, and what may be said of it."""

    id: int
    name: str
    nature: str
    singular: tuple[str, ...]
    plural: tuple[str, ...]
    on_ground: bool = False
    colourable: bool = False
    followable: bool = False


def _parse(index: int, line: str) -> ClassInfo:
    name, flags, singular, plural = line.split("|")
    nature, _, marks = flags.partition(" ")
    words = tuple(singular.split(","))
    plurals = tuple(plural.split(",")) if plural else tuple(f"{w}s" for w in words)
    return ClassInfo(
        id=index, name=name, nature=nature, singular=words, plural=words if nature == "stuff" else plurals,
        on_ground="g" in marks, colourable="c" in marks, followable="f" in marks,
    )  # fmt: skip


CLASSES: tuple[ClassInfo, ...] = (
    ClassInfo(id=VOID, name="void", nature="stuff", singular=(), plural=()),
    *(_parse(i + 1, line) for i, line in enumerate(_TABLE.strip().splitlines())),
)
_BY_NAME = {c.name: c for c in CLASSES}


def class_by_name(name: str) -> ClassInfo:
    """Return the class of this name.

    Raises:
        DataError: when there is none.
    """
    try:
        return _BY_NAME[name]
    except KeyError:
        raise DataError(f"no class is named {name!r}; see ris_node.data.classes for the list") from None


def class_id(name: str) -> int:
    """Return the id of the class of this name (raises DataError when there is none)."""
    return class_by_name(name).id


# Classes that stand for one another or contain one another: naming one is no proof that the other is absent, and with
# both in view the broader words ("people", "vehicles", "sign") are not used.
RELATED: tuple[frozenset[str], ...] = (
    frozenset({"person", "cyclist"}),
    frozenset({"car", "bus", "truck", "train", "motorcycle", "van"}),
    frozenset({"bicycle", "cyclist", "motorcycle"}),
    frozenset({"sign", "stop sign", "traffic light", "banner", "parking meter"}),
    frozenset({"pole", "bollard", "light", "traffic light", "parking meter", "sign", "stop sign"}),
    frozenset({"tree", "potted plant", "flower", "grass"}),
    frozenset({"building", "wall", "door", "window"}),
    frozenset({"road", "pavement", "kerb", "parking bay", "dirt", "gravel", "floor", "platform"}),
    frozenset({"fence", "wall", "net"}),
    frozenset({"bear", "teddy bear"}),
    frozenset({"cup", "wine glass", "bowl", "vase", "bottle"}),
    frozenset({"chair", "couch", "bench"}),
    frozenset({"table", "counter", "cabinet", "shelf", "bed"}),
    frozenset({"handbag", "backpack", "suitcase"}),
    frozenset({"snowboard", "skateboard", "surfboard", "skis"}),
    frozenset({"blanket", "towel", "curtain", "rug", "pillow"}),
    frozenset({"apple", "orange", "fruit", "banana", "food", "broccoli", "carrot"}),
    frozenset({"tv", "laptop", "clock"}),
    frozenset({"window", "mirror", "door", "curtain"}),
    frozenset({"mountain", "rock"}),
    frozenset({"floor", "rug", "sand", "snow", "grass", "dirt", "playing field"}),
)


def related(name: str) -> frozenset[str]:
    """Return names of the classes that could be meant by, or hide, this one (itself included)."""
    return frozenset({name}).union(*(group for group in RELATED if name in group))


# Words too broad to use when a related class is in view.
BROAD_WORDS = frozenset(
    {"person", "people", "persons", "man", "human", "guy on foot", "vehicle", "vehicles", "bike", "bikes", "biker",
     "bikers", "greenery", "plants", "vegetation", "house", "houses", "post", "posts", "column", "columns", "street",
     "light", "lights", "seat", "seats", "screen", "screens", "signboard", "signboards", "lamp post", "lamp posts"}
)  # fmt: skip
