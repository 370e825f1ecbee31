"""What Slack must know of the app: its commands, shortcuts, events and scopes. Pure.

`stillthere manifest` prints it, to paste into *Create an app from a manifest*; manifest.yaml is its output.
https://docs.slack.dev/reference/app-manifest
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

COMMAND = "/champion"
WATCH_MESSAGE = "watch_message"
"""The callback id of the message shortcut; `WATCH` is that of the global one."""

WATCH = "watch_person"

SCOPES: Mapping[str, str] = {
    "channels:read": "see whether a channel of alerts is public: there, people are named by their initials",
    "chat:write": "post alerts, keep them up to date, and answer whoever presses a button",
    "commands": "offer /champion and the two shortcuts",
    "files:read": "read the one CSV file that somebody puts into the form of /champion add",
    "groups:read": "see the same of a channel that is private",
    "im:write": "open the direct message in which a rep gets alerts and the digest",
    "users:read": "know a user's name and time zone, and tell guests from members",
    "users:read.email": "find the Slack user of a contact's owner, and tell who is an admin in config.yaml",
}
"""Every scope that is asked for, and what for; docs/slack.md shows it."""

EVENTS = ("app_home_opened", "app_uninstalled", "tokens_revoked")


def manifest(url: str = "") -> dict[str, Any]:
    """Return the app's manifest: for signed requests to `url`, or for Socket Mode where it is empty."""
    to = {"url": url} if url else {}
    request = {"request_url": url} if url else {}
    return {
        "display_information": {
            "name": "Stillthere",
            "description": "Know that your champion is leaving while there is still time.",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": "Stillthere", "always_online": True},
            "shortcuts": [
                {
                    "name": "Watch this person",
                    "type": "message",
                    "callback_id": WATCH_MESSAGE,
                    "description": "Watch a person whose address stands in this message",
                },
                {
                    "name": "Watch a person",
                    "type": "global",
                    "callback_id": WATCH,
                    "description": "Be told when a champion slips away or leaves",
                },
            ],
            "slash_commands": [
                {
                    "command": COMMAND,
                    **to,
                    "description": "Watch champions: add, list, show, snooze, exposure, help",
                    "usage_hint": "help",
                    "should_escape": False,
                }
            ],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {**request, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **request},
            "org_deploy_enabled": False,
            "socket_mode_enabled": not url,
            "token_rotation_enabled": False,
        },
    }


def as_yaml(url: str = "") -> str:
    """Return the manifest as YAML."""
    return yaml.safe_dump(manifest(url), sort_keys=False, allow_unicode=True, width=110)
