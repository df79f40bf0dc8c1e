"""What people really type when they answer a notice: 收到, 数学组收到, 晚到十分钟, 监考请假. Pure.

A wrong reading is worse than none: whoever is not understood stays on the list of the silent and is asked once more,
but whoever is counted by mistake is not. So a text is read only when all of it is understood: it is made plain, thrown
out when it asks, orders, doubts or speaks for others, cut at its commas, and each piece must be one of the forms below.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from handlers.notices.rules import Answer

LONGEST = 60


@dataclass(frozen=True, slots=True)
class Heard:
    """``plain``: a bare 收到, which says nothing against an earlier 请假. ``who``: in whose name, as it was typed."""

    answer: Answer
    note: str = ""
    plain: bool = False
    who: str = ""


def hear(text: str) -> Heard | None:
    """What a text answers to a meeting notice, or ``None`` where it is not certainly an answer."""
    words = plain(text)
    if not words or len(words) > LONGEST or _TRAP.search(words):
        return None
    pieces = [piece for piece in (_polite(piece) for piece in _CUT.split(words)) if piece]
    return _together(pieces, [_piece(piece) for piece in pieces])


def plain(text: str) -> str:
    """One spelling for everything: NFKC, simplified, stickers and signs as words, no decoration."""
    words = unicodedata.normalize("NFKC", text[:300]).lower().translate(_SIMPLE)
    words = _SIGNS.sub(" 收到 ", _STICKER.sub(_sticker, words))
    words = "".join(sign for sign in words if unicodedata.category(sign) not in _DECORATION)
    words = _MENTION.sub(" ", words)
    for typo, meant in _TYPOS:
        words = words.replace(typo, meant)
    return words.strip()


def _sticker(found: re.Match[str]) -> str:
    inside = found[1]
    if inside in ("ok", "强", "抱拳", "赞", "好的", "敬礼"):
        return " 收到 "
    return f" {inside} " if _ACK.fullmatch(inside) else " "


def _polite(piece: str) -> str:
    """谢谢, 辛苦了 and whom it is said to are no part of the answer, nor is the 但是 before it."""
    bare = _THANKS.sub("", _BUT.sub("", piece))
    return "" if _COURTESY.fullmatch(piece) or _COURTESY.fullmatch(bare) else bare


# --- one piece ------------------------------------------------------------------------------------------------


def _piece(piece: str) -> Heard | None:
    if _ACK.fullmatch(piece):
        return Heard(Answer.YES, plain=True)
    if _YES.fullmatch(piece):
        return Heard(Answer.YES, note=piece if _ONLINE.fullmatch(piece) else "")
    return _late(piece) or _leave(piece) or _named(piece)


def _late(piece: str) -> Heard | None:
    if _LATE_NOT.search(piece):
        return None
    found = _LATE.fullmatch(piece)
    why = (found["why"] or found["cause"] or "") if found else ""
    mine = found and (_WHEN_ME.fullmatch(why) or _ON_THE_WAY.search(why) or _REASON.search(why))
    return Heard(Answer.LATE, note=piece) if mine or _AFTER.fullmatch(piece) else None


def _leave(piece: str) -> Heard | None:
    if refusal := _CANNOT.fullmatch(piece):
        return Heard(Answer.LATE, note=piece) if refusal["punctual"] else Heard(Answer.LEAVE)
    if _LEAVE.fullmatch(piece):
        return Heard(Answer.LEAVE)
    if _BUSY.fullmatch(piece):
        return Heard(Answer.LEAVE, note=piece)
    found = _LEAVE_FOR.fullmatch(piece) or _FOR_LEAVE.fullmatch(piece) or _FOR_CANNOT.fullmatch(piece)
    if found and _REASON.search(found["why"]) and not _NO_REASON.search(found["why"]):
        return Heard(Answer.LEAVE, note=found["why"])
    return None


def _named(piece: str) -> Heard | None:
    found = _BY_NAME.fullmatch(piece)
    return Heard(Answer.YES, plain=True, who=found["who"]) if found else None


# --- the pieces together --------------------------------------------------------------------------------------


def _together(pieces: Sequence[str], found: Sequence[Heard | None]) -> Heard | None:
    """收到，下午监考，请假: the pieces make one answer, or none where they do not fit together."""
    known = [heard for heard in found if heard]
    rest = [piece for piece, heard in zip(pieces, found, strict=True) if heard is None]
    meant = {heard.answer for heard in known if not heard.plain}
    if not known or meant >= {Answer.YES, Answer.LEAVE} or any(_NO_REASON.search(piece) for piece in rest):
        return None
    who = next((heard.who for heard in known if heard.who), "") or _signature(pieces, rest)
    for answer in (Answer.LATE, Answer.LEAVE):
        if answer in meant:
            notes = [heard.note if heard else piece for piece, heard in zip(pieces, found, strict=True)]
            return Heard(answer, "，".join(note for note in notes if note), who=who)
    if rest and not who and not _only_more(pieces, rest):
        return None
    return Heard(Answer.YES, known[0].note, plain=not meant, who=who)


def _signature(pieces: Sequence[str], rest: Sequence[str]) -> str:
    """数学组 张三 收到, 收到 张三: the name it is signed with."""
    signed = rest and all(_NAME.fullmatch(piece) for piece in rest)
    return rest[-1] if signed and any(_FIRM.match(piece) for piece in pieces) else ""


def _only_more(pieces: Sequence[str], rest: Sequence[str]) -> bool:
    """收到，会带听课本: what follows a firm 收到 does not take it back."""
    return bool(_FIRM.match(pieces[0])) and not any(_DOUBT.search(piece) for piece in rest)


# --- the forms ------------------------------------------------------------------------------------------------

_PAIRS = (
    "閱阅請请參参會会來来課课監监遲迟準准時时謝谢開开沒没線线報报嗎吗還还鐘钟點点後后節节學学師师語语數数組组難难無无"
    "値值門门診诊醫医說说讓让幫帮從从領领導导書书記记發发給给趕赶關关麼么誰谁們们個个條条單单過过為为並并員员內内處处經经視视頻频應应該该別别許许"
)
_SIMPLE = str.maketrans(dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True)))
_TYPOS = (("己阅", "已阅"), ("以阅", "已阅"), ("已悦", "已阅"), ("收倒", "收到"), ("收道", "收到"))
_DECORATION = ("Cf", "Mn", "So", "Sk", "Cn", "Co")
_STICKER = re.compile(r"[\[【]([^\]】\s]{1,6})[\]】]")
_SIGNS = re.compile("[👌👍✅🆗☑✔🫡]+")
_MENTION = re.compile(r"^@(?!所有|全体|all)\S+\s+|\s@(?!所有|全体|all)\S+$")
_CUT = re.compile(r"[\s,，。.;；、!！~～…·\-—:：()（）]+")
_COURTESY = re.compile(
    r"(?:谢谢|多谢|感谢|谢了|辛苦).{0,6}|(?:.{0,2}(?:书记|校长|主任|领导)|老师|各位|办公室)(?:们)?(?:好|您好)?"
    r"|您好|你好|抱歉|不好意思|麻烦了"
)
_BUT = re.compile(r"^(?:但是?|不过|可是|只是|因为|由于|所以)")
_THANKS = re.compile(r"(?:谢谢|多谢|感谢|辛苦).{0,6}$")

_ACK_WORD = (
    r"(?:(?:我|我们|都|已经?|刚刚?|通知|全部)*(?:收到|收悉|阅|知悉|知晓|知道)(?:通知)?|敬悉|已知|已读|已悉|受到"
    r"|明白|了解|清楚|好[的滴嘞哒呀啊]?|嗯+|行|可以|没问题|遵命|ok(?:ay)?)"
)
_ACK = re.compile(rf"(?:{_ACK_WORD}(?:了|啦|哈|哦|噢|呀|的|啊)?){{1,3}}|\+?1")
_FIRM = re.compile(r"(?:我|我们|都|已经?|刚刚?|通知|全部)*(?:收到|收悉|已阅|知悉|知晓|敬悉)")
_NAME = re.compile(r"[\u4e00-\u9fff]{1,6}(?:组|部|处|室|科|年级|班|老师)|[\u4e00-\u9fff]{2,4}")
_BY_NAME = re.compile(r"(?P<who>[\u4e00-\u9fff]{2,9})(?:已?收到|已阅|知悉|已知悉)(?:了|啦)?")

_MEETING = r"(?:会议?|例会|开会|培训|活动|学习|集合)?"
_SELF = (
    r"(?:我|本人|我们|恐怕|实在|这次|今天|明天|后天|那天|当天|上午|下午|中午|那时候?|周[一二三四五六日天])*"
    r"(?:也|都|要|得|正好|刚好|在|还)*"
)
_WILL = r"(?:我们?|本人|也|都|会|能|可以|一定|保证|肯定|必|准备|届时|按时|准时|如期|正常)*"
_ONLINE = re.compile(r"我?(?:线上|远程|视频|网上)(?:参加|参会)")
_YES = re.compile(
    rf"{_WILL}(?:参加|出席|到会|到场|参会|报名){_MEETING}的?|{_ONLINE.pattern}|到"
    rf"|{_WILL}(?:能|会|可以|我|准时|按时|一定|肯定|必)(?:到|来|去)(?:参加|开会)?的?"
    r"|我?(?:取消请假|不请假了|不用请假了|又?(?:能|可以)(?:来|到|参加|去)了)|改成?为?(?:能到|参加|能来)"
)
_MINUTES = r"(?:[0-9]+|[一二两三四五六七八九十几半]+)多?(?:分钟?|刻钟?|个?多?小时|会儿?|点儿?|些)"
_LATE = re.compile(
    rf"(?P<why>.{{0,14}}?)[晚迟](?:到|来|去)?(?:大约|约|大概)?{_MINUTES}(?:左右)?(?:到|来|过来|参加|去)?(?:会场)?"
    r"|(?P<cause>.{0,14}?)(?:[晚迟][到来]|晚点儿?[到来]?|稍[晚迟]点?到?|晚些到?|[晚迟]一点|迟[点些]到?)"
    r"(?:一会儿?|一点|一些|几分钟)?"
)
_AFTER = re.compile(
    r".{0,10}(?:完.{1,6}再|完|后|结束|下课|下班)(?:再|后再|之后再|才|才能|马上|就)?"
    r"(?:到|来|过来|过去|参加|赶来|赶到|赶过来|赶过去)"
)
_ON_THE_WAY = re.compile(r"堵|车|路上")
_WHEN_ME = re.compile(rf"{_SELF}(?:会|需要?|大概)?")
_LATE_NOT = re.compile(r"不|别|勿|莫|没|避免|凡|同志|人员|老师|谁|都|早|晚上|再说|看(?!病|牙|医)|以后|饭")

_CANNOT = re.compile(
    rf"{_SELF}(?:不能|无法|没法|没办法|不)(?P<punctual>准时|按时)?(?:参加|出席|到会|到场|参会|到|来|去){_MEETING}了?"
    rf"|{_SELF}(?:来|去|到|参加|出席)不了{_MEETING}了?|{_SELF}缺席"
)
_ASKS = r"(?:想|需要?|特此?|申请|先)?(?:(?:向|跟|和)?(?:.{0,2}书记|.{0,2}校长|.{0,2}主任|领导|您|办公室|学校))?"
_HOW_LONG = r"(?:一次|一下|[半一两二三几]天)?"
_LEAVE = re.compile(rf"{_SELF}{_ASKS}请(?:个|一下|一次|半天|一天|下)?假{_HOW_LONG}了?")
_BUSY = re.compile(
    rf"{_SELF}(?:是|请|想请)?(?:事假|病假|公假|产假|婚假|丧假|陪产假|产检假){_HOW_LONG}"
    rf"|{_SELF}(?:有[一两]?节?课|监考|值班|出差|看病|外出培训|外出学习|外出开会|公出|家里有事|身体不适|身体不舒服|生病|住院)了?"
)
_LEAVE_FOR = re.compile(rf"{_SELF}{_ASKS}请(?:个|一下)?假{_HOW_LONG}(?:因为?|由于|去|要)?(?P<why>.{{1,20}})")
_FOR_LEAVE = re.compile(
    rf"(?:我|本人)?(?:因为?|由于)?(?P<why>.{{1,16}}?)(?:所以)?要?{_ASKS}请(?:个|一下)?假{_HOW_LONG}"
)
_FOR_CANNOT = re.compile(
    r"(?:我|本人)?(?:因为?|由于)?(?P<why>.{1,14}?)(?:所以)?"
    r"(?:(?:来|去|到|参加)不了|(?:不能|没法|无法)(?:参加|来|到|去))了?"
)
_REASON = re.compile(
    r"课|监考|病|有事|私事|急事|家事|出差|培训|值班|开会|医院|体检|看牙|检查|手术|产检|发烧|发热|感冒|孩子|家里|家中"
    r"|老家|考试|[带陪接送].{1,4}|婚|丧|调研|比赛|教研|外出|不适|不舒服"
)
_NO_REASON = re.compile(
    r"不(?!适|舒服)|没|未|别|无|是否|允许|必须|应当|统一|同志|同事|大家|取消|上次|之前|昨天|名单|[每各凡须]|务必|提前"
    r"|一律|课代表|班里|班上"
)
_DOUBT = re.compile(
    r"请假|晚到|迟到|恐怕|来不|到不|去不|有点|冲突|改|有课|上课|监考|病|有事|出差|值班|医院|孩子|发烧|培训|忙|暂|再"
)
_TRAP = re.compile(
    r"[?？]|吗|呢|是不是|有没有|能不能|可不可以|要不要|是否|怎么|哪|谁|几点|多少|什么|啥|为何|几号|吧$"
    r"|没收到|没有收到|未收到|还没|收不到|没看到|没有看到|不明白|不清楚|不了解|不知|没明白|没阅|收到没"
    r"|回复|请回|回执|请大家|请各|请[^假]{0,6}收到|收到的|收到后|收到请|所有人|@all|@全体|全体成员"
    r"|如果|要是|假如|万一|除非|的话|可能|也许|不一定|说不定|待定|看情况|争取|尽量|应该|估计|好像"
    r"|请假(?:条|单|表|人|的|制度|手续|流程|名单|审批|系统|申请|情况|事宜|规定|与|和)|销假|准假|批假|补假|放假|假期"
    r"|不请假$|不用请假$|会请假$|没请假|未请假|别请假|不得|不准请|不许|不要|禁止|无需|原则上"
    r"|代[^课]|帮|替|让我|托我|转告|(?<!其)他|她|大家|(?<![带送陪领])学生|同学|家长(?!会)|有人|撤回|作废|说错|改投"
)
