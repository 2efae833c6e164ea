"""A model is worth its name when it beats the counters: on real orders, and on invented logs of many kinds."""

import random
from functools import cache

import pytest

from aggregates.churn import Definition
from infra.evaluation import churn, reading, table
from infra.evaluation.churn import Report
from streams.learning.metrics import Metrics
from tests.churn.synthetic import World, log


def area(metrics: Metrics) -> float:
    assert metrics.auc is not None
    return metrics.auc


def test_on_real_orders_it_ranks_and_says_chances_better_than_every_rival(on_cdnow: Report) -> None:
    assert on_cdnow.tail is not None
    for judgement in (on_cdnow.half, on_cdnow.tail):
        model = judgement.models["model"]
        assert area(model) >= 0.748
        assert model.log_loss <= 0.572
        for rival in ("purchase_count", "decayed_count", "prior", "batch"):
            assert area(model) > area(judgement.models[rival]), rival
            assert model.log_loss < judgement.models[rival].log_loss, rival
    assert area(on_cdnow.tail.models["decayed_count"]) == pytest.approx(0.7506, abs=0.001)


def test_on_real_orders_no_month_is_below_the_decayed_count(on_cdnow: Report) -> None:
    assert len(on_cdnow.months) >= 14
    for month in on_cdnow.months:
        assert month["model"] >= month["decayed_count"] - 0.005, month


WITHOUT_SIGNAL = {
    "poisson": (World(customers=700), 90),
    "long horizon": (World(customers=600, days=700), 180),
    "short horizon": (World(customers=600), 30),
    "few customers": (World(customers=250), 60),
    "dense": (World(customers=250, gap=5.0, lifetime=120.0), 30),
    "sparse": (World(customers=1_200, gap=120.0, days=900, lifetime=500.0), 90),
}
WITH_SIGNAL = {
    "complaints": (World(customers=700, complaints=0.01, leaving=0.5, lifetime=600.0), 60),
    "complaints of dense buyers": (World(customers=250, gap=6.0, complaints=0.02, leaving=0.4, lifetime=300.0), 30),
    "segments": (World(customers=700, segments=True), 60),
    "amounts": (World(customers=700, amounts=True), 60),
    "clockwork": (World(customers=500, regular=20.0, gap=30.0, variety=0.6, lifetime=150.0), 20),
    "events that go on after he left": (World(customers=250, noise=0.05), 60),
}
IN_TIMES_OF_ORDERS_ALONE = {
    "lines of opposite seasons": (World(customers=300, gap=10.0, days=900, lifetime=900.0, seasons=1.2), 90, 0.07),
    "companies that order less and less": (World(customers=120, gap=14.0, regular=8.0, days=700, slowing=1.5), 60, 0.11),
}


@cache
def report(world: World, horizon: int) -> Report:
    return churn.evaluate(Definition(horizon=horizon), reading.facts(log(world, 7)).told, None, lambda _: None)


def judged(world: World, horizon: int) -> dict[str, Metrics]:
    return report(world, horizon).half.models


@pytest.mark.parametrize("name", WITHOUT_SIGNAL)
def test_where_counts_tell_all_it_is_never_clearly_below_them(name: str) -> None:
    models = judged(*WITHOUT_SIGNAL[name])
    for rival in ("purchase_count", "decayed_count"):
        assert area(models["model"]) > area(models[rival]) - 0.005
        assert models["model"].log_loss < models[rival].log_loss + 0.005
    assert models["model"].calibration_error < 0.06


@pytest.mark.parametrize("name", WITH_SIGNAL)
def test_where_more_is_told_it_is_clearly_above_them(name: str) -> None:
    models = judged(*WITH_SIGNAL[name])
    for rival in ("purchase_count", "decayed_count", "prior"):
        assert area(models["model"]) > area(models[rival]) + (0.005 if rival == "prior" else 0.01), rival
        assert models["model"].log_loss < models[rival].log_loss - 0.01, rival


@pytest.mark.parametrize("name", IN_TIMES_OF_ORDERS_ALONE)
def test_a_season_of_his_own_and_a_rhythm_that_slows_are_heard_where_nothing_else_is_told(name: str) -> None:
    world, horizon, more = IN_TIMES_OF_ORDERS_ALONE[name]
    models = judged(world, horizon)
    for rival in ("purchase_count", "decayed_count", "prior"):
        assert area(models["model"]) > area(models[rival]) + more, rival
        assert models["model"].log_loss < models[rival].log_loss - 0.01, rival


def test_who_uses_less_than_he_used_to_is_heard_however_much_others_use() -> None:
    models = judged(World(customers=250, gap=20.0, variety=0.3, use=0.15), 45)
    for rival in ("purchase_count", "decayed_count", "prior"):
        assert area(models["model"]) > area(models[rival]) + 0.09, rival
        assert models["model"].log_loss < models[rival].log_loss - 0.03, rival


def test_whose_orders_get_smaller_is_heard_though_each_by_itself_is_chance() -> None:
    models = judged(World(customers=150, gap=6.0, variety=0.3, cheaper=1.2), 30)
    for rival in ("purchase_count", "decayed_count", "prior"):
        assert area(models["model"]) > area(models[rival]) + 0.29, rival
        assert models["model"].log_loss < models[rival].log_loss - 0.04, rival


@pytest.mark.parametrize("name", ["poisson", "dense", "complaints"])
def test_the_silent_are_told_apart_by_far_better_than_by_counts_and_their_chances_are_true(name: str) -> None:
    silent = report(*(WITHOUT_SIGNAL | WITH_SIGNAL)[name]).silent
    assert silent is not None
    for rival in ("purchase_count", "decayed_count", "prior"):
        assert area(silent.models["model"]) > area(silent.models[rival]) + 0.02, rival
        assert silent.models["model"].log_loss < silent.models[rival].log_loss - 0.02, rival
    assert silent.models["model"].calibration_error < 0.06


def test_a_table_without_time_is_learnt_row_by_row() -> None:
    chance = random.Random(3)
    rows = []
    for number in range(1_500):
        plan, months = chance.choice(["basic", "gold"]), chance.randrange(60)
        lost = chance.random() < (0.7 if plan == "basic" else 0.15)
        rows.append({"customerID": f"c-{number}-x", "plan": plan, "months": str(months), "Churn": "Yes" if lost else "No"})
    report = table.evaluate(rows, "Churn", lambda _: None)
    assert area(report.last_half) > 0.7
    assert report.model.log_loss < 0.6


def test_chance_alone_teaches_nothing() -> None:
    chance = random.Random(4)
    rows = [{"plan": chance.choice("ab"), "Churn": chance.choice(["0", "1"])} for _ in range(2_000)]
    assert area(table.evaluate(rows, "Churn", lambda _: None).last_half) == pytest.approx(0.5, abs=0.06)
