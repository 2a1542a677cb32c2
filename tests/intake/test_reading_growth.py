"""Reading takes time in proportion to what is read, whatever that is: the double costs at most 2.6 times as much.

Processor time of the least of five readings; what fails is judged at the third try, since other work on the machine
can only add. Between 50 kB and 2 MB, so that what is quadratic cannot hide behind what is constant.
"""

from __future__ import annotations

import gc
import json
import time
from typing import Any, Callable, Dict, List, NamedTuple, Sequence, Tuple

import pytest

import wfplan

pytestmark = pytest.mark.scale

SIZES = (62_500, 125_000, 250_000, 500_000, 1_000_000, 2_000_000)
SHORT = SIZES[:4]
WORST_RATIO = 2.6
FLOOR_SECONDS = 0.004
"""Below this a clock tells nothing."""
HOPELESS_SECONDS = 30.0
"""Nobody waits for the least of five of these."""
TRIES = 3

PLAN: List[Dict[str, Any]] = [
    {"id": "a", "action": "x", "dependencies": []},
    {"id": "b", "action": "y", "dependencies": ["a"]},
]
ENTRY = json.dumps({"recommendations": PLAN})

UNITS: Dict[str, str] = {
    "word characters": "A",
    "digits": "1",
    "underscores": "_",
    "words": "go on ",
    "words that tell an order": "after before until once ",
    "names of steps": "a b ",
    "step numbers": "step 1 ",
    "rules": "---\n",
    "rules of stars": "***\n",
    "a rule without end": "-",
    "blank lines": "\n",
    "lines of spaces": " \n",
    "spaces": " ",
    "carriage returns": "\r\n",
    "opening brackets": "[",
    "closing brackets": "]",
    "opening braces": "{",
    "pairs of brackets": "[]",
    "keys of empty lists": '"dependencies": [],',
    "pairs of braces": "{}",
    "half objects": '{"a": [',
    "quotes": '"',
    "single quotes": "'",
    "quoted quotes": '\\"',
    "quoted single quotes": "\\'",
    "backslashes": "\\",
    "backslash and letter": "\\u",
    "fences": "```\n",
    "fences with a name": "```json\n",
    "fences in a line": "```",
    "tildes": "~~~\n",
    "comment openers": "/* ",
    "stars of comments": "*/* ",
    "line comments": "// x\n",
    "slashes": "/",
    "hash comments": "# x\n",
    "headings": "#",
    "arrows": "a -> b ",
    "long arrows": "--> ",
    "double arrows": "=>",
    "half arrows": "-=",
    "thinking": "<think>",
    "ends of thinking": "</think>",
    "angle brackets": "<",
    "ends of line codes": "<END_OF_PLAN>\n",
    "colons": "a: ",
    "colons alone": ":",
    "commas": ",",
    "dots": ".",
    "ellipses": "… ",
    "dashes of lists": "- ",
    "deep dashes": "- - ",
    "numbered lines": "1. x\n",
    "table rows": "| a | b |\n",
    "pipes": "|",
    "references": "$1 ",
    "dollars": "$",
    "opened references": "${",
    "moustaches": "{{ steps.",
    "hash references": "#E1",
    "anchors": "&a ",
    "aliases": "*a ",
    "tags": "!!x ",
    "combining characters": "e\u0301",
    "characters beyond": "\U0001f600",
    "null characters": "\\u0000",
}


class Shape(NamedTuple):
    """How a run of something gets into a document."""

    build: Callable[[str], Any]
    options: Dict[str, Any]
    sizes: Tuple[int, ...] = SIZES


SHAPES: Dict[str, Shape] = {
    "alone": Shape(lambda run: run, {}),
    "before": Shape(lambda run: f"{run}\n{ENTRY}", {}),
    "after": Shape(lambda run: f"```json\n{ENTRY}\n```\n{run}", {}),
    "in a string": Shape(
        lambda run: json.dumps({"recommendations": [{**PLAN[0], "zone": run}, PLAN[1]], "x": run}), {}
    ),
    "strictly": Shape(lambda run: json.dumps({"recommendations": PLAN, "notes": run, "zone": run}), {"strict": True}),
    "in objects": Shape(lambda run: {"recommendations": [PLAN[0], {**PLAN[1], "zone": run}], "parameters": run}, {}),
    "as a key": Shape(lambda run: {"recommendations": [{**PLAN[0], run: 1}, PLAN[1]], run: "x"}, {}, SHORT),
    "in YAML": Shape(
        lambda run: f"steps:\n- id: a\n  action: x\n  zone: {json.dumps(run)}\n- id: b\n  needs: a\n", {}, SHORT
    ),
    "in a YAML block": Shape(
        lambda run: "steps:\n- id: a\n  zone: |\n   " + run.replace("\n", "\n   ") + "\n- id: b\n  needs: a\n",
        {},
        SHORT,
    ),
    "raw in YAML": Shape(lambda run: f"steps:\n- id: a\n  needs: []\n  zone: {run}\n- id: b\n  needs: a\n", {}, SHORT),
    "in a comment": Shape(lambda run: f"{ENTRY[:-1]} // {run}\n}}", {}, SHORT),
    "without an order": Shape(
        lambda run: f"{run}\n{json.dumps([{'id': 'a', 'action': 'x'}, {'id': 'b', 'action': 'y'}])}", {}, SHORT
    ),
}


def _many(count: int, make: Callable[[int], Dict[str, Any]], **beside: Any) -> Dict[str, Any]:
    return {"recommendations": [{"id": f"s{n}", "action": f"do{n}", **make(n)} for n in range(count)], **beside}


def _needs(number: int) -> List[str]:
    return [f"s{number - 1}"] if number else []


def _yaml_of(document: Dict[str, Any]) -> str:
    lines = ["recommendations:"]
    for item in document["recommendations"]:
        lines += [f"- {json.dumps(item)}"]
    return "\n".join(lines)


WHOLES: Dict[str, Callable[[int], Any]] = {
    "canonical": lambda size: json.dumps(_many(size // 70, lambda n: {"dependencies": _needs(n)})),
    "canonical objects": lambda size: _many(size // 70, lambda n: {"dependencies": _needs(n)}),
    "other names": lambda size: json.dumps(_many(size // 70, lambda n: {"depends_on": _needs(n)})),
    "numbers": lambda size: json.dumps(
        {"steps": [{"step": n, "tool": "x", "after": n - 1 if n else None} for n in range(size // 50)]}
    ),
    "unread objects": lambda size: json.dumps(_many(size // 110, lambda n: {"needs": _needs(n), "x": {"y": ["z", n]}})),
    "conditions, all refused": lambda size: json.dumps(_many(size // 80, lambda n: {"needs": _needs(n), "when": "x"})),
    "names in strings": lambda size: json.dumps(_many(size // 80, lambda n: {"needs": _needs(n), "x": _needs(n)})),
    "references": lambda size: json.dumps(
        _many(size // 110, lambda n: {"needs": _needs(n), "parameters": {"p": f"{{{{s{max(n - 1, 0)}.out}}}}"}})
    ),
    "far references": lambda size: json.dumps(
        _many(size // 110, lambda n: {"needs": _needs(n), "parameters": {"p": f"{{{{s{n // 2}.out}}}}"}})
    ),
    "all need the first": lambda size: json.dumps(_many(size // 70, lambda n: {"dependencies": ["s0"] if n else []})),
    "unknown dependencies": lambda size: json.dumps(_many(size // 70, lambda n: {"dependencies": [f"t{n}"]})),
    "one id again and again": lambda size: json.dumps({"steps": [{"id": "a", "action": "x"}] * (size // 30)}),
    "numbering": lambda size: json.dumps(_many(size // 60, lambda n: {"phase": n})),
    "dependencies in one string": lambda size: json.dumps(
        [{"id": "a", "action": "x"}, {"id": "b", "action": "y", "dependencies": "a, " * (size // 3)}]
    ),
    "long keys": lambda size: json.dumps({"recommendations": PLAN, "A" * (size // 2): {"B" * (size // 2): 1}}),
    "many keys beside": lambda size: json.dumps(
        {"recommendations": PLAN, **{f"key {n}": n for n in range(size // 14)}}
    ),
    "keys beside at every level": lambda size: json.dumps(
        {"x": {str(n): {"y": n} for n in range(size // 20)}, "result": {"z": list(range(size // 20)), "steps": PLAN}}
    ),
    "mapping of steps": lambda size: json.dumps({"steps": {f"s{n}": {"needs": _needs(n)} for n in range(size // 28)}}),
    "flat edges": lambda size: json.dumps(
        _many(size // 90, lambda n: {}, edges=[{"from": f"s{n}", "to": f"s{n + 1}"} for n in range(size // 90 - 1)])
    ),
    "flat lists in an item": lambda size: json.dumps([{**PLAN[0], "x": [[n] for n in range(size // 8)]}, PLAN[1]]),
    "one plan repeated": lambda size: f"{ENTRY}\n" * (size // len(ENTRY)),
    "one plan repeated in fences": lambda size: f"```json\n{ENTRY}\n```\n" * (size // (len(ENTRY) + 13)),
    "other plans": lambda size: "\n".join(
        json.dumps({"steps": [{"id": f"s{n}", "action": "x"}]}) for n in range(size // 40)
    ),
    "lines of JSON": lambda size: "\n".join(json.dumps({**PLAN[0], "id": f"s{n}"}) for n in range(size // 45)),
    "strings of JSON": lambda size: json.dumps(
        {"response": json.dumps(_many(size // 90, lambda n: {"needs": _needs(n)}))}
    ),
    "cut off": lambda size: json.dumps(_many(size // 70, lambda n: {"dependencies": _needs(n)}))[:-20],
    "single quotes": lambda size: repr(_many(size // 70, lambda n: {"dependencies": _needs(n)})),
    "trailing commas": lambda size: json.dumps(_many(size // 70, lambda n: {"dependencies": _needs(n)})).replace(
        "}", ",}"
    ),
    "YAML": lambda size: _yaml_of(_many(size // 70, lambda n: {"dependencies": _needs(n)})),
    "YAML blocks": lambda size: (
        "steps:\n"
        + "".join(
            f"- id: s{n}\n  action: x\n  needs: [s{max(n - 1, 0)}]\n" if n else "- id: s0\n" for n in range(size // 40)
        )
    ),
    "YAML documents": lambda size: "---\nsteps:\n- id: a\n  action: x\n" * (size // 34),
    "a string of lines in a list": lambda size: {"steps": PLAN, "x": ["run it now"] * (size // 12)},
}


def _seconds(source: Any, options: Dict[str, Any]) -> float:
    """The processor time of one reading, the collector's share in what was there before left out."""
    gc.collect()
    gc.freeze()
    try:
        start = time.process_time()
        wfplan.read(source, **options)
        return time.process_time() - start
    finally:
        gc.unfreeze()


class Growth:
    """The least time for each size, of as many readings as it takes to be sure, but at most `5 * TRIES`."""

    def __init__(self, build: Callable[[int], Any], options: Dict[str, Any]) -> None:
        self.build, self.options = build, options
        self.best: Dict[int, float] = {}

    def measure(self, size: int, times: int) -> None:
        source = self.build(size)
        for _ in range(times):
            seconds = _seconds(source, self.options)
            self.best[size] = min(seconds, self.best.get(size, seconds))
            assert seconds < HOPELESS_SECONDS, f"{seconds:.0f} s for {size:,} characters"

    def grows_in_proportion(self, size: int) -> bool:
        """Whether a size costs little more than twice its half; the half gets no second chance to be faster alone."""
        half = size // 2
        return self.best[size] <= WORST_RATIO * max(self.best[half], FLOOR_SECONDS)

    def check(self, sizes: Sequence[int] = SIZES) -> None:
        self.measure(sizes[0], 5)
        for size in sizes[1:]:
            self.measure(size, 1)
            for _ in range(5 * TRIES - 1):
                if self.grows_in_proportion(size):
                    break
                self.measure(size, 1)
            else:
                pytest.fail(f"{size:,}: {self.best[size]:.3f} s, {size // 2:,}: {self.best[size // 2]:.3f} s")


@pytest.mark.parametrize("unit", list(UNITS))
@pytest.mark.parametrize("shape", list(SHAPES))
def test_a_run_of_anything_costs_in_proportion(unit: str, shape: str) -> None:
    build, options, sizes = SHAPES[shape]
    Growth(lambda size: build(UNITS[unit] * (size // len(UNITS[unit]))), options).check(sizes)


@pytest.mark.parametrize("whole", list(WHOLES))
@pytest.mark.parametrize("strict", [False, True])
def test_a_document_costs_in_proportion(whole: str, *, strict: bool) -> None:
    Growth(WHOLES[whole], {"strict": strict}).check()


def test_what_grows_with_its_square_is_seen() -> None:
    """The measure itself: one reading of an answer for each of its parts is found out."""

    class Squared(Growth):
        def measure(self, size: int, times: int) -> None:
            self.best[size] = FLOOR_SECONDS * (size / SIZES[0]) ** 2

    class Linear(Growth):
        def measure(self, size: int, times: int) -> None:
            self.best[size] = FLOOR_SECONDS * (size / SIZES[0]) * 1.2

    with pytest.raises(pytest.fail.Exception):
        Squared(str, {}).check()
    Linear(str, {}).check()
