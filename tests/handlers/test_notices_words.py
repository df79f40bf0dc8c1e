"""What people really type, and what it answers: the vocabulary with its traps. A wrong reading is worse than none."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.notices import rules
from handlers.notices.answers import LONGEST, hear
from handlers.notices.rules import Answer

SEEN = """
收到 已收到 收到了 我收到了 收悉 已悉 收到通知 通知收到 收到谢谢 收到，谢谢 收到~谢谢书记 收到辛苦了
收到，老师辛苦了 收到！ 收到。 收到收到 好的收到 阅 已阅 已读 知悉 已知悉 知晓 已知 知道了 明白 明白了 了解 好的
好 好滴 好嘞 好哒 好的好的 好的谢谢 嗯 嗯嗯 行 可以 没问题 遵命 OK ok ＯＫ Okay 1 １ +1 ＋１ ① 👌 👍 👍👍 👍🏻
👍🏿 ✅ ✔️ 🆗 🫡 收到👌 收到🙏 [OK] [强] [抱拳] [赞] [好的] 【收到】 [收到] 己阅 收倒 收道 受到 已經收到 收到啦
收到哈 好的哈 @红烛 收到 收到 @红烛 书记，收到 各位好，收到 收到，会带听课本
"""
COMING = """
参加 按时参加 准时参加 按时参会 准时参会 准时到 准时到会 按时到 出席 能到 能来 会到 会去 我去 我来 我参加
我也参加 可以参加 能参加 报名 我报名 到 一定到 必到 保证准时到 准时参加会议 收到，一定准时参加 收到，参加
收到，能到 好的，准时到 參加 準時到 线上参加 視頻參加 取消请假 不请假了 又能来了 能来了 可以来了 又能到了
改为能到 改成参加
"""
LATE = """
晚到 晚到十分钟 晚十分钟 晚10分钟 晚10分钟到 我晚一点 迟一点 晚点到 晚点儿到 稍晚到 稍晚 晚一会儿 迟到五分钟
會晚10分鐘左右 要晚到 我要晚到十分钟 好的，但我要晚到十分钟 收到，晚点到 路上堵车晚到二十分钟 堵车，晚到
看病晚到 有课，晚到一会 上完第二节课再来 第二节课后到 下课后过来 放学后来 开完会再过来 收到，下课后过来
不能准时到，晚十分钟 不能准时参加
"""
LEAVE = """
请假 請假 我请假 要请假 想请假 特请假 请个假 请假一天 请假半天 请假两天 向书记请假 跟校长请假 事假 病假 公假
请病假 想请事假 有课 我有课 下午有课 有两节课 监考 值班 外出培训 出差 看病 来不了 参加不了 去不了 到不了
我来不了 缺席 不参加 不能参加 不能来 没法来 无法参加 不来了 周五来不了 恐怕来不了 收到，请假
收到，下午监考，请假 收到，但是下午有课 请假，监考 请假，家里有事 孩子发烧，请假 感冒了，请个假 因监考请假
监考请假 请假看病 请假去医院 请假带孩子看病 带学生比赛，请假 监考来不了 有课，来不了 周五有课来不了
家里有事请假一天 身体不舒服，请假 王书记，我监考，请假 孩子开家长会，请假
"""
TRAPS = """
没收到 还没收到文件 没有收到 未收到 收不到 收到了吗 收到了吗？ 收到? 收到没 收到没有 大家收到了没有 收到请回复
收到请回复，谢谢 请收到回复 收到的请举手 收到后请签字 请大家收到后回复 收到回执 @所有人 收到 大家收到 不请假
没请假 我不请假 不用请假 不要请假 别请假 请假条在哪 请假条 请假单 请假表 请假制度 请假手续怎么办
请假的老师请私聊 请假人数 请假名单 谁请假了 需要请假吗 怎么请假 能请假吗 可以请假吗 找谁请假 学生请假
班里有学生请假 家长请假 同事请假 大家请假 有人请假 张三请假 课代表请假 会请假 提前请假 必须请假 一律请假
昨天请假 上次请假 要是下雨就请假 如果有课就请假 万一来不了 可能晚到 可能请假 不一定能到 也许能来 待定 看情况
争取参加 尽量到 应该能到 代李四收到 李四让我说请假 帮王老师报名 替张三请假 他请假 她来不了 不会迟到 请不要迟到
别迟到 迟到的同志 避免迟到 谁晚到 都晚到了 晚上再说 晚饭后再去 以后再来 不能不来 不是不能来 明天能来吗 几点到
到了 到哪了 到不到 参加吗 谁参加 都参加吗 参加的人员 报名表 报名方式 报名了吗 会来吗 没有课，能到
收到，文件在哪里 收到，几点开始 好，我们下一个问题 好，散会 好的，张三 好吧 好不好 行不行 可以吗 知道吗 不知道
不明白 不清楚 不好 不行 同意 不同意 无意见 没意见 附议 赞成 选张三 弃权 3 2 11 0 一 3号 已学 学完了 打卡 谢谢
辛苦了 谢谢老师 老师好 在吗 你好 收 到底 到时候 请假能到 能到请假 代课 放假 假期安排 今天别提醒 催一下 谁还没回
统计 帮助 第三条建议改为请假两天 [微笑] 🙏 🌹 😄 ？ 。。。 收到/参加 小李晚到 同学们晚到 会后去办公室
下班后去超市 收到，那我再看看 收到，下午有课的安排好了 撤回 作废 说错了
"""


def rows(text: str) -> list[str]:
    """One phrase a word; a phrase with a space of its own is not split."""
    whole = ("@红烛 收到", "收到 @红烛", "@所有人 收到")
    for number, phrase in enumerate(whole):
        text = text.replace(phrase, f"\x00{number}")
    return [whole[int(word[1:])] if word.startswith("\x00") else word for word in text.split()]


@pytest.mark.parametrize("text", rows(SEEN))
def test_a_bare_acknowledgement(text: str) -> None:
    heard = hear(text)
    assert heard is not None and (heard.answer, heard.plain, heard.who, heard.note) == (Answer.YES, True, "", "")


@pytest.mark.parametrize("text", rows(COMING))
def test_an_explicit_yes(text: str) -> None:
    heard = hear(text)
    assert heard is not None and (heard.answer, heard.plain) == (Answer.YES, False)


@pytest.mark.parametrize("text", rows(LATE))
def test_coming_late_keeps_the_words(text: str) -> None:
    heard = hear(text)
    assert heard is not None and heard.answer is Answer.LATE and heard.note


@pytest.mark.parametrize("text", rows(LEAVE))
def test_leave(text: str) -> None:
    heard = hear(text)
    assert heard is not None and (heard.answer, heard.who) == (Answer.LEAVE, "")


@pytest.mark.parametrize("text", rows(TRAPS))
def test_a_trap_is_no_answer(text: str) -> None:
    assert hear(text) is None


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("晚到十分钟", "晚到十分钟"),
        ("好的，但我要晚到十分钟", "我要晚到十分钟"),
        ("请假，监考", "监考"),
        ("收到，下午监考，请假", "下午监考"),
        ("孩子发烧，请假", "孩子发烧"),
        ("请假去医院", "医院"),
        ("病假", "病假"),
        ("请假", ""),
        ("请假两天", ""),
        ("线上参加", "线上参加"),
    ],
)
def test_the_reason_is_kept(text: str, note: str) -> None:
    heard = hear(text)
    assert heard is not None and heard.note == note


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("数学组收到", "数学组"),
        ("张三收到", "张三"),
        ("张老师收到", "张老师"),
        ("語文組收到", "语文组"),
        ("数学组 张三 收到", "张三"),
        ("收到 张三", "张三"),
        ("语文-张三收到", "张三"),
        ("文件收到", "文件"),
        ("建议增加收到", "建议增加"),
    ],
)
def test_in_whose_name(text: str, who: str) -> None:
    heard = hear(text)
    assert heard is not None and heard.plain and heard.who == who


@pytest.mark.parametrize(
    ("who", "mine"),
    [
        *[(who, True) for who in ("", "张三", "张三老师", "语文张三", "张老师", "数学组", "三年级", "教学部")],
        *[(who, False) for who in ("李四", "李老师", "文件", "老师", "张", "张三丰", "小张", "三")],
    ],
)
def test_whose_name_is_mine(who: str, mine: bool) -> None:
    assert rules.about_me(who, "张三", "教学部") is mine


@given(st.text(max_size=LONGEST * 6))
def test_any_text_at_all_is_read_or_not_read(text: str) -> None:
    heard = hear(text)
    assert heard is None or heard.answer in Answer


@given(st.text(alphabet=string.ascii_letters.replace("o", "").replace("k", "") + "023456789 ,.", max_size=40))
def test_letters_and_figures_answer_nothing(text: str) -> None:
    assert hear(text.replace("1", "")) is None


@given(st.sampled_from(rows(TRAPS)), st.sampled_from(["，收到", "，好的", "。参加", " 请假"]))
def test_a_question_or_an_order_stays_one_whatever_follows(trap: str, more: str) -> None:
    if any(mark in trap for mark in ("吗", "？", "谁", "怎么", "回复", "没收到", "请假条")):
        assert hear(trap + more) is None


def test_a_long_text_is_not_even_read() -> None:
    assert hear("收到" * 40) is None and hear("收到，" + "好" * 10_000) is None
