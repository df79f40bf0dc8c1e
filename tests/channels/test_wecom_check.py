"""``check`` on 企业微信: whatever can be set up wrong is one sentence, with what to click and no secret in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot import serving, serving_wecom
from bot.channels.wecom import doctor
from bot.channels.wecom.client import KICKED, MISNAMED
from bot.config import ConfigError, load
from storage import migrate, ownership, people
from storage.base import Db
from storage.engine import Shelves
from storage.people import Person
from tests.channels.wecom_office import Office, channel, listening, until
from tests.fakes.wecom import FakeWecom

CORP = "ww00000000c0ffee01"
NAMED = 'bot_name = "红烛"\n'


@pytest.fixture
def fake() -> Iterator[FakeWecom]:
    with FakeWecom(corp_id=CORP) as one:
        yield one


class Setting:
    """A school as somebody has set it up, not running."""

    def __init__(self, folder: Path, fake: FakeWecom) -> None:
        self.folder, self.fake = folder, fake
        self.url = f"sqlite:///{folder / 'school.db'}"
        self.bot_id, self.more, self.name = fake.bot_id, "", NAMED
        self.environ = {"HONGZHU_WECOM__SECRET": fake.secret}
        self.ws_url = fake.ws_url

    def with_app(self, **facts: object) -> None:
        app = self.fake.http.app
        given: dict[str, object] = {"corp_id": CORP, "agent_id": app.agent_id} | facts
        self.more = "[wecom.app]\n" + "".join(
            f"{name} = {value if isinstance(value, int) else chr(34) + str(value) + chr(34)}\n"
            for name, value in given.items()
        )
        self.environ |= {
            "HONGZHU_WECOM_APP__SECRET": app.secret,
            "HONGZHU_WECOM_APP__TOKEN": app.token,
            "HONGZHU_WECOM_APP__AES_KEY": app.aes_key,
        }
        app.callback_url = "http://127.0.0.1:9/unused"

    def writes(self, work: Callable[[Db], object]) -> None:
        shelves = Shelves(self.url)
        migrate.upgrade(shelves, self.folder / "backups", 1, datetime.now(UTC))
        with shelves.writer.connect() as connection, connection.begin():
            db = Db(connection)
            work(db)
            db.flush()
        shelves.close()

    def check(self) -> list[str]:
        """Every line that begins with ✗ on the screen."""
        ours = f'enabled = true\nbot_id = "{self.bot_id}"\n{self.name}server = "{self.ws_url}"\n'
        ours += f'api_base = "{self.fake.url}"\n'
        file = self.folder / "config.toml"
        file.write_text(f'[database]\nurl = "{self.url}"\n[wecom]\n{ours}{self.more}', encoding="utf-8")
        try:
            settings = load(file, self.environ)
        except ConfigError as error:
            told = list(error.problems)
        else:
            told = [sentence for fine, sentence in asyncio.run(serving.examine(settings)) if not fine]
        secrets = [*self.environ.values()]
        assert not any(secret in line for line in told for secret in secrets if secret)
        return [line for line in told if "wecom" in line or "WECOM" in line]


@pytest.fixture
def setting(tmp_path: Path, fake: FakeWecom, monkeypatch: pytest.MonkeyPatch) -> Setting:
    monkeypatch.setattr(doctor, "SECONDS", 1.0)
    return Setting(tmp_path, fake)


def test_all_is_well(setting: Setting) -> None:
    assert setting.check() == []
    setting.with_app()
    assert setting.check() == []


# --- the bot --------------------------------------------------------------------------------------------------


def wrong_secret(one: Setting) -> None:
    one.environ["HONGZHU_WECOM__SECRET"] = "not-the-secret-of-this-bot"


def no_secret(one: Setting) -> None:
    del one.environ["HONGZHU_WECOM__SECRET"]


def unknown_bot(one: Setting) -> None:
    one.bot_id = "aibSOMEOTHERBOT"


def corp_for_bot(one: Setting) -> None:
    one.bot_id = CORP


def no_name(one: Setting) -> None:
    one.name = ""


def callback_mode(one: Setting) -> None:
    one.fake.fault("aibot_subscribe", errcode=846999, times=1000)


def creator_only(one: Setting) -> None:
    def heard(db: Db) -> None:
        for name in ("李书记", "王老师", "张老师"):
            people.add(db, Person(0, name))
        people.bind(db, 1, "wecom", "lishuji", talk="lishuji", now=datetime.now(UTC))

    one.writes(heard)


def no_way(one: Setting) -> None:
    one.fake.stop()


def told(sentence: str) -> Callable[[Setting], None]:
    def write(one: Setting) -> None:
        fact = f"{(datetime.now(UTC) - timedelta(hours=1)).isoformat()} {sentence}"
        one.writes(lambda db: ownership.keep_fact(db, serving_wecom.TROUBLE, fact))

    return write


@pytest.mark.parametrize(
    ("wrong", "says", "click"),
    [
        (wrong_secret, "不认机器人的 BotID 或 Secret", "“长连接”设置里核对"),
        (no_secret, "没有机器人长连接的 Secret", "HONGZHU_WECOM__SECRET"),
        (unknown_bot, "不认机器人的 BotID 或 Secret", "“长连接”设置里核对"),
        (corp_for_bot, "填成了企业 ID", "工作台 → 智能机器人 → 点开机器人 → API 模式 → 长连接"),
        (no_name, "bot_name", "照机器人的显示名填写"),
        (callback_mode, "不让机器人上线（846999）", "连接方式选了“长连接”；填了回调 URL 时长连接会被关掉"),
        (creator_only, "只听到过一个人说话", "“可使用的成员”选为全体教职工，“可使用权限”里不要勾选文档、消息、MCP"),
        (no_way, "连不上企业微信", "443 端口，需要代理时设置 HTTPS_PROXY"),
        (told(KICKED), "另一个程序用同一个机器人连上了", "请只留一个，或换一个机器人"),
        (told(MISNAMED), "叫的却不是 bot_name 里的名字", "改成机器人的显示名，一字不差"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_each_mistake_with_the_bot_is_one_sentence(
    setting: Setting, wrong: Callable[[Setting], None], says: str, click: str
) -> None:
    wrong(setting)
    (line,) = setting.check()
    assert says in line and click in line


def test_what_was_told_long_ago_is_told_no_more(setting: Setting) -> None:
    fact = f"{(datetime.now(UTC) - timedelta(days=2)).isoformat()} {KICKED}"
    setting.writes(lambda db: ownership.keep_fact(db, serving_wecom.TROUBLE, fact))
    assert setting.check() == []


def test_a_school_of_one_is_not_taken_for_the_trap(setting: Setting) -> None:
    """Several who were heard are no trap; and before anybody is, there is nothing to say of it."""

    def heard(db: Db) -> None:
        for number, name in enumerate(("lishuji", "wang"), 1):
            people.add(db, Person(0, name))
            people.bind(db, number, "wecom", name, talk=name, now=datetime.now(UTC))

    setting.writes(lambda db: people.add(db, Person(0, "李书记")))
    assert setting.check() == []
    setting.writes(heard)
    assert setting.check() == []


# --- the application ------------------------------------------------------------------------------------------


def app_without(name: str) -> Callable[[Setting], None]:
    def take_away(one: Setting) -> None:
        one.with_app()
        del one.environ[f"HONGZHU_WECOM_APP__{name}"]

    return take_away


def app_deaf(one: Setting) -> None:
    one.with_app()
    del one.environ["HONGZHU_WECOM_APP__TOKEN"], one.environ["HONGZHU_WECOM_APP__AES_KEY"]


def app_secret(one: Setting) -> None:
    one.with_app()
    one.environ["HONGZHU_WECOM_APP__SECRET"] = "not-the-secret-of-the-app"


def app_agent(one: Setting) -> None:
    one.with_app(agent_id=1000077)


def app_corp(one: Setting) -> None:
    one.with_app(corp_id="ww00000000000000ff")


def app_refused(errcode: int) -> Callable[[Setting], None]:
    def refuse(one: Setting) -> None:
        one.with_app()
        one.fake.fault("agent/get", errcode=errcode)

    return refuse


@pytest.mark.parametrize(
    ("wrong", "says", "click"),
    [
        (app_without("SECRET"), "自建应用要有 Secret", "HONGZHU_WECOM_APP__SECRET"),
        (app_without("TOKEN"), "Token 和 EncodingAESKey", "要么都有，要么都没有"),
        (app_deaf, "没有填接收消息的 Token 和 EncodingAESKey", "带按钮的卡片会被拒绝"),
        (app_secret, "自建应用的 Secret 不对", "管理后台 → 应用管理 → 点开应用 → Secret → 查看"),
        (app_corp, "企业 ID（corp_id）不对", "管理后台 → 我的企业"),
        (app_agent, "AgentId 不是这个 Secret 的应用", "从应用的页面上抄下"),
        (app_refused(60020), "不在“企业可信IP”里", "应用页面最下面添加"),
        (app_refused(48002), "没有发消息的权限", "“可见范围”"),
        (app_refused(60011), "看不到通讯录", "可见范围，选上全体教职工"),
        (app_refused(45009), "拒绝了自建应用（45009）", "管理后台 → 应用管理"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_each_mistake_with_the_application_is_one_sentence(
    setting: Setting, wrong: Callable[[Setting], None], says: str, click: str
) -> None:
    wrong(setting)
    (line,) = setting.check()
    assert says in line and click in line


# --- what only a running bot can notice -----------------------------------------------------------------------


async def test_a_name_that_is_not_ours_is_noticed_and_told_once(fake: FakeWecom) -> None:
    """Everything in the group would go unheard, and nobody would know why."""
    complained: list[str] = []

    async def tell(sentence: str) -> None:
        complained.append(sentence)

    wang = fake.user("wang", "王老师")
    room = fake.group("全体教职工群", members=[wang])
    office = Office()
    async with listening(channel(fake, bot_name="小红烛", tell=tell), office):
        for _again in range(2):
            await asyncio.to_thread(wang.says, "绑定本群", room)
        await until(lambda: len(office.heard) == 2 and bool(complained))
    assert complained == [MISNAMED]


async def test_other_peoples_names_are_no_mistake(fake: FakeWecom) -> None:
    complained: list[str] = []

    async def tell(sentence: str) -> None:
        complained.append(sentence)

    wang = fake.user("wang", "王老师")
    room = fake.group("全体教职工群", members=[wang])
    office = Office()
    async with listening(channel(fake, tell=tell), office):
        await asyncio.to_thread(wang.says, "@张老师 请看 a@b.cn", room)
        await until(lambda: bool(office.heard))
    assert complained == []
