"""One viewer's way through the story: what the page shows, and what came of what was pressed."""

from __future__ import annotations

import asyncio
import email
import email.policy
import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from icalendar import Calendar

from bot import story
from bot.model import NeedsHuman
from bot.web_demo.stage import Deed, Scene, Stage, moments, staged
from bot.web_demo.workspace import CHANNEL, NAMES, RITA, TEAM

MOST_DEEDS = 200
"""So many presses are remembered; nobody plays longer than that without going back."""

Page = dict[str, Any]


@dataclass(frozen=True)
class Pressed:
    """A button, a menu or a modal of the page at a moment of the story."""

    moment: int
    ts: str
    action: dict[str, Any]
    values: dict[str, Any] | None = None


class Session:
    """Remembers what was done, and plays the story anew with it where that is needed."""

    def __init__(self) -> None:
        self._key = secrets.token_hex(16)
        self._deeds: list[Deed] = []
        self._stage: Stage | None = None
        self._view: dict[str, Any] | None = None
        self._turn = asyncio.Lock()
        self._told: Page | None = None
        self._untouched: Page | None = None

    async def tape(self) -> Page:
        """Return the whole story with what was done in it so far."""
        async with self._turn:
            if self._told is None:
                last = len(moments()) - 1
                _, scenes = await self._play(last, self._deeds)
                self._told = {**_mailbox(), **_curve(scenes), "users": NAMES, "rita": RITA}
                if not self._deeds:
                    self._untouched = self._told
            return self._told

    async def press(self, pressed: Pressed) -> Page:
        """Do what was pressed at its moment; what was done at later moments is undone."""
        async with self._turn:
            if not 0 <= pressed.moment < len(moments()) or len(self._deeds) >= MOST_DEEDS:
                raise NeedsHuman("that is no moment of the story", "load the page again")
            stage = await self._at(pressed.moment)
            deed = Deed(pressed.moment, self._payload(pressed))
            self._told = None
            answer = await stage.do(deed)
            self._deeds.append(deed)
            self._view = stage.workspace.view
            return {
                "conversation": stage.conversation(),
                "view": self._view,
                "errors": answer.get("errors") or {},
            }

    async def restart(self) -> None:
        """Forget what was done."""
        async with self._turn:
            self._deeds, self._stage, self._view, self._told = [], None, None, self._untouched

    async def _at(self, moment: int) -> Stage:
        """Return the stage at a moment, played anew where it stands elsewhere."""
        if self._stage is None or self._stage.moment != moment:
            self._deeds = [deed for deed in self._deeds if deed.moment <= moment]
            self._stage, _ = await self._play(moment, self._deeds)
            self._view = None
        return self._stage

    async def _play(self, to: int, deeds: Sequence[Deed]) -> tuple[Stage, list[Scene]]:
        with tempfile.TemporaryDirectory(prefix="stillthere-demo-") as folder:
            return await staged(Path(folder), to, self._key, deeds)

    def _payload(self, pressed: Pressed) -> dict[str, Any]:
        """Return what Slack would send.

        https://docs.slack.dev/reference/interaction-payloads
        """
        sender = {
            "user": {"id": RITA, "username": "rita", "team_id": TEAM},
            "team": {"id": TEAM},
            "trigger_id": secrets.token_hex(8),
        }
        if pressed.values is not None or not pressed.ts:
            if self._view is None:
                raise NeedsHuman("that form is not open any more", "press the button again")
            view = {**self._view, "state": {"values": pressed.values or {}}}
            kind = "view_submission" if pressed.values is not None else "block_actions"
            pressing = {} if pressed.values is not None else {"actions": [pressed.action]}
            return {"type": kind, **sender, "view": view, **pressing}
        return {
            "type": "block_actions",
            **sender,
            "container": {"type": "message", "message_ts": pressed.ts, "channel_id": CHANNEL},
            "channel": {"id": CHANNEL},
            "actions": [pressed.action],
        }


def _mailbox() -> Page:
    """Return Rita's inbox and calendar, and the chapters of the story."""
    letters, meetings = [], []
    for number, step in enumerate(story.story()):
        for raw in step.mails:
            mail = email.message_from_bytes(raw, policy=email.policy.default)
            letter = _letter(mail)
            letters.append({**letter, "chapter": number})
            if letter["kind"] == "invitation":
                meetings.append({"at": letter["at"], "start": _start(mail)})
    chapters = [
        {"moment": moments().index(step.at), "title": step.title, "moral": step.moral}
        for step in story.story()
    ]
    letters.sort(key=lambda one: one["at"])
    return {"letters": letters, "meetings": meetings, "chapters": chapters}


def _letter(mail: EmailMessage) -> Page:
    body = mail.get_body(("plain",))
    name, address = parseaddr(str(mail["From"]))
    if mail.get_content_type() == "multipart/report":
        kind = "bounce"
    elif mail["Auto-Submitted"]:
        kind = "automatic reply"
    else:
        kind = "invitation" if any(part.get_content_type() == "text/calendar" for part in mail.walk()) else ""
    return {
        "at": mail["Date"].datetime.isoformat(),
        "from": name or address,
        "to": parseaddr(str(mail["To"]))[0] or str(mail["To"]),
        "sent": address == story.REP.partition("<")[2].rstrip(">"),
        "subject": str(mail["Subject"]),
        "text": str(body.get_content()).strip() if body is not None else "",
        "kind": kind,
    }


def _start(mail: EmailMessage) -> str:
    """Return when the meeting of an invitation begins."""
    (part,) = (part for part in mail.walk() if part.get_content_type() == "text/calendar")
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes), "the story's invitations hold a calendar"
    (event,) = Calendar.from_ical(content).walk("VEVENT")
    return str(event.decoded("dtstart").isoformat())


def _curve(scenes: Sequence[Scene]) -> Page:
    """Return the moments with what was thought at each, and each conversation there was, once."""
    conversations: list[list[dict[str, Any]]] = []
    shown: list[Page] = []
    marks: dict[str, Page] = {}
    for number, scene in enumerate(scenes):
        if not conversations or conversations[-1] != scene.conversation:
            conversations.append(scene.conversation)
        judged = scene.assessment
        shown.append(
            {
                "at": scene.at.isoformat(),
                "verdict": str(judged.verdict),
                "strength": str(judged.strength),
                "probability": judged.probability,
                "headline": judged.headline,
                "conversation": len(conversations) - 1,
            }
        )
        for evidence in judged.evidence:
            if evidence.weight > 0:
                marks.setdefault(evidence.sentence, {"moment": number, "sentence": evidence.sentence})
    return {"moments": shown, "conversations": conversations, "evidence": list(marks.values())}
