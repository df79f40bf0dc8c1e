"""The kinds of value a setting may have, each with the sentence that says how to write it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from datetime import date, time
from itertools import pairwise
from typing import Annotated
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from bot.kit.calendar import Term
from bot.kit.reading.words import DAY_OF_WEEK, WEEK, weekday_number


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


def _list(value: object, how: str) -> list[str]:
    """A list of texts, or one text with commas, as the environment has it."""
    parts = re.split("[,，]", value) if isinstance(value, str) else value
    if not isinstance(parts, (list, tuple)) or not all(isinstance(part, str) for part in parts):
        raise ValueError(how)
    return [part.strip() for part in parts if part.strip()]


def _from_to(said: str, how: str) -> tuple[time, time]:
    found = re.fullmatch(r"(\d{1,2}[:：]\d{2})(?:\s*[-~至到—–]\s*(\d{1,2}[:：]\d{2}))?", said)
    ends = [_clock(end) for end in (found[1], found[2] or found[1])] if found else []
    if len(ends) != 2 or not isinstance(ends[0], time) or not isinstance(ends[1], time) or ends[1] < ends[0]:
        raise ValueError(f"{how}，看不懂 {said!r}")
    return ends[0], ends[1]


def _settled(value: object, kind: type) -> bool:
    """Whether these are values already: a default, or settings made in code."""
    return isinstance(value, tuple) and all(isinstance(one, kind) for one in value)


def _lessons(value: object) -> object:
    if _settled(value, tuple):
        return value
    how = '应是每节课的起止时刻，从第一节起，例：["08:00-08:40", "08:50-09:30"]'
    found = tuple(_from_to(said, how) for said in _list(value, how))
    for (_start, end), (start, _end) in pairwise(found):
        if start < end:
            raise ValueError(f"后一节（{start:%H:%M}）早于前一节下课（{end:%H:%M}），请按先后写")
    return found


def _day_words(value: object) -> object:
    if _settled(value, tuple):
        return value
    how = '应是说法和它的起止时刻，例：["大课间 09:30-10:00", "早读 07:40-08:00"]'
    return tuple(_day_word(said, how) for said in _list(value, how))


def _day_word(said: str, how: str) -> tuple[str, tuple[time, time]]:
    word, _space, at = said.partition(" ")
    if not re.fullmatch(r"[\u4e00-\u9fff]{2,8}", word) or re.search("[年月日周星期点时分节]", word):
        raise ValueError(f"{how}，说法用两到八个汉字，不含年月日周点分节")
    return word, _from_to(at.strip(), how)


def _meeting(value: object) -> object:
    if value is None or (isinstance(value, tuple) and len(value) == 2):
        return value
    found = (
        re.fullmatch(rf"{WEEK}({DAY_OF_WEEK})\s*(\d{{1,2}}[:：]\d{{2}})", value.strip())
        if isinstance(value, str)
        else None
    )
    if not found:
        raise ValueError('应是例会在周几几点，例："周三 15:30"')
    return weekday_number(found[1]), _clock(found[2])


_TERM = re.compile(r"(?:(?P<name>\S+)\s+)?(?P<start>\d{4}-\d{2}-\d{2})\s*(?:至|到|~)\s*(?P<end>\d{4}-\d{2}-\d{2})")


def _terms(value: object) -> object:
    if _settled(value, Term):
        return value
    how = '应是学期的第一天和最后一天，例：["2026-09-01 至 2027-01-29"]'
    found = sorted(_each_term(_list(value, how), how), key=lambda term: term.start)
    if any(later.start <= earlier.end for earlier, later in pairwise(found)):
        raise ValueError("两个学期重叠了，请核对")
    return tuple(found)


def _each_term(said: Iterable[str], how: str) -> Iterable[Term]:
    for one in said:
        found = _TERM.fullmatch(one)
        try:
            start, end = (date.fromisoformat(found[key]) for key in ("start", "end")) if found else (None, None)
        except ValueError:
            start = end = None
        if not found or not start or not end or end < start:
            raise ValueError(f"{how}，看不懂 {one!r}")
        yield Term(found["name"] or f"{start.year}年{start.month}月开始的学期", start, end)


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
Lessons = Annotated[tuple[tuple[time, time], ...], BeforeValidator(_lessons)]
DayWords = Annotated[tuple[tuple[str, tuple[time, time]], ...], BeforeValidator(_day_words)]
Meeting = Annotated[tuple[int, time] | None, BeforeValidator(_meeting)]
Terms = Annotated[tuple[Term, ...], BeforeValidator(_terms)]
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
