"""Bars by day, as SVG that the server draws: rectangles with attributes alone, for the policy on content
allows no style in a page. What a picture shows stands beside it as a table, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from oauthclients.console import words

# The box of a chart, in its own units; the page stretches it.
WIDTH, HEIGHT = 600, 96
# That of a small one in a list.
SMALL_WIDTH, SMALL_HEIGHT, SMALL_BAR = 120, 24, 3
# Something is always seen of what is not nothing.
LEAST = 1.5


@dataclass(frozen=True)
class Series:
    """One colour of the bars. `kind` is `ok`, `refused` or `failed`."""

    kind: str
    label: str
    values: Sequence[int]


@dataclass(frozen=True)
class Part:
    kind: str
    y: float
    height: float


@dataclass(frozen=True)
class Bar:
    """`x` and `width` of a day, its parts from the bottom up, and what it says when it is pointed at."""

    x: float
    width: float
    parts: tuple[Part, ...]
    title: str


@dataclass(frozen=True)
class Chart:
    title: str
    # Said instead of the picture.
    label: str
    bars: tuple[Bar, ...]
    total: int
    most: int
    first: str
    last: str
    legend: tuple[Series, ...]
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def total_text(self) -> str:
        return words.number(self.total)

    @property
    def most_text(self) -> str:
        return words.number(self.most)


def bars(title: str, days: Sequence[date], series: Sequence[Series]) -> Chart:
    """Stacked bars, one for each day, today the last of them."""
    totals = [sum(of_day) for of_day in zip(*(one.values for one in series), strict=True)]
    most = max(totals, default=0)
    slot = WIDTH / len(days)
    width = round(slot - min(slot * 0.25, 6), 2)
    drawn = tuple(
        Bar(
            x=round(number * slot + (slot - width) / 2, 2),
            width=width,
            parts=_parts([(one.kind, one.values[number]) for one in series], most),
            title=_said_of_day(day, series, number),
        )
        for number, day in enumerate(days)
    )
    return Chart(
        title=title,
        label=_said(title, days, series, totals),
        bars=drawn,
        total=sum(totals),
        most=most,
        first=day_name(days[0]),
        last=day_name(days[-1]),
        legend=tuple(series) if len(series) > 1 else (),
    )


def _parts(values: Sequence[tuple[str, int]], most: int) -> tuple[Part, ...]:
    found, y = [], float(HEIGHT)
    for kind, value in values:
        if value:
            height = max(LEAST, value * HEIGHT / most)
            y -= height
            found.append(Part(kind, round(max(0.0, y), 2), round(height, 2)))
    return tuple(found)


def _said_of_day(day: date, series: Sequence[Series], number: int) -> str:
    counted = [f"{one.label}: {words.number(one.values[number])}" for one in series]
    return f"{day_name(day)} – {', '.join(counted)}"


def _said(title: str, days: Sequence[date], series: Sequence[Series], totals: Sequence[int]) -> str:
    what = {"title": title, "first": day_name(days[0]), "last": day_name(days[-1])}
    most = max(totals, default=0)
    if not most:
        return _("%(title)s, by day from %(first)s to %(last)s: none.") % what
    sums = ", ".join(f"{one.label}: {words.number(sum(one.values))}" for one in series)
    return _("%(title)s, by day from %(first)s to %(last)s. %(sums)s. Most on %(day)s: %(most)s.") % {
        **what,
        "sums": sums,
        "day": day_name(days[totals.index(most)]),
        "most": words.number(most),
    }


def small(values: Sequence[int], label: str) -> dict[str, object]:
    """A sparkline as its template wants it."""
    most = max(values, default=0) or 1
    slot = SMALL_WIDTH / max(len(values), 1)
    drawn = []
    for number, value in enumerate(values):
        height = max(LEAST, value * SMALL_HEIGHT / most) if value else 0.0
        if height:
            drawn.append(
                {
                    "x": round(number * slot, 2),
                    "y": round(SMALL_HEIGHT - height, 2),
                    "height": round(height, 2),
                }
            )
    return {"bars": drawn, "label": label}


def day_name(day: date) -> str:
    """ "5 May 2026" """
    return date_format(day, pgettext("format of a day, see Django's `date` filter", "j F Y"))
