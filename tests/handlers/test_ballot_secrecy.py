"""Who reads the database, every copy ever taken of it and its log, learns of a choice no more than by guessing.

The attacker below is given everything that is not in ``secrets/``: a full copy of the database after every single vote
(SQLite file and WAL; on PostgreSQL every table with the ``xmin`` and ``ctid`` of each row), and the end. It knows both
designs. A control shows that it can attack at all: tokens made by HMAC with a key that is thrown away, plain choices
beside them - the usual advice - fall to it completely.
"""

from __future__ import annotations

import hashlib
import hmac
import random
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any, Protocol

import psycopg
import pytest
from sqlalchemy import Column, Integer, LargeBinary, Table, bindparam, make_url

from bot.kit.action import Action
from bot.kit.context import Context
from bot.kit.feature import Feature
from bot.kit.reply import Reply, Toast
from handlers.contents import FEATURES
from handlers.stars.feature import feature
from storage import ballots
from storage.ballots import State
from storage.base import metadata
from storage.dialect import upsert
from tests.office import Office, sqlite_url

CANDIDATES = ("王老师", "张老师", "老师05")
VOTERS = ("李校长", "办公室", "王老师", "张老师", *(f"老师{n:02d}" for n in range(5, 13)))
SEATS = (0, 1, 1, 1, 2, 2, 3)  # abstentions and candidates, unevenly liked

# --- the control: design 4 of the table, what is usually advised ----------------------------------------------

tokens = Table(
    "test_tokens",
    metadata,
    Column("election", Integer, primary_key=True, autoincrement=False),
    Column("token", LargeBinary, primary_key=True),
    Column("choice", Integer, nullable=False),
)
control = Feature("control", title="对照")
KEY = secrets.token_bytes(32)  # never written anywhere: destroyed, as far as the database goes


@dataclass(frozen=True)
class Plain(Action, verb="ct.cast"):
    election: int
    seat: int


@control.action(Plain, sealed=True, private=True)
def cast(ctx: Context, tap: Plain) -> Reply:
    token = hmac.digest(KEY, b"%d|%d" % (tap.election, ctx.me.id), "sha256")
    statement = upsert(ctx.db, tokens, ("election", "token"), ("choice",))
    ctx.db.run(statement, {"election": tap.election, "token": token, "choice": tap.seat})
    ctx.say(f"已投票，截止前可改。回执 {hashlib.sha256(token).hexdigest()[:12]}", receipt=True)
    return Toast("已投")


# --- what the attacker gets -----------------------------------------------------------------------------------

Rows = list[dict[str, Any]]
Snapshot = Mapping[str, Rows]  # by table, in the order of storage; on PostgreSQL with "xmin"
SEEN = ("outbox", "accounts", "audit", "roll", "ballots", "trackers", "test_tokens")


def read_sqlite(path: Path) -> Snapshot:
    """A copy of the file and its WAL, opened as a thief would."""
    with sqlite3.connect(path) as db:
        db.row_factory = sqlite3.Row
        return {table: [dict(row) for row in db.execute(f"SELECT * FROM {table}")] for table in SEEN}


def read_postgres(url: str) -> Snapshot:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, row_factory=psycopg.rows.dict_row) as db:
        sql = "SELECT xmin::text::bigint AS xmin, * FROM {} ORDER BY ctid"
        return {table: list(db.execute(sql.format(table))) for table in SEEN}  # type: ignore[call-overload]


class Thief:
    """Takes a copy whenever it is called."""

    def __init__(self, office: Office, folder: Path) -> None:
        self.office, self.folder, self.copies = office, folder, 0

    def __call__(self) -> Snapshot:
        source = self.office.running.shelves.path
        if source is None:
            return read_postgres(self.office.url)
        self.copies += 1
        target = self.folder / f"copy{self.copies}.db"
        for end in ("", "-wal"):
            if Path(f"{source}{end}").exists():
                shutil.copy(f"{source}{end}", f"{target}{end}")
        return read_sqlite(target)


@dataclass
class Observed:
    """One election as the attacker saw it, and the truth that it wants."""

    election: int
    truth: dict[int, int] = field(default_factory=dict)
    looks: list[Snapshot] = field(default_factory=list)


class Design(Protocol):
    def open(self, office: Office, election: int) -> None: ...
    def vote(self, office: Office, name: str, election: int, seat: int) -> None: ...
    def close(self, office: Office, election: int) -> None: ...


class Sealed:
    """Ours, through the same doors as everybody."""

    def open(self, office: Office, election: int) -> None:
        words = f"评选 第{election}次 候选人 {'、'.join(CANDIDATES)} 截止 三天内"
        office["办公室"].says(words).taps("确认开始")

    def vote(self, office: Office, name: str, election: int, seat: int) -> None:
        if seat and (election + seat) % 2:
            office[name].says(f"选{CANDIDATES[seat - 1]}")
        else:
            office[name].forges(f"st.cast:{election}:{seat}", in_group=False)

    def close(self, office: Office, election: int) -> None:
        office.later(days=4)
        found = office.ask(lambda db: ballots.get(db, election))
        assert found is not None and found.state is State.PUBLISHED


class Tokens:
    def open(self, office: Office, election: int) -> None: ...

    def vote(self, office: Office, name: str, election: int, seat: int) -> None:
        office[name].forges(f"ct.cast:{election}:{seat}", in_group=False)

    def close(self, office: Office, election: int) -> None: ...


def run(office: Office, look: Callable[[], Snapshot], design: Design, elections: int) -> list[Observed]:
    """Elections in which everybody votes in a random order, some twice, with a copy stolen after every vote."""
    dice, found = random.Random(2026), []
    for election in range(1, elections + 1):
        design.open(office, election)
        seen = Observed(election, looks=[look()])
        order = [*VOTERS, *dice.sample(VOTERS, 3)]
        dice.shuffle(order)
        for name in order:
            seat, number = dice.choice(SEATS), office[name].number
            design.vote(office, name, election, seat)
            assert number is not None
            seen.truth[number] = seat
            seen.looks.append(look())
        design.close(office, election)
        seen.looks.append(look())
        found.append(seen)
    return found


# --- the attacker ---------------------------------------------------------------------------------------------

Guesses = dict[int, int]
Strategy = Callable[[Observed], Guesses]


def who_voted(before: Snapshot, after: Snapshot) -> int | None:
    """Whose receipt lies in the outbox since: it names a conversation, and that a person."""
    known = {row["seq"] for row in before["outbox"]}
    fresh = [row["place"] for row in after["outbox"] if row["seq"] not in known and row["receipt"]]
    people = {row["talk"]: row["person"] for row in after["accounts"]}
    return people.get(fresh[0]) if len(fresh) == 1 else None


def voters(seen: Observed) -> list[int]:
    """Everybody, in the order of their last vote."""
    steps = [who_voted(a, b) for a, b in zip(seen.looks, seen.looks[1:], strict=False)]
    last = {person: step for step, person in enumerate(steps) if person is not None}
    return sorted(last, key=lambda person: last[person])


def choices(seen: Observed, look: Snapshot) -> Rows:
    rows = [row for table in ("ballots", "test_tokens") for row in look[table]]
    return [row for row in rows if row["election"] == seen.election]


def plain(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple((k, bytes(v) if isinstance(v, bytes | memoryview) else v) for k, v in row.items() if k != "xmin")


def by_the_moment(seen: Observed) -> Guesses:
    """What changed in the copy after this vote, against the copy before it? (WAL, backups)"""
    found: Guesses = {}
    for before, after in zip(seen.looks, seen.looks[1:], strict=False):
        old = {plain(row) for row in choices(seen, before)}
        new = [row for row in choices(seen, after) if plain(row) not in old]
        person = who_voted(before, after)
        if person is not None and len(new) == 1:
            found[person] = new[0]["choice"]
    return found


def by_position(seen: Observed) -> Guesses:
    """Ballots in the order of storage (rowid, ctid) against voters in the order of their votes."""
    return dict(zip(voters(seen), (row["choice"] for row in choices(seen, seen.looks[-1])), strict=False))


def by_roll(seen: Observed) -> Guesses:
    """The same against the order of the roll."""
    return dict(zip(sorted(voters(seen)), (row["choice"] for row in choices(seen, seen.looks[-1])), strict=False))


def by_bytes(seen: Observed) -> Guesses:
    """The last envelopes in alphabetical order against the ballots in theirs."""
    last: dict[int, bytes] = {}
    for look in seen.looks:
        rows = [row for row in look["roll"] if row["election"] == seen.election and row["envelope"] is not None]
        last.update({row["person"]: bytes(row["envelope"]) for row in rows})
    order = sorted(last, key=lambda person: last[person]) or sorted(voters(seen))
    ids = sorted(choices(seen, seen.looks[-1]), key=lambda row: bytes(row.get("ballot") or row.get("token") or b""))
    return dict(zip(order, (row["choice"] for row in ids), strict=False))


def by_transaction(seen: Observed) -> Guesses:
    """PostgreSQL, from the last copy alone: a choice and an audit line of one transaction; the n-th line of votes
    belongs to the n-th receipt."""
    end = seen.looks[-1]
    people = {row["talk"]: row["person"] for row in end["accounts"]}
    receipts = [people.get(r["place"]) for r in sorted(end["outbox"], key=lambda r: r["seq"]) if r["receipt"]]
    casts = [r for r in sorted(end["audit"], key=lambda r: r["seq"]) if r["what"] in ("ct.cast", "st.cast")]
    owners = {row.get("xmin"): person for row, person in zip(casts, receipts, strict=False)}
    found = {owners.get(row.get("xmin")): row["choice"] for row in choices(seen, end) if "xmin" in row}
    return {person: seat for person, seat in found.items() if person is not None}


STRATEGIES: tuple[Strategy, ...] = (by_the_moment, by_position, by_roll, by_bytes, by_transaction)


@dataclass
class Score:
    """``hits`` of ``votes`` right; by blind guessing from the published result it would be ``mean`` ± ``sigma``."""

    hits: int
    votes: int
    mean: float
    sigma: float

    @property
    def rate(self) -> float:
        return self.hits / self.votes


def score(elections: Sequence[Observed], attack: Strategy) -> Score:
    """Where an attack has no guess it guesses blindly, from the counts that everybody knows."""
    dice = random.Random(99)

    def guess(seen: Observed, known: Guesses) -> int:
        order = list(seen.truth)
        left = list(seen.truth.values())
        dice.shuffle(left)
        blind = dict(zip(order, left, strict=True))
        return sum(known.get(person, blind[person]) == seat for person, seat in seen.truth.items())

    hits = sum(guess(seen, attack(seen)) for seen in elections)
    blind = [sum(guess(seen, {}) for seen in elections) for _ in range(400)]
    return Score(hits, sum(len(seen.truth) for seen in elections), fmean(blind), pstdev(blind))


def assert_blind(elections: Sequence[Observed]) -> None:
    for attack in STRATEGIES:
        result = score(elections, attack)
        assert result.hits <= result.mean + 4 * result.sigma, (attack.__name__, result)


# --- the tests ------------------------------------------------------------------------------------------------


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(sqlite_url(tmp_path / "school"), [feature, control], staff=len(VOTERS))
    yield office
    office.close()


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    (tmp_path / "copies").mkdir()
    return tmp_path / "copies"


@pytest.mark.slow
def test_with_every_copy_of_the_file_an_attacker_only_guesses(office: Office, copies: Path) -> None:
    seen = run(office, Thief(office, copies), Sealed(), elections=14)
    assert all(len(voters(one)) == len(VOTERS) for one in seen)  # it does know who voted, and in which order
    assert all(len(choices(one, one.looks[-1])) == len(VOTERS) for one in seen)  # and the ballots it must match
    assert_blind(seen)


def test_the_same_attacker_breaks_the_usual_advice(office: Office, copies: Path) -> None:
    seen = run(office, Thief(office, copies), Tokens(), elections=4)
    assert score(seen, by_the_moment).rate == 1.0


@pytest.mark.postgres
@pytest.mark.slow
def test_on_postgresql_transactions_and_places_tell_nothing(
    fresh_database: Callable[[], str], tmp_path: Path, copies: Path
) -> None:
    office = Office(fresh_database(), [feature, control], staff=len(VOTERS), secrets=tmp_path / "secrets")
    try:
        seen = run(office, Thief(office, copies), Sealed(), elections=6)
        assert_blind(seen)
        for one in seen:
            assert len({row["xmin"] for row in choices(one, one.looks[-1])}) == 1
    finally:
        office.close()


@pytest.mark.postgres
def test_on_postgresql_the_same_attacker_breaks_the_usual_advice(
    fresh_database: Callable[[], str], tmp_path: Path, copies: Path
) -> None:
    office = Office(fresh_database(), [feature, control], staff=len(VOTERS), secrets=tmp_path / "secrets")
    try:
        seen = run(office, Thief(office, copies), Tokens(), elections=1)
        assert score(seen, by_transaction).rate > 0.9
        assert score(seen, by_the_moment).rate == 1.0
    finally:
        office.close()


def everything(folder: Path) -> bytes:
    """Every byte that ever lay on the disk beside the database, as far as a thief kept it."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_no_word_and_no_button_of_a_vote_is_ever_on_the_disk(
    office: Office, copies: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Canaries: what is typed, what the button carries and what the toast says are in no file and no log."""
    thief = Thief(office, copies)
    Sealed().open(office, 1)
    capfd.readouterr()
    office["王老师"].says("选张老师")
    thief()
    office["张老师"].taps("老师05")
    thief()
    office["老师05"].says("我投给张老师")
    thief()
    assert (office["王老师"].toast, office["张老师"].toast) == (
        "已投：张老师。截止前可改。",
        "已投：老师05。截止前可改。",
    )
    for name in VOTERS[5:]:
        office[name].says("投票给老师05")
    thief()
    Sealed().close(office, 1)
    thief()
    disk = everything(copies) + everything(tmp_path / "school")
    for canary in ("选张老师", "投给张老师", "投票给", "给老师05", "已投：", "st.cast:"):
        assert canary.encode() not in disk, canary
    assert "已投票，截止前可改。回执".encode() in disk  # the search does find what is there
    out, err = capfd.readouterr()
    assert not any(word in out + err for word in ("张老师", "老师05", "已投"))


def test_a_choice_is_in_no_row_beside_a_person(office: Office, copies: Path) -> None:
    """The names of the candidates stand where they must: on the roster, and in the frozen settings."""
    Sealed().open(office, 1)
    for name, chosen in zip(VOTERS, CANDIDATES * 4, strict=False):
        office[name].says(f"选{chosen}")
    Thief(office, copies)()
    with sqlite3.connect(copies / "copy1.db") as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        holding = {t for t in tables for row in db.execute(f'SELECT * FROM "{t}"') if "老师05" in repr(row)}
        kept = {row for row in db.execute("SELECT what, actor, object FROM audit WHERE what = 'st.cast'")}
        bodies = {row[0] for row in db.execute("SELECT body FROM outbox WHERE body IS NOT NULL")}
    assert holding <= {"people", "elections"}
    assert kept <= {("st.cast", None, "1")}
    assert not any(name in body for body in bodies for name in CANDIDATES)


@pytest.mark.parametrize("words", ["1", "选张老师", "支持张老师", "张老师", "2号", "弃权", "投票给张老师"])
def test_no_other_feature_takes_down_the_words_of_a_vote(tmp_path: Path, words: str) -> None:
    """What is said to the ballot box reaches nobody who writes words down, whatever else is open."""
    office = Office(sqlite_url(tmp_path), FEATURES, staff=len(VOTERS))
    try:
        office["办公室"].says("发通知 周五下午三点半 三楼会议室 教学例会").confirms()
        Sealed().open(office, 1)
        before = len(office["李校长"].inbox)
        office["李校长"].says(words)
        assert (office["李校长"].toast or "").startswith("已投：")
        assert "回执" in office["李校长"].inbox[before]
        assert office.ask(lambda db: ballots.turnout(db, 1)).voted == 1
        with sqlite3.connect(tmp_path / "school.db") as db:
            tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            holding = {t for t in tables for row in db.execute(f'SELECT * FROM "{t}"') if "张老师" in repr(row)}
        assert holding <= {"people", "elections"}
    finally:
        office.close()


def test_the_key_is_in_no_copy_and_in_no_file_after_the_count(office: Office, copies: Path, tmp_path: Path) -> None:
    thief = Thief(office, copies)
    Sealed().open(office, 1)
    key = next((office.secrets / "elections").glob("*.sk")).read_bytes()
    host = (office.secrets / "host.key").read_bytes()
    for name in VOTERS:
        office[name].says("选王老师")
    thief()
    Sealed().close(office, 1)
    thief()
    assert list((office.secrets / "elections").iterdir()) == []
    for folder in (copies, tmp_path / "school"):
        files = [path for path in folder.rglob("*") if path.is_file() and path.parent.name != "secrets"]
        content = b"".join(path.read_bytes() for path in files)
        assert key not in content and host not in content


def test_a_receipt_that_leaks_tells_nothing_of_the_choice(office: Office) -> None:
    """Equal words, equal length, whatever and however often somebody chose."""
    Sealed().open(office, 1)
    for seat in (1, 2, 3, 0, 1):
        office["王老师"].forges(f"st.cast:1:{seat}", in_group=False)
    said = [text for text in office["王老师"].inbox if "回执" in text]
    assert len(said) == 5 and len(set(said)) == 5
    assert {text[:-14] for text in said} == {"已投票，截止前可改。回执 "}


def test_the_roll_keeps_no_time(office: Office) -> None:
    assert {column.name for column in ballots.roll.c} == {"election", "person", "voted", "envelope", "mac"}
    assert {column.name for column in ballots.ballots.c} == {"election", "ballot", "choice"}
    statement = ballots.roll.select().where(ballots.roll.c.election == bindparam("e"))
    assert office.ask(lambda db: db.all(statement, {"e": 1})) == []
