"""What may be shown, and what may still be done. Pure: words, rows and the time in, a value or Refused out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime

from bot.kit.errors import NotUnderstood, Refused
from bot.kit.words import N_, _
from handlers.drafts.answers import ALL
from handlers.drafts.clauses import NUMBER, Split, both, label, numeral, readable
from storage.drafts import CLOSED, NEW, OPEN, Clause, Comment, Draft

MOST_CHARACTERS = 60_000
MOST_CLAUSES = 300
MOST_WORDS = 2_000  # of one comment

# What the staff congress must pass (学校教职工代表大会规定, art. 7), by the words of a title.
KINDS = {
    N_("分配"): "分配|绩效工资|奖励性绩效|津补?贴|课时费",
    N_("考核"): "考核|考评|绩效",
    N_("奖惩"): "奖惩|奖励|处分|惩戒|惩处",
    N_("聘任"): "聘任|聘用|竞聘|评聘|岗位设置|职称",
    N_("福利"): "福利|疗休养|慰问",
}
_MARKS = re.compile("★|密级|绝密|机密|秘密|内部")
_HARMLESS = re.compile(  # words of a rule about secrets, or about the inside of a school, and no mark of a paper
    r"(?:国家|工作|商业|考试|试题|学校|个人)(?:秘密|机密)|(?:保守|泄露|泄漏|知悉|涉及).{0,8}?(?:秘密|机密)|秘密(?:投票|写票)"
    r"|(?:学校|单位|校|部门|组织|系统|处室|年级|教研组)内部"
    r"|内部(?:管理|控制|审计|分配|机构|治理|监督|质量|培训|交流|矛盾|岗位|竞聘|调剂|退养|等级|推荐|选拔)"
)


# --- what may be shown ----------------------------------------------------------------------------------------


def forbidden(text: str) -> str | None:
    """The mark that says this paper may not go round in a chat; ``None``: there is none."""
    plain = unicodedata.normalize("NFKC", text).translate(str.maketrans("機級內", "机级内"))
    found = _MARKS.search(_HARMLESS.sub("", re.sub(r"[ \t]+", "", plain)))
    return found[0] if found else None


def kind(title: str) -> str:
    """分配 考核 奖惩 聘任 福利, or "" for everything that the office may decide; pupils are another matter."""
    if re.search("学生|學生|班级|班級", title):
        return ""
    return next((name for name, words in KINDS.items() if re.search(words, title)), "")


def check_text(found: Split, text: str, name: str = "") -> Split:
    """Refused where it bears the mark of a secret, says nothing, or is longer than anybody would read in a chat."""
    mark = forbidden(f"{name}\n{text}")
    if mark is not None:
        raise Refused(
            _("稿子里有“{mark}”字样，不能在群里征求意见，内容没有留下。请改走线下；误标的，删去再发。", mark=mark)
        )
    if not found.pieces:
        raise Refused(_("没有读到正文。请粘贴全文，或者发 .docx、.txt、.md 文件。"))
    if len(text) > MOST_CHARACTERS:
        raise Refused(_("稿子太长了（{n} 字），最多 {most} 字。请分成几份发。", n=len(text), most=MOST_CHARACTERS))
    if len(found.pieces) > MOST_CLAUSES:
        raise Refused(_("条款太多了（{n} 条），最多 {most} 条。请分成几份发。", n=len(found.pieces), most=MOST_CLAUSES))
    return found


def check_title(title: str) -> None:
    mark = forbidden(title)
    if mark is not None:
        raise Refused(_("题目里有“{mark}”字样，不能在群里征求意见。请点“重新填”改一个题目。", mark=mark))


def check_new(draft: Draft | None) -> Draft:
    if draft is None or draft.state != NEW:
        raise Refused(_("这份稿子已经发布过，或者已经放弃了。要再征求，请重新发一次。"))
    return draft


def check_ready(draft: Draft | None, now: datetime, groups: int, call: str = "") -> Draft:
    """Everything is known, somebody answers for it, and there is somewhere to publish it."""
    draft = check_new(draft)
    if draft.until is None or not draft.approver:
        raise Refused(_("还缺截止时间或批准人。请点“继续”填完。"))
    if draft.until <= now:
        raise Refused(_("截止时间已经过了。请点“重新填”改一个以后的时间。"))
    if not groups:
        raise Refused(_("还没有绑定的群。请先在教职工群里发“{call}绑定本群”，再点“确认发布”。", call=call))
    return draft


# --- what may still be done -----------------------------------------------------------------------------------


def check_open(draft: Draft | None, now: datetime, until: str) -> Draft:
    """Compared in the transaction of the comment; the appointment at the deadline only publishes."""
    if draft is None:
        raise Refused(_("这份征求意见稿已经不在了，请联系办公室。"))
    if draft.state not in (OPEN, CLOSED):
        raise Refused(_("这份稿子还没有发布，发布以后再提意见。"))
    if draft.state == CLOSED or draft.until is None or now >= draft.until:
        raise Refused(
            _("《{title}》征求意见已于 {until} 截止，没有记入。请直接发给办公室。", title=draft.title, until=until)
        )
    return draft


def check_shown(draft: Draft | None) -> Draft:
    """Published, open or closed: everybody may read it."""
    if draft is None or draft.state not in (OPEN, CLOSED):
        raise Refused(_("这份稿子不在征求意见，或者已经收起来了。请看最新的卡片。"))
    return draft


def check_longer(draft: Draft, until: datetime, now: datetime) -> None:
    if draft.state != OPEN or draft.until is None or now >= draft.until:
        raise Refused(_("《{title}》已经截止，不能再延期。需要的话请重新征求一次意见。", title=draft.title))
    if until <= draft.until:
        raise Refused(_("新的截止时间不比原来的晚。请写一个更晚的时间，例：延期 下周一 17:00"))


def places(clauses: Sequence[Clause], name: str) -> list[int]:
    """Where ``name`` is: none, one, or several where two parts of the draft have their own 第一条."""
    if name == ALL:
        return [0]
    return [c.position for c in clauses if c.label == name or c.label.startswith(f"{name}（")]


def label_of(clauses: Sequence[Clause], position: int) -> str:
    return next((clause.label for clause in clauses if clause.position == position), _(ALL))


def which(clauses: Sequence[Clause], name: str, found: Sequence[int]) -> str:
    """Asks back for a clause that is not there, or there more than once."""
    if found:
        labels = "、".join(clause.label for clause in clauses if clause.position in found)
        return _("稿子里有几处{name}：{labels}。您说的是哪一处？", name=name, labels=labels)
    first, last = clauses[0].label, clauses[-1].label
    return _("这份稿子是{first}到{last}，没有{name}。您说的是哪一条？", first=first, last=last, name=name)


def named(text: str) -> str | None:
    """The clause somebody names when asked which: 3 · 三 · 第三条 · 第三条（2） · 全文."""
    plain = unicodedata.normalize("NFKC", text).strip(" 。.、")
    again = re.search(r"\((\d+)\)$", plain)
    plain = plain[: again.start()] if again else plain
    if plain in (_(ALL), ALL, "整体", "总体", "全部", "0"):
        return ALL
    annex = re.fullmatch(both(rf"附[件表录]\s*({NUMBER})?"), plain)
    if annex:
        return "附件" + (str(numeral(annex[1])) if annex[1] else "")
    found = re.fullmatch(both(rf"第?\s*({NUMBER})\s*[条段点、]?(?:之({NUMBER}))?"), plain)
    if found is None or not numeral(found[1]):
        return None
    return label(numeral(found[1]), numeral(found[2] or "")) + (f"（{again[1]}）" if again else "")


def words(text: str) -> str:
    """The words of a comment, with no signs that a sheet or a chat would choke on."""
    kept = readable(text).strip()
    if not kept:
        raise NotUnderstood(_("请写一段话。"))
    if len(kept) > MOST_WORDS:
        raise NotUnderstood(
            _("太长了（{n} 字），一条意见请在 {most} 字以内，可以分几条写。", n=len(kept), most=MOST_WORDS)
        )
    return kept


def check_mine(comment: Comment | None, person: int, number: int) -> Comment:
    """Another's number is as unknown as one that never was."""
    if comment is None or comment.person != person:
        raise Refused(_("没有找到您的意见 #{n}。回复“我的意见”看自己的编号。", n=number))
    if comment.state != "live":
        raise Refused(_("#{n} 已经收回过了。", n=number))
    return comment
