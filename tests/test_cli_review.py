"""The shell: what `wfplan review` prints, and its exit codes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict

import pytest

import wfplan
from wfplan.cli import main
from wfplan.policy import ApprovalRequest, Policy, read_policy, review

DOCUMENT: Dict[str, Any] = {
    "steps": [
        {"name": "look", "effect": "read"},
        {"name": "wipe", "effect": "destructive", "parameters": {"disk": "sda"}, "dependencies": ["look"]},
    ]
}
ALLOW: Dict[str, Any] = {"approval_for_effects": []}
APPROVE: Dict[str, Any] = {"approval_for_effects": ["destructive"], "max_parallel": 2}
DENY: Dict[str, Any] = {"deny_actions": ["look"]}
INVALID: Dict[str, Any] = {"steps": [{"name": "a", "dependencies": ["gone"]}, {"name": "b", "dependencies": ["b"]}]}
WARNED: Dict[str, Any] = {"steps": [{"name": "a"}, {"name": "b", "dependencies": ["a", "a"]}]}

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a document to a file, and give the path of it."""

    def to_file(document: Any, name: str = "answer.json") -> str:
        path = tmp_path / name
        path.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
        return str(path)

    return to_file


def of(document: Any, policy: Any) -> wfplan.policy.Review:
    """The review that the shell is to tell."""
    return review(wfplan.plan(wfplan.read(document)), read_policy(json.dumps(policy)))


# ------------------------------------------------------------------------------------------------------------ verdicts


@pytest.mark.parametrize("format_", ["text", "json"])
@pytest.mark.parametrize(
    ("policy", "code"), [(ALLOW, 0), (DENY, 1), (APPROVE, 3)], ids=["allow", "deny", "needs-approval"]
)
def test_the_verdict_is_the_exit_code(
    policy: Any, code: int, format_: str, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 may run, 1 may not, 3 needs approval; the review is the result, in any case."""
    given = [write(DOCUMENT), "--policy", write(policy, "policy.json"), "--format", format_]
    assert main(["review", *given]) == code
    output = capsys.readouterr()
    assert output.err == ""
    reviewed = of(DOCUMENT, policy)
    expected = str(reviewed) if format_ == "text" else json.dumps(reviewed.data, indent=2)
    assert output.out == f"{expected}\n"


def test_text_is_the_default(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """The verdict is the first word, its reasons follow."""
    assert main(["review", write(DOCUMENT), "--policy", write(DENY, "policy.json")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "deny: 2 steps, 2 flagged"
    assert '  denied-action: "look" has the action "look", which is denied' in lines


def test_json_holds_the_request(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """It loads as the request of the plan, and its approval releases the plan."""
    assert main(["review", "--format", "json", "--policy", write(APPROVE, "policy.json"), write(DOCUMENT)]) == 3
    told = json.loads(capsys.readouterr().out)
    request = ApprovalRequest.model_validate_json(json.dumps(told["request"]))
    reviewed = of(DOCUMENT, APPROVE)
    assert request == reviewed.request()
    assert request.digest == told["digest"]
    assert told["fingerprint"] == request.fingerprint == reviewed.fingerprint
    assert [step["verdict"] for step in told["steps"]] == ["allow", "needs-approval"]
    approval = request.approve("jo", at=1.0, until=3.0)
    assert reviewed.release(approval, now=2.0).workflow.execution_strategy.max_parallel == 2


@pytest.mark.parametrize("policy", [ALLOW, DENY])
def test_json_holds_no_request_where_nobody_is_asked(
    policy: Any, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is allowed or denied anyway needs none."""
    main(["review", "--format", "json", "--policy", write(policy, "policy.json"), write(DOCUMENT)])
    assert set(json.loads(capsys.readouterr().out)) == {"verdict", "fingerprint", "reasons", "steps"}


def test_naming(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """Steps are named as `plan` names them, by their ids if that is wanted."""
    document = {"recommendations": [{"id": "rec-1", "action": "drop"}]}
    given = ["review", write(document), "--format", "json", "--policy", write({}, "policy.json")]
    for naming, name in (([], "drop"), (["--naming", "action"], "drop"), (["--naming", "id"], "rec-1")):
        assert main([*given, *naming]) == 3
        assert [step["name"] for step in json.loads(capsys.readouterr().out)["steps"]] == [name]


def test_warnings_of_the_document_go_to_stderr(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """They are told beside the review, and have no say in the exit code."""
    assert main(["review", write(WARNED), "--policy", write(ALLOW, "policy.json")]) == 0
    output = capsys.readouterr()
    assert output.err.startswith("warning duplicate-dependency")
    assert output.out == "allow: 2 steps, 0 flagged\n"


# ------------------------------------------------------------------------------------------------------- invalid input


@pytest.mark.parametrize("format_", ["text", "json"])
def test_a_document_that_cannot_be_planned(format_: str, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1, every problem on stderr, nothing on stdout."""
    assert main(["review", write(INVALID), "--policy", write({}, "policy.json"), "--format", format_]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    lines = output.err.splitlines()
    if format_ == "json":
        codes = [problem["code"] for problem in json.loads(output.err)]
    else:
        codes = [line.split()[1].rstrip(":") for line in lines]
    assert codes == ["unknown-dependency", "self-dependency"]


@pytest.mark.parametrize(
    ("policy", "problems"),
    [
        (b'{"max_step": 5, "max_levels": 0}', 2),
        (b'{"max_steps": 5, "max_steps": 5}', 1),
        (b'{"deny_actions": ["drop_*"]}', 1),
        (b"max_steps: 5", 1),
        (b"[]", 1),
        (b"", 1),
        (b"\xff\xfe\xfd", 1),
        (b"[" * 100_000, 1),
    ],
    ids=["misspelt", "twice", "pattern", "yaml", "list", "empty", "bytes", "deep"],
)
def test_a_policy_that_is_none(policy: bytes, problems: int, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1, all its problems on stderr: no plan passes under a policy that was not understood."""
    assert main(["review", write(DOCUMENT), "--policy", write(policy, "policy.json")]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert len(output.err.splitlines()) == problems
    assert all(line.startswith("error invalid-policy") for line in output.err.splitlines())


def test_a_policy_that_cannot_be_read(tmp_path: Path, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """An absent file, a directory, a path that is none: exit 1, one printable line that names it."""
    document = write(DOCUMENT)
    for path in (tmp_path / "absent.json", tmp_path, f"{tmp_path}/no\0path", f"{tmp_path}/no\x1b[2J\u202e.json", ""):
        assert main(["review", document, "--policy", str(path)]) == 1
        output = capsys.readouterr()
        assert output.out == ""
        assert output.err.startswith('error invalid-policy: "')
        assert "cannot be read" in output.err
        assert output.err.rstrip("\n").isprintable()


def test_problems_of_policy_and_document_are_told_together(
    tmp_path: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both are mended in one go, also where one of them is not there."""
    for document, code in ((write(INVALID), "unknown-dependency"), (str(tmp_path / "absent.json"), "invalid-document")):
        for policy in (write({"max_step": 1}, "policy.json"), str(tmp_path / "absent.json")):
            assert main(["review", document, "--policy", policy]) == 1
            output = capsys.readouterr()
            assert output.out == ""
            assert "error invalid-policy" in output.err
            assert f"error {code}" in output.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["review"],
        ["review", "FILE"],
        ["review", "--policy", "FILE"],
        ["review", "FILE", "--policy"],
        ["review", "FILE", "FILE", "--policy", "FILE"],
        ["review", "FILE", "--policy", "FILE", "--format", "execution-plan"],
        ["review", "FILE", "--policy", "FILE", "--naming", "name"],
        ["review", "FILE", "--policy", "FILE", "--strict"],
        ["plan", "FILE", "--policy", "FILE"],
    ],
    ids=" ".join,
)
def test_wrong_usage_of_review(arguments: Any, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2 and the usage on stderr: without a policy, nothing is reviewed."""
    path = write(DOCUMENT)
    with pytest.raises(SystemExit) as caught:
        main([path if argument == "FILE" else argument for argument in arguments])
    output = capsys.readouterr()
    assert caught.value.code == 2
    assert output.out == ""
    assert "usage: wfplan" in output.err


def test_help_of_review(capsys: pytest.CaptureFixture[str]) -> None:
    """It names every option, and the other commands name `review`."""
    for arguments, words in ((["--help"], ["review"]), (["review", "--help"], ["--policy", "--format", "--naming"])):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 0
        text = capsys.readouterr().out
        assert [word for word in words if word not in text] == []


# --------------------------------------------------------------------------------------------------------------- pipes


def test_review_reads_standard_input(
    write: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`-` is the document from standard input; the policy is always a file."""
    policy = write(APPROVE, "policy.json")
    assert main(["review", "--policy", policy, write(DOCUMENT)]) == 3
    printed = capsys.readouterr()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(DOCUMENT).encode())))
    assert main(["review", "--policy", policy, "-"]) == 3
    assert capsys.readouterr() == printed
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["review", "--policy", policy, "-"]) == 1
    assert capsys.readouterr().err.startswith("error invalid-document")


def test_review_as_a_process(write: Write) -> None:
    """`python -m wfplan review` exits with the code of the verdict, and prints a plan's review wherever it runs."""
    plan = wfplan.plan(wfplan.read(DOCUMENT))
    for policy, code in ((ALLOW, 0), (DENY, 1), (APPROVE, 3)):
        done = subprocess.run(
            [sys.executable, "-m", "wfplan", "review", "-", "--policy", write(policy, "policy.json")],
            input=plan.model_dump_json(),
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            timeout=120,
            check=False,
        )
        assert (done.returncode, done.stderr) == (code, "")
        assert done.stdout == f"{review(plan, Policy.model_validate(policy))}\n"
