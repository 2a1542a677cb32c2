"""A run as lines of JSON, written while it runs."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, Tuple

from wfplan.execution.events import Event
from wfplan.execution.interface import Purpose
from wfplan.execution.journal_file import JournalFile
from wfplan.execution.journal_reader import VERSION
from wfplan.execution.progress import Progress
from wfplan.execution.report import ExecutionReport, StepReport
from wfplan.execution.step_keys import StepKeys
from wfplan.json_values import NotJsonError, copy_json_object

__all__ = ["Journal"]


class Journal:
    """Writes down a run, as an observer of its events; what it has collected is on disk after `write`."""

    def __init__(self, file: JournalFile, progress: Progress, *, is_new: bool, resumes: str | None = None) -> None:
        """A new journal begins with all that is known already."""
        self._file = file
        self._progress = progress
        self._keys = StepKeys(progress.plan)
        self._lines: list[str] = []
        self._told: dict[tuple[Purpose, str], tuple[str | None, str | None]] = {}  # why each step was skipped
        if is_new:
            self._begin(resumes)
        progress.subscribe(self._observe)

    def take(self) -> bytes:
        """What is to be written, and is nobody else's business from now on."""
        lines, self._lines = self._lines, []
        return "".join(lines).encode()

    def write(self, data: bytes) -> None:
        """Have it on disk. May be called by any thread. Raises OSError if that cannot be."""
        self._file.append(data)

    def note_stop(self, now: float, *, cancel: bool) -> None:
        """The run was asked to stop."""
        self._add({"at": now, "event": "stop", "cancel": cancel})

    def note_end(self, now: float, report: ExecutionReport) -> None:
        """The run is over: what has turned out since it was told, then the end."""
        for purpose, step in _all_reports(report):
            if step.status == "skipped" and self._told.get((purpose, step.name)) != (step.reason, step.root_cause):
                self._add_step(now, "step-ended", purpose, step)
        problems = [problem.model_dump(mode="json", exclude_defaults=True) for problem in report.problems]
        self._add({"at": now, "event": "end", "phase": report.phase, "stopped": report.stopped, "problems": problems})

    def close(self) -> None:
        """Let others have the file."""
        self._file.close()

    def _begin(self, resumes: str | None) -> None:
        self._file.keep_name()
        progress = self._progress
        report = progress.report()
        fixed = {"name", "recommendation_id", "action", "batch"}
        header: dict[str, Any] = {
            "wfplan_journal": VERSION,
            "fingerprint": progress.plan.fingerprint,
            "run_id": progress.run_id,
            "settings": progress.settings._asdict(),
            **({} if resumes is None else {"resumes": resumes}),
            "steps": [step.model_dump(include=fixed, exclude_defaults=True) for step in report.steps.values()],
        }
        self._add(header)
        for purpose, step in _all_reports(report):
            if step.status != "pending" or step.attempts or purpose == "compensate":
                self._add_step(progress.now, "known", purpose, step)

    def _observe(self, event: Event) -> None:
        step = self._progress.report_of(event)
        # The last attempt of a step ends with the step; one line tells both.
        if event.kind != "attempt-ended" or event.retry_at is not None or step.leftover:
            self._add_step(event.at, event.kind, event.purpose, step)

    def _add_step(self, at: float, event: str, purpose: Purpose, step: StepReport) -> None:
        if step.status == "skipped":
            self._told[purpose, step.name] = (step.reason, step.root_cause)
        line: dict[str, Any] = {"at": at, "event": event}
        if purpose != "execute":
            line["purpose"] = purpose
        line["step"] = _to_json(step)
        if purpose == "execute" and step.status in ("succeeded", "running"):
            line["key"] = self._keys[step.name]
        self._add(line)

    def _add(self, line: dict[str, Any]) -> None:
        self._lines.append(json.dumps(line, ensure_ascii=False, separators=(", ", ": "), allow_nan=False) + "\n")


def _all_reports(report: ExecutionReport) -> Iterator[Tuple[Purpose, StepReport]]:
    """The reports of the steps in all that a run consists of, in the order in which that happens."""
    reports: Tuple[Tuple[Purpose, Dict[str, StepReport]], ...] = (
        ("dry_run", report.dry_run),
        ("execute", report.steps),
        ("compensate", report.rollback),
    )
    return ((purpose, step) for purpose, steps in reports for step in steps.values())


_DEFAULTS = tuple((name, field.default) for name, field in StepReport.model_fields.items() if name != "output")


def _to_json(step: StepReport) -> dict[str, Any]:
    """The status, and what is not as it is by default; an output that JSON cannot hold is named by its type."""
    own = vars(step)
    told: dict[str, Any] = {name: own[name] for name, default in _DEFAULTS if name == "status" or own[name] != default}
    if step.error is not None:
        told["error"] = {"type": step.error.type, "message": step.error.message}
    if step.output is not None:
        try:
            told.update(copy_json_object({"output": step.output}))
        except NotJsonError:
            told["output_not_kept"] = f"{type(step.output).__module__}.{type(step.output).__qualname__}"
    return told
