# ruff: noqa: INP001 - a script beside its pictures, no package
"""Take the picture of `stillthere demo --web`: `python docs/pictures/web_demo.py [FOLDER]`. Needs chromium.

With a folder, it is taken there also as it looks on a telephone and at 200 %.
"""

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

DOCUMENTED = {"web-demo": ("light", 1280, 1240, 1)}
TO_LOOK_AT = {"web-demo-narrow-dark": ("dark", 375, 1500, 2), "web-demo-200-percent": ("light", 640, 1240, 2)}
"""Colours, width, height and scale of each picture."""


async def main() -> None:
    """Write the pictures, at the end of the story."""
    load()
    folder = Path(sys.argv[1]) if sys.argv[1:] else HERE
    shots = DOCUMENTED | (TO_LOOK_AT if sys.argv[1:] else {})
    async with shown() as address, async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for name, (scheme, width, height, scale) in shots.items():
            page = await browser.new_page(
                color_scheme="dark" if scheme == "dark" else "light",
                reduced_motion="reduce",
                viewport={"width": width, "height": height},
                device_scale_factor=scale,
            )
            await page.goto(address)
            await page.wait_for_selector("body[data-ready]")
            await page.focus("#slider")
            await page.keyboard.press("End")
            await page.evaluate("document.activeElement.blur()")
            await page.screenshot(path=folder / f"{name}.png")
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
