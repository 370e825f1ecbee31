from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from bot import story

# One worker has the browser, and one loop its driver.
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("page")]

CONTACTS = "email,name,account,owner\njane@acme.example,Jane Doe,Acme,rita@vendor.example\n"
SERIOUS = {"serious", "critical"}


async def to_the_end(page: Page) -> None:
    await page.focus("#slider")
    await page.keyboard.press("End")
    await expect(page.locator("#verdict")).to_have_text("Jane: Left")


async def test_nothing_is_said_in_slack_before_the_second_push(page: Page) -> None:
    await expect(page.locator("#verdict")).to_have_text("Jane: Active")
    await expect(page.locator("#slack article")).to_have_count(0)
    await page.click("#next")
    await expect(page.locator("#calendar")).to_contain_text("18 May")
    await expect(page.locator("#slack article")).to_have_count(0)
    await page.click("#next")
    await expect(page.locator("#verdict")).to_have_text("Jane: Slipping")
    await expect(page.locator("#slack article")).to_have_count(1)
    await expect(page.locator("#slack")).to_contain_text("2 pushes, 28 days lost, both by them")


async def test_the_story_plays_to_its_end_by_itself(page: Page) -> None:
    await page.clock.install()
    await page.reload()
    await page.wait_for_selector("body[data-ready]")
    await page.click("#play")
    for _ in range(60):
        await page.clock.run_for(1000)
    await expect(page.locator("#verdict")).to_have_text("Jane: Left")
    await expect(page.locator("#play")).to_have_text("Play again")
    await expect(page.locator("#slack article")).to_have_count(4)
    await expect(page.locator("#slack article").first).to_contain_text("write to Ann Lee")


async def test_confirm_settles_the_case_and_changes_its_message_as_in_slack(page: Page) -> None:
    await to_the_end(page)
    await page.get_by_role("button", name="Confirm left").click()
    await expect(page.locator("dialog[open]")).to_contain_text("Champion for Acme rollout")
    await expect(page.locator("dialog input:checked")).to_have_value("0")
    await page.locator("dialog").get_by_role("button", name="Confirm", exact=True).click()
    await expect(page.locator("dialog[open]")).to_have_count(0)
    first = page.locator("#slack article").first
    await expect(first).to_contain_text("Settled by @Rita Rep")
    await expect(first).to_contain_text("New champion: Ann Lee")
    await expect(first.get_by_role("button", name="Confirm left")).to_have_count(0)
    await expect(page.locator("#slack article.private")).to_contain_text("Ann Lee is watched now")


async def test_a_press_in_may_holds_later_and_is_undone_by_starting_over(page: Page) -> None:
    await page.click("#next")
    await page.click("#next")
    await page.get_by_role("button", name="I'm on it").click()
    await expect(page.locator("#slack article").first).to_contain_text("@Rita Rep is on it")
    await page.click("#next")
    await page.click("#back")
    await expect(page.locator("#slack article").first).to_contain_text("@Rita Rep is on it")
    await page.click("#restart")
    await expect(page.locator("#verdict")).to_have_text("Jane: Active")
    await page.click("#next")
    await page.click("#next")
    await expect(page.locator("#slack article").first).not_to_contain_text("is on it")


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until something of this name has the focus, which must be seen."""
    focused = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
    for _ in range(60):
        await page.keyboard.press("Tab")
        if await page.evaluate(focused) == name:
            outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", name
            return
    raise AssertionError(f"Tab never comes to {name}")


async def test_who_has_only_a_keyboard_plays_the_story_to_its_end_and_settles_the_case(page: Page) -> None:
    await tab_to(page, "Next event")
    for _ in range(5):
        await page.keyboard.press("Enter")
    await expect(page.locator("#verdict")).to_have_text("Jane: Left")
    await tab_to(page, "Snooze…")
    for closed in ("while the messages are drawn anew", "after they were"):
        async with page.expect_response("**/story") as story_told:
            await page.keyboard.press("Enter")
        await expect(page.locator("dialog[open]")).to_be_visible()
        if closed.startswith("after"):
            await (await story_told.value).finished()
            await page.evaluate("new Promise(requestAnimationFrame)")
        await page.keyboard.press("Escape")
        await expect(page.locator("dialog[open]")).to_have_count(0)
        await expect(page.get_by_role("button", name="Snooze…")).to_be_focused()
    for _ in range(4):
        await page.keyboard.press("Shift+Tab")
    await expect(page.get_by_role("button", name="Confirm left")).to_be_focused()
    await page.keyboard.press("Space")
    await expect(page.locator("dialog[open]")).to_contain_text("Champion for Acme rollout")
    await tab_to(page, "Confirm")
    await page.keyboard.press("Enter")
    await expect(page.locator("#slack article").first).to_contain_text("Settled by @Rita Rep")
    await expect(page.locator("#slack article").first).to_be_focused()


async def test_whoever_reads_a_message_keeps_their_place_while_the_story_goes_on(page: Page) -> None:
    await page.click("#next")
    await page.click("#next")
    await page.get_by_role("button", name="Snooze…").focus()
    place = "document.activeElement.closest('#slack article')?.dataset.ts"
    before = await page.evaluate(place)
    await page.evaluate(
        """const slider = document.getElementById("slider");
        slider.value = slider.max;
        slider.dispatchEvent(new Event("input"));"""
    )
    await expect(page.locator("#verdict")).to_have_text("Jane: Left")
    assert before
    assert await page.evaluate(place) == before


async def test_who_cannot_see_the_chart_hears_what_it_shows(page: Page) -> None:
    chart = page.get_by_role("img", name="Probability that Jane has left")
    await to_the_end(page)
    await expect(page.locator("#slider")).to_have_attribute("aria-valuetext", "Mon, 6 July 2026: Left")
    label = await chart.get_attribute("aria-label") or ""
    assert re.fullmatch(
        r"Probability that Jane has left: over 99 % on Mon, 6 July 2026\. In words below\.", label
    )
    await page.click("summary:has-text('The chart in words')")
    words = page.locator("#words li")
    await expect(words).to_have_count(6)
    await expect(words.nth(2)).to_contain_text("Slipping")
    await expect(words.last).to_contain_text("no longer there, write to Ann Lee")


async def test_a_day_that_makes_no_sense_is_refused_beside_the_form(page: Page) -> None:
    await to_the_end(page)
    await page.get_by_role("button", name="Snooze…").click()
    await page.fill("dialog input[type=date]", "2020-01-01")
    await page.locator("dialog button.go").click()
    await expect(page.locator("#wrong")).to_have_text("Choose a day after today.")
    await page.fill("dialog input[type=date]", "2026-07-20")
    await page.locator("dialog button.go").click()
    await expect(page.locator("#slack article").first).to_contain_text("Snoozed by @Rita Rep")


async def dropped(page: Page, *paths: Path) -> None:
    """Drag files from the desktop over the place for them, and let go."""
    box = await page.locator("#drop").bounding_box()
    assert box is not None
    await page.evaluate(f"scrollTo(0, {box['y']})")
    box = await page.locator("#drop").bounding_box()
    assert box is not None
    browser = await page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    where = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2, "data": data}
    for kind in ("dragEnter", "dragOver"):
        await browser.send("Input.dispatchDragEvent", {"type": kind, **where})
    await expect(page.locator("#drop")).to_have_class("drop over")
    await browser.send("Input.dispatchDragEvent", {"type": "drop", **where})
    await expect(page.locator("#drop")).to_have_class("drop")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder as people have them: mails in folders of their own, a list of contacts, and something else."""
    folder = tmp_path / "mine"
    (folder / "mail" / "2026").mkdir(parents=True)
    for number, mail in enumerate(mail for step in story.story() for mail in step.mails):
        (folder / "mail" / "2026" / f"{number:02}.eml").write_bytes(mail)
    (folder / "contacts.csv").write_text(CONTACTS)
    (folder / "notes.txt").write_text("of no use")
    return folder


async def reported(page: Page, domain: str = "vendor.example") -> None:
    """Ask for the report and find in it what happened to Jane."""
    await page.fill("#domain", domain)
    await page.click("#begin")
    await expect(page.locator("#state")).to_contain_text("The report is ready", timeout=60_000)
    report = page.frame_locator("#report")
    await expect(report.locator("h1")).to_have_text("What Stillthere would have said")
    await expect(report.locator("body")).to_contain_text("Jane Doe")
    await expect(report.locator("body")).to_contain_text("2 pushes, 28 days lost, both by them")


async def test_a_folder_that_is_dropped_becomes_a_report(page: Page, mine: Path) -> None:
    await dropped(page, mine)
    await expect(page.locator("#taken")).to_contain_text("1 list of contacts")
    await expect(page.locator("#taken")).to_contain_text("Of no use here: 1.")
    await reported(page)
    await page.click("#begin")
    await expect(page.locator("#state")).to_contain_text("There is no list of contacts")


async def test_an_mbox_and_a_list_that_are_dropped_become_a_report(page: Page, tmp_path: Path) -> None:
    box, people = tmp_path / "rita.mbox", tmp_path / "contacts.csv"
    with box.open("wb") as file:
        for mail in (mail for step in story.story() for mail in step.mails):
            file.write(b"From story@vendor.example Mon Apr 20 09:00:00 2026\n" + mail + b"\n")
    people.write_text(CONTACTS)
    await dropped(page, box, people)
    await expect(page.locator("#taken")).to_contain_text("Taken: 1 mailbox file, 1 list of contacts.")
    await reported(page)


async def test_a_folder_that_is_chosen_becomes_a_report_that_keeps_nobody_out(
    page: Page, mine: Path, axe: str
) -> None:
    await page.set_input_files("#folder", mine)
    await expect(page.locator("#taken")).to_contain_text("Of no use here: 1.")
    await reported(page)
    frame = next(one for one in page.frames if one.url.endswith("/trial/report"))
    alone = await page.context.new_page()
    await alone.set_content(await frame.content())
    assert await findings(alone, axe) == []


async def test_a_list_that_is_wrong_is_named_and_the_right_files_become_a_report(
    page: Page, mine: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "people of acme.csv"
    wrong.write_text("name,account\nJane Doe,Acme\n")
    mails = sorted((mine / "mail" / "2026").iterdir())
    await page.set_input_files("#files", [wrong, *mails])
    await expect(page.locator("#taken")).to_have_text(f"Taken: {len(mails)} mails, 1 list of contacts.")
    await page.fill("#domain", "vendor.example")
    await page.click("#begin")
    said = "people of acme.csv: no e-mail column among: name, account"
    await expect(page.locator("#state")).to_contain_text(re.compile(f"^{said}"))
    await expect(page.locator("#taken")).to_be_empty()
    await page.reload()
    await expect(page.locator("#state")).to_contain_text(said)
    await page.set_input_files("#files", [mine / "contacts.csv", *mails])
    await expect(page.locator("#taken")).to_contain_text(f"{len(mails)} mails")
    await expect(page.locator("#state")).to_be_empty()
    await expect(page.locator("#clear")).to_be_visible()
    await reported(page, "@Vendor.example")


async def test_no_report_is_made_before_every_file_is_there(page: Page, mine: Path) -> None:
    arrived = asyncio.Event()
    begun: list[str] = []

    async def late(route: Route) -> None:
        await arrived.wait()
        await route.continue_()

    page.on("request", lambda one: begun.append(one.url) if one.url.endswith("/trial/begin") else None)
    await page.route(re.compile(r"/trial/file\?.*\.eml"), late)
    await page.fill("#domain", "vendor.example")
    await dropped(page, mine)
    begin = page.locator("#begin")
    await expect(begin).to_have_attribute("aria-disabled", "true")
    await expect(begin).to_have_accessible_description(re.compile("^Your files are being sent"))
    await begin.dispatch_event("click")
    arrived.set()
    await expect(begin).to_have_attribute("aria-disabled", "false")
    await expect(page.locator("#state")).to_be_empty()
    assert begun == []
    await reported(page)


async def test_a_file_that_does_not_arrive_is_told_and_the_page_goes_on(page: Page, mine: Path) -> None:
    mails = sorted((mine / "mail" / "2026").iterdir())
    await page.route(re.compile(r"/trial/file\?.*\.eml"), lambda route: route.abort())
    await page.set_input_files("#files", [mine / "contacts.csv", *mails])
    await expect(page.locator("#state")).to_contain_text("A file could not be read")
    await page.unroute_all()
    await page.set_input_files("#files", [mine / "contacts.csv", *mails])
    await expect(page.locator("#taken")).to_have_text(f"Taken: {len(mails)} mails, 1 list of contacts.")
    await reported(page)


async def test_the_same_files_again_after_a_reload_count_once(page: Page, mine: Path) -> None:
    count = len(list((mine / "mail" / "2026").iterdir()))
    taken = f"Taken: {count} mails, 1 list of contacts. Of no use here: 1."
    await page.set_input_files("#folder", mine)
    await expect(page.locator("#taken")).to_have_text(taken)
    await page.reload()
    await page.wait_for_selector("body[data-ready]")
    await expect(page.locator("#clear")).to_be_visible()
    async with page.expect_response(re.compile("/trial/file")):
        await page.set_input_files("#folder", mine)
    await expect(page.locator("#begin")).to_have_attribute("aria-disabled", "false")
    await expect(page.locator("#taken")).to_have_text(taken)
    await page.click("#clear")
    await expect(page.locator("#taken")).to_be_empty()
    await expect(page.locator("#clear")).to_be_hidden()


async def test_a_report_outlives_a_reload(page: Page, mine: Path) -> None:
    await page.set_input_files("#folder", mine)
    await expect(page.locator("#taken")).to_contain_text("1 list of contacts")
    await reported(page)
    await page.reload()
    await expect(page.frame_locator("#report").locator("h1")).to_have_text("What Stillthere would have said")


async def test_what_is_missing_is_said_in_words(page: Page) -> None:
    await page.fill("#domain", "vendor.example")
    await page.click("#begin")
    await expect(page.locator("#state")).to_contain_text("There is no list of contacts")


@pytest.mark.parametrize("scheme", ["light", "dark"], indirect=True)
async def test_axe_finds_nothing_serious(page: Page, axe: str) -> None:
    await page.emulate_media(reduced_motion="reduce")
    await to_the_end(page)
    await page.click("summary:has-text('The chart in words')")
    found = await findings(page, axe)
    await page.get_by_role("button", name="Confirm left").click()
    await page.wait_for_selector("dialog[open]")
    assert found + await findings(page, axe) == []


async def test_nothing_is_cut_off_on_a_narrow_screen_or_at_200_percent(page: Page) -> None:
    for width in (640, 375, 320):
        await page.set_viewport_size({"width": width, "height": 700})
        await to_the_end(page)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def findings(page: Page, script: str) -> list[str]:
    await page.evaluate(script)
    result = await page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:200]}"
        for one in result["violations"]
        if one["impact"] in SERIOUS
    ]
