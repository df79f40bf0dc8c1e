"""The table of contents: a feature exists when it is listed here. Their order is the order in which they hear."""

from __future__ import annotations

from collections.abc import Sequence

from bot.kit.card import Card
from bot.kit.feature import Feature
from bot.kit.role import Role
from handlers.drafts import cards as draft_cards
from handlers.drafts.feature import feature as drafts
from handlers.meetings import cards as meeting_cards
from handlers.meetings.feature import feature as meetings
from handlers.notices import cards as notice_cards
from handlers.notices.feature import feature as notices
from handlers.people import cards as people_cards
from handlers.people.feature import feature as people
from handlers.roster import cards as roster_cards
from handlers.roster.feature import feature as roster
from handlers.stars import cards as star_cards
from handlers.stars.feature import feature as stars
from handlers.study import cards as study_cards
from handlers.study.feature import feature as study

FEATURES: tuple[Feature, ...] = (people, roster, stars, notices, meetings, drafts, study)
GALLERY: Sequence[Card] = (
    *people_cards.GALLERY,
    *roster_cards.GALLERY,
    *notice_cards.GALLERY,
    *draft_cards.GALLERY,
    *star_cards.GALLERY,
    *study_cards.GALLERY,
    *meeting_cards.GALLERY,
)

HINTS = {
    Role.GUEST: ("帮助",),
    Role.STAFF: ("帮助", "我的信息", "我的意见", "我的学习"),
    Role.OFFICE: ("发通知", "征求意见", "评选", "学习提醒", "谁还没回", "体检", "帮助"),
}
"""What a person may begin with, offered above the box where one types; the first words of the four jobs."""
IN_GROUP = ("收到", "帮助")
