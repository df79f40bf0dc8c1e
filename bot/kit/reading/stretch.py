"""Hours that the school names itself: 第三节, 三四节课, 下午第一节, 大课间. What was not set is not guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from functools import cache

from bot.kit.errors import NotUnderstood
from bot.kit.reading.hours import Stretch
from bot.kit.reading.scene import Scene
from bot.kit.reading.words import NUMBER, number
from bot.kit.words import _


@dataclass(frozen=True, slots=True)
class Named:
    """``start`` and ``last`` in minutes from midnight. ``side``: "" during, "前" before, "后" after, which is open."""

    start: int
    last: int
    side: str
    end: int
    sure: bool = True


COMMON = (
    "大课间|小课间|课间操|课间|升旗仪式|升旗|早读|早操|晨读|晨会|早自习|午读|午练|午自习|午休|午餐|午饭|晚自习|晚读"
    "|课后服务|延时服务|晚托|(?:上班|上学|到校)(?=[前后时之以])|放学|下班"
)
"""What schools call the hours of their day; where the settings do not say when, they cast doubt on the hour."""

_SIDE = r"(?P<side>之前|以前|前(?![后排])|(?:下课)?(?:之后|以后|后(?![勤备台续面])))?"
_LESSON = re.compile(
    rf"(?P<part>上午|早上|下午|晚上)?的?(?P<mark>第)?(?P<first>{NUMBER})(?:\s*[、,和到至~-]?\s*第?(?P<last>{NUMBER}))?节"
    rf"(?!目|日|约|省|奏|能|点|水|假|气)(?P<lesson>下?课)?{_SIDE}"
)
_PAIR = re.compile(rf"(?P<first>[一二三四五六七八九])(?P<last>[二三四五六七八九])节(?P<lesson>课)?{_SIDE}")


def named(scene: Scene, pos: int, anchored: bool) -> Named | None:
    """``anchored``: a day stands before it; alone 第三节 may be a part of a text, and 大课间 a topic."""
    return _lesson(scene, pos, anchored) or _word(scene, pos, anchored)


def _lesson(scene: Scene, pos: int, anchored: bool) -> Named | None:
    match = _LESSON.match(scene.text, pos) or _PAIR.match(scene.text, pos)
    if match is None or not scene.hours.lessons or not _tells(match, anchored):
        return None
    first = _lesson_at(scene, match, match["first"])
    last = _lesson_at(scene, match, match["last"]) if match["last"] else first
    if last[1] <= first[0]:
        raise NotUnderstood(_("结束时间早于开始时间，请再写一次"))
    return _as_named((first[0], last[1]), match)


def _tells(match: re.Match[str], anchored: bool) -> bool:
    """周三三节课 counts lessons; 第三节 and 三四节 name them."""
    marked = bool(match["last"] or match.groupdict().get("mark") or match.groupdict().get("part"))
    return marked and (anchored or bool(match["lesson"] or match["side"]))


def _lesson_at(scene: Scene, match: re.Match[str], said: str) -> Stretch:
    part = (match.groupdict().get("part") or "").replace("早上", "上午")
    found = scene.hours.lesson(number(said), part)
    if found is None:
        raise NotUnderstood(_("课表里{part}没有第{n}节，请再写一次", part=part, n=number(said)))
    return found


def _word(scene: Scene, pos: int, anchored: bool) -> Named | None:
    match = _words(tuple(word for word, _at in scene.hours.words)).match(scene.text, pos)
    found = scene.hours.named(match["word"]) if match else None
    if match is None or found is None or not (anchored or match["side"] or match["during"]):
        return None
    return _as_named(found, match)


@cache
def _words(words: tuple[str, ...]) -> re.Pattern[str]:
    known = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)) or "(?!)"
    return re.compile(rf"(?P<word>{known})(?:(?P<during>时间|期间|时)|{_SIDE})")


def _as_named(found: Stretch, match: re.Match[str]) -> Named:
    side = match["side"] or ("后" if match.groupdict().get("lesson") == "下课" else "")
    if "前" in side:
        return Named(_minutes(found[0]), _minutes(found[1]), "前", match.end())
    if side:
        return Named(_minutes(found[1]), _minutes(found[1]), "后", match.end(), sure=False)
    return Named(_minutes(found[0]), _minutes(found[1]), "", match.end())


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute
