"""The page in the hands of people: taps, words, lost connections, hostile names, the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.engine.port import Answer, Unavailable
from bot.kit.event import Event
from storage import people
from tests.channels.test_web_render import HOSTILE
from tests.channels.web_school import WebSchool, deed, gallery

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
Open = Callable[..., Page]


def say(page: Page, text: str) -> None:
    page.fill("#say", text)
    page.press("#say", "Enter")


def bubbles(page: Page, where: str = "all") -> list[str]:
    return page.locator(f"#pane-{where} .message .bubble").all_inner_texts()


def test_one_taps_and_everybody_sees_the_counter(school: WebSchool, opens: Open) -> None:
    office, wang = opens("p2"), opens("p3", 390, 844)
    office.evaluate("window.here = true")
    say(office, "开会")
    wang.click(".talk[data-where=all]")
    wang.click(".buttons button:has-text('能到')")
    expect(wang.locator(".toast")).to_have_text("已记下：能到")
    expect(office.locator(".tally li", has_text="能到").locator("b")).to_have_text("1")
    expect(office.locator(".tally li", has_text="未答").locator("b")).to_have_text("37")
    assert office.evaluate("window.here"), "the page was not loaded again"
    assert int(office.locator(".tally rect").first.get_attribute("width") or 0) == 1000 // 38


def test_a_double_click_counts_once(school: WebSchool, opens: Open) -> None:
    office = opens("p2")
    say(office, "开会")
    office.dblclick(".buttons button:has-text('晚到')")
    expect(office.locator(".tally li", has_text="晚到").locator("b")).to_have_text("1")
    assert school.meeting.taps == 1


def test_a_question_is_asked_and_answered_in_private(school: WebSchool, opens: Open) -> None:
    zhang = opens("p4")
    with school.client() as client:
        client.post("/as/p2/say", json=deed(text="开会"))
    zhang.click(".buttons button:has-text('请假')")
    expect(zhang.locator(".talk[data-where=me] .badge b")).to_have_text("1")
    expect(zhang).to_have_title("(1) 红烛 · 红烛示范小学")
    zhang.click("a.toast")
    expect(zhang.locator("#pane-me .question")).to_be_visible()
    say(zhang, "家里有事")
    expect(zhang.locator("#pane-me .bot .bubble")).to_contain_text("已记下：请假（家里有事）")
    expect(zhang.locator("#pane-me .mine .bubble")).to_have_text("家里有事")
    expect(zhang).to_have_title("红烛 · 红烛示范小学")
    zhang.reload()
    assert bubbles(zhang, "me") == ["家里有事", "已记下：请假（家里有事）。要改的话，回到群里再点一次。"]
    other = opens("p4")
    other.click(".talk[data-where=me]")
    assert bubbles(other, "me") == ["已记下：请假（家里有事）。要改的话，回到群里再点一次。"], (
        "typed words stay in their browser"
    )


def test_what_could_not_be_recorded_stays_in_the_box(school: WebSchool, opens: Open) -> None:
    wang = opens("p3")
    hear = school.channel._hear

    async def full(event: Event) -> Answer:
        raise Unavailable

    for times, where in enumerate(("all", "me"), start=1):
        wang.click(f".talk[data-where={where}]")
        school.channel._hear = full
        say(wang, "收到")
        expect(wang.locator(".toast.alert").last).to_have_text("暂时无法记录，请稍后再试。")
        expect(wang.locator("#say")).to_have_value("收到")
        school.channel._hear = hear
        wang.press("#say", "Enter")
        expect(wang.locator("#say")).to_have_value("")
        expect(wang.locator(f"#pane-{where} .mine:not(.pending)")).to_have_count(1)
        while len(school.meeting.said) < times:  # in the group words stand before they are heard
            wang.wait_for_timeout(20)
    assert school.meeting.said == ["收到", "收到"]


def test_without_a_line_the_words_stay_too(school: WebSchool, opens: Open) -> None:
    wang = opens("p3")
    wang.context.set_offline(True)
    say(wang, "收到")
    expect(wang.locator(".toast.alert")).to_contain_text("连不上")
    wang.context.set_offline(False)
    wang.press("#say", "Enter")
    expect(wang.locator("#pane-all .mine")).to_have_count(1)
    assert school.meeting.said == ["收到"]


def test_who_was_away_catches_up(school: WebSchool, opens: Open) -> None:
    wang = opens("p3")
    expect(wang.locator("#pane-all")).to_be_visible()
    wang.wait_for_timeout(300)
    hub = school.channel.hub

    async def cut() -> None:
        hub.closed = True
        hub.recheck()

    school.run(cut())
    wang.wait_for_timeout(200)
    hub.closed = False
    with school.client() as client:
        for word in ("一", "二", "三"):
            client.post("/as/p4/say", json=deed(text=word))
    expect(wang.locator("#pane-all .message")).to_have_count(3)
    assert bubbles(wang) == ["一", "二", "三"]


def test_a_reply_quotes(school: WebSchool, opens: Open) -> None:
    office, wang = opens("p2"), opens("p3")
    say(wang, "三楼还是四楼？")
    office.hover("#pane-all .other .bubble")
    office.click("#pane-all .other .reply")
    expect(office.locator(".replying")).to_contain_text("回复 王老师：三楼还是四楼？")
    say(office, "三楼")
    expect(wang.locator("#pane-all .quoted")).to_have_text("回复 王老师：三楼还是四楼？")
    expect(office.locator(".replying")).to_be_hidden()


def test_a_file_is_sent(school: WebSchool, opens: Open, tmp_path: Path) -> None:
    wang = opens("p3")
    wang.click(".talk[data-where=me]")
    file = tmp_path / "修改意见.txt"
    file.write_bytes("第三条建议改为两周".encode())
    wang.set_input_files(".attach input", file)
    expect(wang.locator("#pane-me .bot .bubble").last).to_have_text("收到文件 修改意见.txt，27 字节。")
    expect(wang.locator("#pane-me .mine .bubble")).to_have_text("[文件] 修改意见.txt")
    big = tmp_path / "big.txt"
    big.write_bytes(b"x" * 200_001)
    wang.set_input_files(".attach input", big)
    expect(wang.locator(".toast.alert")).to_contain_text("太大")


def test_hostile_people_run_no_script(school: WebSchool, opens: Open) -> None:
    def rename(number: int, name: str) -> None:
        school.write(lambda db: people.change(db, number, name=name[:64]))

    with school.client() as client:
        for number, word in enumerate(HOSTILE, start=5):
            rename(number, word.replace("\x00", "") or "空")
            client.post(f"/as/p{number}/say", json=deed(text=word[:900]))
            school.meeting.gallery = gallery(word)
            client.post(f"/as/p{number}/say", json=deed(text="样张"))
            school.settle()
    page = opens("p3")
    expect(page.locator("#pane-all .card")).to_have_count(len(HOSTILE))
    page.click("#switch")
    page.wait_for_timeout(300)
    names = page.locator("#pane-all .who b").all_inner_texts()
    assert all("\n" not in name and "\u202e" not in name for name in names)
    assert page.locator("script").count() == 1
    names = "[...document.querySelectorAll('*')].flatMap((e) => e.getAttributeNames())"
    assert not [name for name in page.evaluate(names) if name.startswith("on")]
    page.reload()
    live = opens("p4")
    with school.client() as client:
        for word in HOSTILE:
            client.post("/as/p5/say", json=deed(text=f"{word}!"[:900]))
    live.wait_for_timeout(500)
    assert live.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_keyboard_is_enough(school: WebSchool, opens: Open) -> None:
    page = opens("p3")
    with school.client() as client:
        client.post("/as/p2/say", json=deed(text="开会"))
    expect(page.locator(".buttons")).to_be_visible()
    page.evaluate("document.body.tabIndex = -1; document.body.focus()")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.token") == "t.rsvp:1:y":
            break
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_have_text("已记下：能到")
    expect(page.locator(".tally li", has_text="能到").locator("b")).to_have_text("1")
    assert page.evaluate("document.activeElement.dataset.token") == "t.rsvp:1:y", "the focus stays through the redraw"


def test_a_line_break_and_an_input_method_do_not_send(school: WebSchool, opens: Open) -> None:
    page = opens("p3")
    page.fill("#say", "第一行")
    page.press("#say", "Shift+Enter")
    page.keyboard.type("第二行")
    page.evaluate("""() => document.querySelector('#say').dispatchEvent(
        new KeyboardEvent('keydown', {key: 'Enter', keyCode: 229, bubbles: true, cancelable: true}))""")
    assert page.input_value("#say") == "第一行\n第二行"
    page.press("#say", "Enter")
    expect(page.locator("#pane-all .mine .bubble")).to_have_text("第一行\n第二行")


def test_everything_has_a_name_for_who_cannot_see(school: WebSchool, opens: Open) -> None:
    page = opens("p3")
    with school.client() as client:
        client.post("/as/p2/say", json=deed(text="开会"))
    expect(page.locator(".card")).to_be_visible()
    nameless = page.evaluate("""() => [...document.querySelectorAll('button, a, input, textarea')].filter((e) =>
        !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.[0]?.textContent.trim()))
        .map((e) => e.outerHTML)""")
    assert nameless == []
    log = page.locator("#pane-all .log")
    assert (log.get_attribute("role"), log.get_attribute("aria-live")) == ("log", "polite")
    assert page.locator("#toasts").get_attribute("aria-live") == "polite"
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    assert page.locator("img:not([alt])").count() == 0


@pytest.mark.parametrize("dark", [False, True])
def test_words_stand_out_from_their_ground(school: WebSchool, opens: Open, dark: bool) -> None:
    page = opens("p2", dark=dark)
    say(page, "开会")
    expect(page.locator(".card")).to_be_visible()
    weak = page.evaluate(
        """() => {
        const part = (c) => { c /= 255; return c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4; };
        const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
        const light = ([r, g, b]) => .2126 * part(r) + .7152 * part(g) + .0722 * part(b);
        const ground = (e) => {
            const colour = e && rgb(getComputedStyle(e).backgroundColor);
            return !e ? [255, 255, 255] : colour[3] === 0 ? ground(e.parentElement) : colour;
        };
        const read = (e) => e.offsetParent && !e.closest('[aria-hidden], .unseen, .reply')
            && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
        return [...document.querySelectorAll('main *, nav *, header *')].filter(read).map((e) => {
            const a = light(rgb(getComputedStyle(e).color)), b = light(ground(e));
            return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), e.className, e.textContent.slice(0, 20)];
        }).filter(([ratio]) => ratio < 4.5);
    }"""
    )
    assert weak == []


def test_a_phone_shows_one_thing_at_a_time(school: WebSchool, opens: Open) -> None:
    page = opens("p3", 390, 844)
    expect(page.locator(".talks")).to_be_visible()
    expect(page.locator("main")).to_be_hidden()
    page.click(".talk[data-where=all]")
    expect(page.locator(".talks")).to_be_hidden()
    with school.client() as client:
        client.post("/as/p3/open", json={})
    expect(page.locator("#pane-all .elsewhere")).to_have_text("1 条新消息")
    page.click("#pane-all .back")
    expect(page.locator(".talk[data-where=me] .badge b")).to_have_text("1")
    page.click(".talk[data-where=me]")
    expect(page.locator("#pane-me .bot")).to_have_count(1)
    page.go_back()
    expect(page.locator(".talks")).to_be_visible()
    expect(page.locator(".talk[data-where=me] .badge")).to_be_hidden()


def test_older_messages_come_when_asked_for(school: WebSchool, opens: Open) -> None:
    with school.client() as client:
        for n in range(60):
            client.post("/as/p4/say", json=deed(text=f"第{n}句"))
    page = opens("p3")
    expect(page.locator("#pane-all .message")).to_have_count(50)
    page.click("#pane-all .older")
    expect(page.locator("#pane-all .message")).to_have_count(60)
    assert bubbles(page)[0] == "第0句"
    expect(page.locator("#pane-all .older")).to_be_hidden()
    expect(page.locator("#pane-all .day")).to_have_count(1)


def test_a_link_lets_one_person_in_and_out_again(chromium: Browser, tmp_path: Path) -> None:
    school = WebSchool(tmp_path, demo=False)
    until = datetime.now(UTC) + timedelta(minutes=5)
    school.write(lambda db: people.issue_code(db, 3, "login", "a-code-of-more-than-20-chars", until))
    context = chromium.new_context(locale="zh-CN")
    try:
        page = context.new_page()
        page.goto(f"{school.url}/login/a-code-of-more-than-20-chars")
        page.click("#enter")
        expect(page.locator(".me")).to_have_text("王老师")
        say(page, "收到")
        expect(page.locator("#pane-all .mine")).to_have_count(1)
        assert page.locator("#switch").count() == 0
        page.click("#leave")
        expect(page.locator("h1")).to_have_text("还没有登录")
        page.go_back()
        assert page.locator("text=收到").count() == 0, "the back button shows nothing after leaving"
        page.goto(f"{school.url}/login/a-code-of-more-than-20-chars")
        page.click("#enter")
        expect(page.locator("#said")).to_contain_text("已经用过")
    finally:
        context.close()
        school.close()
