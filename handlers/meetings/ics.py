"""Meetings as a calendar reads them (RFC 5545). Pure: facts in, text out.

Nobody's name, no answer and no reason for leave is in it: it leaves the house, to whatever program somebody uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.kit.words import _

OCTETS = 75  # of a line, without its end (RFC 5545, 3.1)
END = "\r\n"


@dataclass(frozen=True, slots=True)
class Event:
    """``sequence``: how often it was changed since people were told; ``changed``: when that was last."""

    uid: str
    sequence: int
    changed: datetime
    starts: datetime
    ends: datetime | None
    summary: str
    place: str
    note: str
    cancelled: bool = False


def calendar(name: str, events: Sequence[Event], zone: ZoneInfo) -> str:
    """The whole file, with CRLF at the end of each line."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Hongzhu//Meetings//ZH", "CALSCALE:GREGORIAN"]
    lines += ["METHOD:PUBLISH", f"X-WR-CALNAME:{escaped(name)}", f"X-WR-TIMEZONE:{zone.key}"]
    lines += ["REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H"]
    steady = _steady(zone)
    if steady is not None:
        lines += _zone(zone.key, steady)
    for event in events:
        lines += _event(event, zone, steady is not None)
    return "".join(folded(line) + END for line in [*lines, "END:VCALENDAR"])


def _event(event: Event, zone: ZoneInfo, local: bool) -> list[str]:
    lines = ["BEGIN:VEVENT", f"UID:{event.uid}", f"DTSTAMP:{_utc(event.changed)}", f"SEQUENCE:{event.sequence}"]
    lines.append(f"LAST-MODIFIED:{_utc(event.changed)}")
    lines.append(_time("DTSTART", event.starts, zone, local))
    if event.ends is not None:  # when it ends nobody may have said
        lines.append(_time("DTEND", event.ends, zone, local))
    summary = _("已取消：{what}", what=event.summary) if event.cancelled else event.summary
    lines += [f"SUMMARY:{escaped(summary)}", f"LOCATION:{escaped(event.place)}", f"DESCRIPTION:{escaped(event.note)}"]
    lines.append(f"STATUS:{'CANCELLED' if event.cancelled else 'CONFIRMED'}")
    return [*lines, "TRANSP:OPAQUE", "CLASS:PRIVATE", "END:VEVENT"]


def _time(name: str, at: datetime, zone: ZoneInfo, local: bool) -> str:
    """In the school's own time where its clocks never change; else in UTC, which needs no table of changes."""
    if not local:
        return f"{name}:{_utc(at)}"
    return f"{name};TZID={zone.key}:{at.astimezone(zone):%Y%m%dT%H%M%S}"


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _steady(zone: ZoneInfo) -> timedelta | None:
    """The one offset of a zone without summer time, as Asia/Shanghai has been since 1991."""
    year = 2026
    found = {datetime(year, month, 1, tzinfo=zone).utcoffset() for month in range(1, 13)}
    return found.pop() if len(found) == 1 else None


def _zone(key: str, offset: timedelta) -> list[str]:
    minutes = int(offset.total_seconds()) // 60
    written = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"
    head = ["BEGIN:VTIMEZONE", f"TZID:{key}", "BEGIN:STANDARD", "DTSTART:19910915T000000"]
    return [*head, f"TZOFFSETFROM:{written}", f"TZOFFSETTO:{written}", "END:STANDARD", "END:VTIMEZONE"]


def escaped(text: str) -> str:
    """A TEXT value: no sign in it may end the value, begin a line or be a control."""
    plain = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    plain = plain.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")
    return "".join(sign for sign in plain if sign >= " " and sign != "\x7f" and not "\ud800" <= sign <= "\udfff")


def folded(line: str) -> str:
    """At most 75 octets a line, never cut inside a character; what follows begins with a space."""
    pieces, size = [""], 0
    for sign in line:
        length = len(sign.encode())
        if size + length > OCTETS:
            pieces.append(" ")
            size = 1
        pieces[-1] += sign
        size += length
    return END.join(pieces)
