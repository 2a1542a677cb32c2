"""After every test of this folder: no thread of the library is left, no coroutine was never awaited."""

from __future__ import annotations

import gc
import sys
from typing import Any, Iterator, List

import pytest
from execution_helpers import Driver, Gate, no_threads_within, wfplan_threads


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """A test that leaves a hanging function behind does it with a `gate`, which lets it go before this looks."""
    unraisable: List[Any] = []
    hook = sys.unraisablehook
    sys.unraisablehook = lambda told: unraisable.append((told.exc_type, str(told.exc_value), repr(told.object)))
    before = set(wfplan_threads())  # left by a test before, which has failed for it
    try:
        yield
        left = no_threads_within(2.0, but=before)
        gc.collect(1)
    finally:
        sys.unraisablehook = hook
    assert not left, f"threads are left: {left}"
    assert not unraisable, f"raised where nobody catches: {unraisable}"


@pytest.fixture(params=["run", "arun"])
def drive(request: pytest.FixtureRequest) -> Driver:
    """Both drivers, called the same way; a hang fails the test."""
    return Driver(request.param)


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.opened.set()
