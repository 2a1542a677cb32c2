"""What the service keeps in files: plans that were released, what they wait for, approvals, and journals."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from pathlib import Path
from typing import AsyncIterator, List, Optional, Sequence, Tuple

from pydantic import ValidationError

import wfplan
from wfplan import ExecutionPlan, ExecutionReport, RefusedError
from wfplan.policy import Approval


def load_approval(home: Path) -> Optional[Approval]:
    file = home / "approval.json"
    try:
        return Approval.model_validate_json(file.read_bytes()) if file.exists() else None
    except ValidationError:
        told = "the approval was changed after it was given and is no longer valid"
        raise RefusedError([wfplan.Problem(code="approval-altered", severity="error", message=told)]) from None


def load_released(home: Path) -> ExecutionPlan:
    return ExecutionPlan.model_validate_json((home / "released.json").read_bytes())


def load_held(home: Path) -> Tuple[str, ...]:
    """The steps of a released plan that nobody has approved yet."""
    return tuple(json.loads((home / "held.json").read_bytes()))


def save_released(home: Path, plan: ExecutionPlan, held: Sequence[str]) -> None:
    """Remember what may run, first what must not yet: without a plan, nothing does."""
    write_whole(home / "held.json", json.dumps(held).encode())
    write_whole(home / "released.json", plan.model_dump_json().encode())


def is_released(home: Path) -> bool:
    """Whether all of it may run."""
    return (home / "released.json").exists() and not load_held(home)


def load_phase(home: Path) -> Optional[str]:
    return load_report(home).phase if (home / "released.json").exists() else None


def load_report(home: Path) -> ExecutionReport:
    if read_lines(home / "journal", 0)[0]:
        return ExecutionReport.from_journal(home / "journal")
    return wfplan.Progress(load_released(home), run_id=home.name).report()  # nothing has happened yet


def write_whole(file: Path, content: bytes) -> None:
    """Write a file so that it is there whole, or not at all."""
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    with draft.open("wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())
    draft.replace(file)


def read_lines(file: Path, place: int) -> Tuple[List[bytes], int]:
    """The whole lines of a file from a place on, and where they end: the last one may still be on its way."""
    content = file.read_bytes()[place:] if file.exists() else b""
    length = content.rfind(b"\n") + 1
    return content[:length].split(b"\n")[:-1], place + length


async def follow(journal: Path, run: asyncio.Task[ExecutionReport], last: int) -> AsyncIterator[str]:
    """The lines of a journal as events, until the run is over or suspended."""
    number = place = 0
    is_over = False
    while not is_over:
        is_over = run.done()  # looked at first, so that nothing is missed
        lines, place = read_lines(journal, place)
        for number, line in enumerate(map(json.loads, lines), start=number + 1):  # noqa: B020 - it counts on
            if number > last:  # without what a step gave, which is in the report
                line.get("step", {}).pop("output", None)
                yield f"id: {number}\nevent: {line.get('event', 'begin')}\ndata: {json.dumps(line)}\n\n"
        await asyncio.sleep(0 if is_over else 0.05)
