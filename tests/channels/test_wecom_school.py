"""A school on 企业微信 from its first minute, as docs/manual/wecom.md tells it: processes of their own, real wires."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.wecom import FakeWecom
from tests.test_cli import Running, bot, free_port

SECRET = "HONGZHU_WECOM__SECRET"
QUIET = '[quiet]\nstart = "00:00"\nend = "00:00"\n'  # the tests run at any hour


@pytest.fixture
def fake() -> Iterator[FakeWecom]:
    with FakeWecom() as one:
        yield one


def settle_in(folder: Path, fake: FakeWecom, more: str = "", web: bool = False) -> None:
    page = "" if web else "enabled = false\n"
    ours = f'enabled = true\nbot_id = "{fake.bot_id}"\nbot_name = "红烛"\nserver = "{fake.ws_url}"\n'
    ours += f'api_base = "{fake.url}"\n'
    (folder / "config.toml").write_text(f"[web]\n{page}[wecom]\n{ours}{more}{QUIET}", encoding="utf-8")


def code_for(folder: Path, name: str, role: str = "办公室") -> str:
    bot(folder, "people", "--add", name, "--role", role)
    told = bot(folder, "people", "--code", name).stdout
    found = re.search(r"绑定 (\d{6})", told)
    assert found is not None, bot(folder, "check").stderr + told
    return found[0]


@pytest.mark.slow
def test_the_first_ten_minutes(tmp_path: Path, fake: FakeWecom, monkeypatch: pytest.MonkeyPatch) -> None:
    """No public address, no web page: the office binds itself and the group, and the first notice is answered."""
    monkeypatch.setenv(SECRET, fake.secret)
    settle_in(tmp_path, fake)
    hers, his = code_for(tmp_path, "李书记"), code_for(tmp_path, "王老师", "教职工")
    secretary, teacher = fake.user("LiShuji", "李书记"), fake.user("wang", "王老师")
    room = fake.group("全体教职工群", members=[secretary, teacher])
    one = Running(tmp_path, free_port())
    try:
        one.says("红烛已启动")
        fake.wait(lambda: fake.connected, 20)
        teacher.opens()
        fake.wait(lambda: teacher.inbox, what="a welcome")
        for who, said in ((secretary, hers), (teacher, his)):
            who.says(said)
            fake.wait(lambda who=who: any("已绑定" in m.text for m in who.inbox), what=who.name)
        secretary.says("绑定本群", in_=room)
        fake.wait(lambda: any("已绑定" in m.text for m in room.from_bot), what="the group")
        secretary.says("发通知 明天下午三点半 三楼会议室 教学例会")
        fake.wait(lambda: any("确认发送" in m.labels for m in secretary.inbox), what="a draft")
        secretary.presses("预览", "确认发送").wait()
        fake.wait(lambda: any("能到" in m.labels for m in room.from_bot), what="the notice")
        assert "已记下：能到" in teacher.presses("教学例会", "能到").wait()
        assert fake.secret not in json.dumps([call.body for call in fake.calls if call.cmd != "aibot_subscribe"])
        checked = bot(tmp_path, "check")
        assert "✗" not in checked.stdout and fake.connected, checked.stdout
        assert f"群编号 {room.id}" in checked.stdout
        assert len(fake.calls_of("aibot_subscribe")) == 1, "check has thrown out the bot that runs"
        assert one.ends() == 0
    finally:
        if one.process.poll() is None:
            one.ends(9)
    assert "wecom：可以用" in bot(tmp_path, "check").stdout


@pytest.mark.parametrize(
    ("more", "secret", "sentence"),
    [
        ("", "wrong-secret-of-the-bot", "不认机器人的 BotID 或 Secret"),
        ("", "", "没有机器人长连接的 Secret，请写进环境变量 HONGZHU_WECOM__SECRET"),
        ('[wecom.app]\ncorp_id = "ww00000000000000ab"\nagent_id = 1000002\n', None, "自建应用要有 Secret"),
    ],
)
def test_check_says_in_one_sentence_what_to_click(
    tmp_path: Path, fake: FakeWecom, more: str, secret: str | None, sentence: str
) -> None:
    settle_in(tmp_path, fake, more)
    checked = bot(tmp_path, "check", **{SECRET: fake.secret if secret is None else secret})
    assert checked.returncode != 0
    said = [line for line in (checked.stdout + checked.stderr).splitlines() if sentence in line]
    assert len(said) == 1, checked.stdout + checked.stderr
    assert (secret or fake.secret) not in checked.stdout + checked.stderr


def test_check_says_that_there_is_no_way_to_the_platform(tmp_path: Path, fake: FakeWecom) -> None:
    settle_in(tmp_path, fake)
    fake.stop()
    checked = bot(tmp_path, "check", **{SECRET: fake.secret})
    assert "wecom：连不上企业微信" in checked.stdout
