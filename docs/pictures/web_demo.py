# ruff: noqa: INP001 - a script beside its pictures, no package
"""Take the pictures of `stillthere demo --web`: `python docs/pictures/web_demo.py`. Needs chromium."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

from playwright.async_api import async_playwright

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from bot.web_demo import shown  # noqa: E402 - the repository is put on the path first
from watchers import load  # noqa: E402

SHOTS = {"web-demo": ("light", 1280, 1240), "web-demo-narrow-dark": ("dark", 400, 1500)}
"""Colours, width and height of each picture."""


async def main() -> None:
    """Write the pictures beside this file, at the end of the story."""
    load()
    async with shown() as address, async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for name, (scheme, width, height) in SHOTS.items():
            page = await browser.new_page(
                color_scheme="dark" if scheme == "dark" else "light",
                reduced_motion="reduce",
                viewport={"width": width, "height": height},
            )
            await page.goto(address)
            await page.wait_for_selector("body[data-ready]")
            await page.focus("#slider")
            await page.keyboard.press("End")
            await page.evaluate("document.activeElement.blur()")
            await page.screenshot(path=HERE / f"{name}.png")
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
