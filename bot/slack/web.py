"""Slack's Web API: a client, and its failures in the words of the house.

https://docs.slack.dev/apis/web-api
"""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from bot.model import NeedsHuman, SourceDown
from bot.slack.mrkdwn import clean

BASE_URL = "https://slack.com/api/"
TIMEOUT = timedelta(seconds=10)

LONGEST_WAIT = timedelta(hours=1)
"""More than Slack ever asks for: a longer wait is a broken answer."""

RATE_LIMITED = 429
SERVER_ERROR = 500

_PASSING = frozenset(
    {
        "fatal_error",
        "internal_error",
        "message_limit_exceeded",
        "org_login_required",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)
NOT_DRAWN = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"})
"""Slack takes the message not as it is drawn; as plain text it may."""

_REINSTALL = "install the app again and put its new bot token into the configuration"
_ALLOW = "allow apps to post in the channel, and to answer in its threads"
_CURES = {
    "account_inactive": _REINSTALL,
    "invalid_auth": _REINSTALL,
    "not_authed": _REINSTALL,
    "token_expired": _REINSTALL,
    "token_revoked": _REINSTALL,
    "channel_not_found": "set the channel's id in the configuration, and invite the bot if it is private",
    "is_archived": "unarchive the channel, or set another one in the configuration",
    "not_in_channel": "invite the bot to the channel",
    "ekm_access_denied": "ask the admins of the workspace, who have suspended posting",
    "messages_tab_disabled": "switch on the Messages tab of the app, as its manifest has it",
    "no_permission": "invite the bot to the channel",
    "restricted_action": _ALLOW,
    "restricted_action_non_threadable_channel": _ALLOW,
    "restricted_action_read_only_channel": _ALLOW,
    "restricted_action_thread_locked": _ALLOW,
    "restricted_action_thread_only_channel": _ALLOW,
}

_GONE = frozenset(
    {"channel_not_found", "is_archived", "no_permission", "not_in_channel"}
    | {what for what in _CURES if what.startswith("restricted_action")}
)
"""What is wrong with one channel, while the bot can post elsewhere."""


class ChannelGone(NeedsHuman):
    """Say that the bot can no longer post in a channel, though it may elsewhere."""


def patient(token: str, base_url: str = BASE_URL) -> AsyncWebClient:
    """Return a client that tries again by itself: for what may safely happen twice."""
    handlers = [
        AsyncConnectionErrorRetryHandler(max_retry_count=1),
        AsyncRateLimitErrorRetryHandler(max_retry_count=1),
        AsyncServerErrorRetryHandler(max_retry_count=1),
    ]
    return _client(token, base_url, handlers)


def once(token: str, base_url: str = BASE_URL) -> AsyncWebClient:
    """Return a client that never tries again by itself: a message posted twice is seen twice."""
    return _client(token, base_url, [])


def keep_alive() -> aiohttp.ClientSession:
    """Return connections that clients can share, so that not every call begins with a handshake."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT.total_seconds()))


def _client(token: str, base_url: str, handlers: list[Any]) -> AsyncWebClient:
    timeout = int(TIMEOUT.total_seconds())
    return AsyncWebClient(token=token, base_url=base_url, timeout=timeout, retry_handlers=handlers)


async def ask(call: Awaitable[Any]) -> dict[str, Any]:
    """Return what Slack answers.

    Raise SourceDown where trying later may help, NeedsHuman where a person must act, and SlackApiError where
    the request itself was refused.
    """
    try:
        answer = await call
    except SlackApiError as error:
        raise _in_our_words(error) from error
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise SourceDown(f"Slack cannot be reached ({type(error).__name__})") from error
    return dict(answer.data)


def code(error: SlackApiError) -> str:
    """Return Slack's word for what is wrong, empty where the answer held none."""
    return str(_data(error).get("error") or "")


def _in_our_words(error: SlackApiError) -> Exception:
    response = error.response
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    what = code(error)
    if status == RATE_LIMITED or what in {"ratelimited", "rate_limited"}:
        return SourceDown("Slack asks us to wait", _retry_after(response))
    if status >= SERVER_ERROR or what in _PASSING or not what:
        return SourceDown(f"Slack is in trouble ({what or f'HTTP {status}'})")
    if what == "missing_scope":
        needed = clean(str(_data(error).get("needed") or "unknown"))[:200]
        return NeedsHuman(f"Slack says {what}: {needed}", "add the scope to the app and install it again")
    if what in _CURES:
        return (ChannelGone if what in _GONE else NeedsHuman)(f"Slack says {what}", _CURES[what])
    return error


def _data(error: SlackApiError) -> dict[str, Any]:
    data = getattr(error.response, "data", None)
    return data if isinstance(data, dict) else {}


def _retry_after(response: Any) -> timedelta | None:
    headers = {str(key).lower(): value for key, value in dict(getattr(response, "headers", {})).items()}
    seconds = str(headers.get("retry-after", ""))
    if not (seconds.isascii() and seconds.isdigit()):
        return None
    return min(timedelta(seconds=int(seconds[:9])), LONGEST_WAIT)
