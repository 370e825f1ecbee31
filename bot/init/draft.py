"""What `stillthere init` is about to write: settings, and secrets in files of their own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bot import config
from bot.config import Document, Loader, Plan
from bot.init import text

FOLDER = "secrets"
FORMER = ".before"
"""What is put after the name of the settings as they were."""


@dataclass
class Draft:
    """Settings for `file`, and secrets by the names of their files in a private folder beside it."""

    file: Path
    settings: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, file: Path) -> Draft:
        """Start from what is there. Raise NeedsHuman where that is wrong."""
        if not file.exists():
            return cls(file)
        config.load(file)
        return cls(file, yaml.load(file.read_text(encoding="utf-8-sig"), Loader))  # noqa: S506 - a safe one

    def section(self, *names: str) -> dict[str, Any]:
        """Return a section to write in, made where it is missing."""
        found = self.settings
        for name in names:
            if found.get(name) is None:
                found[name] = {}
            found = found[name]
        return found

    def keep(self, name: str, secret: str) -> str:
        """Keep a secret for a file of this name, and return what the settings say of it."""
        self.secrets[name] = secret
        return f"{FOLDER}/{name}"

    @contextmanager
    def trial(self, settings: Mapping[str, Any]) -> Iterator[tuple[Plan, str]]:
        """Yield these settings as a plan to try, and the folder of the new secrets, which is gone afterwards.

        Raise NeedsHuman where the settings cannot be.
        """
        with tempfile.TemporaryDirectory(prefix="stillthere-") as folder:
            for name, secret in self.secrets.items():
                _write(Path(folder) / name, secret)
            placed = self._placed(settings, Path(folder))
            yield Document(self.file.absolute(), text.settings(placed)).plan(), folder

    def _placed(self, value: Any, folder: Path) -> Any:
        if isinstance(value, Mapping):
            return {key: self._placed(part, folder) for key, part in value.items()}
        if isinstance(value, list):
            return [self._placed(part, folder) for part in value]
        if isinstance(value, str) and value.startswith(f"{FOLDER}/"):
            name = value.removeprefix(f"{FOLDER}/")
            return str(folder / name) if name in self.secrets else value
        return value

    def write(self) -> list[Path]:
        """Write what changed, each file whole or not at all, the settings last; return what was written."""
        Document(self.file, text.settings(self.settings)).plan()
        written = []
        here = self.file.absolute().parent
        here.mkdir(parents=True, exist_ok=True)
        if self.secrets:
            (here / FOLDER).mkdir(mode=0o700, exist_ok=True)
        for name, secret in self.secrets.items():
            _write(here / FOLDER / name, secret)
            written.append(here / FOLDER / name)
        before = self.file.read_text(encoding="utf-8-sig") if self.file.exists() else ""
        if not before or yaml.load(before, Loader) != self.settings:  # noqa: S506 - a safe one
            if before:
                _write(self.file.with_name(self.file.name + FORMER), before)
            _write(self.file, text.settings(self.settings), 0o644)
            written.append(self.file)
        return written


def _write(path: Path, content: str, mode: int = 0o600) -> None:
    """Write a file whole or not at all."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.absolute().parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
