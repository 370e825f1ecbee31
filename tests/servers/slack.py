"""A Slack workspace on loopback: the npm package `emulate`, made as strict as Slack by our own proxy."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bot.slack import manifest
from tests.servers.slack_node import find_node, installed

HERE = Path(__file__).parent

BOT_TOKEN = "xoxb-stillthere-tests"
BOT_WITH_HISTORY = "xoxb-stillthere-history"
BOT_WITHOUT_SCOPES = "xoxb-stillthere-nothing"
SOMEBODY_WITH_FILES = "xoxb-stillthere-files"
APP_TOKEN = "xapp-stillthere-tests"
SIGNING_SECRET = "signing-secret-for-tests"
APP_ID, BOT_ID, BOT_USER, TEAM = "A0STILL001", "B0STILL001", "U0STILL001", "T000000001"
SCOPES = list(manifest.SCOPES)
"""What the app asks for is all it gets here."""

ANSWER_SECONDS = 3.0
"""For so long Slack waits for an answer."""

HISTORY = ["channels:history", "groups:history", "im:history"]


@dataclass(frozen=True)
class Workspace:
    """A running workspace: where it is, who is in it, and how to look behind it."""

    url: str
    control: httpx.Client

    @property
    def base_url(self) -> str:
        """Return what the Web API client is to be given."""
        return f"{self.url}/api/"

    def user(self, name: str) -> str:
        """Return a user's id."""
        return str(next(user["user_id"] for user in self.state()["users"] if user["name"] == name))

    def channel(self, name: str) -> str:
        """Return a channel's id."""
        return str(next(one["channel_id"] for one in self.state()["channels"] if one["name"] == name))

    def messages(self, channel: str) -> list[dict[str, Any]]:
        """Return what stands in a channel and in its threads, oldest first."""
        return [message for message in self.state()["messages"] if message["channel_id"] == channel]

    def ephemeral(self) -> list[dict[str, Any]]:
        """Return what was shown to one person only."""
        found: list[dict[str, Any]] = self.state()["ephemeralMessages"]
        return found

    def state(self) -> dict[str, Any]:
        """Return all that the workspace holds."""
        state: dict[str, Any] = self._control("state")
        return state

    def responses(self) -> list[dict[str, Any]]:
        """Return what the app sent to response_urls, oldest first."""
        sent: list[dict[str, Any]] = self._control("responses")
        return sent

    def show_user(self, name: str, **changes: Any) -> None:
        """Show a user otherwise from now on: as a guest, in another time zone, as gone."""
        self._control("user", {"user": self.user(name), **changes})

    def show_channel(self, name: str, **changes: Any) -> None:
        """Show a channel otherwise from now on: as private, though the bot is in it."""
        self._control("channel", {"channel": self.channel(name), **changes})

    def trigger(self, name: str) -> str:
        """Return a trigger id, as a press of a button by this user gives; it opens one view within 3 s."""
        url = f"{self.base_url}views.generateTriggerId"
        headers = {"Authorization": f"Bearer {BOT_TOKEN}"}
        answer = self.control.post(url, json={"user_id": self.user(name)}, headers=headers)
        return str(answer.raise_for_status().json()["trigger_id"])

    def views(self, kind: str = "modal") -> list[dict[str, Any]]:
        """Return the views that are open, or the Home tabs, as they stand now."""
        return [view for view in self.state()["views"] if view["type"] == kind]

    def calls(self, method: str = "") -> list[dict[str, Any]]:
        """Return the arguments of every call so far, or of one method's."""
        made: list[dict[str, Any]] = self._control("calls")
        return [call for call in made if not method or call["method"] == method]

    def fail(self, method: str, **how: Any) -> None:
        """Let calls of a method go wrong; see slack_standin.mjs."""
        self._control("fault", {"method": method, **how})

    def chaos(self, **how: Any) -> None:
        """Let a share of all calls go wrong, by a seed; see slack_standin.mjs."""
        self._control("chaos", how)

    def harm(self) -> dict[str, int]:
        """Return how many calls went wrong by chance, and how many posts Slack took without our hearing."""
        counted: dict[str, int] = self._control("harm")
        return counted

    def socket_at(self, url: str) -> None:
        """Let apps that ask for a socket connect there."""
        self._control("socket", {"url": url, "token": APP_TOKEN})

    def events_to(self, url: str) -> None:
        """Send the workspace's events to an app, signed."""
        self._control("events", {"url": url})

    def reset(self) -> None:
        """Forget all that happened, faults included; everybody gets a new id."""
        self._control("reset", {})

    def _control(self, what: str, content: Mapping[str, Any] | None = None) -> Any:
        url = f"{self.url}/_control/{what}"
        answer = self.control.get(url) if content is None else self.control.post(url, json=content)
        return answer.raise_for_status().json()


@contextmanager
def workspace(reps: int = 0, channels: int = 0) -> Iterator[Workspace]:
    """Start a fresh workspace on a free port and end it afterwards; raise CannotRun where it cannot run.

    So many more reps, `rep0@vendor.example` and so on, and channels, `team0` and so on, are in it.
    """
    node = find_node()
    dist = installed(node) / "emulate" / "dist"
    with tempfile.TemporaryDirectory() as folder:
        seed = Path(folder) / "seed.json"
        content = _seed()
        content["users"] += [
            {"name": f"rep{i}", "real_name": f"Rep {i}", "email": f"rep{i}@vendor.example"}
            for i in range(reps)
        ]
        content["channels"] += [{"name": f"team{i}"} for i in range(channels)]
        seed.write_text(json.dumps(content))
        command = [*node.run, str(HERE / "slack_standin.mjs"), str(dist), str(seed)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"the stand-in did not start: {' '.join(command)}")
            with httpx.Client() as control:
                yield Workspace(json.loads(line)["url"], control)
        finally:
            process.stdin.close()
            process.wait(10)
            process.stdout.close()


def _seed() -> dict[str, Any]:
    bot = {"type": "bot", "user_id": BOT_USER, "app_id": APP_ID, "bot_id": BOT_ID, "bot_user_id": BOT_USER}
    return {
        "team": {"name": "Vendor", "domain": "vendor"},
        "users": [
            {"name": "rita", "real_name": "Rita Rep", "email": "rita@vendor.example"},
            {"name": "max", "real_name": "Max Manager", "email": "max@vendor.example"},
        ],
        "channels": [{"name": "champions"}, {"name": "secret", "is_private": True}],
        "oauth_apps": [
            {
                "client_id": "111.222",
                "client_secret": "secret-for-tests",
                "app_id": APP_ID,
                "name": "Stillthere",
                "bot_name": "stillthere",
                "bot_id": BOT_ID,
                "bot_user_id": BOT_USER,
                "redirect_uris": ["http://127.0.0.1:1/slack/oauth_redirect"],
                "scopes": SCOPES,
            },
        ],
        "tokens": [
            {"token": BOT_TOKEN, "scopes": SCOPES, **bot},
            {"token": BOT_WITH_HISTORY, "scopes": SCOPES + HISTORY, **bot},
            {"token": BOT_WITHOUT_SCOPES, "scopes": [], **bot},
            {"token": SOMEBODY_WITH_FILES, "scopes": ["files:write"], **bot},
        ],
        "signing_secret": SIGNING_SECRET,
        "strict_scopes": True,
    }
