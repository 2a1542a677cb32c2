"""What optional features need is named by its packages, the same ones everywhere."""

from __future__ import annotations

import re
from pathlib import Path

from wfplan._internal.extras import PACKAGES, how_to_install

ROOT = Path(__file__).resolve().parents[1]


def test_the_packages_of_an_extra_are_those_that_the_distribution_declares() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    table = project.partition("[project.optional-dependencies]\n")[2].partition("\n[")[0]
    declared = {
        extra: " ".join(re.findall(r'"([\w-]+)[^"]*"', packages))
        for extra, packages in re.findall(r"^(\w+) = \[(.*)\]$", table, re.MULTILINE)
    }
    assert declared == PACKAGES


def test_the_example_of_a_service_names_the_packages_that_it_needs() -> None:
    assert f"    {how_to_install('service')}\n" in (ROOT / "examples" / "service.py").read_text(encoding="utf-8")
