"""Show text from outside in Slack's mrkdwn as text, and only as text.

mrkdwn has no escape character: `&`, `<` and `>` become entities, and what would format, mention, link or
turn into an emoji is replaced by a character that looks the same. Pure.
https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re
from unicodedata import bidirectional, category

ELLIPSIS = "…"
LEFT_TO_RIGHT = "\u200e"
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}

_RIGHT_TO_LEFT = frozenset({"R", "AL"})
_JOINERS = "\u200c\u200d"  # scripts and emoji need them; every other format character only hides or reorders
_LONGEST_ADDRESS = 254  # RFC 5321, 4.5.3.1.3
_READ_AT_MOST = 8  # characters looked at for each one shown, so that 10 MB of text costs no time
_LOOKALIKES = str.maketrans({"*": "\u2217", "~": "\u223c", "`": "'", "|": "\u00a6"})
_EDGE_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_EMOJI_COLON = re.compile(r":(?=[^\s:]+:)")
_ADDRESS = re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+")
_USER = re.compile(r"[UW][A-Z0-9]{2,20}")


def quote(text: str, limit: int = 200) -> str:
    """Return the text on one line, harmless in mrkdwn, in at most `limit` characters after escaping.

    After Hebrew or Arabic our own line goes on from left to right: otherwise a name, a title and an account
    in a row would be shown in the reverse order (Unicode UAX #9).
    """
    shown = clean(text[: limit * _READ_AT_MOST]).translate(_LOOKALIKES)
    shown = _EMOJI_COLON.sub("\u2236", _EDGE_UNDERSCORE.sub("\u02cd", shown))
    end = LEFT_TO_RIGHT if runs_right_to_left(shown) else ""
    pieces: list[str] = []
    room = limit = limit - len(end)
    for character in shown:
        piece = ENTITIES.get(character, character)
        if len(piece) > room:
            return _cut(pieces, limit) + end
        pieces.append(piece)
        room -= len(piece)
    return "".join(pieces) + end


def runs_right_to_left(text: str) -> bool:
    """Say whether there is anything in the text that is written from right to left."""
    return not text.isascii() and any(bidirectional(character) in _RIGHT_TO_LEFT for character in text)


def plain(text: str, limit: int) -> str:
    """Return the text on one line for Slack's plain_text, in at most `limit` characters."""
    shown = _EMOJI_COLON.sub("\u2236", clean(text[: limit * _READ_AT_MOST]))
    return shown if len(shown) <= limit else shown[: limit - len(ELLIPSIS)].rstrip() + ELLIPSIS


def is_address(text: str) -> bool:
    """Say whether it is an address that mail could be sent to and a link could hold."""
    return len(text) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def clean(text: str) -> str:
    """Return the text on one line, without control, hidden, reordering or half characters."""
    return " ".join("".join(_visible(character) for character in text).split())


def mailto(address: str, label: str, limit: int = 80) -> str:
    """Return a link that writes to the address, or just the label where the address could be no link."""
    shown = quote(label, limit) or quote(address, limit)
    return f"<mailto:{address}|{shown}>" if is_address(address) else shown


def user(who: str) -> str:
    """Return a mention of a Slack user id; anything else is shown as text."""
    return f"<@{who}>" if is_user(who) else quote(who, 80)


def is_user(text: str) -> bool:
    """Say whether it is the id of a Slack user."""
    return _USER.fullmatch(text) is not None


def _visible(character: str) -> str:
    match category(character):
        case "Cs":
            return "\ufffd"
        case "Cf":
            return character if character in _JOINERS else ""
        case "Cc" | "Zl" | "Zp" | "Zs":
            return " "
        case _:
            return character


def _cut(pieces: list[str], limit: int) -> str:
    """Return the pieces with an ellipsis within the limit, never half an entity."""
    length = sum(map(len, pieces))
    while pieces and length + len(ELLIPSIS) > limit:
        length -= len(pieces.pop())
    return "".join(pieces).rstrip() + ELLIPSIS
