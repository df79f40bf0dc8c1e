"""What people mean by what they say to a draft: 第三条建议改为…… · 第5条第2款：… · 三、(二)… · 无意见. Pure.

Words are kept as they were typed; only where they belong is read. Three readers, from strict to kind: ``plainly`` for
talk in a group that happens to be about a clause, ``privately`` for a talk with us, ``replying`` to the card.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.kit.words import N_
from handlers.drafts.clauses import NUMBER, both, label, numeral, readable

ALL = N_("全文")
MOST = 60  # remarks in one message
LONGEST = 8000  # characters that are still read as somebody's remarks


@dataclass(frozen=True, slots=True)
class Remark:
    """``clause``: 第三条, 附件1 or 全文. ``point``: 第二款. ``asks``: a question for the office, not a comment."""

    clause: str
    point: str
    words: str
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Meaning:
    """``text`` as it was said; no remarks: 无意见."""

    text: str
    remarks: tuple[Remark, ...]


# --- the words ------------------------------------------------------------------------------------------------

_BEHIND = (  # 条 also counts messages, fish and roads
    r"(?!\s*(?:消息|微信|短信|通知|公告|留言|评论|回复|语音|链接|视频|新闻|信息|记录|朋友圈|微博|动态|推送|聊天|生产线|线|路|街"
    r"|河|船|鱼|狗|蛇|腿|裙|裤|围巾|毛巾|跑道|命))"
)
_POINT = rf"(?:\s*[,，]?\s*第\s*{NUMBER}\s*[款项目])*(?:\s*第?\s*[(（]\s*{NUMBER}\s*[)）]\s*[项款目]?)?"
_ARTICLE = (
    rf"(?:第\s*{NUMBER}\s*[章节]\s*[,，]?\s*)*第\s*(?P<n>{NUMBER})(?P<more>(?:\s*、\s*第?\s*{NUMBER}){{0,20}})\s*[条段]"
    rf"(?:之(?P<sub>{NUMBER}))?{_BEHIND}(?P<also>(?:、\s*第\s*{NUMBER}\s*[条段]){{0,20}})(?P<point>{_POINT})"
)
_ANNEX = rf"(?P<annex>附\s*[件表录])\s*(?P<annexed>{NUMBER})?(?=\s*[，,：:中里的建应改删增])"
_REF = re.compile(both(rf"{_ARTICLE}|{_ANNEX}|第\s*{NUMBER}\s*章(?!\s*[,，]?\s*第)"))
_ITEM = re.compile(
    rf"\s*(?P<n>[一二三四五六七八九十百]{{1,5}})\s*[、.．]\s*(?P<point>[(（]\s*{NUMBER}\s*[)）](?!\s*[班组队])项?)?(?P<words>.+)",
    re.S,
)
_ENUMERATOR = re.compile(
    r"\s*(?:(?:[0-9０-９]{1,2}|[一二三四五六七八九十]{1,3})\s*[.、．)）]|[(（](?:[0-9０-９]{1,2}|[一二三四五六七八九十]{1,3})[)）]|[①-⑳]|[-•·*])\s*"
)
_WISH = (  # wants something changed, even where it is put as a question
    r"建议|改[为成动掉一]|修改|删|去掉|取消|增[加补设]|加上|补充|能否|可否|能不能|可不可以|(?:是不是|是否)(?:可以|能|应|需)|希望"
    r"|最好|不如|应[该当]|(?<!不)太|过于|不合[理适]|不妥"
)
_CUE = re.compile(
    both(
        rf"{_WISH}|意见|应[为是]?|不同意|反对|不赞成|新增|加[入一]|明确|完善|细化|调整|不?宜|过[高低严宽长短多少]|不够|不足|缺[少乏]?|漏"
        r"|写[错成明]|错别?字|笔误|保留|合并|拆|放宽|提[高前]|降低|减少|推迟|表述|标点|重复|矛盾|冲突|歧义|有问题|笼统|模糊|不清|不公平"
        r"|有困难|做不到|难以|无法|不[要能该必]|没有?必要|[换并]入|替换|统一"
    )
)
_WANTS = re.compile(both(_WISH))
_ASKS = re.compile(
    both(
        r"[?？]\s*$|什么|啥|怎么|为何|如何|哪[个些里种]|谁|几[天次个]|多少|是不是|是否|算不算|要不要|会不会|行不行|需不需要|有没有|请问|咨询"
        r"|不太?[明懂]白?|没[看]?[懂明]|看不[懂明]|不理解|[吗呢么]\s*[。.…]*$"
    )
)
_LINK = (
    r"(?:另外|此外|还有|同时|其次|首先|再者|最后|以及|而且|并且|[一二三四]是|然后|也|但是?|不过|只是|就是)?"
    r"[，,、：:\s]*"
)
_OPEN = re.compile(
    both(
        rf"{_LINK}(?:[^\W\d_]{{1,4}}组[：:，,])?(?:我们?|本人|个人|本组)?也?(?:认为|觉得|建议|希望|提议|的?意见是?|请问|想问一?下?|问一下|咨询一?下?)?[，,：:\s]*(?:修改|补充)?"
        r"(?:意见|建议)?[：:，,\s]*(?:关于|对于|对|针对|就|把|将|在|给|原|[稿文]中的?|其中的?)?\s*"
        r"(?:删[除去掉]|去掉|取消|修改|增加|保留|细化|明确|完善|合并|调整)?\s*"
    )
)
_ON_IT = re.compile(both(r"删|去掉|取消|修改|增加|保留|细化|明确|完善|合并|调整|在|把|将"))
_TITLED = re.compile(both(r"\s*的?(?:内容|规定|表述|条款)?的?(?:修改)?(?:意见|建议)(?:是|如下|为)?\s*[：:]\s*"))
_SENTENCE = re.compile(r"[^。；;！!？?\n]*[。；;！!？?\n]*")
_COMMA = re.compile(
    both(
        rf"[，,]\s*(?=(?:另外|还有|同时|但是?|不过)?[，,]?\s*第\s*{NUMBER}\s*条[^，,。；;]{{0,14}}?(?:建议|[应改删增补可宜需要没无]|明确|：|:))"
    )
)
_NOTHING = re.compile(
    both(
        r"(?:(?:我们?|本人|(?:我|本)们?组|我?这边|全组|[^\W\d_]{1,4}组|已阅|收到|看过?了?|已看)[，,：:、。\s]*){0,4}"
        r"(?:对.{0,20}(?:稿|办法|制度|方案|规定|文件|细则|条例|全文)》?)?\s*(?:[都均也]|暂时|目前)*"
        r"(?:无|没有?|暂无|没啥|没什么)(?:其[他它]|任何|什么|啥|修改|不同|补充|别的)*的?(?:修改|补充|反馈)?"
        r"(?:意见|建议|异议)(?:[和或与、]建议)?[了哈呀啊哦的呢]?"
    )
)
_AGREES = re.compile(
    both(
        r"(?:我们?|本组)?(?:都|完全|全部|原则上?|基本)?(?:同意|赞[成同]|支持|认可|没有?问题|通过)"
        r"(?:[该此本]稿|全文|稿子|该办法)?[了的]?"
    )
)
_TAIL = re.compile(both(r"[，,\s]*(?:谢谢.{0,4}|辛苦了?|请?知悉|特此反馈)?[\s。.!！~～…🙏👌👍]*"))
_BUT = re.compile(
    r"[\s，,。.;；]*(?:但是?|不过|只是|就是|除了|另外|然而|可是|仅|唯一|[，,。.;；]\s*(?:建议|建議|希望))"
)
_HEARD = re.compile(
    both(
        r"(?:(?:已?收到|收悉|已?知悉|知道了?|知晓|已阅|已读|好[的滴嘞]?|明白了?|了解|看到了?|我?看过?了|[嗯哦哈]|okay|ok"
        r"|谢谢[^，,。\s谢]{0,4}|辛苦[^，,。\s辛]{0,4}|很好|赞|顶|[+＋]?[0-9])[，,\s。.!！~～]*){1,12}"
    ),
    re.I,
)
_DONE = re.compile(both(r"已经?(?:修改|改|调整|完善|删|按)"))
_PARTED = re.compile(both(r"[条段款项)）]\s*[\s：:，,、—\-]\s*\S"))
_BEGINS = re.compile(
    both(
        r"\s*(?:(?:我们?|本人|个人|本组)?也?(?:建议|希望|提议|认为|觉得|的?(?:修改)?意见)"
        r"|总体|整体|全文|通篇|标题|题目|总则|附则|前言)"
    )
)
_ABOUT = re.compile(both(rf"(?:增加|新增|加|补充)一[条款章]|征求意见|本办法|这[个份]稿|稿子|草案|第{NUMBER}章"))


# --- the readers ----------------------------------------------------------------------------------------------


def plainly(text: str) -> Meaning | None:
    """In a group, to nobody: only what can be about nothing but the draft."""
    text = _clean(text)
    if _says_nothing(text):
        return Meaning(text, ())
    if _but(text):
        return _meaning(text, _read(text))
    found = _item(text, strict=True) or _read(text)
    parted = _PARTED.search(text) is not None
    about = [r for r in found if (_ABOUT.search(r.words) if r.clause == ALL else _telling(r, parted=parted))]
    return _meaning(text, found) if about else None


def privately(text: str) -> Meaning | None:
    """In a talk with us: a clause is enough, or a beginning that says 建议."""
    text = _clean(text)
    if _says_nothing(text):
        return Meaning(text, ())
    found = _item(text, strict=False) or _read(text)
    named = any(remark.clause != ALL or _ABOUT.search(remark.words) for remark in found)
    return _meaning(text, found) if named or _BEGINS.match(text) or _but(text) else None


def replying(text: str) -> Meaning | None:
    """In answer to the card: everything that is not merely a sign of having seen it."""
    text = _clean(text)
    agrees = _AGREES.match(text)
    if (
        _says_nothing(text)
        or (agrees and _TAIL.fullmatch(text, agrees.end()))
        or re.fullmatch("无|無|没有?|沒有?", text)
    ):
        return Meaning(text, ())
    if _HEARD.fullmatch(text) or len(re.findall(r"\w", text)) < 2:
        return None
    return _meaning(text, _item(text, strict=False) or _read(text))


def _meaning(text: str, found: tuple[Remark, ...]) -> Meaning | None:
    return Meaning(text, found) if found else None


# --- how they read --------------------------------------------------------------------------------------------


def _clean(text: str) -> str:
    return re.sub(r"^\s*(?:@\S+\s+){1,3}", "", readable(text[:LONGEST])).strip()


def _says_nothing(text: str) -> bool:
    found = _NOTHING.match(text)
    return found is not None and _TAIL.fullmatch(text, found.end()) is not None


def _but(text: str) -> bool:
    """没意见，但是……: a comment after all."""
    found = _NOTHING.match(text)
    return found is not None and _BUT.match(text, found.end()) is not None


def _telling(remark: Remark, *, parted: bool) -> bool:
    """Does it say something of the clause, or only mention it? ``parted``: a sign stands behind the clause."""
    words = re.sub(r"^的?(?:建议|意见)", "", remark.words)
    if _HEARD.fullmatch(words) or _DONE.match(words):
        return False
    return remark.asks or _CUE.search(remark.words) is not None or (parted and len(words) > 1)


def _item(text: str, *, strict: bool) -> tuple[Remark, ...]:
    """三、(二)……; a list of one's own (一、… 二、…) is not about clause one and two."""
    found = _ITEM.fullmatch(text)
    if found is None or _REF.search(text) or re.search(r"[\n\s。；;]\s*[一二三四五六七八九十]{1,3}\s*[、.．]", text):
        return ()
    words = found["words"].strip(" 　：:，,")
    if not words or (strict and not (found["point"] and _CUE.search(words))):
        return ()
    return (_remark(label(numeral(found["n"])), found["point"] or "", words),)


def _read(text: str) -> tuple[Remark, ...]:
    """Sentence by sentence: one that opens with a clause begins a remark, the others go on with theirs."""
    parts: list[tuple[re.Match[str] | None, str]] = []
    for sentence in _sentences(text):
        found = _opens(sentence)
        if (found is not None and len(parts) < MOST) or not parts:
            parts.append((found, sentence))
        else:
            before, words = parts[-1]
            parts[-1] = (before, words + sentence)
    if parts and parts[0][0] is None and not _worth(parts[0][1], alone=len(parts) == 1):
        parts = parts[1:]
    found_all = tuple(remark for found, words in parts for remark in _remarks(found, words))
    telling = tuple(r for r in found_all if not _agreeing(r.words))
    return telling or found_all


def _agreeing(words: str) -> bool:
    agrees = _NOTHING.match(words) or _AGREES.match(words)
    return agrees is not None and _TAIL.fullmatch(words, agrees.end()) is not None


def _sentences(text: str) -> Iterator[str]:
    for found in _SENTENCE.finditer(text):
        start = 0
        for comma in _COMMA.finditer(found[0]):
            before = found[0][start : comma.start()]
            if _opens(before) or _says_nothing(before.strip()):
                yield before
                start = comma.end()
        if found[0][start:].strip():
            yield found[0][start:]


def _opens(sentence: str) -> re.Match[str] | None:
    """The clause a sentence opens with, behind an enumerator and a few polite words."""
    lead = _ENUMERATOR.match(sentence)
    start = lead.end() if lead else 0
    found = _REF.search(sentence, start)
    if found is None:
        return None
    before = sentence[start : found.start()]
    polite = _NOTHING.match(before) or re.match(r"收到|已阅|好的", before)
    if polite:
        before = re.sub(r"^[，,。.\s]*(?:但是?|不过|只是|就是|另外|除了)?[，,\s]*", "", before[polite.end() :])
    return found if _OPEN.fullmatch(before) else None


def _worth(text: str, *, alone: bool) -> bool:
    """Words before the first clause: a comment on the whole, or only a way to begin (有两点意见：)?"""
    bare = re.sub(
        both(r"[几两一二三四五0-9]{1,3}[点条个]?(?:建议|意见)|(?:修改)?(?:建议|意见)(?:如下|是)"), "", text
    ).strip()
    if bare.endswith(("：", ":")) or not re.search(r"\w", bare):
        return False
    return alone or (len(bare) > 8 and _CUE.search(bare) is not None)


def _remarks(found: re.Match[str] | None, text: str) -> Iterator[Remark]:
    if found is None:
        yield _remark(ALL, "", text.strip())
        return
    lead = _ENUMERATOR.match(text)
    start = lead.end() if lead else 0
    before, after = text[start : found.start()], text[found.end() :]
    words = _TITLED.sub("", after, count=1) if _TITLED.match(after) else after
    words = words.strip(" 　：:，,、\n").rstrip("；;")
    if not words or _ON_IT.search(before) or re.match(r"[和与與跟同及至到\-~后後前]", words):
        words = text[start:].strip()  # 建议删除第三条: without its clause it says nothing
    if words == found[0].strip():
        return
    if found["annex"]:
        yield _remark("附件" + (str(numeral(found["annexed"])) if found["annexed"] else ""), "", words)
    elif found["n"] is None:
        yield _remark(ALL, "", text.strip())
    else:
        for number in [found["n"], *re.findall(NUMBER, found["more"] + found["also"])[:MOST]]:
            yield _remark(label(numeral(number), numeral(found["sub"] or "")), found["point"], words)


def _remark(clause: str, point: str, words: str) -> Remark:
    asks = _ASKS.search(words) is not None and _WANTS.search(words) is None
    return Remark(clause, re.sub(r"[\s,，]", "", point)[:32], words, asks)
