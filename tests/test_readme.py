"""The README, typed from top to bottom in a fresh clone: every command works, and prints what is shown."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import List, NamedTuple

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="the commands are those of a POSIX shell"),
]

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:make|wfplan|python|pip|\.) [^`\n]*)`")
END = "-- end of a command --"
MINE = ("COVERAGE_", "MAKE", "MFLAGS", "PYTHON", "PYTEST_", "VIRTUAL_ENV")
"""What the shell of a new user does not have: how these tests were started is no part of the page."""


class Typed(NamedTuple):
    command: str
    status: int
    output: str


def shown() -> List[Typed]:
    """Every command of the page, with what the page says that it prints."""
    found: List[Typed] = []
    for block in FENCE.findall(README):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append(Typed(command, 0, output))
    return found


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is committed, with what has been changed since and could be."""
    folder = tmp_path_factory.mktemp("fresh") / "wfplan"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    listing = ["git", "-C", str(ROOT), "ls-files", "-z", "--modified", "--others", "--exclude-standard"]
    changed = subprocess.run(listing, check=True, stdout=subprocess.PIPE).stdout.decode().split("\0")
    for name in filter(None, changed):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
        else:
            (folder / name).unlink()
    return folder


@pytest.fixture(scope="module")
def typed(clone: Path) -> List[Typed]:
    """What one shell did with the commands of the page, one after the other."""
    script = clone.parent / "typed.sh"
    commands = [command for command, _, _ in shown()]
    script.write_text("".join(f"{command}\nprintf '\\n{END} %d\\n' $?\n" for command in commands), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(MINE)}
    environment.update(PYTHON=sys.executable, PYTHONIOENCODING="utf-8", PIP_DISABLE_PIP_VERSION_CHECK="1")
    folders = environment["PATH"].split(os.pathsep)  # without environments that are activated here
    environment["PATH"] = os.pathsep.join(path for path in folders if not (Path(path).parent / "pyvenv.cfg").exists())
    done = subprocess.run(
        ["sh", str(script)],
        check=False,
        cwd=clone,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    parts = re.findall(rf"(.*?)\n{END} (\d+)\n", done.stdout, re.DOTALL)
    return [Typed(command, int(status), output) for command, (output, status) in zip(commands, parts)]


def test_every_command_works_in_the_order_of_the_page(typed: List[Typed]) -> None:
    assert [made.command for made in typed] == [told.command for told in shown()]
    assert [made for made in typed if made.status] == []


def test_every_command_prints_what_is_shown(typed: List[Typed]) -> None:
    """Not shown: how `make` makes the environment before, and what pip says about the index of this machine."""
    for told, made in zip(shown(), typed):
        expected, printed = told.output.strip(), made.output.strip()
        if told.command.startswith("make "):
            printed = printed[-len(expected) :]
        if not told.command.startswith("pip "):
            assert printed == expected, told.command


def test_the_commands_are_those_of_the_environment_that_was_made(typed: List[Typed], clone: Path) -> None:
    """None of them worked because of what happened to be installed beside it."""
    assert typed[0].command == "make demo"
    assert (clone / ".venv" / "bin" / "wfplan").exists()
    before = [made.command for made in typed[: [made.command for made in typed].index(". .venv/bin/activate")]]
    assert before == ["make demo"]


def test_what_is_to_be_typed_stands_in_a_block() -> None:
    """A sentence only names commands: those of the shell, and `make test`, which would run these tests themselves."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in INLINE.findall(README):
        program, name, *arguments = command.split()
        assert program in ("make", "wfplan"), command
        assert arguments == [], command
        if program == "make":
            assert re.search(rf"^{name}:", makefile, re.MULTILINE), command
