"""Everything that `plan` and `check` accept, brought to one form."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, NamedTuple, Sequence, Union, cast

from pydantic import BaseModel, ValidationError
from typing_extensions import TypeAlias

from wfplan._internal.identifiers import name_error
from wfplan._internal.json import is_list, is_mapping
from wfplan._internal.messages import describe_error, quote
from wfplan._internal.validation_errors import add_field_errors, kind_of, show
from wfplan.catalog.actions import ResolvedAction
from wfplan.models import ExecutionStrategy, Recommendation, Step, Workflow
from wfplan.plans import ExecutionPlan
from wfplan.problems import ProblemCollector
from wfplan.reading import CATALOG_CODES, Reading, report_unresolved
from wfplan.relations import READ_FIRST, RECOMMENDATIONS, STEPS, Item, ItemKind, Levels, check_relations, refresh

__all__ = ["PlanSource", "Source", "open_source", "report_unchecked"]

PlanSource: TypeAlias = Union[Mapping[str, Sequence[str]], Workflow, Reading, Iterable[Step], Iterable[Recommendation]]
"""What can be planned; a mapping is `{name: what it needs}`."""

_LISTS = frozenset(("recommendations", "steps"))
_DOCUMENT_KEYS = _LISTS | {"execution_strategy", "name", "schema_version"}
_MAPPING = STEPS._replace(missing="add the entry {name}: [] if it is a step of its own")


class Source(NamedTuple):
    """What is to be planned, and what a search for problems in it gave."""

    items: Sequence[Item]
    item_kind: ItemKind
    checked_levels: Levels | None
    """None if there are errors."""
    workflow: Workflow | None = None
    """The workflow that the items are the steps of, if they were one."""
    strategy: ExecutionStrategy | None = None
    """The settings that the source has."""
    resolved_actions: Sequence[ResolvedAction] | None = None
    """What the catalog said of all of them, if they were read with one, and there is no other."""

    @property
    def values(self) -> Sequence[object]:
        """All that may have been made without checks."""
        return (*self.items, self.strategy)


def open_source(source: object, problems: ProblemCollector, *, has_catalog: bool = False) -> Source | None:
    """Return the items of `source`, with their levels; add every problem. None if it cannot be understood.

    With a catalog (`has_catalog`), what another one said when a reading was made does not count. Never raises for what
    it is handed: what the caller's own iterator raises is a problem, too.
    """
    try:
        complaint = _why_not_a_source(source)
        if complaint:
            problems.add("invalid-document", complaint[0], suggestion=complaint[1])
            return None
        given = _take(source)
    except Exception as error:  # noqa: BLE001 - an iterator of the caller's that fails
        problems.add(
            "invalid-document",
            f"looking at the {type(source).__name__} raised {describe_error(error)}",
            suggestion="see that it can be iterated over",
        )
        return None
    try:
        return _open(given, problems, has_catalog=has_catalog)
    except Exception as error:  # noqa: BLE001 - raised again, unless a value was made without checks
        values: Any = cast("Any", given) if isinstance(given, tuple) else (given,)
        report_unchecked(error, values, problems)
        return None


def report_unchecked(error: Exception, values: Iterable[object], problems: ProblemCollector) -> None:
    """Add the problem that one of the values was made without checks, if that is why something raised `error`.

    Raises:
        Exception: `error` itself, where they are all sound: then the caller is not to blame.
    """
    if not any(isinstance(value, BaseModel) and not _is_sound(value) for value in values):
        raise error
    advice = "make values by their constructors, which check them"
    problems.add("invalid-document", f"looking at the values raised {describe_error(error)}", suggestion=advice)


def _is_sound(value: BaseModel) -> bool:
    """Return whether it could have been made by its constructor, all values in it too."""
    try:
        return bool(type(value).model_validate(value.model_dump(warnings=False)))
    except Exception:  # noqa: BLE001 - it was made without checks, and holds anything
        return False


def _take(source: object) -> object:
    """Return the source itself if it is a model, a dictionary or a tuple; else exhaust the caller's iterator."""
    if isinstance(source, (Reading, Workflow)):
        return source
    return dict(source) if is_mapping(source) else tuple(cast("Iterable[Any]", source))


def _open(source: object, problems: ProblemCollector, *, has_catalog: bool) -> Source | None:
    if isinstance(source, Reading):
        return _open_reading(source, problems, has_catalog=has_catalog)
    if isinstance(source, Workflow):
        found = check_relations(source.steps, STEPS, problems)
        return Source(source.steps, STEPS, found, source, strategy=source.execution_strategy)
    if is_mapping(source):
        return _open_mapping(source, problems)
    return _open_items(cast("tuple[Any, ...]", source), problems)


def _open_reading(reading: Reading, problems: ProblemCollector, *, has_catalog: bool) -> Source:
    message = reading.problems_without(CATALOG_CODES) if has_catalog else reading.problems
    resolved_actions = None if has_catalog else reading.resolved_actions
    items, item_kind = reading.items, reading.item_kind
    strategy = reading.workflow.execution_strategy if reading.workflow else reading.execution_strategy
    opened = Source(items, item_kind, None, reading.workflow, strategy, resolved_actions)
    for problem in message:
        problems.append(problem)
    if problems.has_errors:
        return opened
    if reading.known is not None:
        return opened._replace(checked_levels=refresh(reading.known, items, item_kind))
    found = ProblemCollector()  # it was made by hand, or its problems were those of another catalog
    checked_levels = check_relations(items, item_kind, found)
    report_unresolved(items, item_kind, resolved_actions, found)
    known = {(problem.code, problem.message) for problem in message}
    for problem in found.as_tuple():
        if (problem.code, problem.message) not in known:
            problems.append(problem)
    return opened._replace(checked_levels=checked_levels)


def _open_mapping(entries: Mapping[Any, Any], problems: ProblemCollector) -> Source | None:
    if _is_document(entries):
        message = "this is a document, not a mapping from names to what they need"
        problems.add("invalid-document", message, suggestion=READ_FIRST)
        return None
    steps: list[Step] = []
    broken: list[str] = []
    for name, needs in entries.items():
        try:
            steps.append(Step(name=name, dependencies=needs))
        except ValidationError as error:
            broken.append(name if isinstance(name, str) else show(name))
            is_name = isinstance(name, str) and not name_error(name)
            subject = f"the entry {quote(name)}" if isinstance(name, str) else "an entry"
            add_field_errors(error, problems, subject=subject, steps=(name,) if is_name else ())
    return Source(steps, _MAPPING, check_relations(steps, _MAPPING, problems, unreadable=broken))


def _is_document(entries: Mapping[Any, Any]) -> bool:
    """Return whether this is what `wfplan.read` reads: objects in it, or a list beside nothing but its other keys."""
    if not _LISTS.isdisjoint(entries) and _DOCUMENT_KEYS.issuperset(entries):
        return True
    return any(
        is_mapping(needs) or (is_list(needs) and any(is_mapping(needed) for needed in needs))
        for needs in entries.values()
    )


def _open_items(items: tuple[Any, ...], problems: ProblemCollector) -> Source | None:
    if items and not isinstance(items[0], (Step, Recommendation)):
        message = f"item 1 is {kind_of(items[0])}, not a Step or a Recommendation"
        problems.add("invalid-document", message, suggestion=READ_FIRST)
        return None
    item_kind = RECOMMENDATIONS if items and isinstance(items[0], Recommendation) else STEPS
    return Source(items, item_kind, check_relations(items, item_kind, problems))


def _why_a_table_is_not_a_source(source: object) -> tuple[str, str] | None:
    """Return what to do with a data frame or a series of pandas or polars; None if it is neither.

    They can be iterated over, but a frame gives the names of its columns then, and a series its values without names.
    """
    kind = type(source).__name__
    if hasattr(source, "to_dicts"):
        return f"a {kind} is a table, not a list of steps", "plan(read(table.to_dicts())), a row for each step"
    if not hasattr(source, "to_dict"):
        return None
    if hasattr(source, "columns"):
        return f"a {kind} is a table, not a list of steps", 'plan(read(table.to_dict("records"))), a row for each step'
    if hasattr(source, "dtype"):
        return f"a {kind} is not a list of steps", "plan(series.to_dict()), if it holds what each name needs"
    return None


def _why_not_a_source(source: object) -> tuple[str, str] | None:
    """Return what keeps `source` from being one that can be planned, and what to do about it."""
    kind = type(source).__name__
    if isinstance(source, (str, bytes, bytearray)):
        return "a string cannot be planned", READ_FIRST
    if isinstance(source, ExecutionPlan):
        return "this is a plan already", "plan its workflow: plan(source.workflow)"
    if isinstance(source, (Step, Recommendation)):
        return f"this is one {kind}, not a list", "plan a list: plan([source])"
    if isinstance(source, (set, frozenset)):
        return "a set of steps has no order", "plan a list"
    table = _why_a_table_is_not_a_source(source)
    if table is not None:
        return table
    if not isinstance(source, Iterable):
        return f"a value of type {kind} cannot be planned", "plan a mapping, a workflow, a reading or a list of steps"
    return None
