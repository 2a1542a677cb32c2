"""The words that state an order, a condition or a mode.

Keys and values are compared without case and punctuation, see `field_names.plain`. Conditions that can be read one day
hook in at `CONDITION` and `DEFAULT_RULE`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from wfplan._internal.suggestions import similarity
from wfplan.intake.field_names import DEPENDENCIES, plain

__all__ = [
    "ARROWS",
    "BACKWARD",
    "CONDITION",
    "DEFAULT_RULE",
    "FORWARD",
    "LEADS",
    "MEASURES",
    "NOUNS",
    "NUMBERING",
    "NUMBERING_BY_WORDS",
    "ORDERINGS",
    "WEAK",
    "contains_depend",
    "is_inert",
    "is_order",
    "mode_of",
    "says_left_out",
    "says_one_by_one",
    "tells_order",
]

ORDER = frozenset(
    """
    after afterall await awaiting awaits before blockedby blocker blockers blocking blocks comesafter comesbefore dag
    dep dependencies dependency dependent dependents depends deps downstream edge edges enables executeafter
    executebefore followedby following follows mustfollow mustprecede needs next nexttask precededby precedes preceding
    predecessor predecessors prereq prereqs prerequisite prerequisites previous previousstep prior priorto requiredby
    requires runafter runbefore runsafter runsbefore startafter startbefore successor successors then unblocks upstream
    waitfor waitingfor waiton waitsfor waitson
    """.split()
)
FORWARD = frozenset(
    """
    before blocker blocking blocks child children comesbefore dependent dependents downstream enables executebefore
    followedby next nextstep nextsteps nexttask precedes requiredby runbefore runsbefore startbefore successor
    successors then unblocks
    """.split()
)
"""Words for the direct dependents of a step: they say nothing new where the graph has just these edges."""
BACKWARD = frozenset(
    "follows parent parents precededby predecessor predecessors previous previousstep waitingfor".split()
)
"""Likewise for its direct dependencies. `following` is used both ways."""
ORDERINGS = frozenset(
    "criticalpath executionorder executionsequence order ordering path runorder sequence steporder".split()
)
"""Words for a list of steps beside the list: it says nothing new where each step in it waits for the one before it."""
WEAK = frozenset(
    """
    child children connections connectsto consumes context end entry feeds first flow from given goto head in
    incoming input inputfrom inputs last links nextstep nextsteps order out outgoing output parent parentid parents
    parenttask produces ref references relatedto route sequence source sources src start supersededby tail target
    targets to trigger triggeredby triggers uses wait
    """.split()
)
"""Words that state nothing by themselves; under them a number may name a step, and one name beside the list counts."""
CONDITION = frozenset(
    """
    condition conditional conditions else fallback finally gate given guard if ifthen oncomplete oncompletion onerror
    onfail
    onfailure onlyif onsuccess ontimeout precondition preconditions predicate rules runcondition runif runon runwhen
    skipif skipwhen triggerrule unless until when whenexpression
    """.split()
)
DEFAULT_RULE = frozenset("allsuccess completed onsuccess succeeded success true done finished".split())
"""The values of a condition that hold anyway: a step runs when its dependencies have succeeded."""

MODE = frozenset(("executionmode",))
_LOOSE_MODE = frozenset(
    """
    concurrency concurrencymode execution executionorder executionstrategy executionstyle executiontype flow kind mode
    order ordering parallelexecution pattern process runmode schedule strategy type
    """.split()
)
_SERIAL = frozenset(
    """
    exclusive inorder linear oneatatime onebyone ordered sequential sequentially serial serially series synchronous
    """.split()
)
_PARALLEL = frozenset(
    "all any auto concurrent independent mixed parallel sequentialwithparallel simultaneous unordered".split()
)
_TRUE_IS_SERIAL = frozenset(
    "blocking exclusive isblocking issequential mustrunalone ordered runalone runsequentially runserially sequential"
    " serial".split()
)
_FALSE_IS_SERIAL = frozenset(
    """
    allowparallel canparallelize canruninparallel canrunparallel concurrent isparallel parallel parallelizable
    parallelok parallelsafe runinparallel runsinparallel
    """.split()
)
_ONE_IS_SERIAL = frozenset(
    "concurrency maxconcurrency maxconcurrent maxinflight maxparallel maxparallelism maxworkers parallelism"
    " workers".split()
)

NUMBERING = frozenset(
    """
    at batch day executionorder group index level no number order ordinal parallelgroup phase position priority rank
    round runat runorder scheduledat scheduledfor seq sequence sequencenumber sortorder sprint stage start startat
    starts
    starttime step stepno stepnumber tier turn wave week
    """.split()
)
"""Words for a number that may state an order where nothing else does."""
NUMBERING_BY_WORDS = frozenset(
    "at batch parallelgroup phase round runat scheduledat scheduledfor sprint stage start startat starts starttime tier"
    " wave".split()
)
"""Those under which differing strings count, too."""

INERT = frozenset(
    """
    acceptancecriteria code command commands comment comments content definitionofdone description detail details doc
    docs documentation example examples expectedoutput expectedresult explanation expression formula goal help
    instruction instructions justification labels message note notes objective prompt purpose query rationale reason
    reasoning risk risks script summary tags teststrategy text thinking thought thoughts title why
    """.split()
)
_ENDS = tuple(
    "comment comments description explanation instruction instructions message note notes prompt rationale reason"
    " summary".split()
)
MEASURES = frozenset("confidences costs durations efforts estimates scores".split())
"""Objects from steps to numbers that measure them."""

NOUNS = frozenset("action actions item job jobs node recommendation stage step steps task tasks".split())
"""A name right behind one of these words counts, even a letter or a number."""
LEADS = frozenset("after before follows for need needs on once precedes require requires until".split())

_SUFFIX = re.compile("(?:ids?|steps?|tasks?|jobs?|names?|list)$")
_TELLING = frozenset(
    """
    after before until once then prior next need needs when if unless done end ends first later earlier order sequence
    """.split()
)
_TELLING_BEGINNINGS = ("wait", "depend", "follow", "preced", "finish", "complet", "requir", "succe", "fail")
ARROWS = ("->", "=>", "\u2192", "\u21d2", "\u27a1")
_ITEMS = frozenset("actions items jobs recommendations remaining steps step tasks nodes entries".split())
_OMITTED = frozenset("omitted truncated elided abbreviated".split())
_REST = frozenset("rest remainder remaining etc continue continued".split())
_LOOK_LIKE_DEPENDENCIES = 0.7


@lru_cache(maxsize=4096)
def is_order(word: str) -> bool:
    """Return whether a plain key states an order. A number under one that only contains "depend" is a count.

    >>> [is_order(word) for word in ("runafter", "prerequisiteids", "dependancies", "independent", "risk")]
    [True, True, True, False, False]
    """
    stem = _SUFFIX.sub("", word)
    if word in ORDER or stem in ORDER or word in DEPENDENCIES:
        return True
    return contains_depend(word) or similarity("dependencies", word) >= _LOOK_LIKE_DEPENDENCIES


@lru_cache(maxsize=4096)
def contains_depend(word: str) -> bool:
    """Return whether a plain key is not an order word itself, but is made of one."""
    return "depend" in word and "independ" not in word and word not in ORDER and _SUFFIX.sub("", word) not in ORDER


@lru_cache(maxsize=4096)
def is_inert(word: str) -> bool:
    """Return whether strings under a plain key are words for people."""
    return word in INERT or (word.endswith(_ENDS) and not is_order(word) and word not in CONDITION)


def mode_of(word: str, value: Any) -> str | None:
    """Return the mode that a plain key states with this value: `sequential`, `parallel`, `unknown`, None if none.

    `parallel` is returned only where the key says nothing else than a mode.

    >>> mode_of("parallel", False), mode_of("type", "sequential"), mode_of("type", "kubernetes")
    ('sequential', 'sequential', None)
    """
    if isinstance(value, bool):
        return "sequential" if word in (_TRUE_IS_SERIAL if value else _FALSE_IS_SERIAL) else None
    if isinstance(value, (int, float)):
        return "sequential" if value == 1 and word in _ONE_IS_SERIAL else "unknown" if word in MODE else None
    said = plain(value) if isinstance(value, str) and len(value) <= _LONGEST_WORD else None
    if word in MODE:
        return "sequential" if said in _SERIAL else "parallel" if said in _PARALLEL else "unknown"
    return "sequential" if word in _MODE_WITH_WORDS and said in _SERIAL else None


_LONGEST_WORD = 64
_MODE_WITH_WORDS = _LOOSE_MODE | _TRUE_IS_SERIAL | _FALSE_IS_SERIAL


def tells_order(line: str, words: Any) -> bool:
    """Return whether a line of words may say what comes first."""
    if any(arrow in line for arrow in ARROWS) or line.lstrip().startswith("|"):
        return True
    return any(word in _TELLING or word.startswith(_TELLING_BEGINNINGS) for word in words)


def says_left_out(line: str, words: Any) -> bool:
    """Return whether a comment, or a line of nothing else, says that something is left out.

    >>> [says_left_out(line, line.split()) for line in ("remaining steps omitted", "3 more tasks", "rest of it all")]
    [True, True, False]
    """
    said = list(words)
    if not said:
        return "..." in line or "\u2026" in line
    if said[0] in _REST and said[-1] in _REST | _ITEMS:
        return True
    text = " ".join(said)
    if text in ("and so on", "same as above"):
        return True
    if "left out" in text or "go here" in text or not _OMITTED.isdisjoint(said):
        return not _ITEMS.isdisjoint(said)
    more = "more" in said and said[said.index("more") - 1].isdigit()
    return (more or "remaining" in said or "rest of" in text) and not (_ITEMS - {"remaining"}).isdisjoint(said)


_ONE_BY_ONE = ("one after", "one by one", "one at a time", "in this order", "in the given order", "sequentially")


def says_one_by_one(words: Any) -> bool:
    """Return whether a line of words says that all steps run one after the other.

    >>> says_one_by_one("run these strictly one after the other".split())
    True
    """
    text = " ".join(words)
    return any(phrase in text for phrase in _ONE_BY_ONE)
