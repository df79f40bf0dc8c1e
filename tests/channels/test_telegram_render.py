"""What we say fits into Telegram, every word of it, and no name can break it."""

from __future__ import annotations

import re
import shutil
import subprocess
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.channels import choices, clean
from bot.channels.graphemes import clusters, joined, shorten, split, units
from bot.channels.telegram import render
from bot.engine.port import Answer, Document
from bot.kit.action import Action
from bot.kit.card import Attachment, Block, Button, Card, Chart, Facts, Line, People, Quote, Table, Tally, Tone
from bot.kit.event import Place
from tests.fakes.telegram_text import formatted

FAMILY = "👨‍👩‍👧‍👦"
MARK = re.compile(r"\A（(\d+)/(\d+)）\n")
PERL = shutil.which("perl")


@dataclass(frozen=True)
class Pick(Action, verb="tg.test"):
    number: int


def buttons(*labels: str, tone: Tone = Tone.PLAIN) -> list[Button]:
    return [Button(label, Pick(n), tone) for n, label in enumerate(labels, 1)]


GALLERY: dict[str, Block] = {
    "line": Line("请于周五前回复"),
    "facts": Facts([("时间", "12月2日 周三 15:00"), ("地点", "三楼会议室")]),
    "tally": Tally([("能到", 3), ("请假", 1), ("未答", 37)], total=41),
    "people": People("请假", ["王老师", f"李\u202e老师\u200b{FAMILY}", ""]),
    "table": Table(["姓名", "部门"], [["王老师", "语文组"], ["张老师", "数学组"]]),
    "chart": Chart("得票", [("王老师", 12), ("张老师", 3), ("李老师", 0)]),
    "quote": Quote("第三条建议改为每周一次", source="王老师"),
    "attachment": Attachment("汇总表.xlsx", 7),
}
TONED = [Button("能到", Pick(1), Tone.MAIN), Button("请假", Pick(2)), Button("取消", Pick(3), Tone.DANGER)]
CARD = Card("notice:42", "会议通知 📌", list(GALLERY.values()), TONED, foot="不想再收提醒，回复“停”")


def check(payload: dict[str, Any]) -> None:
    """As strict as the platform: sizes, entities on characters, buttons."""
    msgspec.json.encode(payload)
    assert units(payload["text"]) <= 4096
    text, entities = formatted(payload["text"], "", payload.get("entities", []), find=False)
    assert text
    bounds, at = {0}, 0
    for cluster in clusters(payload["text"]):
        at += units(cluster)
        bounds.add(at)
    for entity in payload.get("entities", []):
        assert {entity["offset"], entity["offset"] + entity["length"]} <= bounds
    assert len(entities) <= 100
    for row in payload.get("reply_markup", {}).get("inline_keyboard", []):
        assert 1 <= len(row) <= 3
        for button in row:
            assert button["text"].strip()
            assert 1 <= len(button["callback_data"].encode()) <= 64


def styled(payload: dict[str, Any], kind: str) -> list[str]:
    raw = payload["text"].encode("utf-16-le")
    found = [e for e in payload.get("entities", []) if e["type"] == kind]
    return [raw[e["offset"] * 2 : (e["offset"] + e["length"]) * 2].decode("utf-16-le") for e in found]


# --- cards ------------------------------------------------------------------------------------------------------


def test_a_card_is_one_message_with_a_bold_title_and_its_buttons() -> None:
    (message,) = render.render(CARD)
    check(message)
    assert message["text"] == (
        "会议通知 📌\n请于周五前回复\n时间：12月2日 周三 15:00\n地点：三楼会议室\n能到 3 · 请假 1 · 未答 37（共 41）\n"
        f"请假（3）：王老师、李老师{FAMILY}、（无名）\n姓名 | 部门\n王老师 | 语文组\n张老师 | 数学组\n"
        "得票\n王老师 ▇▇▇▇▇▇▇▇▇▇ 12\n张老师 ▇▇ 3\n李老师 0\n第三条建议改为每周一次\n—— 王老师\n📎 汇总表.xlsx\n"
        "不想再收提醒，回复“停”"
    )
    assert styled(message, "bold") == ["会议通知 📌"]
    assert styled(message, "blockquote") == ["第三条建议改为每周一次"]
    assert message["reply_markup"]["inline_keyboard"] == [
        [
            {"text": "能到", "callback_data": "tg.test:1", "style": "primary"},
            {"text": "请假", "callback_data": "tg.test:2"},
            {"text": "取消", "callback_data": "tg.test:3", "style": "danger"},
        ]
    ]
    assert "parse_mode" not in message


@pytest.mark.parametrize("name", GALLERY)
def test_every_block_is_told(name: str) -> None:
    (message,) = render.render(Card("k", "题", [GALLERY[name]]))
    check(message)
    assert message["text"].strip() != "题"


@pytest.mark.parametrize(
    ("labels", "rows"),
    [
        (["能到"], [1]),
        (["能到", "晚到", "请假"], [3]),
        (["能到", "晚到", "请假", "取消"], [2, 2]),
        (["能到", "晚到", "请假", "改天", "取消"], [3, 2]),
        (["确认发送给全体教师", "取消"], [1, 1]),
        (["王老师同意", "张老师同意"], [2]),
        (["OK", "No", "看一看再说", "好"], [2, 2]),
        ([], []),
    ],
)
def test_rows_by_the_width_of_the_labels(labels: list[str], rows: list[int]) -> None:
    (message,) = render.render(Card("k", "题", (), buttons(*labels)))
    assert [len(row) for row in message.get("reply_markup", {}).get("inline_keyboard", [])] == rows


def test_a_long_card_is_told_in_full_and_then_stands_with_its_buttons() -> None:
    clause = "第{n}条　教师应当按时参加教研活动，因故不能参加的，应当事先向教研组长请假。"
    card = Card(
        "draft:1", "征求意见", [Quote("\n".join(clause.format(n=n) for n in range(200))), Tally([("意见", 5)])], TONED
    )
    messages = render.render(card)
    for number, message in enumerate(messages, 1):
        check(message)
        assert ("reply_markup" in message) == (number == len(messages))
    told = "".join(MARK.sub("", m["text"]) for m in messages[:-1])
    assert told == render.told(card)
    assert [MARK.match(m["text"])[2] for m in messages[:-1]] == [str(len(messages))] * (len(messages) - 1)  # type: ignore[index]
    face = messages[-1]
    assert face == render.face(card)
    assert face["text"].startswith("征求意见\n……（这里放不下")
    assert "意见 5" in face["text"]
    assert not render.is_whole(card)


def test_a_hundred_and_one_buttons() -> None:
    card = Card("stars:1", "选一位", (), buttons(*(f"候选{n}号" for n in range(1, 131))))
    (message,) = render.render(card)
    check(message)
    carried = [b["callback_data"] for row in message["reply_markup"]["inline_keyboard"] for b in row]
    assert carried == [f"tg.test:{n}" for n in range(1, 101)]
    assert all(f"回复 {n} 选 候选{n}号" in message["text"] for n in range(101, 131))


def test_a_line_break_in_a_value_forges_no_line() -> None:
    (message,) = render.render(Card("k", "题", [Facts([("发起人", "王老师\n校长通知：明天停课")])]))
    assert "\n校长通知" not in message["text"]


def test_nothing_to_see_is_still_a_message() -> None:
    for empty in ("", " ", "\n\n", "\u200b", "\u202e", "\ufeff\u2060"):
        for content in (empty, Card("k", empty)):
            for message in render.render(content):
                check(message)
                assert message["text"] == "（空）"


def test_a_file() -> None:
    document = Document("汇总.xlsx", "x/y", b"1")
    assert render.render(document) == [{"document": document}]


# --- texts ------------------------------------------------------------------------------------------------------


def test_a_short_text_is_itself() -> None:
    assert render.render("没有回执就是没有记上 <b>&amp;*_") == [
        {"text": "没有回执就是没有记上 <b>&amp;*_", "link_preview_options": {"is_disabled": True}}
    ]


JOINED = ["。", "\n", " ", FAMILY, "e\u0301", "🇨🇳", "🇨", "क्षि", "각", "\u1100", "\u1161", "🏽", "\ufe0f", "\u0600"]
INDIC_TO_HANGUL = st.characters(min_codepoint=0x900, max_codepoint=0x11FF)
STICKY = st.characters(categories=["Mn", "Mc", "Me", "Cf", "Sk"]) | INDIC_TO_HANGUL
WRITTEN = st.lists(st.characters(codec="utf-8") | st.sampled_from(JOINED) | STICKY, max_size=80).map("".join)


@given(WRITTEN, st.integers(1, 60))
def test_a_long_text_goes_out_in_parts_that_are_the_text(text: str, times: int) -> None:
    long = (text + "收到") * (times * 40)
    assume(len(long) < 60_000)
    messages = render.render(long)
    for message in messages:
        check(message)
    shown = clean.text(long)
    if len(messages) == 1:
        assert messages[0]["text"] == shown
    else:
        assert "".join(MARK.sub("", m["text"]) for m in messages) == shown
        assert [MARK.match(m["text"])[1] for m in messages] == [str(n) for n in range(1, len(messages) + 1)]  # type: ignore[index]


@given(WRITTEN, st.integers(1, 40))
def test_parts_fit_and_join(text: str, most: int) -> None:
    parts = split(text, most)
    assert "".join(parts) == text
    for part in parts:
        assert units(part) <= most or len(part) == 1


@given(WRITTEN, st.integers(8, 40))
def test_parts_by_bytes(text: str, most: int) -> None:
    parts = split(text, most, size=lambda s: len(s.encode()))
    assert "".join(parts) == text
    assert all(len(part.encode()) <= most for part in parts)


@given(WRITTEN, st.integers(40, 80))
def test_no_cluster_is_cut(text: str, most: int) -> None:
    assume(all(units(c) <= most for c in clusters(text)))
    at = 0
    for part in split(text, most)[:-1]:
        at += len(part)
        assert not joined(text, at)


def perl_borders(texts: Sequence[str]) -> list[set[int]]:
    """Where perl, which has the tables of Unicode, sees a border: an opinion that is not ours."""
    read = r'binmode(STDIN,":utf8"); while (<STDIN>) { chomp; s/\\n/\n/g;'
    script = read + r' print join(",", map { length } /\X/g), "\n"; }'
    given = "\n".join(text.replace("\n", "\\n") for text in texts) + "\n"
    assert PERL is not None
    told = subprocess.run([PERL, "-e", script], input=given.encode(), capture_output=True, check=True).stdout.decode()
    found = []
    for line in told.splitlines():
        at, borders = 0, {0}
        for length in line.split(",") if line else []:
            at += int(length)
            borders.add(at)
        found.append(borders)
    return found


@pytest.mark.skipif(PERL is None, reason="no perl here to ask")
@given(st.lists(WRITTEN.filter(lambda t: "\\" not in t and "\r" not in t), min_size=30, max_size=60))
def test_every_cut_is_a_border_for_unicode(texts: list[str]) -> None:
    # Tables of different age differ over what is not assigned yet.
    texts = [t for t in texts if t and not any(unicodedata.category(c) == "Cn" for c in t)]
    if not texts:
        return
    for text, borders in zip(texts, perl_borders(texts), strict=True):
        ours = {at for at in range(len(text) + 1) if not joined(text, at)}
        assert ours <= borders, (text, sorted(ours - borders))


def test_cut_where_a_reader_would() -> None:
    assert split("第一行\n第二行\n第三行", 8) == ["第一行\n第二行\n", "第三行"]
    assert split("你好啊。今天开会", 6) == ["你好啊。", "今天开会"]
    assert split("ab cd ef", 5) == ["ab ", "cd ef"]
    assert split(FAMILY * 3, 23) == [FAMILY * 2, FAMILY]
    assert split("🇨🇳🇨🇳", 5) == ["🇨🇳", "🇨🇳"]
    assert split("0123456789", 4, whole=[(2, 8)]) == ["01", "2345", "6789"]


def test_a_monstrous_cluster_still_goes_out() -> None:
    zalgo = "a" + "\u0301" * 9000
    messages = render.render(zalgo)
    for message in messages:
        assert units(message["text"]) <= 4096
    assert "".join(MARK.sub("", m["text"]) for m in messages) == zalgo


# --- names ------------------------------------------------------------------------------------------------------

HOSTILE = [
    "李\u202e老师\u200b👨‍👩‍👧‍👦", "\u202e\u202d", "王\n校长通知：停课", "a" * 500, "👍🏽" * 200, "\u2066x\u2069",
    "محمد", "עברית 12", "<b>*_`[x](y)", "{name} %s %(x)s", "\x00\x07\x1b[31m", "\ud800x", "\u3164", "\u2800",
    "e\u0301" * 60, "ﷺ", "क्ष", "\ufeff张", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "@all", "/start", "https://evil.example", "\u115f\u1160", "   ", "",
]  # fmt: skip


@pytest.mark.parametrize("raw", HOSTILE)
def test_a_hostile_name_is_shown_tamed(raw: str) -> None:
    assert_tame(clean.name(raw))
    (message,) = render.render(Card("k", raw, [People(raw, [raw, "王老师"]), Quote(raw, raw)], buttons(raw or "x")))
    check(message)
    assert not clean.TURNING & set(message["text"].replace(clean.FSI, "").replace(clean.PDI, ""))


def assert_tame(name: str) -> None:
    inner = name.removeprefix(clean.FSI).removesuffix(clean.PDI)
    assert not (clean.TURNING | {"\n", "\u200b", "\ufeff"}) & set(inner)
    assert not clean.is_blank(inner)
    assert len(list(clusters(inner))) <= clean.NAME_LENGTH
    assert (name != inner) == (name.startswith(clean.FSI) and name.endswith(clean.PDI))
    name.encode()


@given(st.text(st.characters()))
def test_any_name_is_tame(raw: str) -> None:
    assert_tame(clean.name(raw))
    assert clean.name(clean.name(raw)) == clean.name(raw)


def test_ordinary_names_stay() -> None:
    for name in ("王老师", "欧阳 修", "Zoë", "阿卜杜拉·买买提", "李明👍🏽", FAMILY):
        assert clean.name(name) == name
    assert clean.name("محمد") == "\u2068محمد\u2069"


@given(st.text(st.characters(codec="utf-8")))
def test_words_lose_nothing_visible(raw: str) -> None:
    kept = clean.text(raw)
    assert [c for c in kept if not c.isspace()] == [
        c for c in raw if not c.isspace() and c not in clean.TURNING and not c < " " and not "\x7f" <= c <= "\x9f"
    ]


# --- answers and numbers ----------------------------------------------------------------------------------------


def test_a_toast_fits() -> None:
    assert render.toast(Answer()) == {}
    assert render.toast(Answer("已记下：能到")) == {"text": "已记下：能到"}
    assert render.toast(Answer("不行", alert=True)) == {"text": "不行", "show_alert": True}
    long = render.toast(Answer("很长。" * 200))["text"]
    assert units(long) <= 200
    assert long.endswith("…")
    assert len(list(clusters(render.toast(Answer(FAMILY * 100))["text"].removesuffix("…")))) == 18


@given(st.text(st.characters()), st.booleans())
def test_any_toast_fits(text: str, alert: bool) -> None:
    payload = render.toast(Answer(text, alert))
    assert units(payload.get("text", "")) <= 200
    msgspec.json.encode(payload)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("7", 7), ("７", 7), ("选7", 7), ("回复 7", 7), ("第7个", 7), ("7。", 7), ("#12", 12), ("7 8", None),
     ("第三条", None), ("7点开会", None), ("", None), ("12345", None), ("7" * 30, None)],
)  # fmt: skip
def test_a_number_is_read(text: str, meant: int | None) -> None:
    assert choices.number(text) == meant


async def test_a_number_means_the_newest_card_of_its_conversation() -> None:
    here, there = Place("telegram", "1", True), Place("telegram", "2", True)
    known = choices.Choices()
    assert await known.chosen(here, "3") is None
    await known.offer(here, choices.spare(buttons("赵", "钱", "孙"), 1), "55")
    assert await known.chosen(here, "选 3") == ("tg.test:3", "55")
    assert await known.chosen(here, "1") is None
    assert await known.chosen(there, "3") is None
    await known.offer(here, choices.spare(buttons("李", "周"), 0), "56")
    assert await known.chosen(here, "2") == ("tg.test:2", "56")
    assert await known.chosen(here, "3") is None


def test_words_for_the_buttons_without_a_place() -> None:
    assert choices.words(choices.spare(buttons("赵老师", "钱老师"), 1)) == "回复 2 选 钱老师"


def test_shortened_by_what_is_seen() -> None:
    assert shorten(FAMILY * 3, 3) == FAMILY * 3
    assert shorten(FAMILY * 4, 3) == FAMILY * 2 + "…"
