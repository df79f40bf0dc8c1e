"""代李四请假: recorded at once with the name of who said it, and told to 李四, who can take it back.

What somebody answered for themselves is never replaced by what a colleague says.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.kit.action import Action
from bot.kit.context import Context, Office, Persons
from bot.kit.errors import Refused
from bot.kit.reply import Reply, Toast
from bot.kit.words import _
from handlers.notices import leaves, rules
from handlers.notices.answers import Heard
from handlers.notices.rules import Answer
from storage import notices, people, proxies, rsvps
from storage.notices import Notice
from storage.people import Person
from storage.rsvps import Given


class Stand(StrEnum):
    KEEP = "y"
    REFUSE = "x"


@dataclass(frozen=True)
class OnProxy(Action, verb="nt.for"):
    proxy: int
    stand: Stand


def record(ctx: Context, notice: Notice, whose: Person, heard: Heard) -> str:
    """Writes it down for the person named and tells them; the sentence for the one who said it."""
    own = rsvps.mine(ctx.db, notice.id, whose.id)
    if own is not None:
        if own.answer == heard.answer.value:
            return _("{name} 已经答复过了：{answer}。", name=whose.name, answer=heard.answer.label)
        raise Refused(_("没有记下：{name} 自己已经答复过，要改请本人来点，或者告诉办公室。", name=whose.name))
    given = Given(whose.id, heard.answer.value, heard.note[:100], ctx.now, ctx.me.id, heard.plain)
    rsvps.keep(ctx.db, notice.id, given)
    facts = {"notice": notice.id, "person": whose.id, "by": ctx.me.id, "answer": heard.answer.value}
    number = proxies.note(ctx.db, **facts, now=ctx.now)  # type: ignore[arg-type]
    ctx.redraw(f"notice:{notice.id}")
    if heard.answer is Answer.LEAVE:
        leaves.request(ctx, notice, whose.id, said_all=True)
    if people.addresses(ctx.db, [whose.id]):
        ctx.post(f"notice-for:{number}", Persons([whose.id]), gentle=True)
        return _("已代 {name} 记下：{answer}。会请本人确认。", name=whose.name, answer=heard.answer.label)
    ctx.say(
        _(
            "{by} 代 {name} 答复“{topic}”：{answer}。私聊不到 {name}，请您核实。",
            by=ctx.me.name, name=whose.name, topic=notice.topic, answer=heard.answer.label,
        ),
        to=Office(),
        gentle=True,
    )  # fmt: skip
    return _("已代 {name} 记下：{answer}。私聊不到本人，请您转告。", name=whose.name, answer=heard.answer.label)


def on_proxy(ctx: Context, tap: OnProxy) -> Reply:
    """Only the person named decides; after the meeting has begun nothing changes any more."""
    proxy = proxies.get(ctx.db, tap.proxy)
    if proxy is None or proxy.person != ctx.me.id:
        raise Refused(_("这是别人的答复，您不用管。"))
    notice = rules.check_open(notices.get(ctx.db, proxy.notice), ctx.now, ctx.school)
    to = proxies.KEPT if tap.stand is Stand.KEEP else proxies.REFUSED
    if not proxies.turn(ctx.db, proxy.id, to, ctx.now):
        raise Refused(_("您已经回过了；要改答复请看群里的通知。"))
    ctx.redraw(f"notice-for:{proxy.id}")
    if tap.stand is Stand.KEEP:
        return Toast(_("好的，照这样记。"))
    return Toast(_take_back(ctx, notice, proxy))


def _take_back(ctx: Context, notice: Notice, proxy: proxies.Proxy) -> str:
    given = rsvps.mine(ctx.db, notice.id, proxy.person)
    if given is not None and _is_theirs(ctx, notice, proxy):
        return _("您后来自己答复过：{answer}，没有改动。", answer=Answer(given.answer).label)
    rsvps.take_back(ctx.db, notice.id, proxy.person, ctx.now)
    leaves.withdraw(ctx, notice, proxy.person)
    ctx.redraw(f"notice:{notice.id}")
    ctx.say(
        _("{name} 说“{topic}”的代答不对，已撤销。", name=ctx.me.name, topic=notice.topic),
        to=Persons([proxy.by]),
        gentle=True,
    )
    return _("已撤销，您现在是未答。请点一下能到、晚到或请假。")


def _is_theirs(ctx: Context, notice: Notice, proxy: proxies.Proxy) -> bool:
    """Has the person said something themselves since?"""
    return rsvps.all_words(ctx.db, notice.id, proxy.person)[-1].by is None
