"""Read the text of a delivery report as a human would, where no field says whom it is about.

Which addresses does it name, and in what place; what does it say of each; where does the original begin that
it returns. Pure; the words are those of `watchers.mail.bounce_layouts`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice

from watchers.mail import bounce_layouts as layouts
from watchers.mail.head import Head, split_head
from watchers.mail.wording import plain

MOST_NAMED = 200
MOST_LINES = 600
LONGEST_NOTICE = 32 * 2**10
LONGEST_LINE = 2000
LONGEST_PASSAGE = 4000

_WIDE = "\uff1a\uff0c\u3002\uff1b\uff08\uff09\uff1c\uff1e\u300c\u300d\u3010\u3011\u3001"
ADDRESS = re.compile(
    rf"[^\s<>()\[\],;:\"'|\\@={_WIDE}]{{1,64}}@(?:\[[0-9a-fA-F.:]{{3,45}}\]|[^\W_][\w.\-]{{0,253}})",
)
CODED = re.compile(
    r"(?<![\w.])[45]\d\d[ \-:]|(?:^[ \t]{0,12}|[#(<]|\b[45]\d\d )#?[45]\.\d\.\d{1,3}\b", re.MULTILINE
)
_LEADING = re.compile(r"^[\s>*•·\-+\"'<(\[|#:]{0,16}(?:rfc822;|smtp:|mailto:|to:)?\s?<?$", re.IGNORECASE)
STATUS_FIELD = re.compile(
    r"^[ \t]{0,8}(?:reporting-mta|action|status|arrival-date|final-recipient|original-recipient|"
    r"received-from-mta|original-envelope-id|x-postfix-queue-id)[ \t]{0,3}:",
    re.IGNORECASE | re.MULTILINE,
)
_OTHER_FIELD = re.compile(
    r"^[\s>*]{0,12}(?:message-?id|in-reply-to|references|from|sender|reply-to|return-path|subject|"
    r"x-[\w\-]{1,40})\s?:",
    re.IGNORECASE,
)
_REPLY = re.compile(r"^\s*(?:<<<|>>>|\.\.\. while talking|while talking)", re.IGNORECASE)
_CODE_FIRST = re.compile(r"^\s*(?:<<<\s*)?[245]\d\d[ \-](?:[245]\.\d{1,3}\.\d{1,3}[ ])?[<\"']{0,2}$")
_COMMAND = re.compile(r"rcpt\s+to\s{0,2}:?\s{0,2}<?$", re.IGNORECASE)
_BY = frozenset(
    "from sender by von expéditeur remitente mittente afzender nadawca отправитель 差出人 发件人".split()
)
_EXPANDED = re.compile(r"expanded from:?\s{0,3}<?([^\s<>()]{1,64}@[^\s<>()]{1,255})>?\)", re.IGNORECASE)


@dataclass(slots=True)
class Notice:
    """The readable text of a report, cut into what it says of each address it names."""

    text: str
    listed: dict[str, list[str]] = field(default_factory=dict)
    mentioned: dict[str, None] = field(default_factory=dict)

    def passage(self, *addresses: str) -> str:
        """Return what the text says of the first of these addresses that it names."""
        for address in filter(None, addresses):
            passages = self.listed.get(address) or self.listed.get(address.partition("@")[0])
            if passages:
                return "\n".join(passages)[:LONGEST_PASSAGE]
        return ""


_TECHNICAL = re.compile(
    r"^[ \t>|]{0,12}(?:return-path|received|delivered-to|message-id|dkim-signature|x-mailer|x-received|"
    r"x-originating-ip|authentication-results|references|x-google-smtp-source|arc-seal)[ ]?:",
    re.IGNORECASE,
)
_TRACE = re.compile(r"^[ \t>|]{0,12}(?:return-path|received|delivered-to|dkim-signature)[ ]?:", re.IGNORECASE)
_HEADER = re.compile(r"^[ \t>|]{0,12}[A-Za-z][A-Za-z0-9\-]{1,40}[ ]?:")
_COMMON_HEADER = re.compile(
    r"^[ \t>|]{0,12}(?:from|to|date|subject|sender|cc|mime-version)[ ]?:", re.IGNORECASE
)
_NEAR = 4


def unwrapped(text: str) -> tuple[str, Head | None]:
    """Return the notice and the original's headers; where a report quotes another one whole, of that one."""
    notice, original, rest = split_original(text)
    if original is not None and layouts.is_daemon(original.sender.address.partition("@")[0]):
        notice, original, _ = split_original(rest)
    return notice, original


def split_original(text: str) -> tuple[str, Head | None, str]:
    """Cut the readable text where the original begins: the notice, the original's headers and its body."""
    lines = [line[:LONGEST_LINE] for line in islice(text.splitlines(), MOST_LINES)]
    common = [":" in line and _COMMON_HEADER.match(line) is not None for line in lines]
    for number, line in enumerate(lines):
        quoted = line[:1] in " \t"
        if ":" in line and (_TRACE if quoted else _TECHNICAL).match(line) and _is_header_block(lines, number):
            if quoted and _goes_on(lines, number):
                continue
            first = number
            while first > 0 and _HEADER.match(lines[first - 1]) and not STATUS_FIELD.match(lines[first - 1]):
                first -= 1
            return _cut(lines, first)
        if number and any(common[number + 1 : number + _NEAR]) and _is_marker(line):
            return _cut(lines, number + 1)
    return "\n".join(lines)[:LONGEST_NOTICE], None, ""


def _goes_on(lines: list[str], number: int) -> bool:
    """Say whether a report only names some fields of the original and then comes to the point."""
    after = [line for line in lines[number : number + 20] if line.strip() and line[:1] not in " \t"]
    return layouts.says(layouts.NOTICES, "\n".join(after[:3]))


def _is_header_block(lines: list[str], number: int) -> bool:
    around = lines[max(0, number - 2) : number] + lines[number + 1 : number + 12]
    return any(map(_HEADER.match, around))


def _is_marker(line: str) -> bool:
    return len(line) < 120 and layouts.says(layouts.ORIGINALS, line)  # noqa: PLR2004 - a marker is a short line


def _cut(lines: list[str], number: int) -> tuple[str, Head | None, str]:
    block = lines[number:]
    while block and not block[0].strip():
        block = block[1:]
    indent = len(block[0]) - len(block[0].lstrip(" \t>|")) if block else 0
    if indent:
        block = [line[indent:] if not line[:indent].strip(" \t>|") else line for line in block]
    raw = "\n".join(block)
    encoded = raw.encode("utf-8", "replace")
    head, body = split_head(encoded, 0, len(encoded))
    return "\n".join(lines[:number])[:LONGEST_NOTICE], head, encoded[body:].decode("utf-8")


def expanded_from(passage: str) -> str:
    """Return the alias that was expanded to the recipient, as Sendmail and Postfix write it."""
    found = _EXPANDED.search(passage) if "expanded from" in passage.lower() else None
    return found[1].lower() if found is not None else ""


def read_notice(text: str, not_meant: frozenset[str]) -> Notice:
    """Cut the readable text into what it says of each recipient.

    A line that begins with an address, or names one after a word such as "recipient:", opens a passage about
    it that lasts until the next such line. Replies in a transcript belong to the recipient named after them.
    """
    notice = Notice(text)
    open_for: list[str] = []
    passage: list[str] = []
    replies: list[str] = []
    previous = ""
    for line in text.splitlines():
        named = _recipients_in(line, previous, not_meant, notice)
        if named:
            if passage or replies:
                _close(notice, open_for, passage)
                open_for, passage = [], replies
                replies = []
            open_for.extend(named)
            if ADDRESS.sub("", line).strip(" <>\"'():;,.*-\t"):
                passage.append(line)
        elif _REPLY.match(line):
            replies.append(line)
            if open_for:
                passage.append(line)
        elif line.strip():
            passage.append(line) if open_for else None
        previous = line if line.strip() else ""
        if len(notice.listed) > MOST_NAMED:
            break
    _close(notice, open_for, [*passage, *replies])
    return notice


def _close(notice: Notice, addresses: list[str], passage: list[str]) -> None:
    said = "\n".join(passage)[:LONGEST_PASSAGE]
    for address in addresses:
        notice.listed.setdefault(address, []).append(said)


def _recipients_in(line: str, previous: str, not_meant: frozenset[str], notice: Notice) -> list[str]:
    """Return the addresses of a line that stand where a report names a recipient; note the others."""
    named: list[str] = []
    if "@" not in line or _OTHER_FIELD.match(line):
        return named
    for found in islice(ADDRESS.finditer(line), 20):
        address = found[0].lower().rstrip(".")
        before = line[max(0, found.start() - 80) : found.start()]
        local = address.partition("@")[0]
        if local in layouts.HELPDESKS:
            continue
        if _stands_alone(before, previous) and (address not in not_meant or found.start() == 0):
            named.append(address)
        elif address in not_meant or layouts.is_daemon(local) or _asks(previous, before):
            continue
        elif _is_labelled(before):
            named.append(address)
        else:
            notice.mentioned.setdefault(address)
    return named


def _stands_alone(before: str, previous: str) -> bool:
    """Say whether an address leads its line, follows a code, or is the argument of a command."""
    if _LEADING.match(before):
        return not _asks(previous, "")
    return _CODE_FIRST.match(before) is not None or _COMMAND.search(before) is not None


def _is_labelled(before: str) -> bool:
    """Say whether the words before an address call it the recipient."""
    words = plain(before).split()[-3:]
    if not words or words[-1] in _BY:
        return False
    return layouts.first_word_of(layouts.RECIPIENT_LABELS, f" {' '.join(words)} ") != ""


def _asks(previous: str, before: str) -> bool:
    """Say whether the words before an address offer help there."""
    words = plain(f"{previous[-60:]} {before[-60:]}").split()[-6:]
    return layouts.first_word_of(layouts.CONTACTS, f" {' '.join(words)} ") != ""
