"""What whoever runs the school types: the commands as they are run, each in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def bot(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bot", *words]
    around = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **environ}
    return subprocess.run(command, cwd=folder, env=around, capture_output=True, text=True, timeout=60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    """A bot in a process of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/"
        command = [sys.executable, "-m", "bot", "run", "--port", str(port)]
        around = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, cwd=folder, env=around, stdout=pipe, stderr=subprocess.STDOUT, text=True
        )

    def says(self, words: str, within: float = 30) -> None:
        """Reads what it prints until it says this."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + within
        for line in self.process.stdout:
            if words in line:
                return
            assert time.monotonic() < deadline, line
        raise AssertionError(f"it ended without saying {words!r}")

    def is_healthy(self) -> bool:
        with urllib.request.urlopen(self.url + "healthz", timeout=5) as answer:
            return bool(answer.status == 200)

    def ends(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(20)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    one = Running(folder, free_port())
    try:
        yield one
    finally:
        if one.process.poll() is None:
            one.ends(signal.SIGKILL)


def test_it_starts_without_a_word_of_configuration_and_stops_when_told(tmp_path: Path) -> None:
    with running(tmp_path) as one:
        one.says("红烛已启动")
        assert one.is_healthy()
        assert one.ends() == 0
    assert (tmp_path / "data" / "hongzhu.db").exists()


def test_a_second_process_stands_by_and_takes_over(tmp_path: Path) -> None:
    with running(tmp_path) as first:
        first.says("红烛已启动")
        with running(tmp_path) as second:
            second.says("待命")
            first.ends(signal.SIGKILL)
            second.says("红烛已启动")
            assert second.is_healthy()


def test_a_taken_port_is_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        done = bot(tmp_path, "run", "--port", str(holder.getsockname()[1]))
    assert done.returncode == 1
    assert "打不开" in done.stderr and "Traceback" not in done.stderr + done.stdout


def test_a_mistake_in_the_configuration_starts_nothing(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[school]\nnmae = "x"\n[web]\nport = "abc"\n', encoding="utf-8")
    done = bot(tmp_path, "run")
    assert done.returncode == 2
    assert "name" in done.stderr and "web.port" in done.stderr
    assert not (tmp_path / "data").exists()


def test_the_first_principal_gets_in_by_the_command_line(tmp_path: Path) -> None:
    assert "空的" in bot(tmp_path, "people").stdout
    assert bot(tmp_path, "people", "--add", "李校长", "--role", "校长").returncode == 0
    assert re.search(r"绑定 \d{6}", bot(tmp_path, "people", "--code", "李校长").stdout)
    assert re.search(r"/login/\S{20,}", bot(tmp_path, "people", "--login", "李校长").stdout)
    assert "李校长" in bot(tmp_path, "people").stdout
    assert bot(tmp_path, "people", "--code", "没有这个人").returncode == 1
    assert bot(tmp_path, "people", "--add", "某人", "--role", "皇帝").returncode == 2


def test_check_says_what_is_fine_and_what_is_not(tmp_path: Path) -> None:
    done = bot(tmp_path, "check")
    assert done.returncode == 0
    assert "提交即落盘" in done.stdout and "校历" in done.stdout and "web" in done.stdout


def test_a_backup_is_restored_whole_and_a_broken_one_is_refused(tmp_path: Path) -> None:
    bot(tmp_path, "people", "--add", "李校长", "--role", "校长")
    made = re.search(r"data/\S+\.db", bot(tmp_path, "backup").stdout)
    assert made is not None
    bot(tmp_path, "people", "--add", "后来的人")
    broken = tmp_path / "broken.db"
    broken.write_bytes((tmp_path / made[0]).read_bytes()[:5000])
    refused = bot(tmp_path, "restore", str(broken))
    assert refused.returncode == 1 and "没有动" in refused.stderr
    assert "后来的人" in bot(tmp_path, "people").stdout
    assert bot(tmp_path, "restore", made[0]).returncode == 0
    listed = bot(tmp_path, "people").stdout
    assert "李校长" in listed and "后来的人" not in listed


def test_a_database_that_is_not_one_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "hongzhu.db"
    file.write_bytes(b"this is not a database" * 500)
    before = file.read_bytes()
    done = bot(tmp_path, "run", "--port", str(free_port()))
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr and "备份" in done.stderr
    assert file.read_bytes() == before


@pytest.mark.parametrize("page", [1, 3])
def test_a_damaged_database_refuses_to_start_and_is_kept(tmp_path: Path, page: int) -> None:
    bot(tmp_path, "people", "--add", "李校长", "--role", "校长")
    file = tmp_path / "data" / "hongzhu.db"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    raw = bytearray(file.read_bytes())
    raw[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    file.write_bytes(raw)
    done = bot(tmp_path, "run", "--port", str(free_port()))
    assert done.returncode == 1 and "备份" in done.stderr and "Traceback" not in done.stderr
    assert file.read_bytes()[: len(raw)] == bytes(raw)
