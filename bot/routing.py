"""Decide where an alert goes, who is mentioned, how people are named, and whether it goes now. Pure.

Left and Likely left go at once to the case's home, Slipping to its owner. Quiet hours, weekends and a daily
budget hold an alert until a working morning; Left and Likely left never beyond the next one. Nothing that is
held is lost: it is decided anew when its time has come.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.model import Alert, Case, Reason, Verdict
from bot.preferences import Preferences

GRAVE = frozenset({Verdict.LEFT, Verdict.LIKELY_LEFT})

MORNING = time(8)
"""When a working day begins for those who have no quiet hours."""

SATURDAY = 5
WEEK = 7
UTC_ZONE = ZoneInfo("UTC")

BUNDLED_FOR = timedelta(hours=1)
"""So long further alerts of an account go to the thread of its first one."""

DIRECT = "D"
"""The letter that begins the id of a direct message."""

Where = Literal["channel", "dm"]
Names = Literal["full", "initials"]


@dataclass(frozen=True, slots=True)
class Team:
    """Reps, by address, who share a channel; `lead` hears of what nobody else can take."""

    members: frozenset[str]
    channel: str
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the team chose. Left alone, everything goes to the channel, at any hour, with full names.

    `quiet` holds from when to when nobody is disturbed; where both are the same, there are no quiet hours.
    `alerts_a_day` is each rep's budget, None for as many as there are. `zone` is for whom Slack knows none.
    """

    channel: str
    teams: tuple[Team, ...] = ()
    backups: Mapping[str, str] = field(default_factory=dict)
    admins: tuple[str, ...] = ()
    home: Where = "channel"
    slipping: Where = "channel"
    names: Names = "full"
    shadow: bool = False
    quiet: tuple[time, time] = (time(), time())
    alerts_a_day: int | None = None
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Rep:
    """A Slack user who can be reached: id, e-mail address, time zone; empty where Slack does not say.

    `instead_of` names the owner for whom they stand in.
    """

    user: str
    address: str = ""
    zone: str = ""
    instead_of: str = ""


@dataclass(frozen=True, slots=True)
class Deliver:
    """Tell it now: in a channel, or where `user` is set, in the direct message of that user.

    In shadow mode `copies` are the other admins, and `instead_of` is where it would have gone.
    """

    channel: str = ""
    user: str = ""
    mention: tuple[Rep, ...] = ()
    names: Names = "full"
    copies: tuple[str, ...] = ()
    instead_of: Deliver | None = None

    @property
    def lane(self) -> str:
        """Return what names the place."""
        return self.user or self.channel


@dataclass(frozen=True, slots=True)
class Hold:
    """Tell it later, and why not now."""

    until: datetime
    reason: Reason


def route(
    alert: Alert,
    case: Case,
    reps: Sequence[Rep],
    rules: Rules,
    chosen: Preferences,
    today: Sequence[Verdict],
    now: datetime,
) -> Deliver | Hold:
    """Return where an alert goes, or until when it is held.

    `reps` are those who are told, the first of whom decides when; empty where nobody can be reached. `chosen`
    is what the first chose, and `today` what they were told today.
    """
    first = reps[0] if reps else None
    hours = Hours.of(first, rules, chosen)
    grave = alert.assessment.verdict in GRAVE
    if grave and now >= hours.next_morning(alert.at):
        return place(alert, case, reps, rules)
    if hours.are_quiet(now):
        return Hold(hours.next_morning(now), Reason.QUIET_HOURS)
    budget = rules.alerts_a_day if chosen.alerts_a_day is None else chosen.alerts_a_day
    # What is less grave never takes the place of a departure.
    counted = sum(verdict in GRAVE for verdict in today) if grave else len(today)
    if first is not None and budget is not None and counted >= budget:
        return Hold(hours.next_morning(now), Reason.OVER_BUDGET)
    return place(alert, case, reps, rules)


def place(alert: Alert, case: Case, reps: Sequence[Rep], rules: Rules) -> Deliver:
    """Return where it goes: a case that stands in a channel stays there, a shared one is for a channel."""
    wanted = rules.slipping if alert.assessment.verdict is Verdict.SLIPPING else rules.home
    stands_in_channel = case.home is not None and not case.home.channel.startswith(DIRECT)
    if wanted == "dm" and len(reps) == 1 and not stands_in_channel:
        return Deliver(user=reps[0].user, mention=tuple(reps))
    known = [rep.instead_of or rep.address for rep in reps] + list(owners(alert.contact.owner))
    channel = channel_of((one.lower() for one in known), rules)
    return Deliver(channel=channel, mention=tuple(reps), names=rules.names)


def shadowed(deliver: Deliver, admins: Sequence[str]) -> Deliver:
    """Return the same for the admins, by user id and at least one, who try it out."""
    return Deliver(user=admins[0], copies=tuple(admins[1:]), instead_of=deliver)


def owners(owner: str) -> tuple[str, ...]:
    """Return who shares a contact: "a@x.example; b@x.example" are two."""
    return tuple(dict.fromkeys(part for one in re.split("[;,]", owner) if (part := one.strip())))


def stand_ins(address: str, rules: Rules) -> tuple[str, ...]:
    """Return who takes what an owner cannot, best first, by address: the backup, the team's lead."""
    backup = rules.backups.get(address, "")
    lead = next((team.lead for team in rules.teams if address in team.members), "")
    return tuple(one for one in (backup, lead) if one and one != address)


def channel_of(addresses: Iterable[str], rules: Rules) -> str:
    """Return the channel of the first of these people who is in a team, or everybody's."""
    for address in addresses:
        for team in rules.teams:
            if address in team.members:
                return team.channel
    return rules.channel


@dataclass(frozen=True, slots=True)
class Hours:
    """Somebody's working hours, as far as we know them: none on weekends, none in their quiet hours."""

    zone: ZoneInfo
    begin: time
    end: time

    @classmethod
    def of(cls, rep: Rep | None, rules: Rules, chosen: Preferences) -> Hours:
        """Return a rep's hours, or the team's where there is none."""
        return cls(
            _zone(rep.zone if rep else "") or _zone(rules.zone) or UTC_ZONE, *chosen.quiet_hours(rules.quiet)
        )

    def are_quiet(self, now: datetime) -> bool:
        """Say whether nobody is to be disturbed."""
        if self.begin == self.end:
            return False
        local = now.astimezone(self.zone)
        at = local.time()
        over_night = self.begin > self.end
        quiet = (at >= self.begin or at < self.end) if over_night else self.begin <= at < self.end
        return quiet or local.weekday() >= SATURDAY

    def next_morning(self, after: datetime) -> datetime:
        """Return when the next working day begins, in UTC."""
        start = after.astimezone(self.zone).date()
        begins = MORNING if self.begin == self.end else self.end
        mornings = (
            datetime.combine(start + timedelta(days=days), begins, self.zone).astimezone(UTC)
            for days in range(WEEK + 1)
            if (start + timedelta(days=days)).weekday() < SATURDAY
        )
        return next(morning for morning in mornings if morning > after)


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
