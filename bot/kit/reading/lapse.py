"""Time counted from now: 半小时后, 两个半小时后, 三天内, 本周内. (三天后 is a day: see ``when_days``.)"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from bot.kit.reading.dates import last_of, monday_of, months_on
from bot.kit.reading.landmarks import workdays_on
from bot.kit.reading.moment import END_OF_DAY, instant
from bot.kit.reading.scene import Scene
from bot.kit.reading.words import COUNT, number


@dataclass(frozen=True, slots=True)
class Lapse:
    """``limit``: 三天内, until then; otherwise at that instant."""

    at: datetime
    end: int
    limit: bool
    sure: bool = True


def lapse(scene: Scene, pos: int) -> Lapse | None:
    return (
        _duration(scene, pos) or _workdays(scene, pos) or _days(scene, pos) or _near(scene, pos) or _period(scene, pos)
    )


_LATER = r"(?:之后|以后|后(?![勤备台续面期]))"
_INSIDE = r"(?:之内|以内|内(?![容部外置]))"
_DURATION = re.compile(
    rf"(?:(?P<hours>[0-9]{{1,2}}\.[0-9]|{COUNT}|半)(?P<half>个半)?个?(?:小时|钟头))?零?"
    rf"(?:(?P<minutes>{COUNT})分钟|(?P<quarters>[一三])刻钟)?(?:(?P<inside>{_INSIDE})|{_LATER})"
)
_DAYS = re.compile(rf"(?:(?P<half>半)个?|(?P<count>{COUNT})个?)(?P<unit>天|日|周|星期|礼拜|(?<=个)月){_INSIDE}")
_WORKDAYS = re.compile(rf"(?P<count>{COUNT})个?工作日{_INSIDE}")
_NEAR = re.compile(rf"(?P<word>今|明|后|大后)[天日]{_INSIDE}")
_PERIOD = re.compile(rf"(?P<which>本|这个?|下个?)(?P<unit>周|星期|礼拜|月){_INSIDE}")


def _duration(scene: Scene, pos: int) -> Lapse | None:
    match = _DURATION.match(scene.text, pos)
    minutes = _minutes(match) if match else 0
    if match is None or not minutes:
        return None
    at = (scene.now.astimezone(UTC) + timedelta(minutes=minutes)).astimezone(scene.hours.zone)
    return Lapse(at.replace(microsecond=0), match.end(), match["inside"] is not None)


def _minutes(match: re.Match[str]) -> float:
    said, minutes = match["hours"], 0.0
    if said:
        minutes = 30 if said == "半" else 60 * (float(said) if "." in said else number(said))
    minutes += 30 if match["half"] else 0
    minutes += number(match["minutes"]) if match["minutes"] else 0
    return minutes + (15 * number(match["quarters"]) if match["quarters"] else 0)


def _days(scene: Scene, pos: int) -> Lapse | None:
    match = _DAYS.match(scene.text, pos)
    if match is None:
        return None
    today = scene.now.date()
    if match["half"]:
        days = 15 if match["unit"] == "月" else 0
        return _until(scene, today + timedelta(days=days), match.end(), sure=False)
    count = number(match["count"])
    if match["unit"] == "月":
        last, kept = months_on(today, count)
        return _until(scene, last, match.end(), kept)
    return _until(scene, today + timedelta(days=count * (1 if match["unit"] in "天日" else 7)), match.end())


def _workdays(scene: Scene, pos: int) -> Lapse | None:
    match = _WORKDAYS.match(scene.text, pos)
    if match is None:
        return None
    last, sure = workdays_on(scene, number(match["count"]))
    return _until(scene, last, match.end(), sure)


def _near(scene: Scene, pos: int) -> Lapse | None:
    """今天内, 明天之内: until the end of that day."""
    match = _NEAR.match(scene.text, pos)
    if match is None:
        return None
    ahead = {"今": 0, "明": 1, "后": 2, "大后": 3}[match["word"]]
    return _until(scene, scene.now.date() + timedelta(days=ahead), match.end())


def _period(scene: Scene, pos: int) -> Lapse | None:
    match = _PERIOD.match(scene.text, pos)
    if match is None:
        return None
    today, further = scene.now.date(), match["which"].startswith("下")
    if match["unit"] == "月":
        month, _kept = months_on(today.replace(day=1), int(further))
        return _until(scene, last_of(month.year, month.month), match.end())
    sunday = monday_of(today) + timedelta(days=6 + 7 * further)
    return _until(scene, sunday, match.end(), sure=today.weekday() != 6)


def _until(scene: Scene, last: date, end: int, sure: bool = True) -> Lapse:
    return Lapse(instant(last, END_OF_DAY, scene.hours.zone), end, True, sure)
