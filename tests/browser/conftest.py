"""A real browser in front of a real server. Screenshots are kept in ``artifacts/``."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.school import DemoSchool
from tests.channels.web_school import WebSchool
from tests.test_cli import running

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARTIFACTS = Path(__file__).resolve().parents[2] / "artifacts"

Open = Callable[..., Page]


@pytest.fixture(scope="module")  # Playwright keeps a loop running: left open, no async test after it could run
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt install chromium fonts-noto-cjk")
    expect.set_options(timeout=20_000)  # a child that reads a file has to start, perhaps on a busy machine
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def school(tmp_path: Path) -> Iterator[WebSchool]:
    made = WebSchool(tmp_path)
    yield made
    made.close()


@pytest.fixture
def opens(chromium: Browser, school: WebSchool) -> Iterator[Open]:
    """``opens("p3", width=390)``: a browser of its own for this person, watched for errors and for other machines."""
    with opening(chromium, school.url) as open_:
        yield open_


@pytest.fixture
def program(chromium: Browser, tmp_path: Path) -> Iterator[Open]:
    """``python -m bot run`` in an empty folder, as a newcomer starts it."""
    with running(tmp_path) as started:
        started.says("红烛已启动")
        with opening(chromium, started.url.rstrip("/")) as open_:
            yield open_


@pytest.fixture
def demo_school(chromium: Browser, tmp_path: Path) -> Iterator[DemoSchool]:
    """The demo school in this process, whose clock is moved by hand: hours cannot be waited for."""
    made = DemoSchool(tmp_path)
    with opening(chromium, made.address) as made.opens:
        yield made
    made.close()


@contextmanager
def opening(chromium: Browser, url: str) -> Iterator[Open]:
    contexts: list[BrowserContext] = []
    trouble: list[str] = []

    def watch(page: Page) -> None:
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (trouble.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: request.url.startswith((url, "data:")) or trouble.append(request.url))

    def open_(who: str, width: int = 1280, height: int = 800, *, dark: bool = False, path: str | None = None) -> Page:
        scheme = "dark" if dark else "light"
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, locale="zh-CN", has_touch=width < 720
        )
        contexts.append(context)
        page = context.new_page()
        watch(page)
        page.goto(f"{url}{path or f'/as/{who}/'}")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert trouble == []


@pytest.fixture
def keeps() -> Callable[[Page, str], None]:
    """A screenshot for people to look at."""
    ARTIFACTS.mkdir(exist_ok=True)
    return lambda page, name: page.screenshot(path=ARTIFACTS / f"{name}.png") and None
