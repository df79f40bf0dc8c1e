"""What only looks like a time is blotted out before anything is read: 两点建议, 一点都不难, 每周三次."""

from __future__ import annotations

import re

from bot.kit.reading.words import BLANK, COUNT, DAY_OF_WEEK, NUMBER, NUMERALS, ONES, WEEK

# 两点建议: 点 counts arguments here, not hours. Only words no meeting begins with.
POINTS = (
    "(?:建议|意见|要求|希望|不足|优点|缺点|亮点|体会|想法|启示|感受|看法|疑问|收获|心得|共识|原因|理由|感想|遗憾|提示|说明|注意"
    "|内容|思考|做法|经验|变化|措施|打算|补充|声明|问题|优势|特点|结论|教训|心愿|期望|期待|小结)"
)
_TITLES = "(?:老师|主任|校长|书记|组长|同学)"
_NAME = rf"[^\W0-9请各由让带的和与跟给找有班副总全老新男女{NUMERALS}]"
_TRAPS = re.compile(
    "|".join(
        (
            rf"(?<![晨早午间后晚里夜0-9{NUMERALS}]){NUMBER}点{POINTS}",
            r"(?<![今明昨天日])[早晚]一点(?![半零〇一二三四五六十整钟前])",
            r"(?:https?://|www\.)[^\s,。]+|[0-9A-Za-z./_-]{1,40}\.(?:docx?|xlsx?|pptx?|pdf|jpe?g|png|zip)",
            r"一点(?:点|儿|一滴|也|都|不|小)|三点(?:一线|水)",
            rf"(?<!月)(?<!月的)第{COUNT}(?:天|月|点)|第{COUNT}{WEEK}(?!(?:[的,( ]|的)?{WEEK}{DAY_OF_WEEK})",
            rf"{WEEK}[{ONES}1-7](?:次(?!日)|遍|节课|课时)|{WEEK}[{ONES}两]天(?![气黑亮])",  # 每周三次
            rf"{WEEK}{DAY_OF_WEEK}{_NAME}{_TITLES}(?!们)",  # 周一鸣老师
            rf"一{WEEK}一(?![至到~-])|一月一(?![日号])|一日(?:三餐|之计|一)|每日一",  # 一周一研
            rf"{NUMBER}点(?:半|{NUMBER}分)?(?:课堂|难题)|[~-]?{NUMBER}点(?:钟|{NUMBER}分)?.?方向",  # 三点半难题
            r"[今明昨]日(?:之[星花]|头条|说法|重现|复明日)|[先后]天(?:性|养成|培养|努力)|快乐星期",
            r"早[八8]晚[五5]|朝九晚[五六]|24/7|7[x*×]24",
            rf"{COUNT}个?半?(?:天|周|星期|礼拜|小时|钟头|分钟|年)(?:之前|以前|前)|{COUNT}个月(?:之前|以前|前)",
            r"半个?(?:小时|天|月|年)(?:之前|以前|前)",
            r"比(?:[例分率]|[为是约]?(?=[0-9]+:))[^0-9]?[0-9]+:[0-9]+|[0-9]+:[0-9]+(?:获胜|战胜|击败|领先|落后|胜|平局|负于)",
        )
    )
)


def masked(text: str) -> str:
    """The plain text with everything that only looks like a time blotted out."""
    return _TRAPS.sub(lambda trap: BLANK * len(trap[0]), text)
