"""Refuse what is no interaction payload as Slack writes it, before anything of it is read.

https://docs.slack.dev/reference/interaction-payloads
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import structlog
from pydantic import BaseModel, Field, ValidationError, model_validator
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

log = structlog.get_logger()

INTERACTIONS = frozenset({"block_actions", "view_submission", "shortcut", "message_action"})
BAD_REQUEST = 400
NAMED = 3
"""So many of the wrong fields are named in the log."""

Id = Annotated[str, Field(min_length=1, max_length=255)]
Part = dict[str, Any] | None


class _User(BaseModel):
    id: Id


class _Option(BaseModel):
    value: str | None = None


class _Upload(BaseModel):
    size: int | None = None


class _Entry(BaseModel):
    """What was entered in one field of a form."""

    value: str | None = None
    selected_option: _Option | None = None
    selected_options: list[_Option] | None = None
    selected_user: str | None = None
    selected_date: str | None = None
    selected_time: Annotated[str, Field(pattern=r"^(?:[01]\d|2[0-3]):[0-5]\d$")] | None = None
    files: list[_Upload] | None = None


class _State(BaseModel):
    values: dict[str, dict[str, _Entry]]


class _Title(BaseModel):
    text: Annotated[str, Field(max_length=24)]


class _View(BaseModel):
    type: str
    title: _Title | None = None
    state: _State | None = None
    private_metadata: str | None = None


class _Action(BaseModel):
    action_id: str
    block_id: str | None = None
    selected_option: _Option | None = None


class _Interaction(BaseModel):
    """What somebody did in Slack."""

    type: str
    user: _User
    team: Part = None
    channel: Part = None
    container: Part = None
    message: Part = None
    actions: list[_Action] | None = None
    view: _View | None = None

    @model_validator(mode="after")
    def _says_what_was_done(self) -> _Interaction:
        if self.type == "block_actions" and not self.actions:
            raise ValueError("a press without a button")
        if self.type == "view_submission" and (self.view is None or self.view.state is None):
            raise ValueError("a form without what was entered")
        return self


def wrong(body: dict[str, Any]) -> str:
    """Return the names of the fields that are not as Slack writes them, empty where all are."""
    if body.get("type") not in INTERACTIONS:
        return ""
    try:
        _Interaction.model_validate(body)
    except ValidationError as error:
        where = [".".join(map(str, one["loc"])) or one["msg"] for one in error.errors()[:NAMED]]
        return ", ".join(where)
    return ""


class WellFormed(AsyncMiddleware):
    """Let through what is written as Slack writes it.

    A middleware of Bolt's own kind, because Bolt reads the payload for any other before it is called.
    """

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,  # noqa: ARG002 - Bolt's signature
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002 - Bolt's name
    ) -> BoltResponse:
        """Say in one line what is wrong with a request that is refused."""
        if not (amiss := wrong(req.body)):
            return await next()
        log.warning("request.malformed", kind=str(req.body.get("type"))[:40], fields=amiss[:200])
        return BoltResponse(status=BAD_REQUEST)
