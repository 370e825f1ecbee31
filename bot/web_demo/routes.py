"""What the page asks for: its own files, the story, presses, and files to judge."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, Field, ValidationError

from bot.model import NeedsHuman
from bot.web_demo.dropped import TooMuch
from bot.web_demo.session import Pressed, Session
from bot.web_demo.trial import Trial

FILES = Path(__file__).with_name("page")
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; object-src 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
"""The report is one file with its style in it; it runs nothing."""

CHUNK = 2**16
LONGEST = 300

Handler = Callable[[web.Request], Awaitable[web.Response]]
Short = Annotated[str, Field(max_length=LONGEST)]


class _Choice(BaseModel):
    value: Short


class _Entry(BaseModel):
    """What was entered in one field of a form, as Slack has it."""

    value: Annotated[str, Field(max_length=3000)] | None = None
    selected_option: _Choice | None = None
    selected_user: Short | None = None
    selected_date: Short | None = None


class _Action(BaseModel):
    action_id: Short
    block_id: Short
    value: Short | None = None
    selected_option: _Choice | None = None


class _Press(BaseModel):
    """A press on the page; `values` are those of the open form where it is sent off."""

    moment: int
    ts: Short = ""
    action: _Action | None = None
    values: Annotated[dict[Short, dict[Short, _Entry]], Field(max_length=20)] | None = None


class Pages:
    """Answers the page, and nobody else."""

    def __init__(self, session: Session, trial: Trial, token: str) -> None:
        self._session = session
        self._trial = trial
        self._token = token
        self.port = 0

    def routes(self) -> list[web.RouteDef]:
        """Return every route; each begins with the token."""
        return [
            web.get("/{token}/", self._guarded(self._file)),
            web.get("/{token}/files/{name}", self._guarded(self._file)),
            web.get("/{token}/story", self._guarded(self._story)),
            web.post("/{token}/press", self._guarded(self._press)),
            web.post("/{token}/restart", self._guarded(self._restart)),
            web.post("/{token}/trial/file", self._guarded(self._take)),
            web.post("/{token}/trial/begin", self._guarded(self._begin)),
            web.post("/{token}/trial/clear", self._guarded(self._clear)),
            web.get("/{token}/trial/state", self._guarded(self._state)),
            web.get("/{token}/trial/report", self._guarded(self._report)),
        ]

    def _guarded(self, handler: Handler) -> Handler:
        """Return a handler for requests that know the token and name this machine.

        A page elsewhere whose name is made to mean 127.0.0.1 sends its own name as Host.
        """

        async def guarded(request: web.Request) -> web.Response:
            here = {f"127.0.0.1:{self.port}", f"localhost:{self.port}"}
            origin = request.headers.get("Origin")
            if request.host not in here or (origin and origin.removeprefix("http://") not in here):
                raise web.HTTPForbidden(text="This page answers only on this machine.\n")
            if not secrets.compare_digest(request.match_info["token"].encode(), self._token.encode()):
                raise web.HTTPNotFound
            try:
                response = await handler(request)
            except NeedsHuman as problem:
                response = _json({"problem": f"{_sentence(problem.what)}: {problem.how}."}, 409)
            except TooMuch as much:
                response = _json({"problem": str(much)}, 413)
            except ValidationError:
                response = _json({"problem": "That is nothing of this page."}, 400)
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        return guarded

    async def _file(self, request: web.Request) -> web.Response:
        path = FILES / request.match_info.get("name", "index.html")
        if path.parent != FILES or path.suffix not in TYPES or not path.is_file():
            raise web.HTTPNotFound
        return web.Response(body=path.read_bytes(), content_type=TYPES[path.suffix], charset="utf-8")

    async def _story(self, _: web.Request) -> web.Response:
        return _json(await self._session.tape())

    async def _press(self, request: web.Request) -> web.Response:
        press = _Press.model_validate_json(await request.read())
        action = press.action.model_dump(exclude_none=True) if press.action else {}
        values = None
        if press.values is not None:
            values = {
                block: {name: entry.model_dump(exclude_none=True) for name, entry in fields.items()}
                for block, fields in press.values.items()
            }
        return _json(await self._session.press(Pressed(press.moment, press.ts, action, values)))

    async def _restart(self, _: web.Request) -> web.Response:
        await self._session.restart()
        return _json({})

    async def _take(self, request: web.Request) -> web.Response:
        await self._trial.take(request.query.get("name", ""), request.content.iter_chunked(CHUNK))
        return _json({})

    async def _begin(self, request: web.Request) -> web.Response:
        self._trial.begin((await request.text())[:LONGEST])
        return _json({})

    async def _clear(self, _: web.Request) -> web.Response:
        await self._trial.clear()
        return _json({})

    async def _state(self, _: web.Request) -> web.Response:
        return _json(self._trial.as_json())

    async def _report(self, _: web.Request) -> web.Response:
        if not self._trial.report:
            raise web.HTTPNotFound
        headers = {"Content-Security-Policy": REPORT_POLICY}
        return web.Response(text=self._trial.report, content_type="text/html", headers=headers)


def _json(content: dict[str, Any], status: int = 200) -> web.Response:
    return web.json_response(content, status=status)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
