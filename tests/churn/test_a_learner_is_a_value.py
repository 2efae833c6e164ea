"""A learner can be written down and read again to the bit, says exactly why, and never depends on the order within a day."""

import math
import random

import numpy as np
import pytest

from aggregates.churn import Definition
from infra.evaluation import churn, reading
from projections.churn import reasons, weights
from projections.churn.anchors import Anchors, anchors
from projections.churn.features import features
from streams.learning import snapshot, vocabulary
from streams.learning.course import Course
from streams.learning.learner import NAMES, VERSION, Labelled, Prediction, fresh, learn, predict
from streams.learning.linear import weights_of
from streams.learning.snapshot import SnapshotRefused
from tests.churn.synthetic import World, log

DEFINITION = Definition(horizon=30)


@pytest.fixture(scope="module")
def course() -> Course:
    world = World(customers=150, days=200, joining=100, complaints=0.02, leaving=0.5)
    return churn.run(DEFINITION, reading.facts(log(world, 1)).told, lambda _: None)[0]


def customers(course: Course) -> list[tuple[dict[str, float], Anchors]]:
    found = []
    for state in course.states.values():
        now = state.at + 3.0
        seen = features(DEFINITION, state, now)
        found.append((seen, anchors(DEFINITION, state, now)))
    return found


def test_a_loaded_snapshot_says_the_same_to_the_bit_and_goes_on_learning_the_same(course: Course) -> None:
    loaded = snapshot.decode(snapshot.encode(course.learner, b"key"), b"key")
    assert snapshot.encode(loaded) == snapshot.encode(course.learner)
    assert [predict(loaded, *one) for one in customers(course)] == [predict(course.learner, *one) for one in customers(course)]
    day = [
        Labelled(seen, counted, predict(loaded, seen, counted), lost=bool(place % 2))
        for place, (seen, counted) in enumerate(customers(course))
    ]
    assert snapshot.encode(learn(loaded, day)) == snapshot.encode(learn(course.learner, day))


def test_what_was_changed_cut_or_signed_by_another_is_not_loaded(course: Course) -> None:
    written = snapshot.encode(course.learner, b"key")
    for place in (0, len(snapshot.MAGIC) + 3, len(written) // 2, len(written) - 1):
        with pytest.raises(SnapshotRefused):
            snapshot.decode(written[:place] + bytes([written[place] ^ 1]) + written[place + 1 :], b"key")
    for broken, key in ((written[:-1], b"key"), (written, b"other"), (b"", b"key")):
        with pytest.raises(SnapshotRefused):
            snapshot.decode(broken, key)


def test_a_snapshot_of_other_arithmetic_is_not_loaded(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    written = snapshot.encode(course.learner)
    monkeypatch.setattr(snapshot, "VERSION", 99)
    with pytest.raises(SnapshotRefused, match=f"arithmetic {VERSION}"):
        snapshot.decode(written)


def test_reasons_add_up_to_the_score_and_to_its_change(course: Course) -> None:
    for state in list(course.states.values())[:50]:
        said = []
        for later in (0.0, 20.0):
            seen = features(DEFINITION, state, state.at + later)
            counted = anchors(DEFINITION, state, state.at + later)
            summands = weights.parts(weights_of(course.learner), seen, counted)
            said.append((seen, predict(course.learner, seen, counted).logit, summands))
        (_, before, parts_before), (seen, after, parts) = said
        told = reasons.reasons(parts, parts_before, seen, DEFINITION, state)
        assert sum(reason.level for reason in told) == pytest.approx(after, abs=1e-9)
        assert sum(reason.change for reason in told) == pytest.approx(after - before, abs=1e-9)
        assert all(reason.fa and reason.en for reason in told)


def test_the_order_within_a_day_does_not_matter(course: Course) -> None:
    day = [
        Labelled(seen, counted, predict(course.learner, seen, counted), lost=bool(place % 3))
        for place, (seen, counted) in enumerate(customers(course))
    ]
    shuffled = random.Random(5).sample(day, len(day))
    seen, counted = customers(course)[0]
    assert predict(learn(course.learner, day), seen, counted).logit == pytest.approx(
        predict(learn(course.learner, shuffled), seen, counted).logit
    )


def test_before_any_label_the_score_is_near_what_the_prior_says() -> None:
    said = predict(fresh(90), {"one": 1.0}, Anchors(prior=1.0, decayed=1.0))
    assert said.logit == pytest.approx(1.0)
    assert 0.0 < said.score < 1.0
    assert predict(fresh(90), {"one": 1.0}, Anchors(prior=-900.0, decayed=-900.0)).score >= 0.0


def test_shares_of_the_race_add_up_and_go_to_who_is_better(course: Course) -> None:
    assert course.learner.shares.sum() == pytest.approx(1.0)
    assert fresh(30).shares.max() == fresh(30).shares[0]


def test_a_name_that_is_rare_never_becomes_a_feature_and_there_is_a_bound() -> None:
    words = vocabulary.named()
    rare = [{f"said:sku={number}": 1.0} for number in range(5_000)]
    words = vocabulary.admit(words, rare)
    assert words.names == vocabulary.FIXED
    assert len(words.waiting) <= vocabulary.WAITING
    often = [{f"said:kind={number}": 1.0 for number in range(500)}] * vocabulary.ENOUGH
    words = vocabulary.admit(words, often)
    assert len(words.names) == len(vocabulary.FIXED) + vocabulary.MOST


def test_an_expert_that_has_outgrown_what_it_said_is_judged_by_what_it_says() -> None:
    seen = [(what_is_seen(complains), Anchors(0.0, 0.0)) for complains in (0.0, 1.0) * 40]
    ignorant, grown = fresh(90), fresh(90)
    remembered = [predict(ignorant, *one) for one in seen]  # by which the experts on the prior are all alike
    for _ in range(5):
        day = [Labelled(*one, said, lost=one[0]["happened complaint"] > 0) for one, said in zip(seen, remembered, strict=True)]
        grown = learn(grown, day, days=60)
    assert grown.shares[NAMES.index("wide")] > 10 * grown.shares[NAMES.index("prior")]


def test_where_hardly_anybody_is_lost_the_race_is_not_run_on_a_handful() -> None:
    learner, chance = fresh(2), random.Random(6)
    for _ in range(200):
        day = []
        for place in range(200):
            lost = place < 2
            seen = what_is_seen(float(chance.random() < (0.5 if lost else 0.05)))
            day.append(Labelled(seen, Anchors(-3.0, -3.0), predict(learner, seen, Anchors(-3.0, -3.0)), lost=lost))
        learner = learn(learner, day)
    assert learner.lost > 45.0
    assert learner.shares[NAMES.index("scaled")] < 0.05  # it hears no complaints


def through(rates: list[float], horizon: int) -> list[float]:
    """What is said on each day of forty customers alike, of whom a share is lost within the horizon."""
    learner, seen = fresh(horizon), what_is_seen(0.0)
    waiting: list[tuple[Prediction, float]] = []
    said: list[float] = []
    for rate in rates:
        waiting.append((predict(learner, seen, Anchors()), rate))
        said.append(waiting[-1][0].logit)
        if len(waiting) > horizon:
            remembered, share = waiting.pop(0)
            learner = learn(learner, [Labelled(seen, Anchors(), remembered, lost=place < 40 * share) for place in range(40)])
    return said


def test_who_forgets_does_not_run_after_the_seasons() -> None:
    said = through([0.8 if (day // 30) % 2 else 0.2 for day in range(360)], 20)
    assert np.ptp(said[80:]) < 0.3


def test_a_counter_is_never_taken_the_wrong_way_round() -> None:
    learner = fresh(30)
    for _ in range(60):  # as where nobody is known who ordered less than four times
        day = [(Anchors(-bought, -bought), bought > 2.0) for bought in (0.5, 1.0, 1.5, 2.0, 2.5, 3.0) * 5]
        learner = learn(learner, [Labelled({}, counted, predict(learner, {}, counted), lost) for counted, lost in day])
    more, less = (dict(zip(NAMES, predict(learner, {}, Anchors(-bought, -bought)).experts, strict=True)) for bought in (3.0, 1.0))
    for name in ("prior", "scaled", "decayed"):
        assert more[name] < less[name], name


def test_many_labels_of_one_time_do_not_decide_the_race() -> None:
    learner, seen = fresh(90), what_is_seen(0.0)
    of_a_day = [Labelled(seen, counted := Anchors(2.0, -1.0), predict(learner, seen, counted), lost=place < 100) for place in range(400)]
    for _ in range(4):
        learner = learn(learner, of_a_day)
    assert learner.shares.max() < 0.3


def test_a_horizon_in_which_all_is_otherwise_does_not_give_all_weight_to_who_forgets() -> None:
    learner, seen = fresh(20), [what_is_seen(float(place % 2)) for place in range(40)]
    for day in range(220):
        lost = (0, 2, 4, 6, 8, 10, 12, 1, 3, 5) if day < 200 else (0, 1, 2)
        said = [predict(learner, one, Anchors()) for one in seen]
        told = zip(seen, said, strict=True)
        learner = learn(learner, [Labelled(one, Anchors(), it, lost=place % 20 in lost) for place, (one, it) in enumerate(told)])
    assert learner.shares[NAMES.index("quick")] < 0.8


def test_whose_word_counts_half_speaks_on_the_level_of_labels() -> None:
    learner, seen, counted = fresh(90), what_is_seen(0.0), Anchors(2.0, 2.0)
    for _ in range(8):
        learner = learn(learner, [Labelled(seen, counted, predict(learner, seen, counted), lost=place < 10) for place in range(100)])
    said = dict(zip(NAMES, predict(learner, seen, counted).experts, strict=True))
    assert said["half"] == pytest.approx(said["whole"], abs=0.1)
    assert said["whole"] < -1.5
    assert learner.beliefs[NAMES.index("half")] is learner.beliefs[NAMES.index("whole")]  # learnt once
    told = weights_of(learner)
    assert weights.logit(told, seen, counted) == pytest.approx(predict(learner, seen, counted).logit)


def shifts(shares: list[float], horizon: int) -> list[float]:
    """The shift that is applied after each day, of which a share of forty customers alike was lost."""
    learner, seen, shifted = fresh(horizon), what_is_seen(0.0), list[float]()
    for share in shares:
        said = predict(learner, seen, Anchors())
        learner = learn(learner, [Labelled(seen, Anchors(), said, lost=place < 40 * share) for place in range(40)])
        shifted.append(learner.correction[0])
    return shifted


def test_a_calibration_that_is_right_today_and_wrong_a_horizon_later_is_not_applied() -> None:
    seasons = [0.8 if (day // 20) % 2 else 0.2 for day in range(200)]  # a horizon later it is the other way round
    assert max(np.abs(shifts(seasons, 20)[60:])) < 0.02


def test_a_calibration_that_was_not_tried_yet_is_hardly_applied() -> None:
    for_a_horizon = [0.2] * 100 + [0.8] * 20 + [0.2] * 40
    assert max(np.abs(shifts(for_a_horizon, 20)[100:])) < 0.1


def test_a_calibration_that_is_still_right_a_horizon_later_is_applied() -> None:
    assert shifts([0.2] * 100 + [0.8] * 60, 20)[-1] > 0.2


def test_a_type_that_is_a_sure_sign_is_soon_one_and_a_word_that_it_is_said_with_is_learnt_with_care() -> None:
    chance = random.Random(5)
    for kind, surest in (("account.closed", (0.9, 1.0)), ("account|state=closed", (0.0, 0.85))):
        closed = what_is_seen(0.0) | {f"happened:{kind}": math.log(2.0)}
        learner, counters = fresh(30), Anchors(0.0, 0.0, 0.0)
        for _ in range(60):
            seen = [(closed if nth < 2 else what_is_seen(0.0), nth < 2 or chance.random() < 0.2) for nth in range(40)]
            learner = learn(learner, [Labelled(of, counters, predict(learner, of, counters), lost) for of, lost in seen])
        assert surest[0] < predict(learner, closed, counters).score < surest[1], kind


def what_is_seen(complains: float) -> dict[str, float]:
    return dict.fromkeys(vocabulary.FIXED, 0.0) | {"one": 1.0, "happened complaint": complains}
