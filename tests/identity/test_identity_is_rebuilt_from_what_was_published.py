"""Customer events carry what attributing them changed: whoever reads them, in whatever order, knows who owns what."""

from hypothesis import given
from hypothesis import strategies as st

from aggregates.identity import Knowledge
from aggregates.wire import Identity, encoder, identity_decoder
from tests.identity.people import anything
from tests.identity.telling import Story


@given(met=anything(), data=st.data())
def test_the_facts_in_any_order_give_the_same_owners(met: list[str], data: st.DataObject) -> None:
    story = Story(*met)
    facts = data.draw(st.permutations([told for told in story.told if told[1] != Identity()]))
    again = Knowledge()
    for customer, change in facts:
        again.learn(customer, identity_decoder.decode(encoder.encode(change)))
    assert again.owners == story.known.owners
    assert again.detached == story.known.detached
    assert again.number == story.known.number
    assert again.customers == story.known.customers


@given(met=anything(), data=st.data())
def test_a_fact_learned_twice_changes_nothing(met: list[str], data: st.DataObject) -> None:
    story = Story(*met)
    again = Story(*met)
    for customer, change in data.draw(st.permutations(story.told)):
        again.known.learn(customer, change)
    assert again.known == story.known


@given(met=anything())
def test_every_fact_has_its_own_number_and_they_only_grow(met: list[str]) -> None:
    story = Story(*met)
    numbers = [
        number
        for _, change in story.told
        for number in sorted([*([change.founded] if change.founded else []), *(link.number for link in change.links)])
    ]
    assert numbers == list(range(1, len(numbers) + 1))
