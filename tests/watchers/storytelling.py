"""The founding story, told by the mails of one mailbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot import story
from bot.model import Verdict
from bot.pipeline import Pipeline
from bot.service import rules
from bot.store.memory import MemoryStore
from bot.story import Step
from tests.watchers.granting import RITA
from watchers import load
from watchers.mailbox import Mailbox


def is_ours(mail: bytes) -> bool:
    """Say whether the rep wrote a mail of the story."""
    return b"\nFrom: Rita" in b"\n" + mail


async def must_end_in_left(settings: dict[str, Any], deliver: Callable[[Step, bytes], object]) -> None:
    """Deliver each mail of the story, sweep, and judge as the service does."""
    load()
    watcher = Mailbox(Mailbox.Config.model_validate({"mailboxes": [settings]}))
    store = MemoryStore()
    await store.watch(story.CHAMPION)
    pipe = Pipeline(store, rules(), [story.OUR_DOMAIN], baseline=False)
    verdicts = []
    for step in story.story():
        for mail in step.mails:
            deliver(step, mail)
        await pipe.sweep(watcher, f"mailbox:{RITA}", step.at)
        [judged] = await pipe.judge(step.at)
        verdicts.append(judged.verdict)
    assert verdicts[0] is Verdict.ACTIVE
    assert Verdict.SLIPPING in verdicts[2:4]
    assert verdicts[-1] is Verdict.LEFT
