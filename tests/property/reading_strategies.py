"""Readable documents, and what may be put into them: each insertion knows what a reading of it must not lose.

The words are drawn from a frozen copy of the tables, so that one that the reader has lost is still tried.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Set, Tuple

from hypothesis import strategies as st

import wfplan


def _load_tables() -> ModuleType:
    path = Path(__file__).parent.parent / "intake" / "frozen_tables.py"
    spec = importlib.util.spec_from_file_location("frozen_tables", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TABLES = _load_tables()

Graph = Dict[str, Set[str]]
Edge = Tuple[str, str]
"""What is needed, and who needs it."""

NEUTRAL = ("extra", "settings", "zone", "ctx", "x1", "blob", "überblick")
WRAPPERS = ("result", "response", "answer", "zone")
_FIELDS = frozenset(
    (*TABLES.FIELDS_ID, *TABLES.FIELDS_ACTION, *TABLES.FIELDS_TITLE, *TABLES.FIELDS_PARAMETERS, *TABLES.FIELDS_PLAIN)
)
INERT = tuple(word for word in TABLES.INERT if word not in _FIELDS)
AUTHOR = tuple(word for word in TABLES.AUTHOR if word not in _FIELDS)
_IDS = (
    ("deploy", "build", "verify", "backup", "notify"),
    ("rec-001", "rec-002", "rec-003", "rec-004", "rec-005"),
    ("1", "2", "3", "4", "5"),
    ("check the disk", "free some space", "resize volume", "warm up caches", "tell the team"),
)
_ACTIONS = ("scale_up", "drain_node", "restart_pod", "rotate_keys", "flush_cache")
_TITLES = ("Grow the pool", "Empty the node", "Kick the pod", "New secrets", "Cold start")
_NUMBERS = _IDS[2]


class Document(NamedTuple):
    """A readable one: the whole of it, its list, and the graph that it states."""

    whole: Any
    items: List[Dict[str, Any]]
    beside: List[Dict[str, Any]]
    """The objects around the list, the one that holds it last."""
    graph: Graph
    ids: Sequence[str]

    def copy(self) -> Document:
        """One that can be changed alone."""
        whole = json.loads(json.dumps(self.whole))
        beside: List[Dict[str, Any]] = []
        inner = whole
        for _ in self.beside:
            beside.append(inner)
            inner = next(inner[key] for key in inner if isinstance(inner[key], (dict, list)))
        items = list(inner.values()) if isinstance(inner, dict) else inner
        return Document(whole, items, beside, self.graph, self.ids)


class Claim(NamedTuple):
    """What holds of a reading that is ok although something was put into its document."""

    what: str
    lost: bool = False
    """There is no such reading."""
    edges: FrozenSet[Edge] = frozenset()
    """The order that was stated: the reading has it, whether from this insertion or before it."""
    joined: FrozenSet[Edge] = frozenset()
    """Pairs that the reading orders one way or the other."""
    serial: Optional[str] = None
    """The step with a sequential hint; empty: the mode of the whole."""
    orders: bool = False
    """Some order is read at all."""


@st.composite
def spelled(draw: st.DrawFn, words: Sequence[str]) -> str:
    """A word in any spelling that is compared as the same."""
    word = draw(st.sampled_from(words))
    how = draw(st.integers(0, 4))
    at = draw(st.integers(0, len(word)))
    return (word, word, word.title(), word.upper(), f"{word[:at]}_{word[at:]}" if 0 < at < len(word) else word)[how]


@st.composite
def documents(draw: st.DrawFn, *, edges: Optional[bool] = None) -> Document:
    """Two to five steps in plain form, under any name of a list, in up to two wrappers."""
    ids = draw(st.sampled_from(_IDS))[: draw(st.integers(2, 5))]
    has_edges = draw(st.booleans()) if edges is None else edges
    graph: Graph = {one: set() for one in ids}
    if has_edges:
        for position in range(1, len(ids)):
            graph[ids[position]] = set(draw(st.lists(st.sampled_from(ids[:position]), max_size=2, unique=True)))
        if not any(graph.values()):
            graph[ids[-1]] = {ids[0]}
    own_actions, titles = draw(st.booleans()), draw(st.booleans())
    always = draw(st.booleans())
    items: List[Dict[str, Any]] = []
    for position, one in enumerate(ids):
        item: Dict[str, Any] = {"id": one, "action": _ACTIONS[position] if own_actions else "kubectl"}
        if titles:
            item["title"] = _TITLES[position]
        if graph[one] or (always and draw(st.booleans())):
            item["dependencies"] = sorted(graph[one])
        items.append(item)
    order = draw(st.permutations(range(len(ids))))
    items = [items[position] for position in order]
    whole: Any = {draw(spelled(TABLES.LISTS)): items}
    beside = [whole]
    for key in draw(st.lists(st.sampled_from(WRAPPERS), max_size=2, unique=True)):
        whole = {key: whole}
        beside.insert(0, whole)
    return Document(whole, items, beside, graph, ids)


class Path_(NamedTuple):  # noqa: N801 - Path is pathlib's
    """Keys around an insertion, outermost first, each with whether its object stands in a list of one."""

    keys: Tuple[Tuple[str, bool], ...]

    def wrap(self, entry: Dict[str, Any]) -> Dict[str, Any]:
        for key, listed in reversed(self.keys):
            entry = {key: [entry] if listed else entry}
        return entry

    @property
    def is_skipped(self) -> bool:
        """Whether the author's own data hide all but the order words in metadata."""
        return any(_plain(key) in TABLES.AUTHOR for key, _ in self.keys)

    @property
    def is_in_metadata(self) -> bool:
        found = {_plain(key) for key, _ in self.keys}.intersection(TABLES.AUTHOR)
        return found == {"metadata"}


def _plain(word: str) -> str:
    return "".join(char for char in word.lower() if char.isalnum())


@st.composite
def paths(draw: st.DrawFn, *, author: bool = True, min_size: int = 0) -> Path_:
    """Up to three keys that state nothing by themselves, inert ones and the author's own among them."""
    neutral = st.sampled_from(NEUTRAL)
    inert = spelled(INERT)
    keys = st.one_of(neutral, neutral, inert)
    if author and draw(st.integers(0, 3)) == 0:
        keys = st.one_of(neutral, st.just("metadata"), spelled(AUTHOR))
    return Path_(
        tuple(
            (key, key != "metadata" and draw(st.booleans()))
            for key in draw(st.lists(keys, min_size=min_size, max_size=3, unique_by=_plain))
        )
    )


def put(holder: Dict[str, Any], path: Path_, key: str, value: Any) -> bool:
    """Insert it, if nothing of that name stands there."""
    entry = path.wrap({key: value})
    if {_plain(one) for one in holder}.intersection(map(_plain, entry)):
        return False
    holder.update(entry)
    return True


# ------------------------------------------------------------------------------------------------------- insertions


class _Place(NamedTuple):
    document: Document
    holder: Dict[str, Any]
    step: Optional[str]
    """The one whose item it is; None beside the list."""
    others: List[str]
    path: Path_

    @property
    def is_top(self) -> bool:
        return not self.path.keys


def _order_key(draw: st.DrawFn) -> str:
    word: str = draw(st.sampled_from((*TABLES.ORDER, *TABLES.FIELDS_DEPENDENCIES)))
    kind = draw(st.integers(0, 7))
    if kind == 0:
        word += draw(st.sampled_from(TABLES.ENDINGS_OF_ORDER))
    elif kind == 1:
        word = draw(st.sampled_from(("hard", "soft", "x"))) + draw(
            st.sampled_from(("depend", "dependson", "dependency"))
        )
    return draw(spelled((word,)))


def _one_name(draw: st.DrawFn, document: Document, step: str, *, numbers: bool) -> Optional[str]:
    """The id of a step, or another text that only it has."""
    item = next(item for item in document.items if item["id"] == step)
    choices = [step] if numbers or step not in _NUMBERS else []
    if item["action"] != "kubectl":
        choices.append(item["action"])
    if "title" in item:
        choices.append(item["title"])
    return draw(st.sampled_from(choices)) if choices else None


def _edges_of(key: str, place: _Place, others: Sequence[str]) -> FrozenSet[Edge]:
    """What an order word in an item says; nothing, if it can be used both ways."""
    if place.step is None:
        return frozenset()
    word = _plain(key)
    if word in TABLES.FORWARD:
        return frozenset((place.step, other) for other in others)
    if word in TABLES.BACKWARD or word in TABLES.FIELDS_DEPENDENCIES or "depend" in word:
        return frozenset((other, place.step) for other in others)
    return frozenset()


def _insert_order(draw: st.DrawFn, place: _Place) -> Optional[Claim]:
    key = _order_key(draw)
    other = draw(st.sampled_from(place.others))
    name = _one_name(draw, place.document, other, numbers=True)
    assert name is not None
    values = [name, [name], {"id": name}, [{"id": name}]]
    if name in _NUMBERS:
        is_count = "depend" in _plain(key) and _plain(key) not in TABLES.ORDER  # "dependency_count": 1
        values += [[int(name)]] if is_count else [int(name), [int(name)]]
    if not put(place.holder, place.path, key, draw(st.sampled_from(values))):
        return None
    what = f"order word {key}"
    if place.path.is_skipped and not place.path.is_in_metadata:
        return Claim(what)
    edges = _edges_of(key, place, [other])
    return Claim(what, edges=edges) if edges else Claim(what, lost=True)


def _insert_edge_list(draw: st.DrawFn, place: _Place) -> Optional[Claim]:
    one, other = draw(st.permutations(place.document.ids))[:2]
    ends = draw(st.sampled_from((("from", "to"), ("source", "target"), ("start", "end"))))
    key = draw(st.sampled_from(("edges", "links", "connections", "flow", "dag", "extra")))
    if not put(place.holder, place.path, key, [dict(zip(ends, (one, other)))]):
        return None
    if place.path.is_skipped and not (place.path.is_in_metadata and key in TABLES.ORDER):
        return Claim("edges")
    if place.step is None:
        return Claim("edges", edges=frozenset({(one, other)}))
    return Claim("edges", joined=frozenset({(one, other)}))


def _insert_condition(draw: st.DrawFn, place: _Place) -> Optional[Claim]:
    key = draw(spelled(TABLES.CONDITION))
    values = ("failed", "on_failure", "x > 3", ["failed"], {"of": "x"}, 3, *place.others)
    if not put(place.holder, place.path, key, draw(st.sampled_from(values))):
        return None
    return Claim(f"condition {key}", lost=not place.path.is_skipped)


def _insert_mode(draw: st.DrawFn, place: _Place) -> Optional[Claim]:
    key, value = draw(
        st.one_of(
            st.tuples(spelled(("executionmode", *TABLES.LOOSE_MODE)), spelled(TABLES.SERIAL)),
            st.tuples(spelled(TABLES.TRUE_IS_SERIAL), st.just(True)),
            st.tuples(spelled(TABLES.FALSE_IS_SERIAL), st.just(False)),
            st.tuples(spelled(TABLES.ONE_IS_SERIAL), st.just(1)),
        )
    )
    if not put(place.holder, place.path, key, value):
        return None
    what = f"mode {key}"
    if place.path.is_skipped:
        return Claim(what)
    if not place.is_top:
        return Claim(what, lost=True)
    return Claim(what, serial=place.step or "")


def _insert_name(draw: st.DrawFn, place: _Place) -> Optional[Claim]:
    key = draw(st.sampled_from(NEUTRAL))
    others = [draw(st.sampled_from(place.others))] if place.step else list(draw(st.permutations(place.others))[:2])
    names = [_one_name(draw, place.document, other, numbers=False) for other in others]
    if None in names:
        return None
    names = [draw(st.sampled_from((name, str(name).upper(), str(name).replace(" ", "-")))) for name in names]
    values: List[Any] = [names, {"q": names}, [names]]
    if place.step:
        values += [names[0], {"q": names[0]}, [{"q": names[0]}]]
    if not put(place.holder, place.path, key, draw(st.sampled_from(values))):
        return None
    if place.path.is_skipped:
        return Claim("names")
    return Claim("names", joined=frozenset({(place.step or others[0], others[-1])}))


def _insert_mapping(draw: st.DrawFn, place: _Place) -> Optional[Claim]:
    others = [draw(st.sampled_from(place.others))] if place.step else list(draw(st.permutations(place.others))[:2])
    if set(others) & set(_NUMBERS):
        return None
    value = draw(st.sampled_from(("failed", 3, ["q"], {"q": 1})))
    if not put(place.holder, place.path, draw(st.sampled_from(NEUTRAL)), dict.fromkeys(others, value)):
        return None
    if place.path.is_skipped:
        return Claim("mapping by names")
    return Claim("mapping by names", joined=frozenset({(place.step or others[0], others[-1])}))


def _insert_steps(draw: st.DrawFn, place: _Place) -> Optional[Claim]:
    doing = {draw(spelled(TABLES.FIELDS_ACTION)): "run it"}
    waiting = {draw(spelled(TABLES.FIELDS_DEPENDENCIES)): draw(st.sampled_from(("q1", ["q1"])))}
    loose = draw(st.sampled_from((doing, waiting, {"id": "q2", **doing})))
    key, value = draw(
        st.one_of(
            st.tuples(st.sampled_from(NEUTRAL), st.just([loose])),
            st.tuples(spelled(TABLES.LISTS), st.just([{"id": "q1"}, {"id": "q2"}])),
            st.tuples(spelled(TABLES.LISTS), st.just([{"title": "more of it"}])),
            *([] if place.step else [st.tuples(st.sampled_from(NEUTRAL), st.just(loose))]),
        )
    )
    if not put(place.holder, place.path, key, value):
        return None
    return Claim(f"steps under {key}", lost=not place.path.is_skipped)


def _insert_ellipsis(draw: st.DrawFn, place: _Place) -> Optional[Claim]:
    mark = draw(st.sampled_from(("...", "…")))
    if not put(place.holder, place.path, draw(st.sampled_from(NEUTRAL)), [*draw(st.sampled_from(((), ("x",)))), mark]):
        return None
    return Claim("ellipsis", lost=not place.path.is_skipped)


def _insert_line(draw: st.DrawFn, place: _Place) -> Optional[Claim]:
    """Words that tell an order, in a string that nobody asked for."""
    one, other = draw(st.permutations(place.document.ids))[:2]
    one = place.step or one
    if one == other:
        return None
    noun = "step " if one in _NUMBERS else ""
    lines = [f"{noun}{one} must wait for {noun}{other}", f"Start {noun}{one} only after {noun}{other} has finished."]
    if place.step:
        lines += [f"Run after {noun}{other}.", f"first, {noun}{other}"]
    text = draw(st.sampled_from(("", "Mind this.\n"))) + draw(st.sampled_from(lines))
    if not put(place.holder, place.path, draw(st.sampled_from(NEUTRAL)), text):
        return None
    if place.path.is_skipped:
        return Claim("line")
    return Claim("line", joined=frozenset({(one, other)}))


def _insert_numbering(draw: st.DrawFn, place: _Place) -> Optional[Claim]:
    """A column of numbers, in each item at the same place."""
    path = Path_(tuple((key, False) for key, _ in place.path.keys))
    if draw(st.booleans()):
        key, values = draw(spelled(TABLES.NUMBERING)), [str(number) for number in range(1, 6)]
        if draw(st.booleans()):
            values = [int(value) for value in values]  # type: ignore[misc]
    else:
        words = tuple(word for word in TABLES.WORDY_NUMBERING)
        key, values = draw(spelled(words)), ["prepare", "act", "act", "check", "report"]
    if any(_plain(key) in {_plain(one) for one in item} for item in place.document.items):
        return None
    for item, value in zip(place.document.items, values):
        if not put(item, path, key, value):
            return None
    return Claim(f"numbering {key}") if path.is_skipped else Claim(f"numbering {key}", orders=True)


def _insert_reference(draw: st.DrawFn, place: _Place) -> Optional[Claim]:
    if place.step is None:
        return None
    other = draw(st.sampled_from(place.others))
    if " " in other:
        return None
    notations = [f"${{{other}.output}}", f"{{{{{other}.output}}}}", f"{{{{steps.{other}.output}}}}"]
    notations += [f"$(tasks.{other}.results)", f"use {{{{ steps.{other}.output }}}} here"]
    if other in _NUMBERS:
        notations += [f"${other}", f"#E{other}", f"#{other}"]
    text = draw(st.sampled_from(notations))
    value = draw(st.sampled_from((text, [text], {"q": text})))
    if not put(place.holder, Path_(()), "parameters", {draw(st.sampled_from(("x", "depends_on", "note"))): value}):
        return None
    return Claim(f"reference {text}", edges=frozenset({(other, place.step)}))


INSERTIONS = (
    _insert_order,
    _insert_order,
    _insert_edge_list,
    _insert_condition,
    _insert_mode,
    _insert_name,
    _insert_mapping,
    _insert_steps,
    _insert_ellipsis,
    _insert_line,
    _insert_numbering,
    _insert_reference,
)


@st.composite
def insertions(draw: st.DrawFn, document: Document) -> Optional[Claim]:
    """Put one thing into a document; None, if there is no room for it."""
    if draw(st.integers(0, 3)):
        position = draw(st.integers(0, len(document.items) - 1))
        holder: Dict[str, Any] = document.items[position]
        step: Optional[str] = holder["id"]
    else:
        holder, step = draw(st.sampled_from(document.beside)), None
    others = [one for one in document.ids if one != step]
    place = _Place(document, holder, step, others, draw(paths()))
    return draw(st.sampled_from(INSERTIONS))(draw, place)


# ----------------------------------------------------------------------------------------------------------- judging


def graph_of(reading: wfplan.Reading) -> Graph:
    """From each id or name to what it needs."""
    if reading.workflow is not None:
        return {step.name: set(step.dependencies) for step in reading.workflow.steps}
    return {item.id: set(item.dependencies) for item in reading.recommendations}


def ancestors_of(graph: Graph) -> Graph:
    """From each step to all that must end before it."""
    found: Graph = {}

    def look(step: str) -> Set[str]:
        if step not in found:
            found[step] = set()
            found[step] = graph[step].union(*map(look, graph[step]))
        return found[step]

    for step in graph:
        look(step)
    return found


def errors_of(reading: wfplan.Reading) -> Set[str]:
    return {problem.code for problem in reading.problems if problem.severity == "error"}


def judge(reading: wfplan.Reading, document: Document, claims: Sequence[Claim]) -> None:
    """Refused, or nothing lost."""
    if not reading.ok:
        assert errors_of(reading)
        return
    found = graph_of(reading)
    stated = {edge for claim in claims for edge in (*claim.edges, *claim.joined, *(e[::-1] for e in claim.joined))}
    before, after = (
        {(needed, step) for step, needs in graph.items() for needed in needs} for graph in (document.graph, found)
    )
    assert set(found) == set(document.graph), "steps were lost or invented"
    assert before <= after, "edges were lost"
    assert after - before <= stated, "edges were invented"
    ancestors = ancestors_of(found)
    for claim in claims:
        assert not claim.lost, f"read as if it were not there: {claim.what}"
        for needed, step in claim.edges:
            assert needed in ancestors[step], f"not read: {claim.what}"
        for one, other in claim.joined:
            assert one in ancestors[other] or other in ancestors[one], f"not read: {claim.what}"
        assert not claim.orders or after, f"not read: {claim.what}"
        if claim.serial is not None:
            _judge_mode(reading, claim)


def _judge_mode(reading: wfplan.Reading, claim: Claim) -> None:
    plan = wfplan.plan(reading, naming="id")
    if plan.workflow.execution_strategy.mode == "sequential":
        return
    assert claim.serial, f"not the mode of the whole: {claim.what}"
    mode = plan.steps[claim.serial].metadata.get("execution_mode", "auto")
    assert mode not in ("auto", "parallel"), f"no hint: {claim.what}"
