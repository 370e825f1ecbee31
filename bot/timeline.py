"""Draw a contact's meetings on a line of time for a terminal: each start each had, and who moved it. Pure.

One row is one meeting. Heavy lines are moves by the customer, light ones are ours or others'; the rows below
the picture say the same in words, so that nothing hangs on a colour or a letter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rich.table import Table
from rich.text import Text

from watchers.mail.meetings import THEM, US, Meeting, Move, Snapshot

MOST = 8
"""So many meetings are drawn, the latest; more do not fit on a screen."""

LABEL = 18
OUTCOME = 15
NARROWEST = 20
MARGIN = timedelta(days=2)
MONTH_ROOM = 5
"""Columns that a month's name needs."""

SIDES = {THEM: "them", US: "us"}
ANSWERS = {"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "unsure", "DELEGATED": "delegated"}


@dataclass(frozen=True, slots=True)
class Signs:
    """The letters a picture is made of."""

    was: str = "○"
    stands: str = "●"
    cancelled: str = "✕"
    theirs: str = "━"
    others: str = "┄"
    later: str = "▶"
    sooner: str = "◀"
    now: str = "┊"
    crossed: str = "╋"
    becomes: str = "→"


PLAIN = Signs("o", "@", "x", "=", "-", ">", "<", "|", "+", "->")
"""For terminals that know ASCII only."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A span of time over so many columns."""

    first: datetime
    last: datetime
    width: int

    @classmethod
    def of(cls, told: Sequence[Meeting], now: datetime, width: int) -> Axis:
        """Return the axis on which every start of these meetings and the present have room."""
        starts = [start for meeting in told for start in starts_of(meeting)]
        return cls(min([*starts, now]) - MARGIN, max([*starts, now]) + MARGIN, width)

    def column(self, moment: datetime) -> int:
        """Return the column in which a moment stands."""
        return int((moment - self.first) / (self.last - self.first) * (self.width - 1))

    def months(self) -> Text:
        """Return the names of the months over the columns in which they begin."""
        cells = [" "] * self.width
        free = 0
        month = self.first.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        while month <= self.last:
            at = max(self.column(month), 0)
            if free <= at <= self.width - MONTH_ROOM + 1:
                name = f"{month:%b}" if month.month > 1 else f"{month:%Y}"
                cells[at : at + len(name)] = name
                free = at + MONTH_ROOM
            month = (month + timedelta(days=32)).replace(day=1)
        return Text("".join(cells), "dim")


def timeline(told: Sequence[Meeting], now: datetime, width: int, *, plain: bool = False) -> list[Text]:
    """Return the picture, line by line: the months, a row for each meeting, and what the signs mean."""
    drawn = latest(told)
    if not drawn:
        return []
    signs = PLAIN if plain else Signs()
    axis = Axis.of(drawn, now, max(width - LABEL - OUTCOME, NARROWEST))
    lines = [Text(" " * LABEL) + axis.months()]
    lines += [_row(meeting, axis, now, signs) for meeting in drawn]
    legend = (
        f"{signs.theirs}{signs.later} moved by them  {signs.others}{signs.later} by us or others  "
        f"{signs.was} gave way  {signs.stands} stands  {signs.cancelled} cancelled  {signs.now} now"
    )
    return [*lines, Text(legend, "dim")]


def latest(told: Sequence[Meeting]) -> list[Meeting]:
    """Return the meetings that are drawn: those heard of last, in the order in which they were set."""
    heard = sorted(told, key=lambda meeting: (meeting.last.at, meeting.uid))[-MOST:]
    return sorted(heard, key=lambda meeting: (meeting.first.at, meeting.uid))


def starts_of(meeting: Meeting) -> list[datetime]:
    """Return every start the meeting had, in the order in which it had them."""
    return [move.before for move in meeting.moves[:1]] + [move.after for move in meeting.moves] or [
        meeting.start
    ]


def lost(meeting: Meeting) -> int:
    """Return by how many days their side pushed it."""
    return sum(move.days for move in meeting.moves if move.side == THEM and move.later)


def _row(meeting: Meeting, axis: Axis, now: datetime, signs: Signs) -> Text:
    cells: list[tuple[str, str]] = [(" ", "")] * axis.width
    for move in meeting.moves:
        _segment(cells, axis, move, signs)
    crossed, style = cells[axis.column(now)]
    cells[axis.column(now)] = (signs.now if crossed == " " else signs.crossed, style or "dim")
    for start in starts_of(meeting):
        cells[axis.column(start)] = (signs.was, "")
    last = (signs.cancelled, "bold red") if meeting.cancelled else (signs.stands, "bold")
    cells[axis.column(starts_of(meeting)[-1])] = last
    side = SIDES.get(meeting.first.side, "others")
    row = Text(f"{starts_of(meeting)[0]:%_d %b} by {side}".ljust(LABEL))
    for letter, style in cells:
        row.append(letter, style)
    return row.append(_outcome(meeting, now).rjust(OUTCOME), "bold" if lost(meeting) else "dim")


def _segment(cells: list[tuple[str, str]], axis: Axis, move: Move, signs: Signs) -> None:
    begin, end = axis.column(move.before), axis.column(move.after)
    theirs = move.side == THEM
    style = "red" if theirs and move.later else "green" if theirs else "dim"
    for at in range(min(begin, end) + 1, max(begin, end)):
        cells[at] = (signs.theirs if theirs else signs.others, style)
    if abs(end - begin) > 1:
        cells[end - 1 if end > begin else end + 1] = (signs.later if move.later else signs.sooner, style)


def _outcome(meeting: Meeting, now: datetime) -> str:
    if meeting.cancelled is not None:
        return "cancelled"
    if days := lost(meeting):
        return f"{days} day{'s' * (days > 1)} lost"
    if meeting.series:
        return "series"
    return "over" if meeting.start < now else "ahead"


def moves(told: Sequence[Meeting], now: datetime, *, plain: bool = False) -> Table:
    """Return what happened to the meetings in words: one row for each change, grouped by meeting."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="dim", no_wrap=True)
    for _ in range(2):
        table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for meeting in latest(told):
        if table.row_count:
            table.add_row()
        for at, cells in sorted(_changes(meeting, PLAIN if plain else Signs()), key=lambda change: change[0]):
            table.add_row(_day(at, now), *cells)
    return table


Row = tuple[datetime, tuple[Text | str, ...]]


def _changes(meeting: Meeting, signs: Signs) -> Iterator[Row]:
    first = meeting.first
    set_for = _day(first.start or meeting.start, first.at)
    yield first.at, (f"set for {set_for}", _by(first), "", "a series" if meeting.series else "")
    for move in meeting.moves:
        days = Text(f"{move.days:+} day{'s' * (abs(move.days) > 1)}", _style(move))
        words = "with words" if move.words else Text("without a word", "bold" if move.side == THEM else "")
        yield (
            move.at,
            (
                f"{_day(move.before, move.at)} {signs.becomes} {_day(move.after, move.at)}",
                _by(move),
                days,
                words,
            ),
        )
    if meeting.answer is not None and meeting.partstat in ANSWERS:
        yield meeting.answer.at, (ANSWERS[meeting.partstat], "by them", "", "")
    if meeting.attended is not None:
        yield meeting.attended.at, ("was there", "", "", "")
    if meeting.dropped is not None:
        instead = f"{meeting.replaced_by} instead" if meeting.replaced_by else ""
        yield meeting.dropped.at, ("no longer invited", _by(meeting.dropped), "", instead)
    if meeting.taken_over is not None:
        yield (
            meeting.taken_over.at,
            ("organiser changed", _by(meeting.taken_over), "", meeting.taken_over.organizer),
        )
    if meeting.cancelled is not None:
        yield meeting.cancelled.at, ("cancelled", _by(meeting.cancelled), "", "")


def _style(move: Move) -> str:
    if move.side != THEM:
        return "dim"
    return "red" if move.later else "green"


def _by(seen: Snapshot | Move) -> str:
    return f"by {SIDES.get(seen.side, 'others')}"


def _day(moment: datetime, told: datetime) -> str:
    moment = moment.astimezone(UTC)
    return f"{moment:%-d %b}" if moment.year == told.year else f"{moment:%-d %b %Y}"
