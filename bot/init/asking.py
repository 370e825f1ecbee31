"""Ask: a person at a terminal, with a second chance; or options, where what is missing is collected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import click

from bot.finding import Finding, Level

Result = TypeVar("Result")


@dataclass(frozen=True)
class Question:
    """One thing to ask: `option` gives it without asking, `read` turns it into what is kept.

    `read` raises ValueError with what is wrong. What is not needed may be left empty. What is `usual` is not
    asked for: it is as an option, or the default, says.
    """

    option: str
    text: str
    default: str = ""
    needed: bool = True
    hidden: bool = False
    usual: bool = False
    read: Callable[[str], str] = str.strip


class Asker(Protocol):
    """Answers questions."""

    def ask(self, question: Question) -> str:
        """Return the answer; empty where there is none."""

    def choose(self, option: str, text: str, among: Sequence[str], default: str) -> str:
        """Return one of several."""

    def agrees(self, text: str, *, default: bool) -> bool:
        """Return whether the answer is yes."""

    def settle(self, ask: Callable[[], Result], attempt: Callable[[Result], Sequence[Finding]]) -> Result:
        """Ask until what was answered works, or is to be kept although it does not; return it."""

    def forget(self, option: str) -> None:
        """Offer an answer no more: it was wrong."""

    def tell(self, text: str) -> None:
        """Say something."""


@dataclass
class Person:
    """Somebody at a terminal; what options gave is offered as the answer."""

    given: dict[str, str]
    _asked: set[str] = field(default_factory=set)

    def ask(self, question: Question) -> str:
        """Ask until the answer can be read; what was typed before is offered again, unless it is hidden."""
        unasked = question.usual
        while True:
            offered = "" if question.hidden else self.given.get(question.option) or question.default
            answer = offered if unasked else self._typed(question, offered)
            unasked = False
            self._asked.add(question.option)
            if not question.hidden:
                self.given[question.option] = answer
            if not answer and not question.needed:
                return ""
            if not answer:
                self.tell("  This one is needed. Ctrl-C ends, and nothing is written.")
                continue
            try:
                return question.read(answer)
            except ValueError as error:
                self.tell(f"  {error}")
                self.given.pop(question.option, None)

    @staticmethod
    def _typed(question: Question, offered: str) -> str:
        hint = "" if question.needed else f" ({'-' if offered else 'empty'} for none)"
        answer = click.prompt(
            question.text + hint,
            default=offered,
            hide_input=question.hidden,
            show_default=bool(offered),
            err=True,
        ).strip()
        return "" if answer == "-" else str(answer)

    def choose(self, option: str, text: str, among: Sequence[str], default: str) -> str:
        """Ask for one of several."""
        offered = self.given.get(option) or default
        return str(click.prompt(text, default=offered, type=click.Choice(among), err=True))

    def agrees(self, text: str, *, default: bool) -> bool:
        """Ask for yes or no."""
        return click.confirm(text, default=default, err=True)

    def settle(self, ask: Callable[[], Result], attempt: Callable[[Result], Sequence[Finding]]) -> Result:
        """Give a second chance, and a third; an only answer is what was wrong, and is not offered again."""
        while True:
            self._asked.clear()
            answer = ask()
            self.tell("  trying it …")
            found = attempt(answer)
            wrong = [one for one in found if one.level is Level.PROBLEM]
            for number, one in enumerate(wrong, start=1):
                said_below = number < len(wrong) and wrong[number].cure == one.cure
                self.tell(f"  {one.about}: {one.what}" + ("" if said_below else f"\n  → {one.cure}"))
            if not wrong:
                self.tell("\n".join(map(_said, found)))
                return answer
            if not self.agrees("  Press Enter to answer again, or n to keep this answer", default=True):
                return answer
            if len(self._asked) == 1:
                self.forget(self._asked.pop())

    def forget(self, option: str) -> None:
        """Offer an answer no more."""
        self.given.pop(option, None)

    def tell(self, text: str) -> None:
        """Say it on stderr."""
        click.echo(text, err=True)


@dataclass
class Options:
    """Nobody to ask: what the options say, or what was there before. Collects what is missing and wrong."""

    given: dict[str, str]
    live: bool = True
    missing: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def ask(self, question: Question) -> str:
        """Return what was given."""
        answer = (self.given.get(question.option) or question.default).strip()
        if not answer:
            if question.needed:
                self.missing.append(f"{question.option}: {question.text}")
            return ""
        try:
            return question.read(answer)
        except ValueError as error:
            self.wrong.append(f"{question.option}: {error}")
            return ""

    def choose(self, option: str, text: str, among: Sequence[str], default: str) -> str:
        """Return what was given, where it is one of them."""
        del text, among
        return self.given.get(option) or default

    def agrees(self, text: str, *, default: bool) -> bool:
        """Return the default."""
        del text
        return default

    def settle(self, ask: Callable[[], Result], attempt: Callable[[Result], Sequence[Finding]]) -> Result:
        """Try once, where everything that it takes is there."""
        before = len(self.missing) + len(self.wrong)
        answer = ask()
        if self.live and before == len(self.missing) + len(self.wrong):
            found = attempt(answer)
            self.wrong += [
                f"{one.about}: {one.what}; {one.cure}" for one in found if one.level is Level.PROBLEM
            ]
            for one in found:
                if one.level is Level.WARNING:
                    click.echo(_said(one).strip(), err=True)
        return answer

    def forget(self, option: str) -> None:
        """Keep what the options say: nobody is asked again."""

    def tell(self, text: str) -> None:
        """Say nothing: only what is wrong is of use to a machine."""


def _said(one: Finding) -> str:
    """Say in lines what was found and is not wrong."""
    return f"  look: {one.what}\n  → {one.cure}" if one.level is Level.WARNING else f"  good: {one.what}"
