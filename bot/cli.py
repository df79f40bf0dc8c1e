"""python -m bot run | check | people | backup | restore | preview. What whoever runs the school types."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from bot import logs
from bot.config import ConfigError, Settings, load
from storage import audit, migrate, people
from storage.base import Db
from storage.engine import Shelves
from storage.lock import OwnerLock

app = typer.Typer(help="红烛：学校办公室的群聊事务助手", add_completion=False, pretty_exceptions_show_locals=False)
Config = Annotated[Path | None, typer.Option("--config", "-c", help="配置文件，默认 config.toml", show_default=False)]
ROLES = {"教职工": "staff", "办公室": "office", "校长": "principal"}
ROLE_NAMES = {role: name for name, role in ROLES.items()}


def main() -> None:
    app()


def settings_of(path: Path | None) -> Settings:
    """The settings, or every mistake in them on the screen and the end."""
    try:
        found = load(path)
    except ConfigError as error:
        typer.echo("配置有误，没有启动：", err=True)
        for problem in error.problems:
            typer.echo(f"  · {problem}", err=True)
        raise typer.Exit(2) from None
    logs.set_up(found.log.level, found.log.as_json, found.secrets())
    return found


@app.command(help="启动（没有 config.toml 时是演示学校）")
def run(
    config: Config = None,
    port: Annotated[int | None, typer.Option(help="网页端口", min=1, max=65535)] = None,
) -> None:
    from bot.serving import Refusal, serve

    settings = settings_of(config)
    try:
        asyncio.run(serve(settings, port or settings.web.port))
    except Refusal as refusal:
        typer.echo(str(refusal), err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


@app.command(help="体检：配置、数据库、各入口、校历、最近一次收到消息")
def check(config: Config = None) -> None:
    from bot.serving import examine

    settings = settings_of(config)
    findings = asyncio.run(examine(settings))
    for fine, sentence in findings:
        typer.echo(f"{'✓' if fine else '✗'} {sentence}")
    raise typer.Exit(0 if all(fine for fine, _ in findings) else 1)


@app.command("people", help="名册：列出、添加第一位校长或办公室、发绑定码")
def people_(
    config: Config = None,
    add: Annotated[str | None, typer.Option(help="添加一位，写姓名")] = None,
    role: Annotated[str, typer.Option(help="角色：教职工 / 办公室 / 校长")] = "教职工",
    code: Annotated[str | None, typer.Option(help="给这位发一个一次性绑定码")] = None,
    login: Annotated[str | None, typer.Option(help="给这位发一个一次性网页登录链接")] = None,
) -> None:
    settings = settings_of(config)
    if role not in ROLES:
        typer.echo(f"没有“{role}”这个角色，可写：{' / '.join(ROLES)}", err=True)
        raise typer.Exit(2)
    if add is None and code is None and login is None:
        return _list(settings)
    with _writing(settings) as db:
        if add is not None:
            _add(db, add, ROLES[role])
        if code is not None:
            _code(db, code)
        if login is not None:
            _login(db, login, settings)


def _add(db: Db, name: str, role: str) -> None:
    number = people.add(db, people.Person(0, name.strip(), role=role))
    audit.note(db, "people.add", None, str(number), datetime.now(UTC))
    typer.echo(f"已加入名册：{name}（{ROLE_NAMES[role]}，编号 {number}）")


def _code(db: Db, name: str) -> None:
    code = f"{secrets.randbelow(1_000_000):06d}"
    people.issue_code(db, _one(db, name).id, "bind", code, datetime.now(UTC) + timedelta(days=1))
    typer.echo(f"请 {name} 在 24 小时内私聊机器人，发送：绑定 {code}")


def _login(db: Db, name: str, settings: Settings) -> None:
    code = secrets.token_urlsafe(24)
    people.issue_code(db, _one(db, name).id, "login", code, datetime.now(UTC) + timedelta(minutes=5))
    base = settings.web.public_url or f"http://{settings.web.host}:{settings.web.port}"
    typer.echo(f"请 {name} 在 5 分钟内打开：{str(base).rstrip('/')}/login/{code}")


def _one(db: Db, name: str) -> people.Person:
    found = people.named(db, name)
    if len(found) != 1:
        typer.echo(f"名册里有 {len(found)} 位“{name}”，请先核对名册。", err=True)
        raise typer.Exit(1)
    return found[0]


def _list(settings: Settings) -> None:
    shelves = Shelves(settings.database.url.get_secret_value())
    if migrate.current(shelves) is None:
        typer.echo("名册还是空的。先加一位：python -m bot people --add 张三 --role 校长")
        return
    with shelves.reading() as db:
        for person in people.active(db):
            bound = "、".join(row.channel for row in people.accounts_of(db, person.id)) or "未绑定"
            role = ROLE_NAMES.get(person.role, person.role)
            typer.echo(f"{person.id}\t{person.name}\t{person.department}\t{role}\t{bound}")
    shelves.close()


@app.command(help="备份数据库（运行中也可以）")
def backup(config: Config = None) -> None:
    settings = settings_of(config)
    shelves = Shelves(settings.database.url.get_secret_value())
    folder, keep = settings.database.backup_dir, settings.database.keep_backups
    made = migrate.backup(shelves, folder, keep, datetime.now(UTC), "manual")
    if made is None:
        typer.echo("没有找到 pg_dump，未能备份；请安装 PostgreSQL 客户端。", err=True)
        raise typer.Exit(1)
    typer.echo(f"已备份并核对：{made}")


@app.command(help="从备份恢复（先停止运行；现有数据会另存一份）")
def restore(file: Path, config: Config = None) -> None:
    from bot.serving import Refusal, restore_from

    settings = settings_of(config)
    try:
        kept = restore_from(settings, file)
    except Refusal as refusal:
        typer.echo(str(refusal), err=True)
        raise typer.Exit(1) from None
    typer.echo(f"已恢复：{file}" + (f"（原来的数据在 {kept}）" if kept else ""))


@app.command(help="预览：每张卡片在各个入口的样子，写成一页")
def preview(out: Annotated[Path, typer.Option(help="写到哪里")] = Path("artifacts/preview.html")) -> None:
    from bot.preview import page

    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page(), encoding="utf-8")
    typer.echo(f"已写好：{out}")


@contextmanager
def _writing(settings: Settings) -> Iterator[Db]:
    """Writes while nobody else owns the school."""
    shelves = Shelves(settings.database.url.get_secret_value())
    lock = OwnerLock(shelves)
    if not lock.take():
        typer.echo("红烛正在运行：请在私聊里办，或先停止它再用这个命令。", err=True)
        sys.exit(1)
    try:
        migrate.upgrade(shelves, settings.database.backup_dir, settings.database.keep_backups, datetime.now(UTC))
        with shelves.writer.connect() as connection, connection.begin():
            db = Db(connection)
            yield db
            db.flush()
    finally:
        lock.release()
        shelves.close()
