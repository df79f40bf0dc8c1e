"""One event, inside the desk's transaction: heard before? who is it? handler; then reply, effects, outbox, audit.

Everything here is a plain function of the rows and the event, so that a batch may run it again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.engine import effects
from bot.engine.asking import ELSEWHERE, HERE, Asker, PickChoice, means
from bot.engine.crashpoint import cp
from bot.engine.desk import MustUndo
from bot.engine.port import Answer
from bot.engine.router import Router, normal
from bot.kit.action import Action, BadToken
from bot.kit.context import Context, Persons, School
from bot.kit.errors import Refused
from bot.kit.event import Account, Event, Joined, Left, Moved, Place, Said, Submitted, Tapped
from bot.kit.feature import Command, OnAction, Outcome
from bot.kit.reply import Ask, Reply, Show, Toast
from bot.kit.role import Role
from bot.kit.words import _, speaking
from storage import audit, diary, inbox, outbox, people
from storage.asking import Asking
from storage.base import Db

SEEN_EVERY = 3600.0  # seconds between two notes that an account is alive


class Pipeline:
    """The road of one event. ``now`` is the school's clock."""

    def __init__(self, router: Router, school: School, now: Callable[[], datetime]) -> None:
        self.router = router
        self.school = school
        self.now = now
        self.asker = Asker(router)

    # --- the batch --------------------------------------------------------------------------------------------

    def prepare(self, db: Db, keys: Sequence[object]) -> None:
        """Asks once for the whole batch what each event would ask alone."""
        events = [key for key in keys if isinstance(key, Event)]
        if len(events) < 2:
            return
        inbox.remember(db, [event.id for event in events])
        people.remember(db, [(event.sender.channel, event.sender.id) for event in events])

    def hear(self, db: Db, event: Event) -> Answer:
        """The whole road. The same event again gives no second effect."""
        if inbox.heard(db, event.id):
            return Answer(toast=_("已经收到过了。") if isinstance(event, Tapped) else None)
        inbox.note(db, event.id, self._moment(db))
        cp("pipeline.noted")
        with speaking(self.school.language):
            return self._hear(db, event)

    def _hear(self, db: Db, event: Event) -> Answer:
        ctx = self._context(db, event)
        mark, toast = db.mark(), ""
        try:
            reply = self._dispatch(ctx, event)
            while isinstance(reply, Ask):  # a form that is whole at once runs its handler here, and that may refuse
                toast = reply.toast if isinstance(event, Tapped) else ""  # words are answered by the question itself
                reply = self.asker.begin(ctx, event.sender, reply)
        except Refused as refusal:
            if not db.back(mark):
                raise MustUndo from refusal
            ctx.effects.clear()
            reply, toast = self._refusal(ctx, event, refusal.sentence), ""
        cp("pipeline.handled")
        return self._conclude(ctx, event, reply, toast)

    def refused(self, db: Db, event: Event, sentence: str) -> Answer:
        """After ``MustUndo``: the effect is undone, the refusal still is an answer."""
        inbox.note(db, event.id, self._moment(db))
        with speaking(self.school.language):
            ctx = self._context(db, event)
            return self._conclude(ctx, event, self._refusal(ctx, event, sentence))

    def _moment(self, db: Db) -> datetime:
        """One for the whole transaction: who came in together came at the same time, and a deadline cuts none apart."""
        moment: datetime = db.memo("pipeline.now", self.now)
        return moment

    def _context(self, db: Db, event: Event) -> Context:
        behind = people.behind(db, event.sender.channel, event.sender.id)
        now = self._moment(db)
        ctx = Context(db, now, self.school, event.place, behind.person if behind else None)
        if behind is not None and ctx.person is not None and ctx.person.active:
            talk = event.place.id if event.place.private else behind.talk
            stale = behind.seen_at is None or (now - behind.seen_at).total_seconds() > SEEN_EVERY
            if stale or talk != behind.talk or (behind.closed and event.place.private):
                people.seen(db, event.sender.channel, event.sender.id, talk, now)
        if ctx.person is not None and not ctx.person.active:
            ctx.person = None
        ctx.bind = lambda person: people.bind(
            db,
            person.id,
            event.sender.channel,
            event.sender.id,
            talk=event.place.id if event.place.private else None,
            now=now,
        )
        return ctx

    # --- who answers ------------------------------------------------------------------------------------------

    def _dispatch(self, ctx: Context, event: Event) -> Reply:
        match event:
            case Tapped():
                return self._tapped(ctx, event)
            case Said():
                return self._said(ctx, event)
            case Submitted():
                return self._submitted(ctx, event)
            case Joined():
                return self._arrived(ctx, event)
            case Left():
                return self._left(ctx, event)
            case Moved():
                people.move_group(ctx.db, event.place.channel, event.place.id, event.to)
                outbox.move(ctx.db, event.place.channel, event.place.id, event.to)
                return None
            case _:
                return None

    def _tapped(self, ctx: Context, tap: Tapped) -> Reply:
        if tap.token.startswith(PickChoice.verb + ":"):
            return self._picked(ctx, tap)
        try:
            on, action = self.router.action(tap.token)
        except BadToken:
            raise Refused(_("这个按钮已经失效了，请用最新的消息。")) from None
        self._allow(ctx, on.who)
        if on.private and not ctx.place.private:
            raise Refused(_("请私聊我投票：点我的头像，发一句话就可以。"))
        reply = on.handler(ctx, action)
        self._audit(ctx, on, action)
        return reply

    def _audit(self, ctx: Context, on: OnAction, action: Action) -> None:
        number = next((str(v) for v in _values(action) if isinstance(v, int)), "")
        actor = None if on.sealed or ctx.person is None else ctx.person.id
        audit.note(ctx.db, action.verb, actor, number, ctx.now)

    def _picked(self, ctx: Context, tap: Tapped) -> Reply:
        asking = self.asker.waiting(ctx, tap.sender)
        text = self.asker.choice(ctx, asking, tap.token) if asking else None
        if asking is None or text is None:
            raise Refused(_("这个问题已经过去了。"))
        said = Said(tap.id, tap.at, tap.sender, tap.place, text)
        return self._asked(ctx, said, asking)

    def _asked(self, ctx: Context, said: Said, asking: Asking) -> Reply:
        """Words while a question is open. What is clearly an answer to something else is asked about, not swallowed."""
        doubted = self.asker.doubted(asking)
        if doubted is not None:
            asking = self.asker.settled(ctx, said.sender, asking)
            if means(said.text, HERE):
                return self.asker.answer(ctx, said.sender, asking, doubted)
            if means(said.text, ELSEWHERE):
                self.asker.remind(ctx, asking)
                return self._phrase(ctx, replace(said, text=doubted))
        mine = self.asker.sees_to(asking)
        if ctx.quoted is not None and self._claimed(ctx, said, ""):
            return self._phrase(ctx, said)
        if self.asker.may_wander(ctx, asking, said.text) and self._claimed(ctx, said, mine):
            return self.asker.doubt(ctx, said.sender, asking, said.text)
        return self.asker.answer(ctx, said.sender, asking, said.text)

    def _claimed(self, ctx: Context, said: Said, but: str) -> bool:
        """Would any feature (``but`` one) answer this if no question were open?"""
        for phrase in self.router.phrases:
            if (
                phrase.feature == but
                or phrase.read(said.text) is None
                or (phrase.who is not Role.GUEST and ctx.person is None)
            ):
                continue
            try:
                if phrase.scope(ctx, said) is not None:
                    return True
            except Refused:
                return True
        return False

    def _said(self, ctx: Context, said: Said) -> Reply:
        call = self.school.call.strip()
        if call and said.text.startswith(call):  # written as one group needs it, where another hears everything
            said = replace(said, text=said.text.removeprefix(call).strip())
        ctx.quoted = outbox.card_of(ctx.db, ctx.place.channel, ctx.place.id, said.quotes) if said.quotes else None
        ctx.upload = said.upload
        found = self.router.command(said.text)
        asking = self.asker.waiting(ctx, said.sender)
        if asking is not None and not said.edited and (found is None or not _alone(said.text, found)):
            return self._asked(ctx, said, asking)
        if found is not None and not said.passed_on:
            return self._command(ctx, said, *found)
        if said.upload is not None:
            return self._upload(ctx, said)
        return self._phrase(ctx, said)

    def _command(self, ctx: Context, said: Said, command: Command, rest: str) -> Reply:
        self._allow(ctx, command.who)
        audit.note(ctx.db, command.words[0], ctx.person.id if ctx.person else None, "", ctx.now)
        if command.form is not None:
            return Ask(command.form, command.form.glean(ctx, rest), private=command.private)
        reply = command.handler(ctx, rest)
        if command.private and not ctx.place.private:
            return self._privately(ctx, reply)
        return reply

    def _privately(self, ctx: Context, reply: Reply) -> Reply:
        """What was asked in a group and is nobody else's business."""
        to = Persons([ctx.me.id]) if ctx.person else ctx.place
        if ctx.person and isinstance(reply, str | Show) and not people.addresses(ctx.db, [ctx.person.id]):
            return _("请先私聊我发一句话，我再私下回答您。")
        match reply:
            case str():
                ctx.say(reply, to=to)
            case Show():
                ctx.post(reply.key, to)
            case _:
                return reply
        return Toast(_("已私聊回复您。"))

    def _upload(self, ctx: Context, said: Said) -> Reply:
        assert said.upload is not None  # noqa: S101 the caller has looked
        name = said.upload.name.lower()
        for ending, upload in self.router.uploads.items():
            if name.endswith(ending):
                if not ctx.place.private and not _role(ctx).includes(upload.who):
                    return None  # people pass one another files in a group; that is no question to us
                self._allow(ctx, upload.who)
                return upload.handler(ctx, said.text)
        if ctx.place.private:
            endings = " ".join(sorted(self.router.uploads))
            raise Refused(_("这种文件我读不了。能读的是：{endings}", endings=endings))
        return None

    def _phrase(self, ctx: Context, said: Said) -> Reply:
        for phrase in self.router.phrases:
            if said.passed_on and not phrase.passed_on:
                continue
            meaning = phrase.read(said.text)
            if meaning is None:
                continue
            if phrase.who is not Role.GUEST and ctx.person is None:
                continue
            thing = phrase.scope(ctx, said)
            if thing is None:
                continue
            self._allow(ctx, phrase.who)
            return phrase.handler(ctx, meaning, thing)
        if said.edited or not ctx.place.private:
            return None  # a slip that was mended in an old message is no question to us
        if said.passed_on:
            return _("转发来的话不算您说的，没有记上。要答复，请自己发一句。")
        return _("没看懂。回复“帮助”看看我会做什么。")

    def _submitted(self, ctx: Context, form: Submitted) -> Reply:
        found = self.router.forms.get(form.form)
        if found is None:
            raise Refused(_("这张表已经失效了，请重新打开。"))
        self._allow(ctx, found.who)
        audit.note(ctx.db, form.form, ctx.person.id if ctx.person else None, "", ctx.now)
        return self.asker.submit(ctx, form.sender, form.form, form.values)

    def _arrived(self, ctx: Context, event: Joined) -> Reply:
        if not event.place.private:
            people.meet_group(ctx.db, event.place.channel, event.place.id, event.title)
        reply: Reply = None
        for arrival in self.router.arrivals:
            reply = arrival(ctx, not event.place.private) or reply
        return reply

    def _left(self, ctx: Context, event: Left) -> Reply:
        if event.place.private:
            people.close_talk(ctx.db, event.place.channel, event.place.id)
        else:
            people.close_group(ctx.db, event.place.channel, event.place.id)
        return None

    def _allow(self, ctx: Context, who: Role) -> None:
        role = _role(ctx)
        if role.includes(who):
            return
        if role is Role.GUEST:
            raise Refused(_("我还不认识您。请向办公室要一个绑定码，私聊发给我：绑定 123456"))
        raise Refused(_("这件事只有办公室或校长可以做。"))

    # --- what goes out ----------------------------------------------------------------------------------------

    def _refusal(self, ctx: Context, event: Event, sentence: str) -> Reply:
        if isinstance(event, Tapped):
            return Toast(sentence, alert=True)
        if isinstance(event, Said) and not ctx.place.private:
            if ctx.person is not None:
                ctx.say(sentence, to=Persons([ctx.person.id]), receipt=True)
            return None
        return sentence

    def _conclude(self, ctx: Context, event: Event, reply: Reply, toast: str = "") -> Answer:
        answer = Answer(toast=toast or None)
        match reply:
            case Toast():
                answer = Answer(toast=reply.text, alert=reply.alert, sealed=self.router.is_sealed(event))
            case str() if isinstance(event, Tapped) and not ctx.place.private:
                answer = Answer(toast=reply)  # one person pressed; the group need not read the answer
            case str():
                ctx.say(reply, receipt=True)
            case Show():
                ctx.post(reply.key, ctx.place)
            case _:
                pass
        effects.keep(ctx, event.id, urgent=True)
        cp("pipeline.kept")
        return answer

    # --- our later selves -------------------------------------------------------------------------------------

    def alone(self, db: Db) -> Context:
        """A context for what nobody asked for just now: appointments and rhythms speak to audiences only."""
        return Context(db, self.now(), self.school, Place("", "", private=True))

    def conclude_alone(self, ctx: Context, cause: str) -> None:
        effects.keep(ctx, cause, urgent=False)

    def keep_appointment(self, db: Db, appointment: diary.Appointment) -> bool:
        """Runs it once; ``False`` when it was taken, moved or struck out meanwhile."""
        if not diary.claim(db, appointment):
            return False
        cp("pipeline.claimed")
        handler = self.router.appointments.get(appointment.name)
        if handler is None:
            return False
        with speaking(self.school.language):
            ctx = self.alone(db)
            handler(ctx, **appointment.args)
            self.conclude_alone(ctx, f"a:{appointment.name}:{appointment.key}:{int(appointment.at.timestamp())}")
        return True

    def keep_rhythm(self, db: Db, name: str, at: datetime) -> bool:
        """Runs it once for ``at``; ``False`` when it ran for that moment or a later one."""
        last = diary.last_run(db, name)
        if last is not None and last >= at:
            return False
        diary.ran(db, name, at)
        with speaking(self.school.language):
            ctx = self.alone(db)
            self.router.rhythms[name].handler(ctx)
            self.conclude_alone(ctx, f"r:{name}:{int(at.timestamp())}")
        return True

    def take_outcome(self, db: Db, job: diary.Job, outcome: Outcome) -> bool:
        """Hands the outcome of slow work to its feature, in the conversation that started it, once."""
        if not diary.end_work(db, job.id):
            return False
        place = Place(job.channel, job.place, job.private)
        with speaking(self.school.language):
            person = people.get(db, job.person) if job.person is not None else None
            ctx = Context(db, self.now(), self.school, place, person)
            try:
                reply = self.router.outcomes[job.name](ctx, outcome)
                while isinstance(reply, Ask):
                    asker = people.account_at(db, place.channel, place.id)
                    reply = self.asker.begin(ctx, Account(place.channel, asker or ""), reply)
            except Refused as refusal:
                reply = refusal.sentence
            if isinstance(reply, str):
                ctx.say(reply)
            elif isinstance(reply, Show):
                ctx.post(reply.key, place)
            effects.keep(ctx, f"w:{job.id}", urgent=True)
        return True


def _role(ctx: Context) -> Role:
    return Role(ctx.person.role) if ctx.person else Role.GUEST


def _values(action: Action) -> Sequence[Any]:
    return [getattr(action, name) for name in getattr(action, "__dataclass_fields__", {})]


def _alone(text: str, found: tuple[Command, str]) -> bool:
    """While a question is open, a command must stand by itself or before a space: '统计数据' may be an answer."""
    command, rest = found
    plain = normal(text)
    return not rest or any(plain.lower().startswith(word.lower() + " ") for word in command.words)
