"""名册与绑定：谁是谁，怎么找到他，谁算数，在哪个群里说话。

1. Somebody opens the talk: the bot says who it thinks they are, or how to bind. 帮助 says what it can do for them.
2. 绑定码 王老师 gives the office a one-time code for a day; the teacher says 绑定 123456 in private and is known.
   A code seen in a group is void. Five wrong codes in an hour, and there is no answer any more.
3. Roles come from the database only: 设为办公室 张老师 is the principal's word; the last office stays.
4. Leave has days: who is away is not asked, not chased and not counted. The kind is for the office's eyes only.
5. A group is the school's when the office says 绑定本群 in it; until then the bot only says that it waits.
6. 谁还没绑定, 未送达, 体检 tell the office what does not reach whom; 我的信息 and 隐私 tell everybody what is kept.

One person is meant by each deed: ``forms`` asks which one where two share a name. The roster's file is ``roster``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from bot.kit import when
from bot.kit.context import Context, Persons
from bot.kit.errors import Refused
from bot.kit.event import Place, Said
from bot.kit.feature import Feature
from bot.kit.reply import Reply
from bot.kit.role import Role
from bot.kit.words import N_, _
from handlers.people import cards, forms, rules, sections
from handlers.people.forms import Absence, Which, Whom
from storage import audit, files, people, tries
from storage.people import Person

LOGIN = timedelta(minutes=5)

feature = Feature("people", title=N_("名册与绑定"))
feature.form(Whom, who=Role.OFFICE)(lambda ctx, form: forms.about(ctx, form.verb, form.typed))
feature.form(Which, who=Role.OFFICE)(forms.chosen)
feature.form(Absence, who=Role.OFFICE)(forms.keep_leave)
feature.section(N_("名册概况"))(sections.summary)


def _role(ctx: Context) -> Role:
    return Role(ctx.person.role) if ctx.person else Role.GUEST


# --- 1 hello --------------------------------------------------------------------------------------------------


@feature.command("帮助", "help", "菜单", "功能", who=Role.GUEST, private=True, whole=True, help=N_("我会做什么"))
def help_(ctx: Context, rest: str) -> Reply:
    return cards.help_text(_role(ctx), ctx.school.call)


@feature.command("你好", "您好", "在吗", "hello", "hi", who=Role.GUEST, whole=True)
def hello(ctx: Context, rest: str) -> Reply:
    return cards.greeting(ctx.school.name, ctx.person) if ctx.place.private else None


@feature.command("start", who=Role.GUEST)
def start(ctx: Context, rest: str) -> Reply:
    """What a platform's own button says for people who come; a link may carry the code."""
    if not ctx.place.private:
        return None
    return bind(ctx, rest) if rules.code_in(rest) else _greet(ctx)


@feature.arrival
def arrive(ctx: Context, group: bool) -> Reply:
    if not group:
        return _greet(ctx)
    known = people.group(ctx.db, ctx.place.channel, ctx.place.id)
    if known is not None and known.bound_at is not None:
        return None
    return _("大家好。办公室在群里发“{call}绑定本群”以后，我才开始工作。", call=ctx.school.call)


def _greet(ctx: Context) -> Reply:
    """A platform may tell of one arrival twice; it is greeted once in ten minutes."""
    moment = int(ctx.now.timestamp()) // 600
    ctx.say(cards.greeting(ctx.school.name, ctx.person), name=f"people.hello:{moment}", receipt=True)
    return None


# --- 2 binding ------------------------------------------------------------------------------------------------


@feature.command("绑定码", who=Role.OFFICE, private=True, help=N_("给老师发绑定码"))
def code(ctx: Context, rest: str) -> Reply:
    return _codes_for_all(ctx) if rest in (_("全部"), _("所有人")) else forms.about(ctx, "code", rest)


def _codes_for_all(ctx: Context) -> Reply:
    wanted = people.unbound(ctx.db)
    if not wanted:
        raise Refused(_("每个人都绑定过了。只给一位发码，请写“绑定码 姓名”。"))
    rows = [(person, forms.new_code(ctx, person)) for person in wanted]
    until = ctx.now + timedelta(hours=rules.CODE_HOURS)
    text = cards.codes_file(rows, ctx.school, ctx.school.write_time(until))
    name = _("绑定码.txt")
    file = files.keep(ctx.db, name, "text/plain; charset=utf-8", text, ctx.now, owner=ctx.me.id)
    ctx.send(file, name, to=Persons([ctx.me.id]))
    ctx.book("people.forget", until, key=str(file), file=file)
    audit.note(ctx.db, "people.codes", ctx.me.id, str(len(rows)), ctx.now)
    return _(
        "{n} 人的绑定码在文件里，{time} 前有效。请逐条私下转给本人。", n=len(rows), time=ctx.school.write_time(until)
    )


@feature.appointment("forget")
def forget(ctx: Context, file: int) -> None:
    """The codes are void now, and so is the paper they stood on."""
    files.remove(ctx.db, file)


@feature.command("绑定", "bind", who=Role.GUEST)
def bind(ctx: Context, rest: str) -> Reply:
    """Nothing here is ``Refused``: what was tried must be kept, and a refusal would undo it."""
    said = rules.code_in(rest)
    if not ctx.place.private:
        return _said_aloud(ctx, said)
    place = (ctx.place.channel, ctx.place.id)
    if tries.wrong(ctx.db, *place, ctx.now, rules.WINDOW) >= rules.WRONG_CODES:
        return None
    owner = people.owner_of_code(ctx.db, "bind", said, ctx.now) if said else None
    person = people.get(ctx.db, owner) if owner is not None else None
    if said is None:
        return _("请写上办公室给您的六位绑定码，例：绑定 123456")
    if person is None or not person.active:
        return _wrong_code(ctx)
    return _keep_binding(ctx, person, said)


def _said_aloud(ctx: Context, said: str | None) -> Reply:
    if said is None:
        return None
    people.redeem_code(ctx.db, "bind", said, ctx.now)
    return _("绑定码只能私聊发给我。这个码大家都看到了，已作废，请向办公室要一个新的。")


def _wrong_code(ctx: Context) -> Reply:
    wrong = tries.note(ctx.db, ctx.place.channel, ctx.place.id, ctx.now, rules.WINDOW)
    if wrong >= rules.WRONG_CODES:
        return _("错的次数太多了，一小时内不再回答。请向办公室要一个新的绑定码，过一会儿再试。")
    return _("这个绑定码不对，或者用过、过期了。请核对，或向办公室要一个新的。")


def _keep_binding(ctx: Context, person: Person, code: str) -> Reply:
    if ctx.person is not None and ctx.person.id == person.id:
        return _("{name}，您已经绑定过了，不用再绑。", name=person.name)
    if ctx.person is not None:
        name = ctx.person.name
        return _("这个账号已经是{name}的了。换人用，请办公室先发“解绑 {name}”。", name=name)
    people.redeem_code(ctx.db, "bind", code, ctx.now)
    _warn_other_accounts(ctx, person)
    ctx.bind(person)
    tries.forget(ctx.db, ctx.place.channel, ctx.place.id)
    audit.note(ctx.db, "people.bind", person.id, str(person.id), ctx.now)
    return cards.bound_text(person)


def _warn_other_accounts(ctx: Context, person: Person) -> None:
    """Whoever is bound already hears where else they are bound now: a code in the wrong hands is noticed."""
    for row in people.accounts_of(ctx.db, person.id):
        if row.talk is not None and not row.closed:
            words = _(
                "您的名字刚刚又绑定了一个账号（{channel}）。不是您本人，请马上告诉办公室。", channel=ctx.place.channel
            )
            ctx.say(words, to=Place(row.channel, row.talk, private=True))


@feature.command("登录", private=True, whole=True, help=N_("网页的一次性登录链接"))
def login(ctx: Context, rest: str) -> Reply:
    """A link to our own pages for who is known here already; it is good once, and for five minutes."""
    if not ctx.school.site:
        raise Refused(_("这所学校没有开网页。"))
    link = forms.login_link(ctx, ctx.me, ctx.now + LOGIN)
    ctx.say(_("五分钟内打开这个链接，点“进入”。只给您自己用，请不要转发：\n{link}", link=link), to=Persons([ctx.me.id]))
    return None


# --- one person: who is meant is asked in ``forms`` -----------------------------------------------------------


def _deed(verb: str) -> Callable[[Context, str], Reply]:
    return lambda ctx, rest: forms.about(ctx, verb, rest)


feature.command("登录链接", who=Role.OFFICE, private=True, help=N_("给没有绑定的老师发网页登录链接"))(_deed("link"))
feature.command("解绑", who=Role.OFFICE, private=True)(_deed("unbind"))
feature.command("设为办公室", who=Role.PRINCIPAL, private=True, help=N_("让一位老师做办公室"))(_deed("office"))
feature.command("取消办公室", who=Role.PRINCIPAL, private=True)(_deed("unoffice"))
feature.command("停用人员", who=Role.OFFICE, private=True)(_deed("stop"))
feature.command("启用人员", who=Role.OFFICE, private=True)(_deed("start"))
feature.command("请假登记", "登记请假", who=Role.OFFICE, private=True, help=N_("登记一位老师的请假"))(_deed("leave"))
feature.command("销假", who=Role.OFFICE, private=True)(_deed("back"))


# --- 4 leave --------------------------------------------------------------------------------------------------


def leave_sentence(text: str) -> str | None:
    """王老师 请假 12月1日到12月5日 产假 -> 王老师 12月1日到12月5日 产假."""
    name, asked, rest = text.strip().partition("请假")
    named = 2 <= len(name.strip()) <= 40 and not name.strip().endswith(("不", "没", "要", "我", "，", "。"))
    return f"{name.strip()} {rest.strip()}" if asked and named and rest.strip() else None


def about_somebody(ctx: Context, said: Said) -> str | None:
    """Only the office's word in private, about somebody on the roster, and not an answer to a card."""
    sentence = leave_sentence(said.text)
    if not ctx.place.private or ctx.quoted or sentence is None or not _role(ctx).includes(Role.OFFICE):
        return None
    roster = people.active(ctx.db)
    found = rules.find(rules.split(sentence, roster)[0], roster)
    return sentence if found.exact else None


@feature.phrase(leave_sentence, scope=about_somebody, who=Role.OFFICE)
def leave_in_a_sentence(ctx: Context, sentence: str, scope: str) -> Reply:
    return forms.about(ctx, "leave", sentence)


@feature.command("谁在请假", "请假名单", who=Role.OFFICE, private=True, whole=True, help=N_("今天谁请假"))
def who_is_away(ctx: Context, rest: str) -> Reply:
    today = when.local_date(ctx.now, ctx.school.zone)
    return cards.on_leave_text(people.on_leave(ctx.db, today), today)


# --- 5 groups -------------------------------------------------------------------------------------------------


@feature.command("绑定本群", who=Role.GUEST, whole=True)
def bind_group(ctx: Context, rest: str) -> Reply:
    if not _may_speak_for_the_school(ctx):
        return _no_not_you(ctx)
    if people.group(ctx.db, ctx.place.channel, ctx.place.id) is None:
        people.meet_group(ctx.db, ctx.place.channel, ctx.place.id, "")
    people.bind_group(ctx.db, ctx.place.channel, ctx.place.id, ctx.now)
    audit.note(ctx.db, "people.group", ctx.me.id, f"{ctx.place.channel}:{ctx.place.id}"[:80], ctx.now)
    total = people.count_active(ctx.db)
    reached = total - len(people.unreachable(ctx.db))
    facts = {"total": total, "reached": reached, "title": _title(ctx)}
    told = _("已绑定：{title}，在册 {total} 人，已能私聊 {reached} 人。", **facts)
    return told if reached == total else f"{told}\n{_first_word(ctx)}"


def _first_word(ctx: Context) -> str:
    """Said once, to all, and nobody is named."""
    way = cards.steps(ctx.school, ctx.place.channel)
    return _("还没私聊过我的老师：请{way}，说一句“你好”，一次就够。", way=way)


@feature.command("解绑本群", who=Role.GUEST, whole=True)
def unbind_group(ctx: Context, rest: str) -> Reply:
    if not _may_speak_for_the_school(ctx):
        return _no_not_you(ctx)
    people.bind_group(ctx.db, ctx.place.channel, ctx.place.id, None)
    audit.note(ctx.db, "people.ungroup", ctx.me.id, f"{ctx.place.channel}:{ctx.place.id}"[:80], ctx.now)
    return _("已解绑：{title}，我不再往这个群发消息。", title=_title(ctx))


def _may_speak_for_the_school(ctx: Context) -> bool:
    if ctx.place.private:
        raise Refused(_("请在要绑定的那个群里发这句话。"))
    return _role(ctx).includes(Role.OFFICE)


def _no_not_you(ctx: Context) -> Reply:
    """In private where they can be reached, else here: nobody is left to wonder."""
    words = _("绑定和解绑群只能由办公室来做，请办公室在群里发这句话。")
    if ctx.person is None or not people.addresses(ctx.db, [ctx.person.id]):
        return words
    ctx.say(words, to=Persons([ctx.person.id]), receipt=True)
    return None


def _title(ctx: Context) -> str:
    known = people.group(ctx.db, ctx.place.channel, ctx.place.id)
    return known.title if known is not None and known.title else _("本群")


# --- 6 what does not arrive, and what is kept -----------------------------------------------------------------

feature.command("名册", who=Role.OFFICE, private=True, whole=True, help=N_("名册概况"))(sections.roster)
feature.command("谁还没绑定", "没绑定的", who=Role.OFFICE, private=True, whole=True, help=N_("谁还私聊不到"))(
    sections.who_is_unbound
)
feature.command("未送达", who=Role.OFFICE, private=True, whole=True, help=N_("哪些消息没送到"))(sections.undelivered)
feature.command("我的信息", private=True, whole=True, help=N_("我记了您什么"))(sections.about_me)
feature.command("隐私", who=Role.GUEST, private=True, whole=True)(sections.privacy)
feature.command("体检", who=Role.OFFICE, private=True, whole=True, help=N_("看我是不是都好"))(sections.health)
