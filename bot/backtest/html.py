"""Write a backtest as one page that opens offline: charts, tables, and a time line for each contact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import jinja2
from markupsafe import Markup

from bot.backtest import Outcome, charts
from bot.backtest.figures import rows, tiles
from bot.backtest.replay import Told
from bot.backtest.score import Score, is_right
from bot.model import Contact

TEMPLATE = "page.html.j2"
MOST_ALERTS = 2000
MOST_PEOPLE = 600
MOST_EVIDENCE = 12


@dataclass(frozen=True, slots=True)
class Row:
    """An alert in the table; `right` is empty where the truth is not known."""

    day: str
    who: str
    account: str
    verdict: str
    why: str
    right: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Someone:
    """A contact with a time line."""

    name: str
    account: str
    chips: tuple[str, ...]
    chart: Markup
    evidence: tuple[str, ...]


def page(
    outcome: Outcome, scores: Sequence[Score], names: Sequence[str], departed: dict[str, date] | None
) -> str:
    """Return the page; the last score is that of the outcome."""
    last = scores[-1]
    people = _people(outcome, departed or {})
    environment = jinja2.Environment(autoescape=True, trim_blocks=True)
    template = environment.from_string(Path(__file__).with_name(TEMPLATE).read_text(encoding="utf-8"))
    return template.render(
        span=outcome.span,
        contacts=len(outcome.contacts),
        mails=outcome.mails,
        days=len(outcome.span.days()),
        known=departed is not None,
        tiles=tiles(last),
        sides=rows(scores) if len(scores) > 1 else [],
        names=names,
        shown=names[-1] if len(names) > 1 else "",
        weeks=charts.alerts_by_week(outcome.told, outcome.span),
        legend=charts.legend(last.alerts),
        calibration=charts.calibration(last.bins),
        lags=charts.lags(last.found),
        band=charts.band(),
        departures=len(last.found),
        alerts=[_row(told, departed) for told in outcome.told[:MOST_ALERTS]],
        more=max(0, len(outcome.told) - MOST_ALERTS),
        people=people[:MOST_PEOPLE],
        fewer=max(0, len(people) - MOST_PEOPLE),
    )


def _row(told: Told, departed: dict[str, date] | None) -> Row:
    alert = told.alert
    row = Row(
        day=told.day.isoformat(),
        who=alert.contact.account_name if alert.is_notice else alert.contact.label,
        account="the whole account" if alert.is_notice else alert.contact.account_name,
        verdict=charts.NAMES[alert.assessment.verdict],
        why=alert.assessment.headline,
    )
    if departed is None or alert.is_notice:
        return row
    right = is_right(told, departed, {})
    gone = departed.get(alert.contact.address)
    days = (told.day - gone).days if gone is not None else None
    when = "" if days is None else _when(days)
    words = f"yes, {when}" if right else (f"no: {when}" if when else "no: still there")
    return Row(row.day, row.who, row.account, row.verdict, row.why, words, "yes" if right else "no")


def _when(days: int) -> str:
    if days == 0:
        return "on the last day"
    count = f"{abs(days)} day{'s' if abs(days) > 1 else ''}"
    return f"{count} {'after' if days > 0 else 'before'} the last day"


def _people(outcome: Outcome, departed: dict[str, date]) -> list[Someone]:
    told: dict[str, list[Told]] = {}
    for one in outcome.told:
        told.setdefault(one.alert.contact.address, []).append(one)
    within = {who for who, day in departed.items() if outcome.span.first <= day <= outcome.span.last}
    chosen = [one for one in outcome.contacts if one.address in told or one.address in within]
    chosen.sort(key=lambda one: (_first(told.get(one.address, ())), one.address))
    return [_someone(one, outcome, told.get(one.address, []), departed.get(one.address)) for one in chosen]


def _first(told: Iterable[Told]) -> date:
    return min((one.day for one in told), default=date.max)


def _someone(contact: Contact, outcome: Outcome, told: Sequence[Told], departed: date | None) -> Someone:
    story = outcome.stories[contact.address]
    chips = [f"{one.day}: {charts.NAMES[one.alert.assessment.verdict]}" for one in told[:4]]
    if departed is not None:
        chips.append(f"last day {departed}")
    marks = sorted(story.marks.values(), key=lambda mark: mark.day, reverse=True)
    within = [mark for mark in marks if mark.day >= outcome.span.first][:MOST_EVIDENCE]
    return Someone(
        name=contact.label,
        account=contact.account_name,
        chips=tuple(chips),
        chart=charts.timeline(story, told, departed, outcome.span, contact.label),
        evidence=tuple(f"{mark.day:%-d %b %Y}: {mark.sentence}" for mark in within),
    )
