"""What the documentation shows is what happens: code blocks run, shown output is the real one."""

from __future__ import annotations

import doctest
import pkgutil
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import wfplan
from wfplan.problems import CODES

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MODULES = [module.name for module in pkgutil.walk_packages(wfplan.__path__, "wfplan.") if "__main__" not in module.name]

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = {
    "make": ["-m", "wfplan", "plan", "examples/payment-api.json"],  # what `make demo` runs
    "wfplan": ["-m", "wfplan"],
    "python": [],
}


def blocks(page: Path, language: str) -> list[str]:
    return [body for found, body in FENCE.findall(page.read_text(encoding="utf-8")) if found == language]


def shown_commands() -> list[tuple[str, str, str]]:
    """Page, command and output of every command that a page shows together with what it prints."""
    found = []
    for page in PAGES:
        for block in blocks(page, "console"):
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                if output.strip():
                    found.append((page.name, command, output))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks_of_a_page_run_and_give_what_is_shown(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    code = "\n".join(blocks(page, "python"))
    test = doctest.DocTestParser().get_doctest(code, {}, page.name, str(page), 0)
    report: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.REPORT_NDIFF).run(test, out=report.append)
    assert not report, "".join(report)
    assert code.count(">>>") == len(test.examples)


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings_run(module: str) -> None:
    assert doctest.testmod(import_module(module)).failed == 0


@pytest.mark.parametrize(("page", "command", "output"), shown_commands())
def test_a_shown_command_prints_what_is_shown(page: str, command: str, output: str) -> None:
    program, *arguments = shlex.split(command.replace("make demo", "make"))
    real = [sys.executable, *COMMANDS[program], *arguments]
    done = subprocess.run(
        real, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT, encoding="utf-8"
    )
    assert done.stdout.strip() == output.strip(), page


def test_the_readme_shows_both_examples() -> None:
    shown = {command for page, command, _ in shown_commands() if page == "README.md"}
    assert {"make demo", "python examples/plan_recommendations.py"} <= shown


def test_make_demo_plans_the_example() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "$(BIN)/wfplan plan examples/payment-api.json" in makefile


def test_every_code_is_documented_with_its_severity() -> None:
    rows = re.findall(
        r"^\| `([a-z-]+)` \| (error|warning|info) \|",
        (ROOT / "docs" / "problems.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert dict(rows) == dict(CODES)


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} -> {target}"


def test_the_changelog_knows_this_version() -> None:
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
