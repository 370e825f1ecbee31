from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from queue import Queue
from threading import Thread

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from bot.web_demo import shown
from tests.servers.slack_node import CannotRun, find_node, installed
from watchers import load

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
"""Its package-lock.json names axe-core."""

LONG = 30_000
"""Milliseconds that the page may take on a busy machine before a test gives up."""

expect.set_options(timeout=LONG)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The system's Chromium; installed where we may, tests skip where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "-q", "chromium"], check=False, capture_output=True)
        found = shutil.which("chromium")
    if found is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    return found


@pytest.fixture(scope="session")
def axe() -> str:
    """The script that looks for what keeps people out; tests skip where npm cannot fetch it."""
    try:
        return (installed(find_node(), PICTURES) / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    except CannotRun as reason:
        pytest.skip(f"no axe-core: {reason}")


@pytest.fixture(scope="session")
def served() -> Iterator[str]:
    """The page, shown by a loop of its own: the story is played once for all tests."""
    load()
    found: Queue[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Queue()

    async def show() -> None:
        over = asyncio.Event()
        async with shown() as where:
            found.put((where, asyncio.get_running_loop(), over))
            await over.wait()

    thread = Thread(target=asyncio.run, args=(show(),))
    thread.start()
    where, loop, over = found.get(timeout=LONG / 1000)
    yield where
    loop.call_soon_threadsafe(over.set)
    thread.join()


@pytest_asyncio.fixture(loop_scope="session")
async def address(served: str) -> str:
    """Where the page is shown, as if nobody had been there before."""
    async with aiohttp.ClientSession(raise_for_status=True) as client:
        for what in ("restart", "trial/clear"):
            await client.post(served + what)
    return served


@pytest.fixture(params=["light"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Which colours the viewer prefers."""
    return str(request.param)


@pytest.fixture(scope="session")
def browser(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a running Chromium can be steered: one for all tests, which open windows of their own."""
    profile = tmp_path_factory.mktemp("chromium")
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0")
    quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
    process = subprocess.Popen(
        [chromium, *flags, *quiet, f"--user-data-dir={profile}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    port = profile / "DevToolsActivePort"
    until = time.monotonic() + LONG / 1000
    while not (port.exists() and len(port.read_text().split()) > 1):
        assert process.poll() is None, "Chromium ended"
        assert time.monotonic() < until, "Chromium does not listen"
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port.read_text().split()[0]}"
    process.terminate()
    process.wait(10)


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def steered(browser: str) -> AsyncIterator[Browser]:
    """The running Chromium, in the hands of one driver for all tests."""
    async with async_playwright() as playwright:
        yield await playwright.chromium.connect_over_cdp(browser)


@pytest_asyncio.fixture(loop_scope="session")
async def page(steered: Browser, address: str, scheme: str) -> AsyncIterator[Page]:
    """The page, loaded; nothing on it may complain, and it may ask nobody but this machine."""
    complaints: list[str] = []
    window = await steered.new_context(color_scheme="dark" if scheme == "dark" else "light")
    opened = await window.new_page()
    opened.set_default_timeout(LONG)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda one: None if one.url.startswith(address) else complaints.append(one.url))
    await opened.goto(address)
    await opened.wait_for_selector("body[data-ready]")
    yield opened
    await window.close()
    assert complaints == []
