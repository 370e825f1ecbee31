"""Read what Slack tells us of a press of a button or of a modal that was sent off. Pure.

https://docs.slack.dev/reference/interaction-payloads
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.model import Choice
from bot.slack.buttons import CASE
from bot.slack.dialogs import SUBMIT, Chosen, Place
from bot.slack.gate import teams, trigger

T = TypeVar("T")


@dataclass(frozen=True)
class Who:
    """Who did something in Slack; `stranger` is somebody of another workspace."""

    user: str
    username: str
    stranger: bool = False

    @classmethod
    def of(cls, body: dict[str, Any], home: str | None = None) -> Who:
        """Read the user of a payload; `home` is the workspace we belong to, where Slack has said."""
        who = body["user"]
        name = str(who.get("username") or who.get("name") or who["id"])
        return cls(str(who["id"]), name, stranger=len(teams(body) | ({home} if home else set())) > 1)


@dataclass(frozen=True)
class Press:
    """A press of a button: who, which, on which case, and the message it stands under.

    The place's case is the mark that the button carries. `value` is what it carries beside that, or the
    choice that was made in a menu.
    """

    who: Who
    action: str
    value: str
    place: Place
    trigger: str

    @classmethod
    def of(cls, body: dict[str, Any]) -> Press:
        """Read Slack's `block_actions` payload."""
        action, container = body["actions"][0], body.get("container") or {}
        case, _, carried = str(action.get("value") or _case(action)).partition(" ")
        picked = (action.get("selected_option") or {}).get("value")
        return cls(
            who=Who.of(body),
            action=str(action["action_id"]),
            value=str(picked or carried),
            place=Place(
                case=case,
                channel=str((body.get("channel") or {}).get("id") or container.get("channel_id") or ""),
                ts=str(container.get("message_ts") or (body.get("message") or {}).get("ts") or ""),
            ),
            trigger=trigger(body),
        )


@dataclass(frozen=True)
class Sent:
    """A modal that was sent off, or in which something was pressed: who, which, and what was chosen."""

    who: Who
    dialog: str
    place: Place
    chosen: Chosen
    view: str
    trigger: str

    @classmethod
    def of(cls, body: dict[str, Any]) -> Sent:
        """Read a payload with a view; raise ValueError where the view is none of ours."""
        view = body.get("view") or {}
        dialog = str(view.get("callback_id") or "")
        if dialog.startswith(SUBMIT):
            Choice(dialog.removeprefix(SUBMIT))
        return cls(
            who=Who.of(body),
            dialog=dialog,
            place=Place.unpack(str(view.get("private_metadata") or "")),
            chosen=(view.get("state") or {}).get("values") or {},
            view=str(view.get("id") or ""),
            trigger=trigger(body),
        )


def read(of: Callable[[dict[str, Any]], T], body: dict[str, Any]) -> T | None:
    """Return what a payload says; None where it is none of this version's."""
    try:
        return of(body)
    except ValueError:
        return None


def _case(action: dict[str, Any]) -> str:
    """Return the case after which the block of a menu is named: a menu has no room for it."""
    name = str(action.get("block_id") or "")
    return name.removeprefix(CASE) if name.startswith(CASE) else ""
