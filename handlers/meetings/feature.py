"""会务：what happens around a meeting that was announced: papers, the door, minutes, tasks, the calendar.

1.  会务 shows the office everything about one meeting. Which one is meant is the quoted one, the one named by its
    number, or the only one that is on about now; else it is asked.
2.  签到表, 回执统计 and 会议记录 come as files, made in a child; only what was recorded is in them.
3.  开始签到 (off unless asked for) puts one card into the groups: everybody taps 签到 for themselves, or says it in
    private. It closes by itself, or with 结束签到: the clock is compared in the transaction of the tap. 凭码签到 wants
    the four digits of the projector as well. 补签 is the office's, and is written down as such.
4.  记主持, 记记录人, 记议程, 记决议: the recorder types, the rest of the minutes is counted. 行动项 王老师 周五前 交
    教案 goes to its owner, comes back at most twice, and ends with 完成.
5.  Who was not there gets the minutes, without names, and where the office says so is asked to catch up: 已补学.
6.  附件 adds papers to a meeting; the groups hear of new ones once, and 会议材料 gives them to whoever is asked.
7.  日历 is a file and a private link of one's own meetings; 日历 停用 ends the link, a new one voids the old.
"""

from __future__ import annotations

from functools import partial

from bot.kit.feature import Feature
from bot.kit.role import Role
from bot.kit.words import N_
from handlers.meetings import cards, door, forms, links, minutes, office, papers, rules, sections, taps, tasks, work
from handlers.meetings.taps import Act

feature = Feature("meetings", title=N_("会务"))

feature.card("meeting")(sections.drawn(cards.desk))
feature.card("meeting-door")(sections.drawn(cards.door))
feature.card("meeting-minutes")(sections.drawn(cards.minutes))
feature.card("meeting-papers")(sections.drawn(cards.papers))
feature.card("meeting-task")(sections.task_card)
feature.card("meeting-tasks")(sections.tasks_card)
feature.card("meeting-catchup")(sections.catchup_card)
feature.card("calendar")(sections.calendar_card)

# --- the office -----------------------------------------------------------------------------------------------

asks = partial(feature.command, who=Role.OFFICE, private=True)
alone = partial(asks, whole=True)  # 会议记录我发群里了 is talk, and no wish
alone("会务", help=N_("一场会议的签到、记录、材料，都在这里"))(office.word(Act.DESK))
alone("开始签到", help=N_("会场签到，例：开始签到 20分钟"))(office.word(Act.OPEN))
alone("凭码签到", help=N_("会场签到，要报投影上的四位数"))(office.word(Act.CODED))
alone("结束签到")(office.word(Act.SHUT))
alone("签到表", help=N_("签到表，Word 和 Excel 各一份"))(office.word(Act.SHEET))
alone("回执统计", "回执统计表", help=N_("谁答复了什么，Word 和 Excel 各一份"))(office.word(Act.REPLIES))
alone("会议记录", help=N_("填会议记录，生成 Word"))(office.word(Act.MINUTES))
alone("生成会议记录")(office.word(Act.EXPORT))
alone("发给没到会的")(office.word(Act.TELL))
alone("附件", "加材料", help=N_("给会议加材料"))(papers.attach)
asks("补签", help=N_("给没带手机的人补签，例：补签 王老师"))(office.word(Act.LATER))
asks("记主持")(office.word(Act.CHAIR))
asks("记记录人")(office.word(Act.RECORDER))
asks("记议程", verbatim=True)(office.word(Act.AGENDA))
asks("记决议", verbatim=True)(office.word(Act.RESOLVED))
asks("行动项", help=N_("记一件会后要办的事，例：行动项 王老师 周五前 交教案"))(tasks.by_word)
feature.phrase(office.named, scope=office.for_office, who=Role.OFFICE)(office.by_name)
feature.action(taps.OnMeeting, who=Role.OFFICE)(office.on_meeting)
feature.action(taps.DropTask, who=Role.OFFICE)(tasks.drop)
feature.action(taps.DropPaper, who=Role.OFFICE)(papers.drop)
feature.form(forms.Chair, who=Role.OFFICE)(minutes.note("chair"))
feature.form(forms.Recorder, who=Role.OFFICE)(minutes.note("recorder"))
feature.form(forms.Agenda, who=Role.OFFICE)(minutes.note("agenda"))
feature.form(forms.Resolved, who=Role.OFFICE)(minutes.note("resolutions"))
feature.form(forms.NewTask, who=Role.OFFICE)(tasks.add)
feature.form(forms.Later, who=Role.OFFICE)(door.for_others)
feature.form(forms.Attach, who=Role.OFFICE)(papers.attached)
feature.form(forms.Tell, who=Role.OFFICE)(minutes.tell)
feature.work("make")(work.make)
feature.done("make")(minutes.made)

# --- everybody ------------------------------------------------------------------------------------------------

says = partial(feature.command, private=True, whole=True)
says("会议材料", "发给我", help=N_("拿会议材料"))(papers.by_word)
says("我的行动项", whole=True, help=N_("看我要办的事"))(tasks.mine)
says("已补学", "补学完了")(tasks.caught_up_by_word)
says("日历", "会议日历", help=N_("我的会议日历，可以订阅"))(links.by_word)
says("日历链接", "日历 链接", "日历 订阅")(links.step(taps.Step.LINK))
says("日历停用", "日历 停用", "停用日历")(links.step(taps.Step.STOP))
feature.action(taps.SignHere)(door.sign_here)
feature.action(taps.GetPapers)(papers.get)
feature.action(taps.Done)(tasks.done)
feature.action(taps.CaughtUp)(tasks.caught_up)
feature.action(taps.OnCalendar)(links.on_calendar)
feature.phrase(rules.sign_in, scope=door.spoken)(door.sign_by_word)
feature.phrase(tasks.says_done, scope=tasks.about_task)(tasks.done_by_word)
feature.form(forms.Which)(office.which)
feature.form(forms.Code)(door.by_code)
feature.feed("calendar")(links.feed)
feature.feed("projector")(sections.projected)

# --- our later selves -----------------------------------------------------------------------------------------

feature.appointment("shut")(door.shut)
feature.appointment("papers")(papers.tell)
feature.appointment("task")(tasks.remind_task)
feature.appointment("read")(tasks.remind_reading)
