"""A progress bar in the terminal, by rich (extra `rich`)."""

from __future__ import annotations

from typing import Any

from wfplan._internal.extras import how_to_install
from wfplan.errors import BackendNotAvailableError
from wfplan.execution.events import Event, Observer

__all__ = ["progress_bar"]

_LABELS = {"execute": "", "dry_run": "dry run: ", "compensate": "undoing "}


def progress_bar(console: Any = None) -> Observer:
    """Return an observer that shows how many steps have ended, which one started last, and how many failed.

    Dry runs and compensations are named as they start, and not counted. One bar serves one run at a time.

    Args:
        console: A `rich.console.Console`. None: rich's default.

    Raises:
        BackendNotAvailableError: rich is not installed.
    """
    try:
        from rich.markup import escape
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    except ImportError as error:
        raise BackendNotAvailableError(f"a progress bar needs rich: {how_to_install('rich')}") from error

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    bar = Progress(*columns, console=console)
    task = bar.add_task("", total=None, start=False)
    failed = 0

    def observe(event: Event) -> None:
        nonlocal failed
        if event.kind == "run-started":
            failed = 0
            bar.reset(task, total=event.steps, completed=event.ended_steps or 0)
            bar.start()
        elif event.kind == "attempt-started":
            bar.update(task, description=_LABELS[event.purpose] + escape(event.step or ""))
        elif event.kind == "step-ended" and event.purpose == "execute":
            failed += event.status not in ("succeeded", "skipped")
            bar.update(task, advance=1)
        elif event.kind in ("run-ended", "run-suspended"):
            bar.update(task, description=f"{event.phase}, {failed} failed" if failed else str(event.phase))
            bar.stop()

    return observe
