"""What all tests share: how hard hypothesis tries, and what is said about tests that did not run."""

from __future__ import annotations

from typing import Iterator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "full",
    deadline=None,
    max_examples=60,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],  # a busy machine is no failure
)
settings.register_profile("thorough", settings.get_profile("full"), max_examples=2000)
# the same examples every time: whether `make test` passes is no matter of luck
settings.register_profile("brief", settings.get_profile("full"), max_examples=20, derandomize=True, print_blob=False)
settings.load_profile("brief")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="fail if any test is skipped")


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.config.getoption("--no-skips") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> Iterator[None]:
    yield  # after what others have to say
    if config.getoption("markexpr") == "not slow and not scale":
        skipped = len(terminalreporter.stats.get("skipped", ()))
        beside = f"{skipped} skipped tests and " if skipped else ""
        terminalreporter.write_line(
            f"Not run: {beside}what is marked slow or scale (crash points, kills, other engines, browser, notebooks, "
            "the README in a clone; great size, growth), coverage, the wheel; `make test-all` runs it."
        )
