"""Draw a backtest as SVG, with a text for whoever cannot see it. Pure; nothing from outside is unescaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise

from markupsafe import Markup, escape

from bot.backtest.replay import Span, Story, Told
from bot.backtest.score import Bin, Found
from bot.model import Verdict

WIDTH = 960
LEFT, RIGHT = 44, 12
WEEKS_HEIGHT, TIMELINE_HEIGHT = 190, 128
HALF, SQUARE = 460, 300
LETTERS = {Verdict.LEFT: "L", Verdict.LIKELY_LEFT: "L?", Verdict.SLIPPING: "S", Verdict.UNCHECKED: "N"}
"""What stands in the flag of an alert, so that nothing rests on colour alone; N is an account's notice."""

NAMES = {
    Verdict.LEFT: "Left",
    Verdict.LIKELY_LEFT: "Likely left",
    Verdict.SLIPPING: "Slipping",
    Verdict.UNCHECKED: "Account notice",
}
BAND = (
    Verdict.ACTIVE,
    Verdict.QUIET,
    Verdict.ON_LEAVE,
    Verdict.UNCHECKED,
    Verdict.SLIPPING,
    Verdict.LIKELY_LEFT,
    Verdict.LEFT,
)
STACK = (Verdict.LEFT, Verdict.LIKELY_LEFT, Verdict.SLIPPING, Verdict.UNCHECKED)
LAGS = (-120, -60, -30, -7, 0, 1, 4, 8, 15, 31, 61, 10_000)
"""The bounds, in days after the last day, between which departures are counted."""


def css(verdict: Verdict) -> str:
    """Return the CSS class of a verdict."""
    return verdict.value.replace(" ", "-")


def alerts_by_week(told: Sequence[Told], span: Span) -> Markup:
    """Draw how many alerts went out in each week, by verdict."""
    first = span.first - timedelta(span.first.weekday())
    weeks = (span.last - first).days // 7 + 1
    counts = [dict.fromkeys(STACK, 0) for _ in range(weeks)]
    for one in told:
        counts[(one.day - first).days // 7][one.alert.assessment.verdict] += 1
    most = max((sum(by.values()) for by in counts), default=0) or 1
    base, top = WEEKS_HEIGHT - 28, 14
    step = (WIDTH - LEFT - RIGHT) / weeks
    parts = [_grid(most, base, top)]
    for number, by in enumerate(counts):
        height = 0.0
        for verdict in STACK:
            if by[verdict]:
                tall = by[verdict] / most * (base - top)
                monday = first + timedelta(weeks=number)
                label = f"week of {monday:%-d %b %Y}: {by[verdict]} {NAMES[verdict]}"
                parts.append(
                    _tag(
                        "rect",
                        _tag("title", label),
                        x=LEFT + number * step + step * 0.1,
                        y=base - height - tall,
                        width=step * 0.8,
                        height=tall,
                        class_=css(verdict),
                    )
                )
                height += tall
    parts.append(_months(span, base))
    total = sum(sum(by.values()) for by in counts)
    text = f"Alerts in each of {weeks} weeks, {total} in all, at most {most} in one."
    return _svg(WIDTH, WEEKS_HEIGHT, text, parts)


def calibration(bins: Sequence[Bin]) -> Markup:
    """Draw how often it was so against how probable it was said to be; the area is how often it was said."""
    low, size = SQUARE + 34, SQUARE
    left = (HALF - size) / 2
    total = sum(one.count for one in bins) or 1

    def at(share: float) -> tuple[float, float]:
        return left + share * size, low - share * size

    parts = [_tag("line", "", x1=left, y1=low, x2=left + size, y2=low - size, class_="ideal")]
    for tenth in range(0, 11, 2):
        x, y = at(tenth / 10)
        parts.append(_tag("line", "", x1=left, y1=y, x2=left + size, y2=y, class_="grid"))
        parts.append(_tag("text", f"{tenth * 10} %", x=x, y=low + 30, class_="tick middle"))
        parts.append(_tag("text", f"{tenth * 10} %", x=left - 20, y=y + 4, class_="tick end"))
    for one in bins:
        x, y = at(one.said)[0], at(one.so)[1]
        label = f"said {one.said:.0%}: so in {one.so:.0%} of {one.count} judgements"
        radius = 4 + 12 * (one.count / total) ** 0.5
        parts.append(_tag("circle", _tag("title", label), cx=x, cy=y, r=radius, class_="bin"))
    parts.append(_tag("text", "had left", x=left - 20, y=12, class_="axis end"))
    parts.append(_tag("text", "said to have left", x=left + size / 2, y=low + 50, class_="axis middle"))
    text = "; ".join(f"said {one.said:.0%}, so {one.so:.0%} of {one.count}" for one in bins)
    return _svg(HALF, low + 58, f"Calibration: {text}.", parts)


def lags(found: Sequence[Found]) -> Markup:
    """Draw how many departures were told how many days after the last day."""
    names = [_lag_name(low, high) for low, high in pairwise(LAGS)] + ["never"]
    counts = [0] * len(names)
    for one in found:
        where = next((i for i, high in enumerate(LAGS[1:]) if one.told is not None and one.told < high), -1)
        counts[where] += 1
    most = max(counts, default=0) or 1
    row, height = 24, 24 * len(names) + 8
    parts = []
    for number, (name, count) in enumerate(zip(names, counts, strict=True)):
        y = 6 + number * row
        length = count / most * (HALF - 180)
        kind = "never" if number == len(names) - 1 else "lag"
        parts.append(_tag("text", name, x=128, y=y + 13, class_="tick end"))
        parts.append(_tag("rect", "", x=136, y=y + 2, width=max(length, 0.5), height=row - 8, class_=kind))
        parts.append(_tag("text", str(count), x=142 + length, y=y + 13, class_="tick"))
    text = "; ".join(f"{name}: {count}" for name, count in zip(names, counts, strict=True))
    return _svg(HALF, height, f"Departures by when they were told: {text}.", parts)


def timeline(story: Story, told: Sequence[Told], departed: date | None, span: Span, name: str) -> Markup:
    """Draw one contact: the probability over time, the verdict as a band, evidence, alerts, the last day."""
    base, top = TIMELINE_HEIGHT - 34, 22
    scale = (WIDTH - LEFT - RIGHT) / max(1, (span.last - span.first).days)

    def x(day: date) -> float:
        return LEFT + (min(max(day, span.first), span.last) - span.first).days * scale

    def y(probability: float) -> float:
        return base - probability * (base - top)

    parts = [_grid(1, base, top, percent=True), _months(span, base + 12)]
    curve = story.curve
    points: list[str] = []
    for number, (day, probability, verdict) in enumerate(curve):
        end = curve[number + 1][0] if number + 1 < len(curve) else span.last
        points += [f"{x(day):.1f},{y(probability):.1f}", f"{x(end):.1f},{y(probability):.1f}"]
        band = _tag("title", f"{day:%-d %b %Y}: {verdict.value}, {probability:.0%}")
        parts.append(
            _tag("rect", band, x=x(day), y=base + 2, width=x(end) - x(day), height=7, class_=css(verdict))
        )
    if points:
        parts.append(_tag("polyline", "", points=" ".join(points), class_="curve"))
    for mark in story.marks.values():
        if span.first <= mark.day <= span.last:
            title = _tag("title", f"{mark.day:%-d %b %Y}: {mark.sentence}")
            parts.append(_tag("circle", title, cx=x(mark.day), cy=base - 3, r=3, class_="mark"))
    if departed is not None and span.first <= departed <= span.last:
        title = _tag("title", f"last day {departed:%-d %b %Y}")
        parts.append(
            _tag("line", title, x1=x(departed), y1=top - 14, x2=x(departed), y2=base, class_="departed")
        )
    parts += [_flag(one, x(one.day), top) for one in told]
    alerts = "; ".join(f"{one.day:%-d %b %Y} {NAMES[one.alert.assessment.verdict]}" for one in told)
    left = f" Last day {departed:%-d %b %Y}." if departed else ""
    return _svg(WIDTH, TIMELINE_HEIGHT, f"{name}. Alerts: {alerts or 'none'}.{left}", parts)


def _flag(told: Told, x: float, top: float) -> Markup:
    verdict = told.alert.assessment.verdict
    label = f"{told.day:%-d %b %Y}: {NAMES[verdict]}: {told.alert.assessment.headline}"
    inside = [
        _tag("title", label),
        _tag("line", "", x1=x, y1=top - 4, x2=x, y2=TIMELINE_HEIGHT - 34, class_="pole"),
        _tag("rect", "", x=x - 8, y=top - 20, width=16, height=16, rx=3, class_=css(verdict)),
        _tag("text", LETTERS[verdict], x=x, y=top - 8, class_="letter middle"),
    ]
    return _tag("g", Markup("").join(inside), class_="flag")


def _lag_name(low: int, high: int) -> str:
    if high > 365:  # noqa: PLR2004 - the last one is open
        return f"after {low - 1} days"
    if high <= 0:
        return f"{-low} to {-high + 1} days before" if high < 0 else f"{-low} to 1 days before"
    return "the same day" if high == 1 else f"{low} to {high - 1} days after"


def _grid(most: float, base: float, top: float, *, percent: bool = False) -> Markup:
    parts = []
    shares = (0.0, 0.5, 1.0) if percent or most % 2 == 0 else (0.0, 1.0)
    for share in shares:
        y = base - share * (base - top)
        label = f"{share:.0%}" if percent else f"{most * share:.3g}"
        parts.append(_tag("line", "", x1=LEFT, y1=y, x2=WIDTH - RIGHT, y2=y, class_="grid"))
        parts.append(_tag("text", label, x=LEFT - 8, y=y + 4, class_="tick end"))
    return Markup("").join(parts)


def _months(span: Span, base: float) -> Markup:
    scale = (WIDTH - LEFT - RIGHT) / max(1, (span.last - span.first).days)
    months = [
        date(span.first.year + (span.first.month - 1 + n) // 12, (span.first.month - 1 + n) % 12 + 1, 1)
        for n in range(1 + (span.last - span.first).days // 28)
    ]
    every = max(1, len(months) // 12)
    parts = []
    for month in months[::every]:
        if span.first <= month <= span.last:
            x = LEFT + (month - span.first).days * scale
            label = f"{month:%b %Y}" if month.month == 1 or month == months[0] else f"{month:%b}"
            parts.append(_tag("text", label, x=x, y=base + 16, class_="tick"))
    return Markup("").join(parts)


def _svg(width: float, height: float, text: str, parts: Iterable[Markup]) -> Markup:
    inside = _tag("title", text) + Markup("").join(parts)
    return _tag("svg", inside, viewBox=f"0 0 {width:g} {height:g}", role="img", aria_label=text)


def _tag(name: str, inside: str | Markup, **attributes: object) -> Markup:
    """Return an element; its text and attributes are escaped, what is markup already stays."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_number(value))}"'
        for key, value in attributes.items()
    )
    return Markup("<{}{}>{}</{}>").format(name, Markup(written), inside, name)  # noqa: S704 - escaped above


def _number(value: object) -> object:
    return f"{value:.1f}".rstrip("0").rstrip(".") if isinstance(value, float) else value


def legend(counts: Mapping[str, int]) -> Markup:
    """Return the legend of the alerts, with their letters and counts."""
    names = {Verdict.UNCHECKED: "account notice"}
    items = [
        Markup('<span class="key"><i class="{}">{}</i>{} {}</span>').format(
            css(verdict), LETTERS[verdict], NAMES[verdict], counts.get(names.get(verdict, verdict.value), 0)
        )
        for verdict in STACK
    ]
    return Markup("").join(items)


def band() -> Markup:
    """Return the legend of the band below a time line."""
    items = [
        Markup('<span class="key"><i class="{}"></i>{}</span>').format(css(verdict), verdict.value)
        for verdict in BAND
    ]
    return Markup("").join(items)
