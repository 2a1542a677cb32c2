"""The settings of a whole document: name, version, execution strategy; the batches of a dump."""

from __future__ import annotations

import re
from typing import Any, Dict, List, NamedTuple, Optional

from pydantic import ValidationError

from wfplan._internal.json import is_list, is_object
from wfplan._internal.locations import pointer
from wfplan._internal.messages import quote
from wfplan._internal.validation_errors import add_field_errors, kind_of, show
from wfplan.intake.envelope import Beside, Envelope
from wfplan.intake.positions import Positions
from wfplan.models import ExecutionStrategy, Workflow
from wfplan.problems import ProblemCollector
from wfplan.relations import STEPS, ItemKind

__all__ = ["Settings", "read_settings"]

_STRATEGY = ("execution_strategy", "executionStrategy")
_RESOURCE = ("apiVersion", "kind", "metadata", "status")
_DUMP = ("batches", "strategy", "problems")
_BATCHES = frozenset(("batches", "strategy"))
_CAPITAL = re.compile("[A-Z]")


class Settings(NamedTuple):
    """What stands around the list and is read."""

    workflow: Workflow
    """Without steps: name and execution strategy."""
    strategy: Optional[ExecutionStrategy]
    """The execution strategy, if the document has one."""
    plan: Optional[Dict[str, Any]]
    """The dump of a plan that the list is in."""
    rest: List[Beside]
    """Everything else beside the list."""


def read_settings(
    envelope: Envelope, item_kind: ItemKind, positions: Positions, problems: ProblemCollector
) -> Settings:
    """Return what a document says of its plan as a whole; add every problem with it."""
    holders = envelope.holders
    root = holders[0].value if holders else None
    is_dump = is_object(root) and holders[0].way == "workflow" and item_kind is STEPS and not _BATCHES.isdisjoint(root)
    is_resource = is_object(root) and holders[0].way == "spec"
    found: Dict[str, List[Beside]] = {"schema_version": [], "name": [], "execution_strategy": []}
    rest: List[Beside] = []
    for beside in envelope.beside():
        depth = len(beside.path)
        field = "execution_strategy" if beside.key in _STRATEGY else beside.key
        is_head = depth == len(envelope.list_path) or (is_resource and beside.path[0] == "spec")
        if is_dump and depth == 1 and (beside.key in _DUMP or field == "schema_version"):
            found["schema_version"].extend([beside] if field == "schema_version" else [])
        elif is_resource and depth == 1 and beside.key in _RESOURCE:
            continue
        elif (field == "execution_strategy" and is_head) or (
            field in ("schema_version", "name") and depth == len(envelope.list_path) and item_kind is STEPS
        ):
            found[field].append(beside)
        else:
            rest.append(beside)
    _refuse_dump_with_errors(root, problems)
    _check_versions(found["schema_version"], positions, problems)
    strategy = _read_strategy(found["execution_strategy"], positions, problems)
    workflow = _head(found["name"], strategy, positions, problems)
    return Settings(workflow, strategy, root if is_dump else None, rest)


def _refuse_dump_with_errors(root: Any, problems: ProblemCollector) -> None:
    found = root.get("problems") if is_object(root) else None
    if is_list(found) and any(is_object(each) and each.get("severity") == "error" for each in found):
        problems.add(
            "invalid-document",
            "this is the dump of a reading that has errors: what could not be read is not in it",
            location="/problems",
            suggestion="read the document that it was made from",
        )


def _check_versions(versions: List[Beside], positions: Positions, problems: ProblemCollector) -> None:
    for beside in versions:
        if type(beside.value) is not int or beside.value != 1:
            problems.add(
                "invalid-field",
                f"the schema version is not 1, but {show(beside.value)}",
                location=positions.at(beside.path),
                suggestion="it may be a document of a newer version of this library",
            )


def _head(
    names: List[Beside], strategy: Optional[ExecutionStrategy], positions: Positions, problems: ProblemCollector
) -> Workflow:
    """Return a workflow of this name and strategy, without steps."""
    strategy = strategy or ExecutionStrategy()
    for beside in names:
        try:
            return Workflow(steps=(), name=beside.value, execution_strategy=strategy)
        except ValidationError as error:
            where = positions.at(beside.path[:-1])
            add_field_errors(error, problems, subject="the workflow", location=where)
    return Workflow(steps=(), execution_strategy=strategy)


def _read_strategy(
    found: List[Beside], positions: Positions, problems: ProblemCollector
) -> Optional[ExecutionStrategy]:
    """Return the execution strategy; its keys may be in camelCase, as in a WorkflowExecution resource."""
    for beside in found[1:]:
        where = positions.at(beside.path)
        problems.add("duplicate-key", "the execution strategy is there more than once", location=where)
    if not found:
        return None
    location, raw = positions.at(found[0].path), found[0].value
    if not is_object(raw):
        message = f"the execution strategy must be an object, not {kind_of(raw)}"
        problems.add("invalid-field", message, location=location)
        return None
    fields: Dict[str, Any] = {}
    spelled: Dict[str, str] = {}
    for key in raw:
        field = _CAPITAL.sub(lambda capital: "_" + capital.group().lower(), key)
        where = location + pointer((key,))
        if field not in ExecutionStrategy.model_fields:
            problems.add(
                "unknown-field",
                f"{quote(key)} is not a field of an execution strategy",
                location=where,
                suggestion="correct its spelling or leave it out: no setting is passed over",
                severity="error",
            )
        elif field in fields:
            problems.add("duplicate-key", f"{quote(field)} is there in two spellings", location=where)
        else:
            fields[field] = raw[key]
            spelled[field] = key
    try:
        return ExecutionStrategy.model_validate(fields)
    except ValidationError as error:
        add_field_errors(error, problems, subject="the execution strategy", location=location, spelled=spelled)
        return None
