"""Draw the forms of /champion, and read what was entered. Pure.

https://docs.slack.dev/reference/views/modal-views
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import time
from typing import Any

from slackblocks import (
    Block,
    CheckboxGroup,
    DatePicker,
    Element,
    FileInput,
    InputBlock,
    ModalView,
    NumberInput,
    Option,
    PlainText,
    PlainTextInput,
    StaticSelectMenu,
    TimePicker,
    UserSelectMenu,
)

from bot.crm import csv
from bot.model import Contact, Deal
from bot.preferences import WEEKDAYS, Preferences
from bot.slack import grammar
from bot.slack.mrkdwn import quote
from bot.slack.parts import section

View = dict[str, Any]
Values = Mapping[str, Any]
"""What Slack says was entered: by block id, then by action id."""

ADD = "add"
SETTINGS = "settings"
FORGET = "forget"

VALUE = "value"
"""The action id of every input; its block id tells which one it is."""

LONGEST = 3000
"""Slack takes no more characters in one input."""

MOST_ALERTS = 100
HOURS = 24
CURRENCY = re.compile(r"[A-Z]{3}|[€$£¥]")
SYMBOLS = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY"}
PAUSED = Option(PlainText("Send me no digest"), "paused")


@dataclass(frozen=True)
class Upload:
    """A file that was put into the form: where it lies, what it is called, how many bytes it has."""

    url: str
    name: str
    size: int


@dataclass(frozen=True)
class Entered:
    """What was entered into the form for adding; `owner` is a Slack user id."""

    contact: Contact | None
    owner: str = ""
    more: str = ""
    upload: Upload | None = None


def add(owner: str, contact: Contact | None = None, more: str = "", note: str = "") -> View:
    """Draw the form for adding people, with what is known already; `more` is a list, `note` stands above."""
    known = contact or Contact("")
    blocks: list[Block] = [section("note", quote(note, 500))] if note else []
    blocks += [
        _input("email", "E-mail address", _text(known.address, "jane@acme.example")),
        _input("name", "Name", _text(known.name, "Jane Doe")),
        _input("account", "Account", _text(known.account, "Acme")),
        _input("owner", "Owner", UserSelectMenu(VALUE, initial_user=owner)),
        _input("deal", "Deal", _text("", "Renewal 2027")),
        _input("amount", "Amount of the deal", _text("", "120,000 EUR")),
        _input("close", "Close date of the deal", DatePicker(VALUE)),
        _input(
            "links",
            "Links",
            _text("\n".join(known.links), many=True),
            "Kept for people to click, one a line. They are never opened by Stillthere.",
        ),
        section("bulk", "*Or several at once*"),
        _input(
            "list",
            "Paste a list or CSV",
            _text(more, many=True),
            "One person a line: jane@acme.example Jane Doe, Acme. CSV needs a column 'email'.",
        ),
        _input("file", "Upload a CSV file", FileInput(VALUE, filetypes=["csv"], max_files=1)),
    ]
    return _modal("Watch people", blocks, ADD, submit="Watch")


def entered(values: Values) -> Entered | dict[str, str]:
    """Read the form for adding, or return what is wrong by block id."""
    wrong: dict[str, str] = {}
    email = grammar.plain(_said(values, "email")).strip()
    files = (values.get("file") or {}).get(VALUE, {}).get("files") or []
    more, rest = (
        _said(values, "list"),
        [_said(values, part) for part in ("name", "account", "deal", "amount")],
    )
    if not email and (any(rest) or not (more.strip() or files)):
        wrong["email"] = "Enter an address here, or a list below."
    read = grammar.person(email) if email else None
    if isinstance(read, str) or (read is not None and (read.name or read.account)):
        wrong["email"] = "This is no e-mail address."
    raw = _said(values, "amount")
    amount = csv.amount(raw) if raw else None
    if raw and amount is None:
        wrong["amount"] = "Write the amount in full, such as 120,000 EUR."
    close = _said(values, "close")
    if close and csv.day(close) is None:
        wrong["close"] = "This is no day."
    if wrong:
        return wrong
    contact = None
    if isinstance(read, Contact):
        found = CURRENCY.search(raw)
        currency = SYMBOLS.get(found[0], found[0]) if found else ""
        deal = Deal(csv.tidy(_said(values, "deal")), amount, currency, close_date=csv.day(close))
        contact = replace(
            read,
            name=csv.tidy(_said(values, "name")),
            account=csv.tidy(_said(values, "account")),
            deal=deal if deal != Deal() else None,
            links=tuple(csv.tidy(link) for link in _said(values, "links").split()),
        )
    return Entered(contact, _said(values, "owner"), more, _upload(files))


def settings(chosen: Preferences, quiet: tuple[time, time], alerts_a_day: int | None) -> View:
    """Draw the form of a rep's own settings; `quiet` and `alerts_a_day` hold where nothing is chosen."""
    begin, end = chosen.quiet_hours(quiet)
    days = [Option(PlainText(day), str(number)) for number, day in enumerate(WEEKDAYS)]
    hours = [Option(PlainText(f"{hour:02}:00"), str(hour)) for hour in range(HOURS)]
    budget = chosen.alerts_a_day or alerts_a_day
    blocks: list[Block] = [
        _input("quiet_from", "Quiet from", TimePicker(VALUE, initial_time=f"{begin:%H:%M}")),
        _input(
            "quiet_to",
            "Quiet until",
            TimePicker(VALUE, initial_time=f"{end:%H:%M}"),
            "In your time zone; the same time twice means none. Who left is told by morning at the latest.",
        ),
        _input("day", "Digest on", StaticSelectMenu(VALUE, days, initial_option=days[chosen.digest_day])),
        _input("hour", "Digest at", StaticSelectMenu(VALUE, hours, initial_option=hours[chosen.digest_hour])),
        _input("pause", "Pause", CheckboxGroup(VALUE, [PAUSED], [PAUSED] if chosen.digest_paused else None)),
        _input(
            "budget",
            "Alerts a day at most",
            NumberInput(
                is_decimal_allowed=False,
                action_id=VALUE,
                initial_value=str(budget) if budget else None,
                min_value="1",
                max_value=str(MOST_ALERTS),
            ),
            "More than that waits for the next working day. Empty: as your team has it.",
        ),
    ]
    return _modal("Your settings", blocks, SETTINGS, submit="Save")


def chosen(
    values: Values, before: Preferences, quiet: tuple[time, time], alerts_a_day: int | None
) -> Preferences | dict[str, str]:
    """Read the form of the settings, or return what is wrong by block id.

    What is left as the team has it is not chosen: it changes with the team's.
    """
    said = _said(values, "budget")
    if said and said not in map(str, range(1, MOST_ALERTS + 1)):
        return {"budget": f"Enter a whole number from 1 to {MOST_ALERTS}, or nothing."}
    begin, end, budget = _said(values, "quiet_from"), _said(values, "quiet_to"), int(said) if said else None
    return replace(
        before,
        quiet_from=begin if begin and begin != f"{quiet[0]:%H:%M}" else None,
        quiet_to=end if end and end != f"{quiet[1]:%H:%M}" else None,
        digest_day=_number(values, "day", len(WEEKDAYS), before.digest_day),
        digest_hour=_number(values, "hour", HOURS, before.digest_hour),
        digest_paused=bool((values.get("pause") or {}).get(VALUE, {}).get("selected_options")),
        alerts_a_day=budget if budget != alerts_a_day else None,
    )


def forget(address: str, name: str) -> View:
    """Ask whether somebody is really to be erased."""
    text = (
        f"*{quote(name, 80)}* ({quote(address, 80)}) will be erased for good: the contact, what was "
        "observed and every case, also in the last good copies and in the messages posted here.\n"
        "Only a keyed hash of the address stays, so that nobody adds them again. *This cannot be undone.*\n"
        "Remove them from your contacts file and CRM yourself."
    )
    return _modal("Forget somebody", [section("ask", text)], FORGET, submit="Erase", carries=[address])


def told(title: str, text: str) -> View:
    """Draw a form that only says something (mrkdwn)."""
    parts = [text[at : at + LONGEST] for at in range(0, len(text), LONGEST)] or ["-"]
    return _modal(title, [section(f"told-{i}", part) for i, part in enumerate(parts[:10])])


def carried(view: Mapping[str, Any]) -> list[str]:
    """Return what a form carries unseen; nothing where it is not ours."""
    try:
        kept = json.loads(view.get("private_metadata") or "[]")
    except ValueError:
        return []
    return [str(one) for one in kept] if isinstance(kept, list) else []


def _modal(
    title: str, blocks: list[Block], callback: str = "", submit: str = "", carries: Sequence[str] = ()
) -> View:
    view = ModalView(
        title=title,
        blocks=blocks,
        close="Cancel" if submit else "Close",
        submit=submit or None,
        callback_id=callback or None,
        private_metadata=json.dumps(list(carries)) if carries else None,
    )
    return {key: value for key, value in view.to_dict().items() if value not in (None, False)}


def _input(block_id: str, label: str, element: Element, hint: str = "") -> InputBlock:
    return InputBlock(label, element, block_id=block_id, hint=hint or None, optional=True)


def _text(value: str, example: str = "", *, many: bool = False) -> PlainTextInput:
    return PlainTextInput(
        VALUE,
        initial_value=value[:LONGEST] or None,
        multiline=many,
        max_length=LONGEST if many else csv.LONGEST,
        placeholder=example or None,
    )


def _said(values: Values, block: str) -> str:
    """Return what was entered or chosen in a block, empty where nothing was."""
    state = (values.get(block) or {}).get(VALUE) or {}
    option = (state.get("selected_option") or {}).get("value")
    keys = ("value", "selected_user", "selected_date", "selected_time")
    return str(option or next((state[key] for key in keys if state.get(key)), ""))


def _number(values: Values, block: str, below: int, otherwise: int) -> int:
    """Return the number that was chosen, or the other where it is none of those that were offered."""
    said = _said(values, block)
    return int(said) if said in map(str, range(below)) else otherwise


def _upload(files: Sequence[Mapping[str, Any]]) -> Upload | None:
    if not files:
        return None
    one = files[0]
    url = str(one.get("url_private_download") or one.get("url_private") or "")
    return Upload(url, str(one.get("name") or "The file"), int(one.get("size") or 0))
