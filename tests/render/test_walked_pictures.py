"""Whoever follows the lines of a picture finds the plan's dependencies, all of them and no others."""

from __future__ import annotations

from typing import Callable, Dict, List

import pytest
from documented_pictures import example, real_workflow
from hostile_plans import hostile_plan, random_plan
from hypothesis import given
from hypothesis import strategies as st
from walked_pictures import Picture

import wfplan
from wfplan import ExecutionPlan, render
from wfplan.render.svg.edges import edges_of
from wfplan.render.view import scene_of

COLUMNS = 5
"""Boxes of the longest names in a row."""


def wide(number: int) -> str:
    """A name so long that no more than five boxes stand in a row."""
    return f"step-{number:021d}"


@st.composite
def layered(draw: st.DrawFn, most: int = 60) -> ExecutionPlan:
    """Up to so many steps in batches of one to eight rows; each step needs some of the batch before, or of any."""
    sizes: List[int] = []
    left = draw(st.integers(2, most))
    while left:
        sizes.append(draw(st.integers(1, min(left, 8 * COLUMNS))))
        left -= sizes[-1]
    needs: Dict[str, List[str]] = {}
    before: List[str] = []
    for size in sizes:
        earlier = list(needs)
        names = [wide(len(needs) + place) for place in range(size)]
        for name in names:
            needed = draw(st.lists(st.sampled_from(earlier), max_size=3)) if earlier else []
            needs[name] = [*dict.fromkeys([*([draw(st.sampled_from(before))] if before else []), *needed])]
        before = names
    return wfplan.plan(needs)


def check(plan: ExecutionPlan) -> None:
    """Also that a picture has a line for each dependency, and that no line is hidden by a box."""
    drawn = Picture(render.svg(plan))
    edges = edges_of(scene_of(plan))[0]
    assert sorted(drawn.told) == sorted(edges)
    assert drawn.led_to() == set(edges)
    assert drawn.behind_boxes() == []


@given(plan=layered())
def test_lines_lead_where_dependencies_do(plan: ExecutionPlan) -> None:
    check(plan)


@pytest.mark.parametrize("rows", range(1, 9))
def test_lines_lead_where_dependencies_do_in_so_many_rows(rows: int) -> None:
    """Each step needs the one of its own place in the batch before, and the one below that in the batch before."""
    size = rows * COLUMNS
    names = [[wide(batch * size + place) for place in range(size)] for batch in range(min(4, 200 // size))]
    needs: Dict[str, List[str]] = {name: [] for name in names[0]}
    for upper, lower in zip(names, names[1:]):
        needs.update(
            (name, [*dict.fromkeys([upper[place], upper[(place + 1) % size], names[0][place]])])
            for place, name in enumerate(lower)
        )
    plan = wfplan.plan(needs)
    assert len({top for _, top, _, _ in Picture(render.svg(plan)).boxes.values()}) == rows * len(plan.batches)
    check(plan)


@pytest.mark.parametrize(("steps", "width", "needs"), [(2, 1, 1), (50, 8, 2), (120, 40, 3), (200, 16, 3), (200, 3, 5)])
def test_lines_lead_where_dependencies_do_in_random_plans(steps: int, width: int, needs: int) -> None:
    check(random_plan(steps, width, needs))


@pytest.mark.parametrize("make", [example, real_workflow, hostile_plan])
def test_lines_lead_where_dependencies_do_in_real_plans(make: Callable[[], ExecutionPlan]) -> None:
    check(make())


@pytest.mark.parametrize("size", [2, 3, 12])
def test_all_to_all(size: int) -> None:
    upper, lower = [f"a{place}" for place in range(size)], [f"b{place}" for place in range(size)]
    check(wfplan.plan({**{name: [] for name in upper}, **dict.fromkeys(lower, upper)}))


def test_wide_batches_between_two_steps() -> None:
    names = [f"worker-{place}" for place in range(40)]
    check(wfplan.plan({"start": [], **{name: ["start"] for name in names}, "join": names, "far": [*names, "join"]}))


def test_where_dependencies_are_very_many() -> None:
    check(wfplan.plan({str(place): [str(other) for other in range(place)] for place in range(60)}))


def test_a_finger_notices_what_cannot_be_told_apart() -> None:
    """The same picture, but for a line that has been moved onto another."""
    drawn = render.svg(wfplan.plan({"a": [], "b": [], "c": ["a", "b"], "d": ["b"]}))
    moved = Picture(drawn)
    straight, *_ = moved.lines
    moved.lines[-1] = [straight[0]._replace(start=moved.lines[-1][0].start), *straight[1:]]
    assert moved.led_to() != {("a", "c"), ("b", "c"), ("b", "d")}
    assert Picture(drawn).led_to() == {("a", "c"), ("b", "c"), ("b", "d")}
