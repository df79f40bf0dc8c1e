"""config.toml and the environment -> one frozen ``Settings``; every mistake at once, in Chinese.

The environment wins over the file: ``HONGZHU_WEB__PORT=9000`` is ``[web] port``. Secrets come from the environment
only, as ``HONGZHU_TELEGRAM__TOKEN`` or, from a file, ``HONGZHU_TELEGRAM__TOKEN_FILE``. Without any config.toml the
settings are those of the demo school. Nothing here is read by anything but the assembly: values are handed down.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import time
from pathlib import Path
from typing import Literal, Self
from urllib.parse import quote, unquote, urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, PrivateAttr, SecretStr, ValidationError

from bot import config_wecom
from bot.config_sources import (
    ConfigError,
    Key,
    Layer,
    leaked,
    over,
    parted,
    read_environment,
    read_toml,
    sentence,
    variable,
)
from bot.config_values import (
    Address,
    Clock,
    DatabaseUrl,
    DayWords,
    Lessons,
    Meeting,
    Names,
    Section,
    Terms,
    Token,
    Username,
    WebhookSecret,
    Zone,
    is_local,
)
from bot.config_wecom import Clash, Wecom, WecomApp, WecomWebhooks

__all__ = ["ConfigError", "Settings", "load"]

DEFAULT_FILE = Path("config.toml")
DEMO: Layer = {
    "school": {
        "lessons": "08:00-08:40,08:50-09:30,10:00-10:40,10:50-11:30,13:50-14:30,14:40-15:20,15:30-16:10",
        "day_words": "早读 07:40-08:00,大课间 09:30-10:00,午休 12:20-13:40",
        "meeting": "周三 15:30",
    },
    "web": {"demo": True},
    "quiet": {"start": "00:00", "end": "00:00"},  # who tries it at night sees it work
}
SECRETS = (("telegram", "token"), ("telegram", "webhook_secret"), ("database", "url"), *config_wecom.SECRETS)


# ---------------------------------------------------------------------------------------- sections


class School(Section):
    name: str = Field("红烛示范小学", min_length=1, max_length=60)
    zone: Zone = ZoneInfo("Asia/Shanghai")
    language: Literal["zh_CN", "zh_TW", "en"] = "zh_CN"
    off_work: Clock = time(17, 30)
    school_out: Clock = time(16, 30)
    lessons: Lessons = ()
    day_words: DayWords = ()
    meeting: Meeting = None
    terms: Terms = ()


class Database(Section):
    url: DatabaseUrl = SecretStr("sqlite:///data/hongzhu.db")
    backup_dir: Path = Path("data/backups")
    keep_backups: int = Field(14, ge=1, le=365)


class Web(Section):
    enabled: bool = True
    host: str = Field("127.0.0.1", min_length=1)
    port: int = Field(8080, ge=1, le=65535)
    allowed_hosts: Names = ()
    public_url: Address | None = None
    demo: bool = False

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every ``Host`` a request may carry, without its port."""
        local = ("127.0.0.1", "localhost", "[::1]") if is_local(self.host) else ()
        public = (urlsplit(self.public_url).hostname or "",) if self.public_url else ()
        return tuple(dict.fromkeys((*local, *self.allowed_hosts, *public)))


class Telegram(Section):
    enabled: bool = False
    token: Token | None = None
    bot_username: Username | None = None
    api_base: Address = "https://api.telegram.org"
    mode: Literal["polling", "webhook"] = "polling"
    webhook_url: Address | None = None
    webhook_secret: WebhookSecret | None = None
    allow_cross_border: bool = False


class Quiet(Section):
    start: Clock = time(21)
    end: Clock = time(7)


class Reminders(Section):
    per_matter: int = Field(2, ge=0, le=5)
    per_day: int = Field(2, ge=0, le=5)
    before_meeting_minutes: int = Field(60, ge=5, le=1440)


class Uploads(Section):
    max_mb: int = Field(10, ge=1, le=20)


class Log(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    as_json: bool = Field(False, alias="json")


class Settings(Section):
    """One school's settings. ``Settings()`` is every default, for tests; ``Settings.demo()`` is `make run` alone."""

    school: School = School()
    database: Database = Database()
    web: Web = Web()
    telegram: Telegram = Telegram()
    wecom: Wecom = Wecom()
    wecom_app: WecomApp = Field(WecomApp(), alias="wecom.app")
    wecom_webhooks: WecomWebhooks = Field(WecomWebhooks(), alias="wecom.webhooks")
    quiet: Quiet = Quiet()
    reminders: Reminders = Reminders()
    uploads: Uploads = Uploads()
    log: Log = Log()

    _demo: bool = PrivateAttr(default=False)

    @classmethod
    def demo(cls) -> Self:
        """What a machine without config.toml runs."""
        found = cls.model_validate(DEMO)
        found._demo = True
        return found

    @property
    def is_demo(self) -> bool:
        """There is no config.toml at all: the demo school with its invented staff."""
        return self._demo

    def secrets(self) -> tuple[str, ...]:
        """Every exact text that must never be printed, the longest first; for ``logs.set_up``."""
        given = [s.get_secret_value() for s in (self.telegram.token, self.telegram.webhook_secret) if s]
        given += [token.partition(":")[2] for token in given[:1]]
        password = urlsplit(self.database.url.get_secret_value()).password or ""
        given += [password, unquote(password)]
        given += config_wecom.secrets_of(self.wecom, self.wecom_app, self.wecom_webhooks)
        given += [quote(text, safe="") for text in given]
        return tuple(sorted({text for text in given if len(text) >= 4}, key=len, reverse=True))


KEYS = {
    Settings.model_fields[name].alias or name: tuple(
        field.alias or key for key, field in type(section).model_fields.items()
    )
    for name, section in Settings()
}


# ------------------------------------------------------------------------------------------ loading


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of ``path`` (default ``config.toml``) under ``environ``; ``ConfigError`` tells every mistake.

    Only the default file may be missing: a file that was named and is not there is a mistake.
    """
    file = path or DEFAULT_FILE
    is_demo = path is None and not file.exists()
    written = DEMO if is_demo else parted(read_toml(file), KEYS)
    given, problems = read_environment(environ, KEYS, SECRETS)
    leaks = dict(leaked(written, SECRETS))
    problems += [f"{file} → {'.'.join(key)}: {said}" for key, said in leaks.items()]
    settings, wrong = _checked(_without(over(written, given), leaks))
    unsure = {*leaks, *(key for key, _ in wrong)}
    wrong += [(keys[0], said) for keys, said in _clashes(settings) if not _touch(keys, unsure)]
    problems += [f"{_place(key, given, file)}: {said}" for key, said in wrong]
    if problems:
        raise ConfigError(problems)
    settings._demo = is_demo
    return settings


def _checked(layer: Layer) -> tuple[Settings, list[tuple[Key, str]]]:
    """The settings with every wrong key at its default, and what is wrong with those keys."""
    try:
        return Settings.model_validate(layer), []
    except ValidationError as found:
        errors = found.errors(include_url=False)
    wrong = [(tuple(str(part) for part in error["loc"][:2]), sentence(error, KEYS, SECRETS)) for error in errors]
    return Settings.model_validate(_without(layer, [key for key, _ in wrong])), wrong


def _without(layer: Layer, keys: Iterable[Key]) -> Layer:
    left = over({}, layer)
    for section, *rest in keys:
        if rest and isinstance(left.get(section), dict):
            left[section] = {key: value for key, value in left[section].items() if key != rest[0]}
        else:
            left.pop(section, None)
    return left


def _touch(keys: Iterable[Key], unsure: Collection[Key]) -> bool:
    return any(key in unsure or key[:1] in unsure for key in keys)


def _place(key: Key, given: Layer, file: Path) -> str:
    if key[0] in given and (len(key) == 1 or key[1] in given[key[0]]):
        return f"环境变量 {variable(key)}{'__…' if len(key) == 1 else ''}"
    return f"{file} → {'.'.join(key)}"


# ------------------------------------------------------------------------- what does not go together


def _clashes(settings: Settings) -> Iterator[Clash]:
    if not (settings.web.enabled or settings.telegram.enabled or settings.wecom.enabled):
        yield (
            [(name, "enabled") for name in ("web", "wecom", "telegram")],
            "一个入口也没有开，请至少把一处 enabled 改为 true",
        )
    yield from _web_clashes(settings.web)
    if settings.telegram.enabled:
        yield from _telegram_clashes(settings.telegram, settings.web)
    yield from config_wecom.clashes(settings.wecom, settings.wecom_app, has_web=settings.web.enabled)


def _web_clashes(web: Web) -> Iterator[Clash]:
    host, hosts, public = ("web", "host"), ("web", "allowed_hosts"), ("web", "public_url")
    if web.enabled and not web.hosts:
        yield [hosts, host, public], f'在 {web.host} 上对外开放时，要写明允许的主机名，例：["bot.school.example"]'
    if web.demo and not (is_local(web.host) and all(is_local(name) for name in web.hosts)):
        yield (
            [("web", "demo"), host, hosts, public],
            "演示模式里谁都能扮成任何人，只许在本机用；请改为 false，或把 host 改回 127.0.0.1，删去对外的网址",
        )


def _telegram_clashes(telegram: Telegram, web: Web) -> Iterator[Clash]:
    def keys(*names: str) -> list[Key]:
        return [("telegram", name) for name in names]

    if not telegram.allow_cross_border:
        yield keys("allow_cross_border", "enabled"), CROSS_BORDER
    if telegram.token is None:
        yield (
            keys("token", "enabled"),
            "已启用 Telegram，却没有令牌，请写进环境变量 HONGZHU_TELEGRAM__TOKEN",
        )
    if _is_open_http(telegram.api_base):
        yield keys("api_base"), "令牌就在网址里，请用 https://；只有本机的服务可以用 http://"
    if telegram.mode == "webhook":
        if not telegram.webhook_url or _is_open_http(telegram.webhook_url):
            yield (
                keys("webhook_url", "mode"),
                "webhook 模式要写明 https:// 开头的网址，例：https://bot.school.example/telegram",
            )
        if telegram.webhook_secret is None:
            yield (
                keys("webhook_secret", "mode"),
                "webhook 模式要有口令，写在 HONGZHU_TELEGRAM__WEBHOOK_SECRET 里",
            )
        if not web.enabled:
            yield (
                [("web", "enabled"), *keys("mode")],
                "webhook 由网页服务接收，请改为 true，或改用 polling",
            )


CROSS_BORDER = (
    "启用 Telegram 会把教职工的姓名和消息传到境外的服务器。《个人信息保护法》第三十八条要求先具备出境条件，"
    "第三十九条要求告知每个人并取得其单独同意。都已办妥，请写 allow_cross_border = true；否则请把 enabled 改回 false"
)


def _is_open_http(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "http" and not is_local(parts.hostname or "")
