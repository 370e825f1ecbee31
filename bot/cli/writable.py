"""Try whether files can be written, before anybody is asked or shown anything."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bot.model import NeedsHuman


def must_take_files(folder: Path, how: str) -> None:
    """Raise NeedsHuman, with `how` as the cure, where no file can be made in a folder; leaves nothing there.

    Of a folder that is not there yet, the first above it that is there is tried.
    """
    there = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            return
    except OSError as error:
        raise cannot_write(there, error, how) from error


def cannot_write(folder: Path, error: OSError, how: str) -> NeedsHuman:
    """Say that a folder takes no files."""
    return NeedsHuman(f"{folder} cannot be written: {(error.strerror or str(error)).lower()}", how)
