"""A real PostgreSQL server of the tests' own: on a free port, in a temporary folder, not as root."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.servers import memory
from tests.servers.mail import CannotRun
from tests.servers.ports import free_port

ACCOUNTS = ("postgres", "nobody")
"""PostgreSQL refuses to run as root: it runs as one of these then."""

START_SECONDS = 30.0

KEPT = 8
"""Databases; no test has so many, so that an older one is no longer in use."""


@dataclass
class PostgresServer:
    """A server that can be killed and started again."""

    folder: Path
    port: int
    binaries: Path
    account: str | None
    databases: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def url(self, database: str = "postgres") -> str:
        """Return the address of one of its databases."""
        return f"postgresql://stillthere@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """Make an empty database and return its address."""
        self.databases += 1
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(
                f"DROP DATABASE IF EXISTS {self._name(self.databases - KEPT)} (FORCE)".encode()
            )
            connection.execute(f"CREATE DATABASE {self._name(self.databases)} TEMPLATE template0".encode())
        return self.url(self._name(self.databases))

    @staticmethod
    def _name(number: int) -> str:
        return f"test_{os.getpid()}_{max(number, 0)}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.binaries / "postgres", "-D", self.folder / "data"],
                stdout=log,
                stderr=log,
                user=self.account,
                group=pwd.getpwnam(self.account).pw_gid if self.account else None,
                extra_groups=[] if self.account else None,
            )
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url()):
                return
            time.sleep(0.05)
        raise CannotRun(f"PostgreSQL did not start: {(self.folder / 'log').read_text()[-500:]}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop: SIGINT breaks off what is under way (fast shutdown), SIGQUIT dies on the spot."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=START_SECONDS)
            self.process = None

    def kill(self) -> None:
        """Die on the spot, every session with it."""
        self.stop(signal.SIGQUIT)


@contextlib.contextmanager
def running(*, durable: bool = False) -> Iterator[PostgresServer]:
    """Run a server. Raises CannotRun where there is none and it cannot be installed."""
    binaries = _binaries() or _installed()
    place = None if durable else memory.place()
    with tempfile.TemporaryDirectory(prefix="stillthere-postgres-", dir=place) as made:
        folder = Path(made)
        account = _account()
        if account:
            shutil.chown(folder, account)
        _run(account, binaries / "initdb", "-D", folder / "data", "-U", "stillthere", "-A", "trust", "-N")
        server = PostgresServer(folder, free_port(), binaries, account)
        settings = {
            "port": server.port,
            "listen_addresses": "'127.0.0.1'",
            "unix_socket_directories": "''",
            "fsync": "on" if durable else "off",
            "max_connections": 60,
            "shared_buffers": "'32MB'",
            "min_wal_size": "'32MB'",
            "max_wal_size": "'64MB'" if place else "'1GB'",
        }
        with (folder / "data" / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())
        server.start()
        try:
            yield server
        finally:
            server.kill()  # nobody will read it again


def _account() -> str | None:
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ACCOUNTS if name in known)


def _binaries() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else None


def _installed() -> Path:
    """Install the server from the distribution, as root."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise CannotRun("PostgreSQL is not installed, and only root may install it with apt-get")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-qq", "--no-install-recommends", "postgresql"]):
        subprocess.run(["apt-get", *command], env=quiet, check=False, capture_output=True, timeout=300)
    found = _binaries()
    if found is None:
        raise CannotRun("PostgreSQL could not be installed with apt-get")
    return found


def _run(account: str | None, *command: str | Path) -> None:
    done = subprocess.run(
        [*map(str, command)],
        capture_output=True,
        check=False,
        user=account,
        group=pwd.getpwnam(account).pw_gid if account else None,
        extra_groups=[] if account else None,
        timeout=120,
        cwd="/",
    )
    if done.returncode:
        raise CannotRun(f"{command[0]} failed: {done.stderr.decode()[-500:]}")
