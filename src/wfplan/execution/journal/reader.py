"""Read a journal: its lines to a report."""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path
from typing import Any, Iterable, Iterator, NamedTuple, Optional

from pydantic import ValidationError
from typing_extensions import Literal

from wfplan._internal.json import is_object
from wfplan._internal.messages import quote
from wfplan._internal.model import EMPTY, FreeText, Model, Name, TupleOf
from wfplan.execution.interface import Purpose
from wfplan.execution.options import RunOptions
from wfplan.execution.report import AttemptReport, ExecutionReport, Phase, StepReport
from wfplan.execution.step_table import MOST_ATTEMPTS
from wfplan.plans import ExecutionPlan
from wfplan.problems import Problem, ProblemCollector, RefusedError

__all__ = ["VERSION", "Record", "read_journal", "report_from_journal", "with_plan"]

VERSION = 2
"""Of the format: the first value of the first line."""
_BEGINNING = b'{"wfplan_journal": '


class _Line(Model):
    """Any other line: what became of a step, that the run was asked to stop, is suspended, goes on, or is over."""

    at: float
    event: str
    purpose: Purpose = "execute"
    step: Optional[StepReport] = None
    key: str = ""
    cancel: bool = False
    phase: Optional[Phase] = None
    stopped: bool = False
    problems: TupleOf[Problem] = EMPTY
    held: TupleOf[Name] = EMPTY


class _Header(Model):
    """The first line. The steps are reports of steps of which nothing is known but which they are."""

    wfplan_journal: Literal[2]
    fingerprint: str
    run_id: FreeText
    settings: RunOptions
    held: TupleOf[Name] = EMPTY
    resumes: Optional[FreeText] = None
    steps: TupleOf[StepReport]
    known: TupleOf[_Line] = EMPTY
    """What was known when it began."""


class Record(NamedTuple):
    """What a journal holds."""

    report: ExecutionReport
    resumes: str | None
    """The id of the run that this one took over from, if it did."""
    stop: str | None
    """Whether the run was asked to stop: `stop` or `cancel`."""


def read_journal(data: bytes, problems: ProblemCollector) -> tuple[Record | None, int]:
    """Return what a journal holds, and how many bytes of it are whole lines; None if nothing had happened.

    Adds a `journal-unreadable` for what keeps it from being read.
    """
    length = data.rfind(b"\n") + 1
    lines = data[:length].split(b"\n")[:-1]
    try:
        if not lines:
            _check_torn_header(data)
            return None, length
        header = _read_header(lines[0])
        return _read_lines(header, lines[1:]), length
    except _UnreadableError as error:
        problems.add("journal-unreadable", str(error), suggestion="move it away to begin a new run")
        return None, length


class _UnreadableError(Exception):
    """The number of a line, from 1, and what is wrong with it."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(f"line {number:,} of the journal {reason}")


def _read_header(line: bytes) -> _Header:
    try:
        return _Header.model_validate_json(line)
    except ValidationError as error:
        raise _UnreadableError(1, _why_no_header(line, error)) from None


def _check_torn_header(data: bytes) -> None:
    """Refuse a file without a whole line, unless it is the beginning of a header."""
    if not (data.startswith(_BEGINNING) or _BEGINNING.startswith(data)):
        raise _UnreadableError(1, "is not the first line of a journal")


def _why_no_header(line: bytes, error: ValidationError) -> str:
    try:
        known: Any = json.loads(line)
    except (ValueError, RecursionError):
        known = None
    version: Any = known.get("wfplan_journal") if is_object(known) else None
    if version is None:
        return "is not the first line of a journal"
    if version != VERSION:
        return f"says that it is of another format, {quote(str(version))}: this version reads {VERSION}"
    return _first_error(error)


def _first_error(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = "/".join(map(str, first["loc"]))
    return f"cannot be read{f' at {quote(where)}' if where else ''}: {quote(first['msg'])}"


def _read_lines(header: _Header, lines: Iterable[bytes]) -> Record:
    blank = {step.name: step for step in header.steps}
    execution = dict(blank)
    reports: dict[str, dict[str, StepReport]] = {"execute": execution, "dry_run": {}, "compensate": {}}
    keys: dict[str, str] = {}
    stop: str | None = None
    end: _Line | None = None
    suspended: _Line | None = None
    held = header.held
    for number, line in _parsed(header, lines):
        if end is not None:
            raise _UnreadableError(number, "stands behind the end of the run")
        suspended = None
        if line.event == "suspended":
            suspended = line
        elif line.event == "goes-on":
            held = line.held
        elif line.event == "stop":
            stop = "cancel" if line.cancel else stop or "stop"
        elif line.event == "end" and line.phase is not None:
            end = line
        elif line.step is None or line.step.name not in execution:
            raise _UnreadableError(number, "is about no step of the run")
        else:
            known = reports[line.purpose].get(line.step.name)
            reports[line.purpose][line.step.name] = _with_history(line, line.step, known)
            if line.key:
                keys[line.step.name] = line.key
    in_dry_run = suspended is not None and suspended.purpose == "dry_run"
    report = ExecutionReport(
        run_id=header.run_id,
        phase=_phase(end, suspended, is_rolling_back=bool(reports["compensate"])),
        stopped=end.stopped if end else stop is not None,
        stop_requested=stop is not None,
        steps=execution,
        dry_run={**blank, **reports["dry_run"]} if reports["dry_run"] or in_dry_run else {},
        rollback=_in_order(reports["compensate"], list(execution)),
        only_dry_run=header.settings.dry_run,
        problems=(end or suspended or _NO_LINE).problems,
        suspended_in=None if suspended is None else suspended.purpose,
        held=held,
        settings=header.settings,
        plan_fingerprint=header.fingerprint,
        keys=keys,
    )
    return Record(report, header.resumes, stop)


def _with_history(line: _Line, step: StepReport, before: StepReport | None) -> StepReport:
    """Return what a line says about a step, with the attempts that have ended according to the lines before it."""
    if line.event == "known":
        return step
    history = () if before is None else before.history
    has_ended = line.event in ("attempt-ended", "step-ended") and step.attempts and step.status != "skipped"
    if has_ended and not (history and history[-1].number == step.attempts):
        ended = AttemptReport(
            number=step.attempts, started_at=step.attempt_started_at, ended_at=line.at, error=step.error
        )
        history = (*history[1 - MOST_ATTEMPTS :], ended)
    return step.model_copy(update={"history": history}) if history else step


_NO_LINE = _Line(at=0, event="")


def _phase(end: _Line | None, suspended: _Line | None, *, is_rolling_back: bool) -> Phase:
    if end is not None and end.phase is not None:
        return end.phase
    if suspended is not None:
        return "suspended"
    return "rolling_back" if is_rolling_back else "executing"


def _parsed(header: _Header, lines: Iterable[bytes]) -> Iterator[tuple[int, _Line]]:
    """Yield each line with its number."""
    for line in header.known:
        yield 1, line
    for number, text in enumerate(lines, start=2):
        try:
            yield number, _Line.model_validate_json(text)
        except ValidationError as error:
            raise _UnreadableError(number, _first_error(error)) from None


def _in_order(rollback: dict[str, StepReport], declared: list[str]) -> dict[str, StepReport]:
    """Return compensations in the order of the rollback plan: by batches, in a batch the last declared first."""
    place = {name: -number for number, name in enumerate(declared)}
    return dict(sorted(rollback.items(), key=lambda item: (item[1].batch or 0, place[item[0]])))


def report_from_journal(path: str | PathLike[str], plan: ExecutionPlan | None) -> ExecutionReport:
    """See `ExecutionReport.from_journal`."""
    problems = ProblemCollector()
    if Path(path).exists() and not (Path(path).is_file() or Path(path).is_dir()):
        raise OSError(f"{quote(str(path))} is not a regular file")  # reading a pipe would wait for a writer
    record, _ = read_journal(Path(path).read_bytes(), problems)
    if record is None and not problems.has_errors:
        problems.add("journal-unreadable", "the journal is empty: nothing has happened yet")
    if record is not None and plan is not None and plan.fingerprint != record.report.plan_fingerprint:
        problems.add("journal-mismatch", "the journal is that of another plan")
    if record is None or problems.has_errors:
        raise RefusedError(problems.as_tuple())
    return with_plan(record.report, plan)


def with_plan(report: ExecutionReport, plan: ExecutionPlan | None) -> ExecutionReport:
    """Return the same report, with its plan."""
    return report if plan is None else report.model_copy(update={"plan": plan})
