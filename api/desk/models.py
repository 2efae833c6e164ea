"""The desk's page of the churn model: how good it is beside its rivals, what it says of whom and why, and what became of them.

Plots are drawn here, as the coordinates of inline SVG; every number is in a table too. Reading order: add, Line, lines, bars.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from fastapi import APIRouter, Request, Response

from aggregates.access import Role
from api import access
from api.desk.locale import Locale
from api.desk.rendering import locale_of, page
from api.ports import Dependencies
from projections.churn import models, table
from projections.churn.models import Month
from projections.churn.reasons import topic_of
from projections.churn.wording import named

LOOKERS: tuple[Role, ...] = ("supervisor", "marketer", "analyst", "admin")
HEIGHT = 0.7
SHOWN = ("model", "decayed_count", "purchase_count", "batch")
WIDTH, TALL, LEFT, TOP = 640.0, 200.0, 48.0, 10.0
MARGIN = 64.0  # what half of the longest name of a month takes
MONTHS_NAMED = 4  # a name of two months is as wide as a fifth of the plot
REASONS = 8


class Line(NamedTuple):
    """One model's months in a plot."""

    model: str
    points: str
    last: tuple[float, float]


class Plot(NamedTuple):
    """A plot over months."""

    lines: Sequence[Line]
    heights: Sequence[tuple[float, str]]  # where a grid line lies, and what it says
    months: Sequence[tuple[float, str]]


class Bar(NamedTuple):
    """A bar, lying."""

    label: str
    width: float  # of 100
    said: str


def add(routes: APIRouter, dependencies: Dependencies) -> None:
    """The route of the model."""

    @routes.get("/models/churn")
    async def churn(request: Request, model: str = "churn") -> Response:
        """How churn is predicted; of several models one, which is named."""
        access.staff(request, dependencies, LOOKERS)
        locale = locale_of(request, dependencies)
        async with dependencies.pool.connection() as connection:
            known = await table.in_force(connection)
            in_force = [one for one in known if one.stands == "in_force"]
            one = min(in_force, key=lambda one: (one.definition.name != model, one.definition.name != "churn"), default=None)
            if one is None:
                return page(request, dependencies, "model.html", model=None)
            shown = await models.model(connection, one, dependencies.unsound)
            people = await models.population(connection, one)
            fate = await models.fate(connection, one, HEIGHT)
            why = await models.given_reasons(connection, one)
            others = [(other.definition, models.status(other)) for other in known if other.stands == "beside"]
        judged = {name: sum(month.rows for month in shown.months if month.clock == name) for name in ("wall", "event")}
        clock = max(judged, key=lambda name: judged[name])
        months = [month for month in shown.months if month.clock == clock and not month.silent]
        return page(
            request,
            dependencies,
            "model.html",
            model=shown,
            several=sorted(other.definition.name for other in in_force),
            beside=[of for of in others if of[0].name == one.definition.name],
            clock=clock,
            ranking=plot(months, "auc", locale),
            errors=plot(months, "calibration_error", locale),
            rows=rows(months, locale),
            names=SHOWN,
            people=bars([(locale.number(Decimal(tenth) / 10), count) for tenth, count in enumerate(people)] if any(people) else [], locale),
            fate=fate,
            shares=None if fate is None else (share(fate.above_lost, fate.above, locale), share(fate.below_lost, fate.below, locale)),
            why=bars(topics(why, locale), locale, places=2),
            champion=next((snapshot for snapshot in shown.snapshots if snapshot.champion), None),
        )


def plot(months: Sequence[Month], field: str, locale: Locale) -> Plot | None:
    """A field of the models over the months; None where there are none."""
    days = sorted({month.month for month in months})
    values: dict[tuple[str, date], float] = {
        (month.model, month.month): value for month in months if (value := getattr(month, field)) is not None
    }
    seen = [value for (model, _), value in values.items() if model in SHOWN]
    if not days or not seen:
        return None
    low, high = min(seen), max(seen)
    low, high = (low - 0.01, high + 0.01) if high - low < 0.02 else (low, high)

    def x(day: date) -> float:
        return round(LEFT + (WIDTH - LEFT - 12.0) * (days.index(day) / max(len(days) - 1, 1)), 1)

    def y(value: float) -> float:
        return round(TOP + (TALL - TOP - 24.0) * (high - value) / (high - low), 1)

    drawn = []
    for model in SHOWN:
        points = [(x(day), y(values[model, day])) for day in days if (model, day) in values]
        if points:
            drawn.append(Line(model, " ".join(f"{a},{b}" for a, b in points), points[-1]))
    heights = [(y(value), locale.number(Decimal(f"{value:.2f}"))) for value in (low, (low + high) / 2.0, high)]
    step = max(1, -(-len(days) // MONTHS_NAMED))
    return Plot(drawn, heights, [(min(x(day), WIDTH - MARGIN), locale.month(day)) for day in days[::step]])


def rows(months: Sequence[Month], locale: Locale) -> list[tuple[str, int, list[str]]]:
    """The same as a table, the newest month first: AUC and log-loss of each model."""
    found = []
    for day in sorted({month.month for month in months}, reverse=True):
        of_month = {month.model: month for month in months if month.month == day}
        cells = []
        for model in SHOWN:
            month = of_month.get(model)
            cells.append("–" if month is None or month.auc is None else locale.number(Decimal(f"{month.auc:.3f}")))
            cells.append("–" if month is None else locale.number(Decimal(f"{month.log_loss:.3f}")))
        found.append((locale.month(day), of_month["model"].rows if "model" in of_month else 0, cells))
    return found


def bars(numbers: Sequence[tuple[str, float]], locale: Locale, places: int = 0) -> list[Bar]:
    """Bars, the longest of 100."""
    longest = max((number for _, number in numbers), default=0.0) or 1.0
    return [Bar(label, round(100.0 * number / longest, 1), locale.number(Decimal(f"{number:.{places}f}"))) for label, number in numbers]


def topics(parts: dict[str, float], locale: Locale) -> list[tuple[str, float]]:
    """What scores were made of, gathered by what an agent is told, the weightiest first."""
    sums: dict[str, float] = {}
    for name, part in parts.items():
        topic = topic_of(name)
        if topic != "everybody":
            sums[topic] = sums.get(topic, 0.0) + part
    return [(_named(topic, locale), part) for topic, part in sorted(sums.items(), key=lambda item: -item[1])[:REASONS]]


def _named(topic: str, locale: Locale) -> str:
    key = f"model.topic.{topic}"
    if locale.knows(key):
        return locale.say(key)
    fa, en = named(topic)
    return fa if locale.language == "fa" else en


def share(part: int, of: int, locale: Locale) -> str:
    """A share in hundredths; nothing of nobody."""
    return locale.say("model.percent", share=locale.number(Decimal(f"{100.0 * part / of:.0f}"))) if of else "–"
