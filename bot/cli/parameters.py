"""What commands can be told: their own parameter types, and how their examples are laid out."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import click

settings_file = click.option(
    "--config",
    "config_file",
    default="config.yaml",
    show_default=True,
    type=click.Path(dir_okay=False, readable=False, path_type=Path),
    help="The settings.",
)
as_one_line = click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
as_lines = click.option("--json", "as_json", is_flag=True, help="One line of JSON each.")


class Moment(click.ParamType[datetime]):
    """A day ("2026-08-14": the end of that day, UTC) or a moment ("2026-08-14T09:30+02:00")."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read a day or a moment."""
        if isinstance(value, datetime):
            return value
        try:
            return moment(value)
        except (ValueError, OverflowError):
            self.fail(f"'{value}' is no date: write 2026-08-14 or 2026-08-14T09:30+02:00", param, ctx)


def moment(text: str) -> datetime:
    """Read an ISO 8601 moment, in UTC where it names no zone, or the end of a day."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    return datetime.combine(day, time(), UTC) + timedelta(days=1)


class MailDomain(click.ParamType[str]):
    """A mail domain of our own team."""

    name = "domain"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read a mail domain."""
        from bot.config import domain

        try:
            return domain(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def examples(*lines: str) -> str:
    """Return an epilog that click leaves as it is."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


authenticators_option = click.option(
    "--authenticator",
    "authenticators",
    multiple=True,
    metavar="NAME",
    help="The name that your mail server writes into Authentication-Results: a mail whose sender it found "
    "forged counts for nothing. Repeatable.",
)
