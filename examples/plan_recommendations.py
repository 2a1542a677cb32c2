"""Recommendations made in Python, planned, looked at, and changed."""

from __future__ import annotations

import wfplan
from wfplan import Recommendation

RECOMMENDATIONS = [
    Recommendation(id="rec-001", action="scale_deployment", parameters={"deployment": "payment-api", "replicas": 5}),
    Recommendation(id="rec-002", action="restart_pod_a", dependencies=["rec-001"], confidence=0.9),
    Recommendation(id="rec-003", action="restart_pod_b", dependencies=["rec-001"], confidence=0.8),
    Recommendation(id="rec-004", action="verify_deployment", dependencies=["rec-002", "rec-003"]),
]


def main() -> None:
    """Plan the recommendations; then see what a mistake in them gives."""
    plan = wfplan.plan(RECOMMENDATIONS)
    print(plan, end="\n\n")
    for batch in plan.batches:
        actions = " and ".join(plan.steps[name].action for name in batch.steps)
        print(f"batch {batch.number}: {actions}{' at the same time' if batch.parallel else ''}")

    mistaken = [*RECOMMENDATIONS, Recommendation(id="rec-005", action="notify", dependencies=["rec-04"])]
    print()
    for problem in wfplan.check(mistaken):
        print(problem)


if __name__ == "__main__":
    main()
