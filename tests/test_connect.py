from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot import pages
from bot.connect import challenge, named_in
from bot.store.memory import MemoryStore
from tests.connecting import RITA, SECRET, SECRET_ENV, Page, Team, query, team
from watchers.mail.tokens import Provider, Use


@pytest.fixture(autouse=True)
def client_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET_ENV, SECRET)


@pytest.fixture
async def vendor() -> AsyncIterator[Team]:
    async with team(MemoryStore(), "google", "microsoft") as made:
        yield made


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


@pytest.mark.parametrize(
    ("name", "provider"), [("Google", Provider.GOOGLE), ("Microsoft", Provider.MICROSOFT)]
)
async def test_a_rep_connects_their_mailbox(
    vendor: Team, browser: httpx.AsyncClient, name: str, provider: Provider
) -> None:
    page = await vendor.connect(browser, name)
    assert page.response.status_code == 200
    assert f"{RITA} is connected" in page.text
    [connected] = vendor.connections.mailboxes()
    assert (connected.provider, connected.mailbox) == (provider, RITA)
    assert connected.uses == {Use.MAIL, Use.CALENDAR}
    assert (await connected.tokens.token(Use.MAIL)).startswith("at-")
    assert [link.user for link in vendor.connections.of("U1")] == ["U1"]
    assert vendor.connections.of("U2") == []


async def test_the_page_before_says_what_is_read_and_kept_and_asks_for_reading_only(
    vendor: Team, browser: httpx.AsyncClient
) -> None:
    for name, read_only in (
        ("Google", {"https://www.googleapis.com/auth/gmail.readonly"}),
        ("Microsoft", {"openid", "profile", "offline_access", "https://graph.microsoft.com/Mail.Read"}),
    ):
        page = await vendor.begin(browser, name)
        assert "It keeps:" in page.text
        assert "never the text of a mail" in page.text
        asked = query(page.link(f"Continue to {name}"))
        others = set(asked["scope"].split()) - read_only
        assert len(others) == 1
        assert others.pop().lower().endswith(("calendar.readonly", "calendars.read"))
        assert (asked["code_challenge_method"], asked["login_hint"]) == ("S256", RITA)
        assert SECRET not in page.response.text


async def test_pages_run_no_scripts_are_not_framed_cached_or_named_to_others(
    vendor: Team, browser: httpx.AsyncClient
) -> None:
    response = (await vendor.begin(browser)).response
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script" not in policy
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert "<script" not in response.text
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/connect" in cookie


def test_what_stands_on_a_page_is_escaped() -> None:
    shown = pages.page(
        "<b>",
        ['<script>"', ["<i>"]],
        [pages.Button("<u>", 'x"y', (('n"', "<v>"),)), pages.Button("<a>", '"')],
    )
    for hostile in ("<b>", "<script>", "<i>", "<u>", "<v>", "<a>", 'x"y', 'n"="'):
        assert hostile not in shown


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_becomes_markup(title: str, words: str) -> None:
    plain = pages.page("", ["", [""]], [pages.Button("", "", (("", ""),)), pages.Button("", "")])
    shown = pages.page(
        title, [words, [words]], [pages.Button(words, title, ((title, words),)), pages.Button(words, title)]
    )
    assert shown.count("<") == plain.count("<")
    assert shown.count('"') == plain.count('"')


async def test_a_link_that_is_altered_or_foreign_opens_nothing(
    vendor: Team, browser: httpx.AsyncClient
) -> None:
    good = query(vendor.pages.url("U1"))["state"]
    flow = vendor.pages._vault.seal({"kind": "flow", "user": "U1"})
    for state in ("", "x", good[:-3] + "AAA", flow, "x" * 6000):
        for path in ("/connect", "/connect/google"):
            page = Page(await browser.get(vendor.url + path, params={"state": state}))
            assert page.response.status_code == 400
            assert "does not work any more" in page.text
    assert (await browser.get(vendor.url + "/connect/yahoo", params={"state": good})).status_code == 404


async def test_a_callback_counts_once(vendor: Team, browser: httpx.AsyncClient) -> None:
    page = await vendor.begin(browser)
    allowed = await browser.get(page.link("Continue to Google"))
    cookies = dict(browser.cookies)
    back = allowed.headers["location"]
    assert (await browser.get(back)).status_code == 200
    async with httpx.AsyncClient(cookies=cookies) as again:
        page = Page(await again.get(back))
    assert page.response.status_code == 400
    assert "done already" in page.text


async def test_a_callback_wants_the_browser_that_began_and_its_state(
    vendor: Team, browser: httpx.AsyncClient
) -> None:
    page = await vendor.begin(browser)
    back = (await browser.get(page.link("Continue to Google"))).headers["location"]
    async with httpx.AsyncClient() as other:
        assert (await other.get(back)).status_code == 400
        await vendor.begin(other, user="U2")
        assert (await other.get(back)).status_code == 400
    for state in ("", "x" * 43, "é"):
        code = query(back)["code"]
        answer = await browser.get(
            f"{vendor.url}/connect/google/callback", params={"state": state, "code": code}
        )
        assert answer.status_code == 400
    assert vendor.connections.mailboxes() == []
    assert (await browser.get(back)).status_code == 200


async def test_a_callback_of_one_provider_is_not_taken_for_the_others(
    vendor: Team, browser: httpx.AsyncClient
) -> None:
    page = await vendor.begin(browser, "Google")
    back = (await browser.get(page.link("Continue to Google"))).headers["location"]
    mixed = back.replace("/google/", "/microsoft/")
    assert (await browser.get(mixed)).status_code == 400
    assert vendor.connections.mailboxes() == []


async def test_a_flow_that_took_too_long_is_begun_again(vendor: Team, browser: httpx.AsyncClient) -> None:
    page = await vendor.begin(browser)
    back = (await browser.get(page.link("Continue to Google"))).headers["location"]
    [cookie] = browser.cookies.jar
    old = vendor.pages._vault._newest.encrypt_at_time(
        vendor.pages._vault._all.decrypt(str(cookie.value)), 1_000_000_000
    )
    cookie.value = old.decode()
    page = Page(await browser.get(back))
    assert "took longer than ten minutes" in page.text


async def test_whoever_says_no_is_left_in_peace(vendor: Team, browser: httpx.AsyncClient) -> None:
    vendor.tokens.allows = False
    page = await vendor.connect(browser)
    assert "Nothing was connected" in page.text
    assert "Google says that it was not allowed" in page.text
    assert vendor.connections.mailboxes() == []


async def test_what_a_provider_says_is_never_repeated(vendor: Team, browser: httpx.AsyncClient) -> None:
    page = await vendor.begin(browser)
    state = query(page.link("Continue to Google"))["state"]
    answer = await browser.get(
        f"{vendor.url}/connect/google/callback",
        params={"state": state, "error": "<script>", "error_description": "<script>alert(1)"},
    )
    assert "script" not in answer.text


async def test_a_mailbox_that_is_not_the_teams_is_turned_away_and_its_permission_given_back(
    vendor: Team, browser: httpx.AsyncClient
) -> None:
    vendor.tokens.somebody = "rita@private.example"
    page = await vendor.connect(browser)
    assert "not a mailbox of your team" in page.text
    assert vendor.connections.mailboxes() == []
    assert vendor.tokens.refresh == {}
    assert len(vendor.tokens.revoked) == 1


async def test_a_calendar_may_be_kept_back_but_mail_may_not(vendor: Team, browser: httpx.AsyncClient) -> None:
    vendor.tokens.leaves_out = frozenset({"https://www.googleapis.com/auth/calendar.readonly"})
    page = await vendor.connect(browser)
    assert "You did not allow the calendar" in page.text
    [connected] = vendor.connections.mailboxes()
    assert connected.uses == {Use.MAIL}
    vendor.tokens.leaves_out = frozenset({"https://www.googleapis.com/auth/gmail.readonly"})
    page = await vendor.connect(browser)
    assert "Reading mail was not allowed" in page.text


async def test_disconnecting_erases_and_takes_back(vendor: Team, browser: httpx.AsyncClient) -> None:
    await vendor.connect(browser)
    assert vendor.pages.button("U1")[0] == "My mailbox"
    action, fields = (await vendor.begin(browser)).form
    page = Page(await browser.post(action, data=fields))
    assert f"{RITA} is not read any more" in page.text
    assert "still lists it" not in page.text
    assert vendor.connections.mailboxes() == []
    assert vendor.tokens.refresh == {}
    assert vendor.pages.button("U1")[0] == "Connect my mailbox"
    assert (await browser.post(action, data=fields)).status_code == 400


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=x", b"--x\r\n"),
        ("application/x-www-form-urlencoded", b"state=%ED%A0%80&mailbox=\xff"),
        ("application/x-www-form-urlencoded; charset=none-such", b"state=x"),
        ("application/x-www-form-urlencoded", b"a=b&" * 1000),
        ("text/plain", b"state=x"),
    ],
)
@pytest.mark.parametrize("packing", ["identity", "gzip", "deflate"])
async def test_a_form_that_is_none_is_turned_away(
    vendor: Team, browser: httpx.AsyncClient, kind: str, content: bytes, packing: str
) -> None:
    answer = await browser.post(
        f"{vendor.url}/connect/google/disconnect",
        content=content,
        headers={"Content-Type": kind, "Content-Encoding": packing},
    )
    assert answer.status_code == 400
    assert packing != "identity" or "does not work any more" in answer.text


async def test_nobody_disconnects_the_mailbox_of_somebody_else(
    vendor: Team, browser: httpx.AsyncClient
) -> None:
    await vendor.connect(browser)
    action, fields = (await vendor.begin(browser)).form
    others = query(vendor.pages.url("U2"))["state"]
    answer = await browser.post(action, data={**fields, "state": others})
    assert answer.status_code == 400
    assert len(vendor.connections.mailboxes()) == 1


async def test_where_a_permission_cannot_be_taken_back_the_page_says_how(
    vendor: Team, browser: httpx.AsyncClient
) -> None:
    await vendor.connect(browser, "Microsoft")
    action, fields = (await vendor.begin(browser, "Microsoft")).form
    page = Page(await browser.post(action, data=fields))
    assert "Microsoft still lists it: remove Stillthere at https://myapps.microsoft.com" in page.text
    assert vendor.connections.mailboxes() == []


async def test_an_outage_of_the_provider_is_a_page_and_no_secret(
    vendor: Team, browser: httpx.AsyncClient
) -> None:
    vendor.tokens.down = 1
    with capture_logs() as logs:
        page = await vendor.connect(browser)
    assert page.response.status_code == 502
    assert "try again" in page.text
    assert SECRET not in f"{logs} {page.response.text}"


async def test_with_one_provider_nobody_is_asked_which(browser: httpx.AsyncClient) -> None:
    async with team(MemoryStore(), "google") as made:
        page = Page(await browser.get(made.pages.url("U1")))
        assert "Continue to Google" in page.text


def test_the_challenge_is_that_of_the_rfc() -> None:
    """RFC 7636 appendix B."""
    assert challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == (
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


@pytest.mark.parametrize("token", ["", "a.b.c", "a.e30.c", "..", "x" * 10_000, "a.W10.c", "a.bnVsbA.c"])
def test_an_identity_that_names_nobody_is_nobodys(token: str) -> None:
    assert named_in(token) == ""
