"""Cards on 企业微信: inside the platform's limits in the strictest unit, nothing lost, nothing styled by others."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels import clean
from bot.channels.graphemes import units
from bot.channels.wecom import prose, render
from bot.channels.wecom.parse import token_of
from bot.channels.wecom.task import Task
from bot.engine.port import Document
from bot.kit.action import Action
from bot.kit.card import Button, Card, Facts, Line, Quote, Tally, Tone
from tests.channels.test_contract import CARDS, NAMES, Shown, everything, visible, words
from tests.fakes.wecom_cards import Check
from tests.fakes.wecom_world import choices
from tests.fakes.wecom_world import words as card_words


@dataclass(frozen=True)
class Pick(Action, verb="w.pick"):
    number: int


def card(buttons: int, label: str = "能到", title: str = "教学例会", line: str = "周五 15:30") -> Card:
    return Card("notice:42", title, [Line(line)], [Button(f"{label}{n}", Pick(n)) for n in range(buttons)])


def on_wecom(shown: Card) -> Shown:
    """For the contract of all channels."""
    texts, tokens = [], []
    for payload in render.render(shown):
        if "markdown" in payload:
            texts.append(re.sub(r"^（\d+/\d+）\n", "", payload["markdown"]["content"]).replace("**", ""))
        else:
            texts.append(card_words(payload["template_card"]))
            tokens += [token_of(key) for _label, key in choices(payload["template_card"])]
    numbered = sum(1 for text in texts for line in text.splitlines() if re.match(r"回复 \d+ 选 ", line))
    return Shown("\n".join(texts), tokens, numbered)


def template(shown: Card, **more: str) -> dict[str, object]:
    return render.template(shown, Task("0123456789abcdef", 0, shown.key), **more)


# --- the contract -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shown", CARDS, ids=NAMES)
def test_no_word_is_lost(shown: Card) -> None:
    text = visible(on_wecom(shown).text)
    for piece in words(shown):
        assert any(visible(name) in text for name in (clean.name(piece), piece)), piece


@pytest.mark.parametrize("shown", CARDS, ids=NAMES)
def test_no_action_is_lost(shown: Card) -> None:
    found = on_wecom(shown)
    wanted = [button.action.pack() for button in shown.buttons]
    assert found.tokens == wanted[: len(found.tokens)]
    assert len(found.tokens) + found.numbered >= len(wanted)


@pytest.mark.parametrize("shown", CARDS, ids=NAMES)
def test_the_platform_takes_it_and_folds_nothing(shown: Card) -> None:
    folded: list[str] = []
    for payload in render.render(shown):
        if "template_card" in payload:
            Check(payload["template_card"], "bot", folded.append).run()
        else:
            assert 0 < len(payload["markdown"]["content"].encode()) <= 20480
    assert folded == []


@given(st.text(max_size=200), st.lists(st.text(max_size=40), max_size=45), st.text(max_size=300), st.text(max_size=60))
def test_whatever_people_write(title: str, labels: list[str], line: str, note: str) -> None:
    made = Card("k:1", title, [Line(line), Facts([("时间", line), (title, note)])],
                [Button(label, Pick(n)) for n, label in enumerate(labels)])  # fmt: skip
    folded: list[str] = []
    for payload in render.render(made):
        if "template_card" in payload:
            Check(payload["template_card"], "bot", folded.append).run()
    for kind in (render.BUTTONS, render.VOTE):
        if render.fits(made, kind, 0):
            face = render.template(made, Task("0" * 16, 0, "k:1"), kind, note)
            assert face["card_type"] == kind
            Check(face, "bot", folded.append, update=True).run()
    assert folded == []


# --- what it looks like -----------------------------------------------------------------------------------------------


def test_up_to_six_are_buttons_and_more_are_a_vote() -> None:
    assert template(card(6))["card_type"] == "button_interaction"
    assert template(card(7))["card_type"] == "vote_interaction"
    assert len(render.render(card(20))) == 1
    assert [p["template_card"]["checkbox"]["question_key"] for p in render.render(card(45))] == ["q0", "q1", "q2"]
    assert (
        render.render(card(100))[-1]["template_card"]["task_id"]
        != render.render(card(100))[-2]["template_card"]["task_id"]
    )


def test_a_hundred_can_be_tapped_and_the_rest_is_chosen_by_number() -> None:
    found = on_wecom(everything("多", buttons=130))
    assert len(found.tokens) == 100 and found.numbered == 30


def test_facts_are_the_platforms_own_rows() -> None:
    made = template(Card("n:1", "例会", [Facts([("时间", "周五 15:30"), ("地点", "三楼")])], card(1).buttons))
    rows = made["horizontal_content_list"]
    assert rows == [{"keyname": "时间", "value": "周五 15:30"}, {"keyname": "地点", "value": "三楼"}]


def test_a_card_without_buttons_is_a_text() -> None:
    (only,) = render.render(Card("n:1", "例会", [Line("已结束")]))
    assert only == {"msgtype": "markdown", "markdown": {"content": "**例会**\n已结束"}}


def test_what_does_not_fit_is_told_in_full_first() -> None:
    told, face = render.render(Card("n:1", "例会", [Line("很长的话。" * 60)], card(2).buttons))
    assert "很长的话。" * 60 in told["markdown"]["content"]
    assert "见全文" in face["template_card"]["sub_title_text"]


def test_a_label_that_is_cut_stands_in_full_with_its_number() -> None:
    made = Card("n:1", "例会", [], [Button("第三条建议改为自愿参加", Pick(0)), Button("不同意", Pick(1))])
    told, face = render.render(made)
    assert "1. 第三条建议改为自愿参加" in told["markdown"]["content"].replace(prose.ZERO, "")
    assert face["template_card"]["button_list"][0]["text"].startswith("1. 第三条")


def test_a_question_is_one_card() -> None:
    question = Card("", "这次会议几点开？\n（回复“取消”可以不做了）", (), card(3).buttons)
    (face,) = render.render(question)
    assert face["template_card"]["main_title"]["title"] == "这次会议几点开？"


def test_the_word_to_whoever_pressed() -> None:
    made = template(card(2), note="已记下：能到")
    assert made["main_title"] == {"title": "教学例会", "desc": "已记下：能到"}
    long = "这件事只有办公室或校长可以做，请把它告诉他们当中的一位，谢谢。"
    assert str(template(card(2), note=long)["sub_title_text"]).startswith(long)
    assert render.says(long, render.BUTTONS) and not render.says(long, render.VOTE)


def test_an_ended_card_keeps_its_kind_and_nothing_to_press() -> None:
    over = Card("notice:42", "教学例会", [Tally([("能到", 3)])])
    button = template(over, kind=render.BUTTONS)
    assert button["button_list"] == [{"text": "已结束", "style": 2, "key": "closed"}]
    vote = template(over, kind=render.VOTE)
    assert vote["checkbox"]["disable"] is True  # type: ignore[index]
    for face in (button, vote):
        Check(face, "bot", lambda text: None, update=True).run()


def test_whether_a_card_on_the_screen_can_become_this_one() -> None:
    assert render.fits(card(3), render.BUTTONS, 0)
    assert not render.fits(card(9), render.BUTTONS, 0)
    assert render.fits(card(9), render.VOTE, 0) and render.fits(card(3), render.VOTE, 0)
    assert not render.fits(card(9), render.VOTE, 1)
    assert render.fits(card(30), render.VOTE, 1)
    assert render.fits(card(0), render.BUTTONS, 0)


def test_tones() -> None:
    made = Card("n:1", "例会", [], [Button("发", Pick(0), Tone.MAIN), Button("撤", Pick(1), Tone.DANGER)])
    assert [b["style"] for b in template(made)["button_list"]] == [1, 3]  # type: ignore[attr-defined]


# --- texts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hostile",
    [
        "<@all> 放假", "<a href='http://x'>点我</a>", "[点我](http://x)", "![图](http://x)", "# 校长通知", "> 引用",
        "**粗** _斜_ `码`", "- 项\n1. 项", "<font color='warning'>红</font>", "~~删~~", "|表|头|", "<think>想</think>",
        "$userName=lisi$",
    ],
)  # fmt: skip
def test_nobody_styles_our_messages(hostile: str) -> None:
    (only,) = render.render(hostile)
    said = only["markdown"]["content"]
    assert said.replace(prose.ZERO, "") == hostile
    assert not re.search(r"<[@/a-z]|\]\(|^[#>|-]|^\d+\.|\*\*|~~|``|\$u", said, re.MULTILINE)


def test_only_our_own_titles_are_bold() -> None:
    (only,) = render.render(Card("n:1", "**x**", [Quote("> y", "z")]))
    assert "**" not in only["markdown"]["content"]


@given(st.text(max_size=600), st.integers(min_value=60, max_value=200))
def test_parts_joined_are_the_text(text: str, most: int) -> None:
    parts = prose.parts(text, most)
    assert all(len(part.encode("utf-8", "replace")) <= most for part in parts)
    if not clean.is_blank(text):
        assert "".join(re.sub(r"\A（\d+/\d+）\n", "", part) for part in parts) == text or len(parts) == 1


def test_a_long_text_is_numbered_and_cut_between_graphemes() -> None:
    family = "👨\u200d👩\u200d👧\u200d👦"
    payloads = render.render(family * 2000)
    texts = [payload["markdown"]["content"] for payload in payloads]
    assert len(texts) == 3 and texts[0].startswith("（1/3）\n")
    for text in texts:
        body = re.sub(r"\A（\d+/\d+）\n", "", text)
        assert body == family * (len(body) // len(family))


def test_a_blank_text_is_still_something() -> None:
    assert render.render("\u200b")[0]["markdown"]["content"] == "（空）"
    assert units(str(template(card(1, title="\u200b", line=""))["main_title"]["title"])) > 0  # type: ignore[index]


def test_a_file_stays_a_file() -> None:
    document = Document("名单.xlsx", "application/x", b"123456")
    assert render.render(document) == [{"document": document}]
