"""The traps again from what really arrives: mails, pages and a permission that ends, read by the watchers.

Their numbers are those of the list in docs/how-it-decides.md.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from bot.answers import observe
from bot.model import Answer, Assessment, Choice, Contact, NeedsHuman, Reason, SourceDown, Verdict
from bot.pipeline import Pipeline
from bot.store.memory import MemoryStore
from tests.connecting import RITA, SECRET, SECRET_ENV, Team, team
from tests.observations import RULES
from tests.web.site import CONTACT, Clock, Site, courtesy, reach, serving
from tests.web.team_pages import TEAM, cards, page
from watchers.mail.files import FileMailbox
from watchers.mailbox import Mailbox
from watchers.public_pages import PublicPages

JANE, MAITE, ROBERT = "jane@acme.example", "maite@acme.example", "robert@acme.example"
SIOBHAN = "siobhan@acme.example"
PEOPLE = {JANE: "Jane Doe", MAITE: "Maite Etxeberria", ROBERT: "Robert Ashby", SIOBHAN: "Siobhan O'Hara"}
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
BOX = "mailbox:box"
LATER = timedelta(minutes=10)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def ident(sender: str, when: datetime) -> str:
    return f"{when:%Y%m%d%H%M%S}.{sender}"


def letter(
    sender: str,
    to: str,
    days: float,
    *,
    text: str = "Sounds good.",
    headers: str = "",
    subject: str = "Pilot",
) -> bytes:
    when = ago(days)
    name = PEOPLE.get(sender, "Rita Rep")
    return (
        f"From: {name} <{sender}>\r\nTo: {to}\r\nSubject: {subject}\r\nDate: {format_datetime(when)}\r\n"
        f"Message-ID: <{ident(sender, when)}>\r\n{headers}\r\n{text}\r\n"
    ).encode()


def automatic(sender: str, days: float, text: str) -> bytes:
    """Return a reply that a mailbox gives by itself (RFC 3834)."""
    return letter(
        sender, RITA, days, text=text, headers="Auto-Submitted: auto-replied\r\n", subject="Automatic reply"
    )


def report(
    of: str,
    days: float,
    status: str = "5.1.1",
    said: str = "User unknown",
    *,
    sender: str = RITA,
    copy: int = 0,
) -> bytes:
    """Return what our own server reports of a mail that was refused (RFC 3464), and of which mail."""
    when = ago(days)
    return (
        f"From: MAILER-DAEMON@mx.vendor.example\r\nTo: {RITA}\r\nSubject: Undelivered Mail\r\n"
        f"Date: {format_datetime(when + timedelta(seconds=30))}\r\n"
        f"Message-ID: <report{copy}.{ident(sender, when)}@mx.vendor.example>\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nYour message could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.vendor.example\r\n\r\n"
        f"Final-Recipient: rfc822; {of}\r\nAction: {'delayed' if status[0] == '4' else 'failed'}\r\n"
        f"Status: {status}\r\nRemote-MTA: dns; mx.acme.example\r\n"
        f"Diagnostic-Code: smtp; {status[0]}50 {status} <{of}>: {said}\r\n"
        "--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"From: {sender}\r\nTo: {of}\r\nSubject: Pilot\r\nDate: {format_datetime(when)}\r\n"
        f"Message-ID: <{ident(sender, when)}>\r\n\r\n--b--\r\n"
    ).encode()


def bounced(of: str, days: float, status: str = "5.1.1", said: str = "User unknown") -> list[bytes]:
    """Return a mail of ours and the report that it was refused."""
    return [letter(RITA, of, days), report(of, days, status, said)]


def friendship(address: str = JANE, last: int = 3, every: int = 14) -> list[bytes]:
    """Return half a year of mail both ways, the last so many days ago."""
    return [
        mail
        for days in range(last, 180, every)
        for mail in (letter(RITA, address, days + 0.5), letter(address, RITA, days))
    ]


@dataclass
class Chain:
    """The service's pipeline over a mailbox and a team page, and everything it told."""

    folder: Path
    site: Site
    clock: Clock = field(default_factory=lambda: Clock(NOW))
    told: list[str] = field(default_factory=list)
    contacts: tuple[Contact, ...] = (Contact(JANE, "Jane Doe", "VP Sales", "Acme", RITA),)

    def __post_init__(self) -> None:
        self.pipe = Pipeline(MemoryStore(), RULES, ["vendor.example"], baseline=False)
        settings = {
            "contact": CONTACT,
            "pages": [{"url": self.site.url(), "account": "Acme"}],
            "confirmed": self.folder / "pages.csv",
        }
        config = PublicPages.Config.model_validate(settings)
        self.pages = PublicPages(config, self.clock, reach(self.site), courtesy(self.clock))
        box = self.folder / "box"
        box.mkdir()
        self.box = Mailbox(Mailbox.Config(mailboxes=(FileMailbox(kind="files", path=box, name="box"),)))

    async def receives(self, *mails: bytes) -> Assessment:
        """Let mails arrive, and return what is then thought of the first contact."""
        await self._watch()
        known = len(list((self.folder / "box").iterdir()))
        for number, mail in enumerate(mails, start=known):
            (self.folder / "box" / f"{number:04}.eml").write_bytes(mail)
        await self.pipe.sweep(self.box, BOX, self.clock())
        return await self.judged()

    async def sees(self, days: int) -> Assessment:
        """Look at the team page for so many days."""
        await self._watch()
        for _ in range(days * 4):
            for source in self.pages.sources(await self.pipe.scope()):
                with suppress(SourceDown):
                    await self.pipe.sweep(self.pages, source, self.clock())
            self.clock.pass_by(hours=6)
        return await self.judged()

    async def judged(self) -> Assessment:
        """Judge everybody twice, let the alerts out, and return what is thought of the first contact."""
        await self.pipe.judge(self.clock())
        self.clock.now += LATER
        found = await self.pipe.judge(self.clock())
        while (taken := await self.pipe.store.take_alert(self.clock(), LATER)) is not None:
            case, delivery = taken
            self.told.append(f"{delivery.alert.contact.address} {delivery.alert.assessment.verdict}")
            await self.pipe.store.alert_sent(case.key, delivery, None, self.clock())
        return next(one for one in found if one.contact == self.contacts[0].address)

    async def _watch(self) -> None:
        for contact in self.contacts:
            await self.pipe.store.watch(contact)


@pytest.fixture
async def chain(tmp_path: Path) -> AsyncIterator[Chain]:
    async with serving() as site:
        site.says("/team", page(cards(TEAM)))
        yield Chain(tmp_path, site)


def everybody(*addresses: str) -> tuple[Contact, ...]:
    return tuple(Contact(address, PEOPLE[address], "", "Acme", RITA) for address in addresses)


def note(found: Assessment, kind: str) -> str:
    return next(item.note for item in found.evidence if item.kind == kind)


async def test_trap_1_a_certain_bounce_alarms_and_copies_of_it_say_no_more(chain: Chain) -> None:
    one = await chain.receives(*friendship(last=20), *bounced(JANE, 1))
    assert chain.told == [f"{JANE} likely left"]
    three = await chain.receives(*(report(JANE, 1, copy=copy) for copy in (1, 2)))
    assert three.probability == pytest.approx(one.probability, abs=0.005)
    assert chain.told == [f"{JANE} likely left"]


async def test_trap_2_a_mail_of_yesterday_takes_last_months_signal_back(chain: Chain) -> None:
    found = await chain.receives(*friendship(last=40), *bounced(JANE, 30), letter(JANE, RITA, 1))
    assert found.verdict is Verdict.ACTIVE
    assert note(found, "mailbox_gone")
    assert chain.told == []


async def test_trap_3_a_reply_that_they_left_reaches_whoever_posts_it(chain: Chain) -> None:
    gone = automatic(JANE, 0, "I am no longer with Acme. Please write to Ann Lee at ann@acme.example.")
    found = await chain.receives(*friendship(last=20), gone)
    assert chain.told == [f"{JANE} left"]
    assert found.suggestions[0].name == "Ann Lee"


@pytest.mark.parametrize(
    "shown",
    [
        page("<h1>Our values</h1><p>We believe in craft, candour and long lunches.</p>" * 20),
        page("<h1>Page not found</h1><p>Sorry, that page does not exist.</p>"),
        page("<h1>We value your privacy</h1><p>Accept all cookies to continue.</p>"),
        '<html><body><div id="root"></div><script src="/app.js"></script></body></html>',
    ],
    ids=["redesigned", "error", "consent wall", "empty shell"],
)
async def test_trap_4_a_page_that_shows_no_list_any_more_is_no_departure(chain: Chain, shown: str) -> None:
    await chain.receives(*friendship(last=1))
    await chain.sees(2)
    chain.site.says("/team", shown)
    found = await chain.sees(4)
    assert found.verdict is Verdict.ACTIVE
    assert chain.told == []


async def test_trap_4_a_name_that_vanished_from_a_page_never_says_left_by_itself(chain: Chain) -> None:
    await chain.receives(*friendship(last=1))
    await chain.sees(2)
    chain.site.says("/team", page(cards(TEAM[1:])))
    found = await chain.sees(4)
    assert chain.told == [f"{JANE} likely left"]
    assert "the page may have been made anew" in found.other_explanations[0]


async def test_trap_5_a_namesake_who_stands_with_another_company_never_says_left(chain: Chain) -> None:
    await chain.receives(*friendship(last=1))
    await chain.sees(2)
    namesake = [("Jane Doe", "Head Baker at Crumb & Sons"), *TEAM[1:]]
    chain.site.says("/team", page(cards(namesake)))
    found = await chain.sees(4)
    assert found.verdict is not Verdict.LEFT
    assert f"{JANE} left" not in chain.told


@pytest.mark.parametrize(
    "title",
    [
        "VP Sales, Acme Holding",
        "VP Sales, Acme Services GmbH, a subsidiary of Acme",
        "VP Sales at Acme, advisor to Crumb & Sons",
        "VP Sales, member of the board of Crumb & Sons",
        "VP Sales and CEO of Acme Labs",
    ],
    ids=["holding", "subsidiary", "advisor", "board", "dual role"],
)
async def test_trap_5_a_holding_a_subsidiary_an_advisors_and_a_second_role_are_no_departure(
    chain: Chain, title: str
) -> None:
    await chain.receives(*friendship(last=1))
    await chain.sees(2)
    chain.site.says("/team", page(cards([("Jane Doe", title), *TEAM[1:]])))
    found = await chain.sees(4)
    assert found.verdict is Verdict.ACTIVE
    assert chain.told == []


async def test_trap_5_a_renamed_company_is_one_notice_and_no_departures(chain: Chain) -> None:
    chain.contacts = everybody(JANE, MAITE, ROBERT)
    past = [mail for one in chain.contacts for mail in friendship(one.address, last=20)]
    news = [
        mail for number, one in enumerate(chain.contacts) for mail in bounced(one.address, 1 + number / 10)
    ]
    await chain.receives(*past, *news)
    assert chain.told == ["@acme.example unchecked"]


async def test_trap_5_one_bounce_of_a_renamed_company_whose_people_write_from_its_new_domain_is_no_departure(
    chain: Chain,
) -> None:
    chain.contacts = everybody(JANE, MAITE)
    past = [mail for one in chain.contacts for mail in friendship(one.address, last=20)]
    moved = letter(MAITE, RITA, 2).replace(b"<maite@acme.example>", b"<maite@acme-group.example>")
    found = await chain.receives(*past, moved, *bounced(JANE, 1))
    assert chain.told == ["@acme.example unchecked"]
    assert found.verdict is Verdict.UNCHECKED
    assert "write from acme-group.example now" in found.headline


@pytest.mark.parametrize("title", ["Executive Director", "Director", "Board Director and VP Sales"])
async def test_trap_6_a_new_title_with_director_in_it_is_no_departure(chain: Chain, title: str) -> None:
    await chain.receives(*friendship(last=1))
    await chain.sees(2)
    chain.site.says("/team", page(cards([("Jane Doe", title), *TEAM[1:]])))
    found = await chain.sees(4)
    assert found.verdict is Verdict.ACTIVE
    assert chain.told == []


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("5.7.1", "Message rejected due to content restrictions"),
        ("5.2.2", "Mailbox full"),
        ("4.7.1", "Greylisted, please try again later"),
        ("4.4.1", "Connection timed out"),
    ],
)
async def test_trap_7_a_refusal_a_full_mailbox_and_greylisting_are_no_departure(
    chain: Chain, status: str, said: str
) -> None:
    found = await chain.receives(*friendship(last=4), *bounced(JANE, 1, status, said))
    assert found.verdict is Verdict.ACTIVE
    assert chain.told == []


async def test_trap_7_a_real_bounce_is_not_missed_because_its_text_is_short(chain: Chain) -> None:
    await chain.receives(*friendship(last=20), *bounced(JANE, 1, "5.1.1", "rejected"))
    assert chain.told == [f"{JANE} likely left"]


async def test_trap_7_a_new_address_is_no_departure(chain: Chain) -> None:
    text = "My e-mail address has changed. Please use jane.roe@acme.example from now on."
    found = await chain.receives(*friendship(last=4), automatic(JANE, 1, text))
    assert found.verdict is Verdict.ACTIVE
    assert chain.told == []


async def test_trap_8_a_bounce_of_a_mail_that_we_never_sent_counts_nothing(chain: Chain) -> None:
    forged = report(JANE, 1, sender="spam@evil.example")
    found = await chain.receives(*friendship(last=4), forged)
    assert found.verdict is Verdict.ACTIVE
    assert note(found, "mailbox_gone")
    assert chain.told == []


@pytest.mark.parametrize("heading", ["Alumni", "Former team members", "In memoriam"])
async def test_trap_9_a_name_that_still_stands_under_alumni_former_or_in_memoriam_speaks_for_a_departure(
    chain: Chain, heading: str
) -> None:
    await chain.receives(*friendship(last=20))
    await chain.sees(2)
    former = f"<section><h2>{heading}</h2>" + cards(TEAM[:1]) + "</section>"
    chain.site.says("/team", page(cards(TEAM[1:]) + former))
    found = await chain.sees(4)
    assert chain.told == [f"{JANE} likely left"]
    assert heading in found.headline


async def test_trap_10_nobody_goes_quiet_because_our_rep_was_on_holiday(chain: Chain) -> None:
    people = {f"p{number}@a{number}.example" for number in range(6)}
    chain.contacts = tuple(Contact(one, account=one, owner=RITA) for one in sorted(people))
    mails = (mail for one in sorted(people) for mail in friendship(one, last=35, every=5))
    found = await chain.receives(*mails)
    assert found.verdict is not Verdict.QUIET
    assert chain.told == []


async def test_trap_10_nobody_goes_quiet_over_the_end_of_december(chain: Chain) -> None:
    addresses = sorted(f"p{number}@a{number}.example" for number in range(6))
    chain.contacts = tuple(Contact(one, account=one, owner=RITA, country="DE") for one in addresses)
    chain.clock.now = datetime(2026, 1, 5, 8, tzinfo=UTC)
    until_christmas = (NOW.date() - datetime(2025, 12, 22, tzinfo=UTC).date()).days
    mails = (mail for one in addresses for mail in friendship(one, last=until_christmas, every=4))
    await chain.receives(*mails)
    people = [await chain.pipe.store.person(one) for one in addresses]
    assert {one.assessment.verdict for one in people if one and one.assessment} == {Verdict.ACTIVE}
    assert chain.told == []


async def test_trap_11_a_snooze_loses_nothing_and_turns_nothing_back_on(chain: Chain) -> None:
    await chain.receives(*friendship(last=20), *bounced(JANE, 1))
    (case,) = await chain.pipe.store.cases()
    until = NOW.date() + timedelta(days=7)
    await chain.pipe.store.answer(Answer(JANE, case.key, "U1", chain.clock(), Choice.SNOOZE, until))
    chain.clock.pass_by(days=6)
    await chain.judged()
    assert chain.told == [f"{JANE} likely left"]
    chain.clock.pass_by(days=2)
    await chain.judged()
    assert chain.told == [f"{JANE} likely left"] * 2
    last = (await chain.pipe.store.cases())[-1]
    there = Answer(JANE, last.key, "U1", chain.clock(), Choice.STILL_THERE)
    await chain.pipe.store.answer(there, observe(there))
    chain.clock.pass_by(days=9)
    await chain.judged()
    assert len(chain.told) == 2


@pytest.fixture
async def connected(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    monkeypatch.setenv(SECRET_ENV, SECRET)
    async with team(MemoryStore(), "google") as made:
        async with httpx.AsyncClient() as browser:
            await made.connect(browser, "Google")
        yield made


def delivered(vendor: Team, mails: Iterable[bytes]) -> None:
    for mail in mails:
        vendor.google.deliver(RITA, mail, ago(3))


async def test_trap_12_nobody_looks_silent_once_the_permission_to_read_has_ended(connected: Team) -> None:
    watcher = Mailbox()
    watcher.connected = connected.connections.mailboxes
    pipe = Pipeline(connected.store, RULES, ["vendor.example"], baseline=False)
    await connected.store.watch(Contact(JANE, "Jane Doe", account="Acme", owner=RITA))
    delivered(connected, friendship(last=3, every=5))
    await pipe.sweep(watcher, f"mailbox:{RITA}", NOW)
    (found,) = await pipe.judge(NOW)
    assert found.verdict is Verdict.ACTIVE
    connected.tokens.end()
    connected.tokens.refresh.clear()
    with pytest.raises(NeedsHuman, match="ended or was taken back"):
        await pipe.sweep(watcher, f"mailbox:{RITA}", NOW + timedelta(days=1))
    (found,) = await pipe.judge(NOW + timedelta(days=60))
    person = await connected.store.person(JANE)
    assert found.verdict is Verdict.UNCHECKED
    assert "ended or was taken back" in found.headline
    assert person is not None
    assert person.decisions[-1].reason is Reason.INHIBITED_BY_SOURCE_OUTAGE
    assert person.cases == ()
