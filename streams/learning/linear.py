"""Says what a learner comes to: the one sum of weights by which it is applied, anywhere and without it.

Reading order: weights_of, model_of.
"""

import numpy as np

from projections.churn.weights import Model, Weights
from streams.learning import logistic
from streams.learning.learner import RECIPES, Learner


def weights_of(learner: Learner) -> Weights:
    """The sum whose value is what `predict` says."""
    shift, slope = learner.correction
    everybody, counters = shift, {"prior": 0.0, "decayed": 0.0}
    linear = np.zeros(len(learner.vocabulary.names))
    for recipe, belief, share, above in zip(RECIPES, learner.beliefs, learner.shares, learner.above.tolist(), strict=True):
        counted = 1.0
        if recipe.inputs == "anchor":
            intercept, counted = logistic.rising(belief)
            everybody += slope * float(share) * intercept
        elif recipe.inputs == "all":
            linear[: len(belief.mean)] += float(share) * recipe.share * belief.mean
            everybody -= slope * float(share) * above
        counters[recipe.anchor] += slope * float(share) * counted
    found = {name: slope * float(weight) for name, weight in zip(learner.vocabulary.names, linear, strict=True) if weight}
    return Weights(everybody, counters["prior"], counters["decayed"], found)


def model_of(learner: Learner, silence: Learner) -> Model:
    """Both learners' sums."""
    return Model(weights_of(learner), weights_of(silence))
