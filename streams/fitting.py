"""Fits the models of customer value by maximum likelihood, from customers' sufficient statistics. Pure, and in seconds for 10^5 customers.

Parameters are searched for on their logarithms, by Nelder and Mead's simplex (1965). Reading order: buying, spending, staying, lowest.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from projections.value.buying import Buying, History
from projections.value.spending import Spending
from projections.value.state import Ages
from projections.value.staying import Staying

Array = NDArray[np.float64]

STEPS = 1_500
NEAR = 1e-8
LIMIT = 12.0
"""Of the logarithms: beyond it nothing is believed."""


def buying(histories: Sequence[History]) -> Buying:
    """BG/NBD; customers with the same history are counted, not gone through."""
    same, counts = np.unique(np.array([(one.x, one.t_x, one.T) for one in histories], dtype=np.float64), axis=0, return_counts=True)
    x, t_x, seen = same.T
    repeated = x > 0

    def loss(logs: Array) -> float:
        r, alpha, a, b = np.exp(logs)
        first = gammaln(r + x) - math.lgamma(r) + r * math.log(alpha)
        first += math.lgamma(a + b) + gammaln(b + x) - math.lgamma(b) - gammaln(a + b + x)
        stays = -(r + x) * np.log(alpha + seen)
        left = np.where(repeated, math.log(a) - np.log(b + np.maximum(x, 1.0) - 1.0) - (r + x) * np.log(alpha + t_x), -np.inf)
        return -float(counts @ (first + np.logaddexp(stays, left))) / float(counts.sum())

    r, alpha, a, b = np.exp(lowest(loss, np.array([0.0, 1.0, 0.0, 0.0])))
    return Buying(float(r), float(alpha), float(a), float(b))


def spending(purses: Sequence[tuple[int, float]]) -> Spending:
    """Gamma-Gamma, from the number of purchases and their mean, of those who spent anything."""
    same, counts = np.unique(np.array(purses, dtype=np.float64), axis=0, return_counts=True)
    x, mean = same.T

    def loss(logs: Array) -> float:
        p, q, v = np.exp(logs)
        likelihood = gammaln(p * x + q) - gammaln(p * x) - math.lgamma(q) + q * math.log(v)
        likelihood += (p * x - 1.0) * np.log(mean) + p * x * np.log(x) - (p * x + q) * np.log(x * mean + v)
        return -float(counts @ likelihood) / float(counts.sum())

    p, q, v = np.exp(lowest(loss, np.array([1.0, 1.0, math.log(float(np.median(mean)))])))
    return Spending(float(p), float(q), float(v))


def staying(decided: Sequence[Ages]) -> Staying:
    """Exponential-Gamma, from when it was decided about each contract."""
    days = np.array([(ages.since, ages.until) for ages in decided], dtype=np.float64)
    same, counts = np.unique(np.round(days), axis=0, return_counts=True)
    since, until = same.T
    lost = until > since

    def loss(logs: Array) -> float:
        s, beta = np.exp(logs)
        lives = -s * np.log1p(since / beta)
        stays = -s * np.log((beta + until) / (beta + since))
        left = np.log(-np.expm1(np.where(lost, np.minimum(stays, -1e-300), -1.0)))
        return -float(counts @ (lives + np.where(lost, left, 0.0))) / float(counts.sum())

    s, beta = np.exp(lowest(loss, np.array([0.0, math.log(max(float(np.median(until)), 1.0))])))
    return Staying(float(s), float(beta))


def gammaln(numbers: Array) -> Array:
    """The logarithm of the gamma function; many of the numbers are equal."""
    unique, places = np.unique(numbers, return_inverse=True)
    return np.array([math.lgamma(number) for number in unique])[places]


def lowest(loss: Callable[[Array], float], start: Array) -> Array:
    """Where the loss is lowest, near enough."""

    def at(point: Array) -> float:
        found = loss(np.clip(point, -LIMIT, LIMIT))
        return found if math.isfinite(found) else math.inf

    simplex = [start, *(start + 0.5 * row for row in np.eye(len(start)))]
    losses = [at(point) for point in simplex]
    for _ in range(STEPS):
        order = np.argsort(losses)
        simplex, losses = [simplex[place] for place in order], [losses[place] for place in order]
        if losses[-1] - losses[0] < NEAR and float(np.abs(simplex[-1] - simplex[0]).max()) < 1e-4:
            break
        centre = np.mean(simplex[:-1], axis=0)
        reflected = 2.0 * centre - simplex[-1]
        found = at(reflected)
        if found < losses[0]:
            further = 3.0 * centre - 2.0 * simplex[-1]
            beyond = at(further)
            simplex[-1], losses[-1] = (further, beyond) if beyond < found else (reflected, found)
        elif found < losses[-2]:
            simplex[-1], losses[-1] = reflected, found
        else:
            nearer = 0.5 * (centre + (reflected if found < losses[-1] else simplex[-1]))
            inside = at(nearer)
            if inside < min(found, losses[-1]):
                simplex[-1], losses[-1] = nearer, inside
            else:
                simplex = [simplex[0], *(0.5 * (simplex[0] + point) for point in simplex[1:])]
                losses = [losses[0], *(at(point) for point in simplex[1:])]
    return np.asarray(np.clip(simplex[int(np.argmin(losses))], -LIMIT, LIMIT), dtype=np.float64)
