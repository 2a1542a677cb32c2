"""A service around the library: an answer comes in, is checked, reviewed, approved, run and watched, over HTTP.

    pip install fastapi uvicorn
    python examples/service.py --folder /tmp/plans --port 8080

    curl -s localhost:8080/plans -d '[{"id": "1", "action": "scale_deployment",
                                       "parameters": {"namespace": "shop", "name": "api", "replicas": 5}}]'
    curl -s -X POST localhost:8080/plans/ID/run
    curl -s -N localhost:8080/plans/ID/events

A plan that needs approval is run only after somebody has answered what the first command shows as `request`:

    curl -s localhost:8080/plans/ID/approval \
        -d '{"request": "DIGEST", "by": "Ann", "decision": "approved", "until": 1900000000}'

It listens on the loopback interface only, and believes whoever says to be Ann: who may ask, and who may approve, is for
the application to check. All that it knows is in files. So its end, however it comes, is like a crash, and whatever ran
goes on at the next start.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import secrets
import threading
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, AsyncIterator, Dict, Iterable, List, Mapping, Optional, Tuple

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from typing_extensions import Annotated, Literal

import wfplan
from wfplan import Action, Compensation, ExecutionPlan, ExecutionReport, ExecutionStrategy, RefusedError, StepCall
from wfplan.policy import Approval, Policy, Review, read_policy, review
from wfplan.prompting import feedback

MOST_BYTES = 1024 * 1024
"""Of a body."""

# What may be done, and what the service says of it, whatever a model says.


class Namespace(BaseModel):
    namespace: str = Field(pattern="^[a-z0-9-]{1,63}$")


class Target(Namespace):
    name: str = Field(pattern="^[a-z0-9-]{1,63}$")


class Scaling(Target):
    replicas: int = Field(ge=0, le=50)


def deployment(target: Target) -> List[str]:
    return [f"{target.namespace}/deployment/{target.name}"]


def scale_back(target: Target) -> Compensation:
    return Compensation(action="scale_back", parameters=target.model_dump(include={"namespace", "name"}))


CATALOG = {
    "scale_deployment": Action(
        parameters=Scaling, effect="write", idempotent=True, locks=deployment, rollback=scale_back, timeout_seconds=300
    ),
    "restart_pods": Action(parameters=Target, effect="write", idempotent=True, locks=deployment, timeout_seconds=300),
    "verify": Action(parameters=Target, effect="read", idempotent=True, locks=deployment, timeout_seconds=60),
    "delete_namespace": Action(
        parameters=Namespace,
        effect="destructive",
        idempotent=True,
        locks=lambda it: [f"{it.namespace}/namespace/{it.namespace}"],
    ),
    "drain_node": Action(effect="destructive"),
}
POLICY = Policy(max_steps=50, approval_above_steps=10, max_parallel=4, deny_actions=["drain_node"])
STRATEGY = ExecutionStrategy(rollback_on_failure=True)
"""How a plan is run is not for a model to say either."""


class Cluster:
    """A stand-in for what does the work: it takes its time, and writes down when it begins and ends with something."""

    def __init__(self, log: Path, takes: Mapping[str, float]) -> None:
        self._log = log
        self._takes = takes

    def execute(self, call: StepCall) -> Dict[str, Any]:
        self._note("begins", call)
        time.sleep(self._takes.get(call.step.action, 0.1))
        self._note("ends", call)
        return {"action": call.step.action, **call.step.parameters}

    def _note(self, what: str, call: StepCall) -> None:
        line = {"what": what, "run": call.run_id, "step": call.step.name, "key": call.idempotency_key}
        with self._log.open("ab", buffering=0) as file:
            file.write(json.dumps(line).encode() + b"\n")


# What comes in, bounded and checked.


async def read_body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"a body has at most {MOST_BYTES:,} bytes")
    return bytes(body)


class Decision(BaseModel):
    model_config = ConfigDict(extra="forbid")
    request: str
    """Digest of what the person was shown."""
    by: str
    decision: Literal["approved", "denied"]
    until: float = 0
    """In seconds since 1970; a denial holds for good."""
    comment: str = ""


Body = Annotated[bytes, Depends(read_body)]
LastEventId = Annotated[Optional[int], Header(ge=0)]


def problems_of(problems: Iterable[wfplan.Problem], **more: Any) -> Dict[str, Any]:
    return {"problems": [problem.model_dump(mode="json", exclude_defaults=True) for problem in problems], **more}


def make_plan(answer: bytes) -> ExecutionPlan:
    reading = wfplan.read(answer, catalog=CATALOG, max_bytes=MOST_BYTES, max_steps=1000)
    try:
        return wfplan.plan(reading, catalog=CATALOG, on_conflict="error", execution_strategy=STRATEGY)
    except wfplan.InvalidWorkflowError as error:
        told = str(feedback(error.problems, reading.recommendations, catalog=CATALOG))
        raise HTTPException(422, problems_of(error.problems, feedback=told)) from None


class Service:
    """What can be asked; a folder for each plan has its `answer`, `approval.json`, `released.json` and `journal`."""

    def __init__(self, folder: Path, policy: Policy, takes: Mapping[str, float]) -> None:
        self._plans = folder / "plans"
        self._plans.mkdir(mode=0o700, parents=True, exist_ok=True)  # answers may hold secrets
        self._policy = policy
        self._cluster = Cluster(folder / "log.jsonl", takes)
        self._threads: Dict[str, threading.Thread] = {}
        self._lock = threading.Lock()

    def go_on(self) -> None:
        """Start whatever was released and has not ended, with the plan as it was released."""
        for released in self._plans.glob("*/released.json"):
            self._start(released.parent.name)

    def create(self, answer: Body) -> Dict[str, Any]:
        review(make_plan(answer), self._policy).request()  # refuses what is denied
        plan_id = secrets.token_hex(8)
        (self._plans / plan_id).mkdir()
        write_whole(self._plans / plan_id / "answer", answer)
        return self.show(plan_id)

    def show(self, plan_id: str) -> Dict[str, Any]:
        """What the policy says of a plan; where it needs approval, also what a person has to see, and its digest."""
        home = self._home(plan_id)
        reviewed, approval = self._review(home), load_approval(home)
        return {
            "id": plan_id,
            **reviewed.data,
            "batches": [batch.model_dump(mode="json") for batch in reviewed.plan.batches],
            "text": str(reviewed.request()) if reviewed.verdict == "approve" else str(reviewed),
            "approval": approval and approval.model_dump(mode="json"),
            "phase": self._report(home).phase if (home / "released.json").exists() else None,
        }

    def approve(self, plan_id: str, body: Body) -> Dict[str, Any]:
        home = self._home(plan_id)
        request = self._review(home).request()
        try:
            decision = Decision.model_validate_json(body)
            if decision.request != request.digest:
                raise HTTPException(409, "this is not the answer to what there is to approve now")
            if decision.decision == "approved":
                answer = request.approve(decision.by, until=decision.until, comment=decision.comment)
            else:
                answer = request.deny(decision.by, comment=decision.comment)
        except ValidationError as error:
            told = error.errors(include_url=False, include_context=False, include_input=False)
            raise HTTPException(422, told) from None
        with self._lock:
            before = load_approval(home)
            if (home / "released.json").exists() or (before is not None and before.decision == "denied"):
                raise HTTPException(409, "it was released or denied already")
            write_whole(home / "approval.json", answer.model_dump_json().encode())
        return answer.model_dump(mode="json")

    def run(self, plan_id: str) -> Dict[str, Any]:
        home = self._home(plan_id)
        with self._lock:
            if not (home / "released.json").exists():
                released = self._review(home).release(load_approval(home))
                write_whole(home / "released.json", released.model_dump_json().encode())
            self._start(plan_id)
        return {"id": plan_id, "events": f"/plans/{plan_id}/events", "report": f"/plans/{plan_id}/report"}

    def report(self, plan_id: str) -> Dict[str, Any]:
        report = self._report(self._started(plan_id))
        return {**report.model_dump(mode="json", exclude={"plan"}), "ok": report.ok, "ended": report.ended}

    def events(self, plan_id: str, last_event_id: LastEventId = None) -> Response:
        """Lines of the journal: they are on disk, so that their numbers are the same after a restart."""
        journal, thread = self._started(plan_id) / "journal", self._threads[plan_id]
        if last_event_id and not thread.is_alive() and last_event_id >= len(read_lines(journal, 0)[0]):
            return Response(status_code=204)  # a browser comes back until it is told this
        lines = follow(journal, thread, last_event_id or 0)
        return StreamingResponse(lines, media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    def _home(self, plan_id: str) -> Path:
        home = self._plans / plan_id
        if not re.fullmatch("[0-9a-f]{16}", plan_id) or not (home / "answer").exists():
            raise HTTPException(404, "there is no such plan")
        return home

    def _started(self, plan_id: str) -> Path:
        home = self._home(plan_id)
        if plan_id not in self._threads:
            raise HTTPException(409, "it was not started yet")
        return home

    def _review(self, home: Path) -> Review:
        return review(make_plan((home / "answer").read_bytes()), self._policy)

    def _report(self, home: Path) -> ExecutionReport:
        if read_lines(home / "journal", 0)[0]:
            return ExecutionReport.from_journal(home / "journal")
        return wfplan.Progress(load_released(home), run_id=home.name).report()  # nothing has happened yet

    def _start(self, plan_id: str) -> None:
        """Have the run go on, unless it does; if it has ended, the journal says so, and nothing runs."""
        if plan_id in self._threads and self._threads[plan_id].is_alive():
            return
        home = self._plans / plan_id
        # A daemon: it ends with the process, in the middle of anything, which is what the journal is for. A task would
        # be cancelled, and that is an orderly end, after which nothing goes on.
        thread = threading.Thread(target=self._run, args=(home,), name=f"run-{plan_id}", daemon=True)
        self._threads[plan_id] = thread
        thread.start()

    def _run(self, home: Path) -> None:
        wfplan.run(load_released(home), self._cluster, journal=home / "journal", run_id=home.name)


def load_approval(home: Path) -> Optional[Approval]:
    file = home / "approval.json"
    try:
        return Approval.model_validate_json(file.read_bytes()) if file.exists() else None
    except ValidationError:
        told = "the approval was changed after it was given, and is none any more"
        raise RefusedError([wfplan.Problem(code="approval-altered", severity="error", message=told)]) from None


def load_released(home: Path) -> ExecutionPlan:
    return ExecutionPlan.model_validate_json((home / "released.json").read_bytes())


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
    try:
        with file.open("rb") as source:
            source.seek(place)
            content = source.read()
    except FileNotFoundError:
        return [], place
    length = content.rfind(b"\n") + 1
    return content[:length].split(b"\n")[:-1], place + length


async def follow(journal: Path, thread: threading.Thread, last: int) -> AsyncIterator[str]:
    """The lines of a journal as events, until the run is over."""
    number = place = 0
    while True:
        is_over = not thread.is_alive()  # looked at first, so that nothing is missed
        lines, place = read_lines(journal, place)
        for line in lines:
            number += 1
            if number > last:
                yield to_event(number, json.loads(line))
        if is_over:
            return
        await asyncio.sleep(0.05)


def to_event(number: int, line: Dict[str, Any]) -> str:
    """A line of a journal without what a step gave, which is in the report; the first one has no name of its own."""
    line.get("step", {}).pop("output", None)
    return f"id: {number}\nevent: {line.get('event', 'begin')}\ndata: {json.dumps(line)}\n\n"


def refuse(request: Request, error: Exception) -> Response:
    problems: Tuple[wfplan.Problem, ...] = getattr(error, "problems", ())
    is_ours = any(problem.code.startswith("journal-") for problem in problems)
    return JSONResponse({"detail": problems_of(problems)}, status_code=500 if is_ours else 403)


def make_app(folder: Path, policy: Policy = POLICY, takes: Optional[Mapping[str, float]] = None) -> FastAPI:
    """The service, with all that it knows in a folder; `takes` says how many seconds an action takes."""
    service = Service(folder, policy, takes or {})

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.go_on()
        yield

    app = FastAPI(title="wfplan", lifespan=lifespan)
    app.add_exception_handler(RefusedError, refuse)
    app.add_api_route("/plans", service.create, methods=["POST"], status_code=201)
    app.add_api_route("/plans/{plan_id}", service.show)
    app.add_api_route("/plans/{plan_id}/approval", service.approve, methods=["POST"])
    app.add_api_route("/plans/{plan_id}/run", service.run, methods=["POST"], status_code=202)
    app.add_api_route("/plans/{plan_id}/events", service.events, response_model=None)
    app.add_api_route("/plans/{plan_id}/report", service.report)
    return app


def main() -> None:
    parser = argparse.ArgumentParser(description="Plans over HTTP.")
    parser.add_argument("--folder", type=Path, required=True, help="where everything is kept")
    parser.add_argument("--port", type=int, default=8080, help="0 for any that is free")
    parser.add_argument("--policy", type=Path, help="a policy as JSON, in place of the one in this file")
    parser.add_argument("--takes", action="append", default=[], metavar="ACTION=SECONDS", help="default: 0.1")
    given = parser.parse_args()
    policy = read_policy(given.policy.read_bytes()) if given.policy else POLICY
    takes = {action: float(seconds) for action, _, seconds in (each.partition("=") for each in given.takes)}
    # Who follows a run would keep the process from ending for as long.
    config = uvicorn.Config(
        make_app(given.folder, policy, takes), port=given.port, log_level="warning", timeout_graceful_shutdown=1
    )
    socket = config.bind_socket()  # by default that of 127.0.0.1
    socket.listen()
    print(f"http://127.0.0.1:{socket.getsockname()[1]}", flush=True)
    uvicorn.Server(config).run(sockets=[socket])


if __name__ == "__main__":
    main()
