"""Measure how soon the page of `stillthere demo --web` shows the story: `python benchmarks/page_load.py`.

Prints the seconds until the page's address is there, and of several loads in a fresh browser window the
seconds until the story can be played. The page is to be there within a second.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import time

from playwright.async_api import async_playwright

from bot.web_demo import shown
from watchers import load

LOADS = 7


async def main() -> None:
    """Load the page several times."""
    load()
    began = time.perf_counter()
    async with shown() as address, async_playwright() as playwright:
        print(f"story made in {time.perf_counter() - began:.2f} s")
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        took = []
        for _ in range(LOADS):
            context = await browser.new_context()
            page = await context.new_page()
            began = time.perf_counter()
            await page.goto(address)
            await page.wait_for_selector("body[data-ready]")
            took.append(time.perf_counter() - began)
            await context.close()
        print(f"page ready: median {statistics.median(took):.2f} s, slowest of {LOADS} {max(took):.2f} s")
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
