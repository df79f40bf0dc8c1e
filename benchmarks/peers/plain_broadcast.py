"""python-telegram-bot as one finds it: all sends at once, ``sleep(retry_after)`` when refused, polling beside it."""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.error import RetryAfter
from telegram.ext import Application, CallbackQueryHandler, ContextTypes

from benchmarks.broadcast import FIRST, LIMIT, PEOPLE, TEACHER, heard_go

KEYBOARD = InlineKeyboardMarkup([[InlineKeyboardButton("好", callback_data="1")]])


async def pressed(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    assert update.callback_query is not None
    await update.callback_query.answer("已记下")


async def send(bot: Any, chat: int, text: str) -> None:
    while True:
        try:
            await bot.send_message(chat, text)
            return
        except RetryAfter as refused:
            wait = refused.retry_after
            await asyncio.sleep(wait if isinstance(wait, int | float) else wait.total_seconds())


async def run(given: dict[str, Any]) -> None:
    base = f"http://127.0.0.1:{given['port']}"
    application = Application.builder().token(given["token"]).base_url(f"{base}/bot").build()
    application.add_handler(CallbackQueryHandler(pressed))
    async with application:
        await application.start()
        assert application.updater is not None
        await application.updater.start_polling(poll_interval=0.0)
        await application.bot.send_message(TEACHER, "按一下", reply_markup=KEYBOARD)
        print("{}", flush=True)
        await heard_go()
        posts = [(group, "按一下") for group in given["groups"]]
        private = [(FIRST + number, "请在周五前交学习心得。") for number in range(PEOPLE)]
        await asyncio.gather(*(send(application.bot, chat, text) for chat, text in posts + private))
        await asyncio.sleep(LIMIT)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("given", type=json.loads)
    asyncio.run(run(parser.parse_args().given))


if __name__ == "__main__":
    main()
