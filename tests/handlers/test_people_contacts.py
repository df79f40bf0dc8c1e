"""通讯录: the platform's address book as a roster, with the preview of a file; nothing happens unconfirmed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from bot.engine.port import Progress
from bot.kit.contacts import Contact, Contacts
from bot.kit.errors import Refused
from bot.kit.event import Said
from handlers.people.feature import feature as people_feature
from handlers.roster.feature import feature
from storage import people
from storage.people import Person
from tests.channels.wecom_stage import WecomStage
from tests.handlers.conftest import OpenOffice
from tests.office import Office, Paper, PaperStage


class Book(Paper):
    """A platform on paper, with an address book."""

    name = "wecom"

    def __init__(self) -> None:
        super().__init__()
        self.book: list[Contact] = []
        self.refusal = ""
        self.open = asyncio.Event()
        self.open.set()
        self.asked = 0
        self.errands = {"contacts": self._contacts}

    async def _contacts(self, progress: Progress) -> Any:
        self.asked += 1
        await progress(1, 3)
        await self.open.wait()
        if self.refusal:
            raise Refused(self.refusal)
        return msgspec.to_builtins(Contacts("wecom", self.book))


class BookStage(PaperStage):
    channel = "wecom"

    def __init__(self) -> None:
        self.paper: Book = Book()


Row = tuple[str, str, str]


@pytest.fixture
def office(open_office: OpenOffice) -> Office:
    return open_office(people_feature, feature, staff=5, stage=BookStage())


def book(office: Office) -> Book:
    assert isinstance(office.stage, BookStage)
    return office.stage.paper


def reads(office: Office, *rows: Row) -> str:
    """The office asks for an address book of these (account, name, department); the preview."""
    book(office).book = [Contact(*row) for row in rows]
    return office["办公室"].says("通讯录").last


def roster(office: Office) -> list[tuple[str, str, bool]]:
    return [(p.name, p.department, p.active) for p in office.ask(people.everybody)]


def add(office: Office, name: str, department: str = "语文组", account: str = "", active: bool = True) -> int:
    number = office.write(lambda db: people.add(db, Person(0, name, department)))
    if account:
        office.write(lambda db: people.bind(db, number, "wecom", account, talk=None, now=None))
    if not active:
        office.write(lambda db: people.change(db, number, active=False))
    return number


def accounts(office: Office) -> dict[str, int]:
    return {a: number for (channel, a), number in office.ask(people.account_owners).items() if channel != "web"}


def test_the_address_book_is_shown_then_imported_whole(office: Office) -> None:
    zhao, before = add(office, "赵敏", "教学部"), roster(office)
    told = reads(office, ("zhaomin", "赵敏", "语文组"), ("u3", "王老师", "教学部"), ("sun", "孙新（数学）", "数学组"))
    assert told.startswith("名册预览：通讯录") and roster(office) == before
    assert "新增：1 人" in told and "有变动：1 人" in told and "不变：1 人" in told and "通讯录里没有：4 人" in told
    assert not office["办公室"].sees("导入并停用没有的 4 人")
    office["办公室"].taps("确认导入")
    assert ("赵敏", "语文组", True) in roster(office) and ("孙新", "数学组", True) in roster(office)
    assert accounts(office)["zhaomin"] == zhao and len(roster(office)) == len(before) + 1
    assert "名册已导入：通讯录" in office["办公室"].inbox[-1] or "已导入" in (office["办公室"].toast or "")
    assert "新增：0 人" in reads(office, ("zhaomin", "赵敏", "语文组"), ("sun", "孙新", "数学组"))


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([("x1", "", "语文组")], "没有姓名（语文组，账号 x1）：姓名是空的"),
        ([("x1", "X1", "")], "X1（未写部门，账号 x1）：通讯录里写的是账号，不是姓名"),
        ([("x1", "测试01", "")], "这不像姓名：测试01"),
        ([("u3", "王大明", "语文组")], "王大明（语文组，账号 u3）：名册里这个账号是王老师的"),
        ([("x3", "王老师", "教学部")], "名册里的王老师绑定的是另一个账号。是同一个人，请先发“解绑 王老师”"),
        ([("x1", "周华", "数学组"), ("x2", "周华", "数学组")], "通讯录里有 2 位周华，名册里有 1 位，分不清是谁"),
        ([("x1", "周华", "美术组"), ("x2", "周华", "体育组")], "通讯录里有 2 位周华，名册里有 1 位，分不清是谁"),
    ],
)
def test_a_doubt_is_named_and_then_nothing_is_imported(office: Office, rows: Sequence[Row], told: str) -> None:
    add(office, "周华", "数学组")
    before = roster(office)
    shown = reads(office, ("new", "新老师", "语文组"), *rows)
    assert told in shown and "一行也没有写入。改好后再发“通讯录”。" in shown
    assert not office["办公室"].sees("确认导入")
    office["办公室"].says("确认导入")
    assert roster(office) == before and "new" not in accounts(office)


def test_two_of_one_name_are_told_apart_by_account_then_by_department(office: Office) -> None:
    first = add(office, "周华", "数学组", account="zhou1")
    second = add(office, "周华", "美术组")
    told = reads(office, ("zhou1", "周华", "数学组"), ("zhou2", "周华", "美术组"), ("zhou3", "周华", "体育组"))
    assert "新增：1 人" in told
    office["办公室"].taps("确认导入")
    assert accounts(office)["zhou1"] == first and accounts(office)["zhou2"] == second
    assert [p for p in roster(office) if p[0] == "周华"] == [
        ("周华", "数学组", True),
        ("周华", "美术组", True),
        ("周华", "体育组", True),
    ]


def test_it_stops_nobody_and_brings_nobody_back(office: Office) -> None:
    add(office, "吴退休", account="wu", active=False)
    add(office, "郑退休", active=False)
    told = reads(office, ("wu", "吴退休", "语文组"), ("zheng", "郑退休", "语文组"))
    assert "已离开，不加入（2）：吴退休、郑退休" in told or ("吴退休" in told and "已离开" in told)
    assert not office["办公室"].sees("确认导入")
    assert ("吴退休", "语文组", False) in roster(office) and len(office.ask(people.active)) == 5


def test_what_is_missing_is_told_with_what_to_click(office: Office) -> None:
    book(office).refusal = "这个应用看不到通讯录：请点可见范围。"
    office["办公室"].says("通讯录")
    assert office["办公室"].last.startswith("这个应用看不到通讯录：请点可见范围。也可以把名册文件")


def test_where_no_platform_has_one_a_file_is_the_way(open_office: OpenOffice) -> None:
    office = open_office(people_feature, feature, staff=5, stage=PaperStage())
    office["办公室"].says("通讯录")
    assert "没有接" in office["办公室"].last and "名册文件" in office["办公室"].last


def test_asked_in_the_group_it_is_answered_in_private(office: Office) -> None:
    book(office).book = [Contact("sun", "孙新", "数学组")]
    office["办公室"].says("通讯录", in_group=True)
    assert "名册预览：通讯录" in office["办公室"].last and not any("孙新" in text for text in office.group)
    office["王老师"].says("通讯录")
    assert "只有办公室或校长" in office["王老师"].last and book(office).asked == 1


def test_while_it_is_read_others_are_served_and_it_is_told_how_far(office: Office) -> None:
    who, paper = office["办公室"], book(office)
    office.running.workshop.progress_seconds = 0.0
    paper.book = [Contact("sun", "孙新", "数学组")]
    paper.open.clear()
    office.run(office.stage.deliver(Said(who._id(), office.time(), who.account, who.talk, "通讯录")))
    until(office, lambda: any("已读 1 / 3" in text for text in who.inbox))
    office.run(office.stage.deliver(Said(who._id(), office.time(), who.account, who.talk, "名册模板")))
    until(office, lambda: bool(who.documents))
    assert not any("名册预览" in text for text in who.inbox)
    office.run(opened(paper))
    office.settle()
    assert "名册预览：通讯录" in who.last


def test_a_restart_while_it_is_read_loses_nothing(office: Office) -> None:
    who, paper = office["办公室"], book(office)
    paper.book = [Contact("sun", "孙新", "数学组")]
    paper.open.clear()
    office.run(office.stage.deliver(Said(who._id(), office.time(), who.account, who.talk, "通讯录")))
    until(office, lambda: paper.asked == 1)
    office.run(office.running.stop())
    paper.open.set()
    office._open()
    office.settle()
    assert "名册预览：通讯录" in who.last and paper.asked == 2


async def opened(paper: Book) -> None:
    paper.open.set()


def until(office: Office, true: Callable[[], bool]) -> None:
    async def wait() -> None:
        async with asyncio.timeout(20):
            while not true():  # noqa: ASYNC110 what is waited for has no event
                await asyncio.sleep(0.01)

    office.run(wait())


# --- on the platform itself -----------------------------------------------------------------------------------


@pytest.fixture
def school(open_office: OpenOffice) -> Office:
    return open_office(people_feature, feature, staff=4, stage=WecomStage(app=True))


def test_the_platforms_address_book(school: Office) -> None:
    """Nested departments, two of one name, capital letters in a userid; who is known can be written to at once."""
    fake = school.stage.fake  # type: ignore[attr-defined]
    fake.http.app.callback_url = "http://127.0.0.1:9/unused"
    fake.http.app.parties |= {2: "教学部", 3: "语文组"}
    fake.http.app.parents = {3: 2}
    for person in fake.people.values():
        person.parties = [2]
    for userid, parties in (("ZhouHua", [3]), ("ZhouHua2", [2, 3])):
        fake.user(userid, "周华").parties = parties
    school["办公室"].says("通讯录")
    assert any("新增：2 人" in text for text in school["办公室"].inbox[-2:]), school["办公室"].inbox
    school["办公室"].taps("确认导入")
    new = [p for p in school.ask(people.active) if p.name == "周华"]
    assert [p.department for p in new] == ["语文组", "语文组"]
    assert {account for account, n in accounts(school).items() if n in {p.id for p in new}} == {"zhouhua", "zhouhua2"}
    assert school.ask(people.unreachable) == []
    fake.fault("user/simplelist", errcode=60011)
    school["办公室"].says("通讯录")
    assert "可见范围，选上全体教职工" in school["办公室"].last


def test_without_the_application_the_page_of_the_manual_is_named(open_office: OpenOffice) -> None:
    office = open_office(people_feature, feature, staff=5, stage=WecomStage())
    office["办公室"].says("通讯录")
    assert "要有自建应用" in office["办公室"].last
