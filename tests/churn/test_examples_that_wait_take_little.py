"""A horizon of examples waits for labels, which is most of the memory that a long log takes: they are kept small, and lose nothing."""

import tracemalloc

from projections.churn.anchors import Anchors
from streams.learning.learner import Prediction
from streams.learning.waiting import Example, packed


def example(number: int) -> Example:
    features = {f"feature {n}": number / (n + 3.0) for n in range(40)} | ({"said:city=shiraz": 1.0} if number % 3 else {})
    experts = tuple(number / (n + 7.0) for n in range(7))
    return Example(f"c{number}", 9, features, Anchors(number / 3.0, 0.1, -0.2), Prediction(number / 11.0, experts), silent=True)


def test_what_waited_is_what_it_was_to_the_digit_and_in_the_order_of_its_names() -> None:
    told = [example(number) for number in range(50)]
    waited = packed(9, told, silent=True)
    assert list(waited) == told
    assert len(waited) == 50
    assert [list(one.features) for one in waited] == [list(one.features) for one in told]
    assert list(packed(9, [], silent=False)) == []


def test_an_example_that_waits_takes_less_than_half_a_kilobyte() -> None:
    told = [example(number) for number in range(2_000)]
    tracemalloc.start()
    waited = packed(9, told, silent=True)
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(waited) == 2_000
    assert taken < 2_000 * 512
