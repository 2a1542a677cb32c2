"""Plans to walk, with everything in them that a run looks at, and the choices of whoever walks them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Dict, NamedTuple, Optional, Sequence

from hypothesis import strategies as st

from wfplan import Compensation, ExecutionPlan, ExecutionStrategy, RetryPolicy, Step, Workflow, plan

NAMES = "abcdefgh"
SCHEDULES = ("batch", "eager")
REACTIONS = ("stop", "cancel", "skip-dependents")


@lru_cache(maxsize=None)
def retries() -> st.SearchStrategy[Optional[RetryPolicy]]:
    """Retry policies with few attempts and short delays."""
    return st.none() | st.builds(
        RetryPolicy,
        max_attempts=st.integers(1, 4),
        delay_seconds=st.sampled_from((0, 0.5, 2)),
        factor=st.sampled_from((1, 2, 3)),
        max_delay_seconds=st.sampled_from((None, 0, 1, 5)),
        jitter=st.sampled_from((0, 0, 0.5, 1)),
        retry_timeouts=st.sampled_from((True, True, False)),
    )


@lru_cache(maxsize=None)
def _own(*, timed: bool, undoable: bool) -> st.SearchStrategy[Dict[str, Any]]:
    modes = ({}, {}, {}, {"execution_mode": "sequential"}, {"execution_mode": "parallel"}, {"execution_mode": "odd"})
    return st.fixed_dictionaries(
        {
            "metadata": st.sampled_from(modes),
            "locks": st.sampled_from(((), (), (), ("x",), ("y",), ("x", "y"), ("y", "x"), ("z", "y"), ("z",))),
            "retry": retries(),
            "timeout_seconds": st.sampled_from((None, None, 1, 2, 3.5)) if timed else st.none(),
            "continue_on_failure": st.sampled_from((False, False, True)),
            "estimated_seconds": st.sampled_from((None, None, 0, 1, 2, 5)),
            "idempotent": st.sampled_from((None, None, True, False)),
            "rollback": st.sampled_from((None, Compensation(action="undo"))) if undoable else st.none(),
        }
    )


@st.composite
def plans(draw: st.DrawFn, *, timed: bool = True, max_size: int = 7, undoable: bool = False) -> ExecutionPlan:
    """Plans of a few steps, in any declared order, with any settings.

    `undoable` ones may have compensations, rollbacks and dry runs.
    """
    order = draw(st.permutations(range(draw(st.integers(0, max_size)))))
    bits = draw(st.lists(st.integers(0, 2**16 - 1), min_size=len(order), max_size=len(order)))
    needed: Dict[int, Sequence[str]] = {}
    for place, number in enumerate(order):
        # two bits for each step before: a quarter of all edges, rather few for a graph in which things go on at once
        needed[number] = [NAMES[order[back]] for back in range(place) if bits[place] >> 2 * back & 3 == 3]
    fields = _own(timed=timed, undoable=undoable)
    steps = [Step(name=NAMES[n], dependencies=needed[n], **draw(fields)) for n in range(len(order))]
    settings = ExecutionStrategy(
        mode=draw(st.sampled_from(("auto", "auto", "auto", "sequential"))),
        max_parallel=draw(st.sampled_from((None, None, 1, 2, 3))),
        isolate_sequential=draw(st.booleans()),
        max_batch_size=draw(st.sampled_from((None, None, 1, 2, 3))),
        schedule=draw(st.sampled_from(SCHEDULES)),
        on_failure=draw(st.sampled_from(REACTIONS)),
        dry_run_first=undoable and draw(st.sampled_from((False, False, True))),
        rollback_on_failure=undoable and draw(st.sampled_from((True, True, False))),
    )
    return plan(Workflow(steps=steps, execution_strategy=settings))


class Choices:
    """Numbers that somebody has chosen beforehand; when they are used up, always the first."""

    def __init__(self, chosen: bytes) -> None:
        self._chosen = iter(chosen)

    def below(self, count: int) -> int:
        """One of the numbers from 0 on."""
        return next(self._chosen, 0) % count


@lru_cache(maxsize=None)
def choices(min_size: int = 60, max_size: int = 160) -> st.SearchStrategy[Choices]:
    """What is decided while a plan is walked; shrinks to decisions for the first."""
    return st.binary(min_size=min_size, max_size=max_size).map(Choices)


class Keywords(NamedTuple):
    """What is given to a `Progress` in place of the settings of the plan."""

    schedule: Optional[str] = None
    max_parallel: Optional[int] = None
    on_failure: Optional[str] = None


@lru_cache(maxsize=None)
def keywords() -> st.SearchStrategy[Keywords]:
    """Mostly nothing."""
    return st.builds(
        Keywords,
        schedule=st.sampled_from((None, None, *SCHEDULES)),
        max_parallel=st.sampled_from((None, None, None, 1, 2, 4)),
        on_failure=st.sampled_from((None, None, *REACTIONS)),
    )
