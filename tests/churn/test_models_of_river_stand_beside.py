"""River's models are judged beside ours where one asks for them: on the same features and rows, with labels when they are known."""

from dataclasses import replace

from aggregates.churn import Definition, matures
from infra.evaluation import churn, reading
from infra.evaluation.online import Online
from projections.churn.anchors import Anchors
from streams.learning.course import Judged
from streams.learning.learner import Prediction
from streams.learning.waiting import Example
from tests.churn.synthetic import World, log

DEFINITION = Definition(horizon=30)
RIVALS = ["purchase_count", "decayed_count", "prior", "batch"]


def of_day(day: int, *, lost: bool) -> list[Judged]:
    return [Judged(Example("c", day, {"orders": 1.0}, Anchors(0.0, 0.0, 0.0), Prediction(0.0, ())), lost)]


def test_they_learn_no_label_before_it_is_known() -> None:
    known_by = matures(DEFINITION, 0)
    for kind in ("logistic", "forest"):
        online = Online(DEFINITION, kind)
        assert [online.say(day, of_day(day, lost=True)).tolist() for day in (0, 1, known_by - 1)] == [[0.0]] * 3
        assert online.say(known_by, of_day(known_by, lost=True))[0] > 0.0


def test_they_are_judged_on_the_same_rows_and_change_no_other_figure() -> None:
    told = reading.facts(log(replace(World(customers=60), days=200), 7)).told
    alone = churn.evaluate(DEFINITION, told, None, lambda _: None)
    beside = churn.evaluate(DEFINITION, told, None, lambda _: None, ["logistic", "forest"])
    assert [*alone.half.models] == ["model", *RIVALS]
    assert [*beside.half.models] == ["model", *RIVALS, "river_logistic", "river_forest"]
    assert {name: beside.half.models[name] for name in alone.half.models} == alone.half.models
    for kind in ("logistic", "forest"):
        area = beside.half.models[f"river_{kind}"].auc
        assert area is not None
        assert area > 0.5
