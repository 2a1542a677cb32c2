"""read: JSON text, bytes, a dict or a list to a Reading."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Sequence, Union

from wfplan.catalog import Catalog, ResolvedAction, as_catalog
from wfplan.catalog_lookup import look_up, uses_of
from wfplan.field_errors import kind_of
from wfplan.intake.answer import CUT_OFF, NO_PLAN, Found, find_document
from wfplan.intake.canonical import Canonical, read_canonical
from wfplan.intake.hints import Hints
from wfplan.intake.items import ReadItems, ids_of, items_location, read_items, report_beside
from wfplan.intake.limits import DEFAULT, Limits
from wfplan.intake.lookalikes import report_lookalikes
from wfplan.intake.origins import Origin
from wfplan.intake.plan_dumps import verify_plan
from wfplan.intake.settings import read_settings
from wfplan.intake.shapes import Shape, find_shape
from wfplan.intake.syntax import RepeatedKey, decode, inspect_document, parse
from wfplan.intake.tidying import Spelling, tidy
from wfplan.intake.wrappers import unwrap
from wfplan.json_values import is_list, is_object
from wfplan.locations import ListLocation, pointer
from wfplan.models import Workflow
from wfplan.names import quote, why_not_a_name
from wfplan.problems import LENIENT, Problem, ProblemList
from wfplan.reading import Reading, make_reading
from wfplan.validation import (
    RECOMMENDATIONS,
    STEPS,
    Survey,
    add_unknown_modes,
    find_levels,
    note_missing_dependencies,
    survey,
)

__all__ = ["read"]


def read(
    source: Union[str, bytes, bytearray, Dict[str, Any], List[Any]],
    *,
    strict: bool = False,
    catalog: Catalog | None = None,
    max_bytes: int = DEFAULT.max_bytes,
    max_depth: int = DEFAULT.max_depth,
    max_steps: int = DEFAULT.max_steps,
    max_dependencies: int = DEFAULT.max_dependencies,
) -> Reading:
    """What `source` means: recommendations or a workflow, and every problem with them. Never raises, whatever it is.

    JSON as text or in UTF-8, or the objects that it stands for: `{"recommendations": [...]}`, `{"steps": [...]}` (steps
    if they have a `name`, recommendations if they have an `id`), either list alone, a WorkflowExecution resource, or
    the dump of a workflow or of a plan, whose batches are then verified.

    What models write instead is read too, as far as nothing about the order has to be guessed: text around the JSON,
    other names of keys, numbers for ids and the like. Each is a warning with a code of its own; an error, if `strict`.

    With a `catalog`, actions that are not in it, and parameters that do not fit, are errors like all others. The
    recommendations stay as they were written: what the catalog says is kept beside them, and gets onto steps by
    `plan(reading)`.

    `max_bytes` bounds text, `max_depth` the levels of nesting (text is never read beyond 200), `max_steps` the steps,
    `max_dependencies` the dependencies and locks of all together; what is beyond is refused whole.

    >>> reading = read('The plan: {"steps": [{"id": 1, "action": "scale"}, {"id": 2, "tool": "verify", "needs": [0]}]}')
    >>> reading.ok
    False
    >>> print(reading.problems[0].location, reading.problems[0].message)
    /steps/1/needs/0 "2" needs "0", but no recommendation has this id
    """
    limits = Limits(max_bytes, max_depth, max_steps, max_dependencies)
    problems = ProblemList()
    problems.revise = _as_error if strict else None
    actions = None if catalog is None else as_catalog(catalog, problems)
    found: Found | None = Found(source, has_pointers=True)
    if isinstance(source, (str, bytes, bytearray)):
        text = decode(source, limits, problems)
        canonical = None if text is None else read_canonical(text, limits)
        reading = None if canonical is None or problems.has_errors else _read_canonical(canonical, actions)
        if reading is not None:
            return reading
        found = None if text is None else _parse(text, limits, problems)
    elif not (is_object(source) or is_list(source)):
        found = None
        problems.add(
            "invalid-document",
            f"{kind_of(source)} cannot be read",
            suggestion="pass JSON text, or the dict or list that it stands for",
        )
    if found is None:
        return make_reading((), None, problems, None)
    if isinstance(source, (str, bytes, bytearray)):
        return _read_found(found, limits, actions, problems)
    return _read_foreign(found, limits, actions, problems)


def _read_foreign(found: Found, limits: Limits, catalog: Catalog | None, problems: ProblemList) -> Reading:
    """The same for objects that may be of any class, whose methods are code of somebody else."""
    try:
        return _read_found(found, limits, catalog, problems)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        problems.revise = None
        told = f"an object in the document raises {type(error).__name__} when it is looked at"
        problems.add("invalid-document", told, suggestion="pass what json.loads returns")
        return make_reading((), None, problems, None)


def _read_found(found: Found, limits: Limits, catalog: Catalog | None, problems: ProblemList) -> Reading:
    """The long way, from a document of any shape: wrappers are taken off, names and values of items made canonical."""
    severely = problems.revise
    document, has_pointers = found
    repeated = inspect_document(document, limits, problems)
    if repeated is None:
        return make_reading((), None, problems, None)
    unwrapped = unwrap(document, problems)
    spelling = Spelling({}, {})
    list_pointer = "" if unwrapped.list_key is None else "/recommendations"
    origin = Origin(document, unwrapped.base, unwrapped.list_key, unwrapped.keys, list_pointer, spelling)
    problems.revise = _Revising(origin, None, severely, has_pointers=has_pointers)
    if unwrapped.document is not document and inspect_document(unwrapped.document, limits, problems) is None:
        return make_reading((), None, problems, None)
    shape = find_shape(unwrapped.document, problems)
    problems.revise = severely
    _report_repeated(document, repeated, problems)
    if shape is None or not _is_within(shape, limits, problems):
        return make_reading((), None, problems, None)
    origin = origin._replace(list_pointer=shape.location)
    problems.revise = _Revising(origin, None, severely, has_pointers=has_pointers)
    shape = shape._replace(items=tidy(shape, spelling, problems))
    if not _is_within(shape, limits, problems):  # a text may have been a long list
        return make_reading((), None, problems, None)
    hints = Hints(shape.items, shape.wording.key)
    problems.revise = severely
    ids = ids_of(shape)
    report_beside(unwrapped.beside, ids, problems)
    problems.revise = _Revising(origin, hints, severely, has_pointers=has_pointers)
    return _read_shape(shape, ids, catalog, problems)


class _Revising:
    """What is done to each problem with a document: its place is told as in the original, and its likely cause."""

    def __init__(
        self,
        origin: Origin,
        hints: Hints | None,
        severely: Callable[[Problem], Problem | None] | None,
        *,
        has_pointers: bool,
    ) -> None:
        self._origin = origin
        self._hints = hints
        self._severely = severely
        self._has_pointers = has_pointers

    def __call__(self, problem: Problem) -> Problem | None:
        if self._hints is not None:
            problem = self._hints.improve(problem)
        location = self._origin.of(problem.location) if self._has_pointers else ""
        if location != problem.location:
            problem = problem.model_copy(update={"location": location})
        return problem if self._severely is None else self._severely(problem)


def _as_error(problem: Problem) -> Problem:
    """Strictly, what was read otherwise than it was written is refused."""
    if problem.code in LENIENT and problem.severity == "warning":
        return problem.model_copy(update={"severity": "error"})
    return problem


def _parse(text: str, limits: Limits, problems: ProblemList) -> Found | None:
    """The document in a text: the whole, or the one that is somewhere in it."""
    silent = ProblemList()
    document = parse(text, silent)
    if not silent.has_errors:
        return Found(document, has_pointers=True)
    found = None
    if all(problem.code != "limit-exceeded" for problem in silent.listed()):
        looked = ProblemList()
        found = find_document(text, limits, looked)
        told = [problem.message for problem in looked.listed() if problem.severity == "error"]
        says_little = all(message.startswith((NO_PLAN, CUT_OFF)) for message in told)
        if found is not None or not says_little or text.lstrip()[:1] not in ("{", "["):
            silent = looked  # else, the parser knows better what is wrong with it
    for problem in silent.listed():
        problems.keep(problem)
    return found


def _read_canonical(canonical: Canonical, catalog: Catalog | None) -> Reading | None:
    """The short way: every item is valid, only what lies between them is looked for.

    None if an error is found, of which the long way knows more.
    """
    problems = ProblemList()
    items, location, workflow, plan = canonical
    wording = RECOMMENDATIONS if workflow is None else STEPS
    names: List[Any] = [vars(item)[wording.key] for item in items]
    report_lookalikes(names, wording.noun, location, problems)
    surveyed = _search(items, workflow, ListLocation(location), problems)
    resolved: List[ResolvedAction] | None = None
    if catalog is not None:
        resolved = look_up(uses_of(items, wording), catalog, wording, problems, ListLocation(location))
    if plan is not None and workflow is not None and surveyed is not None:
        verify_plan(plan, items, workflow, surveyed, problems)
    return None if problems.has_errors else make_reading(items, workflow, problems, surveyed, resolved)


def _report_repeated(document: Any, repeated: Sequence[RepeatedKey], problems: ProblemList) -> None:
    """Add a problem for each key that an object has twice, with the id of the item that it is in."""
    for path, key in repeated:
        problems.add(
            "duplicate-key",
            f"the key {quote(key)} is there more than once",
            steps=_item_at(document, path),
            location=pointer((*path, key)),
            suggestion="keep the one that is meant",
        )


def _item_at(document: Any, path: Sequence[Any]) -> tuple[str, ...]:
    """What the first object in a list is called on this path in the document, if there is one."""
    value = document
    for part in path:
        value = value[part]
        name = value.get("id", value.get("name")) if isinstance(part, int) and is_object(value) else None
        if isinstance(name, str) and not why_not_a_name(name):
            return (name,)
    return ()


def _read_shape(shape: Shape, ids: set[str], catalog: Catalog | None, problems: ProblemList) -> Reading:
    """The long way: item by item, every problem with its place."""
    report_beside(shape.beside, ids, problems)
    for location, key, value in shape.beside:
        if key == "problems" and _holds_errors(value):
            problems.add(
                "invalid-document",
                "this is the dump of a reading that has errors: what could not be read is not in it",
                location=location + pointer((key,)),
                suggestion="read the document that it was made from",
            )
    workflow = read_settings(shape, problems) if shape.wording is STEPS else None
    if workflow is None:
        _report_unread_settings(shape, problems)
    _report_lookalikes(shape, problems)
    read = read_items(shape, ids, problems)
    items = tuple(read.items)
    surveyed = None
    if len(items) < len(shape.items):
        _search_partly_read(read, ids, shape, problems)
    else:
        surveyed = _search(items, workflow, items_location(shape, read), problems)
    resolved: List[ResolvedAction] | None = None
    if catalog is not None:
        resolved = look_up(read.uses, catalog, shape.wording, problems, ListLocation(shape.location))
    if shape.plan is not None and workflow is not None and surveyed is not None:
        verify_plan(shape.plan, items, workflow, surveyed, problems)
    return make_reading(items, workflow, problems, surveyed, resolved)


def _report_lookalikes(shape: Shape, problems: ProblemList) -> None:
    key = shape.wording.key
    items: List[Dict[str, Any]] = [item for item in shape.items if is_object(item)]
    names: List[Any] = [item.get(key) for item in items]
    valid: List[str] = [name for name in names if isinstance(name, str) and not why_not_a_name(name)]
    report_lookalikes(valid, shape.wording.noun, shape.location, problems)


def _holds_errors(problems: Any) -> bool:
    return is_list(problems) and any(is_object(problem) and problem.get("severity") == "error" for problem in problems)


def _report_unread_settings(shape: Shape, problems: ProblemList) -> None:
    for location, _ in shape.strategies:
        problems.add(
            "unknown-field",
            "an execution strategy beside recommendations is not read",
            location=location,
            suggestion="pass it on: plan(reading, execution_strategy=...)",
        )


def _search(
    items: tuple[Any, ...], workflow: Workflow | None, location: ListLocation, problems: ProblemList
) -> Survey | None:
    """Look for problems between the items."""
    wording = RECOMMENDATIONS if workflow is None else STEPS
    if wording is RECOMMENDATIONS:
        note_missing_dependencies(items, problems, location)
    return survey(items, wording, problems, location=location)


def _search_partly_read(read: ReadItems, ids: set[str], shape: Shape, problems: ProblemList) -> None:
    """Look for problems between the items where some of them are invalid, but known to exist."""
    others = sorted(ids.difference(read.names))
    find_levels(
        [*read.names, *others],
        [*read.dependencies, *[()] * len(others)],
        shape.wording,
        problems,
        ListLocation(shape.location, read.name_positions),
    )
    add_unknown_modes(read.items, range(len(read.items)), shape.wording, problems, items_location(shape, read))


def _is_within(shape: Shape, limits: Limits, problems: ProblemList) -> bool:
    """Whether the document has no more steps and dependencies than are read."""
    if len(shape.items) > limits.max_steps:
        problems.add(
            "limit-exceeded",
            f"the document has {len(shape.items):,} {shape.wording.noun}s, at most {limits.max_steps:,} are read",
            location=shape.location,
        )
        return False
    lists = (item.get(key) for item in shape.items if is_object(item) for key in ("dependencies", "locks"))
    total = sum(len(needs) for needs in lists if is_list(needs))
    if total > limits.max_dependencies:
        problems.add(
            "limit-exceeded",
            f"the document has {total:,} dependencies and locks, at most {limits.max_dependencies:,} are read",
            location=shape.location,
        )
        return False
    return True
