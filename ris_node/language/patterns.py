# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The phrases of the grammar, one regular expression for each idea, written against how people really talk to cars."""

from __future__ import annotations

import re

from ris_node.types import Manoeuvre


def phrases(text: str) -> str:
    """Return the alternatives of a list of phrases, separated by commas or line breaks, as one group."""
    return "(?:" + "|".join(part.strip() for part in re.split(r"[,\n]", text) if part.strip()) + ")"


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")

# Where one thing that is asked ends and the next begins.
SPLIT = re.compile(
    r"[.!?;,:]+|\s-\s|\b(?:and|then|but|so that|so|instead)\b"
    r"|\b(?=(?:please|let us|let's|we (?:can|should|could)|you (?:can|should)|will you|would you)\b)"
    r"|(?<=passed)\s|(?<=crossed)\s|(?<=passed us)\s|(?<!need )(?<!not )\bto (?=follow\b)"
)

# What may stand before an order without changing it.
PREFIX = re.compile(
    "^(?:"
    + phrases(
        """
        please, pleas, pls, hey, hi, hello, ok, okay, oh, ah, wow, well, now, next(?! to| turn| left| right), just, also
        actually, maybe, right(?! side| hand), um+, uh+, er+m?, hm+, mhh, so, alright
        all right, excuse me, pardon me, sorry, (?:hey|hi|hello|dear|ok|okay) (?:car|robot|there)(?= ?[.!;]), i mean
        great, quickly, slowly, carefully, safely, immediately, always, no, yes, yeah, kindly
        better, you better, i think, this will work, try to, try, start to, go ahead, go and, be ready to, get ready to
        prepare to, feel free to, make sure to, be sure to, remember to, you should, you must, you can, you may
        you need to, you have to, we should, we must, we can, we could, we need to, we have to, let's, lets, let us
        (?:can|could|would|will|should) (?:you|we|u)(?: mind)?(?: please| kindly| just| maybe)?
        be so kind as to
        (?:i'd|i would) (?:like|love|prefer|appreciate)(?: it if)?(?: you)?(?: to| could| would)?, i wish to
        would it be possible to, is it possible to, how about, why don't (?:you|we)
        (?:i|we) (?:would like|want|need|would love|wish)(?: you)? to, do you mind, would you mind, we should be
        """
    )
    + r"\b[ ,]*)+"
)

NEGATION = re.compile(
    "^"
    + phrases(
        """
        do not, don't, dont, do n't, never, not, no, you (?:must|should|can) ?(?:not|n't), you mustn't, mustn't
        there is no need to, no need to, refrain from
        """
    )
    + r"\b\s*"
)

_GO_LEFT = (
    r"(?:(?:turn|take|make|steer|swerve|veer|hang"  # a change of lane is no turn
    r"|(?:pull|go)(?! (?:around|past|by|after|behind|slow)|.* on the left))\b"
    r"(?!.*\b(?:left|right)(?: hand)? lane\b)(?!.*\bright (?:turn|side|hand|at|onto|into))"
    r"(?:(?!\bon (?:your|our|my) left).)*\bleft\b"
    r"|(?:bear|head|keep)(?: over)?(?: to(?:wards?)? the)? left\b|next left(?: please| here)?$)"
)
_SWAP = {"left": "right", "right": "left"}
_GO_RIGHT = re.sub("left|right", lambda found: _SWAP[found.group()], _GO_LEFT)

# What a vehicle can do, in the order in which they win where a command asks for several: where it ends up first.
ACTIONS: tuple[tuple[Manoeuvre, re.Pattern[str]], ...] = tuple(
    (manoeuvre, re.compile(rf"^{pattern}(?:\b|$)"))
    for manoeuvre, pattern in (
        (
            Manoeuvre.PARK,
            phrases(
                r"""
                (?:re)?park(?! bench), parking (?:next|near|behind|in|here|by|beside)
                (?:take|use) (?:the|that|this|a) (?:\w+ )*(?:bay|spot|space), find parking
                find somewhere to, back (?:in|into), reverse into
                (?:find|look for|check for|see) (?:me |us )?(?:an?|the|some|any) (?:\w+ )?(?:parking|place|spot|space)
                pull into (?:a|the|that|this) (?:\w+ )?(?:parking|bay|spot|space)
                """
            ),
        ),
        (
            Manoeuvre.STOP,
            phrases(
                r"""
                stopping (?:next|near|behind|in|here|by|beside), meet (?:me|us), line up, get (?:out|off)(?! of)
                stop(?! (?:sign|light|line|lamp|signal)s?\b), halt, brake, pause, freeze, come to a (?:stop|halt)
                stand (?:still|here|by|there|next|near)
                pull (?:over|up|in|aside|to|near|next|along|alongside|behind|close|beside)
                pull (?:the|my|our|your|this) (?:car|vehicle) (?:over|up|in), drop (?:me|us|him|her|them|off)
                let (?:me|us) (?:get )?(?:out|off), pick (?:me|us|him|her|them|up|my|the|that)
                give (?:me|us|him|her|them) a (?:ride|lift)
                """
            ),
        ),
        (
            Manoeuvre.FOLLOW,
            phrases(
                r"""
                follow, (?:keep|continue) (?:straight )?(?:following|to follow), drive behind, keep (?:behind|up with)
                stay (?:right |close )?(?:behind|with), tail (?:the|that|this|him|her|it|them)
                go after, chase, catch up, drive after
                (?:do not|don't) lose
                track (?:the|that|this|him|her|it|them), trail (?:the|that|this|him|her|it|them)
                """
            ),
        ),
        (Manoeuvre.TURN_LEFT, _GO_LEFT),
        (Manoeuvre.TURN_RIGHT, _GO_RIGHT),
        (
            Manoeuvre.WAIT,
            phrases(
                r"""
                waite?, hold (?:on|up|back|here), hang on, yield, give way, give \w+ (?:\w+ )?way
                (?:let|allow) (?!me|us)\w+ \w+, remain, stay (?:here|there|still|put|where)
                """
            ),
        ),
        (
            Manoeuvre.NONE,
            phrases(
                r"""
                turn, go(?! with\b), drive, move, proceed, continue, carry on, keep(?! an eye), stay
                head (?:towards?|to|over|for|back|straight|up|down|north|south|east|west|there|on to)
                slow (?:right )?down, slow(?=$), speed, accelerate
                decelerate, decrease, increase, pass, overtake, merge, switch, change, shift, take (?!a look), make
                get(?! me (?!to|out|off|there|home|close)), (?:find|look for) (?:me )?(?:the|a) (?:\w+ )?(?:route|way)
                enter, exit, leave (?:the|this|that|here|now), approach, cross(?= \w), steer, swerve, veer, avoid, evade
                back (?:up|off|out), reverse, bring, come, pull, roll, advance, return, navigate, u-turn, you-turn, do a
                dodge, honk, beep, watch (?:out|for), be careful, look out, close (?:in|up on|the distance|the gap)
                set off, start(?! of| from), use the, ride (?:to|with|after), race (?:to|after), cut (?:in|across)
                circle (?:around|round), run, climb
                """
            ),
        ),
    )
)

# Orders in the middle of a sentence without a comma: "there is a spot there park next to the white van".
BURIED = re.compile(
    r" (?=(?:(?:park|stop) (?:near|next to|behind|in front|beside|before|by|here|there|close|as close|somewhere|on the"
    r"|up|to|so|and|alongside)|slow down|find (?:a|the|somewhere) |(?:make|take) (?:a|the next) (?:left|right)"
    r"|get over|go around|switch lanes|carry on|keep (?:going|driving|straight)|look out|drive (?:slowly|around|past)"
    r"|pull (?:over|up)|drop (?:me|us|him|her)|let (?:me|us) (?:out|off)|pick (?:me|him|her|them) up"
    r"|get (?:behind|close|closer)|follow (?:him|her|it|them|that|this|the)|(turn) (?:left|right|around)"
    r"|wait (?:for|here)|please)\b)"
)
NO_ORDER_AFTER = words(  # "about to stop here", "the bus stop near the tree"
    """
    the a an bus taxi tram truck car next not don't dont never to will would can could should must may might who which
    that full complete temporary sudden pit short i we they he she it you and or then please just go cannot can't won't
    at in on of from by near into need want ready
    """
)

# What asks for a picture of something rather than for a movement.
FIND = re.compile(
    r"^(?:show|find(?:ing)?|locate|highlight|outline|watch|pick out|spot|segment|help me find|try to find|search for"
    r"|point(?:ing)? (?:at|to|out)|look(?:ing)? (?:at|for)|check out|select|mark|detect|identify|see|tell me where"
    r"|get me|keep an eye on|give me|where(?:'s| is| are| can i see)|which(?: one)? (?:is|are)|is there|are there"
    r"|there(?:'s| is| are)|(?:do|can|could) (?:you|we|i) (?:see|find|have|spot)|let me see"
    r"|(?:is|are) (?:that|this|it|those|these)"
    r"|that(?:'s| is)|i (?:can )?(?:see|mean|meant|want|need)|i(?: a|')m looking for|(?:i'd|i would) like to see"
    r"|you should see|what about)\b\s*(?:me|us|out|for)?\s*(?:the location of|where)?\s*"
)

CANCEL = re.compile(
    r"^(?:(?:please|ok|okay|oh|actually|no) )*"
    r"(?:cancel|abort|clear|reset|disregard|undo|never ?mind|forget|scrap|ignore)"
    r"(?: (?:it|that|this|all|everything|about|the|my|last|previous|current|order|command|query|request|target"
    r"|mission|goal|please|again|now|i|what|said|stop|stopping|parking|turn|search|route|trip|following))*$"
)

GREETING = re.compile(
    r"\b"
    + phrases(
        """
        hello, hi, hey, hiya, howdy, greetings, good (?:morning|afternoon|evening|night|day|bye), goodbye, bye, cheers
        thanks?(?: you)?(?: so much| very much| a lot)?, sorry, welcome, yes, yeah, yep, no, nope, ok, okay, sure, fine
        great, cool, nice, wow, um+, uh+, hm+, haha, well done, please, test(?:ing)?, how are you(?: doing)?
        how is it going, what's up, what is up, who are you, what are you, what can you do, what(?:'s| is) your name
        how old are you, are you (?:there|ok|okay|ready|listening), can you hear me, do you hear me, i love you
        nice to meet you, see you(?: later)?, one two(?: three)?
        """
    )
    + r"\b"
)
FILLER = words(
    """
    there everyone all robot car today again check you buddy friend my dear very much to
    """
)

TALK = re.compile(
    r"^(?:what(?:'s| is) the (?:weather|time|date|news|speed|temperature)|what time|how (?:fast|far|long|much|many|old)"
    r"|why|play (?:me|some|music|a song|the radio)|sing |call |tell me (?!where)"
    r"|turn (?:on|off|up|down) (?:the )?(?:radio|music|light|heat|ac|air|volume))"
)

QUANTIFIER = re.compile(r"\b(?:all|every|both|each|several|many|two|three|four|five|six|any)\b")

# What singles out one thing of a kind.
UNIQUE = re.compile(
    r"\b(?:(?!forest|request|interest|honest|closest to (?!us|me|the (?:left|right|front|camera|viewer|bottom|top)))"
    r"\w{3,}e+s+t"
    r"|\w+-?most|(?!first floor|second floor)(?:first|second|third|fourth|fifth)|last|\d+(?:st|nd|rd|th)"
    r"|(?:number|no\.?) (?:\d+|one|two|three|four|five)|farther|further|next(?! to\b)"
    r"|far|all the way|way (?:in|to) (?:the )?(?:back|left|right)|(?:left|right)[- ]?hand(?! of)|middle|cent(?:er|re)"
    r"|extreme|tiny|huge|big|small|little|tall|wearing|dressed|foreground|background|distan(?:t|ce)"
    r"|in front of (?:us|me|our car)|(?:straight|directly|right) ahead|up close|very (?:left|right|back|front|end)"
    r"|(?:\w+er|more \w+|less \w+) than (?:all |any |both )?(?:of )?(?:the )?(?:others?|rest)"
    r"|all (?:of )?the (?:others|rest)|one on (?:either|each) side|between|the other|(?:most|least) \w+|only"
    r"|the one (?!of\b|on\b|in\b|that\b|with\b)\w+)\b"
)

# Where the head of an expression ends: "the man | with the dog".
BOUNDARY = words(
    """
    on in at of next near behind beside besides with by to from that which who whose where standing walking parked
    driving riding sitting waiting turning crossing coming moving stopped under over above below before after
    between against along across ahead closest nearest farthest furthest is are was beyond opposite past without
    facing wearing holding and or until till towards toward into through around for as while when once
    """
)

# "all of the cars" is all the cars; "the area of road" is the road.
PART_OF = re.compile(
    r"\b(?:the |an? )?(?:area|areas|half|rest|part|piece|patch|bit|stretch|section|row|pair|couple) of\b"
)
ALL_OF = re.compile(r"\b(all|each|any|one|both|some|most|many|several|two|three|four) of\b")

# Where an order names what it is about: "stop [next to] the snowman".
BESIDE = re.compile(
    r"\b(?:near(?:by)?(?: to)?|next to|beside|behind|under|below|(?:in )?front of|by|at|alongside|along"
    r"|opposite|before|after|past|close to|towards?|around|to|from|follow"
    r"|following|go after|for|let (?!me|us)|pass|approach|avoid|against|with) "
    r"(?!(?:to|of|by|the (?:left|right|side|end)|(?:my|our|your) (?:left|right)|left|right|up|down)\b)"
)
# Words after these that name no thing.
VAGUE = words(
    """
    corner end way direction distance time minute second moment stop halt turn straight north south east west picture
    view place spot position sight scene image road's edge speed pace now once go driving parking meter meters metre
    out off park do take get let pass passes passed going close honk follow tell up down he him her them thing
    metres foot feet km mile miles everything anything nothing something area
    """
)

# The vehicle itself, as in "park the car next to the barrier", "pull your car over", "stop the car".
OWN_CAR = re.compile(
    r"^((?:park|stop|halt|pull|turn|move|drive|bring|keep|slow|get|reverse|back)(?: up| over| down)?)"
    r" (?:the|my|our|your) (?:car|vehicle)\b(?! (?:in front of (?:us|me)|that|which|who|ahead|parked|driving))"
)

# Words that stand for somebody, or something, named before.
PERSONAL = re.compile(r"\b(?:he|she|him|her|his|he's|she's)\b")
IT = re.compile(r"\b(?:it|its)\b")
# "Turn left. I mean right, sorry."
CORRECTED = re.compile(
    r"\b(?:i mean|sorry|actually|rather|no wait|wait no|no)[, ]+(?:i mean |to the |turn )?(left|right)\b"
)
# "That is where we need to go": a goal without an order.
GOAL = re.compile(
    r"\b(?:where|the one|who|whom) (?:i|we) (?:need|want|have|are supposed) to (?:go|be|get|stop|pick up|meet)\b"
)

# Who begins a statement rather than an expression.
SPEAKERS = words("i we you he she they")
# Words before a head that are never the head.
NOT_HEADS = words(
    """
    the a an this that these those my our your his her its their some one ones us me him it them here there first
    second third last other left right front middle leftmost rightmost nearest closest farthest side far big large
    small tiny little tall short red blue green white black yellow orange grey gray silver brown purple pink dark
    light old new only any all every both each two three four five please not largest biggest smallest directly
    furthest
    """
)
