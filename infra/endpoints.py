"""Where Kafka and PostgreSQL are, for whoever needs a client: the settings' own engines, else those running in the home."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from infra import run_state
from infra.database import place
from infra.engines.ports import LOOPBACK
from infra.errors import Refusal
from infra.home import Home
from infra.settings import KafkaSettings, Settings


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses and credentials, as clients take them."""

    bootstrap_servers: str
    dsn: str = field(repr=False)  # holds a password
    kafka_client_kwargs: Mapping[str, Any] = field(repr=False)  # for every aiokafka client, bootstrap_servers included


def endpoints(settings: Settings) -> Endpoints:
    """Named engines win; else the home's, which must be running. Raises Refusal where what names one cannot be read."""
    home = Home(settings.home)
    state = run_state.read(home.run_state)
    servers = settings.kafka.bootstrap_servers
    if servers is None:
        if not state.runs() or state.kafka_port is None:
            raise _nothing_runs(settings)
        servers = f"{LOOPBACK}:{state.kafka_port}"
    if settings.postgres.dsn is not None:
        dsn = settings.postgres.dsn.get_secret_value()
        place(dsn)
    else:
        if not state.runs() or state.postgres_port is None:
            raise _nothing_runs(settings)
        dsn = home.postgres_dsn.read_text().strip()
    return Endpoints(servers, dsn, kafka_client_kwargs(settings.kafka, servers))


def kafka_client_kwargs(kafka: KafkaSettings, bootstrap_servers: str) -> dict[str, Any]:
    """What aiokafka's clients call these settings; an embedded broker takes none of them."""
    options: dict[str, Any] = {"bootstrap_servers": bootstrap_servers}
    if kafka.bootstrap_servers is None or kafka.security_protocol == "PLAINTEXT":
        return options
    options["security_protocol"] = kafka.security_protocol
    if kafka.security_protocol.startswith("SASL"):
        options["sasl_mechanism"] = kafka.sasl_mechanism
        options["sasl_plain_username"] = kafka.sasl_username
        options["sasl_plain_password"] = kafka.sasl_password and kafka.sasl_password.get_secret_value()
    if kafka.security_protocol.endswith("SSL"):
        options["ssl_context"] = _ssl_context(kafka)
    return options


def _ssl_context(kafka: KafkaSettings) -> Any:
    from aiokafka.helpers import create_ssl_context

    try:
        return create_ssl_context(
            cafile=kafka.ssl_cafile,
            certfile=kafka.ssl_certfile,
            keyfile=kafka.ssl_keyfile,
            password=kafka.ssl_keyfile_password and kafka.ssl_keyfile_password.get_secret_value(),
        )
    except OSError as error:  # ssl.SSLError is one
        raise Refusal(f"Kafka's TLS files cannot be used: {error.strerror or error}.", "See the settings YEKTA_KAFKA__SSL_….") from error


def _nothing_runs(settings: Settings) -> Refusal:
    return Refusal(f"Nothing runs in {settings.home}.", "Start it with `yekta up`, or name another home with YEKTA_HOME.")
