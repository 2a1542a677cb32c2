"""The garbage collector is paused while values are built, and left as it was found."""

from __future__ import annotations

import gc

import pytest

import wfplan
from wfplan.collector import without_collection


def test_it_is_paused_inside_and_on_again_after() -> None:
    assert gc.isenabled()
    with without_collection():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_is_on_again_after_an_error() -> None:
    with pytest.raises(ValueError, match="inside"), without_collection():
        raise ValueError("inside")
    assert gc.isenabled()


def test_it_stays_off_where_it_was_off() -> None:
    gc.disable()
    try:
        with without_collection():
            assert not gc.isenabled()
        wfplan.plan(wfplan.read('[{"id": "a", "action": "x"}]'))
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_no_code_of_a_caller_runs_while_it_is_paused() -> None:
    """An iterator, for one, sees the collector as its caller left it."""
    seen = []

    def recommendations() -> object:
        seen.append(gc.isenabled())
        yield wfplan.Recommendation(id="a", action="x")

    wfplan.plan(recommendations())  # type: ignore[arg-type]
    assert seen == [True]
