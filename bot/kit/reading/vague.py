"""Days that are named but cannot be placed: 下周, 改天, 次日, 开学后. The hour after one is not today's."""

from __future__ import annotations

import re

from bot.kit.calendar import FESTIVALS
from bot.kit.errors import NotUnderstood
from bot.kit.reading.clock import clock
from bot.kit.reading.scene import Scene
from bot.kit.reading.words import COUNT, DAY_OF_WEEK, NUMBER, WEEK
from bot.kit.words import _

_SOME_DAY = (  # a day, but which?
    r"(?:[下上]{1,3}个?月|[去明]年)的今[天日]",
    rf"(?:下下|下|上上|上)一?个?{WEEK}(?![一二三四五六日天1-7])|[这本]一?个?{WEEK}(?![一二三四五六日天1-7末内])",
    r"(?:下下|下|上|本|这|当)个?月份?(?![0-9一二三四五六七八九十])|月[初中底末](?![一二三级学考])",
    rf"{NUMBER}月份?(?!{NUMBER})",
    rf"(?:每|双|单)?{WEEK}末|双休日|工作日|节假日|假日",
    r"[今明][明后][天日]|次日|翌日|第二天|隔天|隔日|改[天日]|哪天|某[天日]|择日|赶明儿?个?|近[日期]|不日|[那这]几?天|[几两]天[后内]",
    rf"过[几两些]天|过{COUNT}[天周]|[节假][前后]|放假[前后]?(?:第一天|前一天|那天)?|假期|寒假|暑假",
    rf"(?:开学|期[中末]|学期|学年|考试|毕业|放学期)(?:考试?)?[前后初末]?(?:第{NUMBER}[天周]|前一天|后一天)?|第{NUMBER}学期",
    r"大年.{1,2}|正月.{1,3}|腊月.{1,3}|(?:农历|阴历|旧历).{2,7}?(?=[上下早中晚0-9,。 ]|$)|小年",
    rf"每一?[年季](?:的?{NUMBER}月(?:{NUMBER}[日号])?|度末?)?|每半?个?学期|每半[年月]|每半个月|每隔?{COUNT}个?(?:[天年月□]|{WEEK})|每旬",
    rf"第{NUMBER}{WEEK}|(?:第{NUMBER}个?|最后一?个?|倒数第{NUMBER}个?)(?:{WEEK}{DAY_OF_WEEK}|工作日|[天日]|{WEEK})",
    rf"每个?月的?(?:[初中]|[上中下]旬|(?:第{NUMBER}|倒数第{NUMBER}|最后一)个?(?:工作日|{WEEK})?(?:的?{WEEK}{DAY_OF_WEEK})?)",
    r"[0-9]{1,2}月[0-9]{1,2}|20[0-9]{6}(?![0-9])|[0-9]{2,4}[./-][0-9]{1,2}[./-][0-9]{1,2}",
    "|".join(FESTIVALS),
    r"(?:前|后|头)一天|前夕|[上下]半[年月]|[一二三四]季度|上旬|中旬|下旬|年[初中]|生日",
)
_SOME_HOUR = r"(?:会|课|饭|餐|考|训)[前后]"  # an hour may follow it and still be an hour of today
_VAGUE = re.compile("(?P<day>" + "|".join(f"(?:{one})" for one in _SOME_DAY) + f")|(?:{_SOME_HOUR})")
_THAT_DAY = re.compile(r"[当那同]天|[当该]日|当晚|同日")
_GAP = re.compile(r"\s*[的,]?\s*")
STARTS = (  # what any of these may begin with
    "今明次翌第改过寒暑开学期节假放双工不近择赶某哪隔每农阴旧正腊小除元春清端国三五六七八十妇植劳青儿建教圣中大会课饭餐考训收起"
    "有上下本这那当该同头倒毕生逢"
)


def vague(scene: Scene, pos: int) -> int | None:
    """The end of such words at ``pos``. NotUnderstood where an hour hangs on them."""
    if scene.topic and _THAT_DAY.match(scene.text, pos):
        return None  # the day spoken of
    match = _VAGUE.match(scene.text, pos) or _THAT_DAY.match(scene.text, pos)
    if match is None or _midst(scene, match):
        return None
    gap = _GAP.match(scene.text, match.end())
    hangs = match.groupdict().get("day") and clock(scene, gap.end() if gap else match.end(), anchored=True)
    if hangs and match[0] not in _TOO_COMMON:
        raise NotUnderstood(_("“{said}”是哪一天？请写明日期，例如 12月2日下午3点", said=match[0]))
    return match.end()


_TOO_COMMON = ("十一", "五一", "六一", "七一", "八一")


def _midst(scene: Scene, match: re.Match[str]) -> bool:
    """通知一下|周, 早上|周: no week."""
    before = scene.before(match.start(), 1)
    first = match[0][0]
    return (
        (first == "下" and before in tuple("一以等"))
        or (first == "上" and before in tuple("早晚以"))
        or match[0] in _TOO_COMMON
    )
