"""Who is asked: everybody, or departments of the roster, or the party members. A circle is kept as it is called."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.kit.context import View
from storage import people
from storage.notices import PARTY, among
from storage.people import Person

EVERYBODY = (
    "全体",
    "全体教职工",
    "全体教师",
    "全体老师",
    "全体人员",
    "全校教职工",
    "全校教师",
    "全校老师",
    "所有老师",
    "所有教师",
    "大家",
    "全员",
)


def departments(view: View) -> Sequence[str]:
    """In the order of the roster."""
    return [*dict.fromkeys(one.department for one in people.active(view.db) if one.department)]


def circles(view: View, words: Sequence[str]) -> Sequence[str] | None:
    """The circles that these words name; none of them: everybody. ``None`` where the roster does not know one."""
    known, found = departments(view), []
    for word in words:
        bare = word.removeprefix("全体").removesuffix("全体").removesuffix("老师").removesuffix("教师") or word
        if word in EVERYBODY or bare in EVERYBODY:
            return ()
        same = [one for one in known if one in (word, bare, f"{bare}组")]
        if not same and PARTY in bare and len(bare) <= 4:
            same = [PARTY]
        if len(same) != 1:
            return None
        found += same
    return [*dict.fromkeys(found)] if found else None


def expected(view: View, wanted: Sequence[str], on: date) -> Sequence[Person]:
    """Who of these circles is asked and counts on a day: the roster as it is, without those on leave."""
    return [one for one in people.expected(view.db, on) if among(one, wanted)]


def meet(one: Sequence[str], other: Sequence[str]) -> bool:
    """Is anybody asked to both?"""
    return not one or not other or bool({*one} & {*other}) or PARTY in (*one, *other)
