"""Invents logs whose truth is known: how customers buy, when they leave, and what tells so beforehand."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Row = dict[str, Any]

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """How a company's customers live. Times are days."""

    customers: int = 1_500
    days: int = 500
    joining: int = 300  # they come in the first so many days
    gap: float = 25.0  # usual days between orders
    variety: float = 0.8  # how far customers differ in it, as a standard deviation of logarithms
    regular: float = 1.0  # shape of the gaps: 1 is Poisson, 20 nearly clockwork
    lifetime: float = 200.0  # mean days until one leaves for no visible reason
    complaints: float = 0.0  # a day
    leaving: float = 0.0  # chance to leave after a complaint
    noise: float = 0.0  # events a day that mean nothing
    visits: float = 0.0  # visits a day of those who have not left
    segments: bool = False  # a column that tells who stays long
    cheaper: float = 0.0  # orders get smaller, up to this logarithm, in the last 60 days before one leaves
    amounts: bool = False  # those who spend more stay longer
    seasons: float = 0.0  # one half buys in winter and one in summer: how far, as an amplitude of the logarithm of the rate
    use: float = 0.0  # times a day that what one uses is read: of each another amount, and ever less in the last 60 days
    slowing: float = 0.0  # gaps grow up to so many times as long in the last 60 days before one leaves


def log(world: World, seed: int) -> list[Row]:
    """The rows of a world, in order of time."""
    chance = random.Random(seed)
    rows = [row for number in range(world.customers) for row in _life(world, f"c{number}", chance)]
    return sorted(rows, key=lambda row: (row["time"], row["customer"]))


def _life(world: World, customer: str, chance: random.Random) -> list[Row]:
    gap = world.gap * math.exp(chance.gauss(0.0, world.variety))
    loyal = chance.random() < 0.5
    lifetime = world.lifetime * (1.0 if not (world.segments or world.amounts) else 4.0 if loyal else 0.25)
    start = chance.uniform(0.0, world.joining)
    end = min(start + chance.expovariate(1.0 / lifetime), float(world.days))
    complaints = _times(chance, world.complaints, start, end)
    for at in complaints:
        if chance.random() < world.leaving:
            end = min(end, at + chance.uniform(0.0, 5.0))
    spending = 200.0 if world.amounts and loyal else 50.0
    segment = {"segment": "gold" if loyal else "basic"} if world.segments else {}

    def row(type_: str, at: float, **more: object) -> Row:
        return {"customer": customer, "time": BEGIN + timedelta(days=at), "type": type_, **segment, **more}

    orders, at = [], start
    while at <= end:
        smaller = world.cheaper * max(0.0, 1.0 - (end - at) / 60.0)
        orders.append(row("order", at, amount=round(spending * math.exp(chance.gauss(0.0, 0.5) - smaller), 2)))
        wanted = gap * (1.0 + world.slowing * max(0.0, 1.0 - (end - at) / 60.0))
        at += chance.gammavariate(world.regular, wanted / world.regular)
        while world.seasons and chance.random() > math.exp(world.seasons * ((1 if loyal else -1) * math.cos(at / 58.1) - 1.0)):
            at += chance.gammavariate(world.regular, wanted / world.regular)
    rows = orders + [row("complaint", at) for at in complaints if at <= end]
    rows += [row("page", at) for at in _times(chance, world.visits, start, end)]
    if world.use:
        level = math.exp(chance.gauss(4.0, 1.2))
        rows += [
            row("used", at, minutes=round(level * min(1.0, max(0.1, (end - at) / 60.0)) * math.exp(chance.gauss(0.0, 0.3)), 1))
            for at in _times(chance, world.use, start, end)
        ]
    rows += [row("newsletter", at) for at in _times(chance, world.noise, start, float(world.days))]
    return [one for one in rows if one["time"] < BEGIN + timedelta(days=world.days)]


def _times(chance: random.Random, rate: float, start: float, end: float) -> list[float]:
    times, at = [], start
    while rate and (at := at + chance.expovariate(rate)) <= end:
        times.append(at)
    return times


Maker = Callable[[int], list[Row]]
