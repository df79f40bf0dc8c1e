"""The kinds of value a setting may have, each with the sentence that says how to write it."""

from __future__ import annotations

import ipaddress
import re
from datetime import time
from typing import Annotated
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr


class Section(BaseModel):
    """One part of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True)


def is_local(host: str) -> bool:
    """Whether only this machine can reach ``host``."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _zone(value: object) -> object:
    try:
        return ZoneInfo(value) if isinstance(value, str) else value
    except (KeyError, ValueError, OSError):
        raise ValueError(f"不认识的时区 {value!r}，例：Asia/Shanghai（北京时间就写这个）") from None


def _clock(value: object) -> object:
    if isinstance(value, time) and value.tzinfo is None:
        return value
    found = re.fullmatch(r"(\d{1,2})[:：](\d{2})", value.strip()) if isinstance(value, str) else None
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        raise ValueError('应是带引号的 24 小时制时刻，例："17:30"')
    return time(int(found[1]), int(found[2]))


def _names(value: object) -> object:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, (list, tuple)) or not all(isinstance(part, str) for part in parts):
        raise ValueError('应是主机名的列表，例：["bot.school.example"]')
    if any("*" in part or "/" in part for part in parts):
        raise ValueError("只写主机名，不写 * 也不写网址，例：bot.school.example")
    return tuple(part.strip().lower() for part in parts if part.strip())


def _token(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"\d+:[\w-]+", value, re.ASCII):
        raise ValueError("令牌的样子是 123456:ABC-def，请到 @BotFather 那里重新复制")
    return value


def _webhook_secret(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"[\w-]{16,256}", value, re.ASCII):
        raise ValueError("应是 16 到 256 个字母、数字、_ 或 -，例：运行 openssl rand -hex 32 得到的那一串")
    return value


def _address(value: object) -> object:
    if not isinstance(value, str):
        return value
    if _parts(value).scheme not in ("http", "https") or not _parts(value).hostname:
        raise ValueError("应是完整的网址，例：https://bot.school.example")
    return value.rstrip("/")


def _socket_address(value: object) -> object:
    if not isinstance(value, str):
        return value
    if _parts(value).scheme not in ("ws", "wss") or not _parts(value).hostname:
        raise ValueError("应是 wss:// 开头的网址，例：wss://openws.work.weixin.qq.com")
    return value.rstrip("/")


def _bot_name(value: object) -> object:
    name = value.strip().lstrip("@＠").strip() if isinstance(value, str) else value
    if isinstance(name, str) and not 0 < len(name) <= 32:
        raise ValueError("照机器人的显示名填写，前面不写 @，例：红烛")
    return name


def _corp_id(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"(?:ww|wx)[0-9a-f]{16}", value.strip()):
        raise ValueError("企业 ID 的样子是 ww 加 16 位字母和数字，在 管理后台 → 我的企业 最下面")
    return value.strip() if isinstance(value, str) else value


def _aes_key(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"[A-Za-z0-9]{43}", value):
        raise ValueError("EncodingAESKey 是 43 个字母和数字，请从应用的“接收消息”页面重新复制")
    return value


def _webhook_keys(value: object) -> object:
    pairs = re.split(r"[,\s]+", value.strip(" ,\n")) if isinstance(value, str) else []
    if isinstance(value, str) and not all(re.fullmatch(r"[^=]{1,64}=[0-9A-Za-z-]{16,64}", pair) for pair in pairs):
        raise ValueError("应是“群编号=钥匙”，几个群用逗号隔开；群编号在 python -m bot check 里")
    return value


def _database(value: object) -> object:
    if not isinstance(value, str):
        return value
    scheme, _, rest = value.strip().partition("://")
    if scheme in ("postgres", "postgresql", "postgresql+psycopg") and rest and _parts(value).scheme:
        return f"postgresql+psycopg://{rest}"
    if scheme == "sqlite" and rest.startswith("/") and rest[1:] and ":memory:" not in rest:
        return f"sqlite://{rest}"
    raise ValueError("只认两种：sqlite:///data/hongzhu.db（一个文件）或 postgresql://用户@主机/库名")


def _parts(value: str) -> SplitResult:
    try:
        return urlsplit(value.strip())
    except ValueError:
        return urlsplit("")


def _without_at(value: object) -> object:
    return value.strip().removeprefix("@") if isinstance(value, str) else value


Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]
Clock = Annotated[time, BeforeValidator(_clock)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Address = Annotated[str, BeforeValidator(_address)]
DatabaseUrl = Annotated[SecretStr, BeforeValidator(_database)]
Token = Annotated[SecretStr, BeforeValidator(_token)]
WebhookSecret = Annotated[SecretStr, BeforeValidator(_webhook_secret)]
SocketAddress = Annotated[str, BeforeValidator(_socket_address)]
BotName = Annotated[str, BeforeValidator(_bot_name)]
CorpId = Annotated[str, BeforeValidator(_corp_id)]
AesKey = Annotated[SecretStr, BeforeValidator(_aes_key)]
WebhookKeys = Annotated[SecretStr, BeforeValidator(_webhook_keys)]
Username = Annotated[str, BeforeValidator(_without_at), Field(pattern=r"^[A-Za-z0-9_]{5,32}$")]
