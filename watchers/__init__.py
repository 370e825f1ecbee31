"""All a newcomer has to read to add a watcher: one new file in this package, one class.

A `Watcher` fetches raw items from a source it owns and reads each into observations. A `MailReader` gets
every mail that the mailbox watcher fetched and says what it means. Both are registered by being defined.
Whatever they observe, the judgement is not theirs: they declare what their kinds are worth, and report.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from bot.model import Contact, Json, Kind, Observation

if TYPE_CHECKING:
    from watchers.mail.head import Head
    from watchers.mail.parse import Mail
    from watchers.settings import Settings as Settings

Raw = TypeVar("Raw")

FREE_MAIL = frozenset(
    "aol.com att.net bellsouth.net bigpond.com bluewin.ch bol.com.br btinternet.com charter.net "
    "comcast.net cox.net earthlink.net email.cz fastmail.com foxmail.com free.fr freenet.de gmail.com "
    "gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com hey.com hotmail.be hotmail.co.uk hotmail.com "
    "hotmail.de hotmail.es hotmail.fr hotmail.it icloud.com inbox.lv inbox.ru interia.pl kpnmail.nl "
    "laposte.net libero.it list.ru live.co.uk live.com live.fr live.nl mac.com mail.com mail.ru me.com "
    "msn.com naver.com o2.pl online.de orange.fr outlook.com outlook.de outlook.fr proton.me "
    "protonmail.com qq.com rambler.ru rediffmail.com sbcglobal.net seznam.cz sfr.fr shaw.ca sky.com "
    "t-online.de telenet.be telia.com terra.com.br tiscali.it tutanota.com ukr.net uol.com.br "
    "verizon.net virgilio.it virginmedia.com wanadoo.fr web.de wp.pl xs4all.nl yahoo.ca yahoo.co.in "
    "yahoo.co.jp yahoo.co.uk yahoo.com yahoo.com.br yahoo.de yahoo.es yahoo.fr yahoo.it yandex.com "
    "yandex.ru ymail.com ziggo.nl zoho.com 126.com 163.com".split()
)
"""Domains that belong to nobody's account: sharing one says nothing about the employer."""


@dataclass(frozen=True)
class Scope:
    """Whom we watch for whom: the readers' only view of the rest of the house.

    Nothing about anybody outside `addresses` and `domains` may be stored. `contacts` are the people behind
    the addresses, for whoever looks for them by name.
    """

    our_domains: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    contacts: tuple[Contact, ...] = ()

    @classmethod
    def of(cls, contacts: Iterable[Contact], our_domains: Iterable[str]) -> Scope:
        """Build the scope that watches these contacts."""
        people = tuple(contacts)
        ours = frozenset(domain.lower().lstrip("@") for domain in our_domains)
        addresses = frozenset(contact.address for contact in people)
        domains = frozenset(address.rpartition("@")[2] for address in addresses) - FREE_MAIL - ours
        return cls(ours, addresses, domains, people)

    def is_ours(self, address: str) -> bool:
        """Say whether the address is one of our own team's."""
        return under(address, self.our_domains)

    @cached_property
    def strays(self) -> frozenset[str]:
        """Return the watched addresses at domains that are nobody's account."""
        return frozenset(address for address in self.addresses if not under(address, self.domains))

    @cached_property
    def by_local_part(self) -> Mapping[str, tuple[Contact, ...]]:
        """Return the watched people by what stands before the @."""
        found: dict[str, tuple[Contact, ...]] = {}
        for contact in self.contacts:
            local = contact.address.partition("@")[0]
            found[local] = (*found.get(local, ()), contact)
        return found

    @cached_property
    def by_domain(self) -> Mapping[str, tuple[Contact, ...]]:
        """Return the watched people by what stands behind the @."""
        found: dict[str, list[Contact]] = {}
        for contact in self.contacts:
            found.setdefault(contact.address.rpartition("@")[2], []).append(contact)
        return {domain: tuple(people) for domain, people in found.items()}

    def covers(self, address: str) -> bool:
        """Say whether the address is a watched person's or a watched account's."""
        return address in self.addresses or under(address, self.domains)


def under(address: str, domains: frozenset[str]) -> bool:
    """Say whether the address belongs to one of the domains or to a sub-domain of one.

    >>> under("jane@mail.acme.example", frozenset({"acme.example"}))
    True
    """
    labels = address.rpartition("@")[2].split(".")
    return any(".".join(labels[i:]) in domains for i in range(len(labels) - 1))


Deriver = Callable[[Sequence[Observation], datetime], Iterable[Observation]]
"""Says what several observations mean together that none says alone: two pushes are a drift.

It gets all observations of one person, oldest first, and the moment of the judgement. What it returns is
weighed like any observation but never stored: it is computed anew from what is. Pure.
"""


@dataclass(frozen=True)
class Batch(Generic[Raw]):
    """Raw items of one source, and the place to go on from once their observations are durable."""

    source: str
    items: Sequence[Raw]
    cursor: Json
    total: int | None = None


@dataclass(frozen=True)
class Example(Generic[Raw]):
    """A raw item and the kinds it must be read as; one parametrised test runs them all."""

    raw: Raw
    kinds: tuple[str, ...]


class Watcher(ABC, Generic[Raw]):
    """Look at one kind of source, on its own schedule.

    The first line of a watcher's docstring is what the command line and the docs show of it.
    `fetch` does I/O and raises `SourceDown` or `NeedsHuman`; `read` is pure.
    """

    name: ClassVar[str]
    Config: ClassVar[type[Settings]]
    every: ClassVar[timedelta]
    remembers: ClassVar[bool] = False
    """The cursor is what a source looked like, not a place in its history: new contacts leave it as it is."""
    kinds: ClassVar[tuple[Kind, ...]] = ()
    examples: ClassVar[tuple[Example[Any], ...]] = ()
    registry: ClassVar[dict[str, type[Watcher[Any]]]] = {}

    def __init__(self, config: Settings | None = None) -> None:
        self.config = config if config is not None else self.Config()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Register the watcher under its name; without a `Config` of its own it can be told nothing."""
        super().__init_subclass__(**kwargs)
        if not hasattr(cls, "Config"):
            cls.Config = __getattr__("Settings")
        if "name" in cls.__dict__:
            Watcher.registry[cls.name] = cls

    @abstractmethod
    def sources(self, scope: Scope) -> Sequence[str]:
        """Name what there is to look at: one mailbox, one host, one calendar a name."""

    @abstractmethod
    def fetch(self, source: str, cursor: Json, scope: Scope) -> AsyncIterator[Batch[Raw]]:
        """Yield what is new since the cursor (None: from the beginning), in batches."""

    @abstractmethod
    def read(self, raw: Raw, scope: Scope) -> Iterable[Observation]:
        """Say what one raw item means. Pure: no I/O, no clock."""

    def derive(self, history: Sequence[Observation], now: datetime) -> Iterable[Observation]:
        """Say what several observations mean together; see `Deriver`."""
        del history, now
        return ()

    async def woken(self, source: str, within: timedelta) -> bool:
        """Wait at most this long; say whether the source asked to be looked at sooner than planned."""
        del source
        import asyncio  # noqa: PLC0415 - loads slowly, and reading mail needs none

        await asyncio.sleep(within.total_seconds())
        return False


class MailReader(ABC):
    """Say what a mail means. Pure; a reader never sees where the mail came from.

    `wants` judges by the headers whether the body is worth fetching; `read` gets the whole mail (with
    headers only, where no reader wanted the body). Observations name anybody the mail is about; the
    mailbox watcher drops those that are outside the scope.
    """

    name: ClassVar[str]
    kinds: ClassVar[tuple[Kind, ...]]
    examples: ClassVar[tuple[Example[bytes], ...]] = ()
    registry: ClassVar[dict[str, type[MailReader]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Register the reader under its name."""
        super().__init_subclass__(**kwargs)
        if "name" in cls.__dict__:
            MailReader.registry[cls.name] = cls

    @abstractmethod
    def wants(self, head: Head) -> bool:
        """Say by the headers alone whether the body matters to this reader."""

    @abstractmethod
    def read(self, mail: Mail, scope: Scope) -> Sequence[Observation]:
        """Say what the mail means; `source` is left empty, the mailbox watcher fills it in."""

    def derive(self, history: Sequence[Observation], now: datetime) -> Iterable[Observation]:
        """Say what several observations mean together; see `Deriver`."""
        del history, now
        return ()


def load() -> None:
    """Import every module of this package, and what other packages offer as `GROUP`."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    _load_others()


def load_readers() -> None:
    """Import what defines mail readers: that takes far less time than what watchers bring.

    A module of this package counts by its text; other packages are loaded whole.
    """
    for module in pkgutil.iter_modules(__path__):
        source = Path(__path__[0], f"{module.name}.py")
        if source.is_file() and "(MailReader)" in source.read_text(encoding="utf-8"):
            importlib.import_module(f"{__name__}.{module.name}")
    _load_others()


GROUP = "stillthere.watchers"


def _load_others() -> None:
    """Import what other packages offer; asking every package takes long, so first it is looked who may."""
    places = (Path(place).glob("*-info/entry_points.txt") for place in sys.path)
    if not any(GROUP.encode() in file.read_bytes() for files in places for file in files):
        return
    from importlib.metadata import entry_points  # noqa: PLC0415 - loads slowly

    for point in entry_points(group=GROUP):
        point.load()


def __getattr__(name: str) -> Any:
    """Import `Settings` when it is first asked for."""
    if name != "Settings":
        raise AttributeError(name)
    from watchers.settings import Settings  # noqa: PLC0415 - brings pydantic, which mail readers do without

    return Settings


def kinds() -> dict[str, Kind]:
    """Return every kind that the loaded watchers and readers declare, by name."""
    declared: list[Kind] = []
    for watcher in Watcher.registry.values():
        declared.extend(watcher.kinds)
    for reader in MailReader.registry.values():
        declared.extend(reader.kinds)
    return {kind.name: kind for kind in declared}


def derivers() -> tuple[Deriver, ...]:
    """Return the `derive` of every loaded reader and watcher."""
    readers = tuple(reader().derive for reader in MailReader.registry.values())
    return (*readers, *(watcher().derive for watcher in Watcher.registry.values()))
