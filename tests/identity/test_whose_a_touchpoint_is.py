"""Founding, following and merging: whose a touchpoint is when nothing met contradicts anything."""

from aggregates.identity import DEFAULT_RULES, settled
from tests.identity.telling import Story, clusters, tokens


def test_who_names_nothing_is_nobodys() -> None:
    met = Story().meet("")
    assert met.customer is None
    assert met.decider is None
    assert not met.change.links


def test_an_unknown_identifier_founds_a_customer_named_for_the_event() -> None:
    met = Story().meet("phone:1")
    assert met.customer == Story.founded_by(0)
    assert met.decider == "phone:1"
    assert met.change.founded == 1
    assert [(link.token, link.owner, link.number, link.before) for link in met.change.links] == [("phone:1", str(met.customer), 2, "")]


def test_a_known_identifier_changes_nothing() -> None:
    story = Story("phone:1")
    met = story.meet("phone:1")
    assert met.customer == story.owner("phone:1")
    assert met.change.links == ()
    assert met.change.founded == 0


def test_what_is_met_together_is_one_customers() -> None:
    story = Story("phone:1 email:a", "email:a customer_number:7")
    assert story.clusters == clusters("phone:1 email:a customer_number:7")
    assert story.meet("customer_number:7").customer == story.owner("phone:1")


def test_the_strongest_identifier_decides_whatever_the_order_it_was_given_in() -> None:
    assert Story().meet("device:d phone:1 national_id:n").decider == "national_id:n"
    assert Story().meet("national_id:n phone:1 device:d").decider == "national_id:n"
    assert Story().meet("phone:2 phone:1").decider == "phone:1"
    assert Story("phone:2 phone:1").meet("phone:2 phone:1").decider == "phone:1"


def test_the_same_identifier_named_twice_is_one() -> None:
    met = Story().meet("phone:1 phone:1")
    assert len(met.change.links) == 1


def test_strong_identifiers_met_together_make_their_customers_one_and_the_older_stays() -> None:
    story = Story("phone:1", "email:a")
    older, younger = story.owner("phone:1"), story.owner("email:a")
    met = story.meet("email:a phone:1")
    assert met.customer == older
    assert met.losers == (younger,)
    assert [(link.token, link.owner, link.before) for link in met.change.links] == [("email:a", str(older), str(younger))]
    assert story.clusters == clusters("phone:1 email:a")


def test_age_goes_by_founding_not_by_name_or_strength() -> None:
    story = Story("social:x", "national_id:n", "account:c")
    first = story.owner("social:x")
    assert story.meet("account:c national_id:n").customer == story.owner("national_id:n")
    assert story.meet("national_id:n social:x").customer == first
    assert {story.owner(token) for token in ("social:x", "national_id:n", "account:c")} == {first}


def test_all_that_a_merged_customer_owned_goes_with_him() -> None:
    story = Story("phone:1", "email:a device:d card:c", "device:d")
    met = story.meet("phone:1 email:a")
    assert {link.token for link in met.change.links} == {"email:a", "device:d", "card:c"}
    assert story.clusters == clusters("phone:1 email:a device:d card:c")


def test_chains_of_merges_end_at_the_oldest() -> None:
    story = Story("phone:1", "phone:2", "phone:3", "phone:3 phone:2", "phone:2 phone:1")
    assert {story.owner(f"phone:{n}") for n in (1, 2, 3)} == {Story.founded_by(0)}


def test_three_customers_become_one_at_once_and_each_loser_is_told() -> None:
    story = Story("phone:1", "email:a", "account:c")
    met = story.meet("account:c email:a phone:1")
    assert met.customer == story.owner("phone:1")
    assert set(met.losers) == {Story.founded_by(1), Story.founded_by(2)}


def test_an_anonymous_visitor_who_says_who_he_is_stays_the_same_customer() -> None:
    story = Story("device:d")
    visitor = story.owner("device:d")
    met = story.meet("phone:1 device:d")
    assert met.customer == visitor
    assert met.losers == ()
    assert story.clusters == clusters("device:d phone:1")


def test_an_anonymous_visitor_who_turns_out_to_be_known_is_merged() -> None:
    story = Story("phone:1", "device:d")
    met = story.meet("phone:1 device:d")
    assert met.customer == story.owner("phone:1")
    assert len(met.losers) == 1
    assert story.clusters == clusters("phone:1 device:d")


def test_all_the_devices_of_an_anonymous_visitor_come_along() -> None:
    story = Story("device:a", "device:b", "device:a device:b", "email:e device:b")
    assert story.clusters == clusters("device:a device:b email:e")


def test_devices_met_together_are_one_visitors_whichever_was_met_first() -> None:
    apart_first = Story("device:a", "card:c", "device:a card:c")
    together_first = Story("device:a card:c", "device:a", "card:c")
    assert apart_first.clusters == together_first.clusters == clusters("device:a card:c")


def test_a_device_met_with_one_of_a_known_customer_is_his() -> None:
    story = Story("card:c", "phone:1 device:d")
    assert story.meet("device:d card:c").customer == story.owner("phone:1")
    assert story.clusters == clusters("phone:1 device:d card:c")


def test_nearly_every_touchpoint_is_settled_without_looking_further() -> None:
    story = Story("phone:1 device:d", "phone:2")
    owner_of = story.known.owners.get
    easy = settled(owner_of, tokens("device:d phone:1"), DEFAULT_RULES)
    assert easy is not None
    assert (easy.customer, easy.decider) == (story.owner("phone:1"), "phone:1")
    assert settled(owner_of, tokens("phone:1 phone:2"), DEFAULT_RULES) is None
    assert settled(owner_of, tokens("phone:3"), DEFAULT_RULES) is None
    assert settled(owner_of, tokens("phone:1 phone:3"), DEFAULT_RULES) is None
