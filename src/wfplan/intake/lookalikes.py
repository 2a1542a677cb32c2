"""Ids that look alike and are not the same: letters of other scripts in place of Latin ones."""

from __future__ import annotations

import unicodedata
from typing import Collection, Dict, List

from wfplan.names import quote
from wfplan.problems import ProblemList

__all__ = ["report_lookalikes"]

# The letters of Cyrillic, Greek, Armenian and Cherokee that a reader takes for a Latin one, and dashes, after Unicode's
# list of confusable characters (UTS #39, confusables.txt); mathematical and full-width alphabets are folded by NFKC.
_PAIRS = """
    аa АA еe ЕE кk КK МM НH оo ОO рp РP сc СC ТT уy УY хx ХX іi ІI јj ЈJ ѕs ЅS һh ԁd ԛq ԜW ԝw ӏl ӀI ѵv
    ѴV αa ΑA ΒB ΕE ΖZ ΗH ιi ΙI κk ΚK ΜM ΝN οo ΟO ρp ΡP ΤT υu ΥY νv χx ΧX ϲc ϳj ɡg ɑa ıi աw զq հh ոn սu
    ՍU օo ՕO ցg ԼL
    ᎪA ᏴB ᏟC ᎠD ᎬE ᏀG ᎻH ᎫJ ᏦK ᏞL ᎷM ᏢP ᏒR ᏚS ᎢT ᏙV ᎳW ᏃZ ‐- ‑- ‒- –- —- −-
"""
_LOOKS = {ord(pair[0]): pair[1] for pair in _PAIRS.split()}


def report_lookalikes(ids: Collection[str], noun: str, location: str, problems: ProblemList) -> None:
    """Add a problem for all ids that look like another one; linear."""
    if all(map(str.isascii, ids)):
        return
    alike: Dict[str, List[str]] = {}
    for id_ in dict.fromkeys(ids):
        alike.setdefault(_skeleton(id_), []).append(id_)
    for group in alike.values():
        if len(group) > 1 and not all(map(str.isascii, group)):
            odd = next(id_ for id_ in group if not id_.isascii())
            problems.add(
                "confusable-ids",
                f"the {noun}s {quote(group[0])} and {quote(group[1])} look alike and are not the same: "
                f"{_name_odd_letters(odd)}",
                steps=group,
                location=location,
                suggestion="write ids with letters of one script",
            )


def _skeleton(id_: str) -> str:
    if id_.isascii():
        return id_
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", id_).translate(_LOOKS))


def _name_odd_letters(id_: str) -> str:
    odd = next(char for char in id_ if not char.isascii())
    return f"{quote(odd)} is {unicodedata.name(odd, 'unnamed').lower()}"
