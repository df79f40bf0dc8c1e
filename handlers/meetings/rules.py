"""What holds around a meeting: when the door may open, who was there, when somebody is reminded. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from bot.kit import names
from bot.kit.context import School
from bot.kit.errors import Refused
from bot.kit.words import _
from storage.meetings import Door, Sign
from storage.notices import CANCELLED, CLOSED, OPEN, Notice
from storage.people import Person
from storage.rsvps import Given

BEFORE = timedelta(hours=2)  # a door opens so long before the start at the earliest
AFTER = timedelta(hours=12)  # and stays a matter of this meeting so long after
STAYS, LEAST, MOST = 30, 5, 240  # how long a door stays open, in minutes
ONWARD = timedelta(minutes=15)  # and at least so long after the start, for who comes on the dot
STEP = 30  # seconds that a code is shown
LEAVE = "n"  # what ``storage.rsvps`` keeps for 请假
CATCH_UP = timedelta(days=7)
BREATH = timedelta(minutes=30)  # who has just been told is not reminded


# --- the door -------------------------------------------------------------------------------------------------


def check_held(notice: Notice | None) -> Notice:
    """A meeting that people were told of and that was not cancelled."""
    if notice is None or notice.state not in (OPEN, CLOSED, CANCELLED):
        raise Refused(_("没有这场会议，或者通知还没有发出。要发请回复“发通知”。"))
    if notice.state == CANCELLED:
        raise Refused(_("这场会议已经取消了，没有签到和记录。"))
    return notice


def check_door(notice: Notice, now: datetime, school: School) -> None:
    if now < notice.starts - BEFORE:
        at = school.write_time(notice.starts - BEFORE, now)
        raise Refused(_("离开会还早，{at} 以后才能开始签到。", at=at))
    if now > (notice.ends or notice.starts) + AFTER:
        raise Refused(_("会议早已结束，不能再开始签到。要签到表，发“签到表”打印了手签。"))


def closing(notice: Notice, now: datetime, minutes: int | None) -> datetime:
    """When the door closes by itself: as asked, else half an hour from now and not before everybody is in."""
    if minutes is not None:
        return now + timedelta(minutes=min(max(minutes, LEAST), MOST))
    return max(now + timedelta(minutes=STAYS), notice.starts + ONWARD)


def minutes_in(text: str) -> int | None:
    """开始签到 20分钟"""
    found = _MINUTES.search(text)
    return int(found[1]) if found else None


def check_open(door: Door | None, now: datetime, school: School) -> Door:
    """A door through which one may go at this moment."""
    if door is None:
        raise Refused(_("这场会议没有开签到，不用签。"))
    if not door.open(now):
        at = school.write_time(door.closes, now)
        raise Refused(_("签到已于 {at} 结束，没有记上。确实到了会场，请告诉办公室补签。", at=at))
    return door


def code(door: Door, now: datetime) -> str:
    """Four digits that change every half minute, by the school's clock; "" where a tap is enough."""
    return _code(door, int(now.timestamp()) // STEP) if door.secret else ""


def is_code(door: Door, typed: str, now: datetime) -> bool:
    """This one or the one before: somebody may have read it just before it changed."""
    step = int(now.timestamp()) // STEP
    return any(hmac.compare_digest(_code(door, one), typed) for one in (step, step - 1))


def _code(door: Door, step: int) -> str:
    made = hmac.digest(door.secret.encode(), f"{door.notice}:{step}".encode(), hashlib.sha256)
    return f"{int.from_bytes(made[:8]) % 10_000:04d}"


@dataclass(frozen=True, slots=True)
class SignIn:
    """签到, 签到 4821; ``proxy``: said for somebody else, which does not count."""

    code: str = ""
    proxy: bool = False


def sign_in(text: str) -> SignIn | None:
    """What is certainly a wish to sign in; 签到表 and 怎么签到 are not."""
    plain = text.strip(" 。.!！~～")
    if found := _SIGN.fullmatch(plain):
        return SignIn(found["code"] or "")
    return SignIn(proxy=True) if _PROXY.fullmatch(plain) else None


_MINUTES = re.compile(r"(?<!\d)(\d{1,3})\s*(?:分钟|分)")
_SIGN = re.compile(r"(?:我|本人)?(?:来|已经?)?(?:签到|签个到)了?(?:\s*[:：]?\s*(?P<code>\d{4}))?")
_OTHER = r"[^，。,.?？吗]"
_PROXY = re.compile(rf"我?[代替帮]{_OTHER}{{1,10}}签个?到(?:了|一下)?|{_OTHER}{{2,6}}(?:由我|我)代签(?:到)?")


# --- who was there --------------------------------------------------------------------------------------------


class Presence(Enum):
    HERE = "here"
    LATE = "late"
    LEAVE = "leave"  # not here, and had said so
    ABSENT = "absent"  # not here, and had not
    UNKNOWN = "unknown"  # nobody stood at the door: an answer is not an attendance

    @property
    def label(self) -> str:
        return {
            "here": _("已签到"),
            "late": _("晚到"),
            "leave": _("请假"),
            "absent": _("未到"),
            "unknown": "",
        }[self.value]


@dataclass(frozen=True, slots=True)
class Attendance:
    """``asked``: who was expected, in the order of the roster. ``guests``: who signed without being expected."""

    asked: Sequence[Person]
    given: Mapping[int, Given]
    signed: Mapping[int, Sign]
    held: bool  # there was a door
    guests: Sequence[Person] = ()
    declined: Collection[int] = ()  # whose leave the office did not grant

    def of(self, person: Person) -> Presence:
        sign = self.signed.get(person.id)
        if sign is not None:
            return Presence.LATE if sign.late else Presence.HERE
        given = self.given.get(person.id)
        if given is not None and given.answer == LEAVE and person.id not in self.declined:
            return Presence.LEAVE
        return Presence.ABSENT if self.held else Presence.UNKNOWN

    def among(self, *presences: Presence) -> Sequence[Person]:
        return [one for one in self.asked if self.of(one) in presences]

    @property
    def here(self) -> Sequence[Person]:
        return self.among(Presence.HERE, Presence.LATE)

    @property
    def absent(self) -> Sequence[Person]:
        """Who certainly was not there."""
        return self.among(Presence.LEAVE, Presence.ABSENT)


# --- tasks and reading ----------------------------------------------------------------------------------------


def reminders(due: datetime, now: datetime, school: School) -> Sequence[datetime]:
    """The day before and two hours before, awake; not right after they were told, and not when it is too late."""
    wanted = [school.quiet.next_allowed(due - ahead, school.zone) for ahead in (timedelta(days=1), timedelta(hours=2))]
    return [at for at in dict.fromkeys(wanted) if now + BREATH <= at < due]


def owners(text: str, roster: Sequence[Person]) -> tuple[Sequence[Person], str]:
    """王老师、张老师 周五前 交教案: who is named at the beginning, and the rest. Nobody, where one of the names could
    be two people or is none; a name that only sounds like one is asked about."""
    found, rest = list[Person](), " ".join(unicodedata.normalize("NFKC", text).split())
    while True:
        name = re.split("、", names.first(rest, roster)[0], maxsplit=1)[0]
        person = names.match(name, roster).person if name else None
        if person is None or not (person.name in name or name.endswith(names.TITLES)):
            return [], text
        found.append(person)
        more = re.match(r"\s*[、,]\s*", rest[len(name) :])
        if not more:
            return list(dict.fromkeys(found)), rest[len(name) :].strip(" ,:")
        rest = rest[len(name) + more.end() :]
