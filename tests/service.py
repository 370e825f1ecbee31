"""Runs the installed service as a process, with its configuration in a folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PATIENCE = 90.0
HURRIED = Path(__file__).with_name("hurried.py")


@dataclass
class Service:
    """`stillthere run` in a process of its own; its log is JSON lines in a file."""

    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    role: str = "all"
    hurried: Mapping[str, float] = field(default_factory=dict)
    """Constants that are shorter than shipped, in seconds, such as `bot.service.FAREWELL`."""

    def start(self) -> None:
        """Start it, and wait until it says that it runs."""
        before = len(self.events("service.started"))
        self.launch()
        self.wait(lambda: len(self.events("service.started")) > before)

    def launch(self) -> None:
        """Start it without waiting."""
        with self.log.open("ab") as log, (self.folder / "out.txt").open("ab") as out:
            program = ["-m", "bot"]
            if self.hurried:
                shorter = [f"{name}={seconds}" for name, seconds in self.hurried.items()]
                program = [str(HURRIED), *shorter, "--"]
            settings = ["--config", str(self.folder / "config.yaml"), "--role", self.role]
            self.process = subprocess.Popen(
                [sys.executable, *program, "run", *settings],
                stdout=out,
                stderr=log,
                env={**os.environ, **self.env},
            )

    def kill(self) -> None:
        """Kill it as a power cut does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        """Ask it to stop and return its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def end(self) -> None:
        """Make sure that it does not run any more."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    @property
    def log(self) -> Path:
        """Return where it logs to."""
        return self.folder / "log.jsonl"

    @property
    def shown(self) -> str:
        """Return what it printed."""
        return (self.folder / "out.txt").read_text()

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """Return what it logged, or one kind of event."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        found = [json.loads(line) for line in lines if line.startswith("{")]
        return [event for event in found if not name or event["event"] == name]

    def wait(self, until: Callable[[], object], seconds: float = PATIENCE) -> None:
        """Wait until something is true, and as long as the service runs."""
        end = time.monotonic() + seconds
        while not until():
            alive = self.process is not None and self.process.poll() is None
            if time.monotonic() > end or not alive:
                raise AssertionError(
                    f"in vain ({'running' if alive else 'it ended'}): {self.log.read_text()[-3000:]}"
                )
            time.sleep(0.05)
