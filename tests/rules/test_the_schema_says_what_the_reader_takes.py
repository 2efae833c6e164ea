"""The published JSON Schemas and the readers agree, on what is right and on what is nearly right."""

import copy
import json
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from aggregates.contact_policy import reading as policies
from aggregates.contact_policy.schema import json_schema as policy_schema
from aggregates.rules import reading
from aggregates.rules.schema import json_schema as rules_schema
from tests.rules import histories
from tests.rules.contacting import POLICY

RULES = Draft202012Validator(rules_schema())
POLICIES = Draft202012Validator(policy_schema())

BEYOND = {"rearm_above", "same_name", "cel_name", "cel_unreadable", "cel_function", "cel_method", "quiet_all_day", "no_zone"}
"""What no schema can say."""

VALUES = st.sampled_from([None, 0, 3, -1, 0.5, True, "", " ", "1d", "10%", "sms", "a.b", "two words", [], ["sms"], {}, {"event": "a.b"}])


def test_the_schemas_are_schemas() -> None:
    Draft202012Validator.check_schema(rules_schema())
    Draft202012Validator.check_schema(policy_schema())


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, inner in inside for place in places(inner, (*path, name)))]


def damaged(value: Any, draw: Any) -> Any:
    """The value with one place changed, removed, or given a strange member."""
    value = copy.deepcopy(value)
    path = draw(st.sampled_from([place for place in places(value) if place]))
    inside = value
    for name in path[:-1]:
        inside = inside[name]
    match draw(st.sampled_from(["change", "remove", "add"])):
        case "change":
            inside[path[-1]] = draw(VALUES)
        case "remove":
            del inside[path[-1]]
        case _ if isinstance(inside, dict):
            inside[draw(st.sampled_from(["within", "in", "where", "strange", "at_least", "event"]))] = draw(VALUES)
        case _:
            pass
    return value


@given(histories.contacting() | histories.rules().map(lambda rule: [rule]), st.data())
@settings(max_examples=300, deadline=None)
def test_a_text_of_rules_is_valid_by_the_schema_when_the_reader_takes_it(rules: list[dict[str, Any]], data: st.DataObject) -> None:
    for text in (rules, rules[0], damaged(rules, data.draw)):
        codes = {problem.code for problem in reading.read(json.dumps(text), "UTC").problems}
        if not codes & BEYOND:
            assert RULES.is_valid(text) == (not codes), (text, codes, [error.message for error in RULES.iter_errors(text)])


@given(histories.policies() | st.just(yaml.safe_load(POLICY)), st.data())
@settings(max_examples=300, deadline=None)
def test_a_policy_is_valid_by_the_schema_when_the_reader_takes_it(policy: dict[str, Any], data: st.DataObject) -> None:
    for text in (policy, damaged(policy, data.draw)):
        codes = {problem.code for problem in policies.read(json.dumps(text)).problems}
        if not codes & BEYOND:
            assert POLICIES.is_valid(text) == (not codes), (text, codes, [error.message for error in POLICIES.iter_errors(text)])
