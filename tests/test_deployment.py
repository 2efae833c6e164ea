"""The cluster in compose.yaml is one that Yekta can run on; it cannot be started here, so its shape is checked.

The compose specification's own schema comes in no package, so a small one of ours stands in for the parts in use.
"""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from infra.cli import COMMANDS
from infra.engines.kafka import LARGEST_MESSAGE
from infra.settings import Settings

_COMPOSE = Path(__file__).parent.parent / "infra" / "deploy" / "compose.yaml"

_SERVICE = {
    "type": "object",
    "required": ["image"],
    "additionalProperties": False,
    "properties": {
        "image": {"type": "string"},
        "build": {"type": "object", "required": ["context", "dockerfile"]},
        "command": {"type": "array", "items": {"type": "string"}},
        "restart": {"enum": ["no", "always", "on-failure", "unless-stopped"]},
        "environment": {"type": "object", "additionalProperties": {"type": ["string", "number"]}},
        "ports": {"type": "array", "items": {"type": "string", "pattern": r"^\d+:\d+$"}},
        "volumes": {"type": "array", "items": {"type": "string", "pattern": r"^[a-z0-9-]+:/"}},
        "deploy": {"type": "object", "properties": {"replicas": {"type": "integer", "minimum": 1}}, "additionalProperties": False},
        "healthcheck": {"type": "object", "required": ["test"]},
        "depends_on": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["condition"],
                "properties": {"condition": {"enum": ["service_healthy", "service_completed_successfully"]}},
            },
        },
    },
}
_SCHEMA = {
    "type": "object",
    "required": ["services", "volumes"],
    "patternProperties": {"^x-": {}},
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "services": {"type": "object", "additionalProperties": _SERVICE},
        "volumes": {"type": "object"},
    },
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    file: dict[str, Any] = yaml.safe_load(_COMPOSE.read_text())
    return file


def test_it_has_the_shape_of_a_compose_file(compose: dict[str, Any]) -> None:
    jsonschema.validate(compose, _SCHEMA)


def test_everything_it_refers_to_is_in_it(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
        assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= set(compose["volumes"])
        for name, needed in service.get("depends_on", {}).items():
            assert needed["condition"] != "service_healthy" or "healthcheck" in services[name]
    dockerfile = _COMPOSE.parent / services["api"]["build"]["context"] / services["api"]["build"]["dockerfile"]
    assert dockerfile.is_file()


def test_one_broker_of_three_may_be_lost(compose: dict[str, Any]) -> None:
    brokers = {name: service["environment"] for name, service in compose["services"].items() if name.startswith("kafka")}
    voters = ",".join(f"{broker['KAFKA_NODE_ID']}@{name}:9093" for name, broker in brokers.items())
    assert len(brokers) == 3
    for name, broker in brokers.items():
        assert broker["KAFKA_CONTROLLER_QUORUM_VOTERS"] == voters
        assert broker["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{name}:9092"
        assert broker["KAFKA_MIN_INSYNC_REPLICAS"] == 2
        assert broker["KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR"] == 3
        assert broker["KAFKA_MESSAGE_MAX_BYTES"] == LARGEST_MESSAGE


@pytest.mark.parametrize("service", ["prepare", "api", "worker"])
def test_yekta_runs_with_settings_and_commands_that_exist(compose: dict[str, Any], service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    described = compose["services"][service]
    assert described["command"][0] in COMMANDS
    for name, value in described["environment"].items():
        monkeypatch.setenv(name, str(value))
    settings = Settings()
    assert set(described["environment"]) <= set(settings.environment())  # a variable that no setting reads would be ignored in silence
    assert not settings.embeds_kafka
    assert not settings.embeds_postgres
    assert settings.kafka.replication == 3
