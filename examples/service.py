"""A service around the library: an answer comes in, is checked, reviewed, approved, run and watched, over HTTP.

    pip install fastapi uvicorn
    python examples/service.py --folder /tmp/plans --port 8080

    curl -s localhost:8080/plans -d '[{"id": "1", "action": "scale_deployment",
                                       "parameters": {"namespace": "shop", "name": "api", "replicas": 5}}]'
    curl -s localhost:8080/plans
    curl -s -X POST localhost:8080/plans/ID/run
    curl -s -N localhost:8080/plans/ID/events

A plan that needs approval is run only after somebody has answered what the first command shows as `request`. With
`hold`, it runs up to what needs approval, is suspended there, and goes on once it is approved and run again:

    curl -s -X POST 'localhost:8080/plans/ID/run?hold=true'
    curl -s localhost:8080/plans/ID/approval \
        -d '{"request": "DIGEST", "by": "Ann", "decision": "approved", "until": 1900000000}'

It listens on the loopback interface only, and believes whoever says to be Ann: who may ask, and who may approve, is for
the application to check. All that it knows is in files: when it is ended, the runs are suspended, when it is killed,
they are as they are, and in both cases they go on at the next start.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import secrets
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, AsyncIterator, Dict, Iterable, List, Mapping, Optional, Tuple

import service_files as files
import uvicorn
from fastapi import FastAPI, Header, HTTPException, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, ValidationError
from service_actions import CATALOG, POLICY, STRATEGY, Cluster
from typing_extensions import Annotated, Literal

import wfplan
from wfplan import ExecutionPlan, ExecutionReport, RefusedError
from wfplan.policy import Policy, Review, read_policy, review
from wfplan.prompting import feedback

MOST_BYTES = 1024 * 1024
"""Of a body."""


class Decision(BaseModel):
    model_config = ConfigDict(extra="forbid")
    request: str
    """Digest of what the person was shown."""
    by: str
    decision: Literal["approved", "denied"]
    until: float = 0
    """In seconds since 1970; a denial holds for good."""
    comment: str = ""


LastEventId = Annotated[Optional[int], Header(ge=0)]


async def read_body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"a body has at most {MOST_BYTES:,} bytes")
    return bytes(body)


def problems_of(problems: Iterable[wfplan.Problem], **more: Any) -> Dict[str, Any]:
    return {"problems": [problem.model_dump(mode="json", exclude_defaults=True) for problem in problems], **more}


def make_plan(answer: bytes) -> ExecutionPlan:
    reading = wfplan.read(answer, catalog=CATALOG, max_bytes=MOST_BYTES, max_steps=1000)
    try:
        return wfplan.plan(reading, on_conflict="error", execution_strategy=STRATEGY)
    except wfplan.InvalidWorkflowError as error:
        told = str(feedback(error.problems, reading.recommendations, catalog=CATALOG))
        raise HTTPException(422, problems_of(error.problems, feedback=told)) from None


class Service:
    """What can be asked; each plan has a folder: `answer`, `approval.json`, `held.json`, `released.json`, `journal`.

    All of it runs on one event loop, so that nothing happens between two lines without `await`.
    """

    def __init__(self, folder: Path, policy: Policy, takes: Mapping[str, float]) -> None:
        self._plans = folder / "plans"
        self._plans.mkdir(mode=0o700, parents=True, exist_ok=True)  # answers may hold secrets
        self._policy, self._cluster = policy, Cluster(folder / "log.jsonl", takes)
        self._runs: Dict[str, asyncio.Task[ExecutionReport]] = {}

    @asynccontextmanager
    async def lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        """Go on with whatever was released and has not ended, and at the end suspend what runs."""
        for released in self._plans.glob("*/released.json"):
            self._start(released.parent)
        yield
        for run in self._runs.values():
            run.cancel()
        await asyncio.gather(*self._runs.values(), return_exceptions=True)

    async def index(self) -> List[Dict[str, Any]]:
        homes = sorted(answer.parent for answer in self._plans.glob("*/answer"))
        return [{"id": home.name, "phase": files.load_phase(home)} for home in homes]

    async def create(self, request: Request) -> Dict[str, Any]:
        answer = await read_body(request)
        review(make_plan(answer), self._policy).request()  # refuses what is denied
        home = self._plans / secrets.token_hex(8)
        home.mkdir()
        files.write_whole(home / "answer", answer)
        return self._show(home)

    async def show(self, plan_id: str) -> Dict[str, Any]:
        return self._show(self._home(plan_id))

    async def approve(self, plan_id: str, request: Request) -> Dict[str, Any]:
        home, body = self._home(plan_id), await read_body(request)
        asked = self._review(home).request()
        try:
            decision = Decision.model_validate_json(body)
            if decision.request != asked.digest:
                raise HTTPException(409, "this is not the answer to what there is to approve now")
            if decision.decision == "approved":
                answer = asked.approve(decision.by, until=decision.until, comment=decision.comment)
            else:
                answer = asked.deny(decision.by, comment=decision.comment)
        except ValidationError as error:
            errors = error.errors(include_url=False, include_context=False, include_input=False)
            raise HTTPException(422, errors) from None
        before = files.load_approval(home)
        if files.is_released(home) or (before is not None and before.decision == "denied"):
            raise HTTPException(409, "it was released or denied already")
        files.write_whole(home / "approval.json", answer.model_dump_json().encode())
        return answer.model_dump(mode="json")

    async def run(self, plan_id: str, *, hold: bool = False) -> Dict[str, Any]:
        """Begin, or go on with what is approved by now; with `hold`, begin with what needs no approval."""
        home = self._home(plan_id)
        if not files.is_released(home):
            reviewed, approval = self._review(home), files.load_approval(home)
            plan, held = reviewed.release(approval, hold=True) if hold else (reviewed.release(approval), ())
            if (home / "released.json").exists() and plan.fingerprint != files.load_released(home).fingerprint:
                raise HTTPException(409, "by the policy of today, it is another plan than the one that has begun")
            files.save_released(home, plan, held)
        self._start(home)
        return {"id": plan_id, "events": f"/plans/{plan_id}/events", "report": f"/plans/{plan_id}/report"}

    async def report(self, plan_id: str) -> Dict[str, Any]:
        self._task(plan_id)
        report = files.load_report(self._home(plan_id))
        return {**report.model_dump(mode="json", exclude={"plan"}), "ok": report.ok, "ended": report.ended}

    async def events(self, plan_id: str, last_event_id: LastEventId = None) -> Response:
        """Lines of the journal: they are on disk, so that their numbers are the same after a restart."""
        journal, run = self._home(plan_id) / "journal", self._task(plan_id)
        if last_event_id and run.done() and last_event_id >= len(files.read_lines(journal, 0)[0]):
            return Response(status_code=204)  # a browser reconnects until it gets this status
        lines = files.follow(journal, run, last_event_id or 0)
        return StreamingResponse(lines, media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    def _home(self, plan_id: str) -> Path:
        home = self._plans / plan_id
        if not re.fullmatch("[0-9a-f]{16}", plan_id) or not (home / "answer").exists():
            raise HTTPException(404, "there is no such plan")
        return home

    def _task(self, plan_id: str) -> asyncio.Task[ExecutionReport]:
        if self._home(plan_id).name not in self._runs:
            raise HTTPException(409, "it was not started yet")
        return self._runs[plan_id]

    def _show(self, home: Path) -> Dict[str, Any]:
        """What the policy says of a plan; where it needs approval, also what a person has to see, and its digest."""
        reviewed, approval = self._review(home), files.load_approval(home)
        return {
            "id": home.name,
            **reviewed.data,
            "batches": [batch.model_dump(mode="json") for batch in reviewed.plan.batches],
            "text": str(reviewed.request()) if reviewed.verdict == "needs-approval" else str(reviewed),
            "approval": approval and approval.model_dump(mode="json"),
            "phase": files.load_phase(home),
        }

    def _review(self, home: Path) -> Review:
        return review(make_plan((home / "answer").read_bytes()), self._policy)

    def _start(self, home: Path) -> None:
        """Have the run go on, unless it does; if it has ended, the journal says so, and nothing runs."""
        if home.name not in self._runs or self._runs[home.name].done():
            self._runs[home.name] = asyncio.ensure_future(self._run(home))

    async def _run(self, home: Path) -> ExecutionReport:
        """Run up to what is held, and on if it was approved meanwhile."""
        plan, held, journal = files.load_released(home), files.load_held(home), home / "journal"
        report = await wfplan.arun(plan, self._cluster, journal=journal, run_id=home.name, hold=held)
        return report if files.load_held(home) == held else await self._run(home)


async def refuse(_: Request, error: Exception) -> Response:
    problems: Tuple[wfplan.Problem, ...] = getattr(error, "problems", ())
    is_ours = any(problem.code.startswith("journal-") for problem in problems)
    return JSONResponse({"detail": problems_of(problems)}, status_code=500 if is_ours else 403)


def make_app(folder: Path, policy: Policy = POLICY, takes: Optional[Mapping[str, float]] = None) -> FastAPI:
    """The service, with all that it knows in a folder; `takes` says how many seconds an action takes."""
    service = Service(folder, policy, takes or {})
    app = FastAPI(title="wfplan", lifespan=service.lifespan)
    app.add_exception_handler(RefusedError, refuse)
    app.add_api_route("/plans", service.index)
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
