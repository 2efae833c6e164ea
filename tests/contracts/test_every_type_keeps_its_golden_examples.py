"""What was valid stays valid and means the same; what was refused is refused for the same reason, in the same words."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest

from aggregates.contracts import CONTRACTS, SHAPES, json_schema
from aggregates.reading import Refusal, read
from aggregates.source import Source
from aggregates.touchpoint import Touchpoint
from tests.contracts import golden

SOURCE = Source("golden")
RECORDED = datetime(2026, 11, 22, 7, tzinfo=UTC)

EXAMPLES = dict(golden.examples())
INVALID = [
    pytest.param(type_, invalid, id=f"{type_}{invalid['refusal']['pointer']}-{index}")
    for type_, one in EXAMPLES.items()
    for index, invalid in enumerate(one["invalid"])
]


def validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema)


def test_every_type_has_examples_and_every_example_a_type() -> None:
    assert EXAMPLES.keys() == CONTRACTS.keys()
    assert all(one["invalid"] for one in EXAMPLES.values())


@pytest.mark.parametrize("type_", EXAMPLES)
def test_a_valid_example_is_understood_as_ever(type_: str) -> None:
    valid = EXAMPLES[type_]["valid"]
    touchpoint = read(valid["event"], SOURCE, RECORDED)
    assert isinstance(touchpoint, Touchpoint)
    assert golden.understood(touchpoint, *valid["touchpoint"]) == valid["touchpoint"]


@pytest.mark.parametrize(("type_", "invalid"), INVALID)
def test_an_invalid_example_is_refused_with_where_why_and_what_to_write(type_: str, invalid: dict[str, Any]) -> None:
    refusal = read(invalid["event"], SOURCE, RECORDED)
    assert isinstance(refusal, Refusal)
    assert invalid["event"]["type"] == type_
    assert asdict(refusal) == invalid["refusal"]


@pytest.mark.parametrize(("type_", "version"), SHAPES)
def test_a_published_schema_is_a_schema_with_a_word_on_every_field(type_: str, version: int) -> None:
    schema = json_schema(type_, version)
    validator(schema).check_schema(schema)
    parts = [schema, *schema.get("$defs", {}).values()]
    assert all(part["description"] for part in parts)
    assert all("description" in field for part in parts for field in part["properties"].values())


@pytest.mark.parametrize("type_", CONTRACTS)
def test_a_published_schema_takes_its_own_example_and_the_golden_one(type_: str) -> None:
    schema = json_schema(type_)
    assert schema["examples"]
    for data in (*schema["examples"], EXAMPLES[type_]["valid"]["event"]["data"]):
        validator(schema).validate(data)


@pytest.mark.parametrize(("type_", "invalid"), INVALID)
def test_a_published_schema_refuses_what_the_door_refuses_as_far_as_schemas_can_tell(type_: str, invalid: dict[str, Any]) -> None:
    assert validator(json_schema(type_)).is_valid(invalid["event"]["data"]) is not invalid["by_schema"]
    assert invalid["by_schema"] or invalid["refusal"]["reason"] in {"not_an_identifier", "wrong_time"}


def test_the_schema_of_an_unknown_type_or_version_is_not_invented() -> None:
    for type_, version in (("no.such", 0), ("call.ended", 3)):
        with pytest.raises(KeyError):
            json_schema(type_, version)
