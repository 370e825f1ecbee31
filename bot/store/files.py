"""Keep documents in TinyDB files that survive a crash at any instant.

A `Shelf` is a folder of TinyDB files; a document lies in the file its key hashes to, so that a write rewrites
few others. Files are gzipped JSON (`zcat` shows them): small, and their checksum tells damage from data.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import structlog
from pydantic_core import from_json, to_json
from tinydb import TinyDB
from tinydb.storages import Storage
from tinydb.table import Document, Table

from bot.model import NeedsHuman
from bot.store.journal import PRIVATE_FILE, Journal, sync_folder

log = structlog.get_logger()

PRIVATE_FOLDER = 0o700
COMPRESSION = 1
"""The fastest: the next levels save a tenth of the space for two to three times the time."""

FLUSHERS = 8
"""How many files are waited for at a time: the disk takes them together."""

LONGEST_JOURNAL = 2**20
"""Bytes in the journal before it is emptied: some 300 people, whom the system has mostly written by then."""

FILE = ".json.gz"
BACKUP = ".bak"
TEMPORARY = ".tmp"
DAMAGED = ".damaged-"

Tables = dict[str, dict[str, Any]]


class Damaged(Exception):  # noqa: N818 - the name is the word the admin reads
    """Say that a file does not hold what was written to it."""


class DiskRefuses(NeedsHuman):
    """The disk is full, or lets us write no more."""


class Group:
    """Files that were written together and become durable together, by one record in a journal.

    Between `hold` and `commit` a write changes what is read, but is not yet what a crash would leave.
    """

    def __init__(self, folder: Path) -> None:
        self._journal = Journal(folder)
        self._written: dict[Path, DurableStorage] = {}
        self._in_journal: dict[Path, DurableStorage] = {}
        self._refusal: DiskRefuses | None = None
        self._holds = False
        self._flushers = ThreadPoolExecutor(max_workers=FLUSHERS, thread_name_prefix="flush")

    def restore(self) -> None:
        """Write the files that a crash may have kept from the disk, before any of them is opened."""
        files = self._journal.read()
        for path, content in files.items():
            make_private(path.parent)
            temporary = path.with_name(path.name + TEMPORARY)
            write_durably(temporary, content)
            temporary.replace(path)
        for folder in {path.parent for path in files}:
            sync_folder(folder)
        self._journal.empty()

    def hold(self) -> None:
        """Let the writes that follow wait for `commit`."""
        self._holds = True

    def add(self, storage: DurableStorage) -> None:
        """Take a file that was written; durable at once where nothing is held."""
        self._written[storage.path] = storage
        if not self._holds:
            self.commit()

    def refused(self, storage: DurableStorage, error: OSError) -> DiskRefuses:
        """Take back all that is held, because the disk refused one file; return what to raise."""
        for written in (*self._written.values(), storage):
            written.revert()
        self._written.clear()
        refusal = DiskRefuses(
            f"{storage.path} cannot be written: {error.strerror or error}",
            f"make room on the disk or let this user write to {storage.path.parent}; "
            "nothing that was kept before is lost",
        )
        self._refusal = refusal if self._holds else None
        return refusal

    def commit(self) -> None:
        """Make durable what was written. Raise DiskRefuses where the disk does: then nothing has changed."""
        written, refusal = dict(self._written), self._refusal
        self._holds, self._refusal = False, None
        if refusal is not None:
            for storage in written.values():
                storage.revert()
            self._written.clear()
            raise refusal
        if not written:
            return
        try:
            if self._journal.length > LONGEST_JOURNAL:
                self._empty_journal()
            self._journal.append({path: storage.content for path, storage in written.items()})
            self._in_journal |= written
            self._settle(written)
        except OSError as error:
            raise self.refused(next(iter(written.values())), error) from error
        self._written.clear()

    def _settle(self, written: Mapping[Path, DurableStorage]) -> None:
        try:
            for storage in written.values():
                storage.settle()
        except OSError:
            self._journal.take_back()
            raise

    def empty_journal(self) -> None:
        """Commit, and wait until every file is on the disk, so that the journal holds nothing any more."""
        self.commit()
        try:
            self._empty_journal()
        except OSError as error:
            raise DiskRefuses(
                f"{self._journal.folder} cannot be written: {error.strerror or error}",
                "look at the disk; nothing that was kept before is lost",
            ) from error

    def _empty_journal(self) -> None:
        list(self._flushers.map(DurableStorage.flush, self._in_journal.values()))
        for folder in {path.parent for path in self._in_journal}:
            sync_folder(folder)
        self._in_journal.clear()
        self._journal.empty()

    def close(self) -> None:
        """Let go of the threads and of the journal; what a disk does not take now stays in it."""
        with contextlib.suppress(OSError):
            self._empty_journal()
        self._flushers.shutdown()
        self._journal.close()


class DurableStorage(Storage):
    """Keep one TinyDB file, which becomes durable with its group.

    The encoded bytes are kept in memory and decoded anew by every read: no read waits for the disk, and
    nobody can change the database through what they were given.
    """

    def __init__(self, folder: Path, shard: str, group: Group) -> None:
        self._folder = folder
        self._shard = shard
        self._group = group
        self._content = self._durable = self.path.read_bytes() if self.path.exists() else None

    @property
    def path(self) -> Path:
        """Return where the file is; made anew, for thousands of paths take megabytes."""
        return self._folder / f"{self._shard}{FILE}"

    def read(self) -> Tables | None:
        """Return the tables, None where nothing was ever written; raise `Damaged` where they are torn."""
        return None if self._content is None else decode(self._content)

    def write(self, data: Tables) -> None:
        """Replace what is read, and the file with the group's commit.

        Raise DiskRefuses where the disk does: what was there before stays.
        """
        content = encode(data)
        try:
            write_private(self._temporary, content)
        except OSError as error:
            raise self._group.refused(self, error) from error
        self._content = content
        self._group.add(self)

    @property
    def content(self) -> bytes:
        """Return the bytes that are read."""
        return self._content or encode({})

    def flush(self) -> None:
        """Wait until the file is on the disk; write it again where somebody took it away."""
        try:
            with self.path.open("rb") as file:
                os.fsync(file.fileno())
        except FileNotFoundError:
            write_durably(self.path, self.content)

    def settle(self) -> None:
        """Replace the file in one step and keep the one before as the last good copy."""
        if self._durable is not None:
            self._keep_backup(self._durable)
        self._temporary.replace(self.path)
        self._durable = self._content

    def revert(self) -> None:
        """Read again what is on the disk."""
        with contextlib.suppress(OSError):
            self._temporary.unlink(missing_ok=True)
        self._content = self._durable

    @property
    def _temporary(self) -> Path:
        return self.path.with_name(self.path.name + TEMPORARY)

    def renew_backup(self) -> None:
        """Let the last good copy be what is kept now, so that nothing older can be read from it."""
        backup = self.path.with_name(self.path.name + BACKUP)
        temporary = backup.with_name(backup.name + TEMPORARY)
        write_durably(temporary, self.content)
        temporary.replace(backup)
        sync_folder(self.path.parent)

    def mentions(self, text: bytes) -> bool:
        """Say whether the file or its last good copy holds the text, which is in lower case, in any case."""
        backup = self.path.with_name(self.path.name + BACKUP)
        older = backup.read_bytes() if backup.exists() else b""
        return any(text in gzip.decompress(content).lower() for content in (self._content, older) if content)

    def _keep_backup(self, content: bytes) -> None:
        backup = self.path.with_name(self.path.name + BACKUP)
        backup.unlink(missing_ok=True)
        try:
            os.link(self.path, backup)
        except OSError:  # not every file system has hard links
            write_durably(backup, content)


class KeyedTable(Table):
    """A table whose documents are found by a name, not by a number."""

    document_id_class = str  # type: ignore[assignment]  # documented as free to choose, annotated as int


class Database(TinyDB):
    """TinyDB with keyed tables."""

    table_class = KeyedTable


def _database(storage: DurableStorage) -> Database:
    """Return TinyDB over a storage; it is cheap to make, and thousands of them would fill the memory."""
    return Database(storage=lambda: storage)


class Shelf:
    """Documents by key, spread over up to `16 ** digits` files in a folder.

    Reads are served from memory and may come from any thread; writes must come one at a time.
    """

    def __init__(self, folder: Path, digits: int, group: Group) -> None:
        self.folder = folder
        self.digits = digits
        self._group = group
        self._storages: dict[str, DurableStorage] = {}

    def load(self, each: Callable[[Document], None]) -> list[str]:
        """Open the folder, show each document to `each`, and return what the admin must know.

        A damaged file is set aside and its last good copy takes its place. Raise NeedsHuman where a file
        is whole but holds what this version cannot read: setting that aside would lose it.
        """
        make_private(self.folder)
        notices = []
        for leftover in self.folder.glob(f"*{TEMPORARY}"):
            leftover.unlink()
        names = {path.name.removesuffix(BACKUP) for path in self.folder.iterdir() if DAMAGED not in path.name}
        for name in sorted(name for name in names if name.endswith(FILE)):
            documents, notice = self._load_file(self.folder / name)
            notices += notice
            try:
                for document in documents:
                    each(document)
            except (ValueError, KeyError, TypeError) as error:
                raise NeedsHuman(
                    f"{self.folder / name} is whole but holds what this version does not know: {error}",
                    "start the version that wrote it",
                ) from error
        return notices

    def get(self, key: str) -> dict[str, Any] | None:
        """Return a fresh copy of the document, None where there is none."""
        storage = self._storages.get(self._shard(key))
        return _database(storage).get(doc_id=_doc_id(key)) if storage else None

    def items(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield every document with its key, a file at a time."""
        for storage in list(self._storages.values()):
            for document in _database(storage).all():
                yield str(document.doc_id), dict(document)

    def put(self, key: str, document: dict[str, Any]) -> None:
        """Keep the document in place of what was there; it is durable on return."""
        shard = self._shard(key)
        storage = self._storages.get(shard)
        database = _database(storage or self._open(shard))

        def replace(old: dict[str, Any]) -> None:
            old.clear()
            old.update(document)

        if storage is None or not database.update(replace, doc_ids=[_doc_id(key)]):
            database.insert(Document(document, _doc_id(key)))

    def erase(self, key: str) -> None:
        """Remove the document from the file and from its last good copy; it is gone on return."""
        storage = self._storages.get(self._shard(key))
        if storage is None:
            return
        database = _database(storage)
        if database.contains(doc_id=_doc_id(key)):
            database.remove(doc_ids=[_doc_id(key)])
        self._group.empty_journal()
        storage.renew_backup()

    def forget_past(self, key: str) -> None:
        """Let the last good copy of the document's file be what is kept now."""
        storage = self._storages.get(self._shard(key))
        if storage is not None:
            self._group.empty_journal()
            storage.renew_backup()

    def remove_set_aside(self) -> None:
        """Remove the damaged files that were set aside: nobody can tell who stands in them."""
        for path in self.folder.glob(f"*{DAMAGED}*"):
            path.unlink()
            log.warning("store_file_removed", file=str(path), why="somebody is to be forgotten")
        sync_folder(self.folder)

    def mentioning(self, *texts: str) -> list[str]:
        """Return the keys of all documents in files that hold one of the texts, now or in their last copy.

        This reads every file's copy from the disk and is no work for the event loop.
        """
        wanted = [to_json(text).strip(b'"').lower() for text in texts]
        found = [storage for storage in list(self._storages.values()) if any(map(storage.mentions, wanted))]
        return [str(document.doc_id) for storage in found for document in _database(storage).all()]

    def close(self) -> None:
        """Forget what is in memory."""
        self._storages.clear()

    def _shard(self, key: str) -> str:
        return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[: self.digits]

    def _open(self, shard: str) -> DurableStorage:
        storage = DurableStorage(self.folder, shard, self._group)
        self._storages[shard] = storage
        return storage

    def _load_file(self, path: Path) -> tuple[list[Document], list[str]]:
        """Return a file's documents, from its last good copy where it is damaged."""
        try:
            if path.exists():
                return _database(self._open(path.name.removesuffix(FILE))).all(), []
            problem = "was gone"
        except Damaged as damage:
            problem = f"was damaged ({damage}) and is now {_set_aside(path).name}"
        if _restore(path):
            outcome = "the last good copy is used: the latest change in it is lost"
        else:
            outcome = "there is no good copy: what it held is lost"
        sync_folder(self.folder)
        log.error("store_file_damaged", file=str(path), problem=problem, outcome=outcome)
        return _database(self._open(path.name.removesuffix(FILE))).all(), [f"{path} {problem}; {outcome}"]


def encode(tables: Tables) -> bytes:
    """Return the tables as they stand in a file."""
    return gzip.compress(to_json(tables), COMPRESSION, mtime=0)


def decode(content: bytes) -> Tables:
    """Return the tables a file holds; raise `Damaged` where it is not what `encode` made."""
    try:
        tables = from_json(gzip.decompress(content), cache_strings="keys")
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise Damaged(str(error)) from error
    if not (isinstance(tables, dict) and all(map(_holds_documents, tables.values()))):
        raise Damaged("not a TinyDB file")
    return cast("Tables", tables)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only this user can read."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE), "wb") as file:  # noqa: PTH123 - pathlib cannot set the mode
        file.write(content)


def write_durably(path: Path, content: bytes) -> None:
    """Write a private file and wait until its content is on the disk; its name needs `sync_folder`."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE), "wb") as file:  # noqa: PTH123 - pathlib cannot set the mode
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def make_private(folder: Path) -> None:
    """Create the folder for this user alone; one that exists keeps its mode."""
    if not folder.exists():
        folder.mkdir(PRIVATE_FOLDER, parents=True)
        sync_folder(folder.parent)


def _restore(path: Path) -> bool:
    """Put the last good copy in the place of a file; False where there is none."""
    backup = path.with_name(path.name + BACKUP)
    if not backup.exists():
        return False
    content = backup.read_bytes()
    try:
        decode(content)
    except Damaged:
        _set_aside(backup)
        return False
    temporary = path.with_name(path.name + TEMPORARY)
    write_durably(temporary, content)
    temporary.replace(path)
    return True


def _set_aside(path: Path) -> Path:
    return path.rename(path.with_name(f"{path.name}{DAMAGED}{datetime.now(UTC):%Y%m%dT%H%M%S}"))


def _holds_documents(table: Any) -> bool:
    return isinstance(table, dict) and all(isinstance(document, dict) for document in table.values())


def _doc_id(key: str) -> int:
    """Pass a key for what TinyDB annotates as a number; `KeyedTable` makes it a string throughout."""
    return cast("int", key)
