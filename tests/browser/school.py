"""Somebody at the page, and a demo school whose clock can be moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from bot import demo
from bot.app import RunningSchool
from bot.engine.port import Channel
from bot.serving import hints_of
from handlers.contents import FEATURES
from storage.base import Db, metadata
from storage.engine import Shelves
from tests.office import Office, Somebody, sqlite_url
from tests.stages import Door, WebStage, _Paged

GROUP, PRIVATE = "all", "me"
NARROW = 720


class Reader:
    """A person with a browser; ``where`` is the group, or the private talk with the bot."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def goes(self, where: str) -> Reader:
        pane = self.page.locator(f"#pane-{where}")
        if not pane.is_visible():
            size = self.page.viewport_size
            if size is not None and size["width"] < NARROW and self.page.locator(".back:visible").count():
                self.page.locator(".back:visible").click()
            self.page.click(f".talk[data-where={where}]")
        expect(pane).to_be_visible()
        if where == PRIVATE:  # who opens an empty talk is greeted first
            expect(pane.locator(".message").first).to_be_visible()
        return self

    def says(self, text: str, where: str = PRIVATE) -> Reader:
        self.goes(where)
        self.page.fill("#say", text)
        self.page.press("#say", "Enter")
        expect(self.page.locator("#say")).to_have_value("")
        if where == PRIVATE:
            expect(self.page.locator("#pane-me .mine:not(.pending) .bubble").last).to_have_text(text)
        return self

    def taps(self, label: str, where: str = PRIVATE) -> Reader:
        """The newest button of that label."""
        self.goes(where)
        self.page.locator(f"#pane-{where} .buttons").get_by_role("button", name=label, exact=True).last.click()
        return self

    def sends(self, file: Path) -> Reader:
        """Through the paperclip, in private."""
        self.goes(PRIVATE)
        self.page.set_input_files(".attach input", file)
        return self

    def saves(self, ending: str, folder: Path) -> Path:
        """The newest file with this ending, where the browser puts it."""
        link = self.page.locator("#pane-me a.file", has_text=ending).last
        expect(link).to_be_visible()
        with self.page.expect_download() as waiting:
            link.click()
        waiting.value.save_as(folder / waiting.value.suggested_filename)
        return folder / waiting.value.suggested_filename

    def reads(self, text: str, where: str = PRIVATE) -> Reader:
        """The bot said so, in words or on a card, and it is what one sees last."""
        self.goes(where)
        expect(self.page.locator(f"#pane-{where} .message.bot").last).to_contain_text(text)
        return self

    def sees(self, text: str) -> Reader:
        """A passing word."""
        expect(self.page.locator(".toast", has_text=text).last).to_be_visible()
        return self

    def asked(self, question: str) -> Reader:
        self.goes(PRIVATE)
        expect(self.page.locator("#pane-me .message.bot").last.locator(".question .ask")).to_contain_text(question)
        return self

    def card(self, title: str, where: str = GROUP) -> Locator:
        """The newest card of that title, shown or not."""
        return self.page.locator(f"#pane-{where} .card", has=self.page.locator("h4", has_text=title)).last

    def counts(self, title: str, **numbers: int) -> Reader:
        """The counter on the card in the group, as this person's page shows it without a reload."""
        for label, number in numbers.items():
            row = self.card(title).locator(".tally li", has=self.page.get_by_text(label, exact=True))
            expect(row.locator("b")).to_have_text(str(number))
        return self

    def messages(self, where: str) -> list[str]:
        """Everything that is kept of a conversation: as it stands after a reload."""
        self.page.reload()
        return self.page.locator(f"#pane-{where} .message[data-seq] .words").all_text_contents()


class _DemoStage(WebStage):
    """The page with the hints of ``python -m bot run``, on a port of its own."""

    def channels(self, running: RunningSchool) -> Sequence[Channel]:
        self.running = running
        channel = _Paged(running.desk, running.shelves, running.school, running.now, hints=hints_of)
        channel.door = self.door = Door()
        return [channel]


class DemoSchool(Office):
    """The 38 people of the demo school, the bot whole, its clock in our hands: ``later(hours=3)``."""

    opens: Callable[..., Page]

    def __init__(self, folder: Path, **more: Any) -> None:
        super().__init__(sqlite_url(folder), FEATURES, _DemoStage(), **more)

    def _seed(self, staff: int) -> None:
        shelves = Shelves(self.url)
        metadata.create_all(shelves.writer)
        with shelves.writer.connect() as connection, connection.begin():
            db = Db(connection)
            demo.seed(db, self.time())
            db.flush()
        shelves.close()

    @property
    def address(self) -> str:
        assert isinstance(self.stage, _DemoStage)
        return self.stage.door.url

    def person(self, number: int) -> Somebody:
        """Somebody without a browser, through the same doors. By number: two people are called 刘洋."""
        return Somebody(self, str(number), number)
