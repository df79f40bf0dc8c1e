"""A second reader of calendars, strict as RFC 5545 is written; it shares nothing with the writer.

Refused: a line that does not end with CRLF, one of more than 75 octets, one cut inside a character, a control sign, an
unknown escape, a bare comma or semicolon in a text, a component that is not closed, a property that is missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

NAME = re.compile(r"([A-Z0-9-]+)((?:;[A-Z0-9-]+=(?:\"[^\"]*\"|[^\";:,]*))*):(.*)", re.DOTALL)
TEXTS = {"SUMMARY", "LOCATION", "DESCRIPTION", "X-WR-CALNAME"}
STATUS = {"CONFIRMED", "CANCELLED", "TENTATIVE"}


@dataclass(slots=True)
class Part:
    """A component: its name, its properties (parameters and value) and what is inside."""

    name: str
    lines: dict[str, tuple[dict[str, str], str]] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)

    def text(self, name: str) -> str:
        return unescaped(self.lines[name][1])


@dataclass(frozen=True, slots=True)
class Event:
    uid: str
    sequence: int
    starts: datetime
    ends: datetime | None
    summary: str
    place: str
    note: str
    status: str


def unfolded(content: bytes) -> list[str]:
    assert content.endswith(b"\r\n"), "the last line has no end"
    raw = content[:-2].split(b"\r\n")
    for line in raw:
        assert b"\r" not in line and b"\n" not in line, f"a bare end of line in {line!r}"
        assert len(line) <= 75, f"{len(line)} octets: {line!r}"
        line.decode("utf-8")  # a fold inside a character would not decode
        assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", line), f"a control sign in {line!r}"
    lines: list[str] = []
    for line in raw:
        if line.startswith((b" ", b"\t")):
            assert lines, "a fold before the first line"
            lines[-1] += line[1:].decode()
        else:
            lines.append(line.decode())
    return lines


def unescaped(text: str) -> str:
    assert not re.search(r"(?<!\\)(?:\\\\)*[;,]", text), f"a bare ; or , in {text!r}"
    assert not re.search(r"(?<!\\)(?:\\\\)*\\(?![\\;,nN])", text), f"an unknown escape in {text!r}"
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], text)


def parsed(content: bytes) -> Part:
    """The calendar, every line of it accounted for."""
    root, stack = Part(""), list[Part]()
    for line in unfolded(content):
        found = NAME.fullmatch(line)
        assert found, f"no property: {line!r}"
        name, parameters, value = found[1], dict(one.split("=", 1) for one in found[2].split(";")[1:]), found[3]
        if name == "BEGIN":
            part = Part(value)
            (stack[-1] if stack else root).parts.append(part)
            stack.append(part)
        elif name == "END":
            assert stack and stack.pop().name == value, f"END:{value} closes nothing"
        else:
            assert stack and name not in stack[-1].lines, f"{name} twice, or outside"
            if name in TEXTS:
                unescaped(value)
            stack[-1].lines[name] = (parameters, value)
    assert not stack and len(root.parts) == 1 and root.parts[0].name == "VCALENDAR"
    calendar = root.parts[0]
    assert calendar.lines["VERSION"][1] == "2.0" and calendar.lines["PRODID"][1]
    return calendar


def events(content: bytes) -> list[Event]:
    calendar = parsed(content)
    zones = {part.lines["TZID"][1]: _offset(part) for part in calendar.parts if part.name == "VTIMEZONE"}
    found = [_event(part, zones) for part in calendar.parts if part.name == "VEVENT"]
    assert len({one.uid for one in found}) == len(found)
    return found


def _offset(zone: Part) -> timedelta:
    (standard,) = zone.parts
    assert standard.name == "STANDARD" and re.fullmatch(r"\d{8}T\d{6}", standard.lines["DTSTART"][1])
    sign, hours, minutes = re.fullmatch(r"([+-])(\d{2})(\d{2})", standard.lines["TZOFFSETTO"][1]).groups()  # type: ignore[union-attr]
    return (1 if sign == "+" else -1) * timedelta(hours=int(hours), minutes=int(minutes))


def _event(part: Part, zones: dict[str, timedelta]) -> Event:
    assert re.fullmatch(r"\d{8}T\d{6}Z", part.lines["DTSTAMP"][1])
    status = part.lines["STATUS"][1]
    assert status in STATUS
    return Event(
        part.lines["UID"][1],
        int(part.lines["SEQUENCE"][1]),
        _at(part.lines["DTSTART"], zones),
        _at(part.lines["DTEND"], zones) if "DTEND" in part.lines else None,
        part.text("SUMMARY"),
        part.text("LOCATION"),
        part.text("DESCRIPTION"),
        status,
    )


def _at(line: tuple[dict[str, str], str], zones: dict[str, timedelta]) -> datetime:
    parameters, value = line
    if value.endswith("Z"):
        return datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    local = datetime.strptime(value, "%Y%m%dT%H%M%S").replace(tzinfo=ZoneInfo(parameters["TZID"]))
    assert local.utcoffset() == zones[parameters["TZID"]], "the file's own zone says something else"
    return local
