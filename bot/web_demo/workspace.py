"""A Slack workspace within this process: what the app says in it is kept, to be shown on a page.

It stands in for Slack's Web API, with the few methods that alerts and their buttons call. No address is ever
opened: whatever else is called is refused as Slack refuses it.
https://docs.slack.dev/reference/methods
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

TEAM = "T0VENDOR01"
CHANNEL = "C0CHAMPION"
DIRECT = "D0RITA0001"
RITA, MAX = "U0RITA0001", "U0MAX00001"
NAMES = {RITA: "Rita Rep", MAX: "Max Manager"}
ADDRESSES = {RITA: "rita@vendor.example", MAX: "max@vendor.example"}

OK, HTTP_BAD_REQUEST = 200, 400

Args = Mapping[str, Any]


@dataclass
class Message:
    """A message as somebody in the channel sees it; `thread` is the message that it answers.

    `private` says that only Rita sees it, `edited` that it was changed since it was posted.
    """

    ts: str
    at: datetime
    text: str
    blocks: list[dict[str, Any]]
    thread: str = ""
    private: bool = False
    edited: bool = False

    def shown(self) -> dict[str, Any]:
        """Return it as the page takes it."""
        return {**vars(self), "at": self.at.isoformat()}


@dataclass
class Workspace:
    """The workspace's one channel, and the modal that is open, if one is."""

    now: Callable[[], datetime]
    messages: list[Message] = field(default_factory=list)
    view: dict[str, Any] | None = None
    _count: int = 0

    def answer(self, method: str, args: Args) -> dict[str, Any]:
        """Do what a method of Slack's Web API does; returns Slack's answer."""
        known: dict[str, Callable[[Args], dict[str, Any]]] = {
            "chat.postMessage": self._post,
            "chat.postEphemeral": self._whisper,
            "chat.update": self._update,
            "conversations.info": lambda _: {"channel": {"id": CHANNEL, "is_private": True}},
            "conversations.open": lambda _: {"channel": {"id": DIRECT}},
            "users.info": lambda sent: _found(str(sent.get("user"))),
            "users.list": lambda _: {"members": [_user(one) for one in NAMES]},
            "users.lookupByEmail": lambda sent: _found(_by_address(str(sent.get("email")))),
            "views.open": self._open,
            "views.update": self._open,
        }
        if method not in known:
            return {"ok": False, "error": "unknown_method"}
        return {"ok": True, **known[method](args)}

    def _post(self, sent: Args) -> dict[str, Any]:
        message = self._said(sent)
        return {"channel": sent["channel"], "ts": message.ts}

    def _whisper(self, sent: Args) -> dict[str, Any]:
        message = self._said(sent)
        message.private = True
        return {"message_ts": message.ts}

    def _said(self, sent: Args) -> Message:
        self._count += 1
        at = self.now()
        message = Message(
            ts=f"{int(at.timestamp())}.{self._count:06}",
            at=at,
            text=str(sent.get("text") or ""),
            blocks=list(sent.get("blocks") or ()),
            thread=str(sent.get("thread_ts") or ""),
        )
        self.messages.append(message)
        return message

    def _update(self, sent: Args) -> dict[str, Any]:
        message = next((one for one in self.messages if one.ts == sent.get("ts")), None)
        if message is None:
            return {"ok": False, "error": "message_not_found"}
        message.text, message.blocks = str(sent.get("text") or ""), list(sent.get("blocks") or ())
        message.edited = True
        return {"channel": sent["channel"], "ts": message.ts}

    def _open(self, sent: Args) -> dict[str, Any]:
        self._count += 1
        self.view = {**sent["view"], "id": f"V{self._count:06}"}
        return {"view": self.view}


class Client(AsyncWebClient):
    """Calls the workspace instead of Slack."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace

    async def api_call(  # type: ignore[override]  # of its parameters, those that we use
        self,
        api_method: str,
        *,
        params: Args | None = None,
        json: Args | None = None,
        data: Args | None = None,
        **_: Any,
    ) -> AsyncSlackResponse:
        """Return the workspace's answer; raise SlackApiError where it refuses."""
        args = {**(params or {}), **(data or {}), **(json or {})}
        answer = self._workspace.answer(api_method, args)
        response = AsyncSlackResponse(
            client=self,
            http_verb="POST",
            api_url=api_method,
            req_args={},
            data=answer,
            headers={},
            status_code=OK if answer["ok"] else HTTP_BAD_REQUEST,
        )
        if not answer["ok"]:
            raise SlackApiError(answer["error"], response)  # type: ignore[no-untyped-call]  # the SDK's
        return response


def _user(user: str) -> dict[str, Any]:
    profile = {"email": ADDRESSES[user], "real_name": NAMES[user]}
    return {"id": user, "team_id": TEAM, "real_name": NAMES[user], "tz": "Europe/London", "profile": profile}


def _found(user: str) -> dict[str, Any]:
    return {"user": _user(user)} if user in NAMES else {"ok": False, "error": "user_not_found"}


def _by_address(address: str) -> str:
    return next((user for user, known in ADDRESSES.items() if known == address), "")
