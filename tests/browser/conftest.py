"""A real browser in front of a real server. Screenshots are kept in ``artifacts/``."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.channels.web_school import WebSchool

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARTIFACTS = Path(__file__).resolve().parents[2] / "artifacts"

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt install chromium fonts-noto-cjk")
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
    contexts: list[BrowserContext] = []
    trouble: list[str] = []

    def watch(page: Page) -> None:
        page.set_default_timeout(8000)
        page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (trouble.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: request.url.startswith((school.url, "data:")) or trouble.append(request.url))

    def open_(who: str, width: int = 1280, height: int = 800, *, dark: bool = False, path: str | None = None) -> Page:
        scheme = "dark" if dark else "light"
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, locale="zh-CN", has_touch=width < 720
        )
        contexts.append(context)
        page = context.new_page()
        watch(page)
        page.goto(f"{school.url}{path or f'/as/{who}/'}")
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
