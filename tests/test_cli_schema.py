"""`wfplan schema`: what to ask a model for, as the library says it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from wfplan.cli import main
from wfplan.prompting import prompt_instructions, recommendation_schema


def test_it_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    assert output.out == json.dumps(recommendation_schema(), indent=2) + "\n"


def test_it_prints_the_instructions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--instructions"]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    assert output.out == prompt_instructions() + "\n"


@pytest.mark.parametrize(
    "arguments",
    [["schema", "answer.json"], ["schema", "-"], ["schema", "--format", "text"], ["schema", "--instructions", "x"]],
)
def test_anything_else_is_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert "usage: wfplan" in output.err


def test_it_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--help"])
    assert exit_.value.code == 0
    assert "schema" in capsys.readouterr().out


def test_it_needs_no_input_and_prints_plain_ascii() -> None:
    for arguments in (["schema"], ["schema", "--instructions"]):
        done = subprocess.run(
            [sys.executable, "-m", "wfplan", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            check=True,
        )
        assert done.stderr == b""
        assert done.stdout.isascii()
