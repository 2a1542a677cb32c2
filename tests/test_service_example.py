"""The service of the examples: a process of its own, asked over HTTP; what it really did is in its log."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Iterator, NamedTuple

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")

SERVICE = Path(__file__).resolve().parents[1] / "examples" / "service.py"
PATIENCE = 60.0
"""Seconds after which something that should have happened has not: a busy machine is no failure."""
API = {"namespace": "shop", "name": "api"}


class Answer(NamedTuple):
    status: int
    content: Any

    @property
    def codes(self) -> list[str]:
        return [problem["code"] for problem in self.content["detail"]["problems"]]


class Event(NamedTuple):
    number: int
    kind: str
    data: Any

    @property
    def told(self) -> tuple[str, str | None]:
        return self.kind, self.data.get("step", {}).get("name")


class Client:
    """What asks the service, and reads its log."""

    def __init__(self, folder: Path, port: int, process: subprocess.Popen[str]) -> None:
        self.folder = folder
        self.port = port
        self.process = process

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def ask(self, method: str, path: str, body: object = None) -> Answer:
        connection = self.connect()
        try:
            connection.request(method, path, body=body if isinstance(body, (str, bytes)) else json.dumps(body))
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        return Answer(response.status, json.loads(content) if content else None)

    def plan(self, *items: dict[str, Any]) -> Answer:
        return self.ask("POST", "/plans", list(items))

    def approve(self, plan: Answer, **changes: Any) -> Answer:
        decision = {
            "request": plan.content["digest"],
            "by": "Ann",
            "decision": "approved",
            "until": time.time() + 3600,
            **changes,
        }
        return self.ask("POST", f"/plans/{plan.content['id']}/approval", decision)

    def run(self, plan: Answer) -> Answer:
        return self.ask("POST", f"/plans/{plan.content['id']}/run")

    def report(self, plan: Answer) -> Answer:
        return self.ask("GET", f"/plans/{plan.content['id']}/report")

    @contextmanager
    def events(self, plan: Answer, last: object = None) -> Iterator[tuple[int, Iterator[Event]]]:
        """The status, and the events as they come; they end when the stream does, or the service."""
        connection = self.connect()
        try:
            headers = {} if last is None else {"Last-Event-ID": str(last)}
            connection.request("GET", f"/plans/{plan.content['id']}/events", headers=headers)
            response = connection.getresponse()
            yield response.status, read_events(response)
            response.close()
        finally:
            connection.close()

    def all_events(self, plan: Answer, last: object = None) -> list[Event]:
        with self.events(plan, last) as (status, events):
            assert status == 200
            return list(events)

    def events_until_in_flight(self, plan: Answer, last: object, action: str, number: int) -> list[Event]:
        """The events until so many steps of an action are in flight, and have begun as the log tells."""
        seen: list[Event] = []
        started: set[str] = set()
        with self.events(plan, last) as (status, events):
            assert status == 200
            while len(started) < number:
                seen.append(next(events))
                step = seen[-1].data.get("step", {})
                if seen[-1].kind == "attempt-started" and step["action"] == action:
                    started.add(step["name"])
        wait_until(lambda: started <= {step for what, step, _ in self.log(plan) if what == "begins"})
        return seen

    def log(self, plan: Answer) -> list[tuple[str, str, str]]:
        """What began and ended in the runs of a plan: what, which step, under which key."""
        file = self.folder / "log.jsonl"
        lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []
        return [(line["what"], line["step"], line["key"]) for line in lines if line["run"] == plan.content["id"]]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)


def read_events(response: http.client.HTTPResponse) -> Iterator[Event]:
    fields: dict[str, str] = {}
    while True:
        line = response.readline().decode()
        if not line:
            return
        name, _, value = line.rstrip("\n").partition(": ")
        if name:
            fields[name] = value
        elif fields:
            yield Event(int(fields["id"]), fields["event"], json.loads(fields["data"]))
            fields = {}


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[Client]:
    """The service in a process of its own; it is killed at the end, if it still runs."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, str(SERVICE), "--folder", str(folder), "--port", "0", *arguments]
    with (folder / "stderr.txt").open("ab") as errors, subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=errors, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        timer = threading.Timer(PATIENCE, process.kill)  # then the line that is waited for is an empty one
        timer.start()
        try:
            url = process.stdout.readline()
            timer.cancel()
            assert url, (folder / "stderr.txt").read_text("utf-8", "replace")
            yield Client(folder, int(url.rpartition(":")[2]), process)
        finally:
            timer.cancel()
            process.kill()


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with serving(tmp_path_factory.mktemp("service"), "--takes", "restart_pods=0.02", "--takes", "verify=0") as client:
        yield client


SCALE = {"id": "1", "action": "scale_deployment", "parameters": {**API, "replicas": 5}, "dependencies": []}
RESTART_A = {"id": "2", "action": "restart_pods", "parameters": {**API, "name": "a"}, "dependencies": ["1"]}
RESTART_B = {"id": "3", "action": "restart_pods", "parameters": {**API, "name": "b"}, "dependencies": ["1"]}
VERIFY = {"id": "4", "action": "verify", "parameters": API, "dependencies": ["2", "3"]}
DELETE = {"id": "1", "action": "delete_namespace", "parameters": {"namespace": "old"}, "dependencies": []}
REMEDIATION = (SCALE, RESTART_A, RESTART_B, VERIFY)
STEPS = ["scale_deployment", "restart_pods-2", "restart_pods-3", "verify"]


def test_an_answer_that_cannot_be_planned_is_refused_with_all_its_problems(client: Client) -> None:
    refused = client.plan(
        {"id": "1", "action": "scale_deploymnt", "parameters": API, "dependencies": ["9"]},
        {"id": "2", "action": "restart_pods", "parameters": {"namespace": "Shop", "nme": "api"}, "dependencies": []},
        {"id": "3", "action": "verify", "parameters": API, "dependencies": ["4"]},
        {"id": "4", "action": "verify", "parameters": API, "dependencies": ["3"]},
    )
    assert refused.status == 422
    assert sorted(refused.codes) == [
        "dependency-cycle",
        "invalid-parameters",
        "invalid-parameters",
        "invalid-parameters",
        "unknown-action",
        "unknown-dependency",
    ]
    assert refused.content["detail"]["feedback"].startswith("The plan cannot be used as it is. 6 problems:")


@pytest.mark.parametrize("answer", ["", "No.", b"\xff\xfe\x00", "[" * 10_000, '{"recommendations": 3}'])
def test_what_is_no_answer_is_refused(client: Client, answer: object) -> None:
    refused = client.ask("POST", "/plans", answer)
    assert refused.status == 422
    assert refused.codes


def test_steps_that_touch_the_same_thing_in_no_order_are_refused(client: Client) -> None:
    refused = client.plan(SCALE, {"id": "2", "action": "restart_pods", "parameters": API, "dependencies": []})
    assert (refused.status, refused.codes) == (422, ["conflict"])


def test_a_plan_that_is_allowed_runs_and_is_followed_to_its_end(client: Client) -> None:
    answer = f"Of course!\n```json\n{json.dumps(list(REMEDIATION))}\n```\nShall I go ahead?"
    plan = client.ask("POST", "/plans", answer)
    assert (plan.status, plan.content["verdict"]) == (201, "allow")
    assert [batch["steps"] for batch in plan.content["batches"]] == [STEPS[:1], STEPS[1:3], STEPS[3:]]
    assert "digest" not in plan.content
    shown = client.ask("GET", f"/plans/{plan.content['id']}")
    assert shown.content == plan.content
    assert (shown.content["approval"], shown.content["phase"]) == (None, None)
    assert client.report(plan).status == 409
    with client.events(plan) as (status, _):
        assert status == 409

    assert client.run(plan).status == 202
    events = client.all_events(plan)
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert events[0].told == ("begin", None)
    told = [event.told for event in events]
    for kind in ("attempt-started", "step-ended"):
        in_order = [step for each, step in told if each == kind]
        assert sorted(map(str, in_order)) == sorted(STEPS)
        assert (in_order[0], in_order[-1]) == (STEPS[0], STEPS[-1])
    assert (events[-1].kind, events[-1].data["phase"]) == ("end", "completed")

    assert client.all_events(plan, last=3) == events[3:]
    report = client.report(plan)
    assert (report.status, report.content["ok"], report.content["phase"]) == (200, True, "completed")
    assert report.content["steps"]["scale_deployment"]["output"]["replicas"] == 5
    assert client.ask("GET", f"/plans/{plan.content['id']}").content["phase"] == "completed"


def test_a_run_is_started_once(client: Client) -> None:
    plan = client.plan(*REMEDIATION)
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(client.run(plan).status)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    last = client.all_events(plan)[-1].number
    assert client.run(plan).status == 202
    assert answers == [202] * 4
    assert sorted(step for what, step, _ in client.log(plan) if what == "begins") == sorted(STEPS)
    wait_until(lambda: status_of_events(client, plan, last) == 204)
    assert sorted(step for what, step, _ in client.log(plan) if what == "begins") == sorted(STEPS)


def status_of_events(client: Client, plan: Answer, last: object) -> int:
    with client.events(plan, last) as (status, _):
        return status


def test_a_journal_that_was_destroyed_is_no_fault_of_who_asks(client: Client) -> None:
    plan = client.plan(SCALE)
    client.run(plan)
    last = client.all_events(plan)[-1].number
    wait_until(lambda: status_of_events(client, plan, last) == 204)
    (client.folder / "plans" / plan.content["id"] / "journal").write_text("{}\n", "utf-8")
    assert (client.report(plan).status, client.report(plan).codes) == (500, ["journal-unreadable"])
    assert client.plan(DELETE).status == 201


def test_a_plan_that_needs_approval_runs_when_it_has_one(client: Client) -> None:
    plan = client.plan(DELETE)
    assert (plan.status, plan.content["verdict"]) == (201, "approve")
    assert plan.content["request"]["fingerprint"] == plan.content["fingerprint"]
    assert "delete_namespace" in plan.content["text"]
    refused = client.run(plan)
    assert refused.status == 403
    assert "approval-missing" in refused.codes
    assert "effect-needs-approval" in refused.codes

    other = client.plan({**DELETE, "parameters": {"namespace": "older"}})
    assert client.approve(plan, request=other.content["digest"]).status == 409
    assert "approval-missing" in client.run(plan).codes

    assert client.approve(plan).status == 200
    assert client.log(plan) == []
    assert client.run(plan).status == 202
    assert client.all_events(plan)[-1].data["phase"] == "completed"
    assert [step for what, step, _ in client.log(plan) if what == "begins"] == ["delete_namespace"]
    assert client.approve(plan, decision="denied").status == 409  # too late


def test_a_denial_is_for_good(client: Client) -> None:
    plan = client.plan(DELETE)
    assert client.approve(plan, decision="denied").status == 200
    assert "approval-refused" in client.run(plan).codes
    assert client.approve(plan).status == 409
    assert client.log(plan) == []


def test_an_approval_that_was_edited_is_refused_with_its_reason(client: Client) -> None:
    plan = client.plan({**DELETE, "parameters": {"namespace": "oldest"}})
    assert client.approve(plan).status == 200
    file = client.folder / "plans" / plan.content["id"] / "approval.json"
    file.write_text(file.read_text(encoding="utf-8").replace("approved", "approvee"), encoding="utf-8")
    refused = client.run(plan)
    assert (refused.status, refused.codes) == (403, ["approval-altered"])


def test_an_approval_that_has_expired_is_none(client: Client) -> None:
    plan = client.plan(DELETE)
    until, approved = 0.0, client.approve(plan, until=time.time() - 1)
    assert approved.status == 422
    for seconds in (0.2, 1, 5, 25):  # it has to arrive before it has expired
        until = time.time() + seconds
        approved = client.approve(plan, until=until)
        if approved.status == 200:
            break
    assert approved.status == 200
    wait_until(lambda: time.time() >= until)
    refused = client.run(plan)
    assert refused.status == 403
    assert "approval-expired" in refused.codes
    assert client.log(plan) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"decision": "maybe"},
        {"until": None},
        {"until": 1e999},
        {"by": ""},
        {"by": 7},
        {"fingerprint": "mine"},
        {"seal": "mine"},
    ],
    ids=str,
)
def test_what_is_no_decision_is_refused(client: Client, changes: dict[str, Any]) -> None:
    plan = client.plan(DELETE)
    assert client.approve(plan, **changes).status == 422
    assert client.run(plan).status == 403


def test_a_denied_plan_is_not_even_kept(client: Client) -> None:
    before = sorted((client.folder / "plans").iterdir())
    refused = client.plan({"id": "1", "action": "drain_node", "dependencies": []}, {**DELETE, "id": "2"})
    assert refused.status == 403
    assert "denied-action" in refused.codes
    assert client.plan(*({**DELETE, "id": str(number)} for number in range(51))).status == 422  # all in conflict
    many = [{**SCALE, "id": str(n), "parameters": {**API, "name": f"n{n}", "replicas": 1}} for n in range(51)]
    assert client.plan(*many).codes == ["too-many-steps", "many-steps"]
    assert sorted((client.folder / "plans").iterdir()) == before


@pytest.mark.parametrize(
    "plan_id", ["0" * 16, "..", "%2e%2e", "..%2Fx", "../x", "..%5Cx", "%00", "0" * 5000, "0" * 15 + "%0A", "A" * 16]
)
@pytest.mark.parametrize(
    ("method", "end"), [("GET", ""), ("POST", "/approval"), ("POST", "/run"), ("GET", "/events"), ("GET", "/report")]
)
def test_there_is_no_plan_of_a_hostile_id(client: Client, plan_id: str, method: str, end: str) -> None:
    assert client.ask(method, f"/plans/{plan_id}{end}", {}).status == 404


@pytest.mark.parametrize("last", ["x", "-1", "1.5"])
def test_the_number_of_an_event_is_one(client: Client, last: str) -> None:
    plan = client.plan(DELETE)
    with client.events(plan, last) as (status, _):
        assert status == 422


def test_huge_bodies_are_refused(client: Client) -> None:
    plan = client.plan(DELETE)
    huge = b" " * (1024 * 1024 + 1)
    assert client.ask("POST", "/plans", huge).status == 413
    assert client.ask("POST", f"/plans/{plan.content['id']}/approval", huge).status == 413
    connection = client.connect()
    try:  # in pieces, without saying how much there is, and without an end
        connection.putrequest("POST", "/plans")
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders(b"%x\r\n%s\r\n" % (len(huge), huge))
        assert connection.getresponse().status == 413
    finally:
        connection.close()


def test_a_run_goes_on_wherever_the_process_ended(tmp_path: Path) -> None:
    """It ends in each of the three batches, then it is left alone. Nothing that succeeded runs again."""
    plan = Answer(0, None)
    seen: list[Event] = []
    for action, in_flight, end in (("scale_deployment", 1, "kill"), ("restart_pods", 2, "kill"), ("verify", 1, "term")):
        with serving(tmp_path, "--takes", f"{action}=600") as client:
            if not seen:
                plan = client.plan(*REMEDIATION)
                assert client.run(plan).status == 202
            seen += client.events_until_in_flight(plan, seen[-1].number if seen else None, action, in_flight)
            assert client.run(plan).status == 202
            if end == "term":  # the same in good order, as an operator ends it
                client.process.terminate()
                client.process.wait(PATIENCE)
            client.kill()

    with serving(tmp_path) as client:
        seen += client.all_events(plan, seen[-1].number)
        report = client.report(plan).content
        log = client.log(plan)
        assert client.run(plan).status == 202
        last = seen[-1].number
        wait_until(lambda: status_of_events(client, plan, last) == 204)
        assert client.log(plan) == log

    assert [event.number for event in seen] == list(range(1, len(seen) + 1))
    assert (seen[-1].kind, seen[-1].data["phase"]) == ("end", "completed")
    assert [report["steps"][step]["attempts"] for step in STEPS] == [1, 1, 1, 1]
    assert sorted(step for what, step, _ in log if what == "begins") == sorted(STEPS * 2)  # each was killed once
    assert sorted(step for what, step, _ in log if what == "ends") == sorted(STEPS)
    assert len({key for _, _, key in log}) == len({(step, key) for _, step, key in log}) == len(STEPS)


def begun_in(client: Client, plan: Answer) -> list[tuple[str, str]]:
    return [(step, key) for what, step, key in client.log(plan) if what == "begins"]


def test_an_orderly_end_suspends_and_a_kill_loses_nothing_either(tmp_path: Path) -> None:
    """The real server, ended by SIGTERM and by SIGKILL in the middle of a step: the same run goes on."""
    plan = Answer(0, None)
    for number, signal in enumerate(("term", "kill"), start=1):
        with serving(tmp_path, "--takes", "restart_pods=600") as client:
            if not plan.status:
                plan = client.plan(*REMEDIATION)
                client.run(plan)
            wait_until(lambda: len(begun_in(client, plan)) == 1 + 2 * number)  # noqa: B023 - asked at once
            if signal == "term":
                client.process.terminate()
                assert client.process.wait(PATIENCE) is not None
        lines = (tmp_path / "plans" / plan.content["id"] / "journal").read_bytes().splitlines()
        journal = [json.loads(line) for line in lines]
        assert (journal[-1]["event"] == "suspended") == (signal == "term")
        assert "end" not in {line.get("event") for line in journal}
    with serving(tmp_path) as client:
        assert client.all_events(plan)[-1].data["phase"] == "completed"
        listed = client.ask("GET", "/plans").content
        assert listed == [{"id": plan.content["id"], "phase": "completed"}]
        begun = begun_in(client, plan)
    assert begun.count(begun[0]) == 1  # what had succeeded did not run again
    assert {step: sum(1 for name, _ in begun if name == step) for step in STEPS[1:3]} == dict.fromkeys(STEPS[1:3], 3)
    assert len(set(begun)) == len(STEPS)  # each step under one key


def test_what_was_not_released_is_judged_by_the_policy_of_today(tmp_path: Path) -> None:
    with serving(tmp_path) as client:
        allowed, approved = client.plan(SCALE), client.plan(DELETE)
        assert client.approve(approved).status == 200
        client.kill()

    policy = tmp_path / "policy.json"
    policy.write_text('{"deny_actions": ["scale_deployment"], "approve_irreversible": true}', "utf-8")
    with serving(tmp_path, "--policy", str(policy)) as client:
        for plan, code in ((allowed, "denied-action"), (approved, "approval-mismatch")):
            refused = client.run(plan)
            assert refused.status == 403
            assert code in refused.codes
            assert client.log(plan) == []
        again = client.ask("GET", f"/plans/{approved.content['id']}")
        assert client.approve(again).status == 200
        assert client.run(approved).status == 202
        assert client.all_events(approved)[-1].data["phase"] == "completed"
