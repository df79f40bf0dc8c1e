"""The demo school: 38 people who do not exist, one group, and a door for each. Seeding it twice changes nothing."""

from __future__ import annotations

from datetime import datetime

from storage import people
from storage.base import Db
from storage.people import Person

WEB, GROUP, TITLE = "web", "all", "全体教职工群"

PARTY, PROBATION, LEAGUE, ALLY, NONE = "中共党员", "中共预备党员", "共青团员", "民盟盟员", "群众"

STAFF: tuple[tuple[str, str, str, str], ...] = (
    ("李校长", "校长室", PARTY, "principal"),
    ("办公室", "办公室", PARTY, "office"),
    ("王老师", "语文组", PARTY, "staff"),
    ("张老师", "数学组", NONE, "staff"),
    ("周建国", "教务处", PARTY, "staff"),
    ("吴秀兰", "德育处", PARTY, "staff"),
    ("郑海涛", "总务处", NONE, "staff"),
    ("陈静怡", "语文组", PROBATION, "staff"),
    ("刘洋", "语文组", NONE, "staff"),
    ("杨慧敏", "语文组", NONE, "staff"),
    ("赵雅琴", "语文组", ALLY, "staff"),
    ("黄文斌", "语文组", NONE, "staff"),
    ("徐丽娜", "语文组", LEAGUE, "staff"),
    ("孙志强", "数学组", PARTY, "staff"),
    ("马晓燕", "数学组", NONE, "staff"),
    ("朱明远", "数学组", NONE, "staff"),
    ("胡婷婷", "数学组", LEAGUE, "staff"),
    ("林国栋", "数学组", NONE, "staff"),
    ("何雪梅", "数学组", PARTY, "staff"),
    ("郭子涵", "英语组", LEAGUE, "staff"),
    ("高敏", "英语组", NONE, "staff"),
    ("罗佳琪", "英语组", PROBATION, "staff"),
    ("梁永康", "英语组", NONE, "staff"),
    ("宋晓彤", "英语组", NONE, "staff"),
    ("唐立新", "科学组", PARTY, "staff"),
    ("许芳", "科学组", NONE, "staff"),
    ("韩冰", "科学组", NONE, "staff"),
    ("邓宇航", "科学组", LEAGUE, "staff"),
    ("冯玉珍", "道法组", PARTY, "staff"),
    ("曹磊", "道法组", NONE, "staff"),
    ("彭大勇", "体艺组", NONE, "staff"),
    ("曾悦", "体艺组", LEAGUE, "staff"),
    ("萧雨桐", "体艺组", NONE, "staff"),
    ("田野", "体艺组", ALLY, "staff"),
    ("董浩然", "信息组", NONE, "staff"),
    ("刘洋", "信息组", PROBATION, "staff"),
    ("余建华", "总务处", NONE, "staff"),
    ("潘素芬", "医务室", NONE, "staff"),
)  # two are called 刘洋, as in every school


def seed(db: Db, now: datetime) -> None:
    """Fills an empty database; one that has people already is somebody's, and is left alone."""
    if people.count_active(db):
        return
    for name, department, politics, role in STAFF:
        person = people.add(db, Person(0, name, department, politics, role))
        account = f"p{person}"
        people.bind(db, person, WEB, account, talk=account, now=now)
    people.meet_group(db, WEB, GROUP, TITLE)
    people.bind_group(db, WEB, GROUP, now)
