"""What holds for every run of every plan, whatever its steps do and when: the rules E1 to E6, E9 and E11 as laws.

A `Progress` is walked with outcomes, orders and moments that hypothesis chooses. `Model` says what should happen: it
goes through all steps each time, in the words of the rules, and shares no code with what is tested.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

import pytest
from execution_strategies import SCHEDULES, Choices, Keywords, choices, keywords, plans
from hypothesis import event, given, settings
from hypothesis import strategies as st

from wfplan import ExecutionPlan, ExecutionStrategy, PermanentError, RefusedError, RetryPolicy, Step, Workflow, plan
from wfplan.execution.events import Event
from wfplan.execution.interface import StepCall
from wfplan.execution.progress import CANCEL_GRACE_SECONDS, Progress
from wfplan.execution.report import ExecutionReport, StepReport

OPEN = ("pending", "running")
BAD = ("failed", "timed_out", "cancelled")


class Model:
    """The rules, without any memory but of what has happened."""

    def __init__(self, made: ExecutionPlan, given: Keywords) -> None:
        known = made.workflow.execution_strategy
        self.steps = made.workflow.steps
        self.names = [step.name for step in self.steps]
        self.all = range(len(self.steps))
        self.needs = [[self.names.index(name) for name in step.dependencies] for step in self.steps]
        self.batches = [[self.names.index(name) for name in batch.steps] for batch in made.batches]
        self.batch_of = {number: place for place, batch in enumerate(self.batches) for number in batch}
        self.serial = {place for place, batch in enumerate(made.batches) if not batch.parallel}
        self.hinted = {n for n in self.all if self.steps[n].metadata.get("execution_mode") in ("sequential", "odd")}
        self.schedule = given.schedule or known.schedule
        self.on_failure = given.on_failure or known.on_failure
        limits = [known.max_parallel, given.max_parallel, 1 if known.mode == "sequential" else None]
        self.limit = min((limit for limit in limits if limit is not None), default=None)
        by_batch = [number for batch in self.batches for number in batch]
        by_path = sorted(self.all, key=lambda number: (-self._path(number), number))
        self.order = by_batch if self.schedule == "batch" else by_path

        self.now = 0.0
        self.status = ["pending" for _ in self.all]
        self.attempts = [0 for _ in self.all]
        self.started_at: Dict[int, float] = {}
        self.ended_at: Dict[int, float] = {}
        self.last: Dict[int, str] = {}
        self.reason: Dict[int, str] = {}
        self.outputs: Dict[int, Any] = {}
        self.in_flight: Dict[int, float] = {}
        self.abandoned: Set[int] = set()
        self.noticed: Dict[int, float] = {}
        self.lost: Set[int] = set()
        self.retry_at: Dict[int, float] = {}
        self.cancel_deadline: Dict[int, float] = {}
        self.culprit: Dict[int, int] = {}
        self.stopped = False
        self.stopper: Optional[int] = None

    def _path(self, number: int) -> float:
        own = self.steps[number].estimated_seconds
        behind = [self._path(other) for other in self.all if number in self.needs[other]]
        return (1 if own is None else own) + max(behind, default=0)

    # What is so at this moment.

    def is_done(self, number: int) -> bool:
        tolerated = self.steps[number].continue_on_failure and self.status[number] in ("failed", "timed_out")
        return self.status[number] == "succeeded" or tolerated

    def has_ended(self, number: int) -> bool:
        return self.status[number] not in OPEN

    def is_active(self) -> bool:
        return not all(map(self.has_ended, self.all))

    def may_start(self, number: int) -> bool:
        """Whether it waits for nothing but places, locks and its turn."""
        opened = self.schedule == "eager" or all(
            self.has_ended(other) for batch in self.batches[: self.batch_of[number]] for other in batch
        )
        return (
            self.status[number] == "pending"
            and not self.stopped
            and opened
            and all(map(self.is_done, self.needs[number]))
            and self.retry_at.get(number, self.now) <= self.now
        )

    def excludes(self, one: int, other: int) -> bool:
        """Whether these two share a lock, or a batch that is not parallel."""
        same = self.batch_of[one] == self.batch_of[other] and self.batch_of[one] in self.serial
        return one != other and (same or bool(set(self.steps[one].locks) & set(self.steps[other].locks)))

    def deadline(self, number: int) -> Tuple[Optional[float], str]:
        timeout = self.steps[number].timeout_seconds
        due = None if timeout is None else self.in_flight[number] + timeout
        by = self.cancel_deadline.get(number)
        if by is not None and (due is None or by <= due):
            return by, "cancelled"
        return due, "timed_out"

    def waited_for_until(self, number: int) -> float:
        """As long again as its timeout, and a second at least, from when it was noticed that its time is up."""
        return self.noticed[number] + max(self.steps[number].timeout_seconds or 0.0, 1.0)

    def due(self) -> List[Tuple[float, int, str]]:
        """What happens to what is in flight by the clock alone, the earliest first."""
        found = []
        for number in self.in_flight:
            timeout = self.steps[number].timeout_seconds
            if number not in self.abandoned:
                at, how = self.deadline(number)
                if at is not None:
                    found.append((at, number, how))
            elif number not in self.lost and timeout is not None and self.status[number] != "cancelled":
                found.append((self.waited_for_until(number), number, "lost"))
        return sorted(found)

    def next_deadline(self) -> Optional[float]:
        times = [at for at, _, _ in self.due()] + [at for at in self.retry_at.values() if at > self.now]
        return min(times, default=None)

    # What happens.

    def get_ready(self, now: float) -> List[int]:
        self.now = now
        while True:
            due = [entry for entry in self.due() if entry[0] <= now]
            if not due:
                break
            self._time_is_up(due[0][1], due[0][2])
        started: List[int] = []
        in_vain = True
        while in_vain:
            in_vain = self._one_pass(started)
        return started

    def _one_pass(self, started: List[int]) -> bool:
        """All that wait, by rank; whether any waited in vain."""
        in_vain = []
        for number in [number for number in self.order if self.may_start(number)]:
            way: Iterable[int] = [other for other in self.in_flight if self.excludes(number, other)]
            holds_up = False
            if not way:
                full = self.limit is not None and len(self.in_flight) >= self.limit
                holds_up = full or number in self.hinted or not self.hinted.isdisjoint(self.in_flight)
                way = list(self.in_flight) if holds_up else []
            if way and self.lost.issuperset(way):
                in_vain.append((number, min(way)))
            elif way and holds_up:
                break
            elif not way:
                self._start(number)
                started.append(number)
        for number, culprit in in_vain:
            if self.status[number] == "pending" and not self.stopped:
                self.culprit[number] = culprit
                self.end(number, "timed_out" if self.attempts[number] else "skipped", "blocked-by-abandoned-call")
        return bool(in_vain)

    def _start(self, number: int) -> None:
        self.status[number] = "running"
        self.attempts[number] += 1
        self.started_at.setdefault(number, self.now)
        self.in_flight[number] = self.now
        self.retry_at.pop(number, None)

    def _time_is_up(self, number: int, how: str) -> None:
        if how == "lost":
            self.lost.add(number)
            if self.status[number] == "running":
                self.end(number, "timed_out", "blocked-by-abandoned-call")
            return
        self.abandoned.add(number)
        self.noticed[number] = self.now
        self.last[number] = how
        retry = self.steps[number].retry
        if how == "cancelled" or retry is None or not retry.retry_timeouts or not self.may_retry(number):
            self.end(number, how)

    def may_retry(self, number: int) -> bool:
        retry = self.steps[number].retry
        return retry is not None and self.attempts[number] < retry.max_attempts and not self.stopped

    def delay(self, number: int, attempts: int) -> float:
        retry = self.steps[number].retry
        assert retry is not None
        delay = retry.delay_seconds
        for _ in range(attempts - 1):
            delay *= retry.factor
        delay = delay if retry.max_delay_seconds is None else min(delay, retry.max_delay_seconds)
        digits = hashlib.sha256(f"{self.key(number)}:{attempts}".encode()).hexdigest()[:13]
        return delay * (1 - retry.jitter * (int(digits, 16) / 2**52))

    def key(self, number: int) -> str:
        step = self.steps[number]
        text = json.dumps(
            ["r", "execute", step.name, step.action, step.parameters], sort_keys=True, separators=(",", ":")
        )
        return hashlib.sha256(text.encode()).hexdigest()

    def back(self, number: int, now: float, how: str, output: Any = None) -> None:
        """A call came back: `succeeded`, `failed`, `permanent` or `cancelled`."""
        self.now = now
        del self.in_flight[number]
        self.cancel_deadline.pop(number, None)
        self.lost.discard(number)
        if number in self.abandoned:
            self.abandoned.discard(number)
            if self.status[number] == "running":
                self._wait(number)
            return
        self.last[number] = "failed" if how == "permanent" else how
        if how == "failed" and self.may_retry(number):
            self._wait(number)
            return
        if how == "succeeded":
            self.outputs[number] = output
        self.end(number, self.last[number])

    def _wait(self, number: int) -> None:
        self.status[number] = "pending"
        self.retry_at[number] = self.now + self.delay(number, self.attempts[number])

    def end(self, number: int, status: str, reason: Optional[str] = None) -> None:
        self.status[number] = status
        self.ended_at[number] = self.now
        if reason is not None:
            self.reason[number] = reason
        self.retry_at.pop(number, None)
        if self.is_done(number):
            return
        if status == "skipped" or self.on_failure == "skip-dependents":
            for other in self.all:
                if self.status[other] == "pending" and number in self.ancestors(other):
                    self.status[other] = "skipped"
                    self.ended_at[other] = self.now
            return
        self.stop(number)
        if self.on_failure == "cancel":
            self.cancel(CANCEL_GRACE_SECONDS)

    def stop(self, stopper: Optional[int]) -> None:
        if self.stopped:
            return
        self.stopped, self.stopper = True, stopper
        for number in self.all:
            waits_for_retry = self.status[number] == "running" and number in self.abandoned
            if self.status[number] == "pending" or waits_for_retry:
                tried = self.attempts[number] > 0
                self.status[number] = self.last[number] if tried else "skipped"
                self.ended_at[number] = self.now
                self.retry_at.pop(number, None)
                if tried:
                    self.reason[number] = "run-stopped"

    def cancel(self, grace: float) -> None:
        for number in self.in_flight:
            if number not in self.abandoned:
                self.cancel_deadline[number] = min(self.now + grace, self.cancel_deadline.get(number, self.now + grace))

    # What the report has to say.

    def ancestors(self, number: int) -> Set[int]:
        return {a for other in self.needs[number] for a in (other, *self.ancestors(other))}

    def blame(self, number: int) -> Tuple[Optional[str], Optional[str]]:
        """Reason and root cause."""
        if self.status[number] != "skipped":
            return self.reason.get(number), None
        if number in self.culprit:
            return "blocked-by-abandoned-call", self.names[self.culprit[number]]
        ancestors = self.ancestors(number)
        failed = {n for n in ancestors if self.status[n] in BAD and not self.is_done(n)}
        failed |= {self.culprit[n] for n in ancestors if self.status[n] == "skipped" and n in self.culprit}
        if failed:
            return "dependency-failed", self.names[min(failed)]
        return "run-stopped", None if self.stopper is None else self.names[self.stopper]

    def asked_to_end_by(self, number: int) -> Optional[float]:
        if number in self.abandoned and self.last[number] == "timed_out":
            return self.waited_for_until(number)
        return self.cancel_deadline.get(number) if self.status[number] == "running" else None

    def facts(self) -> Dict[str, Tuple[Any, ...]]:
        return {
            name: (
                self.status[number],
                self.attempts[number],
                self.started_at.get(number),
                self.ended_at.get(number),
                *self.blame(number),
                number in self.abandoned,
                self.outputs.get(number),
                self.asked_to_end_by(number),
            )
            for number, name in enumerate(self.names)
        }


def _facts(report: ExecutionReport) -> Dict[str, Tuple[Any, ...]]:
    return {
        name: (
            step.status,
            step.attempts,
            step.started_at,
            step.ended_at,
            step.reason,
            step.root_cause,
            step.abandoned,
            step.output,
            step.cancel_deadline,
        )
        for name, step in report.steps.items()
    }


def _calls(calls: Iterable[StepCall]) -> List[Tuple[Any, ...]]:
    return [(call.step.name, call.attempt, dict(call.outputs), call.idempotency_key) for call in calls]


class Attempt(NamedTuple):
    """One attempt that has come back or whose time is up."""

    started: float
    how: str
    back: float


class Driver:
    """Walks a plan as it is told, beside the model and beside copies made on the way, and looks at everything."""

    def __init__(self, made: ExecutionPlan, given: Keywords, chosen: Choices) -> None:
        self.plan = made
        self.given = given
        self.chosen = chosen
        self.model = Model(made, given)
        self.progress = Progress(made, **given._asdict(), run_id="r")
        self.copies: List[Progress] = []
        self.now = 0.0
        self.told: List[Event] = []
        self.progress.subscribe(self.told.append)
        self.cancelled: Set[Tuple[str, int]] = set()
        self.history: Dict[str, List[Attempt]] = {name: [] for name in self.model.names}
        self.stopped_outside = False
        self.moves = 0
        self.asked = False

    def run(self) -> ExecutionReport:
        self.get_ready()
        while self.progress.is_active():
            self.moves += 1
            assert self.moves < 1000, "the run does not end"
            self.move()
            assert self.progress.is_active() == self.model.is_active()
            assert set(self.progress.abandoned) == {self.model.names[n] for n in self.model.abandoned}
        return self.check_end()

    # The moves. Whatever is chosen, the first one brings the run nearer to its end.

    def move(self) -> None:
        runs = [n for n in self.model.in_flight if n not in self.model.abandoned]
        back = [n for n in self.model.in_flight if n in self.model.abandoned]
        wake = self.progress.next_deadline
        if not runs and not self.asked:
            self.get_ready()
            return
        if runs:
            kind = ("finish", *["finish"] * 6, "wait", "wait", "wait", "late", "other", "restore", "restore")
        else:
            assert wake is not None, "stuck: nothing is in flight but what never returns"
            kind = ("wait", "wait", "late", "late", "other", "restore")
        what = kind[self.chosen.below(len(kind))]
        if what == "finish":
            how = ("succeeded", "succeeded", "failed", "failed", "permanent", "cancelled", "failed", "succeeded")
            self.finish(runs[self.chosen.below(len(runs))], how[self.chosen.below(len(how))])
        elif what == "late" and back:
            late = ("succeeded", "failed", "permanent", "cancelled")
            self.finish(back[self.chosen.below(len(back))], late[self.chosen.below(len(late))])
        elif what == "wait" and wake is not None:
            self.wait(wake)
        elif what == "restore":
            self.restore()
        else:
            self.other(wake)

    def other(self, wake: Optional[float]) -> None:
        what = self.chosen.below(12)
        if what < 3:
            until = self.now + 0.5
            self.wait(until if wake is None else min(wake, until))
        elif what == 3:
            cancel, grace = self.chosen.below(2) == 1, (0.0, 0.5, 3.0)[self.chosen.below(3)]
            for progress in self.everybody():
                progress.stop(cancel=cancel, grace_seconds=grace, now=self.now)
            self.stopped_outside = True
            self.model.stop(None)
            if cancel:
                self.model.cancel(grace)
            self.look()
        elif what == 4:
            limit = 1 + self.chosen.below(3)
            for progress in self.everybody():
                progress.lower_max_parallel(limit)
            self.model.limit = limit if self.model.limit is None else min(limit, self.model.limit)
        elif what == 5:
            self.refuse()
        else:
            self.get_ready()

    def everybody(self) -> Tuple[Progress, ...]:
        return (self.progress, *self.copies)

    def wait(self, until: float) -> None:
        self.now = until
        self.get_ready()

    def finish(self, number: int, how: str) -> None:
        name = self.model.names[number]
        if number not in self.model.abandoned:
            self.history[name].append(Attempt(self.model.in_flight[number], how, self.now))
        else:
            self.history[name][-1] = self.history[name][-1]._replace(back=self.now)
        output = [name, self.model.attempts[number]]
        self.model.back(number, self.now, how, output)
        error = PermanentError("no use") if how == "permanent" else OSError("once more")
        for progress in self.everybody():
            if how == "succeeded":
                progress.done(name, output, now=self.now)
            elif how == "cancelled":
                progress.cancelled(name, now=self.now)
            else:
                progress.failed(name, error, now=self.now)
        self.look()
        self.asked = False
        if self.chosen.below(4) < 3:
            self.get_ready()

    def restore(self) -> None:
        """From now on, two copies go the same way: of the step reports, and of the report by way of JSON."""
        report = self.progress.report()
        loaded = ExecutionReport.model_validate_json(report.model_dump_json())
        known = {**self.given._asdict(), "run_id": "r"}
        if self.model.limit is not None:
            known["max_parallel"] = self.model.limit
        state: Any = report if self.stopped_outside else list(report.steps.values())
        loaded_state: Any = loaded if self.stopped_outside or self.chosen.below(2) else list(loaded.steps.values())
        self.copies = [Progress(self.plan, state, **known), Progress(self.plan, loaded_state, **known)]
        for copy in self.copies:
            assert copy.report().steps == report.steps
            assert copy.phase == report.phase
            assert {call.step.name for call in copy.in_flight} == {call.step.name for call in self.progress.in_flight}

    def refuse(self) -> None:
        """What is not in flight cannot come back, and nothing happens when it seems to."""
        before = self.progress.report().steps
        with pytest.raises(KeyError):
            self.progress.done("nobody", now=self.now)
        for number, name in enumerate(self.model.names):
            if number not in self.model.in_flight:
                with pytest.raises(ValueError, match="not in flight"):
                    self.progress.done(name, now=self.now)
                with pytest.raises(ValueError, match="not in flight"):
                    self.progress.failed(name, "late", now=self.now)
                with pytest.raises(ValueError, match="not in flight"):
                    self.progress.cancelled(name, now=self.now)
        assert self.progress.report().steps == before

    # What is looked at.

    def get_ready(self) -> None:
        self.asked = True
        flying = set(self.model.in_flight)
        left = set(self.model.abandoned)
        stopped = self.model.stopped
        expected = self.model.get_ready(self.now)
        for number in self.model.abandoned - left:
            self.history[self.model.names[number]].append(
                Attempt(self.model.in_flight[number], self.model.last[number], float("inf"))
            )
        calls = self.progress.get_ready(self.now)
        names = [self.model.names[number] for number in expected]
        assert [call.step.name for call in calls] == names
        for call in calls:
            self.check_start(call, flying, stopped=stopped)
        for copy in self.copies:
            assert _calls(copy.get_ready(self.now)) == _calls(calls)
            assert copy.next_deadline == self.progress.next_deadline
        assert self.progress.next_deadline == self.model.next_deadline()
        assert self.progress.get_ready(self.now) == ()
        self.look()

    def check_start(self, call: StepCall, flying: Set[int], *, stopped: bool) -> None:
        """The rules, once more, as they are promised; `flying` is in flight, and grows."""
        model, step = self.model, call.step
        number = model.names.index(step.name)
        assert not stopped
        assert all(map(model.is_done, model.needs[number]))
        if model.schedule == "batch":
            assert all(model.has_ended(n) for batch in model.batches[: model.batch_of[number]] for n in batch)
        assert number not in flying
        assert model.limit is None or len(flying) < model.limit
        assert self.plan.workflow.execution_strategy.mode != "sequential" or not flying
        assert not flying or (number not in model.hinted and model.hinted.isdisjoint(flying))
        assert not any(model.excludes(number, other) for other in flying)
        flying.add(number)

        past = self.history[step.name]
        assert call.attempt == len(past) + 1 == model.attempts[number]
        if past:
            retry = step.retry
            assert retry is not None
            assert call.attempt <= retry.max_attempts
            assert past[-1].how == "failed" or (past[-1].how == "timed_out" and retry.retry_timeouts)
            assert self.now >= past[-1].back + model.delay(number, len(past))
        assert call.timeout_seconds == step.timeout_seconds
        assert call.purpose == "execute"
        assert call.outputs == {
            name: model.outputs[model.names.index(name)]
            for name in step.dependencies
            if model.status[model.names.index(name)] == "succeeded"
        }
        assert call.run_id == "r"
        assert call.idempotency_key == model.key(number)

    def look(self) -> None:
        report = self.progress.report()
        assert _facts(report) == self.model.facts()
        assert report.stopped == self.model.stopped
        told = [(name, self.model.attempts[self.model.names.index(name)]) for name in self.progress.get_cancellations()]
        assert len(told) == len(set(told))
        assert self.cancelled.isdisjoint(told)
        self.cancelled.update(told)

    def check_end(self) -> ExecutionReport:
        report = self.progress.report()
        model = self.model
        for number, (name, step) in enumerate(report.steps.items()):
            assert step.status not in OPEN
            assert step.retry_at is None
            assert len(self.history[name]) == step.attempts
            if step.status == "skipped":
                assert step.attempts == 0
            if step.reason == "blocked-by-abandoned-call":
                blamed = name if step.root_cause is None else step.root_cause
                assert report.steps[blamed].status == "timed_out"
            if model.on_failure == "skip-dependents" and not model.stopped and step.status == "skipped":
                assert step.root_cause is not None
            if not model.stopped and step.status == "pending":
                assert not all(map(model.is_done, model.needs[number]))
        done = all(map(model.is_done, model.all))
        assert report.phase == self.progress.phase == ("completed" if done else "failed")
        for copy in self.copies:
            assert not copy.is_active()
            assert copy.report().steps == report.steps
            assert copy.phase == report.phase
        self.check_events(report)
        return report

    def check_events(self, report: ExecutionReport) -> None:
        assert [e.at for e in self.told] == sorted(e.at for e in self.told)
        for name, step in report.steps.items():
            told = [e for e in self.told if e.step == name]
            kinds = [e.kind for e in told if e.kind != "abandoned-call-returned"]
            assert kinds == ["attempt-started", "attempt-ended"] * step.attempts + ["step-ended"]
            started = [e for e in told if e.kind == "attempt-started"]
            ended = [e for e in told if e.kind == "attempt-ended"]
            assert [e.attempt for e in started] == [e.attempt for e in ended] == list(range(1, step.attempts + 1))
            assert [e.at for e in started] == [past.started for past in self.history[name]]
            assert [e.status for e in ended] == [
                "failed" if past.how == "permanent" else past.how for past in self.history[name]
            ]
            last = next(e for e in told if e.kind == "step-ended")
            assert (last.status, last.attempt, last.at, last.error) == (
                step.status,
                step.attempts,
                step.ended_at,
                step.error,
            )
            if step.status != "skipped":
                assert (last.reason, last.root_cause) == (step.reason, None)
            returned = [e for e in told if e.kind == "abandoned-call-returned"]
            late = [past for past in self.history[name] if past.how == "timed_out" and past.back < float("inf")]
            assert len(returned) >= len(late)
            for number, happened in enumerate(told):
                if happened.kind == "abandoned-call-returned":
                    assert told[number - 1].kind in ("attempt-ended", "step-ended")


@settings(max_examples=4 * settings.default.max_examples)
@given(plans(), keywords(), choices())
def test_every_run_keeps_the_rules(made: ExecutionPlan, given: Keywords, chosen: Choices) -> None:
    driver = Driver(made, given, chosen)
    report = driver.run()
    for status in {step.status for step in report.steps.values()}:
        event(status)
    for reason in {step.reason for step in report.steps.values() if step.reason}:
        event(reason)
    if driver.copies:
        event("restored")
    if any(step.attempts > 1 for step in report.steps.values()):
        event("tried again")


def _walk(progress: Progress, chosen: Choices, script: Mapping[str, Sequence[str]]) -> ExecutionReport:
    """To the end: what comes back when is chosen, what comes of each attempt is written down."""
    now = progress.now
    started: Dict[str, int] = {call.step.name: call.attempt for call in progress.in_flight}
    gone = set(progress.abandoned)
    for _ in range(1000):
        for call in progress.get_ready(now):
            assert call.step.name not in started, "started while it is in flight"
            started[call.step.name] = call.attempt
        gone.update(progress.abandoned)
        if not progress.is_active():
            return progress.report()
        back = sorted(started.keys() - gone)
        if back:
            name = back[chosen.below(len(back))]
            attempt = started.pop(name)
            outcomes = script.get(name, ())
            outcome = outcomes[attempt - 1] if attempt <= len(outcomes) else "succeeded"
            if outcome == "succeeded":
                progress.done(name, name, now=now)
            elif outcome == "cancelled":
                progress.cancelled(name, now=now)
            else:
                progress.failed(name, PermanentError(name) if outcome == "permanent" else name, now=now)
        else:
            assert progress.next_deadline is not None, "stuck"
            now = max(now, progress.next_deadline)
    raise AssertionError("the run does not end")


OUTCOMES = st.sampled_from(("succeeded", "failed", "failed", "permanent", "cancelled"))
SCRIPTS = st.fixed_dictionaries({name: st.lists(OUTCOMES, max_size=4) for name in "abcdefg"})


def _expected_statuses(made: ExecutionPlan, script: Mapping[str, Sequence[str]]) -> Dict[str, str]:
    """Of a run that nothing stops, with what each attempt comes to."""
    found: Dict[str, str] = {}

    def status_of(name: str) -> str:
        if name in found:
            return found[name]
        step = made.steps[name]
        found[name] = "skipped"
        needed = [(made.steps[other].continue_on_failure, status_of(other)) for other in step.dependencies]
        if all(status == "succeeded" or (tolerated and status == "failed") for tolerated, status in needed):
            attempts = 1 if step.retry is None else step.retry.max_attempts
            outcomes = [*script[name], *["succeeded"] * attempts][:attempts]
            last = next((outcome for outcome in outcomes if outcome != "failed"), "failed")
            found[name] = "failed" if last == "permanent" else last
        return found[name]

    return {step.name: status_of(step.name) for step in made.workflow.steps}


@given(plans(timed=False), SCRIPTS, choices(0, 40), st.sampled_from(SCHEDULES), st.sampled_from((None, 1, 2)))
def test_the_order_of_completion_decides_nothing_where_nothing_stops_the_run(
    made: ExecutionPlan, script: Dict[str, List[str]], chosen: Choices, schedule: Any, limit: Optional[int]
) -> None:
    walked = Progress(made, on_failure="skip-dependents", schedule=schedule, max_parallel=limit)
    assert _walk(walked, chosen, script).statuses == _expected_statuses(made, script)


@st.composite
def _states(draw: st.DrawFn) -> Tuple[ExecutionPlan, List[StepReport]]:
    made = draw(plans(max_size=4))
    moments = st.sampled_from((None, None, 0.0, 1.0, 4.0))
    names = [step.name for step in made.workflow.steps]
    reports = [
        StepReport(
            name=name,
            status=draw(st.sampled_from(("succeeded", "succeeded", "pending", "running", *BAD, "skipped"))),
            attempts=draw(st.integers(0, 2)),
            started_at=draw(moments),
            attempt_started_at=draw(moments),
            ended_at=draw(moments),
            retry_at=draw(moments),
            cancel_deadline=draw(moments),
            abandoned=draw(st.sampled_from((False, False, True))),
            error=draw(st.sampled_from((None, {"type": "OSError"}, {"type": "timed_out"}))),
            reason=draw(st.sampled_from((None, "dependency-failed", "run-stopped", "blocked-by-abandoned-call"))),
            root_cause=draw(st.sampled_from((None, *names))),
        )
        for name in names
        if draw(st.sampled_from((True, True, False)))
    ]
    return made, reports


@settings(max_examples=3 * settings.default.max_examples)
@given(_states(), keywords(), choices(0, 20))
def test_a_made_up_state_is_refused_or_goes_on_to_an_end(
    made_up: Tuple[ExecutionPlan, List[StepReport]], given: Keywords, chosen: Choices
) -> None:
    made, state = made_up
    try:
        progress = Progress(made, state, **given._asdict())
    except RefusedError as error:
        event("refused")
        codes = {problem.code for problem in error.problems}
    else:
        codes = set()
    assert codes <= {"impossible-state"}
    if not codes:
        before = {report.name: report.status for report in state if report.status not in OPEN}
        report = _walk(progress, chosen, {})
        assert set(OPEN).isdisjoint(report.statuses.values())
        assert before.items() <= report.statuses.items()


THREE = plan({"a": [], "b": ["a"], "c": []})


@pytest.mark.parametrize(
    "state",
    [
        [StepReport(name="d")],
        [StepReport(name="a"), StepReport(name="a")],
        [StepReport(name="b", status="succeeded", attempts=1)],
        [StepReport(name="b", status="running", attempts=1, attempt_started_at=0)],
        [StepReport(name="a", status="running")],
        [StepReport(name="a", status="running", attempts=1)],
        [StepReport(name="a", status="skipped")],
        [StepReport(name="b", status="skipped", reason="dependency-failed")],
        [StepReport(name="b", status="skipped", reason="blocked-by-abandoned-call")],
        [StepReport(name="b", status="skipped", reason="run-stopped", root_cause="nobody")],
        [StepReport(name="a", status="succeeded", attempts=1, abandoned=True)],
    ],
)
def test_a_state_that_cannot_be_is_refused(state: List[StepReport]) -> None:
    with pytest.raises(RefusedError) as caught:
        Progress(THREE, state)
    assert [problem.code for problem in caught.value.problems] == ["impossible-state"]


def test_holders_of_one_lock_cannot_be_in_flight_together() -> None:
    made = plan([Step(name="a", locks=["x"]), Step(name="b", locks=["x"])])
    running = [StepReport(name=name, status="running", attempts=1, attempt_started_at=0) for name in "ab"]
    with pytest.raises(RefusedError) as caught:
        Progress(made, running)
    assert [problem.code for problem in caught.value.problems] == ["impossible-state"]


def test_everything_that_cannot_be_is_told_at_once() -> None:
    wrong: Dict[str, Any] = {"schedule": "x", "max_parallel": 0, "on_failure": "go-on", "run_id": ""}
    with pytest.raises(RefusedError) as caught:
        Progress(THREE, [StepReport(name="d"), StepReport(name="b", status="succeeded")], **wrong)
    codes = [problem.code for problem in caught.value.problems]
    assert sorted(codes) == ["impossible-state"] * 2 + ["invalid-setting"] * 4


@pytest.mark.parametrize("wrong", [0, -1, 2**31, True, 1.0, "2", [], float("nan")])
def test_a_limit_that_cannot_be_is_refused(wrong: Any) -> None:
    with pytest.raises(RefusedError) as caught:
        Progress(THREE, max_parallel=wrong)
    assert [problem.code for problem in caught.value.problems] == ["invalid-setting"]


@given(*[st.none() | st.integers(1, 5)] * 2, st.sampled_from(("auto", "sequential")))
def test_the_lower_limit_wins(own: Optional[int], given_limit: Optional[int], mode: Any) -> None:
    made = plan(
        {str(number): [] for number in range(6)}, execution_strategy=ExecutionStrategy(max_parallel=own, mode=mode)
    )
    progress = Progress(made, max_parallel=given_limit)
    wanted = min(own or 6, given_limit or 6, 1 if mode == "sequential" else 6)
    assert len(progress.get_ready(0)) == wanted
    assert (progress.max_parallel or 6) == wanted


def test_the_key_of_a_step_is_the_same_for_every_attempt_and_no_other_step() -> None:
    retry = RetryPolicy(max_attempts=3)
    made = plan(Workflow(steps=[Step(name="a", retry=retry), Step(name="b", parameters={"x": [1, {"y": None}]})]))
    progress = Progress(made, run_id="r")
    first, other = progress.get_ready(0)
    progress.failed("a", "x", now=1)
    (second,) = progress.get_ready(1)
    assert first.idempotency_key == second.idempotency_key != other.idempotency_key
    assert Progress(made, run_id="s").get_ready(0)[0].idempotency_key != first.idempotency_key
    assert Progress(made).run_id != Progress(made).run_id
