"""Predicts churn with several experts that race, and learns from a day of labels at once. Values in, values out.

An expert is an offset that is right before any label (a counter's logit) and a Bayesian logistic regression on top of it. Their logits are
pooled with weights won in the race, and the pool is calibrated. A sum of logits is a sum of summands: so every score has exact reasons.
Reading order: Recipe, Learner, predict, learn.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from msgspec import Struct

from projections.churn.anchors import Anchors
from streams.learning import logistic, vocabulary
from streams.learning.logistic import Array, Logistic
from streams.learning.vocabulary import Vocabulary

VERSION = 13
"""Of the arithmetic: a snapshot of another version is not loaded."""

SHARPNESS = 300.0
"""How fast a worse expert loses its weight: by e for 1/300 of mean log-loss. Near equals stay mixed, which is better than either."""

SETTLED = 8.0
"""Horizons since the first label after which the race is so sharp. Thousands of labels of one time are still of one time: what fits the
first of them best is mostly an expert that was wrong the other way about, and the score jumps when its weight goes to the next."""

PRESENT = 0.75
"""How much of an expert's loss in the race is that of what it says of a label now, just before it learns it; the rest is that of what it
said then. By what was said then alone, all are judged as those they were a horizon ago, when some had learnt nothing."""

PRESENT_OF_QUICK = 0.7
"""The same of an expert that forgets: it follows the labels day by day, and is applied a horizon ahead, when a season has turned."""

DISCOUNT = 4.0
"""Labels that say as much as one that is alone: a customer has several, and a day's go together."""

MEMORY = 0.5
"""Horizons after which a loss in the race counts half at first: who was misled by early labels may come back soon."""

GROWTH = 0.25
LONGEST_MEMORY = 2.0
"""Later it is this share of the time since the first label, up to so many horizons: early errors are long over, and a race that forgets
faster than a season turns runs after it."""

LEVELLED = 20.0
"""Labels at least from which it is told how far an expert speaks above "whole", whose level it takes."""

CALIBRATION_MEMORY = 1.0
"""Horizons after which a label counts half in the calibration."""

TRIAL = 1.0
"""Horizons after which a loss counts half in what the calibration is judged by."""

DOUBT = 0.8
"""How much of the belief is against a calibration before it is tried: experts say chances already, and a level that is moved to where
labels were a horizon ago mostly runs after them."""

VERDICT = 1000.0
"""How sharply the calibration is judged, where experts are by SHARPNESS: once all have changed for good, it must be applied soon."""

FEW = 200.0
"""Labels that are not forgotten however old they are: where little happens, a new race would be run on a handful."""

FEW_OF_EACH = 50.0
"""So many of those who were lost and of those who were not: where hardly anybody is lost, many labels tell of a handful too."""


class Recipe(NamedTuple):
    """How an expert is made."""

    name: str
    anchor: str  # the counter that it starts from
    inputs: str  # "none", "anchor" (an intercept and the counter alone) or "all"
    share: float  # of its weights that is used: the rest of the word is the anchor's
    life: float  # horizons after which a label counts half; 0: for ever
    start: float  # its weight before the race
    width: float = 1.0  # how much farther from 0 its weights may be than is usual: who may go far learns fast, and errs fast
    levelled: bool = False  # whether it tells only who is lost, and how many are it takes from "whole"

    @property
    def learns(self) -> tuple[str, str, float, float]:
        """All that its belief depends on: two that are alike in it believe the same."""
        return self.anchor, self.inputs, self.life, self.width


RECIPES = (
    Recipe("prior", "prior", "none", 1.0, 0.0, 0.3),
    Recipe("scaled", "prior", "anchor", 1.0, 0.0, 0.1),
    Recipe("decayed", "decayed", "anchor", 1.0, 0.0, 0.1),
    Recipe("half", "prior", "all", 0.5, 0.0, 0.15, levelled=True),
    Recipe("whole", "prior", "all", 1.0, 0.0, 0.15),
    Recipe("wide", "prior", "all", 1.0, 0.0, 0.15, 4.0),
    Recipe("quick", "prior", "all", 1.0, 1.0, 0.05, 2.0, levelled=True),
)


class Learner(Struct, frozen=True):
    """Everything that was learnt so far."""

    horizon: int
    vocabulary: Vocabulary
    beliefs: tuple[Logistic, ...]  # one a recipe; of "none" and "anchor" two weights: intercept and counter
    losses: Array  # a recipe's sum of losses, fading
    labels: float  # how many labels that is
    lost: float  # and of how many of them somebody was lost
    calibration: Logistic  # intercept, and what is added to the slope
    calibrations: Array  # what it was after each of the last days, as far back as labels judge it: day since the first, intercept, slope
    calibrating: Array  # sums of losses without it and with what it was when a label's example was told, and of how many labels; fading
    shares: Array  # what the race says of the experts: weights that add up to 1
    correction: tuple[float, float]  # intercept and slope: as much of the calibration as has shown to be better than none
    above: Array  # how far each expert speaks above "whole", which is taken off where it takes its level from there
    levelling: float = 0.0  # of how many labels that is
    learnt: int = 0  # labels in all
    version: int = VERSION


class Prediction(Struct, frozen=True, gc=False):
    """What is said of a customer, and what must be remembered to judge it."""

    logit: float
    experts: tuple[float, ...]

    @property
    def score(self) -> float:
        """The chance that he is lost."""
        return float(logistic.sigmoid(np.float64(self.logit)))  # type: ignore[arg-type]


class Labelled(Struct, frozen=True, gc=False):
    """A remembered example whose label is known."""

    features: Mapping[str, float]
    anchors: Anchors
    prediction: Prediction
    lost: bool


NAMES = tuple(recipe.name for recipe in RECIPES)
WHOLE = NAMES.index("whole")
STARTS = np.array([recipe.start for recipe in RECIPES])
LEVELLED_BY_WHOLE = np.array([float(recipe.levelled) for recipe in RECIPES])
PRESENTS = np.array([PRESENT_OF_QUICK if recipe.life else PRESENT for recipe in RECIPES])
TRIED = np.array([DOUBT, 1.0 - DOUBT])
ANCHOR_DEVIATIONS = np.array([1.0, 0.5])
CALIBRATION_DEVIATIONS = np.array([0.2, 0.1])


def fresh(horizon: int) -> Learner:
    """A learner that knows nothing but its anchors."""
    words = vocabulary.named()
    beliefs = tuple(logistic.ignorant(_deviations(recipe, words)) for recipe in RECIPES)
    ignorant = logistic.ignorant(CALIBRATION_DEVIATIONS)
    nothing, uncorrected = np.zeros(len(RECIPES)), (0.0, 1.0)
    return Learner(horizon, words, beliefs, nothing, 0.0, 0.0, ignorant, np.zeros((1, 3)), np.zeros(3), STARTS, uncorrected, above=nothing)


def predict(learner: Learner, features: Mapping[str, float], anchors: Anchors) -> Prediction:
    """What is said now, by each expert and by all."""
    (said,) = predict_all(learner, [features], [anchors])
    return said


def predict_all(learner: Learner, features: Sequence[Mapping[str, float]], anchors: Sequence[Anchors]) -> list[Prediction]:
    """The same of several customers, each by himself."""
    experts = all_say(learner, vocabulary.matrix(learner.vocabulary, features), np.array(anchors))
    shift, slope = learner.correction
    logits = shift + slope * _sums(experts, learner.shares)
    return [Prediction(logit, tuple(of)) for logit, of in zip(logits.tolist(), experts.tolist(), strict=True)]


def learn(learner: Learner, day: Sequence[Labelled], days: int = 1) -> Learner:
    """The learner after the labels of one example day, which came so many days after the day before it."""
    if not day:
        return learner
    words = vocabulary.admit(learner.vocabulary, [example.features for example in day])
    inputs = vocabulary.matrix(words, [example.features for example in day])
    anchors = np.array([example.anchors for example in day])
    lost = np.array([float(example.lost) for example in day])
    said = np.array([example.prediction.experts for example in day])
    say = all_say(learner, inputs, anchors)  # now, of labels that it has not learnt
    pooled = say @ learner.shares  # what it said then is outgrown
    now, calibrations = _known_when_said(learner, days)
    calibrated = pooled + calibrations[0, 1] + calibrations[0, 2] * pooled
    held = _held(learner)
    memory = min(max(MEMORY * learner.horizon, GROWTH * now), LONGEST_MEMORY * learner.horizon)
    fade = max(0.5 ** (days / memory), held)
    keep = max(0.5 ** (days / (CALIBRATION_MEMORY * learner.horizon)), held)
    beliefs = dict[tuple[str, str, float, float], Logistic]()  # whose word counts half has learnt what whose word counts whole has
    for recipe, belief in zip(RECIPES, learner.beliefs, strict=True):
        if recipe.learns not in beliefs:
            beliefs[recipe.learns] = _learnt(recipe, belief, words, inputs, anchors, lost, days / learner.horizon)
    each = (1.0 - PRESENTS) * logistic.losses(said, lost[:, None]) + PRESENTS * logistic.losses(say, lost[:, None])
    losses = fade * learner.losses + each.sum(axis=0)
    labels = fade * learner.labels + len(day)
    sharpness = SHARPNESS * (min(1.0, now / (SETTLED * learner.horizon)) if now else 1.0)  # in a table no time passes
    tried = max(0.5 ** (days / (TRIAL * learner.horizon)), FEW / max(float(learner.calibrating[2]), FEW))
    without, with_it = (float(logistic.losses(said, lost).sum()) for said in (pooled, calibrated))
    calibrating = tried * learner.calibrating + np.array([without, with_it, len(day)])
    calibration = logistic.learn(
        learner.calibration, CALIBRATION_DEVIATIONS, np.stack([np.ones_like(pooled), pooled], axis=1), pooled, lost, keep
    )
    return Learner(
        learner.horizon,
        words,
        tuple(beliefs[recipe.learns] for recipe in RECIPES),
        losses,
        labels,
        fade * learner.lost + float(lost.sum()),
        calibration,
        np.concatenate([calibrations, [[now, *calibration.mean]]]),
        calibrating,
        _shares(losses, labels, STARTS, sharpness),
        _corrected(calibration, calibrating),
        *_above(learner, say),
        learner.learnt + len(day),
    )


def _shares(losses: Array, labels: float, starts: Array, sharpness: float = SHARPNESS) -> Array:
    """Exponential weights by mean loss; few labels say little."""
    means = losses / max(labels, 1.0)
    logs = np.log(starts) - min(labels / DISCOUNT, sharpness) * (means - means.min())
    shares = np.exp(logs - logs.max())
    return np.asarray(shares / shares.sum(), dtype=np.float64)


def _above(learner: Learner, say: Array) -> tuple[Array, float]:
    """How far each expert that takes its level from "whole" speaks above it of the day's examples, or of some more. Who forgets is to
    follow what tells who is lost, not how many are: what raises or lowers all for a while is over a horizon later, when it would be
    applied, and would part customers by their day. Whose word counts half would have gone only half the way to where labels are."""
    held = min(learner.levelling, max(LEVELLED - len(say), 0.0))
    apart = (say - say[:, [WHOLE]]).sum(axis=0) + len(say) * learner.above  # without what is taken off already
    return LEVELLED_BY_WHOLE * (held * learner.above + apart) / (held + len(say)), held + len(say)


def _held(learner: Learner) -> float:
    """The share of its labels that is not forgotten however old they are."""
    fewer = min(learner.lost, learner.labels - learner.lost)
    return max(FEW / max(learner.labels, FEW), FEW_OF_EACH / max(fewer, FEW_OF_EACH))


def _known_when_said(learner: Learner, days: int) -> tuple[float, Array]:
    """The day of the labels, and the calibrations since the one that was known when that day's examples were told, that one first: a
    horizon ahead is what it is applied to. Where no time passes, as in a table, a label is known at once."""
    known = learner.calibrations
    now = float(known[-1, 0]) + days
    then = int(np.searchsorted(known[:, 0], now - (learner.horizon + 1 if days else 0), side="right"))
    return now, known[max(then - 1, 0) :]


def _corrected(calibration: Logistic, calibrating: Array) -> tuple[float, float]:
    """The calibration, as far as it won against none."""
    share = float(_shares(calibrating[:2], float(calibrating[2]), TRIED, VERDICT)[1])
    return share * float(calibration.mean[0]), 1.0 + share * float(calibration.mean[1])


def all_say(learner: Learner, inputs: Array, anchors: Array) -> Array:
    """What each expert says of some examples now, one column a recipe."""
    said = []
    for recipe, belief, above in zip(RECIPES, learner.beliefs, learner.above.tolist(), strict=True):
        anchor = anchors[:, Anchors._fields.index(recipe.anchor)]
        if recipe.inputs == "anchor":
            shift, slope = logistic.rising(belief)
            said.append(shift + slope * anchor)
        elif recipe.inputs == "all":
            known = len(belief.mean)
            said.append(anchor + recipe.share * _sums(inputs[:, :known], belief.mean) - above)
        else:
            said.append(anchor)
    return np.stack(said, axis=1)


def _sums(rows: Array, weights: Array) -> Array:
    """Each row's sum, by the same steps wherever it stands: a matrix product adds its last rows otherwise, and equals would be ranked."""
    return np.asarray(np.einsum("ij,j->i", rows, weights), dtype=np.float64)


def _learnt(recipe: Recipe, belief: Logistic, words: Vocabulary, inputs: Array, anchors: Array, lost: Array, horizons: float) -> Logistic:
    if recipe.inputs == "none":
        return belief
    offsets = anchors[:, Anchors._fields.index(recipe.anchor)]
    keep = 0.5 ** (horizons / recipe.life) if recipe.life else 1.0
    believed = _deviations(recipe, words)
    if recipe.inputs == "anchor":
        return logistic.learn(belief, believed, np.stack([np.ones_like(offsets), offsets], axis=1), offsets, lost, keep)
    if len(believed) > len(belief.mean):
        belief = logistic.grow(belief, believed[len(belief.mean) :])
    return logistic.learn(belief, believed, inputs, offsets, lost, keep)


def _deviations(recipe: Recipe, words: Vocabulary) -> Array:
    return vocabulary.deviations(words.names, recipe.width) if recipe.inputs == "all" else ANCHOR_DEVIATIONS
