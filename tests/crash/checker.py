"""Holds what people really saw against what is durable: after every kill, and when everything has come to rest.

answered      a toast 已记下 was seen                    -> the effect is in the snapshot taken right after the kill
confirmed     the platform may forget an update          -> we have heard it, durably
once          the history of each person                 =  what that person did, in order, nothing twice or left out
refused       a toast said no                            -> no effect
said          a receipt was seen                         -> its effect was durable before
arrives       every durable text, due or not             -> seen by everybody who can be reached
copies        a message was seen twice                   -> a kill lay between, and it was sent but not yet marked
face          the card in the group                      =  the answers as they are
audit         the chain is whole, grows only at its end, and has one line for each effect
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field

from tests.crash.book import Book, Line
from tests.crash.snapshot import Snapshot

SERIAL = re.compile(r"〔(卡|通知|到时|发出|回执)([\d-]+)〕")
PRESS = re.compile(r"t\.ans:(\d+):([a-z])")
WORDS = re.compile(r"(?:收到|慢) ?(\d+)")
LABELS = {"y": "能到", "l": "晚到", "n": "请假"}
KEPT, AGAIN, OVER = "已记下：", "已经收到过了。", "已经结束，没有记上"
NEVER = {"x": "不能代答", "w": "写了才说不行"}
STRANGER = "我还不认识您"
KNOWN = ("有消息送不到", "已经收到过了。")  # what the office is told by itself, without a serial
STANDING = 1  # the notice that is never over


@dataclass(slots=True)
class Did:
    """Something that must have its effect, unless its notice was over."""

    what: str
    chat: int  # where its receipt belongs
    outcome: str = ""  # kept, again, refused; "": no word came


@dataclass(slots=True)
class Post:
    message: int
    life: int
    text: str
    buttons: list[str]


@dataclass
class Checker:
    group: int
    roster: dict[int, tuple[str, str, int]] = field(default_factory=dict)  # number -> name, role, account
    unreachable: frozenset[int] = frozenset()  # accounts
    violations: list[str] = field(default_factory=list)
    life: int = 0  # how many kills there were
    done: dict[tuple[int, int], list[Did]] = field(default_factory=dict)  # (note, person)
    presses: dict[str, Did] = field(default_factory=dict)
    never: dict[str, str] = field(default_factory=dict)  # presses that must be refused, and how
    posts: dict[tuple[int, str], list[Post]] = field(default_factory=dict)  # (chat, serial)
    shown: dict[tuple[int, int], Post] = field(default_factory=dict)
    confirmed: set[str] = field(default_factory=set)
    notices: set[int] = field(default_factory=set)
    copies: Counter[str] = field(default_factory=Counter)  # second copies, by where the bot was killed
    at_kill: Counter[int] = field(default_factory=Counter)  # second copies, by kill
    points: list[str] = field(default_factory=list)
    _before: Snapshot | None = None
    _audited: int = 0
    _head: str = "0" * 64

    def wrong(self, kind: str, sentence: str) -> None:
        self.violations.append(f"{kind}: {sentence} (life {self.life})")

    # --- the book ---------------------------------------------------------------------------------------------

    def read(self, book: Book) -> None:
        for line in book.new():
            reader = getattr(self, f"_{line['what']}", None)
            if reader is not None:
                reader(line)

    def _person(self, account: int) -> int | None:
        return next((number for number, (_, _, a) in self.roster.items() if a == account), None)

    def _pressed(self, line: Line) -> None:
        found = PRESS.fullmatch(line["data"])
        assert found is not None, line
        note, choice, person = int(found[1]), found[2], self._person(line["by"])
        if person is None:
            self.never[line["press"]] = STRANGER
        elif choice in NEVER:
            self.never[line["press"]] = NEVER[choice]
        else:
            did = self.presses[line["press"]] = Did(choice, line["by"])
            self.done.setdefault((note, person), []).append(did)

    def _said(self, line: Line) -> None:
        person, text = self._person(line["by"]), line["text"]
        if person is None:
            return
        if text.startswith("通知"):
            self.notices.add(int(text[2:]))
        elif found := WORDS.fullmatch(text):
            self.done.setdefault((STANDING, person), []).append(Did(f"s{found[1]}", line["chat"]))

    def _toast(self, line: Line) -> None:
        text, press = line["text"], line["press"]
        if press in self.never:
            if text != AGAIN and not text.startswith((self.never[press], OVER)):
                self.wrong("refused", f"{line['data']} was answered {text!r}")
            return
        did = self.presses[press]
        if text == AGAIN:
            did.outcome = "again"
        elif text == OVER and not line["data"].startswith(f"t.ans:{STANDING}:"):
            did.outcome = "refused"
        elif text == f"{KEPT}{LABELS[did.what]}":
            did.outcome = "kept"
        else:
            self.wrong("answered", f"{line['data']} was answered {text!r}")

    def _message(self, line: Line) -> None:
        found = SERIAL.search(line["text"])
        if found is None:
            if not line["text"].startswith(KNOWN):
                self.wrong("said", f"nobody expected {line['text']!r}")
            return
        buttons = [label for row in line["buttons"] for label, _ in row]
        post = Post(line["message"], self.life, line["text"], buttons)
        self.shown[line["chat"], line["message"]] = post
        before = self.posts.setdefault((line["chat"], found[0]), [])
        before.append(post)
        if len(before) > 1:
            self._copy(line["chat"], found[0], before[-2], post)

    def _copy(self, chat: int, serial: str, first: Post, second: Post) -> None:
        if second.life == first.life:
            self.wrong("copies", f"{serial} came twice to {chat} and nobody was killed between")
        elif self.points[first.life] == "asked to stop":
            self.wrong("copies", f"{serial} came again to {chat} after a stop in good order")
        elif self._before is not None and (str(chat), str(first.message)) in self._before.sent:
            self.wrong("copies", f"{serial} came again to {chat} though it was marked as sent")
        else:
            self.copies[self.points[first.life]] += 1
            self.at_kill[first.life] += 1

    def _edit(self, line: Line) -> None:
        post = self.shown.get((line["chat"], line["message"]))
        if post is not None:
            post.text = line["text"]
            post.buttons = [label for row in line["buttons"] for label, _ in row]

    def _confirmed(self, line: Line) -> None:
        self.confirmed.update(map(str, line["update_ids"]))

    def _expired(self, line: Line) -> None:
        self.wrong("arrives", f"update {line['update_id']} lay there until it expired")

    # --- after a kill -----------------------------------------------------------------------------------------

    def after_kill(self, book: Book, point: str, now: Snapshot) -> None:
        """``point``: where it was killed, or "random"."""
        self.points.append(point)
        self.read(book)
        self._hold_against(now)
        self._before = now
        self.life += 1

    def _hold_against(self, now: Snapshot) -> None:
        for damage in now.damage:
            self.wrong("damage", damage)
        for update in sorted(self.confirmed - now.inbox):
            self.wrong("confirmed", f"update {update} is confirmed and not durable")
        for key in self.done.keys() | now.history.keys():
            self._hold_one(key, self.done.get(key, []), now)
        self._hold_receipts(now)
        self._hold_audit(now)

    def _hold_one(self, key: tuple[int, int], did: list[Did], now: Snapshot) -> None:
        kept = now.history.get(key, [])
        if kept != [d.what for d in did[: len(kept)]]:
            self.wrong("once", f"{key} did {[d.what for d in did]} and we have {kept}")
            return
        self._hold_answer(key, kept, now)
        for n, one in enumerate(did):
            heard = one.outcome == "kept" or (one.outcome == "again" and key[0] == STANDING)
            if heard and n >= len(kept):
                self.wrong("answered", f"{key} number {n} ({one.what}) was answered and is not durable")
            if one.outcome == "refused" and n < len(kept):
                self.wrong("refused", f"{key} number {n} ({one.what}) was refused and is kept")

    def _hold_answer(self, key: tuple[int, int], kept: list[str], now: Snapshot) -> None:
        if now.answers.get(key) != ((kept[-1], len(kept)) if kept else None):
            self.wrong("once", f"{key}: the answer is {now.answers.get(key)}, the history {kept}")

    def _hold_receipts(self, now: Snapshot) -> None:
        for _chat, serial in self.posts:
            numbers = [int(n) for n in re.findall(r"\d+", serial)]
            if serial.startswith("〔回执") and numbers[2] > len(now.history.get((numbers[0], numbers[1]), [])):
                self.wrong("said", f"{serial} was seen and its effect is not durable")
            if serial.startswith("〔到时") and numbers[0] not in now.dues:
                self.wrong("said", f"{serial} was seen and the appointment is not kept")

    def _hold_audit(self, now: Snapshot) -> None:
        head, seen = "0" * 64, self._audited == 0
        for number, (seq, at, what, actor, thing, digest) in enumerate(now.audit, 1):
            told = "\x1f".join([head, str(seq), at, what, "" if actor is None else str(actor), thing])
            if seq != number or digest != hashlib.sha256(told.encode()).hexdigest():
                return self.wrong("audit", f"line {number} does not follow from the one before")
            head = digest
            seen = seen or (seq == self._audited and digest == self._head)
        if not seen:
            self.wrong("audit", f"line {self._audited} is gone")
        self._audited, self._head = len(now.audit), head
        lines = sum(what == "t.ans" for _, _, what, *_ in now.audit)
        effects = sum(choice in LABELS for kept in now.history.values() for choice in kept)
        if lines != effects:
            self.wrong("audit", f"{lines} lines for {effects} effects")

    # --- at the end -------------------------------------------------------------------------------------------

    def at_rest(self, book: Book, now: Snapshot) -> None:
        """Nobody does anything any more, and the bot has had the time to finish."""
        self.read(book)
        self._hold_against(now)
        self._at_rest_lost(now)
        self._at_rest_notices(now)
        self._at_rest_messages(now)
        self._at_rest_faces(now)
        if now.queued or now.stale or now.waiting:
            self.wrong("arrives", f"left: {now.queued} to send, cards {now.stale}, appointments {now.waiting}")

    def _at_rest_lost(self, now: Snapshot) -> None:
        for key, did in self.done.items():
            left = did[len(now.history.get(key, [])) :]
            if left and (key[0] == STANDING or not now.over.get(key[0])):
                self.wrong("lost", f"{key}: {[d.what for d in left]} never had an effect")

    def _at_rest_notices(self, now: Snapshot) -> None:
        if set(now.over) != self.notices:
            self.wrong("lost", f"notices {self.notices} were announced, {set(now.over)} are there")
        due = sorted(n for n in now.over if n != STANDING)
        if sorted(now.dues) != due:
            self.wrong("once", f"appointments {due}, kept {sorted(now.dues)}")
        cut_off = {number for number, (_, _, account) in self.roster.items() if account in self.unreachable}
        dead = Counter(person for _, person, _ in now.dead)
        wanted = Counter(dict.fromkeys(cut_off, len(now.over) + len(due)))
        if dead != wanted:
            self.wrong("arrives", f"given up for {dict(dead)}, expected for {dict(wanted)}")

    def _at_rest_messages(self, now: Snapshot) -> None:
        wanted = self._wanted(now)
        for chat, serial in sorted(wanted - self.posts.keys()):
            self.wrong("arrives", f"{serial} never came to {chat}")
        for chat, serial in sorted(self.posts.keys() - wanted):
            self.wrong("said", f"{serial} came to {chat} without a reason")

    def _wanted_receipts(self, now: Snapshot) -> set[tuple[int, str]]:
        wanted: set[tuple[int, str]] = set()
        for (note, person), kept in now.history.items():
            for n, (did, choice) in enumerate(zip(self.done[note, person], kept, strict=False)):
                if choice.startswith("s") or (n > 0 and kept[n - 1] != choice):
                    wanted.add((did.chat, f"〔回执{note}-{person}-{n + 1}〕"))
        return wanted

    def _wanted(self, now: Snapshot) -> set[tuple[int, str]]:
        wanted = self._wanted_receipts(now)
        reached = [account for _, _, account in self.roster.values() if account not in self.unreachable]
        for note, over in now.over.items():
            wanted |= {(self.group, f"〔卡{note}〕"), *((account, f"〔通知{note}〕") for account in reached)}
            wanted |= {(a, f"〔发出{note}〕") for _, role, a in self.roster.values() if role == "office"}
            if over:
                wanted |= {(chat, f"〔到时{note}〕") for chat in [self.group, *reached]}
        return wanted

    def _at_rest_faces(self, now: Snapshot) -> None:
        for note, over in now.over.items():
            for post in self.posts.get((self.group, f"〔卡{note}〕"), [])[-1:]:
                real = Counter(choice for (n, _), (choice, _) in now.answers.items() if n == note)
                told = {c: int(m[1]) for c in LABELS if (m := re.search(rf"{LABELS[c]} (\d+)", post.text))}
                right = told == {c: real[c] for c in LABELS}
                if not right or over != ("已经结束" in post.text) or over == bool(post.buttons):
                    self.wrong("face", f"〔卡{note}〕 shows {post.text!r} {post.buttons}, the answers are {dict(real)}")
