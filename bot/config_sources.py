"""Where settings come from, and how a mistake in them is said in Chinese.

Reading and saying only: the file, the environment, and the sentence for each kind of mistake; which settings there
are is known by ``bot.config``, and handed in.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from bot.logs import TOKEN

PREFIX = "HONGZHU_"

Key = tuple[str, ...]
"""Where a setting stands: ``("telegram", "token")``, or ``("telegram",)`` for a whole section."""
Layer = dict[str, Any]
"""What one source says, not yet checked: section -> key -> value."""
Keys = Mapping[str, Collection[str]]
"""Every setting there is: section -> keys as they are written in the file."""


class ConfigError(Exception):
    """All that is wrong with the configuration; each problem is one Chinese sentence that begins with its place."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def variable(key: Key) -> str:
    """The environment variable of a setting: ``HONGZHU_TELEGRAM__TOKEN``."""
    return PREFIX + "__".join(key).upper().replace(".", "_")


def over(base: Layer, top: Layer) -> Layer:
    """Both layers in one; where they differ ``top`` wins."""
    both = {name: dict(part) if isinstance(part, dict) else part for name, part in base.items()}
    for name, part in top.items():
        if isinstance(part, dict) and isinstance(both.get(name), dict):
            both[name].update(part)
        else:
            both[name] = part
    return both


# -------------------------------------------------------------------------------------------- the file


def read_toml(file: Path) -> Layer:
    """The file as it is written; raises ``ConfigError`` when it cannot be read at all."""
    try:
        return tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        sentence = "没有这个文件，请检查路径，或照 config.example.toml 写一份"
    except OSError as error:
        sentence = f"读不了这个文件，请检查权限（{error.strerror}）"
    except UnicodeDecodeError:
        sentence = "文件不是 UTF-8 编码，请用编辑器另存为 UTF-8"
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+), column (\d+)", str(error))
        where = f"第 {at[1]} 行第 {at[2]} 列" if at else "文件末尾"
        sentence = f'{where}写法不对，常见的是少了引号或括号、或一项写了两遍，例：name = "第一小学"'
    raise ConfigError([f"{file}: {sentence}"])


def parted(written: Layer, keys: Keys) -> Layer:
    """``[wecom.app]`` inside ``[wecom]`` is a section of its own, of that name."""
    flat = dict(written)
    for name in [name for name in keys if "." in name]:
        above, _dot, inner = name.partition(".")
        part = flat.get(above)
        if isinstance(part, dict) and isinstance(part.get(inner), dict):
            flat[above] = {key: value for key, value in part.items() if key != inner}
            flat[name] = part[inner]
    return flat


def leaked(written: Layer, secrets: Collection[Key]) -> Iterator[tuple[Key, str]]:
    """The secrets that stand in the file, where every backup and every colleague can read them."""
    for section, part in written.items():
        for key, value in part.items() if isinstance(part, dict) else ():
            if isinstance(value, str) and _is_secret((section, key), value, secrets):
                yield (section, key), _leak_sentence((section, key), secrets)


def _is_secret(key: Key, value: str, secrets: Collection[Key]) -> bool:
    if key[-1] == "url" and key in secrets:  # an address is welcome in the file, its password is not
        return re.search(r"://[^/@]*:[^/@]+@|[?&]password=", value) is not None
    return (key in secrets and bool(value.strip())) or TOKEN.search(value) is not None


def _leak_sentence(key: Key, secrets: Collection[Key]) -> str:
    name = variable(key if key in secrets else ("telegram", "token"))
    renew = "请在数据库里换一个密码" if key[-1] == "url" else "请到 @BotFather 用 /revoke 换一个新的"
    if key[-1] == "webhook_secret" or key[0].startswith("wecom"):
        renew = "请换一串新的"
    return f"秘密不写在配置文件里；进过文件就算泄露：{renew}，再写进环境变量 {name}（或 {name}_FILE 所指的文件）"


# ------------------------------------------------------------------------------------- the environment


def read_environment(environ: Mapping[str, str], keys: Keys, secrets: Collection[Key]) -> tuple[Layer, list[str]]:
    """What ``HONGZHU_SECTION__KEY`` and ``HONGZHU_SECTION__SECRET_FILE`` say, and what is wrong with them.

    An empty variable says nothing. Variables without ``__`` belong to somebody else, unless they look like ours.
    """
    given: Layer = {}
    problems = []
    sections = {name.replace(".", "_"): name for name in keys}
    for name in sorted(name for name in environ if name.startswith(PREFIX) and environ[name].strip()):
        key = tuple(name.removeprefix(PREFIX).lower().split("__", 1))
        key = (sections.get(key[0], key[0]), *key[1:])
        try:
            if len(key) == 1:
                _refuse_single_underscore(key[0], keys)
                continue
            secret = (key[0], key[1].removesuffix("_file"))
            if secret != key and secret in secrets:
                given.setdefault(key[0], {})[secret[1]] = _from_file(environ, name, secret)
            else:
                given.setdefault(key[0], {})[key[1]] = environ[name].strip()
        except ValueError as mistake:
            problems.append(f"环境变量 {name}: {mistake}")
    return given, problems


def _refuse_single_underscore(rest: str, keys: Keys) -> None:
    for section, names in keys.items():
        for name in names:
            if rest.removesuffix("_file") in (f"{section}_{name}".replace(".", "_"), name):
                raise ValueError(f"没有这个设置项，节与项之间是两个下划线，请写 {variable((section, name))}")


def _from_file(environ: Mapping[str, str], name: str, key: Key) -> str:
    if environ.get(variable(key), "").strip():
        raise ValueError(f"与 {variable(key)} 只能写一个，请删去其中之一")
    try:
        text = Path(environ[name].strip()).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ValueError("读不了它所指的文件，请检查路径和权限") from None
    if not text:
        raise ValueError("它所指的文件是空的，请把秘密写进去")
    return text


# --------------------------------------------------------------------------------------- the sentences

SENTENCES = {
    "bool_parsing": "只能是 true 或 false（不加引号）",
    "bool_type": "只能是 true 或 false（不加引号）",
    "int_parsing": "应是整数",
    "int_type": "应是整数",
    "int_from_float": "应是整数",
    "string_type": "应是带引号的文字",
    "string_too_short": "不能为空",
    "string_too_long": "太长，最多 {max_length} 个字",
    "string_pattern_mismatch": "写法不对，请照 config.example.toml 里的样子",
    "literal_error": "只能是 {expected}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "path_type": "应是带引号的路径",
    "value_error": "{error}",
}


def sentence(error: Mapping[str, Any], keys: Keys, secrets: Collection[Key]) -> str:
    """One of pydantic's errors, said so that a secretary knows what to type. Never shows a secret."""
    key = error["loc"]
    if error["type"] == "extra_forbidden":
        return _unknown(str(key[0]), str(key[-1]), keys) if len(key) > 1 else _unknown_section(str(key[0]), keys)
    if len(key) == 1:
        return f"应是一节，请写成单独一行 [{key[0]}]，下面一行一项"
    facts = {name: str(fact).replace(" or ", " 或 ") for name, fact in error.get("ctx", {}).items()}
    said = SENTENCES.get(error["type"], "值不对，请照 config.example.toml 里的样子").format(**facts)
    value = error["input"]
    told = not isinstance(value, str | int | float) or (isinstance(value, str) and repr(value) in said)
    return said if told or key[:2] in secrets or TOKEN.search(str(value)) else f"{said}，现在是 {value!r}"


def _unknown(section: str, key: str, keys: Keys) -> str:
    if near := get_close_matches(key, keys[section], 1):
        return f"没有这个设置项，您是不是想写 {near[0]}？"
    for other, names in keys.items():
        if key in names:
            return f"没有这个设置项，您是不是想写 [{other}] 一节的 {key}？"
    return f"没有这个设置项，这一节可写：{'、'.join(keys[section])}"


def _unknown_section(section: str, keys: Keys) -> str:
    if near := get_close_matches(section, keys, 1):
        return f"没有这一节，您是不是想写 [{near[0]}]？"
    for other, names in keys.items():
        if section in names:
            return f"这一项要写在 [{other}] 一节里"
    return f"没有这一节，可写的节有：{'、'.join(keys)}"
