"""What a document says of its workflow as a whole: name, version, execution strategy."""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError

from wfplan.field_errors import add_field_errors, kind_of, show
from wfplan.intake.shapes import Shape
from wfplan.json_values import is_object
from wfplan.locations import pointer
from wfplan.models import ExecutionStrategy, Workflow
from wfplan.names import quote
from wfplan.problems import ProblemList

__all__ = ["read_settings"]


def read_settings(shape: Shape, problems: ProblemList) -> Workflow:
    """A workflow without steps, with the settings of the document; adds every problem with them."""
    for location, version in shape.versions:
        if type(version) is not int or version != 1:
            problems.add(
                "invalid-field",
                f"the schema version is not 1, but {show(version)}",
                location=location,
                suggestion="it may be a document of a newer version of this library",
            )
    strategy = _read_strategy(shape, problems)
    for location, name in shape.names:
        try:
            return Workflow(steps=(), name=name, execution_strategy=strategy)
        except ValidationError as error:
            holder = location[: -len("/name")]
            add_field_errors(error, problems, subject="the workflow", location=holder)
    return Workflow(steps=(), execution_strategy=strategy)


def _read_strategy(shape: Shape, problems: ProblemList) -> ExecutionStrategy:
    """The execution strategy; its keys may be in camelCase, as in a WorkflowExecution resource."""
    for location, _ in shape.strategies[1:]:
        problems.add("duplicate-key", "the execution strategy is there more than once", location=location)
    if not shape.strategies:
        return ExecutionStrategy()
    location, raw = shape.strategies[0]
    if not is_object(raw):
        problems.add(
            "invalid-field", f"the execution strategy must be an object, not {kind_of(raw)}", location=location
        )
        return ExecutionStrategy()
    fields: dict[str, Any] = {}
    spelled: dict[str, str] = {}
    for key, value in raw.items():
        field = re.sub("[A-Z]", lambda capital: "_" + capital.group().lower(), key)
        where = location + pointer((key,))
        if field not in ExecutionStrategy.model_fields:
            problems.add(
                "unknown-field",
                f"{quote(key)} is no field of an execution strategy",
                location=where,
                suggestion="correct its spelling or leave it out: no setting is passed over",
                severity="error",
            )
        elif field in fields:
            problems.add("duplicate-key", f"{quote(field)} is there in two spellings", location=where)
        else:
            fields[field] = value
            spelled[field] = key
    try:
        return ExecutionStrategy.model_validate(fields)
    except ValidationError as error:
        add_field_errors(error, problems, subject="the execution strategy", location=location, spelled=spelled)
        return ExecutionStrategy()
