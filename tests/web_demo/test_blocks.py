"""What Block Kit becomes on the page, also where somebody hostile wrote the words in it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

# One worker has the browser, and one loop its driver.
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("page")]

USERS = {"U0RITA0001": "Rita Rep"}
RIGHT_TO_LEFT = "\u202e"
HOSTILE = (
    "<script>document.body.dataset.bitten = 'yes'</script>",
    "&lt;img src=x onerror=alert(1)&gt;",
    '"><svg onload=alert(1)>',
    "<javascript:alert(1)|press here>",
    "<JaVaScRiPt:alert(1)>",
    "<data:text/html,x|open>",
    '<https://safe.example/" onclick="alert(1)|safe>',
    "&amp;lt;b&amp;gt;",
    "<@constructor> <@__proto__> :constructor: :__proto__:",
    "*_~`<*_~`",
    "<" * 3000,
)


EVIL = "script, img, svg, iframe, object, b, [onclick], [onload], [onerror]"


async def drawn(page: Page, *blocks: dict[str, Any]) -> Locator:
    """Draw blocks where the conversation stands, and return their place."""
    program = """async ([blocks, users]) => {
        const drawing = await import(new URL("files/blocks.js", location.href));
        document.getElementById("slack").replaceChildren(...drawing.blocks(blocks, users, () => {}));
    }"""
    await page.evaluate(program, [list(blocks), USERS])
    return page.locator("#slack")


def section(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def rich(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": list(elements)}


def part(kind: str, *pieces: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": f"rich_text_{kind}", "elements": list(pieces), **more}


async def test_a_header_is_plain_and_fields_stand_side_by_side(page: Page) -> None:
    place = await drawn(
        page,
        {"type": "header", "text": {"type": "plain_text", "text": "*Week* of <x> &amp; y"}},
        {
            "type": "section",
            "fields": [
                {"type": "mrkdwn", "text": "*Owner*\nRita"},
                {"type": "mrkdwn", "text": "*Deal*\nPilot"},
            ],
        },
        {"type": "divider"},
        {"type": "nothing that Slack has"},
    )
    await expect(place.locator(".block").first).to_have_text("*Week* of <x> &amp; y")
    owner, deal = await place.locator(".fields > div").all()
    first, second = await owner.bounding_box(), await deal.bounding_box()
    assert first is not None
    assert second is not None
    assert (first["y"], first["x"] < second["x"]) == (second["y"], True)
    await expect(owner.locator("strong")).to_have_text("Owner")
    await expect(place.locator("hr")).to_have_count(1)


async def test_rich_text_keeps_its_lists_quotes_and_styles_and_is_no_mrkdwn(page: Page) -> None:
    bold = {"type": "text", "text": "gone", "style": {"bold": True, "italic": True}}
    item = part("section", {"type": "text", "text": "*not bold* &amp;"}, bold)
    place = await drawn(
        page,
        rich(
            part("list", item, item, style="ordered"),
            part(
                "quote", {"type": "user", "user_id": "U0RITA0001"}, {"type": "broadcast", "range": "channel"}
            ),
            part("preformatted", {"type": "text", "text": "550 5.1.1 <jane@acme.example>"}),
            part("section", {"type": "link", "url": "javascript:alert(1)", "text": "a|b"}),
            part("section", {"type": "link", "url": "https://safe.example/", "text": "c|d"}),
        ),
    )
    await expect(place.locator("ol > li")).to_have_count(2)
    await expect(place.locator("li").first).to_have_text("*not bold* &amp;gone")
    await expect(place.locator("li strong, li em")).to_have_count(4)
    await expect(place.locator("blockquote")).to_have_text("@Rita Rep@channel")
    await expect(place.locator("pre")).to_have_text("550 5.1.1 <jane@acme.example>")
    await expect(place.locator("a")).to_have_text(["c|d"])


async def test_nobody_is_called_but_a_mention_looks_like_one(page: Page) -> None:
    words = "<!channel> <!here> <!subteam^S012|@sales> <#C012|champions> <!date^1^{date}|4 May> <@U0RITA0001>"
    place = await drawn(page, section(words))
    said = ["@channel", "@here", "@sales", "champions", "4 May", "@Rita Rep"]
    await expect(place.locator(".mention")).to_have_text(said)


async def test_hostile_words_are_words(page: Page) -> None:
    for words in HOSTILE:
        plain = {"type": "plain_text", "text": words}
        link = {"type": "link", "url": words, "text": words}
        place = await drawn(
            page,
            section(words, fields=[{"type": "mrkdwn", "text": words}]),
            {"type": "header", "text": plain},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": words}]},
            {
                "type": "actions",
                "block_id": "b",
                "elements": [{"type": "button", "action_id": "a", "text": plain}],
            },
            rich(part("section", {"type": "text", "text": words}, link)),
        )
        await expect(place.locator(EVIL)).to_have_count(0)
        links = await place.locator("a").evaluate_all("all => all.map((one) => one.protocol)")
        assert set(links) <= {"https:"}, words
        said = await place.inner_text()
        assert said.count(words) >= 3, words
        assert "function" not in said, words
    assert await page.evaluate("document.body.dataset.bitten") is None


async def test_three_thousand_letters_without_a_blank_stay_in_their_place(page: Page) -> None:
    await page.set_viewport_size({"width": 375, "height": 700})
    await drawn(page, section("m" * 3000), section("*" + "w" * 2998 + "*"))
    assert await page.evaluate("document.documentElement.scrollWidth") <= 375


async def test_letters_that_turn_the_direction_turn_no_other_line(page: Page) -> None:
    place = await drawn(page, section(f"*{RIGHT_TO_LEFT}exe.fdp* is safe\n{RIGHT_TO_LEFT}x\nread this"))
    order = """place => {
        const walk = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
        const found = {};
        while (walk.nextNode()) {
            const range = document.createRange();
            const edge = (at) => {
                range.setStart(walk.currentNode, at);
                range.setEnd(walk.currentNode, at + 1);
                return range.getBoundingClientRect().x;
            };
            found[walk.currentNode.data] = edge(0) < edge(walk.currentNode.length - 1);
        }
        return found;
    }"""
    found = await place.evaluate(order)
    assert found[" is safe"]
    assert found["read this"]
    assert not found[f"{RIGHT_TO_LEFT}exe.fdp"]
