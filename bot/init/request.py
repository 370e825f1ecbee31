"""Print what an IT department is asked for: each permission and why, how to grant, check and revoke it."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.slack.manifest import SCOPES, as_yaml
from watchers.mail import tokens
from watchers.mail.tokens import Provider, Use

FOLDER = Path(__file__).parent.parent / "templates" / "for_it"


def page(parties: Sequence[str]) -> str:
    """Return the request to whoever looks after these: google, microsoft, hubspot, salesforce, slack."""
    return "\n".join(_text(name) for name in ("about", *parties))


def _text(name: str) -> str:
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    return string.Template(text).safe_substitute(_facts())


def _facts() -> Mapping[str, str]:
    """Return what the code itself knows: scopes and the manifest."""
    return {
        "google_mail": tokens.SCOPES[Provider.GOOGLE, Use.MAIL],
        "google_calendar": tokens.SCOPES[Provider.GOOGLE, Use.CALENDAR],
        "slack_scopes": "\n".join(f"| `{scope}` | {why} |" for scope, why in SCOPES.items()),
        "slack_manifest": as_yaml().rstrip(),
    }
