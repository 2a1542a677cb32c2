"""Functions for other processes, which have to be found by name there."""

from __future__ import annotations

import os
from typing import Any, Dict, List

from wfplan import StepCall


def outputs_of(call: StepCall) -> Dict[str, Any]:
    return dict(call.outputs)


def note_external_id(call: StepCall) -> List[Any]:
    call.set_external_id("nobody hears it")
    return [call.run_id, call.step.name, call.attempt, call.to_dict()["step"]["name"]]


def cannot_be_pickled() -> Any:
    return lambda: 1


def raise_value_error() -> None:
    raise ValueError("in another process")


def interrupt(kind: str) -> None:
    raise {"KeyboardInterrupt": KeyboardInterrupt, "SystemExit": SystemExit}[kind]("there")


def die() -> None:
    os._exit(3)
