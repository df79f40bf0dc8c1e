"""What must be known before a comment is kept, and how what was said is kept.

What was said is echoed to its author alone; the group sees two numbers on the card.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.kit.context import Context, Office, Persons
from bot.kit.errors import NotUnderstood
from bot.kit.form import Form, ask
from bot.kit.reply import Ask, Reply
from bot.kit.words import N_, _
from handlers.drafts import answers, rules
from handlers.drafts.answers import Meaning, Remark
from storage import drafts, people
from storage.drafts import COMMENT, QUESTION, REPLACED, Clause, Comment, Draft

OFFERED = 24  # clauses that still make sense as buttons; of a longer draft one types the number


# --- the forms of everybody -----------------------------------------------------------------------------------


def _clause(ctx: Context, text: str) -> str:
    """A clause by any of its names; or the whole comment at once."""
    if rules.named(text) is None and not _whole_comment(text):
        raise NotUnderstood(_("没看懂是哪一条。例：3，第三条，全文。"))
    return text


def _whole_comment(text: str) -> bool:
    meaning = answers.privately(text)
    return meaning is not None and (not meaning.remarks or meaning.remarks[0].clause != answers.ALL)


def _words(ctx: Context, text: str) -> str:
    return rules.words(text)


def _labels(ctx: Context, values: Mapping[str, object]) -> Sequence[str]:
    found = [clause.label for clause in drafts.text(ctx.db, int(str(values["draft"])))]
    return [*found, _(answers.ALL)] if len(found) <= OFFERED else []


def _titles(ctx: Context, values: Mapping[str, object]) -> Sequence[str]:
    among: Any = values["among"]
    found = [drafts.get(ctx.db, number) for number in among]
    return [f"{draft.id} 《{draft.title[:24]}》" for draft in found if draft is not None]


def _chosen(ctx: Context, text: str) -> int:
    number = text.strip().split(" ")[0].strip("#号")
    if not (number.isascii() and number.isdigit()):
        raise NotUnderstood(_("请点一份，或者回复前面的编号。"))
    return int(number)


@dataclass(frozen=True)
class Pick(Form, name="drafts.clause"):
    """``words``: what is waiting for its clause; "" where they are still to be asked."""

    hears = True

    draft: int
    words: str
    clause: str = ask(N_("对哪一条提意见？点一下，或者回复条号，例：3，全文。"), _clause, choices=_labels)


@dataclass(frozen=True)
class Write(Form, name="drafts.write"):
    hears = True

    draft: int
    position: int
    words: str = ask(N_("请写您的意见，一段话就可以。"), _words)


@dataclass(frozen=True)
class Which(Form, name="drafts.which"):
    """``act`` waits, with its ``words``, until we know which draft; ``among`` are their numbers."""

    hears = True

    act: str
    words: str
    among: list[int]
    draft: int = ask(N_("现在有几份稿子，您说的是哪一份？"), _chosen, choices=_titles)


# --- saying something -----------------------------------------------------------------------------------------


def open_draft(ctx: Context, number: int) -> Draft:
    """The deadline is compared here, in the transaction of whatever follows."""
    draft = drafts.get(ctx.db, number)
    until = ctx.school.write_time(draft.until, ctx.now) if draft and draft.until else ""
    return rules.check_open(draft, ctx.now, until)


def whisper(ctx: Context, text: str) -> Reply:
    """To the author alone. Who has no talk with us learns in the group that it is kept, and nothing else."""
    if ctx.place.private:
        return text
    if people.addresses(ctx.db, [ctx.me.id]):
        ctx.say(text, to=Persons([ctx.me.id]))
        return None
    return _("{name}，已记下。私聊我发一句话，以后的回执就发给您本人。", name=ctx.me.name)


def picked(ctx: Context, form: Pick) -> Reply:
    """The clause is known; the words may be known already, or may have come instead of the clause."""
    draft = open_draft(ctx, form.draft)
    name = rules.named(form.clause)
    if name is None:
        return keep(ctx, draft.id, answers.privately(form.clause) or Meaning("", ()))
    text = drafts.text(ctx.db, draft.id)
    found = rules.places(text, name)
    if len(found) != 1:
        ctx.say(rules.which(text, name, found))
        return Ask(Pick, {"draft": draft.id, "words": form.words}, private=True)
    if form.words:
        return _store(ctx, draft, text, [(found[0], Remark(name, "", form.words))])
    shown = next((c.text for c in text if c.position == found[0]), _("对《{title}》全文：", title=draft.title))
    ctx.say(shown if len(shown) <= 600 else shown[:600] + "……")
    return Ask(Write, {"draft": draft.id, "position": found[0]}, private=True)


def written(ctx: Context, form: Write) -> Reply:
    """Words that name another clause belong there; 无意见 is no comment on this one."""
    draft = open_draft(ctx, form.draft)
    meaning = answers.privately(form.words)
    if meaning and (not meaning.remarks or any(one.clause != answers.ALL for one in meaning.remarks)):
        return keep(ctx, draft.id, meaning)
    return _store(ctx, draft, drafts.text(ctx.db, draft.id), [(form.position, Remark("", "", form.words))])


def keep(ctx: Context, number: int, meaning: Meaning, *, edited: bool = False) -> Reply:
    """Each remark to its clause; one whose clause is not there is asked back, and the others are kept."""
    draft = open_draft(ctx, number)
    if not meaning.remarks:
        return whisper(ctx, nothing(ctx, draft)[0])
    text = drafts.text(ctx.db, draft.id)
    places = [(rules.places(text, remark.clause), remark) for remark in meaning.remarks]
    known = [(found[0], remark) for found, remark in places if len(found) == 1]
    answer = _store(ctx, draft, text, known, edited=edited) if known else None
    for found, remark in places:
        if len(found) != 1:
            return _ask_back(ctx, draft, rules.which(text, remark.clause, found), remark, answer)
    return answer


def _ask_back(ctx: Context, draft: Draft, question: str, remark: Remark, answer: Reply) -> Reply:
    """In private; and what was kept beside it is said first."""
    if isinstance(answer, str):
        ctx.say(answer)
    values: dict[str, object] = {"draft": draft.id, "words": rules.words(remark.words)}
    if not ctx.place.private and people.addresses(ctx.db, [ctx.me.id]):
        ctx.say(question, to=Persons([ctx.me.id]))
    elif ctx.place.private:
        ctx.say(question)
    return Ask(Pick, values, private=True)


def _store(
    ctx: Context, draft: Draft, text: Sequence[Clause], found: Sequence[tuple[int, Remark]], *, edited: bool = False
) -> Reply:
    before = drafts.mine(ctx.db, draft.id, ctx.me.id)
    lines = [_one(ctx, draft, text, position, remark, before, edited) for position, remark in found]
    ctx.redraw(f"draft:{draft.id}")
    return whisper(ctx, "\n".join(lines))


def _one(
    ctx: Context,
    draft: Draft,
    text: Sequence[Clause],
    position: int,
    remark: Remark,
    before: Sequence[Comment],
    edited: bool,
) -> str:
    """Keeps one remark; what its author reads. An edited message takes the place of what it said before, if that is
    the only thing its author said there."""
    words, clause = rules.words(remark.words), rules.label_of(text, position) + remark.point
    same = [one for one in before if (one.position, one.point) == (position, remark.point)]
    known = next((one for one in same if one.words == words), None)
    if known is not None:
        return _("这条已经记过了：{clause}意见 #{n}。", clause=clause, n=known.id)
    kind = QUESTION if remark.asks else COMMENT
    number = drafts.comment(
        ctx.db, draft.id, ctx.me.id, words, ctx.now, position=position, point=remark.point, kind=kind
    )
    if kind == QUESTION:
        return _asked(ctx, draft, clause, words, number)
    if edited and len(same) == 1 and drafts.set_aside(ctx.db, same[0].id, REPLACED):
        return _("{clause}意见已改为新的 #{n}，原来的 #{old} 作废。", clause=clause, n=number, old=same[0].id)
    return _("已记入{clause}意见 #{n}。要收回，回复：撤回 #{n}", clause=clause, n=number)


def _asked(ctx: Context, draft: Draft, clause: str, words: str, number: int) -> str:
    sentence = _(
        "{name}问《{title}》{clause}：{words}", name=ctx.me.name, title=draft.title, clause=clause, words=words
    )
    ctx.say(sentence, to=Office(), gentle=True)
    return _("这是个问题，已转给办公室（#{n}），没有记作意见。要提意见请写：{clause}建议……", n=number, clause=clause)


def nothing(ctx: Context, draft: Draft) -> tuple[str, bool]:
    """无意见: what its author reads, and whether it was kept. Who has said something must take that back first."""
    mine = [one for one in drafts.mine(ctx.db, draft.id, ctx.me.id) if one.kind == COMMENT]
    if mine:
        numbers = " ".join(f"#{one.id}" for one in mine)
        first = mine[0].id
        return _(
            "您提过 {n} 条意见（{numbers}），都还在。要收回，回复：撤回 #{first}",
            n=len(mine),
            numbers=numbers,
            first=first,
        ), False
    drafts.clear(ctx.db, draft.id, ctx.me.id, ctx.now)
    ctx.redraw(f"draft:{draft.id}")
    return _("已记下：对《{title}》无意见。截止前想起来了，随时再提。", title=draft.title), True
