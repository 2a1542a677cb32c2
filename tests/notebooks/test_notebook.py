"""The notebook of the examples does what it shows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

pytestmark = pytest.mark.slow

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "notebooks" / "plan_and_simulate.ipynb"


@pytest.fixture(scope="module")
def outputs() -> List[Dict[str, Any]]:
    """What the cells that say something give, executed one after the other in a kernel of their own."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("pandas")
    if sys.platform == "win32":
        pytest.skip("the kernel needs another event loop there")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def shown(output: Dict[str, Any]) -> str:
    return str(output.get("text") or output["data"]["text/plain"])


def test_every_cell_runs_and_says_something(outputs: List[Dict[str, Any]]) -> None:
    assert [output["output_type"] for output in outputs] == [
        "execute_result",
        "execute_result",
        "stream",
        "stream",
        "execute_result",
        "execute_result",
        "execute_result",
        "execute_result",
    ]


def test_what_is_read_and_planned_and_run_is_looked_at_as_html(outputs: List[Dict[str, Any]]) -> None:
    results = [output["data"] for output in outputs if output["output_type"] == "execute_result"]
    assert all("text/html" in data for data in results)
    assert "unknown-dependency" in results[0]["text/html"]
    for data in results[1:4]:
        assert '<img alt="' in data["text/html"]
        assert data["text/vnd.mermaid"].startswith("flowchart")


def test_it_says_what_it_is_to_say(outputs: List[Dict[str, Any]]) -> None:
    reading, plan, explained, compared, simulated, run, *_ = map(shown, outputs)
    assert '"5" needs "7"' in reading
    assert plan.startswith("sequential-with-parallel: 6 steps in 4 batches")
    assert "redundant-dependency" in explained
    assert "at most together: 2" in compared
    assert simulated.startswith("failed: 4 succeeded, 1 failed, 1 skipped, 160")
    assert run.startswith("completed: 6 succeeded")
