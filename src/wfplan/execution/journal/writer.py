"""Write a run to its journal, line by line, while it runs."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, Tuple

from wfplan._internal.step_identity import StepKeys
from wfplan.execution.events import Event
from wfplan.execution.interface import Purpose
from wfplan.execution.journal.file import JournalFile
from wfplan.execution.journal.reader import VERSION
from wfplan.execution.outputs import as_json
from wfplan.execution.progress import Progress
from wfplan.execution.report import ExecutionReport, StepReport
from wfplan.execution.step_errors import type_name

__all__ = ["Journal"]


class Journal:
    """Writes down a run, as an observer of its events; what it has collected is on disk after `write`."""

    def __init__(
        self,
        file: JournalFile,
        progress: Progress,
        *,
        known: ExecutionReport | None = None,
        resumes: str | None = None,
    ) -> None:
        """Continue after what is `known`, if the journal exists already."""
        self._file = file
        self._progress = progress
        self._keys = StepKeys(progress.plan)
        self._has_key: set[str] = set(known.keys if known else ())
        self._lines: list[dict[str, Any]] = []
        self._is_open = True
        self._skips: dict[tuple[str, str], tuple[str | None, str | None]] = {}  # why each step was skipped
        if known is not None and (known.phase == "suspended" or known.held != progress.held):
            self._add({"at": progress.now, "event": "goes-on", "held": progress.held})
        self._catch_up(known)
        if known is None:
            self._begin(resumes)
        progress.subscribe(self._observe)

    def take(self) -> bytes:
        """Return what is to be written, and is nobody else's business from now on."""
        lines, self._lines = self._lines, []
        return "".join(_encode(line) + "\n" for line in lines).encode()

    def write(self, data: bytes) -> None:
        """Have it on disk. May be called by any thread. Raises OSError if that cannot be."""
        self._file.append(data)

    def note_stop(self, now: float, *, cancel: bool) -> None:
        """Record that the run was asked to stop."""
        self._add({"at": now, "event": "stop", "cancel": cancel})

    def note_end(self, now: float, report: ExecutionReport) -> None:
        """Record the end of the run, or its suspension, after everything that is not in the journal yet."""
        for purpose, step in _all_reports(report):
            if step.status == "skipped" and self._skips.get((purpose, step.name)) != (step.reason, step.root_cause):
                self._add_step(now, "step-ended", purpose, step)
        problems = [problem.model_dump(mode="json", exclude_defaults=True) for problem in report.problems]
        if report.phase == "suspended":
            self._add({"at": now, "event": "suspended", "purpose": report.suspended_in, "problems": problems})
            return
        self._add({"at": now, "event": "end", "phase": report.phase, "stopped": report.stopped, "problems": problems})

    def close(self) -> None:
        """Let others have the file, and write down nothing more."""
        self._is_open = False
        self._file.close()

    def _begin(self, resumes: str | None) -> None:
        self._file.keep_name()
        progress = self._progress
        fixed = {"name", "recommendation_id", "action", "batch", "idempotent"}
        header: dict[str, Any] = {
            "wfplan_journal": VERSION,
            "fingerprint": progress.plan.fingerprint,
            "run_id": progress.run_id,
            "settings": progress.settings.model_dump(),
            **({} if resumes is None else {"resumes": resumes}),
            **({"held": progress.held} if progress.held else {}),
            # in the same line, which is there or is not: a run without it would do all that is known once more
            "known": self._lines,
            "steps": [
                step.model_dump(include=fixed, exclude_defaults=True) for step in progress.report().steps.values()
            ],
        }
        self._lines = []
        self._add(header)

    def _catch_up(self, known: ExecutionReport | None) -> None:
        """Write what is not known: of a new journal everything, else what is not in it yet."""
        before = {} if known is None else {(purpose, step.name): step for purpose, step in _all_reports(known)}
        self._skips.update(
            (key, (step.reason, step.root_cause)) for key, step in before.items() if step.status == "skipped"
        )
        for purpose, step in _all_reports(self._progress.report()):
            written = before.get((purpose, step.name), _NOTHING)
            if (
                step.status != written.status
                or step.attempts != written.attempts
                or (purpose == "compensate" and not known)
            ):
                self._add_step(self._progress.now, "known", purpose, step)

    def _observe(self, event: Event) -> None:
        # The last attempt of a step ends with the step, and one line holds both; unless it left something behind, and
        # will be followed by another only when that has come back.
        written_later = event.kind == "attempt-ended" and event.retry_at is None and event.status != "timed_out"
        if self._is_open and event.step_report is not None and not written_later:
            self._add_step(event.at, event.kind, event.purpose, event.step_report)

    def _add_step(self, at: float, event: str, purpose: Purpose, step: StepReport) -> None:
        if step.status == "skipped":
            self._skips[purpose, step.name] = (step.reason, step.root_cause)
        line: dict[str, Any] = {"at": at, "event": event}
        if purpose != "execute":
            line["purpose"] = purpose
        line["step"] = _to_json(step)
        if event == "known" and step.history:  # otherwise the lines before it tell
            line["step"]["history"] = [ended.model_dump(mode="json", exclude_defaults=True) for ended in step.history]
        if purpose == "execute" and step.attempts and step.name not in self._has_key:
            self._has_key.add(step.name)
            line["key"] = self._keys[step.name]
        self._add(line)

    def _add(self, line: dict[str, Any]) -> None:
        self._lines.append(line)


def _all_reports(report: ExecutionReport) -> Iterator[Tuple[Purpose, StepReport]]:
    """Return the reports of the steps in all that a run consists of, in the order in which that happens."""
    reports: Tuple[Tuple[Purpose, Dict[str, StepReport]], ...] = (
        ("dry_run", report.dry_run),
        ("execute", report.steps),
        ("compensate", report.rollback),
    )
    return ((purpose, step) for purpose, steps in reports for step in steps.values())


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
_NOTHING = StepReport(name="-")
_DEFAULTS = tuple(
    (name, field.default) for name, field in StepReport.model_fields.items() if name not in ("output", "history")
)


def _to_json(step: StepReport) -> dict[str, Any]:
    """Return the status, and what is not as it is by default; an output that JSON cannot hold is named by its type."""
    own = vars(step)
    data: dict[str, Any] = {name: own[name] for name, default in _DEFAULTS if name == "status" or own[name] != default}
    if step.error is not None:
        data["error"] = step.error.model_dump(mode="json", exclude_defaults=True)
    if step.output is not None:
        try:
            data["output"] = as_json(step.output)
        except Exception:  # noqa: BLE001 - it may be of any class, and raise anything when it is looked at
            data["output_not_kept"] = type_name(step.output)
    return data
