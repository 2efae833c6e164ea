"""How long contracts go on: each is lost at a rate of its own, which is Gamma distributed among contracts (Pareto's second distribution).

It is what the shifted beta-geometric model (Fader and Hardie, How to project customer retention, 2007) says of periods that are all alike,
told in days, so that periods of 28 and of 31 stand side by side: those who are likely to leave leave first, so that who was renewed often
is renewed more likely than a newcomer. Who decides once a year stays otherwise than who does each month: each has a model of its own.
Reading order: Staying, stays, kind, Running, Ahead, ahead.
"""

import math

from msgspec import Struct

YEAR = 365.25


class Staying(Struct, frozen=True, array_like=True):
    """How contracts are lost."""

    s: float
    beta: float


def stays(model: Staying, since: float, until: float) -> float:
    """The chance that a contract that reached an age of days reaches a later one."""
    return math.exp(-model.s * math.log((model.beta + until) / (model.beta + since)))


ALL = ""
"""All contracts, whatever their periods are."""


def kind(period: float) -> str:
    """Which contracts have a model with those of such a period, in days."""
    return "month" if period < 45.0 else "quarter" if period < 135.0 else "year"


class Running(Struct, frozen=True):
    """A contract that may be renewed, as of now."""

    age: float  # in days, when what is paid is over
    period: float
    left: float  # days that are paid; below 0 its end is past
    grace: float  # so many days after the end a renewal still may come
    renewable: bool = True


class Ahead(Struct, frozen=True):
    """What is expected of it."""

    renewed: float  # the chance that it is, next time
    payments: float  # in the time ahead, discounted
    running: float  # the share of the time ahead in which it runs, discounted likewise


def ahead(model: Staying, one: Running, days: float, discount: float) -> Ahead:
    """Payments in so many days ahead, when a year's wait costs `discount`."""
    renewed = stays(model, max(one.age - one.period, 0.0), one.age) if one.renewable else 0.0
    if one.left < 0.0:  # renewals come somewhere in the days of grace: the more of them are over without one, the less likely it is
        open_ = max(1.0 + one.left / one.grace, 0.0) if one.grace else 0.0
        renewed = renewed * open_ / (1.0 - renewed * (1.0 - open_)) if open_ else 0.0
    due, age, chance = max(one.left, 0.0), one.age, renewed
    payments, running = 0.0, _worth(min(due, days) / 2.0, discount) * min(due, days)
    while due <= days and chance > 1e-9:
        payments += chance * _worth(due, discount)
        lasts = min(one.period, days - due)
        running += chance * _worth(due + lasts / 2.0, discount) * lasts
        chance *= stays(model, age, age + one.period)
        due, age = due + one.period, age + one.period
    return Ahead(renewed, payments, running / days)


def _worth(days: float, discount: float) -> float:
    """What one is worth that comes in so many days."""
    return float((1.0 + discount) ** (-days / YEAR))
