"""P10: linear in steps and dependencies, in any order, for hostile input too.

Nothing is timed. The sizes are such that linear work takes a second or so; what is quadratic would take minutes, and
what recurses would fail.
"""

from __future__ import annotations

import copy
import pickle
import random
import re
from typing import Any, Callable, List, Sequence

import pytest

from wfplan import ExecutionPlan, InvalidWorkflowError, Problem, Recommendation, Step, Workflow, check, plan, read
from wfplan.graph import DependencyGraph

pytestmark = pytest.mark.scale

MANY = 100_000
NAMES = [f"s{number}" for number in range(MANY)]

Order = Callable[[Sequence[Any]], List[Any]]


def _shuffled(items: Sequence[Any]) -> List[Any]:
    return random.Random(0).sample(items, len(items))


def _reversed(items: Sequence[Any]) -> List[Any]:
    return list(items)[::-1]


ORDERS = pytest.mark.parametrize("order", [list, _reversed, _shuffled], ids=["in order", "reversed", "shuffled"])


@pytest.fixture(scope="module")
def chain() -> List[Step]:
    return [Step(name=name, dependencies=NAMES[max(number - 1, 0) : number]) for number, name in enumerate(NAMES)]


@pytest.fixture(scope="module")
def layered() -> List[Step]:
    """A hundred levels of a thousand steps, three dependencies each."""
    return [
        Step(name=name, dependencies=[NAMES[number - back] for back in (1000, 1001, 1500) if back <= number])
        for number, name in enumerate(NAMES)
    ]


@pytest.fixture(scope="module")
def leaves() -> List[Step]:
    """Steps that all need `hub`."""
    return [Step(name=name, dependencies=["hub"]) for name in NAMES]


@pytest.fixture(scope="module")
def free() -> List[Step]:
    """Steps that need nothing."""
    return [Step(name=name) for name in NAMES]


# Shapes


@ORDERS
def test_a_long_chain_is_planned(chain: List[Step], order: Order) -> None:
    planned = plan(order(chain))
    assert [batch.steps for batch in planned.batches] == [(name,) for name in NAMES]
    assert planned.strategy == "sequential"


@ORDERS
def test_a_wide_fan_out_is_planned(leaves: List[Step], order: Order) -> None:
    """A hub that everyone needs."""
    planned = plan(order([Step(name="hub"), *leaves]))
    assert [len(batch.steps) for batch in planned.batches] == [1, MANY]
    assert planned.batches[1].parallel


@ORDERS
def test_a_wide_fan_in_is_planned(free: List[Step], order: Order) -> None:
    """One step that needs everyone, listed after them, before them, among them."""
    planned = plan(order([*free, Step(name="join", dependencies=NAMES)]))
    assert [len(batch.steps) for batch in planned.batches] == [MANY, 1]


def test_one_step_with_many_dependencies_before_and_after_it_is_planned(free: List[Step]) -> None:
    """Half of them declared before it, half after it; and a second one that needs the first and all of them."""
    half = MANY // 2
    join = Step(name="join", dependencies=NAMES)
    then = Step(name="then", dependencies=[*NAMES, "join"])
    planned = plan([then, *free[:half], join, *free[half:]])
    assert [len(batch.steps) for batch in planned.batches] == [MANY, 1, 1]


@ORDERS
def test_many_layers_are_planned(layered: List[Step], order: Order) -> None:
    planned = plan(order(layered))
    assert [len(batch.steps) for batch in planned.batches] == [1000] * 100


def test_a_long_chain_of_recommendations_of_one_action_is_planned() -> None:
    """Each is named by action and id."""
    recommendations = [
        Recommendation(id=name, action="act", dependencies=NAMES[max(number - 1, 0) : number])
        for number, name in enumerate(NAMES)
    ]
    planned = plan(_shuffled(recommendations))
    assert [batch.steps for batch in planned.batches] == [(f"act-{name}",) for name in NAMES]


def test_a_large_mapping_is_planned() -> None:
    planned = plan({name: NAMES[number + 1 : number + 2] for number, name in enumerate(NAMES)})
    assert len(planned.batches) == MANY


# Locks, hints, size


def test_many_holders_of_one_lock_follow_each_other() -> None:
    """Under one shared lock, with others besides it."""
    steps = [Step(name=name, locks=["shared", name]) for name in NAMES[:20_000]]
    planned = plan(steps)
    assert [batch.steps for batch in planned.batches] == [(step.name,) for step in steps]
    assert planned.strategy == "sequential"


def test_many_locks_of_one_step_are_planned(free: List[Step]) -> None:
    held = [f"lock-{number}" for number in range(MANY)]
    planned = plan([*free, Step(name="greedy", locks=held), Step(name="greedy too", locks=held)])
    assert [len(batch.steps) for batch in planned.batches] == [MANY + 1, 1]


def test_many_hinted_steps_follow_each_other() -> None:
    """Alone with `isolate_sequential`, in one batch without."""
    steps = [Step(name=name, metadata={"execution_mode": "sequential"}) for name in NAMES[:20_000]]
    assert len(plan(steps).batches) == 1
    assert len(plan(steps, isolate_sequential=True).batches) == 20_000


def test_a_wide_level_is_cut_into_many_batches(free: List[Step]) -> None:
    planned = plan(free, max_batch_size=1)
    assert [batch.steps for batch in planned.batches] == [(name,) for name in NAMES]


# Defects


def _listed(problems: Sequence[Problem], total: int) -> List[Problem]:
    """The listed ones of so many problems, if 1,000 are listed at most and the last counts the rest."""
    *listed, rest = problems
    assert rest.code == "limit-exceeded"
    assert len(problems) <= 1000
    counted = re.findall(r"\d[\d,]*", rest.message)
    assert [int(number.replace(",", "")) for number in counted] == [total - len(listed)]
    return listed


@ORDERS
def test_a_ring_is_one_cycle(chain: List[Step], order: Order) -> None:
    """All of it is in the problem's steps, each needing the next; the sentence stays readable."""
    ring = order([Step(name="s0", dependencies=[NAMES[-1]]), *chain[1:]])
    (problem,) = check(ring)
    assert problem.code == "dependency-cycle"
    assert problem.steps[0] == ring[0].name
    assert len(problem.steps) == MANY
    needed = {step.name: step.dependencies[0] for step in ring}
    assert all(needed[name] == then for name, then in zip(problem.steps, (*problem.steps[1:], problem.steps[0])))
    assert len(str(problem)) < 10_000


def test_a_ring_with_a_chord_from_everywhere_is_one_short_cycle(chain: List[Step]) -> None:
    """Everyone needs the first as well: a shortest cycle through it has two members."""
    ring = [
        Step(name="s0", dependencies=[NAMES[-1]]),
        *(Step(name=step.name, dependencies=[*step.dependencies, "s0"]) for step in chain[2:]),
    ]
    problems = check(ring)
    assert [problem.code for problem in problems] == ["unknown-dependency", "dependency-cycle"]
    assert problems[1].steps == ("s0", NAMES[-1])


def test_many_disjoint_cycles_are_counted() -> None:
    pairs = [Step(name=name, dependencies=[NAMES[number ^ 1]]) for number, name in enumerate(NAMES)]
    listed = _listed(check(pairs), MANY // 2)
    assert [problem.steps for problem in listed] == [
        (NAMES[2 * number], NAMES[2 * number + 1]) for number in range(len(listed))
    ]


def test_one_dependency_repeated_many_times_is_one_warning() -> None:
    """In front of the step that it names, and behind it."""
    first, then = Step(name="first"), Step(name="then", dependencies=["first"] * MANY)
    for steps in ([first, then], [then, first]):
        planned = plan(steps)
        assert [batch.steps for batch in planned.batches] == [("first",), ("then",)]
        assert [(problem.code, problem.steps) for problem in planned.problems] == [("duplicate-dependency", ("then",))]


def test_many_repeated_dependencies_are_counted(chain: List[Step]) -> None:
    problems = check([Step(name=step.name, dependencies=step.dependencies * 2) for step in chain])
    listed = _listed(problems, MANY - 1)
    assert problems[-1].severity == "warning"
    assert {problem.code for problem in listed} == {"duplicate-dependency"}


def test_many_unknown_names_are_counted() -> None:
    """P10: 1,000 problems are listed, the last of which counts the rest."""
    count = 20_000
    steps = [Step(name=name, dependencies=[f"S{number}"]) for number, name in enumerate(NAMES[:count])]
    problems = check(steps)
    listed = _listed(problems, count)
    assert {problem.code for problem in listed} == {"unknown-dependency"}
    assert [problem.steps for problem in listed] == [(name,) for name in NAMES[: len(listed)]]
    assert problems[-1].severity == "error"
    with pytest.raises(InvalidWorkflowError) as raised:
        plan(steps)
    assert raised.value.problems == problems
    assert len(str(raised.value)) < 20_000


def test_nearest_names_are_looked_up_for_the_first_20() -> None:
    """P10: for no more of them, and each is found: it differs from the unknown one by case alone."""
    steps = [Step(name=name, dependencies=[f"S{number + 1}"]) for number, name in enumerate(NAMES[:900])]
    near = [f'"{name}"' in problem.suggestion for name, problem in zip(NAMES[1:], check(steps))]
    assert near == [True] * 20 + [False] * 880


def test_many_unknown_names_in_one_step_are_counted() -> None:
    problems = check([Step(name="join", dependencies=NAMES[:20_000])])
    listed = _listed(problems, 20_000)
    assert {(problem.code, problem.steps) for problem in listed} == {("unknown-dependency", ("join",))}


def test_one_name_declared_many_times_is_one_problem(free: List[Step]) -> None:
    """Dependencies of the others are only checked to exist."""
    twins = [Step(name="twin", dependencies=["twin", "s1"])] * MANY
    problems = check([Step(name="twin"), *free[:10], *twins])
    assert [(problem.code, problem.steps) for problem in problems] == [("duplicate-step", ("twin",))]
    assert len(str(problems[0])) < 10_000


def test_refused_is_decided_on_all_problems_not_on_the_listed_ones() -> None:
    """An error behind 2,000 warnings refuses, and is listed first."""
    odd = [Step(name=name, metadata={"execution_mode": "odd"}) for name in NAMES[:2000]]
    planned = plan(odd)
    assert {problem.code for problem in _listed(planned.problems, 2000)} == {"unknown-execution-mode"}
    assert planned.problems[-1].severity == "warning"
    broken = [*odd, Step(name="last", dependencies=["nobody"])]
    assert check(broken)[0].code == "unknown-dependency"
    with pytest.raises(InvalidWorkflowError) as raised:
        plan(broken)
    listed = _listed(raised.value.problems, 2001)
    assert [problem.severity for problem in listed].count("error") == 1
    assert raised.value.problems[-1].severity == "warning"


@pytest.mark.parametrize("errors", [998, 999, 1000, 1001])
@pytest.mark.parametrize("warnings", [0, 1, 2])
def test_exactly_what_does_not_fit_is_counted(errors: int, warnings: int) -> None:
    """Up to 1,000 all are listed; beyond, the last one has the highest severity of those left out."""
    steps = [
        *(Step(name=name, dependencies=["nobody"]) for name in NAMES[:errors]),
        *(Step(name=f"odd-{number}", metadata={"execution_mode": "odd"}) for number in range(warnings)),
    ]
    problems = check(steps)
    if errors + warnings <= 1000:
        assert len(problems) == errors + warnings
        assert problems[-1].code != "limit-exceeded"
    else:
        listed = _listed(problems, errors + warnings)
        shown = [problem.severity for problem in listed]
        assert shown == ["error"] * min(errors, len(listed)) + ["warning"] * (len(listed) - errors)
        assert problems[-1].severity == ("error" if errors > len(listed) else "warning")


# Round trips


@pytest.fixture(scope="module")
def planned(layered: List[Step]) -> ExecutionPlan:
    return plan(layered)


@pytest.fixture(scope="module")
def long_plan(chain: List[Step]) -> ExecutionPlan:
    return plan(chain)


def test_a_large_workflow_survives_json(planned: ExecutionPlan) -> None:
    assert Workflow.model_validate_json(planned.workflow.model_dump_json()) == planned.workflow


def test_a_large_plan_survives_json(long_plan: ExecutionPlan) -> None:
    assert ExecutionPlan.model_validate_json(long_plan.model_dump_json()) == long_plan


def test_a_large_plan_survives_pickling(long_plan: ExecutionPlan) -> None:
    again = pickle.loads(pickle.dumps(long_plan))
    assert again == long_plan
    assert len(again.steps) == MANY


def test_a_large_plan_survives_copying(long_plan: ExecutionPlan) -> None:
    assert copy.deepcopy(long_plan) == long_plan


def test_a_large_workflow_is_read(planned: ExecutionPlan) -> None:
    reading = read(planned.workflow.model_dump_json())
    assert reading.ok
    assert reading.workflow == planned.workflow
    assert plan(reading) == planned


def test_a_large_plan_is_read(long_plan: ExecutionPlan) -> None:
    """Its batches verified."""
    reading = read(long_plan.model_dump_json())
    assert reading.ok
    assert plan(reading) == long_plan


def test_a_large_broken_document_is_read_to_the_end() -> None:
    """A wrong field in every step, and an unknown field too."""
    count = 20_000
    document = {"steps": [{"name": name, "confidence": "high", "labels": [1]} for name in NAMES[:count]]}
    problems = read(document).problems
    assert {problem.code for problem in _listed(problems, 2 * count)} == {"invalid-field"}


def test_a_large_plan_has_a_fingerprint_and_a_table(planned: ExecutionPlan) -> None:
    assert len(planned.fingerprint) == 64
    assert len(str(planned).splitlines()) > MANY


# The graph alone


def test_very_many_names_have_levels() -> None:
    """A hundred levels, a thousand names wide, declared in any order; no models."""
    mapping = {NAMES[number]: NAMES[number - 1000 : number - 999] for number in _shuffled(range(1000, MANY))}
    levels = DependencyGraph.from_mapping({**mapping, **{name: [] for name in NAMES[:1000]}}).levels()
    assert len(levels) == 100
    assert set(map(len, levels)) == {1000}


def test_a_chain_of_very_many_names_has_levels() -> None:
    """From its end: each name's dependency is declared right after it."""
    graph = DependencyGraph.from_mapping({name: NAMES[number + 1 : number + 2] for number, name in enumerate(NAMES)})
    assert graph.levels() == tuple((name,) for name in reversed(NAMES))


def test_ancestors_and_descendants_of_a_long_chain_are_found() -> None:
    graph = DependencyGraph.from_mapping({name: NAMES[number + 1 : number + 2] for number, name in enumerate(NAMES)})
    assert graph.ancestors("s0") == tuple(NAMES[1:])
    assert graph.descendants(NAMES[-1]) == tuple(NAMES[:-1])
    assert graph.dependents("s1") == ("s0",)


def test_the_neighbours_of_everyone_are_found_in_one_pass() -> None:
    """A hub with many dependents is laid out once, not once for each question."""
    graph = DependencyGraph.from_mapping({**{name: ["hub"] for name in NAMES}, "join": NAMES})
    assert len(graph.dependents("hub")) == MANY
    assert sum(len(graph.dependents(name)) for name in NAMES) == MANY
    assert sum(len(graph.dependencies(name)) for name in graph) == 2 * MANY


def test_the_sorter_of_a_long_chain_gives_its_order() -> None:
    graph = DependencyGraph.from_mapping(
        {name: NAMES[max(number - 1, 0) : number] for number, name in enumerate(NAMES)}
    )
    assert list(graph.sorter().static_order()) == NAMES


# Workflows as values


def test_a_step_of_a_large_workflow_is_selected_with_all_that_it_needs(chain: List[Step]) -> None:
    workflow = Workflow(steps=chain)
    assert workflow.select(NAMES[-1]) == workflow
    assert workflow.select("s0").steps == (chain[0],)


def test_many_steps_are_taken_out_of_a_large_workflow(free: List[Step]) -> None:
    assert Workflow(steps=free).without(*NAMES[1:]).steps == (free[0],)
