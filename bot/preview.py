"""``make preview``: every card of every feature, on all channels side by side, as one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from bot.channels.telegram import render as telegram
from bot.channels.web import render as web
from bot.channels.wecom import render as wecom
from bot.kit.card import Card

STYLE = """
body { margin: 0; padding: 2rem; font-family: "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif;
       background: #f3f1ec; color: #222; }
h1 { font-size: 1.4rem; } h2 { font-size: .95rem; font-weight: 500; color: #777; margin: 2.5rem 0 .6rem; }
.row { display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 1.5rem; align-items: start; }
.row > div > small { display: block; color: #999; margin-bottom: .3rem; }
.tg { background: #e6f0f7; padding: 1rem; border-radius: 12px; }
.tg pre { margin: 0 0 .5rem; padding: .7rem .9rem; background: #fff; border-radius: 12px; white-space: pre-wrap;
          overflow-wrap: anywhere; font: inherit; font-size: .92rem; line-height: 1.5; }
.keys { display: flex; flex-wrap: wrap; gap: .35rem; } .keys span { flex: 1 1 auto; text-align: center;
        background: #cfe0ec; border-radius: 8px; padding: .35rem .7rem; font-size: .88rem; }
"""


def page(cards: Sequence[Card] | None = None) -> str:
    """The whole page."""
    if cards is None:
        from handlers.contents import GALLERY

        cards = GALLERY
    css = (web.HERE / "static" / "chat.css").read_text(encoding="utf-8")
    rows = "\n".join(_row(card) for card in cards)
    head = f'<meta charset="utf-8"><title>红烛 · 卡片预览</title><style>{css}</style><style>{STYLE}</style>'
    return f'<!doctype html><html lang="zh-CN"><head>{head}</head><body><h1>卡片预览</h1>{rows}</body></html>'


def _row(card: Card) -> str:
    faces = (("网页", web.card(card)), ("企业微信", _wecom(card)), ("Telegram", _telegram(card)))
    cells = "".join(f"<div><small>{name}</small>{face}</div>" for name, face in faces)
    return f'<h2>{escape(card.key)} · {escape(card.title)}</h2><div class="row">{cells}</div>'


def _telegram(card: Card) -> str:
    parts = [_bubble(payload) for payload in telegram.render(card)]
    return f'<div class="tg">{"".join(parts)}</div>'


def _wecom(card: Card) -> str:
    parts = [_said(payload) if "markdown" in payload else _face(payload) for payload in wecom.render(card)]
    return f'<div class="tg">{"".join(parts)}</div>'


def _said(payload: wecom.Payload) -> str:
    return f"<pre>{escape(payload['markdown']['content'])}</pre>"


def _face(payload: wecom.Payload) -> str:
    """A template card; the options of a vote as its phone shows them, one below the other."""
    face = payload["template_card"]
    title, rows = face["main_title"], face.get("horizontal_content_list", [])
    lines = [title["title"], title.get("desc", ""), face.get("sub_title_text", "")]
    lines += [f"{row['keyname']}　{row['value']}" for row in rows]
    options = [f"○ {option['text']}" for option in face.get("checkbox", {}).get("option_list", [])]
    keys = [*face.get("button_list", []), *([face["submit_button"]] if "submit_button" in face else [])]
    words = escape("\n".join(line for line in [*lines, *options] if line))
    return f'<pre>{words}</pre><div class="keys">{_keys(keys)}</div>'


def _bubble(payload: telegram.Payload) -> str:
    rows: Iterable[Iterable[dict[str, str]]] = payload.get("reply_markup", {}).get("inline_keyboard", [])
    keys = "".join(f'<div class="keys">{_keys(row)}</div>' for row in rows)
    return f"<pre>{escape(payload.get('text', ''))}</pre>{keys}"


def _keys(row: Iterable[dict[str, str]]) -> str:
    return "".join(f"<span>{escape(key['text'])}</span>" for key in row)
