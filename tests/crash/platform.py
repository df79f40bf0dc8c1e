"""The fake Telegram as a process that outlives every kill of the bot, and not its tests."""

from __future__ import annotations

import http.client
import subprocess
import sys
from pathlib import Path

import msgspec

from tests.crash.bot import die_with_the_parent
from tests.crash.points import ROOT
from tests.fakes import telegram
from tests.fakes.telegram_control import RemoteTelegram


class Platform(RemoteTelegram):
    def take_off_the_webhook(self) -> None:
        """What the bot itself would do when it polls again; so the next story begins at once."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("POST", f"/bot{self.token}/deleteWebhook", "{}", {"Content-Type": "application/json"})
        assert connection.getresponse().status == 200
        connection.close()


def spawn(log: Path) -> Platform:
    command = [sys.executable, "-m", "tests.crash.platform", "--log", str(log)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    ready = msgspec.json.decode(process.stdout.readline())
    return Platform(ready["port"], ready["token"], process)


if __name__ == "__main__":
    die_with_the_parent()
    telegram.main()
