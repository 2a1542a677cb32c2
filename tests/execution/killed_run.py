"""Runs whose process dies: a program that lets them die, and what its traces tell.

`killed_run.py kill SEED FOLDER` kills the processes of long runs at random moments, `killed_run.py crash FOLDER` ends
those of short runs at every write of the journal. Both continue each run until it ends, and print as JSON where the
traces of it are: the journal as it was at each death, how long the file of effects was then, the report at the end.
"""

from __future__ import annotations

import gc
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import wfplan
from wfplan import (
    Compensation,
    ExecutionPlan,
    ExecutionReport,
    ExecutionStrategy,
    FunctionExecutor,
    RetryPolicy,
    Step,
    StepCall,
    StepReport,
    Workflow,
)
from wfplan.execution.journal.file import JournalFile

KILLS = {"passing": 20, "failing": 20, "undone": 25, "tried-and-undone": 35}
"""By case, under each schedule."""
SCHEDULES = ("batch", "eager")
MANNERS = ("before", "half", "all")
"""How much of a write is in the file when the process ends: nothing, half of it, everything."""
MORE_CRASHES = [(1, "half"), (2, "all")]
"""Where the processes end that continue, one after the other: the number of a write, and how much of it is there."""
EXIT_CODE = 9
HANG_SECONDS = 30
TWICE = RetryPolicy(max_attempts=2)
THRICE = RetryPolicy(max_attempts=3, delay_seconds=0.002)


# The plans. How often a step fails is in its parameters, so that it does the same in every process.


def layers(count: int, width: int, **fields: Any) -> List[Step]:
    """Steps in layers, each of which needs two of the layer before."""
    return [
        Step(
            name=f"s{layer}-{place}",
            action="work",
            dependencies=[f"s{layer - 1}-{place}", f"s{layer - 1}-{(place + 1) % width}"] if layer else [],
            **fields,
        )
        for layer in range(count)
        for place in range(width)
    ]


def changed(steps: Sequence[Step], changes: Dict[str, Dict[str, Any]]) -> List[Step]:
    """The same steps, some with other fields."""
    return [Step.model_validate({**step.model_dump(), **changes.get(step.name, {})}) for step in steps]


def plan_of(steps: Sequence[Step], **settings: Any) -> ExecutionPlan:
    return wfplan.plan(Workflow(steps=list(steps), execution_strategy=ExecutionStrategy(**settings)))


def passing(**settings: Any) -> ExecutionPlan:
    return plan_of(layers(10, 6), max_parallel=4, **settings)


def failing(**settings: Any) -> ExecutionPlan:
    """Steps that are tried again, that may fail, that must not be done twice, and one whose dependents are skipped."""
    flaky = {"parameters": {"fails": 1}, "retry": THRICE}
    tolerated = {"parameters": {"fails": 9}, "retry": THRICE, "continue_on_failure": True}
    once = {"idempotent": False, "continue_on_failure": True}
    changes: Dict[str, Dict[str, Any]] = {"s7-0": {"parameters": {"fails": 9}, "retry": TWICE}}
    for layer in range(10):
        changes[f"s{layer}-{layer % 2 + 1}"] = flaky
        changes[f"s{layer}-4"] = once
        changes[f"s{layer}-5"] = tolerated if layer % 3 == 0 else once
    return plan_of(changed(layers(10, 6), changes), max_parallel=4, on_failure="skip-dependents", **settings)


def undone(**settings: Any) -> ExecutionPlan:
    """Most of it succeeds; then a step fails while others run, and what has a compensation is undone."""
    undo = Compensation(action="undo")
    flaky = {"rollback": Compensation(action="undo", parameters={"fails": 1}), "retry": TWICE}
    steps = changed(
        layers(9, 6, rollback=undo),
        {f"s{layer}-{place}": fields for layer in range(9) for place, fields in ((3, {"rollback": None}), (5, flaky))},
    )
    steps.append(Step(name="gate", action="work", dependencies=[f"s8-{place}" for place in range(6)]))
    steps += [
        Step(name=f"beside-{place}", action="work", dependencies=["gate"], rollback=undo if place else None)
        for place in range(3)
    ]
    steps.append(Step(name="fails", action="work", dependencies=["gate"], parameters={"fails": 9}, retry=TWICE))
    steps.append(Step(name="never", action="work", dependencies=["fails", "beside-0"], rollback=undo))
    return plan_of(steps, max_parallel=4, rollback_on_failure=True, **settings)


def tried_and_undone(**settings: Any) -> ExecutionPlan:
    return undone(dry_run_first=True, **settings)


def small(undo_fails: int = 0, dry_run_fails: int = 0, fails: int = 9, **settings: Any) -> ExecutionPlan:
    undo = Compensation(action="undo", parameters={"fails": undo_fails})
    names = {"a": "", "b": "a", "c": "a", "d": "bc", "e": "d", "f": "e"}
    steps = [Step(name=name, action="work", dependencies=list(needs)) for name, needs in names.items()]
    changes: Dict[str, Dict[str, Any]] = {
        "a": {"rollback": undo},
        "b": {"rollback": undo, "parameters": {"fails": 1}, "retry": TWICE},
        "c": {"parameters": {"dry_run_fails": dry_run_fails}},
        "d": {"rollback": undo, "retry": TWICE},
        "e": {"rollback": undo, "parameters": {"fails": fails}},
        "f": {"rollback": undo},
    }
    return plan_of(changed(steps, changes), **{"max_parallel": 1, **settings})


LONG: Dict[str, Callable[..., ExecutionPlan]] = {
    "passing": passing,
    "failing": failing,
    "undone": undone,
    "tried-and-undone": tried_and_undone,
}
SHORT: Dict[str, Dict[str, Any]] = {
    "tried": {"fails": 0, "dry_run_first": True},
    "dry-run-fails": {"dry_run_fails": 9, "dry_run_first": True},
    "undone": {"rollback_on_failure": True},
    "tried-and-undone": {"rollback_on_failure": True, "dry_run_first": True},
    "badly-undone": {"rollback_on_failure": True, "undo_fails": 1},
    "skipping": {"rollback_on_failure": True, "on_failure": "skip-dependents"},
}


def plan_for(case: str, schedule: str = "batch") -> ExecutionPlan:
    """The plan of a case; names of short ones begin with `small-`."""
    if case.startswith("small-"):
        return small(schedule=schedule, **SHORT[case[len("small-") :]])
    return LONG[case](schedule=schedule)


# What the steps do.


class Traced(FunctionExecutor):
    """Functions that take up to three times so long, and write to a file when they begin and when they end."""

    def __init__(self, effects: Path, seconds: float = 0.0) -> None:
        self._descriptor = os.open(effects, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._seconds = seconds
        super().__init__({"work": self._work, "undo": self._work}, dry_run={"work": self._look})

    def _work(self, call: StepCall, fails: int = 0, dry_run_fails: int = 0) -> List[str]:
        return self._act(call, fails)

    def _look(self, call: StepCall, fails: int = 0, dry_run_fails: int = 0) -> List[str]:
        return self._act(call, dry_run_fails)

    def _act(self, call: StepCall, failures: int) -> List[str]:
        """Its output tells its own name, and of whom the outputs are that it was handed."""
        about = f"{call.purpose} {call.step.name} {call.attempt} {call.idempotency_key}"
        os.write(self._descriptor, f"begin {about}\n".encode())
        time.sleep(self._seconds * (1 + int(call.idempotency_key[:4], 16) % 3))
        os.write(self._descriptor, f"end {about}\n".encode())
        if call.attempt <= failures:
            raise ValueError(f"{call.purpose} {call.step.name} fails")
        return [call.step.name, *sorted(output[0] for output in call.outputs.values())]

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


# The program.


class Place:
    """The folder of a run, and what is known of it."""

    def __init__(self, folder: Path, case: str, schedule: str = "batch") -> None:
        folder.mkdir()
        self.folder = folder
        self.journal = folder / "journal"
        self.effects = folder / "effects"
        self.effects.touch()
        self.told: Dict[str, Any] = {"case": case, "schedule": schedule, "folder": str(folder), "deaths": []}

    def note_death(self) -> None:
        """Keep the journal as it is; a line of effects that is torn is no effect."""
        written = self.effects.read_bytes()
        os.truncate(self.effects, written.rfind(b"\n") + 1)
        kept = self.folder / f"journal-{len(self.told['deaths'])}"
        if self.journal.exists():
            shutil.copy(self.journal, kept)
        death = {"journal": str(kept), "effects": self.effects.stat().st_size}
        self.told["deaths"].append(death)

    def run(self, plan: ExecutionPlan, seconds: float) -> None:
        """In a process of its own: begin the run or continue it, to its end."""
        report = wfplan.run(plan, Traced(self.effects, seconds), journal=self.journal)
        (self.folder / "end").write_text(report.model_dump_json(), encoding="utf-8")


def fork(work: Callable[[], None]) -> int:
    """A process that does this work, and is ended if it hangs."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        signal.alarm(HANG_SECONDS)
        work()
        code = 0
    except BaseException:  # noqa: BLE001 - nothing but this work is to be done here
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


def kill_at(child: int, effects: Path, size: Optional[int]) -> bool:
    """Whether a process was killed once its effects had this size in bytes, and had not ended before.

    How far a run has come is not asked of a clock, so it is no matter of how busy the machine is where kills fall.
    """
    ended, status = os.waitpid(child, os.WNOHANG if size is not None else 0)
    while not ended and size is not None and effects.stat().st_size < size:
        time.sleep(0.0005)
        ended, status = os.waitpid(child, os.WNOHANG)
    if not ended:
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            return True
    if status:
        raise SystemExit(f"a run failed or hung: status {status}")
    return False


def kill_runs(seed: int, folder: Path) -> List[Dict[str, Any]]:
    """For each case and schedule: a run that is not killed, then runs until all kills are spent."""
    luck = random.Random(seed)
    runs: List[Dict[str, Any]] = []
    for case in LONG:
        for schedule in SCHEDULES:
            plan = plan_for(case, schedule)
            kills, whole = 0, 0
            while not whole or kills < KILLS[case]:
                place = Place(folder / str(len(runs)), case, schedule)
                runs.append(place.told)
                is_over = False
                while not is_over:
                    spared = not whole or kills == KILLS[case]
                    size = place.effects.stat().st_size + luck.randrange(max(whole // 3, 1))
                    child = fork(partial(place.run, plan, 0.001))
                    is_over = not kill_at(child, place.effects, None if spared else size)
                    if not is_over:
                        kills += 1
                        place.note_death()
                whole = whole or place.effects.stat().st_size
    return runs


def crash_at(write: int, manner: str) -> None:
    """From now on, end this process at that write of a journal, counted from 1."""
    append = JournalFile.append
    count = 0

    def crash(self: JournalFile, data: bytes) -> None:
        nonlocal count
        count += 1
        if count < write:
            append(self, data)
            return
        if manner == "half":
            os.write(self._descriptor, data[: len(data) // 2])
        elif manner == "all":
            append(self, data)
        os._exit(EXIT_CODE)

    JournalFile.append = crash  # type: ignore[method-assign]


def count_writes(target: Path) -> None:
    """From now on, append a byte to a file at each write of a journal."""
    append = JournalFile.append

    def count(self: JournalFile, data: bytes) -> None:
        with target.open("a", encoding="ascii") as file:
            file.write("w")
        append(self, data)

    JournalFile.append = count  # type: ignore[method-assign]


def ends(place: Place, plan: ExecutionPlan, prepare: Callable[[], None]) -> bool:
    """Whether a run ends in a process that is prepared so."""

    def work() -> None:
        prepare()
        place.run(plan, 0.0)

    _, status = os.waitpid(fork(work), 0)
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1
    if code not in (0, EXIT_CODE):
        raise SystemExit(f"a run failed or hung: status {status}, {place.told}")
    if code:
        place.note_death()
    return code == 0


def crash_run(place: Place, plan: ExecutionPlan, crashes: Sequence[Tuple[int, str]]) -> None:
    """A run whose processes end at these writes, each counted in its own process, and that then goes on to its end."""
    place.told["crash"] = crashes[0]
    if not any(ends(place, plan, partial(crash_at, *crash)) for crash in crashes):
        ends(place, plan, lambda: None)


def crash_runs(folder: Path) -> List[Dict[str, Any]]:
    """For each case: a run that is not disturbed, then one for each write and manner, and some with more crashes."""
    runs: List[Dict[str, Any]] = []

    def begin(case: str) -> Place:
        place = Place(folder / str(len(runs)), case)
        runs.append(place.told)
        return place

    for case in (f"small-{case}" for case in SHORT):
        plan = plan_for(case)
        place = begin(case)
        counted = place.folder / "writes"
        ends(place, plan, partial(count_writes, counted))
        place.told["writes"] = counted.stat().st_size
        for crash in product(range(1, place.told["writes"] + 1), MANNERS):
            crash_run(begin(case), plan, [crash])
            if crash[1] == "half":
                crash_run(begin(case), plan, [crash, *MORE_CRASHES])
    return runs


# What the traces of a run tell.


class Effect(NamedTuple):
    """A line of the file of effects."""

    what: str
    purpose: str
    step: str
    attempt: int
    key: str


class Death(NamedTuple):
    """The end of a process, before the end of its run."""

    plan: ExecutionPlan
    known: Optional[ExecutionReport]
    """What the journal told then; None if nothing had happened."""
    before: Tuple[Effect, ...]
    after: Tuple[Effect, ...]


class Traces(NamedTuple):
    """All that is left of a run that has ended."""

    name: str
    plan: ExecutionPlan
    journal: Path
    effects: Tuple[Effect, ...]
    deaths: Tuple[Death, ...]
    report: ExecutionReport
    told: Dict[str, Any]


def traces_of(told: Dict[str, Any]) -> Traces:
    """What the program has printed about a run, with what it points to."""
    folder = Path(told["folder"])
    plan = plan_for(told["case"], told["schedule"])
    written = (folder / "effects").read_bytes()
    deaths = [
        Death(
            plan,
            known_from(Path(death["journal"])),
            effects_in(written[: death["effects"]]),
            effects_in(written[death["effects"] :]),
        )
        for death in told["deaths"]
    ]
    return Traces(
        name=f"{told['case']}, {told['schedule']}, run {folder.name}{told.get('crash', '')}",
        plan=plan,
        journal=folder / "journal",
        effects=effects_in(written),
        deaths=tuple(deaths),
        report=ExecutionReport.model_validate_json((folder / "end").read_text(encoding="utf-8")),
        told=told,
    )


def traces_from(*arguments: str, folder: Path) -> List[Traces]:
    """Have the program make its runs, in this folder."""
    command = [sys.executable, __file__, *arguments, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, f"{arguments}: {done.stderr}"
    return [traces_of(told) for told in json.loads(done.stdout)]


def known_from(journal: Path) -> Optional[ExecutionReport]:
    """What a journal tells; None if it is not there, or there is not one whole line in it."""
    if not journal.exists() or b"\n" not in journal.read_bytes():
        return None
    return ExecutionReport.from_journal(journal)


def effects_in(written: bytes) -> Tuple[Effect, ...]:
    parts = (line.split(" ") for line in written.decode().splitlines())
    return tuple(Effect(what, purpose, step, int(attempt), key) for what, purpose, step, attempt, key in parts)


def walks(report: ExecutionReport) -> Dict[str, Dict[str, StepReport]]:
    """By purpose, what a report tells of the steps."""
    return {"dry_run": report.dry_run, "execute": report.steps, "compensate": report.rollback}


def all_steps(report: ExecutionReport) -> Iterator[Tuple[str, StepReport]]:
    return ((purpose, step) for purpose, steps in walks(report).items() for step in steps.values())


def begun(effects: Sequence[Effect]) -> Dict[Tuple[str, str], List[Effect]]:
    """The calls that began, by purpose and step."""
    found: Dict[Tuple[str, str], List[Effect]] = {}
    for effect in effects:
        if effect.what == "begin":
            found.setdefault((effect.purpose, effect.step), []).append(effect)
    return found


def is_unrepeatable(plan: ExecutionPlan, purpose: str, name: str) -> bool:
    return purpose == "execute" and plan.steps[name].idempotent is False


def outline(report: ExecutionReport) -> Dict[str, Any]:
    """What a report tells, but for times and ids."""
    fixed = {"action", "batch", "status", "attempts", "output", "error", "reason", "root_cause", "abandoned"}
    return {
        "run": (report.phase, report.stopped, report.stop_requested, [problem.code for problem in report.problems]),
        **{
            purpose: {name: step.model_dump(include=fixed) for name, step in steps.items()}
            for purpose, steps in walks(report).items()
        },
    }


def expected_end(unbroken: Dict[str, Any], traces: Traces) -> Dict[str, Any]:
    """The outline of an unbroken run, in which what must not be done twice and was in flight has failed.

    All such steps may fail, so that nothing follows from it but that their outputs are missing.
    """
    unknown = {
        name
        for death in traces.deaths
        for purpose, step in (all_steps(death.known) if death.known else ())
        for name in [step.name]
        if step.status == "running" and is_unrepeatable(traces.plan, purpose, name)
    }
    steps = {}
    for name, step in unbroken["execute"].items():
        output = step["output"] and [step["output"][0], *(name for name in step["output"][1:] if name not in unknown)]
        steps[name] = {**step, "output": output}
        if name in unknown:
            told = traces.report.steps[name].model_dump()["error"]
            steps[name].update(status="failed", output=None, error=told, reason="outcome-unknown")
    return {**unbroken, "execute": steps}


def difference(expected: Dict[str, Any], found: Dict[str, Any]) -> List[str]:
    """Where two outlines differ."""
    told = [f"expected {expected['run']}, not {found['run']}"] if expected["run"] != found["run"] else []
    for purpose in ("dry_run", "execute", "compensate"):
        one, other = expected[purpose], found[purpose]
        told += [
            f"{purpose} of {name}: expected {one.get(name)}, not {other.get(name)}"
            for name in {**one, **other}
            if one.get(name) != other.get(name)
        ]
    return told


# What was promised and not kept, in words.


def called_again_after_success(deaths: Sequence[Death]) -> List[str]:
    return [
        f"{purpose} of {step.name} had succeeded, and was called again"
        for death in deaths
        if death.known is not None
        for calls in [begun(death.after)]
        for purpose, step in all_steps(death.known)
        if step.status == "succeeded" and (purpose, step.name) in calls
    ]


def not_made_again_as_it_was(deaths: Sequence[Death]) -> List[str]:
    """Of what was in flight: it has to be the same attempt, under the same key, or nothing at all."""
    found: List[str] = []
    for death in deaths:
        before, after = begun(death.before), begun(death.after)
        for purpose, step in all_steps(death.known) if death.known else ():
            at = (purpose, step.name)
            if step.status != "running":
                continue
            if is_unrepeatable(death.plan, *at):
                if at in after:
                    found.append(f"{step.name} must not be done twice, and was in flight and called again")
            elif at not in after or after[at][0].attempt != step.attempts:
                found.append(f"attempt {step.attempts} of {at} was in flight; then came {after.get(at, 'nothing')}")
            elif at in before and before[at][-1].key != after[at][0].key:
                found.append(f"attempt {step.attempts} of {at} was made again under another key")
    return found


def not_counted_on(deaths: Sequence[Death]) -> List[str]:
    """Of what was not in flight and had not ended: its next call has to be its next attempt."""
    return [
        f"{purpose} of {step.name} had {step.attempts} attempts; then came {calls[purpose, step.name][0]}"
        for death in deaths
        if death.known is not None
        for calls in [begun(death.after)]
        for purpose, step in all_steps(death.known)
        if step.status == "pending" and (purpose, step.name) in calls
        if calls[purpose, step.name][0].attempt != step.attempts + 1
    ]


def called_and_not_written(deaths: Sequence[Death]) -> List[str]:
    """What was called before it was on disk that it would be."""
    found: List[str] = []
    for death in deaths:
        known = walks(death.known) if death.known else {}
        for (purpose, name), calls in begun(death.before).items():
            step = known.get(purpose, {}).get(name)
            if step is None or step.attempts < calls[-1].attempt:
                found.append(f"attempt {calls[-1].attempt} at {purpose} of {name}: the journal tells {step!r}")
    return found


def gone_back(deaths: Sequence[Death]) -> List[str]:
    """Calls for what a run had left behind: for a dry run once it executes, for anything else once it rolls back."""
    found: List[str] = []
    for death in deaths:
        if death.known is None:
            continue
        allowed = {"dry_run", "execute", "compensate"}
        if death.known.rollback:
            allowed = {"compensate"}
        elif any(step.attempts for step in death.known.steps.values()):
            allowed = {"execute", "compensate"}
        found += [f"{effect} after {death.known!r}" for effect in death.after if effect.purpose not in allowed]
    return found


def called_under_another_key(plan: ExecutionPlan, run_id: str, effects: Sequence[Effect]) -> List[str]:
    """Calls whose key is not that of the run, the step and the purpose."""
    found: List[str] = []
    for effect in effects:
        step = plan.steps[effect.step]
        if effect.purpose == "compensate" and step.rollback is not None:
            undo = {"action": step.rollback.action, "parameters": step.rollback.parameters}
            step = step.model_copy(update=undo)
        key = StepCall(step, effect.purpose, run_id=run_id).idempotency_key  # type: ignore[arg-type]
        if key != effect.key:
            found.append(f"{effect}, not {key}")
    return found


PROMISES: Tuple[Callable[[Sequence[Death]], List[str]], ...] = (
    called_again_after_success,
    not_made_again_as_it_was,
    not_counted_on,
    called_and_not_written,
    gone_back,
)


def broken_promises(deaths: Sequence[Death]) -> List[str]:
    return [told for promise in PROMISES for told in promise(deaths)]


if __name__ == "__main__":
    wfplan.run(plan_of([Step(name="import")]), {"import": lambda: "everything"}, journal=Path(sys.argv[-1], "first"))
    gc.freeze()
    if sys.argv[1] == "kill":
        print(json.dumps(kill_runs(int(sys.argv[2]), Path(sys.argv[3]))))
    else:
        print(json.dumps(crash_runs(Path(sys.argv[2]))))
