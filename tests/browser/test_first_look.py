"""The page as the office and as a teacher see it first, wide and narrow, by day and by night."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.channels.web_school import WebSchool, gallery

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
Open = Callable[..., Page]
Keep = Callable[[Page, str], None]


def say(page: Page, text: str) -> None:
    page.fill("#say", text)
    page.press("#say", "Enter")


@pytest.fixture
def busy(school: WebSchool) -> WebSchool:
    """A school in the middle of a working day."""
    with school.client() as client:

        def does(who: str, what: str, **facts: str) -> None:
            facts = {
                "id": f"busy-{len(school.meeting.said)}-{who}-{sum(map(ord, str(facts)))}",
                "place": "all",
                **facts,
            }
            client.post(f"/as/{who}/{what}", json=facts)
            school.settle()

        does("p2", "say", text="各位老师，周五下午开教学例会，请在卡片上点一下。")
        does("p2", "say", text="开会")
        for n in range(9, 33):
            does(f"p{n}", "tap", token="t.rsvp:1:y")
        does("p21", "tap", token="t.rsvp:1:l")
        does("p4", "say", text="收到")
        does("p8", "say", text="收到，我带上听课记录。")
        does("p3", "open")
    return school


@pytest.mark.parametrize(("who", "name"), [("p2", "office"), ("p3", "teacher")])
@pytest.mark.parametrize("dark", [False, True], ids=["day", "night"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_looks_like_a_chat(
    busy: WebSchool, opens: Open, keeps: Keep, who: str, name: str, width: int, dark: bool
) -> None:
    page = opens(who, width, 844 if width < 720 else 800, dark=dark)
    expect(page.locator(".talk")).to_have_count(2)
    look = f"web-{name}-{width}{'-dark' if dark else ''}"
    if width < 720:
        expect(page.locator(".talk[data-where=all] .badge b")).to_be_visible()
        keeps(page, f"{look}-list")
    page.click(".talk[data-where=all]")
    expect(page.locator(".card h4", has_text="教学例会")).to_be_visible()
    expect(page.locator(".tally li", has_text="能到")).to_contain_text("24")
    keeps(page, look)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


@pytest.mark.parametrize("width", [1280, 390])
def test_every_block_fits(school: WebSchool, opens: Open, keeps: Keep, width: int) -> None:
    file = school.keep_file("课后服务安排（征求意见稿）.docx", b"x", None)
    school.meeting.gallery = gallery("关于课后服务安排的意见", file)
    page = opens("p3", width, 1500)
    page.goto(page.url + "#me")
    say(page, "样张")
    expect(page.locator(".card a.file")).to_be_visible()
    for block in (".facts", ".tally", ".people", ".table", ".chart", "blockquote", "a.file"):
        assert page.locator(f".card {block}").evaluate("b => b.getBoundingClientRect().right <= innerWidth"), block
    keeps(page, f"web-gallery-{width}")


def test_the_switch(busy: WebSchool, opens: Open, keeps: Keep) -> None:
    page = opens("p2")
    page.click("#switch")
    page.wait_for_timeout(200)
    keeps(page, "web-switch")
    page.keyboard.type("体艺")
    expect(page.locator("#who li:visible")).to_have_count(4)
    page.keyboard.press("Enter")
    expect(page.locator("#switch")).to_contain_text("彭大勇")
