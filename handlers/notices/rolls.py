"""A pasted 接龙 becomes answers: union by person, nobody taken off, what is not certain goes to the office."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from bot.kit import names
from bot.kit.context import Context, Office, Persons
from bot.kit.event import Said
from bot.kit.reply import Ask, Reply
from bot.kit.words import _
from handlers.notices import forms, leaves, lists, rules, sections, taps
from handlers.notices.answers import Heard
from handlers.notices.lists import Roll
from handlers.notices.rules import Answer
from storage import notices, people, rolls, rsvps
from storage.notices import Notice
from storage.people import Person
from storage.rolls import Entry, Version
from storage.rsvps import Given

REMEMBERED = timedelta(days=14)  # so long a title stands for the same 接龙


@dataclass(slots=True)
class Taken:
    """What a version brought."""

    new: int = 0
    strangers: list[str] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)


def meant(ctx: Context, said: Said) -> Sequence[Notice] | None:
    """The notice a 接龙 is about; several: it must be asked; ``None``: it is about something else."""
    roll = lists.read_roll(said.text)
    if roll is None or not (ctx.place.private or sections.ours(ctx)):
        return None
    found = [taps.quoted(ctx)] if said.quotes is not None else notices.opened(ctx.db, ctx.now)
    known = [one for one in found if one is not None]
    if not known or not (roll.headed or _of_people(ctx, roll)):
        return None
    return known


def _of_people(ctx: Context, roll: Roll) -> bool:
    """Without the word 接龙 a numbered list is a list of people only if most of its lines are."""
    roster = people.active(ctx.db)
    matched = [names.match(names.first(line, roster)[0], roster) for line in roll.lines]
    return sum(one.person is not None or bool(one.close) for one in matched) * 2 > len(roll.lines)


def paste(ctx: Context, roll: Roll, about: Sequence[Notice]) -> Reply:
    before = rolls.about(ctx.db, roll.title, ctx.now - REMEMBERED) if roll.title else None
    if before is not None and taps.quoted(ctx) is None:
        notice = notices.get(ctx.db, before.notice) if before.notice is not None else None
        if notice is None:  # a 接龙 for lunch
            return None
        return _taken(ctx, take(ctx, rules.check_open(notice, ctx.now, ctx.school), ctx.me.id, roll))
    if (certain := _certain(ctx, roll, about)) is not None:
        return _taken(ctx, take(ctx, rules.check_open(certain, ctx.now, ctx.school), ctx.me.id, roll))
    waiting = rolls.undecided(ctx.db, roll.title, ctx.now - REMEMBERED)
    number = _put(ctx, None, roll.title, ctx.me.id, resolve(roll, people.active(ctx.db), ctx.me, known=()))
    if waiting:  # somebody was asked already
        return None
    return Ask(forms.WhichRoll, {"roll": number}, private=True)


def _certain(ctx: Context, roll: Roll, about: Sequence[Notice]) -> Notice | None:
    if taps.quoted(ctx) is not None:
        return about[0]
    titled = [one for one in about if lists.about(roll.title, one.topic)]
    if len(titled) == 1:
        return titled[0]
    return about[0] if len(about) == 1 and lists.generic(roll.title) else None


def decided(ctx: Context, form: forms.WhichRoll) -> Reply:
    """Somebody said what the 接龙 is about: every version that waited is read, in order."""
    first = rolls.get(ctx.db, form.roll)
    if first is None:
        return _("这个接龙已经处理过了。")
    waiting = [first, *(one for one in rolls.undecided(ctx.db, first.title, first.at) if one.id > first.id)]
    if not form.notice:
        for version in waiting:
            rolls.decide(ctx.db, version.id, None)
        return _("好的，这个接龙不记。")
    notice = rules.check_open(notices.get(ctx.db, form.notice), ctx.now, ctx.school)
    total = Taken()
    for version in waiting:
        one = _apply(ctx, notice, version.poster, version.lines)
        rolls.decide(ctx.db, version.id, notice.id)
        total = Taken(total.new + one.new, [*total.strangers, *one.strangers], [*total.unclear, *one.unclear])
    return _taken(ctx, total)


def take(ctx: Context, notice: Notice, poster: int, roll: Roll) -> Taken:
    earlier = rolls.of(ctx.db, notice.id)
    known = {entry.name for version in earlier for entry in version.lines}
    entries = resolve(roll, people.active(ctx.db), ctx.me, known)
    done = _apply(ctx, notice, poster, entries)
    _put(ctx, notice.id, roll.title, poster, entries)
    return done


def resolve(roll: Roll, roster: Sequence[Person], poster: Person, known: Sequence[str] | set[str]) -> Sequence[Entry]:
    """Who each line is. A name that two share is whoever posts it first, if that is one of them."""
    entries = []
    for line in roll.lines:
        name, remark = names.first(line, roster)
        grouped = re.match(rf"[(（](?P<group>{names.GROUP.pattern})[)）]", remark)
        found = names.match(name, roster)
        if grouped and found.person is None:
            found = names.match(f"{grouped['group']} {name}", roster)
        person = found.person
        if person is None and poster in found.close and poster.name == name and name not in known:
            person = poster
        remark = remark[grouped.end() :].strip() if grouped else remark
        entries.append(Entry(name, remark[:200], person.id if person else 0))
    return entries


def _put(ctx: Context, notice: int | None, title: str, poster: int, entries: Sequence[Entry]) -> int:
    known = notice is not None
    return rolls.put(ctx.db, notice=notice, known=known, title=title, poster=poster, lines=entries, now=ctx.now)


# --- what a version brings ------------------------------------------------------------------------------------


def _apply(ctx: Context, notice: Notice, poster: int, entries: Sequence[Entry]) -> Taken:
    earlier = rolls.of(ctx.db, notice.id)
    done = Taken()
    for entry in _last_lines(entries):
        if _heard_before(earlier, entry):
            continue
        if not entry.person:
            done.strangers.append(entry.name)
            continue
        heard = lists.remark(entry.remark, sections.departments(ctx))
        if heard is None:
            done.unclear.append(f"{entry.name} {entry.remark}".strip())
        elif _keep(ctx, notice, poster, entry.person, heard):
            done.new += 1
    _ask_the_vanished(ctx, notice, earlier, poster, entries)
    _tell_office(ctx, notice, done)
    if done.new:
        ctx.redraw(f"notice:{notice.id}")
    return done


def _last_lines(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Two lines of one person are one: the later remark, unless it says nothing."""
    found: dict[int | str, Entry] = {}
    for entry in entries:
        key = entry.person or entry.name
        if key not in found or entry.remark:
            found[key] = entry
    return list(found.values())


def _heard_before(earlier: Sequence[Version], entry: Entry) -> bool:
    for version in reversed(earlier):
        for line in reversed(version.lines):
            if (line.person, line.name if not line.person else "") == (
                entry.person,
                entry.name if not entry.person else "",
            ):
                return line.remark == entry.remark
    return False


def _keep(ctx: Context, notice: Notice, poster: int, person: int, heard: Heard) -> bool:
    """What somebody said themselves is not replaced by a line that others copied; a bare line replaces nothing."""
    own = rsvps.mine(ctx.db, notice.id, person)
    if own is not None and (heard.plain or poster != person):
        return False
    by = None if poster == person else poster
    rsvps.keep(ctx.db, notice.id, Given(person, heard.answer.value, heard.note[:100], ctx.now, by, heard.plain))
    if heard.answer is Answer.LEAVE:
        leaves.request(ctx, notice, person, said_all=True)
    elif own is not None:
        leaves.withdraw(ctx, notice, person)
    return True


def _ask_the_vanished(
    ctx: Context, notice: Notice, earlier: Sequence[Version], poster: int, entries: Sequence[Entry]
) -> None:
    """Whose line is gone is asked, once; the answer stands until they say so themselves."""
    versions = [(version.poster, version.lines) for version in earlier]
    asked = {
        person
        for n in range(1, len(versions))
        for person in lists.vanished(versions[:n], versions[n][0], versions[n][1])
    }
    given = rsvps.last_words(ctx.db, notice.id)
    gone = [
        one
        for one in lists.vanished(versions, poster, entries)
        if one not in asked and one in given and given[one].answer != Answer.LEAVE.value
    ]
    if not gone:
        return
    reached = [one for one in gone if one in people.addresses(ctx.db, gone)]
    ctx.post(f"notice-gone:{notice.id}", Persons(reached), gentle=True)
    lost = [one.name for one in people.active(ctx.db) if one.id in gone and one.id not in reached]
    if lost:
        text = _(
            "“{topic}”的接龙里少了 {names}，答复没有改动，私聊不到本人，请核对。",
            topic=notice.topic,
            names="、".join(lost),
        )
        ctx.say(text, to=Office(), gentle=True)


def _tell_office(ctx: Context, notice: Notice, done: Taken) -> None:
    facts = {"topic": notice.topic}
    if done.strangers:
        names_ = "、".join(done.strangers[:30])
        text = _("“{topic}”的接龙里对不上名册的名字：{names}。没有计入，请核对。", names=names_, **facts)
        ctx.say(text, to=Office(), gentle=True)
    if done.unclear:
        lines = "；".join(done.unclear[:30])
        text = _("“{topic}”的接龙里看不懂的备注：{lines}。没有计入，请核对。", lines=lines, **facts)
        ctx.say(text, to=Office(), gentle=True)


def _taken(ctx: Context, done: Taken) -> Reply:
    """In the group the counter is the answer."""
    if not ctx.place.private:
        return None
    text = _("已按接龙记下 {n} 人。", n=done.new)
    if done.strangers or done.unclear:
        text += _("{n} 行没有计入，已请办公室核对。", n=len(done.strangers) + len(done.unclear))
    return text
