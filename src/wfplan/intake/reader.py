"""read: JSON or YAML text, bytes, a dict or a list to a Reading, by one law: nothing stated is lost."""

from __future__ import annotations

from typing import Any, Collection, Dict, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple, Union

from wfplan.catalog import Catalog, as_catalog
from wfplan.catalog_lookup import look_up, uses_of
from wfplan.field_errors import kind_of
from wfplan.intake.canonical import Canonical, read_canonical
from wfplan.intake.envelope import Beside, Envelope, find_envelope
from wfplan.intake.extraction import Alone, Extract, extract, find_alone
from wfplan.intake.field_names import FIELDS, plain
from wfplan.intake.item_models import Models, make_models, move_rest
from wfplan.intake.items import Item, Items, read_items
from wfplan.intake.plan_dumps import verify_plan
from wfplan.intake.positions import Path, Positions
from wfplan.intake.references import MARKS, References
from wfplan.intake.remainder import Graph, Remainder, check_metadata
from wfplan.intake.settings import Settings, read_settings
from wfplan.intake.step_names import StepNames, titles_of
from wfplan.intake.syntax import DEFAULT, Json, Limits, decode, inspect, to_plain
from wfplan.json_values import is_list
from wfplan.models import ExecutionStrategy
from wfplan.names import quote
from wfplan.problems import LENIENT, ProblemList
from wfplan.reading import Reading, make_reading
from wfplan.validation import RECOMMENDATIONS, STEPS, Survey, add_unknown_modes, find_levels, survey

__all__ = ["read"]

_STRINGS = FIELDS["id"] | FIELDS["action"] | FIELDS["dependencies"] | {"name", "description"}


class _Options(NamedTuple):
    limits: Limits
    ignore: Set[str]
    catalog: Optional[Catalog]
    may_refer: bool = True
    """Whether the text has anything in it that a reference has."""


def read(
    source: Union[str, bytes, bytearray, Dict[str, Any], List[Any]],
    *,
    strict: bool = False,
    catalog: Catalog | None = None,
    ignore: Iterable[str] = (),
    max_bytes: int = DEFAULT.max_bytes,
    max_depth: int = DEFAULT.max_depth,
    max_steps: int = DEFAULT.max_steps,
    max_dependencies: int = DEFAULT.max_dependencies,
) -> Reading:
    """Return what `source` means, recommendations or a workflow, and every problem with it.

    JSON or YAML, as a string or in UTF-8, or the objects that JSON stands for: `{"recommendations": [...]}`,
    `{"steps": [...]}` (steps if they have only a `name`, recommendations if they have an `id`), either list alone, a
    WorkflowExecution resource, or the dump of a workflow or of a plan, whose batches are then verified.

    What models write instead is read, too, as far as it can mean only one thing: words around it, other names of
    fields, numbers for ids and the like. Each such deviation is a warning with a code of its own. What no field takes
    must not state an order, a condition, a mode or a step, else the document is refused: nothing stated is lost.

    Args:
        source: The document.
        strict: Whether deviations are errors.
        catalog: The actions that there are. One that is not in it, or parameters that do not fit, are errors.
        ignore: Keys that state nothing in this document, such as `("phase", "subtasks")`, whatever their case and
            punctuation and wherever they stand, in parameters, too.
        max_bytes: The size of the text, in bytes of UTF-8.
        max_depth: The levels of nesting.
        max_steps: The number of items.
        max_dependencies: The number of dependencies and locks of all items together.

    Returns:
        A reading. It is never an exception, whatever `source` is: what is wrong is in `Reading.problems`.

    >>> reading = read('The plan: {"steps": [{"id": 1, "action": "scale"}, {"id": 2, "tool": "verify", "needs": [0]}]}')
    >>> reading.ok
    False
    >>> print(reading.problems[0].location, reading.problems[0].message)
    /steps/1/needs/0 "2" needs "0", but no recommendation has this id
    """
    problems = ProblemList()
    options = _Options(
        Limits(max_bytes, max_depth, max_steps, max_dependencies),
        {plain(str(key)) for key in ([ignore] if isinstance(ignore, str) else ignore)},
        None if catalog is None else as_catalog(catalog, problems),
    )
    reading = _read(source, options, problems)
    return _strictly(reading) if strict else reading


def _strictly(reading: Reading) -> Reading:
    """Return the same reading with what was read otherwise than it was written as errors."""
    if not any(problem.code in LENIENT and problem.severity == "warning" for problem in reading.problems):
        return reading
    problems = ProblemList(
        problem.model_copy(update={"severity": "error"})
        if problem.code in LENIENT and problem.severity == "warning"
        else problem
        for problem in reading.problems
    )
    return make_reading(tuple(reading.items), reading.workflow, problems, None, reading.execution_strategy)


def _read(source: Any, options: _Options, problems: ProblemList) -> Reading:
    if isinstance(source, (str, bytes, bytearray)):
        text = decode(source, options.limits, problems)
        if text is None:
            return _nothing(problems)
        options = options._replace(may_refer="\\u" in text or any(mark in text for mark in MARKS))
        alone = find_alone(text)
        reading = _read_canonical(alone.text, options, problems, alone)
        if reading is not None:
            return reading
        found = extract(text, options.limits, problems)
        if found is None:
            return _nothing(problems)
        return _read_extract(found, options, problems)
    if isinstance(source, (dict, list, tuple)):
        document = to_plain(source, options.limits, problems)
        return (
            _nothing(problems)
            if document is None
            else _read_extract(Extract(Json(document, {}), [], [], []), options, problems)
        )
    problems.add(
        "invalid-document",
        f"{kind_of(source)} cannot be read",
        suggestion="pass JSON or YAML as a string, or the dict or list that it stands for",
    )
    return _nothing(problems)


def _nothing(problems: ProblemList) -> Reading:
    return make_reading((), None, problems, None)


# ----------------------------------------------------------------------------------------------------- the short way


def _read_canonical(text: str, options: _Options, known: ProblemList, alone: Alone) -> Reading | None:
    """Return the reading of JSON text that is just what this library writes: pydantic reads it whole.

    None if it is anything else, or an error is found: the long way knows more of it.
    """
    canonical = read_canonical(text, options.limits)
    if canonical is None or known.has_errors:
        return None
    problems = ProblemList(known.listed())
    items, list_pointer, workflow, plan = canonical
    wording = RECOMMENDATIONS if workflow is None else STEPS
    list_path: Path = tuple(list_pointer.split("/")[1:])
    positions = Positions(list_path, [(*list_path, at) for at in range(len(items))])
    surveyed = survey(items, wording, problems, location=positions)
    if surveyed is None:
        return None
    alone.note(problems)
    _check_items(items, wording.key, positions, options, problems)
    if alone.words:
        _look_at_words(canonical, alone.words, positions, options, problems)
    if len(items) > 1 and not any(item.dependencies for item in items):
        states_none = any("dependencies" in item.model_fields_set for item in items)
        _note_no_order(len(items), wording is RECOMMENDATIONS, positions, problems, states_none=states_none)
    if options.catalog is not None:
        look_up(uses_of(items, wording), options.catalog, wording, problems, positions)
    if plan is not None and workflow is not None:
        verify_plan(plan, items, workflow, surveyed, problems)
    return None if problems.has_errors else make_reading(items, workflow, problems, surveyed)


def _check_items(
    items: Sequence[Any], key: str, positions: Positions, options: _Options, problems: ProblemList
) -> None:
    """Look at what the fields of valid items may hide: an order in metadata, references in parameters."""
    check_metadata(items, key, positions, options.ignore, problems)
    if options.may_refer:
        ids: List[str] = [vars(item)[key] for item in items]
        index = {id_: at for at, id_ in enumerate(ids)}
        needs = [{index[need] for need in item.dependencies} for item in items]
        _check_references(items, ids, needs, positions, options.ignore, problems)


def _check_references(
    items: Sequence[Any],
    ids: Sequence[str],
    needs: Sequence[Collection[int]],
    positions: Positions,
    ignore: Collection[str],
    problems: ProblemList,
) -> None:
    references = References(ids, needs, positions, ignore, problems)
    for at, item in enumerate(items):
        references.look_at(at, item.parameters, "parameters")
        rollback = getattr(item, "rollback", None)
        if rollback is not None:
            references.look_at(at, rollback.parameters, "rollback", "parameters")
    references.check()


def _look_at_words(
    canonical: Canonical, words: Sequence[str], positions: Positions, options: _Options, problems: ProblemList
) -> None:
    """Look at the words around a canonical document."""
    key = "id" if canonical.workflow is None else "name"
    ids: List[str] = [vars(item)[key] for item in canonical.items]
    others = ((item.action,) for item in canonical.items)
    index = {id_: at for at, id_ in enumerate(ids)}
    needs = [{index[need] for need in item.dependencies} for item in canonical.items]
    remainder = Remainder(StepNames(ids, others), Graph(ids, needs, any(needs)), positions, options.ignore, problems)
    remainder.look_at_words(words, ())


def _note_no_order(
    count: int, are_recommendations: bool, positions: Positions, problems: ProblemList, *, states_none: bool
) -> None:
    """Add a warning if nothing in a document states an order, a note if each item states that it needs nothing."""
    where = positions.whole()
    if not states_none:
        problems.add(
            "no-order-stated",
            f"nothing in the document says what any of {count:,} steps waits for, so all may run at the same time",
            location=where,
            suggestion='state what each step waits for, "dependencies": [] if it is nothing',
        )
    elif are_recommendations:
        problems.add(
            "no-dependencies",
            f"none of {count:,} recommendations depends on another, so all may run at the same time",
            location=where,
            suggestion="if this is not meant, state what each one needs",
        )


# ------------------------------------------------------------------------------------------------------ the long way


def _read_extract(found: Extract, options: _Options, problems: ProblemList) -> Reading:
    """Return the reading of a document of any shape."""
    if not inspect(found.json, options.limits, problems):
        return _nothing(problems)
    around: List[str] = [*found.words]

    def read_text(text: str) -> Tuple[Any, List[str], List[Any]] | None:
        inner = extract(text, options.limits, ProblemList())
        return None if inner is None or inner.json.repeated else (inner.json.value, inner.words, inner.others)

    envelope = find_envelope(found.json.value, options.ignore, read_text, problems)
    if envelope is None or not _is_within(envelope, options.limits, problems):
        return _nothing(problems)
    around.extend(envelope.words)
    spelled = {} if found.yaml is None else found.yaml.spelled
    items = read_items(envelope, options.ignore, spelled, problems)
    if items is None or not _are_within(items, options.limits, problems):
        return _nothing(problems)
    if found.yaml is not None:
        _note_disputed(found, items.positions, problems)
    settings = read_settings(envelope, items.wording, items.positions, problems)
    others = [Beside((), "", value) for value in (*found.others, *envelope.others)]
    strategy = settings.strategy
    hints: Dict[int, Tuple[str, str]] = {}
    refused: Set[Tuple[int, str]] = set()
    if around or found.comments or others or settings.rest or any(map(_has_rest, items.items)):
        remainder = _look_at_remainder(items, envelope, [*settings.rest, *others], options, problems)
        remainder.look_at_words(around, found.comments)
        remainder.finish()
        strategy, hints = _strategy_of(settings, remainder, items.positions, problems), remainder.hints
        refused = remainder.refused
    move_rest(items, hints, refused, problems)
    return _relate(items, make_models(items, problems), settings, strategy, options, problems)


def _has_rest(item: Item) -> bool:
    return bool(item.rest or item.fields.get("metadata"))


def _look_at_remainder(
    items: Items, envelope: Envelope, beside: Sequence[Beside], options: _Options, problems: ProblemList
) -> Remainder:
    """Return what looked at all that no field took."""
    key = items.wording.key
    count = len(envelope.items)
    ids: List[Optional[str]] = [None] * count
    titles: List[List[str]] = [[] for _ in range(count)]
    needs: List[Set[int]] = [set() for _ in range(count)]
    for item in items.items:
        name = item.fields.get(key)
        ids[item.position] = name if isinstance(name, str) else None
        titles[item.position] = titles_of(item.fields, item.rest)
    index = {id_: at for at, id_ in enumerate(ids) if id_ is not None}
    for item in items.items:
        needs[item.position] = {index[need] for need in item.fields.get("dependencies", ()) if need in index}
    names = [id_ or f"{items.wording.noun} {at + 1}" for at, id_ in enumerate(ids)]
    graph = Graph(names, needs, any(item.fields.get("dependencies") for item in items.items))
    remainder = Remainder(StepNames(ids, titles), graph, items.positions, options.ignore, problems)
    for item in items.items:
        if _has_rest(item):
            remainder.look_at_item(item, envelope.list_key)
    remainder.look_beside(beside)
    return remainder


def _strategy_of(
    settings: Settings, remainder: Remainder, positions: Positions, problems: ProblemList
) -> Optional[ExecutionStrategy]:
    """Return the execution strategy that a document states, by an object of its own or by a mode beside the list."""
    strategy = settings.strategy
    modes = {mode for _, _, mode in remainder.modes}
    stated = None if strategy is None or "mode" not in strategy.model_fields_set else strategy.mode
    for path, key, mode in remainder.modes:
        if len(modes) > 1 or (stated is not None and (stated == "sequential") != (mode == "sequential")):
            problems.add(
                "conflicting-fields",
                f"{quote(key)} of the document contradicts what else it says of its mode",
                location=positions.at(path),
                suggestion="state the mode once",
            )
        else:
            problems.add(
                "mode-alias",
                f"{quote(key)} of the document is read as the mode of its execution strategy",
                location=positions.at(path),
                suggestion='write "execution_strategy": {"mode": "sequential"}, or leave it out',
            )
    if modes != {"sequential"}:
        return strategy
    return (strategy or ExecutionStrategy()).model_copy(update={"mode": "sequential"})


def _note_disputed(found: Extract, positions: Positions, problems: ProblemList) -> None:
    """Add a warning for each scalar that versions of YAML read differently, unless it is a string in any case."""
    for path, text in [] if found.yaml is None else found.yaml.disputed:
        key = next((part for part in reversed(path) if isinstance(part, str)), "")
        if plain(key) not in _STRINGS:
            problems.add(
                "yaml-scalar",
                f"{quote(text)} is read as a string: versions of YAML take it for different things",
                location=positions.at(path),
                suggestion="put it into quotes, or write the value that is meant",
            )


def _relate(
    items: Items,
    models: Models,
    settings: Settings,
    strategy: Optional[ExecutionStrategy],
    options: _Options,
    problems: ProblemList,
) -> Reading:
    """Return the reading of items that were read one by one, with every problem between them."""
    wording, positions = items.wording, items.positions
    valid = tuple(models.valid)
    workflow = settings.workflow if wording is STEPS else None
    if workflow is not None and strategy is not None:
        workflow = workflow.model_copy(update={"execution_strategy": strategy})
    surveyed = _survey(items, models, valid, problems)
    if surveyed is not None and options.may_refer:
        _check_references(
            valid,
            surveyed.names,
            _needs_of(valid, surveyed),
            positions,
            options.ignore,
            problems,
        )
    states_any = any(item.fields.get("dependencies") for item in items.items)
    if len(items.items) > 1 and not states_any and not problems.has_errors:
        is_serial = strategy is not None and strategy.mode == "sequential"
        states_none = items.has_dependency_fields or is_serial
        _note_no_order(len(items.items), wording is RECOMMENDATIONS, positions, problems, states_none=states_none)
    if options.catalog is not None:
        look_up(models.uses, options.catalog, wording, problems, positions)
    if settings.plan is not None and workflow is not None and surveyed is not None:
        verify_plan(settings.plan, valid, workflow, surveyed, problems)
    return make_reading(valid, workflow, problems, surveyed, strategy)


def _needs_of(items: Sequence[Any], surveyed: Survey) -> List[Set[int]]:
    index = {name: at for at, name in enumerate(surveyed.names)}
    return [{index[need] for need in item.dependencies} for item in items]


def _survey(items: Items, models: Models, valid: Tuple[Any, ...], problems: ProblemList) -> Optional[Survey]:
    """Look for problems between the items, also where some of them are invalid, but known to exist."""
    wording, positions = items.wording, items.positions
    found = positions.only(models.valid_positions)
    if len(valid) == len(items.items):
        return survey(valid, wording, problems, location=found, cause_of=items.cause_of)
    find_levels(
        models.names,
        models.dependencies,
        wording,
        problems,
        positions.only(models.name_positions),
        cause_of=items.cause_of,
    )
    add_unknown_modes(valid, range(len(valid)), wording, problems, found)
    return None


def _is_within(envelope: Envelope, limits: Limits, problems: ProblemList) -> bool:
    count = len(envelope.items)
    if count <= limits.max_steps:
        return True
    message = f"the document has {count:,} items, at most {limits.max_steps:,} are read"
    problems.add("limit-exceeded", message, location=Positions(envelope.list_path, (), envelope.cut).whole())
    return False


def _are_within(items: Items, limits: Limits, problems: ProblemList) -> bool:
    fields = ("dependencies", "locks")
    held = (item.fields.get(field) for item in items.items for field in fields)
    total = sum(len(values) for values in held if is_list(values))
    if total <= limits.max_dependencies:
        return True
    message = f"the items have {total:,} dependencies and locks, at most {limits.max_dependencies:,} are read"
    problems.add("limit-exceeded", message, location=items.positions.whole())
    return False
