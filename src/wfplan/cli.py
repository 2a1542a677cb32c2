"""The command `wfplan`: results to stdout, problems to stderr."""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO, Callable, Dict, List, Mapping, NamedTuple, NoReturn, Sequence, TextIO, Tuple

from wfplan import __version__
from wfplan._internal.messages import quote, quote_path
from wfplan._internal.model import Model
from wfplan._internal.suggestions import Suggester
from wfplan.analysis import compare, explain
from wfplan.intake import read
from wfplan.intake.graph_mapping import read_mapping
from wfplan.intake.syntax import DEFAULT
from wfplan.interop.kubernaut import to_execution_plan
from wfplan.planner import check, plan
from wfplan.plans import ExecutionPlan
from wfplan.policy import Policy, Verdict, read_policy, review
from wfplan.problems import InvalidWorkflowError, Problem, ProblemCollector, RefusedError
from wfplan.prompting import prompt_instructions, recommendation_schema
from wfplan.reading import Reading, make_reading
from wfplan.recommendations import NAMINGS
from wfplan.render import dot, html, mermaid, plan_to_text, svg

__all__ = ["main"]

_FINE, _INVALID, _NEEDS_APPROVAL = 0, 1, 3
_JSON_FORMATS = ("json", "execution-plan")
_CODES: Mapping[Verdict, int] = {"allow": _FINE, "deny": _INVALID, "needs-approval": _NEEDS_APPROVAL}


class _Outcome(NamedTuple):
    """What a command has to say."""

    code: int
    result: str
    """For standard output."""
    problems: Sequence[Problem] = ()
    """For standard error."""
    found: Sequence[Problem] = ()
    """Problems that are the result."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 0 for fine, 1 for invalid or denied, 2 for wrong usage (by SystemExit).

    3 is for what needs approval.
    """
    given = sys.argv[1:] if arguments is None else arguments
    try:
        options = _parser().parse_args(given)
    except _UsageError as error:
        _exit_for(error, given)
    form = getattr(options, "format", "")
    try:
        outcome: _Outcome = options.run(options)
        _write(_emit(outcome.problems, form) if outcome.problems else "", sys.stderr)
        _write(outcome.result, sys.stdout)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        message = f"the result cannot be written: {error.strerror}"
        shown = _emit((_problem("invalid-setting", message),), form) if form in _JSON_FORMATS else f"wfplan: {message}"
        _write(shown, sys.stderr)
        return _INVALID
    worst = {problem.severity for problem in (*outcome.problems, *outcome.found)}
    if outcome.code == _FINE and getattr(options, "fail_on", "error") == "warning" and "warning" in worst:
        return _INVALID
    return outcome.code


def _plan(options: argparse.Namespace) -> _Outcome:
    planned, problems = _plan_file(options)
    if planned is None:
        return _Outcome(_INVALID, "", problems)
    try:
        return _Outcome(_FINE, _FORMATS[options.format](planned), problems)
    except RefusedError as error:  # too large a picture
        return _Outcome(_INVALID, "", (*problems, *error.problems))


def _explain(options: argparse.Namespace) -> _Outcome:
    planned, problems = _plan_file(options)
    if planned is None:
        return _Outcome(_INVALID, "", problems)
    wanted: str = options.step
    named = [step.name for step in planned.workflow.steps if wanted in (step.name, step.recommendation_id)]
    if not named:
        advice = Suggester(planned.steps).suggest(wanted)
        unknown = _problem("invalid-setting", f"no step is named {quote(wanted)}", advice)
        return _Outcome(_INVALID, "", (*problems, unknown))
    explanation = explain(planned, wanted if wanted in named else named[0])
    return _Outcome(_FINE, _show(explanation, options.format), problems)


def _simulate(options: argparse.Namespace) -> _Outcome:
    planned, problems = _plan_file(options)
    if planned is None:
        return _Outcome(_INVALID, "", problems)
    return _Outcome(_FINE, _show(compare(planned, options.max_parallel), options.format), problems)


def _plan_file(options: argparse.Namespace) -> Tuple[ExecutionPlan | None, Sequence[Problem]]:
    """Return the plan of a document, and every problem with it; None if it cannot be planned."""
    try:
        planned = plan(
            _read_source(options.file),
            naming=options.naming,
            isolate_sequential=options.isolate_sequential or None,
            max_batch_size=options.max_batch_size,
        )
    except InvalidWorkflowError as error:
        return None, error.problems
    return planned, planned.problems


def _problem(code: str, message: str, suggestion: str = "") -> Problem:
    return Problem(code=code, severity="error", message=message, suggestion=suggestion)


def _show(value: Model, form: str) -> str:
    return _to_json(value.model_dump(mode="json")) if form == "json" else str(value)


def _check(options: argparse.Namespace) -> _Outcome:
    problems = check(_read_source(options.file, strict=options.strict))
    code = _INVALID if any(problem.severity == "error" for problem in problems) else _FINE
    result = _emit(problems, "json") if options.format == "json" else _emit(problems) or "no problems"
    return _Outcome(code, result, found=problems)


def _review(options: argparse.Namespace) -> _Outcome:
    problems = ProblemCollector()
    policy = _read_policy(options.policy, problems)
    planned = None
    try:
        planned = plan(_read_source(options.file), naming=options.naming)
    except InvalidWorkflowError as error:
        for problem in error.problems:
            problems.append(problem)
    if policy is None or planned is None:
        return _Outcome(_INVALID, "", problems.as_tuple())
    reviewed = review(planned, policy)
    result = _to_json(reviewed.data) if options.format == "json" else str(reviewed)
    return _Outcome(_CODES[reviewed.verdict], result, planned.problems)


def _read_policy(path: str, problems: ProblemCollector) -> Policy | None:
    try:
        with Path(path).open("rb") as file:
            return read_policy(_first_bytes(file))
    except RefusedError as error:
        for problem in error.problems:
            problems.append(problem)
    except (OSError, ValueError) as error:  # a path may be none at all
        message = f"{quote_path(path)} cannot be read: {getattr(error, 'strerror', None) or error}"
        problems.add("invalid-policy", message, suggestion="name a JSON document")
    return None


def _schema(options: argparse.Namespace) -> _Outcome:
    return _Outcome(_FINE, prompt_instructions() if options.instructions else _to_json(recommendation_schema()))


def _read_source(path: str, *, strict: bool = False) -> Reading | Dict[str, List[str]]:
    """Return what is in a file, or in standard input for `-`: a mapping from names to what they need, or a reading.

    A file that cannot be opened is a reading with a problem.
    """
    try:
        document = _read_bytes(path)
    except (OSError, ValueError) as error:  # a path may be none at all
        problems = ProblemCollector()
        problems.add(
            "invalid-document",
            f"{quote_path(path)} cannot be read: {getattr(error, 'strerror', None) or error}",
            suggestion="name a JSON document, or - for standard input",
        )
        return make_reading((), None, problems, None)
    reading = read(document, strict=strict)
    mapping = None if reading.ok or reading.items else read_mapping(document, DEFAULT)
    return reading if mapping is None else mapping


def _read_bytes(path: str) -> bytes:
    if path == "-":
        return _first_bytes(_standard_input())
    with Path(path).open("rb") as file:
        return _first_bytes(file)


def _standard_input() -> BinaryIO:
    if sys.stdin is None:
        raise OSError(errno.EBADF, "it is closed")
    return sys.stdin.buffer


def _first_bytes(file: BinaryIO) -> bytes:
    """Return all of a file, or one byte more than the limit."""
    return file.read(DEFAULT.max_bytes + 1)


def _emit(problems: Sequence[Problem], form: str = "") -> str:
    """Return the problems, one a line; as a JSON list where JSON was asked for."""
    if form not in _JSON_FORMATS:
        return "\n".join(map(str, problems))
    return _to_json([problem.model_dump(mode="json") for problem in problems])


def _to_json(value: Any) -> str:
    return json.dumps(value, indent=2)


def _write(text: str, stream: TextIO | None) -> None:
    """Print, if there is something to print and somebody reads it; what the encoding lacks is escaped."""
    if not text or stream is None:
        return
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    try:
        print(text, file=stream, flush=True)
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.EINVAL):  # the latter is how Windows says it
            raise
        # the reader has seen enough; the rest must not be written at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _dump(planned: ExecutionPlan) -> str:
    return _to_json(planned.model_dump(mode="json"))


def _execution_plan(planned: ExecutionPlan) -> str:
    return _to_json(to_execution_plan(planned))


_FORMATS: Mapping[str, Callable[[ExecutionPlan], str]] = {
    "text": plan_to_text,
    "json": _dump,
    "execution-plan": _execution_plan,
    "mermaid": mermaid,
    "dot": dot,
    "svg": svg,
    "html": html,
}


def _positive(text: str) -> int:
    if not text.isdecimal() or not text.isascii() or not 1 <= int(text[:20]) < 2**31:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, not {text[:20]!r}")
    return int(text)


def _counts(text: str) -> Tuple[int, ...]:
    return tuple(map(_positive, text.split(",")))


def _add_settings(command: argparse.ArgumentParser) -> None:
    """Add the options of planning."""
    command.add_argument("--isolate-sequential", action="store_true", help="set steps with a sequential hint apart")
    command.add_argument("--max-batch-size", type=_positive, metavar="N", help="steps in a batch, at most")
    command.add_argument("--naming", choices=NAMINGS, default="action", help="how recommendations are named as steps")


def _add_fail_on(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--fail-on", choices=("error", "warning"), default="error", help="exit with 1 for these; default: %(default)s"
    )


class _UsageError(Exception):
    """Raised by a parser: its program, its usage and what is wrong with the arguments."""

    def __init__(self, parser: argparse.ArgumentParser, message: str) -> None:
        self.program = parser.prog
        self.usage = parser.format_usage()
        self.message = message
        super().__init__(message)


class _Parser(argparse.ArgumentParser):
    """Raises for wrong usage instead of exiting, so that it is reported in the form that was asked for."""

    def error(self, message: str) -> NoReturn:
        """Raise `_UsageError`."""
        raise _UsageError(self, message)


def _exit_for(error: _UsageError, arguments: Sequence[str]) -> NoReturn:
    """Exit with 2, and a usage message or a JSON list of one problem on standard error."""
    asked = " ".join(arguments).replace("=", " ").split()
    if ("--format", "json") in zip(asked, asked[1:]):
        problem = _problem("invalid-setting", error.message, f"see {error.program} --help")
        _write(_emit((problem,), "json"), sys.stderr)
    else:
        _write(f"{error.usage}{error.program}: error: {error.message}", sys.stderr)
    raise SystemExit(2) from None


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="wfplan", description="Plan what a model recommends.")
    parser.add_argument("--version", action="version", version=f"wfplan {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)

    planning = _add_command(commands, "plan", _plan, "print or draw the execution plan of a document", tuple(_FORMATS))
    _add_settings(planning)
    _add_fail_on(planning)

    explaining = _add_command(commands, "explain", _explain, "print why a step is where it is, and what would move it")
    explaining.add_argument("step", help="its name, or the id of its recommendation")
    _add_settings(explaining)

    simulating = _add_command(commands, "simulate", _simulate, "estimate how long a run takes, under several limits")
    simulating.add_argument(
        "--max-parallel", type=_counts, default=(1, 2, 4, 8), metavar="N,N,...", help="steps at once; default: 1,2,4,8"
    )
    _add_settings(simulating)

    checking = _add_command(commands, "check", _check, "print every problem of a document")
    checking.add_argument("--strict", action="store_true", help="treat deviations from the format as errors")
    _add_fail_on(checking)

    reviewing = _add_command(
        commands, "review", _review, "print whether a document may run under a policy, and why not"
    )
    reviewing.add_argument("--policy", required=True, metavar="FILE", help="JSON document with the policy")
    reviewing.add_argument("--naming", choices=NAMINGS, default="action", help="how recommendations are named as steps")

    asking = commands.add_parser("schema", help="print the JSON schema to ask a model for")
    asking.add_argument("--instructions", action="store_true", help="print rules and an example for a prompt instead")
    asking.set_defaults(run=_schema)
    return parser


def _add_command(
    commands: Any, name: str, run: Callable[[Any], _Outcome], text: str, formats: Sequence[str] = ("text", "json")
) -> argparse.ArgumentParser:
    """Add a command that takes a document and prints its result in one of several formats."""
    command: argparse.ArgumentParser = commands.add_parser(name, help=text)
    command.add_argument("file", help="JSON document, - for standard input")
    command.add_argument("--format", choices=formats, default="text", help="default: %(default)s")
    command.set_defaults(run=run)
    return command
