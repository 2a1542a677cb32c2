"""Documents of other tools are read rightly, or refused for the right reason; no edge and no step is ever lost.

Each is in tests/intake/documents, with what is right in `expectations.json` and where it comes from in its README.
As a script this prints how many of each kind are read.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest

import wfplan

DOCUMENTS = Path(__file__).parent / "documents"
ROWS: List[Dict[str, Any]] = json.loads((DOCUMENTS / "expectations.json").read_text(encoding="utf-8"))
NO_ORDER = "no-order-stated"

named = pytest.mark.parametrize("row", [pytest.param(row, id=row["file"]) for row in ROWS])


def read(row: Dict[str, Any], **options: Any) -> wfplan.Reading:
    if "ignore" in row:
        options["ignore"] = tuple(row["ignore"])
    return wfplan.read((DOCUMENTS / row["file"]).read_text(encoding="utf-8"), **options)


def graph_of(reading: wfplan.Reading) -> Dict[str, List[str]]:
    plan = wfplan.plan(reading, naming="id")
    return {name: sorted(set(step.dependencies)) for name, step in plan.steps.items()}


def judge(row: Dict[str, Any]) -> Tuple[str, str]:
    """What became of a document (read, refused, wrong), and why it is wrong."""
    reading = read(row)
    errors = {problem.code for problem in reading.problems if problem.severity == "error"}
    if not reading.ok:
        if row["verdict"] == "read":
            return "wrong", f"refused: {[str(p) for p in reading.problems if p.severity == 'error'][:3]}"
        return ("refused", "") if errors & set(row["codes"]) else ("wrong", f"refused for {sorted(errors)}")
    if row["verdict"] == "refused":
        return "wrong", "read, although it states more than a graph"
    if graph_of(reading) != {name: sorted(set(needs)) for name, needs in row["graph"].items()}:
        return "wrong", f"read as {graph_of(reading)}"
    if not row.get("silent", True) and NO_ORDER not in {problem.code for problem in reading.problems}:
        return "wrong", "read without a word that no order is stated"
    return "read", ""


def test_all_of_them_are_there() -> None:
    files = {path.name for path in DOCUMENTS.iterdir()} - {"README.md", "LICENSES.txt", "expectations.json"}
    assert files == {row["file"] for row in ROWS}
    assert len(ROWS) >= 100
    assert Counter(row["verdict"] for row in ROWS)["read"] >= 25


@named
def test_a_document_is_read_rightly_or_refused(row: Dict[str, Any]) -> None:
    outcome, reason = judge(row)
    assert outcome != "wrong", reason


@named
def test_a_refusal_tells_what_to_do(row: Dict[str, Any]) -> None:
    """Every error of a refusal says where, and what to write instead."""
    for problem in read(row).problems:
        if problem.severity == "error":
            assert problem.message
            assert problem.suggestion or problem.location


@named
def test_strictly_no_more_is_read(row: Dict[str, Any]) -> None:
    """What is read strictly has the same graph; a document without a word of order is not."""
    reading = read(row, strict=True)
    if reading.ok:
        assert graph_of(reading) == row["graph"]
        assert row.get("silent", True)


def main() -> None:
    outcomes: Dict[str, Counter[str]] = {}
    for row in ROWS:
        outcomes.setdefault(row["kind"], Counter()).update([judge(row)[0]])
    print("| kind | files | read | refused | wrong |")
    print("|---|---|---|---|---|")
    total: Counter[str] = Counter()
    for kind, counts in [*outcomes.items(), ("all", total)]:
        print(f"| {kind} | {sum(counts.values())} | {counts['read']} | {counts['refused']} | {counts['wrong']} |")
        total += counts


if __name__ == "__main__":
    main()
