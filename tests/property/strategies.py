"""Steps, recommendations and mappings for the laws to hold on: sound ones, broken ones, and junk."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Any, Callable, Dict, List, NamedTuple, Sequence, Set, Tuple

from hypothesis import strategies as st

from wfplan import (
    Compensation,
    ExecutionBatch,
    ExecutionStrategy,
    Problem,
    Reading,
    Recommendation,
    RetryPolicy,
    Step,
    Workflow,
    plan,
)

KNOWN_MODES: Tuple[Any, ...] = ("sequential", "parallel", "auto")
UNKNOWN_MODES: Tuple[Any, ...] = (
    "Sequential",
    "PARALLEL",
    " auto",
    "",
    None,
    False,
    0,
    1.5,
    [],
    ["parallel"],
    {"parallel": True},
)
DOCUMENT_KEYS = ("execution_strategy", "name", "recommendations", "schema_version", "spec", "steps")
LOCKS = ("disk", "node-1", "x")

UNKNOWN_DEPENDENCY = "unknown-dependency"
SELF_DEPENDENCY = "self-dependency"
CYCLE = "dependency-cycle"
DUPLICATE_STEP = "duplicate-step"
DUPLICATE_DEPENDENCY = "duplicate-dependency"
UNKNOWN_MODE = "unknown-execution-mode"
DEFECTS = (UNKNOWN_DEPENDENCY, SELF_DEPENDENCY, CYCLE, DUPLICATE_STEP, DUPLICATE_DEPENDENCY, UNKNOWN_MODE)

_BIDI_CONTROLS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_POOL = (*"abcdefghijklmnopqrstuvwxyz", "é-1", "ü", "a b", "a/b", "a~b", 'a"b', "中")


def is_name(text: str) -> bool:
    """Whether a text is a name: the design's words, one after the other."""
    return (
        1 <= len(text) <= 128
        and text == unicodedata.normalize("NFC", text)
        and text.isprintable()
        and text == text.strip()
        and not any(char in _BIDI_CONTROLS for char in text)
    )


@lru_cache(maxsize=None)
def names() -> st.SearchStrategy[str]:
    """Valid names, mostly short; none that a document has as a key, which have a test of their own."""
    odd = st.text(st.characters(min_codepoint=33, max_codepoint=0x17F), min_size=1, max_size=6).filter(is_name)
    return st.one_of(st.sampled_from(_POOL), odd.filter(lambda name: name not in DOCUMENT_KEYS))


def some_of(values: Sequence[str], max_size: int = 4) -> st.SearchStrategy[List[str]]:
    """A few of these values, each once, in any order."""
    return _positions(len(values), max_size).map(lambda positions: [values[position] for position in positions])


@lru_cache(maxsize=None)
def _positions(count: int, max_size: int) -> st.SearchStrategy[List[int]]:
    if not count:
        return st.just([])
    return st.lists(st.integers(0, count - 1), unique=True, max_size=max_size)


@lru_cache(maxsize=None)
def json_values() -> st.SearchStrategy[Any]:
    """What parameters and metadata may hold."""
    scalars = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=5),
    )
    return st.recursive(
        scalars,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
        max_leaves=6,
    )


@lru_cache(maxsize=None)
def json_objects() -> st.SearchStrategy[Dict[str, Any]]:
    """Parameters."""
    return st.dictionaries(st.text(max_size=5), json_values(), max_size=3)


@lru_cache(maxsize=None)
def metadata() -> st.SearchStrategy[Dict[str, Any]]:
    """Metadata: none, a known or an unknown hint, or anything."""
    return st.one_of(
        st.just({}),
        st.fixed_dictionaries({"execution_mode": st.sampled_from(KNOWN_MODES)}),
        st.fixed_dictionaries({"execution_mode": st.sampled_from(UNKNOWN_MODES)}),
        json_objects(),
    )


@lru_cache(maxsize=None)
def locks() -> st.SearchStrategy[List[str]]:
    """Lock keys, of so few that they are often shared."""
    return some_of(LOCKS, max_size=2)


@lru_cache(maxsize=None)
def step_fields() -> st.SearchStrategy[Dict[str, Any]]:
    """Any valid fields of a step besides its name and dependencies."""
    seconds = st.floats(0.001, 1e6)
    retry = st.builds(
        RetryPolicy,
        max_attempts=st.integers(1, 9),
        delay_seconds=seconds,
        factor=st.floats(1, 10),
        max_delay_seconds=st.none() | seconds,
        jitter=st.floats(0, 1),
        retry_timeouts=st.booleans(),
    )
    everything = st.fixed_dictionaries(
        {},
        optional={
            "action": st.text(min_size=1, max_size=8),
            "parameters": json_objects(),
            "metadata": metadata(),
            "description": st.text(max_size=5),
            "confidence": st.none() | st.floats(0, 1),
            "recommendation_id": st.none() | names(),
            "estimated_seconds": st.none() | seconds,
            "timeout_seconds": st.none() | seconds,
            "retry": st.none() | retry,
            "rollback": st.none() | st.builds(Compensation, action=st.text(min_size=1), parameters=json_objects()),
            "locks": locks(),
            "effect": st.sampled_from((None, "read", "write", "destructive")),
            "continue_on_failure": st.booleans(),
            "idempotent": st.sampled_from((None, True, False)),
        },
    )
    return st.one_of(batching_fields(), everything)


@lru_cache(maxsize=None)
def batching_fields() -> st.SearchStrategy[Dict[str, Any]]:
    """The fields of a step that decide about its batch: hint and locks."""
    return st.fixed_dictionaries({}, optional={"metadata": metadata(), "locks": locks()})


@st.composite
def needs(draw: st.DrawFn, *, min_size: int = 0, max_size: int = 9) -> Dict[str, List[str]]:
    """A sound mapping: an order of names with edges backward, then shuffled; so it stays sound while it shrinks."""
    ordered = draw(st.lists(names(), unique=True, min_size=min_size, max_size=max_size))
    needed = {name: draw(some_of(ordered[:position])) for position, name in enumerate(ordered)}
    return {name: needed[name] for name in draw(st.permutations(ordered))}


@st.composite
def step_lists(
    draw: st.DrawFn,
    *,
    fields: Callable[[], st.SearchStrategy[Dict[str, Any]]] = step_fields,
    min_size: int = 0,
    max_size: int = 7,
) -> List[Step]:
    """Sound steps, in any declared order."""
    mapping = draw(needs(min_size=min_size, max_size=max_size))
    own = fields()
    return [Step(name=name, dependencies=needed, **draw(own)) for name, needed in mapping.items()]


@lru_cache(maxsize=None)
def settings_of_planning() -> st.SearchStrategy[ExecutionStrategy]:
    """Execution strategies that differ in what planning looks at."""
    return st.builds(
        ExecutionStrategy,
        mode=st.sampled_from(("auto", "sequential")),
        isolate_sequential=st.booleans(),
        max_batch_size=st.none() | st.integers(1, 4),
    )


@lru_cache(maxsize=None)
def workflows() -> st.SearchStrategy[Workflow]:
    """Sound workflows with any settings."""
    count = st.none() | st.integers(1, 9)
    settings = st.builds(
        ExecutionStrategy,
        mode=st.sampled_from(("auto", "sequential")),
        dry_run_first=st.booleans(),
        rollback_on_failure=st.booleans(),
        max_parallel=count,
        isolate_sequential=st.booleans(),
        max_batch_size=count,
        schedule=st.sampled_from(("batch", "eager")),
        on_failure=st.sampled_from(("stop", "cancel", "skip-dependents")),
    )
    return st.builds(Workflow, name=st.text(max_size=5), steps=step_lists(), execution_strategy=settings)


@lru_cache(maxsize=None)
def _recommendation_fields() -> st.SearchStrategy[Dict[str, Any]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "parameters": json_objects(),
            "metadata": metadata(),
            "description": st.text(max_size=5),
            "confidence": st.none() | st.floats(0, 1),
        },
    )


_CROWDED_IDS = ("b", "c", "d", "b-c", "b-d", "c-d", "b-c-d", "a")
_CROWDED_ACTIONS = ("a", "a", "a-b", "a-b", "a-b-c", "b")
_ODD_ACTIONS = ("act", "act", "scale", "two\nlines", " outer ", "e\u0301", "\u202e", "x" * 127, "x" * 129)


@st.composite
def recommendation_lists(draw: st.DrawFn, *, max_size: int = 7) -> List[Recommendation]:
    """Sound recommendations whose actions are shared, are ids of others, are no names, or meet made-up names."""
    crowded = draw(st.booleans())
    ids = st.sampled_from(_CROWDED_IDS) if crowded else names()
    ordered = draw(st.lists(ids, unique=True, max_size=max_size))
    actions = st.sampled_from(_CROWDED_ACTIONS if crowded else (*_ODD_ACTIONS, *ordered))
    more = _recommendation_fields()
    made = [
        Recommendation(id=name, action=draw(actions), dependencies=draw(some_of(ordered[:position])), **draw(more))
        for position, name in enumerate(ordered)
    ]
    return draw(st.permutations(made))


Defect = Tuple[str, Tuple[str, ...]]
"""A code, and the steps that the problem is about."""


class Planted(NamedTuple):
    """Steps, and each defect that was planted in them."""

    steps: List[Step]
    defects: List[Defect]
    """Every problem that there is, and no other."""

    @property
    def mapping(self) -> Dict[str, List[str]]:
        """The same as a mapping; only where no name is there twice."""
        return {step.name: list(step.dependencies) for step in self.steps}

    @property
    def recommendations(self) -> List[Recommendation]:
        """The same as recommendations, the ids of which are the names."""
        return [
            Recommendation(id=step.name, action="act", dependencies=step.dependencies, metadata=step.metadata)
            for step in self.steps
        ]


@st.composite
def planted(draw: st.DrawFn, *, among: Sequence[str] = DEFECTS) -> Planted:
    """Steps with defects of these kinds, or some of them, or none.

    The steps are made in groups, each a single step or a ring, with edges from later to earlier groups: so rings are
    the only cycles, and have steps before and behind them. Members of a ring do not also need themselves.
    """
    kinds = draw(st.sets(st.sampled_from(tuple(among))))
    sizes = draw(st.lists(st.sampled_from((1, 1, 1, 2, 3, 4) if CYCLE in kinds else (1,)), min_size=1, max_size=6))
    pool = iter(_POOL)
    groups = [[next(pool) for _ in range(size)] for size in sizes]
    unknown = [next(pool) for _ in range(3)]
    needed: Dict[str, List[str]] = {}
    for group in groups:
        earlier = list(needed)
        for name, following in zip(group, (*group[1:], group[0])):
            needed[name] = [*draw(some_of(earlier, max_size=3)), *([following] if len(group) > 1 else [])]
    order = draw(st.permutations(list(needed)))
    defects = [(CYCLE, _from_first_declared(group, order)) for group in groups if len(group) > 1]

    steps = []
    for name in order:
        may_need_itself = [name] in groups
        step, own_defects = draw(_planted_step(name, needed[name], unknown, kinds, may_need_itself=may_need_itself))
        steps.append(step)
        defects.extend(own_defects)
    if DUPLICATE_STEP in kinds:
        defects.extend(draw(_planted_twins(steps, unknown, kinds)))
    return Planted(steps, defects)


@st.composite
def _planted_step(
    draw: st.DrawFn, name: str, needed: Sequence[str], unknown: Sequence[str], kinds: Set[str], *, may_need_itself: bool
) -> Tuple[Step, List[Defect]]:
    """One step with whatever defects a step can have by itself."""
    own = list(needed)
    defects: List[Defect] = []
    if SELF_DEPENDENCY in kinds and may_need_itself and draw(st.booleans()):
        own.append(name)
        defects.append((SELF_DEPENDENCY, (name,)))
    if UNKNOWN_DEPENDENCY in kinds:
        more = draw(some_of(unknown))
        own.extend(more)
        defects.extend((UNKNOWN_DEPENDENCY, (name,)) for _ in more)
    if DUPLICATE_DEPENDENCY in kinds:
        repeated = draw(some_of(own, max_size=2))
        own.extend(repeated * draw(st.integers(1, 2)))
        defects.extend((DUPLICATE_DEPENDENCY, (name,)) for _ in repeated)
    hint: Dict[str, Any] = {}
    if UNKNOWN_MODE in kinds and draw(st.booleans()):
        hint = {"execution_mode": draw(st.sampled_from(UNKNOWN_MODES))}
        defects.append((UNKNOWN_MODE, (name,)))
    elif draw(st.booleans()):
        hint = {"execution_mode": draw(st.sampled_from(KNOWN_MODES))}
    return Step(name=name, dependencies=draw(st.permutations(own)), metadata=hint), defects


@st.composite
def _planted_twins(draw: st.DrawFn, steps: List[Step], unknown: Sequence[str], kinds: Set[str]) -> List[Defect]:
    """Add steps of names that are taken, behind the first of the name; what they need is only checked to exist."""
    defects: List[Defect] = []
    known = [step.name for step in steps]
    for name in draw(some_of(known, max_size=2)):
        defects.append((DUPLICATE_STEP, (name,)))
        for _ in range(draw(st.integers(1, 2))):
            own = draw(st.lists(st.sampled_from(known), max_size=3))
            if UNKNOWN_DEPENDENCY in kinds and draw(st.booleans()):
                own.append(draw(st.sampled_from(unknown)))
                defects.append((UNKNOWN_DEPENDENCY, (name,)))
            first = next(position for position, step in enumerate(steps) if step.name == name)
            steps.insert(draw(st.integers(first + 1, len(steps))), Step(name=name, dependencies=own))
    return defects


def _from_first_declared(ring: Sequence[str], order: Sequence[str]) -> Tuple[str, ...]:
    start = min(range(len(ring)), key=lambda position: order.index(ring[position]))
    return (*ring[start:], *ring[:start])


@lru_cache(maxsize=None)
def _hashable_junk() -> st.SearchStrategy[Any]:
    return st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=5),
        st.sampled_from(("a", "b", "", " a", "\ud800", "x" * 200, "steps", "recommendations")),
        st.binary(max_size=5),
        st.tuples(st.integers(), st.text(max_size=2)),
    )


@lru_cache(maxsize=None)
def _models() -> st.SearchStrategy[Any]:
    steps = planted().map(lambda made: made.steps)
    recommendations = planted().map(lambda made: made.recommendations)
    problems = st.lists(
        st.builds(
            Problem,
            code=st.just("invalid-field"),
            severity=st.sampled_from(("error", "warning", "info")),
            message=st.text(),
        ),
        max_size=2,
    )
    return st.one_of(
        st.builds(Step, name=names()),
        st.builds(Recommendation, id=names(), action=names()),
        st.builds(Workflow, steps=steps, execution_strategy=settings_of_planning()),
        st.builds(Reading, recommendations=recommendations, problems=problems),
        st.builds(Reading, workflow=st.builds(Workflow, steps=steps), problems=problems),
        st.builds(ExecutionBatch, number=st.integers(1, 3), steps=st.just(["a"])),
        settings_of_planning(),
        step_lists(max_size=3).map(plan),
    )


@lru_cache(maxsize=None)
def junk() -> st.SearchStrategy[Any]:
    """Anything at all: numbers, texts, containers, models, mixed."""
    hashable = _hashable_junk()
    scalars = st.one_of(hashable, _models(), st.builds(object), st.sampled_from((Step, print, ...)))
    return st.recursive(
        scalars,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.lists(inner, max_size=4).map(tuple),
            st.dictionaries(hashable, inner, max_size=4),
            st.sets(hashable, max_size=3),
            st.frozensets(hashable, max_size=3),
        ),
        max_leaves=8,
    )


@lru_cache(maxsize=None)
def nearly_sound() -> st.SearchStrategy[Any]:
    """What could be planned but for something in it."""
    return st.one_of(
        planted().map(lambda made: made.steps),
        planted().map(lambda made: made.recommendations),
        planted().map(lambda made: made.mapping),
        planted().map(lambda made: Workflow(steps=made.steps)),
        planted().map(lambda made: Reading(recommendations=made.recommendations)),
        st.tuples(step_lists(max_size=3), st.lists(junk(), max_size=2)).map(lambda both: [*both[0], *both[1]]),
        st.tuples(step_lists(max_size=2), recommendation_lists(max_size=2)).map(lambda both: [*both[0], *both[1]]),
        st.dictionaries(_hashable_junk(), st.lists(st.sampled_from(("a", "b", 1, None)), max_size=2), max_size=3),
        st.dictionaries(
            st.sampled_from(("a", "b")), st.sampled_from(("a", None, {"a"}, ("b",), {"a": []})), max_size=2
        ),
    )
