"""A stand-in for People Data Labs' person enrichment, made from its documentation.

A key in X-Api-Key; an address, or a name and a company; errors as {"status", "error": {"type", "message"}}; a
parameter that is not documented is refused, so that a slip in a name cannot pass unseen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.servers.loopback import listening

KEY = "a key of the operator"
KNOWN = frozenset(
    "email name company min_likelihood required data_include titlecase pretty first_name last_name".split()
)
TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "payment_required",
    404: "not_found",
    405: "invalid_request_error",
    429: "rate_limit_error",
    500: "api_error",
}


@dataclass
class PeopleDataLabs:
    """Whose records the server has, and what it was asked."""

    records: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    credits: int = 1_000
    a_minute: int = 1_000
    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    broken: web.Response | None = None

    def person(
        self, email: str, employer: str | None, title: str = "", likelihood: int = 9, **more: Any
    ) -> None:
        """Let a record say where somebody works."""
        record = {"full_name": "jane doe", "mobile_phone": "+15550100", "job_company_name": employer}
        self.records[email] = likelihood, {**record, "job_title": title or None, **more}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request as documented."""
        asked = dict(request.query)
        self.asked.append(asked)
        if self.broken is not None:
            return web.Response(status=self.broken.status, body=self.broken.body)
        status, likelihood, data = self._matched(request, asked)
        if data is None:
            told: dict[str, Any] = {"status": status, "error": {"type": TYPES[status], "message": "No."}}
            return web.json_response(told, status=status)
        self.credits -= 1
        wanted = [name for name in asked.get("data_include", "").split(",") if name]
        shown = {key: value for key, value in data.items() if not wanted or key in wanted}
        if asked.get("titlecase") == "true":
            shown = {key: value.title() if isinstance(value, str) else value for key, value in shown.items()}
        return web.json_response({"status": 200, "likelihood": likelihood, "data": shown})

    def _matched(
        self, request: web.BaseRequest, asked: dict[str, str]
    ) -> tuple[int, int, dict[str, Any] | None]:
        """Return the status, and the record that matches with how sure that is."""
        likelihood, data = self.records.get(asked.get("email", ""), (0, None))
        least = asked.get("min_likelihood", "2")
        checks = (
            (405, request.method != "GET" or request.path != "/v5/person/enrich"),
            (401, request.headers.get("X-Api-Key") != KEY or "api_key" in asked),
            (
                400,
                bool(asked.keys() - KNOWN) or not ("email" in asked or {"name", "company"} <= asked.keys()),
            ),
            (400, not least.isdigit() or not 1 <= int(least) <= 10),
            (429, len(self.asked) > self.a_minute),
            (402, self.credits <= 0),
            (404, data is None or not least.isdigit() or likelihood < int(least)),
            (404, data is not None and not data.get(asked.get("required", "full_name"))),
        )
        status = next((status for status, applies in checks if applies), 200)
        return status, likelihood, data if status == 200 else None


@asynccontextmanager
async def running() -> AsyncIterator[PeopleDataLabs]:
    """Serve on a free port of loopback."""
    server = PeopleDataLabs()
    async with listening(server.handle) as port:
        server.url = f"http://127.0.0.1:{port}"
        yield server
