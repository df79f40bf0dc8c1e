"""What a teacher does with a draft: reads it, says something by tap or by word, has nothing to say, takes it back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.kit.action import Action
from bot.kit.context import Context, Persons
from bot.kit.event import Said
from bot.kit.reply import Ask, Reply, Toast
from bot.kit.role import Role
from bot.kit.words import _
from handlers.drafts import forms, rules
from handlers.drafts.answers import Meaning
from storage import drafts, people
from storage.drafts import WITHDRAWN, Clause, Draft

PART = 3000  # characters of one message
LATE = {
    True: timedelta(days=7),
    False: timedelta(days=1),
}  # in private, in a group: until when words are a late comment


@dataclass(frozen=True)
class Read(Action, verb="dr.read"):
    draft: int


@dataclass(frozen=True)
class Speak(Action, verb="dr.speak"):
    draft: int


@dataclass(frozen=True)
class Clear(Action, verb="dr.none"):
    draft: int


@dataclass(frozen=True)
class Fill(Action, verb="dr.fill"):
    draft: int


@dataclass(frozen=True)
class Publish(Action, verb="dr.publish"):
    draft: int


@dataclass(frozen=True)
class Drop(Action, verb="dr.drop"):
    draft: int


# --- which draft is meant -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class About:
    """Which drafts words can be about, and whether they correct what was said before."""

    drafts: Sequence[Draft]
    edited: bool = False


def quoted(ctx: Context, said: Said) -> About | None:
    """An answer to one of our cards."""
    prefix, _colon, number = (ctx.quoted or "").rpartition(":")
    if prefix not in ("draft", "draft-left"):
        return None
    found = drafts.get(ctx.db, int(number))
    return About([found], said.edited) if found else None


def spoken(ctx: Context, said: Said) -> About | None:
    """Words to nobody: about what is open here, or was until just now. An answer to somebody else is not for us."""
    if ctx.quoted is not None or not ours(ctx) or (said.quotes is not None and not ctx.place.private):
        return None
    found = current(ctx) or _late(ctx)
    return About(found, said.edited) if found else None


def alone(ctx: Context, said: Said) -> About | None:
    """The same, in a private talk only."""
    return spoken(ctx, said) if ctx.place.private else None


def ours(ctx: Context) -> bool:
    if ctx.place.private:
        return True
    group = people.group(ctx.db, ctx.place.channel, ctx.place.id)
    return group is not None and group.bound_at is not None


def current(ctx: Context) -> Sequence[Draft]:
    """What may be commented on at this moment."""
    return [one for one in drafts.open_ones(ctx.db) if one.until is not None and ctx.now < one.until]


def _late(ctx: Context) -> Sequence[Draft]:
    """Over, but perhaps not closed yet; else what was closed last."""
    return drafts.open_ones(ctx.db)[-1:] or drafts.closed_since(ctx.db, ctx.now - LATE[ctx.place.private])[:1]


def is_office(ctx: Context) -> bool:
    return ctx.person is not None and Role(ctx.person.role).includes(Role.OFFICE)


def which(act: str, found: Sequence[Draft], words: str = "") -> Ask:
    return Ask(forms.Which, {"act": act, "words": words, "among": [draft.id for draft in found]}, private=True)


# --- reading --------------------------------------------------------------------------------------------------


def read(ctx: Context, tap: Read) -> Reply:
    draft = rules.check_shown(drafts.get(ctx.db, tap.draft))
    if not ctx.place.private and not people.addresses(ctx.db, [ctx.me.id]):
        return Toast(_("请先点我的头像，私聊发一句话给我，再回来点“看全文”。"), alert=True)
    to = ctx.place if ctx.place.private else Persons([ctx.me.id])
    if draft.file is not None:
        ctx.send(draft.file, f"{draft.title}.txt", to)
    else:
        for part in parts(full_text(draft, drafts.text(ctx.db, draft.id))):
            ctx.say(part, to=to)
    return Toast(_("全文已私聊发给您。"))


def full_text(draft: Draft, clauses: Sequence[Clause]) -> list[str]:
    """The draft in pieces that should not be torn: its head, then each clause, under its chapter where that begins.

    A clause that we numbered ourselves is shown with its number.
    """
    blocks = ["\n".join(line for line in (f"《{draft.title}》", draft.preface) if line)]
    heading = ""
    for clause in clauses:
        lines = [clause.heading] if clause.heading and clause.heading != heading else []
        heading = clause.heading
        number = f"【{clause.label}】" if draft.how == "paragraphs" else ""
        blocks.append("\n".join([*lines, number + clause.text]))
    return blocks


def parts(blocks: Sequence[str]) -> list[str]:
    """As few messages as hold the blocks; only a block longer than a message is torn, after a sentence."""
    found: list[str] = [""]
    for block in blocks:
        for piece in _pieces(block):
            if found[-1] and len(found[-1]) + len(piece) + 2 > PART:
                found.append("")
            found[-1] = f"{found[-1]}\n\n{piece}" if found[-1] else piece
    return found


def _pieces(block: str) -> Iterator[str]:
    while len(block) > PART:
        end = 1 + max(block.rfind(sign, PART // 2, PART) for sign in "\n。；，")
        yield block[: end or PART]
        block = block[end or PART :]
    yield block


# --- saying something -----------------------------------------------------------------------------------------


def speak(ctx: Context, tap: Speak) -> Reply:
    forms.open_draft(ctx, tap.draft)
    toast = "" if ctx.place.private else _("请到私聊里写。")
    return Ask(forms.Pick, {"draft": tap.draft, "words": ""}, private=True, toast=toast)


def said(ctx: Context, meaning: Meaning, about: About) -> Reply:
    """By word: in the group, in private, or in answer to the card."""
    if len(about.drafts) > 1:
        return which("said", about.drafts, meaning.text)
    return forms.keep(ctx, about.drafts[0].id, meaning, edited=about.edited)


def clear(ctx: Context, tap: Clear) -> Reply:
    text, kept = forms.nothing(ctx, forms.open_draft(ctx, tap.draft))
    return Toast(text, alert=not kept)


# --- second thoughts ------------------------------------------------------------------------------------------

_WITHDRAW = re.compile(r"\s*撤[回销銷](?:意见|意見)?(?P<numbers>[#＃0-9０-９号、,，和\s]{1,60})(?:意见|意見)?[。.]?\s*")


def numbers(text: str) -> list[int] | None:
    """撤回 #12 · 撤回意见 12、13."""
    found = _WITHDRAW.fullmatch(text)
    wanted = re.findall(r"[0-9０-９]+", found["numbers"]) if found else []
    return [int(number) for number in wanted if len(number) < 10] or None


def mine_here(ctx: Context, said: Said) -> bool | None:
    """A number without # may be anything; only one of their own is surely meant."""
    if not ours(ctx):
        return None
    found = [drafts.get_comment(ctx.db, number) for number in numbers(said.text) or ()]
    own = any(one is not None and ctx.person is not None and one.person == ctx.person.id for one in found)
    return True if own or re.search("[#＃]|意见|意見", said.text) else None


def withdraw(ctx: Context, wanted: list[int], _scope: bool) -> Reply:
    lines = []
    for number in wanted:
        comment = rules.check_mine(drafts.get_comment(ctx.db, number), ctx.me.id, number)
        draft = forms.open_draft(ctx, comment.draft)
        drafts.set_aside(ctx.db, number, WITHDRAWN)
        label = rules.label_of(drafts.text(ctx.db, draft.id), comment.position) + comment.point
        lines.append(_("已收回{clause}意见 #{n}。", clause=label, n=number))
        ctx.redraw(f"draft:{draft.id}")
    return forms.whisper(ctx, "\n".join(lines))


def my_comments(ctx: Context, rest: str) -> Reply:
    """What one said oneself; nobody else sees it but the office in its table."""
    lines: list[str] = []
    for draft in [*drafts.open_ones(ctx.db), *drafts.closed_since(ctx.db, ctx.now - timedelta(days=30))]:
        text, own = drafts.text(ctx.db, draft.id), drafts.mine(ctx.db, draft.id, ctx.me.id)
        if own:
            lines.append(f"《{draft.title}》")
        for one in own:
            lines.append(f"#{one.id} {rules.label_of(text, one.position)}{one.point}：{one.words}")
        if not own and ctx.me.id in drafts.cleared(ctx.db, draft.id):
            lines.append(_("《{title}》：无意见", title=draft.title))
    return "\n".join(lines) or _("您还没有提过意见。要提，直接说“第三条建议……”，或者点卡片上的“提意见”。")


# --- the buttons, as words ------------------------------------------------------------------------------------


def read_by_word(ctx: Context, rest: str) -> Reply:
    found = current(ctx)
    if len(found) > 1:
        return which("read", found)
    reply = read(ctx, Read(found[0].id)) if found else _("现在没有正在征求意见的稿子。")
    return reply.text if isinstance(reply, Toast) and reply.alert else reply


def speak_by_word(ctx: Context, rest: str) -> Reply:
    found = current(ctx)
    if len(found) > 1:
        return which("speak", found)
    return speak(ctx, Speak(found[0].id)) if found else _("现在没有正在征求意见的稿子。")
