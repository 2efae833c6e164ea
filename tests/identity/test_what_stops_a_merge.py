"""Limits, conflicts and weak identifiers: what never makes two people one, and what is kept for a person to decide."""

import pytest

from aggregates.identity import DEFAULT_RULES, Kind, Rules
from tests.identity.telling import Story, clusters


def test_two_national_ids_are_two_people_however_much_they_share() -> None:
    story = Story("national_id:n phone:1", "national_id:m email:e")
    met = story.meet("phone:1 email:e")
    assert met.change.conflict == "merge: more than 1 of national_id"
    assert met.losers == ()
    assert story.clusters == clusters("national_id:n phone:1", "national_id:m email:e")


def test_a_touchpoint_in_conflict_goes_by_its_strongest_identifier() -> None:
    story = Story("national_id:n phone:1", "national_id:m email:e")
    assert story.meet("phone:1 email:e").customer == story.owner("email:e")
    assert story.meet("phone:1 national_id:m").customer == story.owner("national_id:m")


def test_a_second_national_id_at_a_shared_phone_is_another_person() -> None:
    story = Story("national_id:n phone:1")
    met = story.meet("national_id:m phone:1")
    assert met.change.conflict == "link: more than 1 of national_id"
    assert met.customer == story.owner("national_id:m")
    assert story.clusters == clusters("national_id:n phone:1", "national_id:m")


def test_the_other_person_at_a_shared_phone_may_be_the_visitor_of_the_device() -> None:
    story = Story("national_id:n phone:1", "device:d")
    visitor = story.owner("device:d")
    met = story.meet("national_id:m phone:1 device:d")
    assert met.customer == visitor
    assert met.change.founded == 0
    assert story.clusters == clusters("national_id:n phone:1", "national_id:m device:d")


def test_an_identifier_beyond_the_limit_is_not_linked_and_the_touchpoint_stays_where_it_is_known() -> None:
    story = Story("customer_number:7 phone:1 phone:2 phone:3 phone:4 phone:5")
    met = story.meet("customer_number:7 phone:6")
    assert met.customer == story.owner("customer_number:7")
    assert met.change.conflict == "link: more than 5 of phone"
    assert met.change.links == ()


def test_kinds_that_no_rule_names_have_a_limit_too() -> None:
    story = Story("loyalty:1 loyalty:2 loyalty:3 loyalty:4 loyalty:5 customer_number:7")
    assert story.meet("customer_number:7 loyalty:6").change.conflict == "link: more than 5 of loyalty"


def test_no_customer_grows_beyond_the_size_at_which_a_person_is_asked() -> None:
    rules = Rules({"phone": Kind(5, 10)}, most=3)
    story = Story("phone:1 phone:2", "phone:3 phone:4", rules=rules)
    met = story.meet("phone:1 phone:3")
    assert met.change.conflict == "merge: more than 3 identifiers"
    assert story.clusters == clusters("phone:1 phone:2", "phone:3 phone:4")


def test_a_merge_within_every_limit_happens_by_itself() -> None:
    story = Story("phone:1 phone:2 phone:3", "phone:4 phone:5 email:e")
    assert not story.meet("phone:1 email:e").change.conflict
    assert len(story.clusters) == 1


def test_a_weak_identifier_never_joins_two_customers_that_are_known() -> None:
    story = Story("phone:1 device:d", "phone:2")
    met = story.meet("phone:2 device:d")
    assert met.customer == story.owner("phone:2")
    assert met.losers == ()
    assert story.clusters == clusters("phone:1 device:d", "phone:2")


def test_a_weak_identifier_claimed_by_two_is_detached() -> None:
    story = Story("phone:1 device:d")
    met = story.meet("phone:2 device:d")
    assert met.change.detached == ("device:d",)
    assert story.known.detached == {"device:d"}
    assert story.owner("device:d") == story.owner("phone:1")


def test_a_detached_identifier_stays_where_it_is_and_still_decides_alone() -> None:
    story = Story("phone:1 device:d", "phone:2 device:d")
    met = story.meet("device:d")
    assert (met.customer, met.decider) == (story.owner("phone:1"), "device:d")


def test_a_detached_identifier_links_no_more() -> None:
    story = Story("phone:1 device:d", "phone:2 device:d")
    met = story.meet("device:d card:new")
    assert met.customer == story.owner("card:new") != story.owner("phone:1")
    assert met.decider == "card:new"
    assert story.meet("phone:3 device:d").customer == story.owner("phone:3") != story.owner("phone:1")
    assert story.clusters == clusters("phone:1 device:d", "phone:2", "card:new", "phone:3")


def test_a_detached_identifier_is_detached_once() -> None:
    story = Story("phone:1 device:d", "phone:2 device:d")
    assert story.meet("phone:2 device:d").change.detached == ()
    assert story.meet("phone:3 device:d").change.detached == ()


def test_an_identifier_that_links_decides_before_a_detached_one() -> None:
    story = Story("phone:1 card:c", "phone:2 card:c", "phone:3 device:d")
    met = story.meet("card:c device:d")
    assert (met.customer, met.decider) == (story.owner("phone:3"), "device:d")


def test_weak_identifiers_of_two_known_customers_met_together_join_nobody() -> None:
    story = Story("phone:1 device:a", "phone:2 device:b")
    met = story.meet("device:a device:b")
    assert met.customer == story.owner("phone:1")
    assert met.change.links == ()
    assert story.clusters == clusters("phone:1 device:a", "phone:2 device:b")


def test_an_anonymous_visitor_with_too_many_devices_is_not_merged_by_himself() -> None:
    story = Story(" ".join(f"device:{n}" for n in range(20)), "phone:1 " + " ".join(f"device:x{n}" for n in range(20)))
    met = story.meet("phone:1 device:0")
    assert met.change.conflict == "merge: more than 30 of device"
    assert len(story.clusters) == 2


def test_more_new_devices_than_one_customer_may_have_are_linked_up_to_the_limit() -> None:
    story = Story()
    met = story.meet(" ".join(f"device:{n:02}" for n in range(31)))
    assert len(met.change.links) == 30
    assert met.change.conflict == "link: more than 30 of device"


@pytest.mark.parametrize("kind", sorted(DEFAULT_RULES.kinds))
def test_every_kind_keeps_its_limit(kind: str) -> None:
    limit = DEFAULT_RULES.kinds[kind].limit
    story = Story(" ".join(f"{kind}:{n:02}" for n in range(limit)))
    assert not story.contradicted
    met = story.meet(f"{kind}:00 {kind}:zz")
    assert met.change.conflict.endswith(f"more than {limit} of {kind}")
    assert all(len([token for token in owned if token.startswith(f"{kind}:")]) <= limit for owned in story.clusters)
