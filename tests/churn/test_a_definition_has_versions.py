"""What churn means is decided by people: a version is scored beside the one in force, then adopted, or retired."""

from datetime import UTC, datetime

import pytest

from aggregates import churn_model
from aggregates.churn import Definition
from aggregates.churn_model import NotAllowed

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_definition_is_in_force_from_the_start_so_that_scores_flow() -> None:
    assert churn_model.first("churn").in_force == 1
    assert churn_model.first("other").in_force is None


def test_a_change_is_scored_beside_and_takes_over_when_adopted() -> None:
    before = churn_model.first("churn")
    published = churn_model.publish(before, Definition(horizon=60), NOW, "me")
    beside = churn_model.evolve(before, published)
    assert (beside.in_force, beside.versions[2][1]) == (1, "beside")
    after = churn_model.evolve(beside, churn_model.adopt(beside, 2, NOW, "me"))
    assert (after.in_force, after.versions[1][1]) == (2, "retired")
    decisions = [churn_model.decision("churn", before, published)]
    assert churn_model.standing_of("churn", decisions) == beside


def test_the_first_version_of_a_name_is_in_force() -> None:
    standing = churn_model.first("phones")
    standing = churn_model.evolve(standing, churn_model.publish(standing, Definition(name="phones", kind="contractual"), NOW, "me"))
    assert standing.in_force == 1


def test_the_one_in_force_may_learn_anew_from_the_log_once_at_a_time() -> None:
    standing = churn_model.first("churn")
    standing = churn_model.evolve(standing, again := churn_model.publish(standing, Definition(), NOW, "me"))
    assert again.definition == Definition(version=2)
    with pytest.raises(NotAllowed, match="exactly this"):
        churn_model.publish(standing, Definition(), NOW, "me")
    standing = churn_model.evolve(standing, churn_model.adopt(standing, 2, NOW, "me"))
    assert standing.in_force == 2


def test_what_makes_no_sense_is_refused() -> None:
    standing = churn_model.first("churn")
    with pytest.raises(NotAllowed, match="not scored beside"):
        churn_model.adopt(standing, 1, NOW, "me")
    retired = churn_model.evolve(standing, churn_model.retire(standing, 1, NOW, "me"))
    with pytest.raises(NotAllowed, match="not scored"):
        churn_model.retire(retired, 1, NOW, "me")


def test_no_definition_is_called_like_the_score_of_what_customers_are_worth() -> None:
    with pytest.raises(NotAllowed, match="what customers are worth"):
        churn_model.publish(churn_model.first("value"), Definition(name="value"), NOW, "me")
