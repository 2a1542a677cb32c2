"""read: JSON or YAML, as a string or as objects, to a Reading; nothing stated is lost."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple, Union

from pydantic_core import to_json

from wfplan._internal.json import is_list
from wfplan._internal.messages import quote
from wfplan._internal.validation_errors import kind_of
from wfplan.catalog.actions import Catalog, ResolvedAction, as_catalog
from wfplan.catalog.lookup import look_up, uses_of
from wfplan.intake.canonical import read_canonical
from wfplan.intake.envelope import Beside, Envelope, find_envelope
from wfplan.intake.extraction import Alone, Extract, extract, find_alone
from wfplan.intake.field_names import FIELDS, plain
from wfplan.intake.item import Item
from wfplan.intake.item_models import Models, make_models, move_rest
from wfplan.intake.items import ReadItems, read_items
from wfplan.intake.mentions import StepNames, titles_of
from wfplan.intake.plan_dumps import verify_plan
from wfplan.intake.positions import Positions
from wfplan.intake.references import References, may_refer
from wfplan.intake.remainder import Graph, Remainder
from wfplan.intake.settings import Settings, read_settings
from wfplan.intake.syntax import DEFAULT, Json, Limits, decode, is_within_depth, report_repeated, to_plain
from wfplan.models import ExecutionStrategy
from wfplan.problems import LENIENT_READING_CODES, ProblemCollector
from wfplan.reading import Reading, make_reading
from wfplan.relations import (
    RECOMMENDATIONS,
    STEPS,
    ItemKind,
    Levels,
    add_unknown_modes,
    check_relations,
    find_levels,
    note_missing_dependencies,
)

__all__ = ["read"]

_STRINGS = FIELDS["id"] | FIELDS["action"] | FIELDS["dependencies"] | {"name", "description"}


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

    With a `catalog`, actions that are not in it, and parameters that do not fit, are errors like all others. The
    recommendations stay as they were written: what the catalog says is kept beside them, and gets onto steps by
    `plan(reading)`.

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
    >>> reading.ok, reading.problems[0].location
    (False, '/steps/1/needs/0')
    """
    problems = ProblemCollector()
    limits = Limits(max_bytes, max_depth, max_steps, max_dependencies)
    words = {plain(str(key)) for key in ([ignore] if isinstance(ignore, str) else ignore)}
    actions = None if catalog is None else as_catalog(catalog, problems)
    reading = _Reader(limits, words, actions, problems).read(source)
    return _strictly(reading) if strict else reading


def _strictly(reading: Reading) -> Reading:
    """Return the same reading with what was read otherwise than it was written as errors."""
    if not any(problem.code in LENIENT_READING_CODES and problem.severity == "warning" for problem in reading.problems):
        return reading
    problems = ProblemCollector(
        problem.model_copy(update={"severity": "error"})
        if problem.code in LENIENT_READING_CODES and problem.severity == "warning"
        else problem
        for problem in reading.problems
    )
    return make_reading(
        tuple(reading.items), reading.workflow, problems, None, reading.execution_strategy, reading.resolved_actions
    )


class _Reader(NamedTuple):
    """Reads one document."""

    limits: Limits
    ignore: Set[str]
    """Keys, without case and punctuation, that state nothing."""
    catalog: Optional[Catalog]
    problems: ProblemCollector
    """Where problems go."""

    def read(self, source: Any) -> Reading:
        """Return the reading of a document in any form."""
        found: Extract | None = None
        if isinstance(source, (str, bytes, bytearray)):
            text = decode(source, self.limits, self.problems)
            reading = None if text is None else self._read_canonical(find_alone(text))
            if reading is not None:
                return reading
            found = None if text is None else extract(text, self.limits, self.problems)
        elif isinstance(source, (dict, list, tuple)):
            document = to_plain(source, self.limits, self.problems)
            found = None if document is None else Extract(Json(document, {}), [], [], [])
        else:
            message = f"{kind_of(source)} cannot be read"
            advice = "pass JSON or YAML as a string, or the dict or list that it stands for"
            self.problems.add("invalid-document", message, suggestion=advice)
        reading = None if found is None else self._read_yaml(found) or self._read_extract(found)
        return make_reading((), None, self.problems, None) if reading is None else reading

    # ------------------------------------------------------------------------------------------------- the short way

    def _read_canonical(self, alone: Alone) -> Reading | None:
        """Return the reading of JSON text that is just what this library writes: pydantic reads it whole.

        None if it is anything else, or an error is found: the long way knows more of it.
        """
        canonical = read_canonical(alone.text, self.limits)
        if canonical is None or self.problems.has_errors:
            return None
        own = self._replace(problems=ProblemCollector(self.problems.as_tuple()))
        items, list_pointer, workflow, plan = canonical
        item_kind = RECOMMENDATIONS if workflow is None else STEPS
        positions = Positions(tuple(list_pointer.split("/")[1:]))
        checked_levels = check_relations(items, item_kind, own.problems, location=positions)
        if checked_levels is None:
            return None
        alone.note(own.problems)
        if checked_levels.special or alone.words:
            own.look_at_hidden(items, alone.words, checked_levels, item_kind, positions)
        own.check_references(items, checked_levels, positions)
        if not any(item.dependencies for item in items):
            states_none = any("dependencies" in item.model_fields_set for item in items)
            _note_no_order(items, item_kind, positions, own.problems, states_none=states_none)
        resolved: Optional[List[ResolvedAction]] = None
        if own.catalog is not None:
            resolved = look_up(uses_of(items, item_kind), own.catalog, item_kind, own.problems, positions)
        if plan is not None and workflow is not None:
            verify_plan(plan, items, workflow, checked_levels, own.problems)
        if own.problems.has_errors:
            return None
        return make_reading(items, workflow, own.problems, checked_levels, None, resolved)

    def _read_yaml(self, found: Extract) -> Reading | None:
        """Return the reading of a document that is canonical but for being YAML, None if it is anything else."""
        yaml = found.yaml
        if yaml is None or yaml.disputed or yaml.json.repeated or found.words or found.comments or found.others:
            return None
        try:
            text = to_json(found.json.value, inf_nan_mode="constants").decode()
        except ValueError:  # it is nested deeper than pydantic writes
            return None
        return self._read_canonical(Alone(text, [], is_fenced=False))

    def look_at_hidden(
        self,
        items: Sequence[Any],
        words: Sequence[str],
        checked_levels: Levels,
        item_kind: ItemKind,
        positions: Positions,
    ) -> None:
        """Look at the metadata of canonical items, and at the words around them."""
        graph = Graph(checked_levels.names, _needs_of(items, checked_levels), any(item.dependencies for item in items))
        names = StepNames(checked_levels.names, ((item.action,) for item in items))
        remainder = Remainder(names, graph, positions, self.ignore, self.problems)
        for at in checked_levels.special:
            remainder.look_at_item(Item(at, {"metadata": items[at].metadata}, {}, item_kind), "")
        remainder.look_at_words(words, ())

    def check_references(self, items: Sequence[Any], checked_levels: Levels, positions: Positions) -> None:
        """Check that each reference in parameters goes to a step that is waited for."""
        if not may_refer(items):
            return
        references = References(
            checked_levels.names, _needs_of(items, checked_levels), positions, self.ignore, self.problems
        )
        for at, item in enumerate(items):
            references.look_at(at, item.parameters, "parameters")
            rollback = getattr(item, "rollback", None)
            if rollback is not None:
                references.look_at(at, rollback.parameters, "rollback", "parameters")
        references.check()

    # -------------------------------------------------------------------------------------------------- the long way

    def _read_extract(self, found: Extract) -> Reading | None:
        """Return the reading of a document of any shape, None with a problem if it has to be refused whole."""
        problems = self.problems
        if found.yaml is None and not is_within_depth(found.json.value, self.limits, problems):
            return None
        report_repeated(found.json, problems)
        envelope = find_envelope(found.json.value, self.ignore, self._read_inside, problems)
        if envelope is None or self._has_too_many_items(envelope):
            return None
        items = read_items(envelope, self.ignore, found.yaml.spelled if found.yaml else {}, problems)
        if items is None or self._has_too_many_dependencies(items):
            return None
        _note_disputed(found, items.positions, problems)
        settings = read_settings(envelope, items.item_kind, items.positions, problems)
        remainder = self._look_at_remainder(found, envelope, items, settings)
        strategy = _strategy_of(settings, remainder, items.positions, problems)
        move_rest(items, remainder.hints, remainder.refused, problems)
        return self._relate(items, make_models(items, problems), settings, strategy)

    def _read_inside(self, text: str) -> Tuple[Any, List[str], List[Any]] | None:
        """Return the document in the words of a model inside of another, and what is around it; None if none is."""
        inner = extract(text, self.limits, ProblemCollector())
        return None if inner is None or inner.json.repeated else (inner.json.value, inner.words, inner.others)

    def _has_too_many_items(self, envelope: Envelope) -> bool:
        count, limit = len(envelope.items), self.limits.max_steps
        if count > limit:
            message = f"the document has {count:,} items, at most {limit:,} are read"
            self.problems.add("limit-exceeded", message, location=envelope.positions.whole())
        return count > limit

    def _has_too_many_dependencies(self, items: ReadItems) -> bool:
        held = (item.fields.get(field) for item in items.items for field in ("dependencies", "locks"))
        total, limit = sum(len(values) for values in held if is_list(values)), self.limits.max_dependencies
        if total > limit:
            message = f"the items have {total:,} dependencies and locks, at most {limit:,} are read"
            self.problems.add("limit-exceeded", message, location=items.positions.whole())
        return total > limit

    def _look_at_remainder(self, found: Extract, envelope: Envelope, items: ReadItems, settings: Settings) -> Remainder:
        """Return what looked at all that no field took; where there is nothing, nothing is looked at."""
        words = [*found.words, *envelope.words]
        others = [Beside((), "", value) for value in (*found.others, *envelope.others)]
        full = [item for item in items.items if item.rest or item.fields.get("metadata")]
        is_clean = not (words or found.comments or others or settings.rest or full)
        names, graph = (StepNames((), ()), Graph((), (), False)) if is_clean else _names_of(items, len(envelope.items))
        remainder = Remainder(names, graph, items.positions, self.ignore, self.problems)
        for item in full:
            remainder.look_at_item(item, envelope.list_key)
        remainder.look_beside([*settings.rest, *others])
        remainder.look_at_words(words, found.comments)
        remainder.finish()
        return remainder

    def _relate(
        self, items: ReadItems, models: Models, settings: Settings, strategy: Optional[ExecutionStrategy]
    ) -> Reading:
        """Return the reading of items that were read one by one, with every problem between them."""
        item_kind, positions, problems = items.item_kind, items.positions, self.problems
        valid = tuple(models.valid)
        workflow = settings.workflow if item_kind is STEPS else None
        if workflow is not None and strategy is not None:
            workflow = workflow.model_copy(update={"execution_strategy": strategy})
        checked_levels = _survey(items, models, valid, problems)
        if checked_levels is not None:
            self.check_references(valid, checked_levels, positions)
        if not problems.has_errors and not any(item.fields.get("dependencies") for item in items.items):
            is_serial = strategy is not None and strategy.mode == "sequential"
            states_none = items.has_dependency_fields or is_serial
            _note_no_order(valid, item_kind, positions, problems, states_none=states_none)
        resolved: Optional[List[ResolvedAction]] = None
        if self.catalog is not None:
            resolved = look_up(models.uses(item_kind), self.catalog, item_kind, problems, positions)
        if settings.plan is not None and workflow is not None and checked_levels is not None:
            verify_plan(settings.plan, valid, workflow, checked_levels, problems)
        return make_reading(valid, workflow, problems, checked_levels, strategy, resolved)


def _names_of(items: ReadItems, count: int) -> Tuple[StepNames, Graph]:
    """Return what the steps may be called, and what waits for what, as far as items are valid."""
    ids: List[Optional[str]] = [None] * count
    titles: List[List[str]] = [[] for _ in range(count)]
    needs: List[Set[int]] = [set() for _ in range(count)]
    for item in items.items:
        name = item.fields.get(items.item_kind.key)
        ids[item.position] = name if isinstance(name, str) else None
        titles[item.position] = titles_of(item.fields, item.rest)
    index = {id_: at for at, id_ in enumerate(ids) if id_ is not None}
    for item in items.items:
        needs[item.position] = {index[need] for need in item.fields.get("dependencies", ()) if need in index}
    names = [id_ or f"{items.item_kind.noun} {at + 1}" for at, id_ in enumerate(ids)]
    has_edges = any(item.fields.get("dependencies") for item in items.items)
    return StepNames(ids, titles), Graph(names, needs, has_edges)


def _note_no_order(
    items: Sequence[Any], item_kind: ItemKind, positions: Positions, problems: ProblemCollector, *, states_none: bool
) -> None:
    """Add a warning if nothing in a document states an order, a note if each item states that it needs nothing."""
    if len(items) < 2:
        return
    if not states_none:
        problems.add(
            "no-order-stated",
            f"nothing in the document says what any of {len(items):,} steps waits for, so all may run at the same time",
            location=positions.whole(),
            suggestion='state what each step waits for, "dependencies": [] if it is nothing',
        )
    elif item_kind is RECOMMENDATIONS:
        note_missing_dependencies(items, problems, positions)


def _strategy_of(
    settings: Settings, remainder: Remainder, positions: Positions, problems: ProblemCollector
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


def _note_disputed(found: Extract, positions: Positions, problems: ProblemCollector) -> None:
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


def _needs_of(items: Sequence[Any], checked_levels: Levels) -> List[Set[int]]:
    index = {name: at for at, name in enumerate(checked_levels.names)}
    return [{index[need] for need in item.dependencies} for item in items]


def _survey(items: ReadItems, models: Models, valid: Tuple[Any, ...], problems: ProblemCollector) -> Optional[Levels]:
    """Look for problems between the items, also where some of them are invalid, but known to exist."""
    item_kind, positions = items.item_kind, items.positions
    found = positions.only(models.valid_positions)
    if len(valid) == len(items.items):
        return check_relations(valid, item_kind, problems, location=found, cause_of=items.cause_of)
    find_levels(
        models.names,
        models.dependencies,
        item_kind,
        problems,
        positions.only(models.name_positions),
        cause_of=items.cause_of,
    )
    add_unknown_modes(valid, range(len(valid)), item_kind, problems, found)
    return None
