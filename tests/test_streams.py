"""The shell when its streams are closed, full or broken."""

from __future__ import annotations

import errno
import io
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wfplan import cli

GOOD = '{"steps": [{"name": "a"}]}'
BAD = '{"steps": [{"name": "a", "dependencies": ["b"]}]}'


@pytest.fixture
def good(tmp_path: Path) -> str:
    path = tmp_path / "good.json"
    path.write_text(GOOD, encoding="utf-8")
    return str(path)


@pytest.fixture
def bad(tmp_path: Path) -> str:
    path = tmp_path / "bad.json"
    path.write_text(BAD, encoding="utf-8")
    return str(path)


def unread_pipe() -> Any:
    """The writing end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "w", encoding="utf-8")


class FullDisk(io.StringIO):
    """A stream that nothing can be written to."""

    def write(self, _text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_nobody_reads_the_result(good: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with unread_pipe() as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert cli.main(["plan", good]) == 0


def test_nobody_reads_the_problems_and_the_exit_code_tells(bad: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with unread_pipe() as pipe:
        monkeypatch.setattr(sys, "stderr", pipe)
        assert cli.main(["plan", bad]) == 1
    with unread_pipe() as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert cli.main(["check", bad]) == 1


def test_a_full_disk_is_told(good: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdout", FullDisk())
    assert cli.main(["plan", good]) == 1
    assert capsys.readouterr().err == "wfplan: the result cannot be written: No space left on device\n"


def test_closed_streams_are_no_crash(good: str, bad: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert cli.main(["plan", good]) == 0
    monkeypatch.setattr(sys, "stderr", None)
    assert cli.main(["plan", bad]) == 1


def test_a_closed_standard_input_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert cli.main(["check", "-"]) == 1
    assert capsys.readouterr().out.startswith('error invalid-document: "-" cannot be read: it is closed')


def test_an_interrupt_ends_quietly(good: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "read", interrupt)
    assert cli.main(["plan", good]) == 130


def test_a_stream_without_an_encoding_is_written_to(good: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    assert cli.main(["plan", good]) == 0
    assert stream.getvalue().startswith("sequential: 1 step in 1 batch\n")


def test_the_module_is_the_command(
    good: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["wfplan", "plan", good])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("wfplan", run_name="__main__")
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith("sequential: 1 step in 1 batch\n")


def test_a_reader_that_leaves_early_gets_no_traceback(tmp_path: Path) -> None:
    many = ", ".join(f'{{"name": "step-{number}", "dependencies": []}}' for number in range(20_000))
    path = tmp_path / "many.json"
    path.write_text(f'{{"steps": [{many}]}}', encoding="utf-8")
    command = [sys.executable, "-m", "wfplan", "plan", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0
