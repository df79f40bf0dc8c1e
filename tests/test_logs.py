"""No secret and nobody's words in the log: ours, the libraries', and what nobody caught (D17)."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from sqlalchemy import create_engine, text

from bot import logs

TOKEN = "123456789:AAcanaryAAcanaryAAcanaryAAcanary123"
WORDS = "我反对第三条"

Log = Callable[[], str]


@pytest.fixture
def stderr(capsys) -> Iterator[Log]:
    root = logging.getLogger()
    before = root.handlers[:], root.level, sys.excepthook, threading.excepthook, sys.unraisablehook
    yield lambda: capsys.readouterr().err
    root.handlers[:], level, sys.excepthook, threading.excepthook, sys.unraisablehook = before
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


@pytest.fixture(params=[False, True], ids=["console", "json"])
def log(request, stderr) -> Log:
    logs.set_up("debug", request.param, [TOKEN, 'p@ss"word\\1', "short-secret"])
    return stderr


def test_ours_and_a_librarys_lines_come_out_the_same_way(log):
    structlog.get_logger("bot.desk").info("开张", school="第一小学", n=38)
    logging.getLogger("some.library").warning("ready after %s s", 3)
    out = log()
    assert "开张" in out
    assert "第一小学" in out
    assert "38" in out
    assert "ready after 3 s" in out


def test_json_is_one_object_a_line(stderr):
    logs.set_up(as_json=True)
    structlog.contextvars.bind_contextvars(job="tick")
    structlog.get_logger("bot.desk").warning("慢了", seconds=2.5)
    structlog.contextvars.clear_contextvars()
    line = json.loads(stderr())
    assert (line["event"], line["level"], line["logger"]) == ("慢了", "warning", "bot.desk")
    assert (line["job"], line["seconds"]) == ("tick", 2.5)


@pytest.mark.parametrize(
    "leak",
    [
        f"POST https://api.telegram.org/bot{TOKEN}/sendMessage",
        f"GET /bot{TOKEN.replace(':', '%3A')}/getMe",
        "POST /bot987654321:BBcanaryBBcanaryBBcanaryBBcanary456/getMe",
        "connect postgresql+psycopg://hongzhu:canary@db/school",
        "https://x/cgi-bin/gettoken?corpid=1&corpsecret=canary&access_token=canary",
        "password='canary'",
        'the p@ss"word\\1',
        "the short-secret",
    ],
)
def test_a_secret_is_covered_wherever_it_is(log, leak):
    structlog.get_logger("bot").info("去", url=leak)
    structlog.get_logger("bot").info(leak)
    logging.getLogger("lib").error("went to %s", leak)
    logging.getLogger("lib").error("%r", {"url": leak})
    out = log()
    assert out.count(logs.COVER) >= 4
    for secret in ("canary", "short-secret", 'p@ss"', "p@ss"):
        assert secret not in out


def test_what_people_write_is_emptied_even_when_someone_logs_it(log):
    structlog.get_logger("bot").info(
        "收到", text=WORDS, said={"text": WORDS}, update={"x": [WORDS]}, event_object=[WORDS]
    )
    out = log()
    assert WORDS not in out
    assert logs.UNSAID in out
    assert "<list>" in out


def test_a_traceback_keeps_frames_and_types_but_not_words(log):
    def handler(words: str) -> None:
        raise ValueError(f"cannot read {words}, token {TOKEN}")

    try:
        try:
            handler(WORDS)
        except ValueError as error:
            raise ExceptionGroup(WORDS, [KeyError(WORDS), OSError(28, "No space left on device")]) from error
    except ExceptionGroup:
        structlog.get_logger("bot").exception("出了点问题", number="7F3A")
        logging.getLogger("lib").exception("failed")
    out = log()
    assert WORDS not in out
    assert "canary" not in out
    for kept in ("7F3A", "in handler", "ValueError", "KeyError", "No space left on device"):
        assert kept in out


def test_a_database_error_names_the_constraint_and_not_the_row(log):
    engine = create_engine("sqlite://")
    with engine.connect() as db:
        db.execute(text("create table words (said text constraint said_once unique)"))
        db.execute(text("insert into words values (:said)"), {"said": WORDS})
        try:
            db.execute(text("insert into words values (:said)"), {"said": WORDS})
        except Exception as error:
            logging.getLogger("lib").exception("failed")
            logging.getLogger("lib").error("%s", error)
    engine.dispose()
    out = log()
    assert "UNIQUE constraint failed: words.said" in out
    assert WORDS not in out


async def test_a_task_nobody_waited_for_does_not_quote(log):
    async def fail() -> None:
        raise ValueError(WORDS)

    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_exception_handler(
        {"message": "Task exception was never retrieved", "task": task, "exception": task.exception()}
    )
    out = log()
    assert "never retrieved" in out
    assert "ValueError" in out
    assert WORDS not in out


@pytest.mark.parametrize(
    "name", ["httpx", "httpcore", "telegram", "apscheduler", "sqlalchemy.engine", "uvicorn.access"]
)
def test_libraries_that_print_addresses_are_quiet_even_at_debug(log, name):
    logging.getLogger(name).info("GET /login/one-time-link")
    assert log() == ""


def test_the_level_is_kept(stderr):
    logs.set_up("warning")
    structlog.get_logger("bot").info("开张")
    assert stderr() == ""


def test_a_second_set_up_does_not_double_the_lines(stderr):
    logs.set_up()
    logs.set_up()
    structlog.get_logger("bot").info("开张")
    assert stderr().count("开张") == 1


@pytest.mark.parametrize(
    "script",
    [
        "raise ValueError(SECRET)",
        "import threading; t = threading.Thread(target=lambda: int(SECRET)); t.start(); t.join()",
        "class A:\n    def __del__(self): raise ValueError(SECRET)\nA()",
        "import warnings; warnings.warn(SECRET)",
        "import logging; logging.error('%d', SECRET)",
    ],
)
def test_what_nobody_caught_is_covered_too(script):
    begin = f"from bot import logs\nSECRET = '/bot' + {TOKEN!r}\nlogs.set_up(secrets=[{TOKEN!r}])\n"
    run = subprocess.run(
        [sys.executable, "-c", begin + script],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
        check=False,
    )
    assert run.stderr
    assert "canary" not in run.stdout + run.stderr
