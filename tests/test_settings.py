"""Settings come from the environment, and a wrong one is told in one sentence that names its variable."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from infra.endpoints import endpoints, kafka_client_kwargs
from infra.errors import Refusal
from infra.settings import Settings, load


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever whoever runs the tests has set for himself."""
    for variable in [name for name in os.environ if name.startswith("YEKTA_")]:
        monkeypatch.delenv(variable)


def test_without_settings_everything_is_embedded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load()
    assert settings.home == tmp_path / ".yekta"
    assert settings.embeds_kafka
    assert settings.embeds_postgres


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    files = ("YEKTA_HOME", "YEKTA_CACHE", "YEKTA_KAFKA__SSL_CAFILE", "YEKTA_KAFKA__SSL_CERTFILE", "YEKTA_KAFKA__SSL_KEYFILE")
    for variable in ("YEKTA_KAFKA__BOOTSTRAP_SERVERS", "YEKTA_POSTGRES__DSN", "YEKTA_MASTER_KEY", "YEKTA_KAFKA__JARS_FROM", *files):
        monkeypatch.setenv(variable, "")
    settings = load()
    assert settings.home == Path(".yekta").absolute()
    assert (settings.cache, settings.kafka.ssl_cafile, settings.kafka.jars_from) == (None, None, None)
    assert settings.embeds_kafka
    assert settings.embeds_postgres
    assert settings.master_key is None


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("YEKTA_API__PORT", "99999"),
        ("YEKTA_API__PORT", "eighty"),
        ("YEKTA_WORKERS", "-1"),
        ("YEKTA_ZONE", "Asia/Atlantis"),
        ("YEKTA_KAFKA__PARTITIONS", "0"),
        ("YEKTA_KAFKA__PREFIX", "no spaces please"),
        ("YEKTA_KAFKA__SECURITY_PROTOCOL", "TELEPATHY"),
        ("YEKTA_DELIVERY__ALLOW", "crm.internal, 10.0.0.0/33"),
        ("YEKTA_DELIVERY__ALLOW", "https://crm.internal"),
        ("YEKTA_SMS__HEADERS", "Authorization: secret"),
        ("YEKTA_SMS__URL", "api.kavenegar.com/v1/KEY/sms/send.json"),
        ("YEKTA_API__ADDRESS", "desk.example.com"),
        ("YEKTA_API__ADDRESS", "https://"),
        ("YEKTA_API__ADDRESS", "https://desk example.com"),
        ("YEKTA_API__ADDRESS", "https://desk.example.com:port"),
        ("YEKTA_OIDC__ISSUER", "nonsense"),
        ("YEKTA_DROP__MAPPINGS", ""),
        ("YEKTA_OIDC__ROLES", "{admins: admin}"),
        ("YEKTA_KAFKA", "broker:9092"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_the_variable(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(Refusal) as refused:
        load()
    assert variable in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("variable", "mend"),
    [
        ("YEKTA_KAFKA__BOOTSTRAP_SERVER", "Perhaps YEKTA_KAFKA__BOOTSTRAP_SERVERS is meant."),
        ("YEKTA_SMS__URLL", "Perhaps YEKTA_SMS__URL is meant."),
    ],
)
def test_a_misspelt_name_in_a_section_is_no_setting_and_the_nearest_is_named(
    variable: str, mend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "x")
    with pytest.raises(Refusal) as refused:
        load()
    assert str(refused.value) == f"There is no setting {variable}. {mend}"


def test_an_address_can_be_put_before_a_path() -> None:
    settings = load(api={"address": "https://desk.example.com/yekta/"}, sms={"url": "https://sms.example.com/KEY?to={to}&text={text}"})
    assert settings.reached_at == "https://desk.example.com/yekta"
    assert load(api={"host": "::"}).reached_at == "http://[::1]:8700"
    assert settings.sms.url is not None
    assert settings.sms.url.get_secret_value().endswith("&text={text}")


def test_a_child_process_reads_the_same_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = load(
        home=tmp_path,
        api={"port": 9001},
        workers=3,
        master_key="secret",
        kafka={"bootstrap_servers": "k:9092", "security_protocol": "SASL_SSL", "sasl_username": "u", "sasl_password": "p"},
    )
    for variable, value in settings.environment().items():
        monkeypatch.setenv(variable, value)
    assert Settings() == settings


def test_passwords_do_not_show_when_settings_are_printed() -> None:
    settings = load(postgres={"dsn": "postgresql://u:hunter2@h/d"}, kafka={"bootstrap_servers": "k:1", "sasl_password": "hunter2"})
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in repr(endpoints(settings))


def test_sasl_and_tls_settings_reach_the_kafka_clients() -> None:
    kafka = load(
        kafka={
            "bootstrap_servers": "k:9092",
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_username": "u",
            "sasl_password": "p",
        }
    ).kafka
    options = kafka_client_kwargs(kafka, "k:9092")
    assert options.pop("ssl_context").check_hostname
    assert options == {
        "bootstrap_servers": "k:9092",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "u",
        "sasl_plain_password": "p",
    }


def test_webhooks_on_this_machine_are_for_who_tries_everything_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "127.0.0.0/8" in load().deliveries_allowed
    assert load(kafka={"bootstrap_servers": "k:9092"}).deliveries_allowed == ""
    monkeypatch.setenv("YEKTA_DELIVERY__ALLOW", "")
    assert load().deliveries_allowed == ""


def test_a_missing_certificate_is_one_sentence(tmp_path: Path) -> None:
    kafka = load(kafka={"bootstrap_servers": "k:9092", "security_protocol": "SSL", "ssl_cafile": str(tmp_path / "none.pem")}).kafka
    with pytest.raises(Refusal, match="TLS files cannot be used"):
        kafka_client_kwargs(kafka, "k:9092")


@pytest.mark.parametrize("dsn", ["localhost:5432", "mysql://shop", "postgresql://yekta:100%secret@db/yekta"])
def test_what_is_no_dsn_is_one_sentence_for_every_command_and_does_not_show(dsn: str) -> None:
    settings = load(kafka={"bootstrap_servers": "broker:9092"}, postgres={"dsn": dsn})
    with pytest.raises(Refusal, match="DSN cannot be read") as refused:
        endpoints(settings)
    assert dsn not in str(refused.value)


def test_a_home_where_nothing_runs_says_how_to_start_it(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"Nothing runs in .* `yekta up`"):
        endpoints(load(home=tmp_path))


def test_every_setting_is_in_the_documentation_and_no_other() -> None:
    page = (Path(__file__).parent.parent / "docs" / "operating.md").read_text()
    assert set(re.findall(r"^\| `(YEKTA_\w+)`", page, re.MULTILINE)) == set(variables("YEKTA_", Settings))


def variables(path: str, section: type[BaseModel]) -> Iterator[str]:
    for name, described in section.model_fields.items():
        inner = described.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from variables(f"{path}{name.upper()}__", inner)
        else:
            yield path + name.upper()
