"""What somebody sees who follows the lines of a picture with a finger: from which step to which they lead.

A finger goes on in the direction in which it goes. Where a line turns off, it may turn, too; where two lines lie on
each other, it cannot tell one from the other; where they cross, it goes straight on.
"""

from __future__ import annotations

import re
from typing import Any, Dict, FrozenSet, List, NamedTuple, Set, Tuple
from xml.etree import ElementTree as ET

SVG = "{http://www.w3.org/2000/svg}"
APART = 3.0
"""Lines that run closer to each other cannot be told apart."""

Point = Tuple[float, float]
Direction = str


class Stretch(NamedTuple):
    """A straight part of a line: down, or aside."""

    direction: Direction
    across: float
    """The x of one that runs down, the y of one that runs aside."""
    start: float
    end: float


def stretches(path: str) -> List[Stretch]:
    """The straight parts of a path, each as far as the corners at its ends."""
    numbers = r"(-?[\d.]+)"
    x, y = map(float, re.findall(numbers, path)[:2])
    found: List[Stretch] = []
    for command, told in re.findall(r"([VHQ])([-\d. ]+)", path):
        values = [float(value) for value in told.split()]
        if command == "V":
            assert values[0] >= y, path
            found.append(Stretch("down", x, y, values[0]))
            y = values[0]
        elif command == "H":
            if values[0] != x:
                found.append(Stretch("right" if values[0] > x else "left", y, x, values[0]))
            elif found[-1].direction == "down":
                found.append(Stretch("right" if values[0] > found[-1].across else "left", y, x, x))
            x = values[0]
        else:
            x, y = values[2:]
    return found


class Picture:
    """The boxes and lines of a picture."""

    def __init__(self, svg: str) -> None:
        root = ET.fromstring(svg)
        self.boxes: Dict[str, Tuple[float, float, float, float]] = {}
        self.lines: List[List[Stretch]] = []
        self.told: List[Tuple[str, str]] = []
        for group in root.iter(f"{SVG}g"):
            if (group.get("class") or "").startswith("step"):
                self._add_box(group)
        for path in root.iter(f"{SVG}path"):
            if path.get("class") == "edge" and len(path):
                needed, _, name = str(path[0].text).partition(" \u2192 ")
                self.told.append((needed, name))
                self.lines.append(stretches(str(path.get("d"))))

    def _add_box(self, group: Any) -> None:
        x, y = map(float, re.findall(r"-?[\d.]+", str(group.get("transform"))))
        rect = next(group.iter(f"{SVG}rect"))
        name = str(group[0].text).partition("\n")[0][len("step: ") :]
        self.boxes[name] = (x, y, x + float(rect.get("width")), y + float(rect.get("height")))

    def led_to(self) -> Set[Tuple[str, str]]:
        """Every pair of steps such that a finger can get from the one to the other."""
        flat = [stretch for line in self.lines for stretch in line]
        places = {id(stretch): place for place, stretch in enumerate(flat)}
        after: Dict[int, int] = {}
        for line in self.lines:
            after.update((places[id(one)], places[id(then)]) for one, then in zip(line, line[1:]))
        by_direction: Dict[str, List[int]] = {}
        for place, stretch in enumerate(flat):
            by_direction.setdefault(stretch.direction, []).append(place)
        found: Set[Tuple[str, str]] = set()
        for name in self.boxes:
            found.update((name, other) for other in self._reach(name, flat, after, by_direction))
        return found

    def _reach(
        self, name: str, flat: List[Stretch], after: Dict[int, int], by_direction: Dict[str, List[int]]
    ) -> FrozenSet[str]:
        """Where a finger gets that starts at the lower edge of a box.

        It is on a stretch from some point on; of all points at which it can be there, the first counts.
        """
        _, _, _, bottom = self.boxes[name]
        waiting = [
            (place, bottom)
            for place in by_direction.get("down", ())
            if flat[place].start == bottom and self._touches(name, flat[place].across)
        ]
        first: Dict[int, float] = {}
        reached: Set[str] = set()
        while waiting:
            place, point = waiting.pop()
            here = flat[place]
            sign = -1 if here.direction == "left" else 1
            if place in first and sign * first[place] <= sign * point:
                continue
            first[place] = point
            if place in after:
                then = flat[after[place]]
                waiting.append((after[place], then.start))
            else:
                reached.add(self._box_below(here))
            for other in by_direction[here.direction]:
                there = flat[other]
                start = max(sign * there.start, sign * point)
                if (
                    other != place
                    and abs(there.across - here.across) < APART
                    and start <= sign * here.end + APART
                    and start <= sign * there.end
                ):
                    waiting.append((other, sign * start))
        return frozenset(reached)

    def _touches(self, name: str, x: float) -> bool:
        left, _, right, _ = self.boxes[name]
        return left < x < right

    def _box_below(self, stretch: Stretch) -> str:
        return next(
            name
            for name, (left, top, right, _) in self.boxes.items()
            if left < stretch.across < right and 0 < top - stretch.end < 8
        )

    def behind_boxes(self) -> List[Tuple[Stretch, str]]:
        """The stretches that run through a box, or closer to its sides than lines may be to each other."""
        found: List[Tuple[Stretch, str]] = []
        for line in self.lines:
            for one in line:
                low, high = sorted((one.start, one.end))
                for name, (left, top, right, bottom) in self.boxes.items():
                    if one.direction == "down":
                        hidden = left - APART < one.across < right + APART and low < bottom and high > top
                    else:
                        hidden = top < one.across < bottom and low < right and high > left
                    if hidden:
                        found.append((one, name))
        return found
