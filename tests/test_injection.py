"""What comes from outside, or from the settings, ends no header that we send, and no secret is ever typed."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from aiohttp import web

from bot.cli import main
from tests.web.site import Clock, Site, client, serving
from watchers.web.guard import PUBLIC, Refused

INJECTED = "X-Injected"
SECRET = ("password", "secret", "token", "api-key", "credential")


def were_injected(site: Site) -> list[str]:
    """Return the requests that arrived with a header, or as a request, that somebody smuggled in."""
    odd = [request for request in site.asked if INJECTED in request.headers or request.path == "/injected"]
    return [f"{request.method} {request.path}" for request in odd]


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "%0d%0a", "\u2028", "\u0085"])
async def test_an_address_with_the_end_of_a_line_brings_no_header_along(end: str) -> None:
    async with serving() as site:
        site.says("/team", "<h1>Team</h1>")
        async with client(site, Clock()) as asking:
            for url in (
                f"/team{end}{INJECTED}: 1",
                f"/team HTTP/1.1{end}{INJECTED}: 1{end}{end}GET /injected",
            ):
                await asking.get(site.url(url))
        assert were_injected(site) == []


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_an_address_that_holds_the_end_of_a_line_is_refused(end: str) -> None:
    with pytest.raises(Refused):
        PUBLIC.checked(f"https://www.acme.example/team{end}{INJECTED}: 1")


async def test_where_a_redirect_leads_brings_no_header_along() -> None:
    async with serving() as site:
        site.leads("/team", f"/elsewhere%0d%0a{INJECTED}:%201")
        async with client(site, Clock()) as asking:
            await asking.get(site.url("/team"))
        assert were_injected(site) == []


async def test_a_tag_that_a_server_made_up_is_sent_back_as_one_header_or_not_at_all() -> None:
    async with serving() as site:
        raw = f'"a\x0b\x1f{INJECTED}: 1"'

        async def answer(_: web.BaseRequest) -> web.Response:
            return web.Response(text="<h1>Team</h1>", content_type="text/html", headers={"ETag": raw})

        site.answers["/team"] = answer
        clock = Clock()
        async with client(site, clock) as asking:
            found = await asking.get(site.url("/team"))
            clock.pass_by(days=2)
            await asking.get(site.url("/team"), found.validators)
        assert were_injected(site) == []


def options(command: click.Command) -> Iterator[str]:
    """Yield every option of a command and of those below it."""
    yield from (name for one in command.params if isinstance(one, click.Option) for name in one.opts)
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            inner = command.get_command(click.Context(command), name)
            assert inner is not None
            yield from options(inner)


def test_no_secret_is_typed_on_a_command_line_where_everybody_could_read_it() -> None:
    known = {*options(main)}
    assert "--config" in known
    assert [name for name in known if any(name.endswith(word) for word in SECRET)] == []
