"""What can be pressed under a message of ours, and what it carries. Pure.

Every button carries the mark of its case, which tells nothing to whoever else reads the message. A menu's
choices have no room for it: the block that holds the menu is named after the case.
https://docs.slack.dev/reference/block-kit/block-elements
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from slackblocks import ActionsBlock, Button, Element, Option, OverflowMenu, PlainText, SectionBlock, Text

from bot.model import Alert, Case, Choice, Suggestion, Verdict
from bot.slack.marks import Marks
from bot.slack.mrkdwn import is_address
from bot.slack.names import Naming

ANSWER = "answer."
"""The buttons that answer carry this and their choice as action id."""

WATCH = "watch."
"""*Watch* carries this and a number; its value holds the marks of the case and of whom to watch."""

CASE = "case "
"""The name of a block with a menu is this and the mark of the case."""

WHY = "why"
MORE = "more"
ASSIGN = "assign"
NOTE = "note"

BUTTONS: Mapping[Verdict, tuple[Choice, ...]] = {
    Verdict.LEFT: (
        Choice.LEFT,
        Choice.STILL_THERE,
        Choice.ON_LEAVE,
        Choice.CHANGED_ROLE,
        Choice.SNOOZE,
    ),
    Verdict.LIKELY_LEFT: (
        Choice.LEFT,
        Choice.STILL_THERE,
        Choice.ON_LEAVE,
        Choice.CHANGED_ROLE,
        Choice.SNOOZE,
    ),
    Verdict.SLIPPING: (Choice.ON_IT, Choice.NOTHING_WRONG, Choice.SNOOZE),
}
"""The answers that fit a verdict, the most helpful first."""

LABELS: Mapping[Choice, str] = {
    Choice.LEFT: "Confirm left",
    Choice.STILL_THERE: "Still there",
    Choice.ON_LEAVE: "On leave…",
    Choice.CHANGED_ROLE: "Changed role…",
    Choice.ON_IT: "I'm on it",
    Choice.NOTHING_WRONG: "Nothing wrong",
    Choice.SNOOZE: "Snooze…",
    Choice.UNDERSTOOD: "Understood",
}

_NAME = 40


def answers(raised: Alert, of: Case | None, marks: Marks, *, done: bool) -> ActionsBlock:
    """Offer what can still be answered; `done` says that nothing is left, and offers the evidence."""
    fitting = BUTTONS.get(raised.assessment.verdict, (Choice.SNOOZE,))
    taken = of is not None and of.is_taken
    offered = [] if done else [choice for choice in fitting if not (taken and choice is Choice.ON_IT)]
    return _row(
        [_button(choice, raised, marks, primary=choice is fitting[0]) for choice in offered]
        or [_why(raised, marks)]
    )


def with_menu(raised: Alert, text: str, marks: Marks) -> SectionBlock:
    """Return text (mrkdwn) with the menu beside it, which holds what is needed now and then."""
    menu = OverflowMenu(MORE, [option("Assign…", ASSIGN), option("Draft a note…", NOTE), option("Why?", WHY)])
    name = f"{CASE}{marks.case(raised.case)}"
    return SectionBlock(Text(text, verbatim=True), block_id=name, accessory=menu)


def understood(raised: Alert, marks: Marks, *, done: bool) -> ActionsBlock:
    """Offer what an account notice can be answered with."""
    settle = [] if done else [_button(Choice.UNDERSTOOD, raised, marks, primary=True)]
    return _row([*settle, _why(raised, marks)])


def watch(
    raised: Alert, people: Sequence[Suggestion], watched: Collection[str], by: Naming, marks: Marks
) -> list[Element]:
    """Offer to watch those people of whom we have an address, and who are not watched."""
    can = [one for one in people if can_watch(one) and one.address not in watched]
    return [
        Button(
            f"Watch {by.plain(one, _NAME)}",
            action_id=f"{WATCH}{number}",
            value=f"{marks.case(raised.case)} {marks.of(one.address)}",
        )
        for number, one in enumerate(can)
    ]


def can_watch(person: Suggestion) -> bool:
    """Say whether there is an address to watch; a guessed one would only bounce."""
    return is_address(person.address) and not person.guess


def _button(choice: Choice, raised: Alert, marks: Marks, *, primary: bool) -> Button:
    return Button(
        LABELS[choice],
        action_id=f"{ANSWER}{choice}",
        value=marks.case(raised.case),
        style="primary" if primary else None,
    )


def _why(raised: Alert, marks: Marks) -> Button:
    return Button("Why?", action_id=WHY, value=marks.case(raised.case))


def option(text: str, value: str, description: str = "") -> Option:
    """Return a choice in a menu, as text that nothing formats."""
    return Option(PlainText(text), value, description=PlainText(description) if description else None)


def _row(elements: list[Element]) -> ActionsBlock:
    return ActionsBlock(elements, block_id="answers")
