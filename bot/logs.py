"""The log: structlog over the standard library, with every secret covered and no message text in it.

Three walls, because one is never enough:
1. what a log line may carry: keys that could hold what a person wrote are emptied;
2. what a traceback may carry: frames and types, and the message only of exceptions that cannot quote a person;
3. what leaves at all: the finished line, ours or a library's, loses tokens, passwords and every exact secret.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import date, timedelta
from textwrap import indent
from types import TracebackType

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

TOKEN = re.compile(r"(?<!\d)\d{6,12}(?::|%3A)[A-Za-z0-9_-]{30,}")
"""A Telegram token. No ``\\b`` in front: in ``/bot123456789:ABC`` there is no word boundary."""

COVER = "〈已遮盖〉"
UNSAID = "〈不记录〉"

QUIET = (
    "httpx", "httpcore", "telegram", "apscheduler", "aiohttp", "websockets", "asyncio", "multipart",
    "sqlalchemy", "uvicorn", "uvicorn.error", "uvicorn.access", "alembic",
)  # fmt: skip
"""Libraries that print addresses with tokens, one-time links, or rows with what people wrote."""

PRIVATE = frozenset(
    {
        "answer", "ballot", "body", "caption", "choice", "comment", "content", "form", "message", "payload", "reason",
        "said", "text", "title", "token", "update", "value", "values",
    }
)  # fmt: skip
"""Keys under which somebody's words might be logged by mistake."""

HARMLESS = (OSError, ImportError, AttributeError, NameError, TypeError, MemoryError, RecursionError)
"""Exceptions whose message is about the program or the machine. All others may quote a person: the type stays."""

DATABASE = ("OperationalError", "IntegrityError")
"""By name, of every driver: the first line names the constraint or the lock; the lines after it quote the row."""

SCALARS = (str, int, float, date, timedelta, type(None))

PATTERNS = (
    (TOKEN, COVER),
    (re.compile(r"(?<=://)([^/\s:@]*):[^@\s/]+@"), rf"\1:{COVER}@"),
    (re.compile(r"""(?i)((?:token|secret|password)["']?\s*[=:]\s*["']?)[^\s"'&,;]+"""), rf"\1{COVER}"),
    (re.compile(r"\[parameters: .*?\]$", re.MULTILINE | re.DOTALL), f"[parameters: {UNSAID}]"),
    (re.compile(r"(Key \([^)]*\)=)\(.*?\)(?= )"), rf"\1({UNSAID})"),
    (re.compile(r"(exception=\w+)\(.*\)"), rf"\1({UNSAID})"),
)


def set_up(level: str = "info", as_json: bool = False, secrets: Iterable[str] = ()) -> None:
    """Every log line of this process, ours and the libraries', to stderr through one redacting formatter."""
    handler = _Handler()
    handler.setFormatter(_Formatter(as_json, cover(secrets)))
    root = logging.getLogger()
    root.handlers = [other for other in root.handlers if not isinstance(other, _Handler)] + [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    _catch_the_uncaught()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            *_shared(as_json),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def cover(secrets: Iterable[str]) -> Callable[[str], str]:
    """A function that takes every token, password and exact secret out of a text."""
    written = {form for secret in secrets if secret for form in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1])}
    exact = sorted(written, key=len, reverse=True)

    def covered(text: str) -> str:
        for secret in exact:
            text = text.replace(secret, COVER)
        for pattern, instead in PATTERNS:
            text = pattern.sub(instead, text)
        return text

    return covered


class _Handler(logging.Handler):
    """To stderr as it is at the moment. A second ``set_up`` replaces it; whoever else listens stays."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """The standard library would print the line's arguments here, uncovered."""
        with suppress(Exception):
            sys.stderr.write(f"写不出的一行日志：{record.name} {type(sys.exc_info()[1]).__name__}\n")


class _Formatter(structlog.stdlib.ProcessorFormatter):
    def __init__(self, as_json: bool, covered: Callable[[str], str]) -> None:
        self._covered = covered
        renderer: Processor = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
        if not as_json:
            renderer = structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        super().__init__(
            foreign_pre_chain=_shared(as_json),
            processors=[self.remove_processors_meta, self._cover_values, renderer],
        )

    def _cover_values(self, _: WrappedLogger, __: str, line: EventDict) -> EventDict:
        """Before rendering too: afterwards a quote in a password is a backslash and a quote."""
        return {key: self._covered(value) if isinstance(value, str) else value for key, value in line.items()}

    def format(self, record: logging.LogRecord) -> str:
        return self._covered(super().format(record))


def _shared(as_json: bool) -> list[Processor]:
    return [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso" if as_json else "%Y-%m-%d %H:%M:%S", utc=as_json),
        _without_words,
        _without_quotes,
    ]


def _without_words(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """A line carries scalars under harmless keys; anything else might be, or hold, what somebody wrote."""
    for key, value in line.items():
        if key in PRIVATE:
            line[key] = UNSAID
        elif not key.startswith("_") and key not in ("exc_info", "stack_info") and not isinstance(value, SCALARS):
            line[key] = f"<{type(value).__name__}>"
    return line


def _without_quotes(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """Turns ``exc_info`` into text here, so that no renderer prints local variables or messages."""
    given = line.pop("exc_info", None)
    if isinstance(given, tuple):
        given = given[1]
    error = sys.exc_info()[1] if given is True else given
    if isinstance(error, BaseException):
        line["exception"] = told(error)
    return line


def told(error: BaseException) -> str:
    """A traceback without words: frames, types, and the message only where it cannot quote a person."""
    parts = []
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        parts.append("".join(traceback.format_tb(link.__traceback__)) + _named(link))
        if isinstance(link, BaseExceptionGroup):
            parts[-1] += "".join(f"\n其中：\n{indent(told(one), '  ')}" for one in link.exceptions)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return "\n由此引起：\n".join(reversed(parts))


def _named(error: BaseException) -> str:
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, HARMLESS):
        return f"{name}: {error}"
    if type(error).__name__ in DATABASE:
        return f"{name}: {str(getattr(error, 'orig', error)).partition(chr(10))[0]}"
    return name


def _catch_the_uncaught() -> None:
    """What nobody caught would print itself, secrets and all: it is logged like everything else."""
    log = logging.getLogger("hongzhu")

    def main(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        log.critical("没有接住的错误", exc_info=(kind, error, trace))

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            log.critical("线程里没有接住的错误", exc_info=args.exc_value)

    def unraisable(args: sys.UnraisableHookArgs) -> None:
        if args.exc_value is not None:
            log.error("收尾时的错误", exc_info=args.exc_value)

    sys.excepthook, threading.excepthook, sys.unraisablehook = main, in_thread, unraisable
