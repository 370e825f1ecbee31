"""Show what was found to a person at a terminal: a table for the contacts, words for single mails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.check import Checked
from bot.model import Assessment, Evidence, Observation, Suggestion, Verdict
from bot.reading import PLAIN, Reading
from bot.slack.mrkdwn import clean

ORDER = (
    Verdict.LEFT,
    Verdict.LIKELY_LEFT,
    Verdict.SLIPPING,
    Verdict.QUIET,
    Verdict.ON_LEAVE,
    Verdict.UNCHECKED,
    Verdict.ACTIVE,
)
COLOURS = {
    Verdict.LEFT: "bold red",
    Verdict.LIKELY_LEFT: "red",
    Verdict.SLIPPING: "yellow",
    Verdict.QUIET: "cyan",
    Verdict.ON_LEAVE: "blue",
    Verdict.UNCHECKED: "dim",
    Verdict.ACTIVE: "green",
}
WIDEST_ADDRESS = 32
DOUBTFUL = frozenset({Verdict.LEFT, Verdict.LIKELY_LEFT, Verdict.SLIPPING})
LINES = 3
"""How many evidence lines a contact gets in the table."""

TITLES = {
    "departed": "Has left",
    "farewell": "Says farewell",
    "colleague_said": "A colleague says they left",
    "on_leave": "On leave",
    "role_change": "Changed role",
    "address_change": "New address",
    "acknowledgement": "Automatic acknowledgement",
    "mailbox_gone": "Bounce: the mailbox does not exist",
    "domain_gone": "Bounce: the domain does not take mail",
    "full": "Bounce: the mailbox is full",
    "blocked": "Bounce: refused by policy",
    "transient": "Delayed: may still arrive",
    "feedback": "Abuse report",
    "other": "Bounce of another kind",
    "meeting": "Meeting",
}


def contacts(checked: Sequence[Checked], console: Console) -> None:
    """Print the contacts, gravest first, each with its reason; then one line of totals."""
    if not checked:
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, expand=True)
    table.add_column("Verdict", no_wrap=True)
    widest = max(len(item.contact.address) for item in checked)
    table.add_column("Contact", ratio=2, min_width=min(widest, WIDEST_ADDRESS), overflow="fold")
    table.add_column("Why", ratio=5, overflow="fold")
    for item in sorted(
        checked, key=lambda item: (ORDER.index(item.assessment.verdict), item.contact.address)
    ):
        table.add_row(_verdict(item.assessment), _who(item), _why(item.assessment))
    console.print(table)
    console.print()
    counts = Counter(item.assessment.verdict for item in checked)
    console.print(", ".join(f"{counts[verdict]} {verdict}" for verdict in ORDER if counts[verdict]))


def _verdict(assessment: Assessment) -> Text:
    return Text(str(assessment.verdict), COLOURS[assessment.verdict])


def _who(item: Checked) -> Text:
    who = Text(clean(item.contact.label), "bold")
    if item.contact.name:
        who.append(f"\n{clean(item.contact.address)}", "dim not bold")
    if item.contact.account:
        who.append(f"\n{clean(item.contact.account)}", "not bold")
    return who


def _why(assessment: Assessment) -> Text:
    why = Text(clean(assessment.headline))
    if assessment.verdict in DOUBTFUL:
        why.append(f" ({assessment.strength} evidence)", "dim")
    for item in [item for item in assessment.evidence if _says_more(item, assessment)][:LINES]:
        why.append(f"\n{item.at:%-d %B %Y}  ", "dim")
        why.append(clean(item.sentence))
        if item.note:
            why.append(f" ({clean(item.note)})", "dim")
    if assessment.other_explanations:
        why.append(f"\nstill possible: {'; '.join(assessment.other_explanations)}", "dim")
    for suggestion in assessment.suggestions:
        why.append("\n").append_text(turn_to(suggestion))
    return why


def turn_to(suggestion: Suggestion) -> Text:
    """Name a person to turn to, with every reason."""
    told = Text("turn to ", "dim")
    told.append(clean(suggestion.name), "bold")
    if suggestion.address and suggestion.address != suggestion.name:
        told.append(f" <{clean(suggestion.address)}>")
    return told.append(f": {clean('; '.join(suggestion.reasons))}", "dim")


def _says_more(item: Evidence, assessment: Assessment) -> bool:
    """Say whether a line of evidence tells the reader something that the headline does not."""
    if item.sentence == assessment.headline and not item.note:
        return False
    return item.weight > 0 or bool(item.note) or item.kind not in PLAIN


def mails(readings: Iterable[Reading], console: Console, *, everything: bool) -> Counter[str]:
    """Print what each mail was read as and why; return how often each kind was read.

    Mails with nothing to report are only counted, unless `everything` is to be printed.
    """
    counts: Counter[str] = Counter()
    for reading in readings:
        telling = [seen for seen in reading.observations if seen.kind not in PLAIN]
        nothing = "could not be read" if reading.trouble else "nothing to report"
        counts.update({seen.kind for seen in telling} or {nothing})
        if not (telling or reading.trouble or everything):
            continue
        console.print(Text(clean(reading.file), "bold"))
        if reading.trouble:
            console.print(Text("  could not be read", "red").append(f": {clean(reading.trouble)}", "default"))
        for seen in telling:
            _explain(seen, console)
        if not telling and not reading.trouble:
            console.print(
                "  nothing to report: it is no bounce, auto-reply, farewell or invitation",
                style="dim",
            )
        for note in reading.notes:
            console.print(Text(f"  note: {clean(note)}", "dim"))
    return counts


def _explain(seen: Observation, console: Console) -> None:
    line = Text("  ")
    line.append(TITLES.get(seen.kind, seen.kind.replace("_", " ")), "bold yellow")
    if seen.contact:
        line.append(f"  {clean(seen.contact)}")
    line.append(f"  {seen.at:%-d %B %Y}", "dim")
    console.print(line)
    console.print(Text(f"    {clean(seen.sentence)}"))
    if seen.facts.get("ours") is False:
        console.print(
            Text("    it answers a mail that was not ours: `check` counts it for nothing", "yellow")
        )
    for reason in seen.because:
        console.print(Text(f"    - {clean(reason)}", "dim"))
