"""The common shelves, on SQLite and on PostgreSQL."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import update

from storage import asking, audit, cardcodes, diary, files, inbox, outbox, ownership, people
from storage.base import Db, metadata
from storage.engine import Shelves
from storage.people import Person

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.fixture
def db(database: str) -> Iterator[Db]:
    shelves = Shelves(database)
    metadata.create_all(shelves.writer)
    with shelves.writer.connect() as connection, connection.begin():
        yield Db(connection)
    shelves.close()


def someone(db: Db, name: str = "王老师", **facts: str) -> int:
    return people.add(db, Person(0, name, **facts))


# --- people ---------------------------------------------------------------------------------------------------


def test_leave_says_who_is_expected(db: Db) -> None:
    wang, zhang = someone(db), someone(db, "张老师")
    people.set_leave(db, wang, date(2026, 12, 1), date(2026, 12, 5), "病假")
    people.set_leave(db, zhang, date(2026, 12, 3), None, "产假")
    names = {day: {p.name for p in people.expected(db, date(2026, 12, day))} for day in (1, 4, 6)}
    assert names == {1: {"张老师"}, 4: set(), 6: {"王老师"}}
    assert people.end_leave(db, zhang, date(2026, 12, 4)) == 1
    assert {p.name for p in people.expected(db, date(2026, 12, 6))} == {"王老师", "张老师"}


def test_two_people_of_one_name_are_two(db: Db) -> None:
    one, two = someone(db, department="数学"), someone(db, department="语文")
    assert {p.id for p in people.named(db, "王老师")} == {one, two}


def test_an_account_is_one_persons_and_case_is_the_channels_matter(db: Db) -> None:
    wang, zhang = someone(db), someone(db, "张老师")
    people.bind(db, wang, "telegram", "42", talk="42", now=NOW)
    people.bind(db, zhang, "telegram", "42", talk="42", now=NOW)
    behind = people.behind(db, "telegram", "42")
    assert behind is not None and behind.person is not None and behind.person.id == zhang
    assert people.behind(db, "wecom", "42") is None


def test_the_private_address_is_where_they_were_last_seen(db: Db) -> None:
    wang = someone(db)
    people.bind(db, wang, "telegram", "42", talk="42", now=NOW)
    people.bind(db, wang, "web", "p1", talk="p1", now=NOW + timedelta(hours=1))
    assert people.addresses(db, [wang])[wang].channel == "web"
    people.close_talk(db, "web", "p1")
    assert people.addresses(db, [wang])[wang].channel == "telegram"
    people.close_talk(db, "telegram", "42")
    assert people.addresses(db, [wang]) == {}


def test_whom_no_message_reaches_on_which_channel_and_why(db: Db) -> None:
    wang, zhang, li = someone(db), someone(db, "张老师"), someone(db, "李老师")
    people.bind(db, wang, "wecom", "wang", talk=None, now=None)
    people.bind(db, zhang, "telegram", "42", talk="42", now=NOW)
    people.bind(db, zhang, "wecom", "zhang", talk=None, now=None)
    people.bind(db, li, "wecom", "li", talk="li", now=NOW)
    people.close_talk(db, "wecom", "li")
    assert [(p.id, channel, closed) for p, channel, closed in people.unheard(db)] == [
        (wang, "wecom", False),
        (li, "wecom", True),
    ]
    people.change(db, li, active=False)
    assert [p.id for p, _channel, _closed in people.unheard(db)] == [wang]


def test_where_we_may_write_first_an_account_is_an_address_but_not_before_one_that_spoke(db: Db) -> None:
    wang, zhang = someone(db), someone(db, "张老师")
    people.bind(db, wang, "wecom", "wang", talk=None, now=None)
    people.bind(db, zhang, "telegram", "42", talk="42", now=NOW)
    people.bind(db, zhang, "wecom", "zhang", talk=None, now=None)
    assert people.behind(db, "wecom", "wang") is not None
    assert (people.open_talks(db, "wecom"), people.open_talks(db, "wecom")) == (2, 0)
    assert people.addresses(db, [wang])[wang].talk == "wang"
    assert people.addresses(db, [zhang])[zhang].channel == "telegram"
    behind = people.behind(db, "wecom", "wang")
    assert behind is not None and behind.talk == "wang"


def test_what_is_remembered_of_an_account_follows_every_write(db: Db) -> None:
    wang = someone(db)
    assert people.behind(db, "web", "p1") is None
    people.bind(db, wang, "web", "p1", talk=None, now=None)
    people.change(db, wang, role="office")
    behind = people.behind(db, "web", "p1")
    assert behind is not None and behind.person is not None and behind.person.role == "office"


def test_a_code_is_good_once_and_not_too_late(db: Db) -> None:
    wang = someone(db)
    people.issue_code(db, wang, "bind", "123456", NOW + timedelta(hours=1))
    assert people.redeem_code(db, "login", "123456", NOW) is None
    assert people.redeem_code(db, "bind", "123456", NOW + timedelta(hours=2)) is None
    assert people.redeem_code(db, "bind", "123456", NOW) == wang
    assert people.redeem_code(db, "bind", "123456", NOW) is None


def test_a_group_keeps_its_binding_when_the_platform_moves_it(db: Db) -> None:
    people.meet_group(db, "telegram", "-1", "教研组")
    people.bind_group(db, "telegram", "-1", NOW)
    people.move_group(db, "telegram", "-1", "-100")
    people.move_group(db, "telegram", "-1", "-100")
    assert [(g.id, g.title) for g in people.bound_groups(db)] == [("-100", "教研组")]


# --- inbox, outbox --------------------------------------------------------------------------------------------


def test_an_event_is_heard_once_and_forgotten_after_eight_days(db: Db) -> None:
    assert not inbox.heard(db, "telegram:1:7")
    inbox.note(db, "telegram:1:7", NOW)
    assert inbox.heard(db, "telegram:1:7")
    db.flush()
    assert inbox.forget_old(db, NOW + timedelta(days=7)) == 0
    assert inbox.forget_old(db, NOW + timedelta(days=10)) == 1


def parcel(key: str) -> dict[str, object]:
    where = {"channel": "web", "place": "all", "private": False, "kind": "text", "body": key}
    return {**where, "key": key, "made_at": NOW, "due_at": NOW}


def test_parcels_wait_in_order_and_a_key_waits_once(db: Db) -> None:
    outbox.put(db, [parcel("甲"), parcel("乙")])
    outbox.put(db, [parcel("甲")])
    assert [p.body for p in outbox.queued(db, "web", 0)] == ["甲", "乙"]
    outbox.sent(db, outbox.queued(db, "web", 0)[0].seq, "m1")
    assert [p.body for p in outbox.queued(db, "web", 0)] == ["乙"]


def test_what_was_sent_keeps_no_words(db: Db) -> None:
    outbox.put(db, [parcel("秘密")])
    outbox.sent(db, outbox.queued(db, "web", 0)[0].seq, "m1")
    db.flush()
    assert db.all(outbox.outbox.select().with_only_columns(outbox.outbox.c.body))[0].body is None


def test_a_wanted_copy_is_stale_until_it_is_shown_and_a_final_one_is_wanted_no_more(db: Db) -> None:
    outbox.add_copy(db, outbox.Copy("notice:1", "web", "all", "5", False, 0, 0, False))
    assert outbox.stale(db) == []
    outbox.want(db, "notice:1", final=False)
    db.flush()
    (copy,) = outbox.stale(db)
    outbox.shown(db, copy)
    assert outbox.stale(db) == []
    outbox.want(db, "notice:1", final=True)
    db.flush()
    (last,) = outbox.stale(db)
    outbox.shown(db, last)
    outbox.want(db, "notice:1", final=False)
    db.flush()
    assert outbox.stale(db) == []
    assert outbox.card_of(db, "web", "all", "5") == "notice:1"


def test_where_nothing_is_changed_by_itself_only_the_last_state_is_wanted(db: Db) -> None:
    for channel in ("web", "wecom"):
        outbox.add_copy(db, outbox.Copy("notice:1", channel, "all", "5", False, 0, 0, False))
    outbox.want(db, "notice:1", final=False)
    db.flush()
    assert [copy.channel for copy in outbox.stale(db, ["wecom"])] == ["web"]
    assert outbox.stale(db, ["wecom", "web"]) == []
    outbox.want(db, "notice:1", final=True)
    db.flush()
    assert sorted(copy.channel for copy in outbox.stale(db, ["wecom"])) == ["web", "wecom"]


def test_the_code_of_a_card_is_given_once_and_not_when_it_is_old(db: Db) -> None:
    cardcodes.keep(db, "wecom:a-0", "kind|code", NOW + timedelta(hours=1))
    cardcodes.keep(db, "wecom:b-0", "kind|old", NOW)
    assert [cardcodes.take(db, name, NOW) for name in ("wecom:a-0", "wecom:a-0", "wecom:b-0")] == [
        "kind|code",
        None,
        None,
    ]
    cardcodes.keep(db, "wecom:c-0", "kind|old", NOW)
    assert cardcodes.forget_old(db, NOW) == 1


# --- diary, forms, facts --------------------------------------------------------------------------------------


def test_an_appointment_is_claimed_once(db: Db) -> None:
    diary.book(db, "n.chase", "1", NOW, {"notice": 1})
    (due,) = diary.due(db, NOW)
    assert due.args == {"notice": 1}
    assert diary.claim(db, due)
    assert not diary.claim(db, due)
    assert diary.next_at(db) is None


def test_a_moved_appointment_cannot_be_claimed_at_its_old_time(db: Db) -> None:
    diary.book(db, "n.chase", "1", NOW, {})
    (due,) = diary.due(db, NOW)
    diary.book(db, "n.chase", "1", NOW + timedelta(hours=1), {})
    assert not diary.claim(db, due)
    assert diary.next_at(db) == NOW + timedelta(hours=1)


def test_a_half_filled_form_is_replaced_and_dropped(db: Db) -> None:
    for field in ("topic", "starts"):
        asking.put(db, "web", "p1", "p1", asking.Asking("announce", "{}", field, NOW))
    found = asking.get(db, "web", "p1", "p1")
    assert found is not None and found.field == "starts" and found.at == NOW
    assert asking.drop(db, "web", "p1", "p1")
    assert not asking.drop(db, "web", "p1", "p1")


def test_a_file_is_kept_byte_for_byte(db: Db) -> None:
    number = files.keep(db, "表.xlsx", "application/x", bytes(range(256)), NOW, owner=7)
    found = files.get(db, number)
    assert found is not None and found.content == bytes(range(256)) and found.owner == 7


def test_the_epoch_only_grows(db: Db) -> None:
    assert [ownership.take(db), ownership.take(db), ownership.epoch(db)] == [1, 2, 2]


# --- the audit chain ------------------------------------------------------------------------------------------


@pytest.fixture
def chain(db: Db) -> Db:
    for number in range(1, 41):
        audit.note(db, "nt.rsvp", number % 7 or None, str(number), NOW + timedelta(seconds=number))
    db.flush()
    db.forget("audit.head")
    return db


def test_an_untouched_chain_is_whole(chain: Db) -> None:
    assert audit.broken_at(chain, audit.head(chain)) is None


def test_a_changed_line_is_found_where_it_is(chain: Db) -> None:
    dice = random.Random(7)
    for _ in range(25):
        seq = dice.randint(1, 40)
        with chain.connection.begin_nested() as point:
            column, value = dice.choice([("what", "x"), ("actor", 99), ("object", "0"), ("at", NOW)])
            chain.run(update(audit.audit).where(audit.audit.c.seq == seq).values({column: value}))
            assert audit.broken_at(chain) == seq
            point.rollback()


def test_a_line_taken_out_is_found(chain: Db) -> None:
    chain.run(audit.audit.delete().where(audit.audit.c.seq == 20))
    assert audit.broken_at(chain) == 20


def test_a_tail_cut_off_is_found_by_the_published_head(chain: Db) -> None:
    published = audit.head(chain)
    chain.run(audit.audit.delete().where(audit.audit.c.seq > 35))
    assert audit.broken_at(chain) is None  # the chain alone cannot know: that is why the head is published
    assert audit.broken_at(chain, published) == 40
