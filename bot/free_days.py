"""Say on which days a contact's country does not work. Pure, from the tables of the `holidays` library."""

from __future__ import annotations

from datetime import date
from functools import cache, lru_cache
from typing import Final

from bot.model import Contact

Period = tuple[date, date]
"""First and last day, both included."""

YEARS: Final = 3
"""How many years back free days are looked up: as far as the silence model looks."""

LONGEST_NAME: Final = 60

CODES: Final = 256
"""There are fewer countries: the free days of each are put together once a day."""

GENERIC: Final = frozenset(
    "ac ag ai am as bz cc cd co fm gg im in io la ly me ms mu nu pm sc sh sx tk to tv vc vg ws".split()
)
"""Country-code domains that anybody takes for their letters: they say nothing about the country."""


ALSO_CALLED: Final = {
    "BELGIE": "BE",
    "BELGIQUE": "BE",
    "BRASIL": "BR",
    "CZECH REPUBLIC": "CZ",
    "DANMARK": "DK",
    "DEUTSCHLAND": "DE",
    "ENGLAND": "GB",
    "ESPAÑA": "ES",
    "GREAT BRITAIN": "GB",
    "HOLLAND": "NL",
    "ITALIA": "IT",
    "MÉXICO": "MX",
    "NEDERLAND": "NL",
    "NORGE": "NO",
    "POLSKA": "PL",
    "SCHWEIZ": "CH",
    "SCOTLAND": "GB",
    "SUISSE": "CH",
    "SUOMI": "FI",
    "SVERIGE": "SE",
    "THE NETHERLANDS": "NL",
    "TÜRKIYE": "TR",
    "UNITED STATES OF AMERICA": "US",
    "ÖSTERREICH": "AT",
}
"""What people write into a CRM beside the English names and the codes."""


def of(contact: Contact, today: date) -> tuple[Period, ...]:
    """Return the public holidays of the contact's country and the year's end, up to today.

    Of a country that nobody knows, only the year's end.
    """
    return _up_to(country(contact), today)


def country(contact: Contact) -> str:
    """Return the ISO 3166 code of the contact's country, empty where neither a field nor the address says it.

    >>> country(Contact("jane@acme.co.uk"))
    'UK'
    """
    if code := _code(contact.country[:LONGEST_NAME]):
        return code
    suffix = contact.domain.rpartition(".")[2]
    return suffix.upper() if len(suffix) == 2 and suffix not in GENERIC else ""  # noqa: PLR2004 - ISO 3166 alpha-2


@cache
def _known() -> dict[str, str]:
    """Return the codes that are known by themselves, and by the country's English name."""
    from holidays.registry import COUNTRIES  # noqa: PLC0415 - loads slowly

    codes = dict(ALSO_CALLED) | {
        code: code for _, *aliases in COUNTRIES.values() for code in aliases if code.isupper()
    }
    return codes | {name.replace("_", " ").upper(): aliases[1] for name, aliases in COUNTRIES.items()}


def _code(name: str) -> str:
    """Return the code of a country by its name or code, empty where nobody knows it."""
    if not name.strip():
        return ""
    return _known().get(" ".join(name.replace(".", "").upper().split()), "")


@cache
def _holidays(code: str, year: int) -> tuple[Period, ...]:
    """Return the public holidays of one year; none of a country that is not known."""
    import holidays  # noqa: PLC0415 - loads slowly, and not everybody's country is known

    try:
        return tuple((free, free) for free in sorted(holidays.country_holidays(code, years=year)))
    except NotImplementedError:
        return ()


@cache
def _year(code: str, year: int) -> tuple[Period, ...]:
    """Return the free days of one year; most offices are closed from 24 December to 1 January."""
    ends = ((date(year, 1, 1), date(year, 1, 1)), (date(year, 12, 24), date(year, 12, 31)))
    return (*ends, *(_holidays(code, year) if code else ()))


@lru_cache(maxsize=CODES)
def _up_to(code: str, today: date) -> tuple[Period, ...]:
    """Return the free days of the latest years."""
    years = range(max(today.year - YEARS, date.min.year), today.year + 1)
    return tuple(period for year in years for period in _year(code, year) if period[0] <= today)
