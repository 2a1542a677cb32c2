"""The shell: what goes to stdout and to stderr, exit codes, every option, and that a pipe may close."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Dict, List

import pytest

import wfplan
from wfplan.cli import main

INCIDENT: Dict[str, Any] = {
    "recommendations": [
        {"id": "rec-1", "action": "scale", "dependencies": []},
        {"id": "rec-2", "action": "restart", "dependencies": ["rec-1"]},
        {
            "id": "rec-3",
            "action": "flush",
            "dependencies": ["rec-1"],
            "metadata": {"execution_mode": "sequential"},
        },
        {"id": "rec-4", "action": "restart", "dependencies": ["rec-1"]},
        {"id": "rec-5", "action": "verify", "dependencies": ["rec-2", "rec-3", "rec-4"]},
    ]
}
STEPS = {"name": "repair", "steps": [{"name": "a"}, {"name": "b"}, {"name": "c"}, {"name": "d", "dependencies": ["a"]}]}
WARNED = {"recommendations": [{"id": "a", "action": "x"}, {"id": "b", "action": "y", "dependencies": ["a", "a"]}]}
INFORMED = {
    "recommendations": [{"id": "a", "action": "x", "dependencies": []}, {"id": "b", "action": "y", "dependencies": []}]
}
INVALID = {
    "recommendations": [
        {"id": "a", "action": "x", "dependencies": ["a", "gone"]},
        {"id": "b", "action": "y", "dependencies": ["a", "a"]},
    ]
}
LONG = {"steps": [{"name": f"step-{number}", "action": "x" * 100, "dependencies": []} for number in range(5000)]}


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Write a document to a file, and give the path of it."""

    def to_file(document: Any, name: str = "answer.json") -> str:
        path = tmp_path / name
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        path.write_bytes(content)
        return str(path)

    return to_file


def shell(*arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run `python -m wfplan` as a user would."""
    return subprocess.run(
        [sys.executable, "-m", "wfplan", *arguments],
        input=stdin,
        capture_output=True,
        timeout=120,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
        check=False,
    )


def cells_of(text: str) -> List[List[str]]:
    """The cells of a table whose columns are two or more spaces apart; no cell of ours holds two spaces."""
    return [re.split(r" {2,}", line.rstrip()) for line in text.splitlines()]


# ----------------------------------------------------------------------------------------------------- plan: formats


def test_plan_prints_a_table(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Text is the default: the strategy, the batches with their mark, per step its action and what it waits for."""
    assert (
        main(["plan", write({"recommendations": [*INCIDENT["recommendations"][:2], INFORMED["recommendations"][0]]})])
        == 0
    )
    output = capsys.readouterr()
    assert output.err == ""
    rows = cells_of(output.out)
    assert "sequential-with-parallel" in output.out.splitlines()[0]
    assert ["1", "yes", "scale", "scale", "-"] in rows
    assert ["2", "no", "restart", "restart", "scale"] in rows


def test_text_says_of_every_step_what_it_waits_for(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Every step is one line of the table, with all that it needs; the batches are told apart."""
    main(["plan", write(INCIDENT)])
    text = capsys.readouterr().out
    plan = wfplan.plan(wfplan.read(INCIDENT))
    lines = text.splitlines()
    for batch in plan.batches:
        first = next(line for line in lines if re.search(rf"(^|\s){re.escape(batch.steps[0])}\s", line))
        assert first.split()[:2] == [str(batch.number), "yes" if batch.parallel else "no"]
        for name in batch.steps:
            line = next(line for line in lines if re.search(rf"(^|\s){re.escape(name)}\s", line))
            step = plan.steps[name]
            assert step.action in line
            assert line.endswith(", ".join(step.dependencies) or "-")
    assert plan.strategy in lines[0]
    assert str(plan) + "\n" == text


@pytest.mark.parametrize("document", [INCIDENT, STEPS, WARNED, {"recommendations": []}, {"steps": []}])
def test_json_loads_again(document: Any, write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`--format json` prints the plan's dump: it loads as the same plan, and reads as a document of it."""
    assert main(["plan", "--format", "json", write(document)]) == 0
    text = capsys.readouterr().out
    plan = wfplan.plan(wfplan.read(document))
    assert wfplan.ExecutionPlan.model_validate_json(text) == plan
    assert json.loads(text)["schema_version"] == 1
    reading = wfplan.read(text)
    assert reading.ok
    assert wfplan.plan(reading) == plan


def test_execution_plan_is_the_form_of_the_resource(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`--format execution-plan` prints strategy and executionOrder as JSON: what cannot overlap stands alone."""
    assert main(["plan", "--format", "execution-plan", write(INCIDENT)]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "executionPlan": {
            "strategy": "sequential",
            "executionOrder": [
                {"batch": 1, "steps": ["scale"], "parallel": False},
                {"batch": 2, "steps": ["restart-rec-2"], "parallel": False},
                {"batch": 3, "steps": ["flush"], "parallel": False},
                {"batch": 4, "steps": ["restart-rec-4"], "parallel": False},
                {"batch": 5, "steps": ["verify"], "parallel": False},
            ],
        }
    }


def codes_of(printed: str) -> List[str]:
    return [wfplan.Problem.model_validate(problem).code for problem in json.loads(printed)]


def execution_order(*arguments: str, capsys: pytest.CaptureFixture[str]) -> List[Any]:
    assert main(["plan", "--format", "execution-plan", *arguments]) == 0
    order = json.loads(capsys.readouterr().out)["executionPlan"]["executionOrder"]
    return [(batch["steps"], batch["parallel"]) for batch in order]


# ----------------------------------------------------------------------------------------------------- plan: options


def test_isolate_sequential(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`--isolate-sequential` sets a hinted step apart."""
    assert execution_order("--isolate-sequential", write(INCIDENT), capsys=capsys) == [
        (["scale"], False),
        (["restart-rec-2", "restart-rec-4"], True),
        (["flush"], False),
        (["verify"], False),
    ]


def test_max_batch_size(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`--max-batch-size N` cuts batches to N steps."""
    assert execution_order("--max-batch-size", "2", write(STEPS), capsys=capsys) == [
        (["a", "b"], True),
        (["c"], False),
        (["d"], False),
    ]


def test_naming(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`--naming id` names steps by the ids of recommendations, `--naming action`, the default, by their actions."""
    by_id = execution_order("--naming", "id", write(INCIDENT), capsys=capsys)
    assert by_id == [([f"rec-{number}"], False) for number in range(1, 6)]
    by_action = execution_order("--naming", "action", write(INCIDENT), capsys=capsys)
    assert by_action == execution_order(write(INCIDENT), capsys=capsys)
    assert [steps for steps, _ in by_action[1:4]] == [["restart-rec-2"], ["flush"], ["restart-rec-4"]]


def test_options_are_recorded_in_the_plan(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """What an option changed is part of the plan that is printed, and so of the plan that is read from it."""
    arguments = ["plan", "--format", "json", "--isolate-sequential", "--max-batch-size", "1"]
    assert main([*arguments, write(INCIDENT)]) == 0
    plan = wfplan.ExecutionPlan.model_validate_json(capsys.readouterr().out)
    assert plan.workflow.execution_strategy == wfplan.ExecutionStrategy(isolate_sequential=True, max_batch_size=1)
    assert len(plan.batches) == 5


def test_without_options_the_document_decides(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """An option that is not given leaves what the document says."""
    document = {**STEPS, "execution_strategy": {"max_batch_size": 1, "isolate_sequential": True}}
    assert main(["plan", "--format", "json", write(document)]) == 0
    plan = wfplan.ExecutionPlan.model_validate_json(capsys.readouterr().out)
    assert plan.workflow.execution_strategy == wfplan.ExecutionStrategy(isolate_sequential=True, max_batch_size=1)
    assert all(len(batch.steps) == 1 for batch in plan.batches)


# ------------------------------------------------------------------------------------------- exit codes and streams


def test_plan_of_invalid_input(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1, every problem on stderr, nothing on stdout, in every format."""
    for format_ in ("text", "json", "execution-plan"):
        assert main(["plan", "--format", format_, write(INVALID)]) == 1
        output = capsys.readouterr()
        assert output.out == ""
        lines = output.err.splitlines()
        codes = [line.split(maxsplit=2)[1] for line in lines] if format_ == "text" else codes_of(output.err)
        assert codes == ["self-dependency", "unknown-dependency", "duplicate-dependency"]
        assert "/recommendations/0/dependencies/1" in output.err


def test_plan_with_warnings(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 0, the plan on stdout, the warnings on stderr."""
    assert main(["plan", write(WARNED)]) == 0
    output = capsys.readouterr()
    assert output.err.startswith("warning duplicate-dependency")
    assert len(output.err.splitlines()) == 1
    assert "duplicate" not in output.out


def test_check_of_a_sound_document(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 0, nothing on stderr; as JSON an empty list."""
    assert main(["check", write(STEPS)]) == 0
    assert capsys.readouterr() == ("no problems\n", "")
    assert main(["check", "--format", "json", write(STEPS)]) == 0
    output = capsys.readouterr()
    assert (json.loads(output.out), output.err) == ([], "")


def test_check_of_an_invalid_document(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1; the problems are the result and so on stdout, errors first."""
    assert main(["check", write(INVALID)]) == 1
    output = capsys.readouterr()
    assert output.err == ""
    assert [line.split()[0] for line in output.out.splitlines()] == ["error", "error", "warning"]


def test_check_as_json(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`--format json` prints each problem with all of its fields."""
    assert main(["check", "--format", "json", write(INVALID)]) == 1
    output = capsys.readouterr()
    loaded = json.loads(output.out)
    assert output.err == ""
    assert [sorted(problem) for problem in loaded] == [
        ["code", "location", "message", "severity", "steps", "suggestion"]
    ] * 3
    problems = tuple(wfplan.Problem.model_validate(problem) for problem in loaded)
    assert problems == wfplan.check(wfplan.read(INVALID))


@pytest.mark.parametrize("format_", ["text", "json"])
@pytest.mark.parametrize(
    ("document", "usual", "strict"),
    [(STEPS, 0, 0), (INFORMED, 0, 0), (WARNED, 0, 1), (INVALID, 1, 1), ({"recommendations": []}, 0, 1)],
    ids=["sound", "informed", "warned", "invalid", "empty"],
)
def test_warnings_fail_where_they_are_to(
    document: Any, usual: int, strict: int, format_: str, write: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--fail-on warning` exits with 1 for warnings, but not for what is only worth a look; it prints the same."""
    assert main(["check", "--format", format_, write(document)]) == usual
    printed = capsys.readouterr()
    assert main(["check", "--format", format_, "--fail-on", "error", write(document)]) == usual
    assert capsys.readouterr() == printed
    assert main(["check", "--format", format_, "--fail-on", "warning", write(document)]) == strict
    assert capsys.readouterr() == printed
    assert main(["plan", "--fail-on", "warning", write(document)]) == strict


@pytest.mark.parametrize(
    "document", [STEPS, INFORMED, WARNED, INVALID, {"recommendations": [{"id": 1, "action": "x"}]}]
)
def test_strict_is_strict_reading(document: Any, write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`check --strict` says what `check(read(document, strict=True))` says."""
    problems = wfplan.check(wfplan.read(json.dumps(document), strict=True))
    code = main(["check", "--strict", "--format", "json", write(document)])
    assert code == (1 if any(problem.severity == "error" for problem in problems) else 0)
    printed = json.loads(capsys.readouterr().out)
    assert tuple(map(wfplan.Problem.model_validate, printed)) == problems


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert (caught.value.code, capsys.readouterr().out) == (0, f"wfplan {wfplan.__version__}\n")


MAPPING = {"shirt": [], "tie": ["shirt"], "shoes": []}


@pytest.mark.parametrize("text", [json.dumps(MAPPING), "shirt: []\ntie: [shirt]\nshoes: []\n"], ids=["json", "yaml"])
def test_a_mapping_of_names_is_planned_from_a_file(text: str, write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """What `plan` takes in Python, it takes in a file: each command gives what it gives for the mapping."""
    path = write(text.encode())
    assert main(["plan", "--format", "json", path]) == 0
    assert wfplan.ExecutionPlan.model_validate_json(capsys.readouterr().out) == wfplan.plan(MAPPING)
    assert main(["check", path]) == 0
    assert main(["explain", path, "tie"]) == 0
    assert main(["simulate", path]) == 0
    capsys.readouterr()
    assert main(["check", "--format", "json", write({"shirt": [], "tie": ["shrt"]})]) == 1
    assert [problem["code"] for problem in json.loads(capsys.readouterr().out)] == ["unknown-dependency"]


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"phases": [], "warnings": []},
        {"steps": ["a", "b"]},
        {"a": [], "dependencies": ["a"]},
        {"a": [1]},
        {"a": "b"},
        [["a"]],
        b'{"a": [], "a": ["b"], "b": []}',
        b"a: [b\n",
        b"\xff",
    ],
)
def test_what_only_looks_like_a_mapping_of_names_is_not_one(document: Any, write: Any) -> None:
    assert main(["check", write(document)]) == 1


@pytest.mark.parametrize("command", ["plan", "check", "explain", "simulate", "review"])
def test_problems_are_json_where_json_was_asked_for(
    command: str, write: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a document, of a file that is not there, and of wrong usage: always a list of problems."""
    more = {"explain": ["a"], "review": ["--policy", write({}, "policy.json")]}.get(command, [])
    for path in (write(INVALID), str(tmp_path / "absent.json")):
        assert main([command, "--format", "json", path, *more]) == 1
        output = capsys.readouterr()
        printed, other = (output.out, output.err) if command == "check" else (output.err, output.out)
        assert other == ""
        assert [wfplan.Problem.model_validate(problem).severity for problem in json.loads(printed)]
    for wrong in (["--format=json", "--no-such"], ["--format", "json"]):
        with pytest.raises(SystemExit) as caught:
            main([command, *wrong])
        (problem,) = json.loads(capsys.readouterr().err)
        assert (caught.value.code, problem["code"]) == (2, "invalid-setting")
        assert problem["suggestion"] == f"see wfplan {command} --help"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["plan"],
        ["check"],
        ["run", "FILE"],
        ["plan", "FILE", "FILE"],
        ["plan", "--format", "yaml", "FILE"],
        ["check", "--format", "execution-plan", "FILE"],
        ["plan", "--strict", "FILE"],
        ["check", "--naming", "id", "FILE"],
        ["plan", "--naming", "name", "FILE"],
        ["plan", "--max-batch-size", "0", "FILE"],
        ["plan", "--max-batch-size", "-1", "FILE"],
        ["plan", "--max-batch-size", "two", "FILE"],
        ["plan", "--max-batch-size", "1.5", "FILE"],
        ["plan", "--max-batch-size", "FILE"],
        ["plan", "--no-such-option", "FILE"],
    ],
    ids=" ".join,
)
def test_wrong_usage(arguments: List[str], write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2 with a usage message on stderr, in words that a user knows."""
    path = write(STEPS)
    with pytest.raises(SystemExit) as caught:
        main([path if argument == "FILE" else argument for argument in arguments])
    output = capsys.readouterr()
    assert caught.value.code == 2
    assert output.out == ""
    assert "usage: wfplan" in output.err
    assert "_positive" not in output.err


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` names both commands, and each command its options, and exits with 0."""
    for arguments, words in (
        (["--help"], ["plan", "check"]),
        (["plan", "--help"], ["--format", "--isolate-sequential", "--max-batch-size", "--naming", "execution-plan"]),
        (["check", "--help"], ["--format", "--strict"]),
    ):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 0
        text = capsys.readouterr().out
        assert [word for word in words if word not in text] == []


# ------------------------------------------------------------------------------------------------ files that are none


@pytest.mark.parametrize("command", ["plan", "check"])
def test_files_that_cannot_be_read(command: str, tmp_path: Path, write: Any) -> None:
    """An absent file, a directory and a file that is not UTF-8 are problems: exit 1, one line, no traceback."""
    for path in (str(tmp_path / "absent.json"), str(tmp_path), write(b'{"recommendations": [\xff]}', "latin-1.json")):
        done = shell(command, path)
        told, other = (done.stdout, done.stderr) if command == "check" else (done.stderr, done.stdout)
        assert done.returncode == 1
        assert other == b""
        assert told.startswith(b"error invalid-document")
        assert len(told.splitlines()) == 1
        assert b"Traceback" not in told


def test_a_file_name_cannot_reach_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters in the name of an absent file are told escaped."""
    assert main(["check", str(tmp_path / "no\x1b[2J\u202e.json")]) == 1
    assert capsys.readouterr().out.rstrip("\n").isprintable()


# ------------------------------------------------------------------------------------------------------------- pipes


def test_standard_input_in_process(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`-` is standard input, read as bytes: its encoding is UTF-8, whatever the terminal's."""
    document = json.dumps({"steps": [{"name": "\u00e9t\u00e9"}]}, ensure_ascii=False).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(document), encoding="ascii"))
    assert execution_order("-", capsys=capsys) == [(["\u00e9t\u00e9"], False)]


def test_standard_input_of_a_process() -> None:
    """`python -m wfplan plan -` plans what it is piped."""
    done = shell("plan", "--format", "execution-plan", "-", stdin=json.dumps(STEPS).encode())
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["executionPlan"]["strategy"] == "sequential-with-parallel"
    empty = shell("check", "-")
    assert (empty.returncode, empty.stderr) == (1, b"")
    assert empty.stdout.startswith(b"error invalid-document")


def test_its_own_output_is_input(write: Any) -> None:
    """What `plan --format json` prints, `plan -` reads, and prints again, byte for byte."""
    first = shell("plan", "--format", "json", "--max-batch-size", "2", write(INCIDENT))
    again = shell("plan", "--format", "json", "-", stdin=first.stdout)
    assert (first.returncode, again.returncode) == (0, 0)
    assert again.stdout == first.stdout
    text = shell("plan", "-", stdin=first.stdout)
    assert text.stdout == shell("plan", "--max-batch-size", "2", write(INCIDENT)).stdout


def close_after(lines: int, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run in a pipe whose reader closes after so many lines."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wfplan", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process:
        for _ in range(lines):
            assert process.stdout.readline()
        process.stdout.close()
        told = process.stderr.read()
        code = process.wait(timeout=120)
    return subprocess.CompletedProcess(arguments, code, b"", told)


@pytest.mark.parametrize("lines", [0, 1])
@pytest.mark.parametrize("format_", ["text", "json", "execution-plan"])
def test_a_closed_pipe_is_no_traceback(format_: str, lines: int, write: Any) -> None:
    """Whoever reads the output may stop at any time: nothing is said about it."""
    done = close_after(lines, "plan", "--format", format_, write(LONG))
    assert done.stderr == b""
    assert done.returncode == 0


def test_a_closed_pipe_of_check_is_no_traceback(write: Any) -> None:
    """The problems of a document may be read in part as well."""
    many = {"steps": [{"name": f"s{number}", "dependencies": ["x" * 100]} for number in range(5000)]}
    for format_ in ("text", "json"):
        done = close_after(1, "check", "--format", format_, write(many))
        assert done.stderr == b""


def test_a_closed_pipe_for_problems_is_no_traceback(write: Any) -> None:
    """Where nobody reads stderr any more, invalid input is still exit 1."""
    many = {"steps": [{"name": f"s{number}", "dependencies": ["x" * 100]} for number in range(5000)]}
    process = subprocess.Popen(
        [sys.executable, "-m", "wfplan", "plan", write(many)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process:
        process.stderr.close()
        printed = process.stdout.read()
        code = process.wait(timeout=120)
    assert printed == b""
    assert code == 1


# --------------------------------------------------------------------------------------------------------- encodings


def test_names_that_the_output_encoding_lacks() -> None:
    """A name that the terminal cannot show is escaped: the plan is printed all the same."""
    document = json.dumps({"steps": [{"name": "\u00e9t\u00e9"}, {"name": "\u65e5", "dependencies": ["\u00e9t\u00e9"]}]})
    for encoding, shown in (("ascii", b"\\xe9t\\xe9"), ("latin-1", "\u00e9t\u00e9".encode("latin-1"))):
        done = shell("plan", "-", stdin=document.encode(), PYTHONIOENCODING=encoding)
        assert (done.returncode, done.stderr) == (0, b"")
        assert shown in done.stdout
        assert b"\\u65e5" in done.stdout
    for format_ in ("json", "execution-plan"):
        done = shell("plan", "--format", format_, "-", stdin=document.encode(), PYTHONIOENCODING="ascii")
        assert (done.returncode, done.stderr) == (0, b"")
        assert "\u65e5" in json.dumps(json.loads(done.stdout), ensure_ascii=False)


def test_problems_that_the_output_encoding_lacks() -> None:
    """The same goes for problems, on stdout and on stderr."""
    document = json.dumps({"steps": [{"name": "\u65e5", "dependencies": ["\u00e9t\u00e9"]}]}).encode()
    checked = shell("check", "-", stdin=document, PYTHONIOENCODING="ascii")
    planned = shell("plan", "-", stdin=document, PYTHONIOENCODING="ascii")
    assert checked.returncode == planned.returncode == 1
    assert checked.stdout == planned.stderr
    assert b"\\u65e5" in checked.stdout
    assert b"Traceback" not in checked.stdout


def test_documents_are_utf8_whatever_the_terminal_is(write: Any) -> None:
    """The encoding of the terminal has no say in how a file is read."""
    document = json.dumps({"steps": [{"name": "\u00e9t\u00e9"}]}, ensure_ascii=False).encode()
    done = shell("plan", "--format", "json", write(document), PYTHONIOENCODING="latin-1")
    assert json.loads(done.stdout)["workflow"]["steps"][0]["name"] == "\u00e9t\u00e9"


# -------------------------------------------------------------------------------------------------------- as a whole


def test_in_process_and_as_a_process_agree(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m wfplan` prints and returns what main does."""
    for arguments in (
        ["plan", write(INCIDENT)],
        ["plan", "--format", "json", write(WARNED, "warned.json")],
        ["check", write(INVALID, "invalid.json")],
    ):
        done = shell(*arguments)
        code = main(arguments)
        output = capsys.readouterr()
        assert (done.returncode, done.stdout.decode(), done.stderr.decode()) == (code, output.out, output.err)


def test_the_command_is_installed() -> None:
    """`wfplan` is also installed as a command, of the same main."""
    scripts = {script.name: script.value for script in distribution("wfplan").entry_points}
    assert scripts["wfplan"] == "wfplan.cli:main"
