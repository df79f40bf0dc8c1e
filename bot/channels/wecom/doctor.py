"""What ``check`` says of 企业微信: each mistake one sentence, with what to click.

A bot has one live connection: subscribing would throw out a bot that runs. So that is tried only where none does.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from bot.channels.wecom.api import OFFICIAL as HTTP
from bot.channels.wecom.client import CREDENTIALS, OFFICIAL, Client, Trouble
from bot.kit.words import _

if TYPE_CHECKING:
    from bot.channels.wecom.app import Application
    from bot.channels.wecom.channel import WecomChannel

CORP = re.compile(r"ww[0-9a-f]{16}|wx[0-9a-f]{16}")
SECONDS = 12.0


async def examine(channel: WecomChannel) -> list[str]:
    found = [channel.client.complaint] if channel.client.complaint else []
    found += _names(channel)
    if not found and not channel.client.is_live:
        found += await _connects(channel)
    found += await _hears_all(channel)
    if channel.app is not None:
        found += await about(channel.app)
        if channel.app.door is not None and channel.app.door.last_alert:
            found.append(_("企业微信要停用长期没人用的自建应用：请在管理后台打开它，按提示恢复。"))
    return found


def _names(channel: WecomChannel) -> list[str]:
    me, found = channel.me, []
    if CORP.fullmatch(me.bot_id):
        found.append(_("填成了企业 ID：机器人的 BotID 在 工作台 → 智能机器人 → 点开机器人 → API 模式 → 长连接 里。"))
    if not me.name:
        found.append(_("没有写 bot_name：群里“@名字”后面的话我要靠它才分得清，请照机器人的显示名填写。"))
    elif me.name.startswith("@"):
        found.append(_("bot_name 前面不要写 @，只写机器人的显示名。"))
    return found


async def _connects(channel: WecomChannel) -> list[str]:
    """One try: whether we would be let in, or at least whether there is a way to the platform."""
    if channel.in_use():
        return []
    client: Client = channel.client
    trying = asyncio.create_task(client.run(lambda frame: None))
    try:
        if await _settled(client):
            return []
    finally:
        trying.cancel()
        await asyncio.gather(trying, return_exceptions=True)
    if client.refusal in CREDENTIALS:
        return [client.complaint or ""]
    if client.refusal:
        return [
            _(
                "企业微信不让机器人上线（{code}）：请确认它是“API 模式”创建、连接方式选了“长连接”；"
                "填了回调 URL 时长连接会被关掉。",
                code=client.refusal,
            )
        ]
    host = OFFICIAL.removeprefix("wss://")
    return [_("连不上企业微信：请确认这台机器能访问 {host} 的 443 端口，需要代理时设置 HTTPS_PROXY。", host=host)]


async def _settled(client: Client) -> bool:
    for _attempt in range(int(SECONDS * 20)):
        if client.is_live or client.refusal:
            return client.is_live
        await asyncio.sleep(0.05)
    return False


async def _hears_all(channel: WecomChannel) -> list[str]:
    """The trap of 只有创建者能用: the platform says nothing, the bot is simply deaf to everybody else."""
    if channel.voices is None or await channel.voices() != 1:
        return []
    return [
        _(
            "到现在只听到过一个人说话。别人的话收不到，多半是机器人只对创建者开放：在机器人的设置里把“可使用的成员”"
            "选为全体教职工，“可使用权限”里不要勾选文档、消息、MCP 等额外权限。"
        )
    ]


async def about(app: Application) -> list[str]:
    """The self-built application."""
    try:
        await app.api.get("/cgi-bin/agent/get", agentid=app.agent_id)
    except Trouble as trouble:
        return [said(trouble)]
    if app.door is None:
        return [_("自建应用没有填接收消息的 Token 和 EncodingAESKey：它能发消息，但带按钮的卡片会被拒绝。")]
    return []


def nobody_in_range() -> str:
    return _("自建应用看不到任何人：管理后台 → 应用管理 → 点开应用 → 可见范围，选上全体教职工。")


def said(trouble: Trouble) -> str:
    """One sentence about what the application was refused for, with what to click."""
    match trouble.errcode:
        case 60011 | 60003 | 60111 | 60123:
            return _("这个应用看不到通讯录：管理后台 → 应用管理 → 点开应用 → 可见范围，选上全体教职工。")
        case 40013:
            return _("企业 ID（corp_id）不对：管理后台 → 我的企业 → 最下面的“企业 ID”。")
        case 40001 | 40091:
            return _("自建应用的 Secret 不对：管理后台 → 应用管理 → 点开应用 → Secret → 查看。")
        case 301002 | 40056:
            return _("AgentId 不是这个 Secret 的应用：请从应用的页面上抄下 AgentId。")
        case 60020:
            return _("这台机器的出口 IP 不在“企业可信IP”里：应用页面最下面添加，约一分钟后生效。")
        case 48002:
            return _("这个应用没有发消息的权限：请在管理后台检查它的“可见范围”和状态。")
        case 0 | -1:
            return _("自建应用连不上企业微信：请确认这台机器能访问 {host}。", host=HTTP.removeprefix("https://"))
        case _:
            return _(
                "企业微信拒绝了自建应用（{code}）：请照这个编号在 管理后台 → 应用管理 里核对。", code=trouble.errcode
            )
