"""Build the few web pages of the service: plain words, no scripts, everything escaped. Pure."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

STYLE = (
    "body{font:1.05rem/1.5 system-ui,sans-serif;max-width:38rem;margin:3rem auto;padding:0 1rem;"
    "color:#1d1c1d;background:#fff}h1{font-size:1.5rem}a.button,button{display:inline-block;font:inherit;font-weight:600;"
    "padding:.6rem 1.1rem;border:1px solid #1264a3;border-radius:.4rem;background:#1264a3;color:#fff;"
    "text-decoration:none;cursor:pointer}button.plain{background:#fff;color:#1d1c1d;border-color:#767676}"
    "form{margin-top:1.5rem}"
    "@media(prefers-color-scheme:dark){body{background:#1a1d21;color:#e8e8e8}button.plain{background:#1a1d21;"
    "color:#e8e8e8}}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""No script runs, nobody may frame a page, and no address with a secret in it is passed on."""


@dataclass(frozen=True)
class Button:
    """What can be pressed: a way to another page, or a form that posts `hidden` to `to`."""

    label: str
    to: str
    hidden: tuple[tuple[str, str], ...] = ()


def page(title: str, paragraphs: Sequence[str | Sequence[str]], buttons: Sequence[Button] = ()) -> str:
    """Return a page: paragraphs, a list where one is a sequence of lines, then what can be pressed."""
    body = "".join(
        f"<p>{escape(one)}</p>"
        if isinstance(one, str)
        else f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in one)}</ul>"
        for one in paragraphs
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · Stillthere</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}{''.join(map(_button, buttons))}</main></body></html>"
    )


def _button(button: Button) -> str:
    if not button.hidden:
        return f'<p><a class="button" href="{escape(button.to)}">{escape(button.label)}</a></p>'
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in button.hidden
    )
    return (
        f'<form method="post" action="{escape(button.to)}">{fields}'
        f'<button class="plain">{escape(button.label)}</button></form>'
    )
