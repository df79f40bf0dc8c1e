"""config.toml and the environment: what is accepted, and the sentence for everything that is not."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config import KEYS, SECRETS, ConfigError, Settings, load
from bot.config_sources import variable

EXAMPLE = Path(__file__).resolve().parents[1] / "config.example.toml"
TOKEN = "123456789:AAcanaryAAcanaryAAcanaryAAcanary123"
SETTING = re.compile(r"^(#?)([a-z_]+) = (.+)$")


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path | None, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load(path, environ)
    assert TOKEN not in str(refused.value)
    return refused.value.problems


def said(tmp_path: Path, text: str, **environ: str) -> str:
    """The one sentence for the one mistake in ``text``, without the place's folder."""
    found = problems(written(tmp_path, text), **environ)
    assert len(found) == 1, found
    return found[0].replace(f"{tmp_path}/", "")


# ---- what is accepted


def test_no_file_at_all_is_the_demo_school(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = load(environ={})
    assert settings.is_demo
    assert settings.web.demo
    assert settings == Settings.demo()


def test_an_empty_file_is_a_real_school_with_every_default(tmp_path):
    settings = load(written(tmp_path, ""), {})
    assert not settings.is_demo
    assert not settings.web.demo
    assert settings == Settings()


def test_the_default_file_is_found_and_is_no_demo(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written(tmp_path, '[school]\nname = "第一小学"')
    assert load(environ={}).school.name == "第一小学"
    assert not load(environ={}).is_demo


def test_the_environment_wins_over_the_file(tmp_path):
    path = written(tmp_path, "[web]\nport = 8081\n[log]\njson = false")
    settings = load(path, {"HONGZHU_WEB__PORT": "9000", "HONGZHU_LOG__JSON": "true", "HONGZHU_WEB__HOST": ""})
    assert (settings.web.port, settings.log.as_json, settings.web.host) == (9000, True, "127.0.0.1")


def test_lists_come_from_the_environment_with_commas(tmp_path):
    settings = load(written(tmp_path, ""), {"HONGZHU_WEB__ALLOWED_HOSTS": "Bot.school.example, b.example"})
    assert settings.web.allowed_hosts == ("bot.school.example", "b.example")


def test_the_host_list_holds_loopback_names_and_the_public_name(tmp_path):
    settings = load(written(tmp_path, '[web]\npublic_url = "https://bot.school.example/"'), {})
    assert settings.web.hosts == ("127.0.0.1", "localhost", "[::1]", "bot.school.example")
    assert settings.web.public_url == "https://bot.school.example"


def test_a_clock_may_be_written_the_chinese_way(tmp_path):
    settings = load(written(tmp_path, '[quiet]\nstart = "21：30"\n[school]\noff_work = 17:15:00'), {})
    assert (settings.quiet.start, settings.school.off_work) == (time(21, 30), time(17, 15))


def test_a_file_saved_by_notepad_is_read(tmp_path):
    path = tmp_path / "config.toml"
    path.write_bytes('\ufeff[school]\r\nname = "第一小学"\r\n'.encode())
    assert load(path, {}).school.name == "第一小学"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_may_be_written_three_ways(tmp_path, scheme):
    settings = load(written(tmp_path, f'[database]\nurl = "{scheme}://hongzhu@db/school"'), {})
    assert settings.database.url.get_secret_value() == "postgresql+psycopg://hongzhu@db/school"


def test_settings_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        Settings().web.port = 1


def test_variables_of_others_are_left_alone(tmp_path):
    assert load(written(tmp_path, ""), {"HONGZHU_CRASH": "after_commit:1", "WEB__PORT": "x"}) == Settings()


# ---- secrets

REAL = "[telegram]\nenabled = true\nallow_cross_border = true\n"


def test_a_secret_comes_from_the_environment_or_from_a_file(tmp_path):
    secret = tmp_path / "token"
    secret.write_text(f"{TOKEN}\n")
    path = written(tmp_path, REAL)
    for environ in ({"HONGZHU_TELEGRAM__TOKEN": TOKEN}, {"HONGZHU_TELEGRAM__TOKEN_FILE": str(secret)}):
        token = load(path, environ).telegram.token
        assert token is not None
        assert token.get_secret_value() == TOKEN


def test_no_form_of_the_settings_shows_a_secret(tmp_path):
    url = "postgresql://hongzhu:canary%40word@db/school"
    environ = {"HONGZHU_TELEGRAM__TOKEN": TOKEN, "HONGZHU_DATABASE__URL": url}
    settings = load(written(tmp_path, REAL), environ)
    for shown in (repr(settings), str(settings), settings.model_dump_json(), str(settings.model_dump())):
        assert "canary" not in shown
    assert {TOKEN, TOKEN.partition(":")[2], "canary@word", "canary%40word"} <= set(settings.secrets())


@pytest.mark.parametrize(
    ("line", "place", "name"),
    [
        (f'[telegram]\ntoken = "{TOKEN}"', "telegram.token", "HONGZHU_TELEGRAM__TOKEN"),
        (f'[telegram]\ntokn = "{TOKEN}"', "telegram.tokn", "HONGZHU_TELEGRAM__TOKEN"),
        (f'[telegram]\nbot_username = "{TOKEN}"', "telegram.bot_username", "HONGZHU_TELEGRAM__TOKEN"),
        ('[telegram]\nwebhook_secret = "abc"', "telegram.webhook_secret", "HONGZHU_TELEGRAM__WEBHOOK_SECRET"),
        ('[database]\nurl = "postgresql://u:canary@h/d"', "database.url", "HONGZHU_DATABASE__URL"),
        ('[database]\nurl = "postgresql://h/d?user=u&password=canary"', "database.url", "HONGZHU_DATABASE__URL"),
    ],
)
def test_a_secret_in_the_file_is_refused_even_when_the_environment_has_a_good_one(tmp_path, line, place, name):
    sentence = said(tmp_path, line, HONGZHU_TELEGRAM__TOKEN=TOKEN)
    assert sentence.startswith(f"config.toml → {place}: 秘密不写在配置文件里")
    assert "换" in sentence
    assert f"{name}（或 {name}_FILE" in sentence
    assert "canary" not in sentence


def test_both_a_secret_and_its_file_are_one_too_many(tmp_path):
    secret = tmp_path / "token"
    secret.write_text(TOKEN)
    environ = {"HONGZHU_TELEGRAM__TOKEN": TOKEN, "HONGZHU_TELEGRAM__TOKEN_FILE": str(secret)}
    assert "只能写一个" in said(tmp_path, "", **environ)


def test_a_secret_file_that_is_missing_or_empty(tmp_path):
    empty = tmp_path / "empty"
    empty.write_text(" \n")
    assert "读不了它所指的文件" in said(tmp_path, "", HONGZHU_TELEGRAM__TOKEN_FILE=str(tmp_path / "none"))
    assert "空的" in said(tmp_path, "", HONGZHU_TELEGRAM__TOKEN_FILE=str(empty))


def test_a_wrong_token_is_not_shown(tmp_path):
    assert said(tmp_path, "", HONGZHU_TELEGRAM__TOKEN="canary") == (
        "环境变量 HONGZHU_TELEGRAM__TOKEN: 令牌的样子是 123456:ABC-def，请到 @BotFather 那里重新复制"
    )


# ---- mistakes

MISTAKES = [
    ("[telegram]\ntokn = 1", "config.toml → telegram.tokn: 没有这个设置项，您是不是想写 token？"),
    ("[telegram]\nport = 1", "config.toml → telegram.port: 没有这个设置项，您是不是想写 [web] 一节的 port？"),
    ("[quiet]\nxyz = 1", "config.toml → quiet.xyz: 没有这个设置项，这一节可写：start、end"),
    ("[telegarm]\nenabled = true", "config.toml → telegarm: 没有这一节，您是不是想写 [telegram]？"),
    ("port = 1", "config.toml → port: 这一项要写在 [web] 一节里"),
    ("web = 8080", "config.toml → web: 应是一节，请写成单独一行 [web]，下面一行一项"),
    ('[web]\nport = "x"', "config.toml → web.port: 应是整数，现在是 'x'"),
    ("[web]\nport = 70000", "config.toml → web.port: 不能大于 65535，现在是 70000"),
    ('[web]\nenabled = "嗯"', "config.toml → web.enabled: 只能是 true 或 false（不加引号），现在是 '嗯'"),
    ('[web]\nallowed_hosts = ["*"]', "只写主机名，不写 * 也不写网址，例：bot.school.example"),
    ('[web]\npublic_url = "bot.school"', "应是完整的网址，例：https://bot.school.example，现在是 'bot.school'"),
    ('[web]\npublic_url = "http://[x"', "应是完整的网址"),
    ('[telegram]\nmode = "poling"', "telegram.mode: 只能是 'polling' 或 'webhook'，现在是 'poling'"),
    ('[school]\nzone = "Asia/Beijing"', "不认识的时区 'Asia/Beijing'，例：Asia/Shanghai"),
    ('[school]\nzone = "../../etc/passwd"', "不认识的时区"),
    ('[school]\nlanguage = "fr"', "只能是 'zh_CN', 'zh_TW' 或 'en'"),
    ('[school]\nname = ""', "school.name: 不能为空"),
    ("[school]\noff_work = 17", '应是带引号的 24 小时制时刻，例："17:30"，现在是 17'),
    ('[school]\noff_work = "25:00"', "应是带引号的 24 小时制时刻"),
    ('[database]\nurl = "mysql://h/d"', "database.url: 只认两种"),
    ('[database]\nurl = "sqlite:///:memory:"', "database.url: 只认两种"),
    ("[reminders]\nper_day = 9", "reminders.per_day: 不能大于 5，现在是 9"),
    ("[dingtalk]\nenabled = true", "config.toml → dingtalk: 没有这一节，可写的节有：school、database"),
    ('[wecom]\nbot_name = "@"', "wecom.bot_name: 照机器人的显示名填写，前面不写 @"),
    ('[wecom]\nserver = "https://x"', "wecom.server: 应是 wss:// 开头的网址"),
    ('[wecom]\nsecret = "abcdef"', "HONGZHU_WECOM__SECRET（或 HONGZHU_WECOM__SECRET_FILE"),
    ('[wecom.app]\ncorp_id = "x"', "config.toml → wecom.app.corp_id: 企业 ID 的样子是 ww 加 16 位"),
    ('[wecom.app]\ntoken = "abcdef"', "请换一串新的，再写进环境变量 HONGZHU_WECOM_APP__TOKEN"),
]


@pytest.mark.parametrize(("text", "sentence"), MISTAKES)
def test_each_mistake_says_where_it_is_and_what_to_write(tmp_path, text, sentence):
    assert sentence in said(tmp_path, text)


def test_all_mistakes_are_told_at_once(tmp_path):
    texts = ("[school]\noff_work = 17", "[reminders]\nper_day = 9", '[web]\nport = "x"\ndemo = true\nhost = "0.0.0.0"')
    found = problems(written(tmp_path, "\n".join(texts)), HONGZHU_LOG__LEVL="info", HONGZHU_TELEGRAM_TOKEN=TOKEN)
    assert len(found) == 7, found


def test_mistakes_in_the_environment_name_the_variable(tmp_path):
    assert said(tmp_path, "", HONGZHU_WEB__PORT="x") == "环境变量 HONGZHU_WEB__PORT: 应是整数，现在是 'x'"
    assert said(tmp_path, "", HONGZHU_TELEGARM__TOKEN=TOKEN).startswith("环境变量 HONGZHU_TELEGARM__…: 没有这一节")
    assert said(tmp_path, "", HONGZHU_TELEGRAM_TOKEN=TOKEN).endswith("两个下划线，请写 HONGZHU_TELEGRAM__TOKEN")


def test_a_file_that_was_named_must_be_there(tmp_path):
    (sentence,) = problems(tmp_path / "none.toml")
    assert "none.toml: 没有这个文件" in sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b'[school]\nname = "a\n', "第 2 行第 10 列写法不对"),
        (b"[school]\nname = \xe7\xac\xac\xe4\xb8\x80", "第 2 行第 8 列写法不对"),
        (b"[web]\n[web]\n", "写法不对"),
        ('[school]\nname = "第一小学"'.encode("gbk"), "不是 UTF-8 编码，请用编辑器另存为 UTF-8"),
    ],
)
def test_a_broken_file_says_the_line(tmp_path, text, sentence):
    path = tmp_path / "config.toml"
    path.write_bytes(text)
    (found,) = problems(path)
    assert sentence in found


VALUES = st.recursive(
    st.sampled_from(['"x"', '""', "0", "-1", "1.5", "true", "1979-05-27", "07:32:00", "nan", '"postgresql://[u:p@/"']),
    lambda inner: st.lists(inner, max_size=2).map(lambda parts: f"[{', '.join(parts)}]"),
    max_leaves=3,
)
PLACES = st.sampled_from([(section, key) for section, keys in KEYS.items() for key in (*keys, "x", "x.y")])


@given(file=st.dictionaries(PLACES, VALUES, max_size=6), environ=st.dictionaries(PLACES, VALUES, max_size=3))
def test_whatever_is_written_the_answer_is_settings_or_sentences(tmp_path_factory, file, environ):
    sections = {place[0]: f"[{place[0]}]\n{place[1]} = {value}\n" for place, value in file.items()}
    path = written(tmp_path_factory.getbasetemp(), "".join(sections.values()))
    try:
        load(path, {variable(key): value for key, value in environ.items()})
    except ConfigError as refused:
        assert all(re.search(r"[\u4e00-\u9fff]", sentence) for sentence in refused.problems)


# ---- what does not go together


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[web]\ndemo = true\nhost = "0.0.0.0"\nallowed_hosts = ["a"]', "web.demo: 演示模式里谁都能扮成任何人"),
        ('[web]\ndemo = true\npublic_url = "https://bot.school.example"', "web.demo: 演示模式里谁都能扮成任何人"),
        ('[web]\nhost = "0.0.0.0"', "web.allowed_hosts: 在 0.0.0.0 上对外开放时，要写明允许的主机名"),
        ("[web]\nenabled = false", "web.enabled: 一个入口也没有开"),
        ("[telegram]\nenabled = true", "telegram.allow_cross_border: 启用 Telegram 会把教职工的姓名和消息传到境外"),
        (REAL + 'api_base = "http://bots.example"', "telegram.api_base: 令牌就在网址里，请用 https://"),
        (
            REAL + 'mode = "webhook"\nwebhook_url = "http://bot.school.example/t"',
            "telegram.webhook_url: webhook 模式",
        ),
    ],
)
def test_settings_that_disagree(tmp_path, text, sentence):
    environ = {"HONGZHU_TELEGRAM__TOKEN": TOKEN, "HONGZHU_TELEGRAM__WEBHOOK_SECRET": "s" * 32}
    assert sentence in said(tmp_path, text, **environ)


def test_the_demo_school_stays_on_this_machine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert any("演示模式" in sentence for sentence in problems(None, HONGZHU_WEB__HOST="0.0.0.0"))


def test_telegram_without_a_token_and_a_webhook_without_its_secret(tmp_path):
    assert "HONGZHU_TELEGRAM__TOKEN" in said(tmp_path, REAL)
    hook = REAL + 'mode = "webhook"\nwebhook_url = "https://bot.school.example/telegram"'
    assert "HONGZHU_TELEGRAM__WEBHOOK_SECRET" in said(tmp_path, hook, HONGZHU_TELEGRAM__TOKEN=TOKEN)


def test_the_reason_for_the_border_names_the_law(tmp_path):
    sentence = said(tmp_path, "[telegram]\nenabled = true", HONGZHU_TELEGRAM__TOKEN=TOKEN)
    assert "第三十八条" in sentence
    assert "第三十九条" in sentence


# ---- the school's own words of time


TIMES = """[school]
lessons = ["08:00-08:40", "8:50-9:30"]
day_words = ["大课间 09:30-10:00", "上班 07:50"]
meeting = "周三 15:30"
terms = ["2027-02-24 至 2027-07-02", "上学期 2026-09-01 至 2027-01-29"]
"""


def test_the_schools_words_of_time(tmp_path):
    school = load(written(tmp_path, TIMES), {}).school
    assert school.lessons == ((time(8), time(8, 40)), (time(8, 50), time(9, 30)))
    assert school.day_words == (("大课间", (time(9, 30), time(10))), ("上班", (time(7, 50), time(7, 50))))
    assert school.meeting == (2, time(15, 30))
    assert [(term.name, term.start) for term in school.terms] == [
        ("上学期", date(2026, 9, 1)),
        ("2027年2月开始的学期", date(2027, 2, 24)),
    ]


def test_the_timetable_from_the_environment(tmp_path):
    school = load(written(tmp_path, ""), {"HONGZHU_SCHOOL__LESSONS": "08:00-08:40,08:50-09:30"}).school
    assert school.lessons[1] == (time(8, 50), time(9, 30))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('lessons = ["8点-9点"]', "应是每节课的起止时刻"),
        ('lessons = ["09:00-08:00"]', "看不懂 '09:00-08:00'"),
        ('lessons = ["08:00-08:40", "08:30-09:10"]', "后一节（08:30）早于前一节下课（08:40）"),
        ('day_words = ["大课间"]', "应是说法和它的起止时刻"),
        ('day_words = ["周会 08:00"]', "不含年月日周点分节"),
        ('meeting = "15:30"', "应是例会在周几几点"),
        ('meeting = "周三 25:30"', "24 小时制时刻"),
        ('terms = ["2026-09-01"]', "应是学期的第一天和最后一天"),
        ('terms = ["2026-09-31 至 2027-01-29"]', "看不懂 '2026-09-31 至 2027-01-29'"),
        ('terms = ["2026-09-01 至 2027-01-29", "2027-01-01 至 2027-07-01"]', "两个学期重叠了"),
    ],
)
def test_a_timetable_that_cannot_be_says_so(tmp_path, line, said):
    with pytest.raises(ConfigError) as found:
        load(written(tmp_path, f"[school]\n{line}\n"), {})
    assert said in str(found.value)


def test_what_is_set_is_what_is_read():
    from bot.serving import school_of

    school = school_of(Settings.demo())
    reading = school.read_time("周三第七节", datetime(2026, 11, 23, 10, tzinfo=UTC))
    assert reading is not None and reading.words == "11月25日 周三 15:30-16:10"
    assert school.hours.calendar is school.calendar


# ---- the example


def example() -> list[tuple[str, str, bool, str, str]]:
    """(section, key, whether it is a comment, value, the line above) of every setting in the example."""
    section, above, found = "", "", []
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif setting := SETTING.match(line):
            found.append((section, setting[2], bool(setting[1]), setting[3], above))
        above = line
    return found


def test_every_setting_is_in_the_example_and_nothing_else():
    in_file = {(section, key) for section, key, *_ in example()}
    settings = {(section, key) for section, keys in KEYS.items() for key in keys}
    assert in_file == settings - set(SECRETS) | {("database", "url")}
    for secret in SECRETS:
        assert variable(secret) in EXAMPLE.read_text(encoding="utf-8")


def test_every_setting_in_the_example_has_its_line_of_why_in_chinese():
    for section, key, _, _, above in example():
        assert re.match(r"# .*[\u4e00-\u9fff]", above), (section, key)


def test_the_example_loads_as_it_is_and_with_everything_uncommented(tmp_path):
    text = EXAMPLE.read_text(encoding="utf-8")
    assert load(written(tmp_path, text), {}) == Settings()
    open_text = re.sub(r"(?m)^#(?=[a-z_]+ = )", "", text)
    assert "#port" not in open_text
    load(written(tmp_path, open_text), {})


def test_what_the_example_shows_in_comments_is_the_default():
    for section, key, _, value, above in example():
        default = getattr(Settings(), section.replace(".", "_"))
        field = {f.alias or name: name for name, f in type(default).model_fields.items()}[key]
        shown = type(default).model_validate(tomllib.loads(f"{key} = {value}"))
        if "（例）" not in above:
            assert getattr(shown, field) == getattr(default, field), key


# ---- the lock files


def locked(name: str) -> dict[str, str]:
    """Package -> the version and marker it is locked to."""
    text = (EXAMPLE.parent / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    entries = re.findall(r"(?m)^([a-z0-9-]+)==(\S+)(?: ; .*)? \\\n    --hash=sha256:[0-9a-f]{64}", text)
    assert len(entries) == len(re.findall(r"(?m)^[a-zA-Z]", text))
    return dict(entries)


def test_everything_is_locked_by_hash_and_no_address_is_written_down():
    project = tomllib.loads((EXAMPLE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    runtime, dev = locked("requirements.lock.txt"), locked("requirements-dev.lock.txt")
    wanted = {re.match(r"[a-z0-9-]+", name)[0] for name in project["dependencies"]}
    assert wanted <= set(runtime)
    assert {re.match(r"[a-z0-9-]+", name)[0] for name in project["optional-dependencies"]["dev"]} <= set(dev)
    assert runtime.items() <= dev.items()
