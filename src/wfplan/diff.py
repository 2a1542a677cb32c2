"""What changed between two plans."""

from __future__ import annotations

import json
from typing import Any, FrozenSet, Iterator, Mapping, NamedTuple, Optional, Sequence, Tuple

from pydantic import JsonValue

from wfplan._internal.messages import escape, join_names, pluralize, quote
from wfplan._internal.model import EMPTY, Model, TupleOf, construct_unchecked
from wfplan._internal.step_identity import match_steps
from wfplan.models import ExecutionBatch, ExecutionStrategy, Step
from wfplan.plans import ExecutionPlan
from wfplan.problems import require_type

__all__ = [
    "BatchChange",
    "Edge",
    "FieldChange",
    "OrderChange",
    "Overlap",
    "PlanDiff",
    "StepChange",
    "diff",
    "diff_steps",
]

_COMMENTARY = frozenset(("name", "description", "confidence"))
_FIELDS = tuple(field for field in Step.model_fields if field != "name")
_HOLDS_ANYTHING = frozenset(("parameters", "metadata", "rollback"))
_NOTHING: FrozenSet[str] = frozenset()
_SHOWN = 20
_SHOWN_GROUPS = 5
_WIDEST = 80
_LEAD = 20


class FieldChange(Model):
    """One field of a step, of the settings or of the plan that has another value; values are as in JSON."""

    field: str
    before: JsonValue
    after: JsonValue

    @property
    def is_commentary(self) -> bool:
        """Whether it changes nothing of what runs: a description, a confidence, or the name of the workflow."""
        return self.field in _COMMENTARY

    def __str__(self) -> str:
        mark = " (commentary)" if self.is_commentary else ""
        return f"{escape(self.field)}: {_show_change(self.before, self.after)}{mark}"


class StepChange(Model):
    """A step of both plans that is not the same in both."""

    name: str
    """In the plan after."""
    name_before: str
    """Another one if the step was renamed."""
    fields: TupleOf[FieldChange] = EMPTY
    """Dependencies are here if they are other steps or in another order, not if they only have other names."""

    @property
    def is_renamed(self) -> bool:
        """Whether it has another name."""
        return self.name != self.name_before

    @property
    def changes_what_runs(self) -> bool:
        """Whether anything but commentary changed; a name is not commentary."""
        return self.is_renamed or not all(field.is_commentary for field in self.fields)

    def __str__(self) -> str:
        head = f"{quote(self.name)} (was {quote(self.name_before)})" if self.is_renamed else quote(self.name)
        return "\n  ".join((head, *map(str, self.fields)))


class Edge(Model):
    """A dependency of one step on another."""

    dependency: str
    dependent: str

    def __str__(self) -> str:
        return f"{quote(self.dependent)} waits for {quote(self.dependency)}"


class BatchChange(Model):
    """A step of both plans that is due in another batch."""

    name: str
    """In the plan after."""
    before: int
    """Number of the batch."""
    after: int

    def __str__(self) -> str:
        return f"{quote(self.name)}: {self.before} -> {self.after}"


class OrderChange(Model):
    """Steps that run one at a time in one batch, before as after, and now in another order."""

    before: TupleOf[str]
    """In the names and the order of the plan before."""
    after: TupleOf[str]
    """The same steps, in the names and the order of the plan after."""

    def __str__(self) -> str:
        return f"{join_names(self.before)} -> {join_names(self.after)}"


class Overlap(Model):
    """A parallel batch of one plan in groups: where two steps are in different ones, the other plan keeps them apart.

    Steps of one group may overlap in both plans.
    """

    batch: int
    """Its number in the plan where these steps may overlap."""
    groups: TupleOf[Tuple[str, ...]]
    """At least two, in the order of the batch."""

    def __str__(self) -> str:
        shown = " | ".join(map(join_names, self.groups[:_SHOWN_GROUPS]))
        more = len(self.groups) - _SHOWN_GROUPS
        rest = f" | and {pluralize(more, 'group')} more" if more > 0 else ""
        return f"batch {self.batch}: {shown}{rest}"


class PlanDiff(Model):
    """What changed between two plans; true if anything did.

    Removed items use the old plan's names, everything else the new plan's; in the order
    in which the steps are declared there.
    """

    name: Optional[FieldChange] = None
    """Of the workflow."""
    strategy: Optional[FieldChange] = None
    settings: TupleOf[FieldChange] = EMPTY
    """Fields of the execution strategy."""
    added: TupleOf[Step] = EMPTY
    removed: TupleOf[Step] = EMPTY
    changed: TupleOf[StepChange] = EMPTY
    added_edges: TupleOf[Edge] = EMPTY
    """Those of added steps too."""
    removed_edges: TupleOf[Edge] = EMPTY
    """Those of removed steps too."""
    batches: TupleOf[BatchChange] = EMPTY
    reordered: TupleOf[OrderChange] = EMPTY
    newly_parallel: TupleOf[Overlap] = EMPTY
    """Steps of both plans that are in one parallel batch now, and were not before."""
    newly_sequential: TupleOf[Overlap] = EMPTY
    """Steps of both plans that were in one parallel batch before, and are not now."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed, not even commentary."""
        return not any(vars(self).values())

    @property
    def changes_what_runs(self) -> bool:
        """Whether anything but commentary changed. If so, the fingerprints of the two plans differ."""
        others = (value for field, value in vars(self).items() if field not in ("name", "changed"))
        return any(others) or any(change.changes_what_runs for change in self.changed)

    def __bool__(self) -> bool:
        return not self.is_empty

    def __str__(self) -> str:
        if self.is_empty:
            return "no changes"
        head = [] if self.changes_what_runs else ["only commentary has changed"]
        return "\n".join((*head, *self._lines()))

    def _lines(self) -> Iterator[str]:
        yield from _section("plan", [change for change in (self.name, self.strategy) if change])
        yield from _section("settings", self.settings)
        yield from _section("added steps", self.added)
        yield from _section("removed steps", self.removed)
        yield from _section("changed steps", self.changed)
        yield from _section("added dependencies", self.added_edges)
        yield from _section("removed dependencies", self.removed_edges)
        yield from _section("other batches", self.batches)
        yield from _section("another order, one at a time", self.reordered)
        yield from _section("newly parallel, across the bars", self.newly_parallel)
        yield from _section("newly sequential, across the bars", self.newly_sequential)


def diff(before: ExecutionPlan, after: ExecutionPlan) -> PlanDiff:
    """Return what changed from one plan to another; linear in their steps and dependencies.

    A step of one plan is the same as a step of the other if their recommendation ids are equal and no other step of
    either plan has that id; otherwise if their names are. So a renamed step is reported as renamed. Not compared:
    warnings, and the order of steps where it only decides who is first in a parallel batch.

    Args:
        before: The old plan.
        after: The new plan.

    >>> from wfplan import plan
    >>> print(diff(plan({"a": [], "b": ["a"]}), plan({"a": [], "b": []})))
    plan
      strategy: "sequential" -> "parallel"
    changed steps
      "b"
        dependencies: ["a"] -> []
    removed dependencies
      "b" waits for "a"
    other batches
      "b": 2 -> 1
    newly parallel, across the bars
      batch 1: "a" | "b"
    """
    require_type(before, ExecutionPlan)
    require_type(after, ExecutionPlan)
    return _compare(before, after)


def diff_steps(before: Sequence[Step], after: Sequence[Step]) -> PlanDiff:
    """Return what changed in steps and their dependencies alone, even if they cannot be planned.

    Steps are matched as by `diff`. The last of several with the same name counts, and an unknown dependency is
    compared like any other.

    Args:
        before: The old steps.
        after: The new steps.
    """
    steps, steps_after = ({step.name: step for step in side} for side in (before, after))
    needs = {need for step in before for need in step.dependencies}
    after_of = {need: need for need in needs if need not in steps and need not in steps_after}
    after_of.update(_match(before, after))
    old = _Side(steps, (), {}, after_of)
    new = _Side(steps_after, (), {}, {name: was for was, name in after_of.items()})
    return PlanDiff(
        added=tuple(_only_in(new)),
        removed=tuple(_only_in(old)),
        changed=tuple(_step_changes(old, new)),
        added_edges=tuple(_edges_only_in(new, old)),
        removed_edges=tuple(_edges_only_in(old, new)),
    )


def _compare(before: ExecutionPlan, after: ExecutionPlan) -> PlanDiff:
    after_of = _match(before.workflow.steps, after.workflow.steps)
    old = _Side.of(before, after_of)
    new = _Side.of(after, {name: name_before for name_before, name in after_of.items()})
    return PlanDiff(
        name=_field_change("name", before.workflow.name, after.workflow.name),
        strategy=_field_change("strategy", before.strategy, after.strategy),
        settings=_setting_changes(before.workflow.execution_strategy, after.workflow.execution_strategy),
        added=tuple(_only_in(new)),
        removed=tuple(_only_in(old)),
        changed=tuple(_step_changes(old, new)),
        added_edges=tuple(_edges_only_in(new, old)),
        removed_edges=tuple(_edges_only_in(old, new)),
        batches=tuple(_batch_changes(old, new)),
        reordered=tuple(_order_changes(old, new)),
        newly_parallel=tuple(_overlaps_only_in(new, old)),
        newly_sequential=tuple(_overlaps_only_in(old, new)),
    )


class _Side(NamedTuple):
    """One of the two plans, and how it is tied to the other."""

    steps: Mapping[str, Step]
    batches: tuple[ExecutionBatch, ...]
    batch_of: Mapping[str, ExecutionBatch]
    partner: Mapping[str, str]
    """The name that a step has in the other plan, if it is there."""

    @classmethod
    def of(cls, plan: ExecutionPlan, partner: Mapping[str, str]) -> _Side:
        batch_of = {name: batch for batch in plan.batches for name in batch.steps}
        return cls(plan.steps, plan.batches, batch_of, partner)


def _match(before: Sequence[Step], after: Sequence[Step]) -> dict[str, str]:
    """Return the name after of each step of both plans, by its name before."""
    ids = ({step.name: step.recommendation_id for step in side} for side in (before, after))
    return match_steps(*ids)


def _only_in(side: _Side) -> Iterator[Step]:
    return (step for name, step in side.steps.items() if name not in side.partner)


def _step_changes(old: _Side, new: _Side) -> Iterator[StepChange]:
    for name, step in new.steps.items():
        if name in new.partner:
            name_before = new.partner[name]
            fields = _field_changes(old.steps[name_before], step, old.partner)
            if fields or name != name_before:
                yield construct_unchecked(StepChange, {"name": name, "name_before": name_before, "fields": fields})


def _field_changes(before: Step, after: Step, partner: Mapping[str, str]) -> tuple[FieldChange, ...]:
    was, now = vars(before), vars(after)
    fields = {field for field in _FIELDS if field != "dependencies" and _differ(field, was[field], now[field])}
    if [partner.get(name) for name in before.dependencies] != list(after.dependencies):
        fields.add("dependencies")
    return _changes_in(before, after, fields)


def _differ(field: str, one: Any, other: Any) -> bool:
    """Return whether two values of a field differ; in JSON values, 1, 1.0 and true do, although Python's == says no."""
    if one != other:
        return True
    return bool(one) and field in _HOLDS_ANYTHING and _encode(one) != _encode(other)


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=vars).encode


def _setting_changes(before: ExecutionStrategy, after: ExecutionStrategy) -> tuple[FieldChange, ...]:
    was, now = vars(before), vars(after)
    return _changes_in(before, after, {field for field in was if was[field] != now[field]})


def _changes_in(before: Model, after: Model, fields: set[str]) -> tuple[FieldChange, ...]:
    """Return what these fields are in either, in the order of the model."""
    if not fields:
        return ()
    was, now = (value.model_dump(mode="json", include=fields) for value in (before, after))
    return tuple(
        construct_unchecked(FieldChange, {"field": field, "before": was[field], "after": now[field]}) for field in was
    )


def _field_change(field: str, before: str, after: str) -> FieldChange | None:
    return None if before == after else FieldChange(field=field, before=before, after=after)


def _edges_only_in(side: _Side, other: _Side) -> Iterator[Edge]:
    """Yield the edges between steps of one plan that are not there between their partners."""
    for name, step in side.steps.items():
        kept = frozenset(other.steps[side.partner[name]].dependencies) if name in side.partner else _NOTHING
        for dependency in dict.fromkeys(step.dependencies):
            if side.partner.get(dependency) not in kept:
                yield construct_unchecked(Edge, {"dependency": dependency, "dependent": name})


def _batch_changes(old: _Side, new: _Side) -> Iterator[BatchChange]:
    for name in new.steps:
        if name in new.partner:
            before, after = old.batch_of[new.partner[name]].number, new.batch_of[name].number
            if before != after:
                yield construct_unchecked(BatchChange, {"name": name, "before": before, "after": after})


def _overlaps_only_in(side: _Side, other: _Side) -> Iterator[Overlap]:
    """Yield the parallel batches of one plan that are not together in a parallel batch of the other.

    All pairs that may overlap in one plan only, without listing them: there are as many as the square of the steps.
    """
    for batch in side.batches:
        groups: dict[object, list[str]] = {}
        for name in batch.steps if batch.parallel else ():
            if name in side.partner:
                there = other.batch_of[side.partner[name]]
                groups.setdefault(there.number if there.parallel else name, []).append(name)
        if len(groups) > 1:
            yield Overlap(batch=batch.number, groups=tuple(map(tuple, groups.values())))


def _order_changes(old: _Side, new: _Side) -> Iterator[OrderChange]:
    was = _one_at_a_time(old, new)
    for (after, before), names in _one_at_a_time(new, old).items():
        names_before = was[before, after]
        if [old.partner[name] for name in names_before] != names:
            yield OrderChange(before=names_before, after=names)


def _one_at_a_time(side: _Side, other: _Side) -> dict[tuple[int, int], list[str]]:
    """Return the steps that are in a batch that is not parallel in both plans, by the numbers of these two batches."""
    together: dict[tuple[int, int], list[str]] = {}
    for batch in side.batches:
        for name in () if batch.parallel else batch.steps:
            if name in side.partner:
                there = other.batch_of[side.partner[name]]
                if not there.parallel:
                    together.setdefault((batch.number, there.number), []).append(name)
    return together


def _section(title: str, items: Sequence[Model]) -> Iterator[str]:
    """Yield a title and the first items below it, unless there are none."""
    if items:
        yield title
    for item in items[:_SHOWN]:
        text = _show_step(item) if isinstance(item, Step) else str(item)
        yield "  " + text.replace("\n", "\n  ")
    if len(items) > _SHOWN:
        yield f"  and {len(items) - _SHOWN:,} more"


def _show_step(step: Step) -> str:
    return quote(step.name) + (f" (action {quote(step.action)})" if step.action != step.name else "")


def _show_change(before: JsonValue, after: JsonValue) -> str:
    """Both as JSON: of two objects the keys that differ, of long values the part where they begin to differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        before, after = _without_common(before, after), _without_common(after, before)
    one, other = (json.dumps(value, ensure_ascii=False) for value in (before, after))
    same = next((place for place, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))
    start = same - _LEAD if same > _WIDEST // 2 else 0
    return f"{_cut(one, start)} -> {_cut(other, start)}"


def _without_common(value: Mapping[str, JsonValue], other: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {key: item for key, item in value.items() if key not in other or _encode(item) != _encode(other[key])}


def _cut(text: str, start: int) -> str:
    part = text[start : start + _WIDEST]
    return f"{'...' if start else ''}{escape(part)}{'...' if start + _WIDEST < len(text) else ''}"
