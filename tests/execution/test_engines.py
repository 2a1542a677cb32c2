"""Other engines by `pool=`: real worker processes, a real Dask cluster, some of them killed."""

from __future__ import annotations

import asyncio
import gc
import logging
import multiprocessing
import os
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, Iterator, List

import pytest

import wfplan
from wfplan import ExecutionPlan, ExecutionReport, FunctionExecutor, RetryPolicy, Step
from wfplan.testing import check_executor

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"

sys.path[:0] = [str(HERE), str(EXAMPLES)]
import jobs  # noqa: E402
import remediation  # noqa: E402

pytestmark = pytest.mark.slow

Run = Callable[..., ExecutionReport]

KIT = {"succeed": jobs.succeed, "fail": jobs.fail, "hang": jobs.hang}
STEPS = {"succeeds": Step(name="succeed"), "fails": Step(name="fail"), "hangs": Step(name="hang")}


@pytest.fixture(scope="module", autouse=True)
def _importable_in_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(EXAMPLES), prepend=os.pathsep)
        patch.setenv("PYTHONPATH", str(HERE), prepend=os.pathsep)
        patch.setenv("REMEDIATION_CLUSTER", str(tmp_path_factory.mktemp("cluster")))
        yield


@pytest.fixture
def processes() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture(scope="module")
def dask() -> Iterator[Any]:
    """The client of a cluster of two worker processes."""
    import dask
    from distributed import Client, LocalCluster

    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    dask.config.set({"distributed.logging.distributed": "critical"})
    with LocalCluster(
        n_workers=2,
        threads_per_worker=4,
        processes=True,
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    ) as cluster, Client(cluster) as client:
        yield client
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # older ones leave event loops open
        gc.collect()


def run(plan: ExecutionPlan, executor: Any, **keywords: Any) -> ExecutionReport:
    return wfplan.run(plan, executor, **keywords)


def arun(plan: ExecutionPlan, executor: Any, **keywords: Any) -> ExecutionReport:
    return asyncio.run(wfplan.arun(plan, executor, **keywords))


both = pytest.mark.parametrize("drive", [run, arun])


def squares() -> ExecutionPlan:
    steps = [Step(name=f"square-{n}", action="square", parameters={"number": n}) for n in range(20)]
    return wfplan.plan([*steps, Step(name="sum", action="add_up", dependencies=[step.name for step in steps])])


def test_our_executor_keeps_the_contract_in_threads() -> None:
    check_executor(lambda: FunctionExecutor(KIT), **STEPS)


def test_our_executor_keeps_the_contract_with_a_pool_of_threads() -> None:
    with ThreadPoolExecutor(8) as pool:
        check_executor(lambda: FunctionExecutor(KIT, pool=pool), **STEPS)


def test_our_executor_keeps_the_contract_in_processes(processes: ProcessPoolExecutor) -> None:
    check_executor(lambda: FunctionExecutor(KIT, pool=processes), **STEPS)


def test_our_executor_keeps_the_contract_on_dask(dask: Any) -> None:
    check_executor(lambda: FunctionExecutor(KIT, pool=dask.get_executor()), **STEPS)


@both
def test_steps_and_their_outputs_go_to_processes_and_back(drive: Run, processes: ProcessPoolExecutor) -> None:
    functions = FunctionExecutor({"square": jobs.square, "add_up": jobs.add_up}, pool=processes)
    assert drive(squares(), functions).outputs["sum"] == sum(n * n for n in range(20))


@both
def test_steps_and_their_outputs_go_to_dask_and_back(drive: Run, dask: Any) -> None:
    functions = FunctionExecutor({"square": jobs.square, "add_up": jobs.add_up}, pool=dask.get_executor())
    assert drive(squares(), functions).outputs["sum"] == sum(n * n for n in range(20))


@both
def test_two_steps_that_do_the_same_are_both_done(drive: Run, dask: Any, tmp_path: Path) -> None:
    """Dask takes calls with equal arguments for one; steps are not."""
    path = tmp_path / "done"
    steps = [Step(name=name, action="append", parameters={"path": str(path)}) for name in ("once", "twice")]
    functions = FunctionExecutor({"append": jobs.append}, pool=dask.get_executor())
    for _ in range(2):
        assert drive(wfplan.plan(steps), functions).ok
    assert path.read_text(encoding="utf-8").count("done") == 4


@both
@pytest.mark.parametrize("schedule", ["batch", "eager"])
def test_the_remediation_runs_unchanged_on_both(
    drive: Run, schedule: str, processes: ProcessPoolExecutor, dask: Any
) -> None:
    made = remediation.make_plan().workflow
    plan = wfplan.plan(made.replace("increase_memory_limit", parameters={**made.steps[3].parameters, "memory": "2Gi"}))
    for pool in (processes, dask.get_executor()):
        report = drive(plan, FunctionExecutor(remediation.FUNCTIONS, pool=pool), schedule=schedule)
        assert report.ok, str(report)
        assert report.outputs["verify_memory_usage"] == "fine after 2 restarts"


@both
def test_a_rollback_runs_unchanged_on_both(
    drive: Run, processes: ProcessPoolExecutor, dask: Any, tmp_path: Path
) -> None:
    for number, pool in enumerate((processes, dask.get_executor())):
        functions = FunctionExecutor(remediation.FUNCTIONS, pool=pool)
        journal = tmp_path / str(number)
        report = drive(remediation.make_plan(), functions, journal=journal)
        assert report.phase == "rolled_back", str(report)
        assert len(report.undone) == 4
        assert ExecutionReport.from_journal(journal) == report


@both
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_worker_process_breaks_its_pool_and_the_report_says_so(drive: Run) -> None:
    steps = [
        Step(name="before", action="succeed"),
        Step(name="dies", action="die", dependencies=["before"]),
        Step(name="after", action="succeed", dependencies=["dies"]),
        Step(name="apart", action="succeed", dependencies=["before"]),
    ]
    functions = {"die": jobs.die, "succeed": jobs.succeed}
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        report = drive(
            wfplan.plan(steps), FunctionExecutor(functions, pool=pool), on_failure="skip-dependents", max_parallel=1
        )
    assert report.phase == "failed"
    assert report.steps["before"].status == "succeeded"
    assert report.steps["dies"].status == "failed"
    assert "BrokenProcessPool" in str(report.steps["dies"].error)
    assert report.steps["after"].status == "skipped"
    assert report.steps["apart"].status == "failed"  # the pool is broken, for everyone
    assert report.counts["running"] == report.counts["pending"] == 0


@both
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_dask_worker_is_survived(drive: Run, dask: Any, tmp_path: Path) -> None:
    """One of two workers dies in the middle of a step: Dask does it again elsewhere, and the run ends as if nothing.

    Whether Dask can still deliver what that worker had just returned is a race within Dask: hence the retries.
    """
    retry = RetryPolicy(max_attempts=3)
    many = [Step(name=f"square-{n}", action="square", parameters={"number": n}, retry=retry) for n in range(20)]
    steps: List[Step] = [
        *many,
        Step(
            name="dies",
            action="die_once",
            parameters={"mark": str(tmp_path / "mark")},
            timeout_seconds=60,
            retry=retry,
        ),
        Step(name="sum", action="add_up", dependencies=[step.name for step in many], retry=retry),
        Step(name="after", action="succeed", dependencies=["dies", "sum"], retry=retry),
    ]
    functions = {
        "square": jobs.square,
        "die_once": jobs.die_once,
        "add_up": jobs.add_up,
        "succeed": jobs.succeed,
    }
    report = drive(wfplan.plan(steps), FunctionExecutor(functions, pool=dask.get_executor()), schedule="eager")
    assert report.ok, str(report)
    assert report.outputs["dies"] == "survived"
    assert report.outputs["sum"] == sum(n * n for n in range(20))


@both
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_step_that_kills_every_dask_worker_fails_and_is_named(drive: Run, dask: Any) -> None:
    steps = [
        Step(name="dies", action="die", retry=RetryPolicy(max_attempts=1), timeout_seconds=90),
        Step(name="after", action="succeed", dependencies=["dies"]),
        Step(name="apart", action="succeed", timeout_seconds=90),
    ]
    functions = FunctionExecutor({"die": jobs.die, "succeed": jobs.succeed}, pool=dask.get_executor())
    report = drive(wfplan.plan(steps), functions, on_failure="skip-dependents", schedule="eager")
    assert report.steps["dies"].status == "failed"
    assert "KilledWorker" in str(report.steps["dies"].error)
    assert report.steps["after"].status == "skipped"
    assert report.steps["after"].root_cause == "dies"
    assert report.steps["apart"].status in ("succeeded", "failed")  # it may have been on a worker that died
