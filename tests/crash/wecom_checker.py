"""The same promises on 企业微信, where a press comes once and is lost with whoever died holding it.

lost        a press without a word may be lost; whoever saw a word may not      (Telegram brings it again)
lost        a word said to the bot is brought again until somebody took it      -> it has its effect, once
confirmed   200 on the application's callback                                   -> we have heard it, durably
face        nothing changes unpressed      -> the last state is a message of its own
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.crash.book import Line
from tests.crash.checker import AGAIN, KEPT, LABELS, NEVER, OVER, PRESS, STANDING, STRANGER, WORDS, Checker, Did, Post
from tests.crash.snapshot import Snapshot

CARD = re.compile(r"〔卡(\d+)〕")
ASIDE = (KEPT, OVER, STRANGER, AGAIN, *NEVER.values())
"""Words to whoever pressed, which a small card could not hold: they stand in the private talk."""


@dataclass
class WecomChecker(Checker):
    writers: frozenset[int] = frozenset()  # accounts that write to the application only; their mail overtakes itself
    places: dict[str, int] = field(default_factory=dict)  # a word -> where it was said
    anew: int = 0  # times that a card was sent anew to show its last state

    # --- the book ---------------------------------------------------------------------------------------------

    def _pressed(self, line: Line) -> None:
        super()._pressed(line | {"data": line["key"].partition("|")[2], "by": int(line["by"])})

    def _said(self, line: Line) -> None:
        found = WORDS.fullmatch(line["text"])
        if found:
            self.places[f"s{found[1]}"] = int(line["chat"])
        super()._said(line | {"by": int(line["by"]), "chat": int(line["chat"])})

    def _confirmed(self, line: Line) -> None:
        self.confirmed.update(line["msgids"])

    def _updated(self, line: Line) -> None:
        """The new face for whoever pressed; the word stands on it."""
        if line.get("press") in self.never or line.get("press") in self.presses:
            word = next((text for text in line["text"].split("\n") if text.startswith(ASIDE)), "")
            did = self.presses.get(line["press"])
            choice = f"t.ans:{self._note_of(did)}:{did.what}" if did else "forbidden"
            if word:
                self._toast({"text": word, "press": line["press"], "data": choice})

    def _note_of(self, did: Did) -> int:
        return next(key[0] for key, done in self.done.items() if any(one is did for one in done))

    def _sent(self, line: Line) -> None:
        chat, text = int(line["chat"]), line["text"]
        if chat != self.group and text.startswith(ASIDE):
            return
        found = CARD.search(text)
        if found and "已经结束" in text:  # the last state, in words of its own
            text = text.replace(found[0], f"〔通知-{found[1]}〕")
            self.anew += 1
        ref = line["task_id"].partition("-")[0] or f"m{line['message']}"
        self._message({"chat": chat, "message": ref, "text": text, "buttons": [line["buttons"]]})

    # --- after a kill -----------------------------------------------------------------------------------------

    def _hold_one(self, key: tuple[int, int], did: list[Did], now: Snapshot) -> None:
        kept = now.history.get(key, [])
        self._hold_answer(key, kept, now)
        if self.roster[key[1]][2] in self.writers:
            said = [one.what for one in did]
            if len(set(kept)) != len(kept) or not set(kept) <= set(said):
                self.wrong("once", f"{key} wrote {said} and we have {kept}")
            return
        if not fits([one.what for one in did], kept, [True] * len(did)):
            return self.wrong("once", f"{key} did {[one.what for one in did]} and we have {kept}")
        if not fits([one.what for one in did], kept, [one.outcome != "kept" for one in did]):
            answered = [one.what for one in did if one.outcome == "kept"]
            self.wrong("answered", f"{key}: {answered} were answered and {kept} are durable")

    # --- at the end -------------------------------------------------------------------------------------------

    def _at_rest_lost(self, now: Snapshot) -> None:
        for key, did in self.done.items():
            if self.roster[key[1]][2] in self.writers:
                continue  # three tries, all of them while nobody was there: it was never confirmed
            words = [one.what for one in did if one.what.startswith("s")]
            lost = [word for word in words if word not in now.history.get(key, [])]
            if lost:
                self.wrong("lost", f"{key}: {lost} never had an effect")

    def _wanted_receipts(self, now: Snapshot) -> set[tuple[int, str]]:
        wanted: set[tuple[int, str]] = set()
        for (note, person), kept in now.history.items():
            for n, choice in enumerate(kept):
                if choice.startswith("s") or (n > 0 and kept[n - 1] != choice):
                    chat = self.places.get(choice, self.roster[person][2])
                    wanted.add((chat, f"〔回执{note}-{person}-{n + 1}〕"))
        return wanted

    def _wanted(self, now: Snapshot) -> set[tuple[int, str]]:
        """A card that left after its end shows the last state at once: then there is no other."""
        wanted = super()._wanted(now)
        for note, over in now.over.items():
            if over:
                wanted.add((self.group, f"〔通知-{note}〕"))
                if (self.group, f"〔卡{note}〕") not in self.posts:
                    wanted.discard((self.group, f"〔卡{note}〕"))
        return wanted

    def _at_rest_faces(self, now: Snapshot) -> None:
        for note, over in now.over.items():
            for post in self.posts.get((self.group, f"〔通知-{note}〕"), [])[-1:]:
                if not over or not self._is_right(post, note, now):
                    self.wrong("face", f"the last state of 〔卡{note}〕 is told as {post.text!r} {post.buttons}")
        if any((self.group, f"〔卡{note}〕") not in self.posts for note in now.over if note == STANDING):
            self.wrong("arrives", "the standing card never came")

    def _is_right(self, post: Post, note: int, now: Snapshot) -> bool:
        real = [choice for (n, _), (choice, _) in now.answers.items() if n == note]
        told = {c: int(m[1]) for c in LABELS if (m := re.search(rf"{LABELS[c]}\D{{0,3}}(\d+)", post.text))}
        return told == {c: real.count(c) for c in LABELS} and not post.buttons


def fits(did: Sequence[str], kept: Sequence[str], may_miss: Sequence[bool]) -> bool:
    """Whether ``kept`` is what was done, in that order, but for some of what may be missing."""
    reached = {0}  # how many of ``kept`` may be explained by now
    for what, may in zip(did, may_miss, strict=True):
        reached = {n + 1 for n in reached if n < len(kept) and kept[n] == what} | (reached if may else set())
    return len(kept) in reached


assert PRESS.fullmatch("t.ans:1:y")  # the token is the same on every platform
