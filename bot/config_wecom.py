"""The settings of 企业微信: the bot, and what a school may add to it; and which of them do not go together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from bot.config_values import Address, AesKey, BotName, CorpId, Section, SocketAddress, WebhookKeys, is_local

Clash = tuple[Sequence[tuple[str, ...]], str]
"""The settings that disagree, the one to change first; and the sentence."""
SECRETS = (
    ("wecom", "secret"),
    ("wecom.app", "secret"),
    ("wecom.app", "token"),
    ("wecom.app", "aes_key"),
    ("wecom.webhooks", "keys"),
)


class Wecom(Section):
    enabled: bool = False
    bot_id: str | None = Field(None, min_length=1, max_length=64, pattern=r"^\S+$")
    bot_name: BotName | None = None
    secret: SecretStr | None = None
    server: SocketAddress = "wss://openws.work.weixin.qq.com"
    api_base: Address = "https://qyapi.weixin.qq.com"

    @property
    def call(self) -> str:
        """How words begin in a group, where nothing else is heard."""
        return f"@{self.bot_name} " if self.enabled and self.bot_name else ""


class WecomApp(Section):
    corp_id: CorpId | None = None
    agent_id: int | None = Field(None, ge=1)
    secret: SecretStr | None = None
    token: SecretStr | None = None
    aes_key: AesKey | None = None

    @property
    def enabled(self) -> bool:
        return self.corp_id is not None


class WecomWebhooks(Section):
    keys: WebhookKeys | None = None

    def by_group(self) -> Mapping[str, str]:
        """The key of each group that has one."""
        given = self.keys.get_secret_value() if self.keys else ""
        pairs = (pair.partition("=") for pair in re.split(r"[,\s]+", given) if pair)
        return {group: key for group, _equals, key in pairs}


def secrets_of(wecom: Wecom, app: WecomApp, hooks: WecomWebhooks) -> list[str]:
    """Every exact text of these sections that must never be printed."""
    given = [s.get_secret_value() for s in (wecom.secret, app.secret, app.token, app.aes_key) if s]
    return [*given, *hooks.by_group().values()]


def clashes(wecom: Wecom, app: WecomApp, *, has_web: bool) -> Iterator[Clash]:
    """What is wrong with these settings together."""
    if not wecom.enabled:
        return
    if wecom.bot_id is None:
        yield [("wecom", "bot_id"), ("wecom", "enabled")], "已启用企业微信，却没有写机器人的 BotID"
    if wecom.secret is None:
        yield (
            [("wecom", "secret"), ("wecom", "enabled")],
            "已启用企业微信，却没有机器人长连接的 Secret，请写进环境变量 HONGZHU_WECOM__SECRET",
        )
    if wecom.bot_name is None:
        yield [("wecom", "bot_name"), ("wecom", "enabled")], "请照机器人的显示名填写：群里“@名字”后面的话靠它才分得清"
    for name, address, safe in (("server", wecom.server, "wss"), ("api_base", wecom.api_base, "https")):
        parts = urlsplit(address)
        if parts.scheme != safe and not is_local(parts.hostname or ""):
            yield [("wecom", name)], f"秘密会经过这个网址，请用 {safe}://；只有本机的服务可以不加密"
    if app.enabled:
        yield from _app_clashes(app, has_web)


def _app_clashes(app: WecomApp, has_web: bool) -> Iterator[Clash]:
    def keys(*names: str) -> list[tuple[str, ...]]:
        return [("wecom.app", name) for name in names]

    if app.agent_id is None:
        yield keys("agent_id", "corp_id"), "自建应用要写明 AgentId，在应用的页面上"
    if app.secret is None:
        yield keys("secret", "corp_id"), "自建应用要有 Secret，请写进环境变量 HONGZHU_WECOM_APP__SECRET"
    if (app.token is None) != (app.aes_key is None):
        yield keys("token", "aes_key"), "接收消息的 Token 和 EncodingAESKey 要么都有，要么都没有"
    if app.token is not None and not has_web:
        yield [("web", "enabled"), *keys("token")], "自建应用的消息由网页服务接收，请改为 true"
