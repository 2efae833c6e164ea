"""What can be set from outside, read once and in `infra` only; the rooms below get plain values.

Every setting is an environment variable: `YEKTA_` and its path, `__` between levels (`YEKTA_KAFKA__BOOTSTRAP_SERVERS`).
"""

import json
import os
import re
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from aggregates.access import Role
from aggregates.moment import known_zone
from aggregates.written.problem import nearest
from infra.errors import Refusal

Port = Annotated[int, Field(ge=1, le=65535)]


def _blank_is_unset(value: Any) -> Any:
    """Compose files pass on unset variables as empty strings."""
    return None if value == "" else value


File = Annotated[Path | None, BeforeValidator(_blank_is_unset)]
HOME = Path(".yekta")


def _absolute(path: Path) -> Path:
    """Child processes may run in another folder."""
    return path.expanduser().absolute()


def _known_zone(name: str) -> str:
    if known_zone(name) is None:
        raise ValueError("is not a time zone name such as Asia/Tehran")
    return name


def _web_address(text: str | None) -> str | None:
    """Without a slash at its end: paths are put behind it."""
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound or any(character.isspace() for character in parts.netloc):
        raise ValueError("is no address such as https://desk.example.com")
    return text.rstrip("/")


WebAddress = Annotated[str | None, AfterValidator(_web_address), BeforeValidator(_blank_is_unset)]


def _hosts_and_networks(allowed: str | None) -> str | None:
    for part in (allowed or "").split(","):
        if "/" in part:
            try:
                ip_network(part.strip(), strict=False)
            except ValueError as wrong:
                raise ValueError("has something that is neither a host's name nor a network such as 10.0.0.0/8") from wrong
    return allowed


class Section(BaseModel):
    """A group of settings: a misspelt name is refused, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class KafkaSettings(Section):
    """Where Kafka is (the embedded one when no servers are named) and how its topics are made."""

    bootstrap_servers: Annotated[str | None, BeforeValidator(_blank_is_unset)] = None
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ssl_cafile: File = None
    ssl_certfile: File = None
    ssl_keyfile: File = None
    ssl_keyfile_password: SecretStr | None = None
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,100}$")] = "yekta."
    partitions: Annotated[int, Field(ge=1, le=1024)] | None = None  # None: as the topics are; for new ones see infra.topics
    replication: Annotated[int, Field(ge=1, le=9)] | None = None  # None: 1 embedded, 3 on a cluster that has 3 brokers
    heap_mb: Annotated[int, Field(ge=128)] = 512
    jars_from: Annotated[str | None, BeforeValidator(_blank_is_unset)] = None  # a Maven repository's address


class PostgresSettings(Section):
    """Where PostgreSQL is; the embedded one when no DSN is given."""

    dsn: Annotated[SecretStr | None, BeforeValidator(_blank_is_unset)] = None


class ApiSettings(Section):
    """Where the HTTP API and the desk listen."""

    host: str = "127.0.0.1"
    port: Port = 8700
    address: WebAddress = None  # as customers reach it: https://shop.example

    @property
    def reachable(self) -> str:
        """A host to call when it listens on all that this machine has."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self.host, self.host)

    @property
    def url(self) -> str:
        """Its address on this machine."""
        return f"http://{f'[{self.reachable}]' if ':' in self.reachable else self.reachable}:{self.port}"


class SmsSettings(Section):
    """An SMS gateway over HTTP: its request as a template with {to}, {text}, {contact}, {name}, {id} and {number}."""

    url: Annotated[SecretStr | None, BeforeValidator(_blank_is_unset)] = None  # gateways take keys in the address
    method: Literal["POST", "GET", "PUT"] = "POST"
    content_type: str = "application/x-www-form-urlencoded"
    headers: dict[str, str] = {}  # as JSON
    body: str = "receptor={to}&message={text}&localid={number}"
    accepted: str = ""  # a regular expression that the answer of a message taken matches; empty: 2xx is enough
    refused: str = ""  # one that status and answer match where the number is none: it is not tried again
    named: str = ""  # one whose group is what the gateway calls the message: its receipts may say it

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            _web_address(url.get_secret_value())
        return url

    @field_validator("accepted", "refused")
    @classmethod
    def _can_be_compiled(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as wrong:
            raise ValueError(f"is no regular expression: {wrong}") from wrong
        return pattern

    @field_validator("named")
    @classmethod
    def _has_a_group(cls, pattern: str) -> str:
        if cls._can_be_compiled(pattern) and not re.compile(pattern).groups:
            raise ValueError("has no group: put what is the name of the message into brackets")
        return pattern


class SmppSettings(Section):
    """A message center over SMPP, instead of a gateway over HTTP."""

    host: Annotated[str | None, BeforeValidator(_blank_is_unset)] = None
    port: Port = 2775
    system_id: Annotated[str, Field(max_length=15)] = ""
    password: Annotated[SecretStr | None, Field(max_length=8)] = None  # the protocol takes no longer one
    system_type: Annotated[str, Field(max_length=12)] = ""
    sender: Annotated[str, Field(max_length=20)] = ""  # +98… a number, 3000 a short code, else a name
    enquire_seconds: Annotated[float, Field(gt=0, le=3600)] = 30.0  # between two questions whether the center is still there
    answer_seconds: Annotated[float, Field(gt=0, le=3600)] = 20.0  # within which it says whether it took a message
    patience_seconds: Annotated[float, Field(ge=0, le=86_400)] = 600.0  # before one that it said nothing of is sent again


class EmailSettings(Section):
    """A mail server."""

    host: Annotated[str | None, BeforeValidator(_blank_is_unset)] = None
    port: Port = 587
    starttls: bool = True
    username: str = ""
    password: SecretStr | None = None
    sender: str = "yekta@localhost"


class DeliverySettings(Section):
    """Where approaches and news may go, and how fast."""

    # hosts and networks that webhooks may be at although they are not public: 127.0.0.1,10.0.0.0/8,crm.internal
    allow: Annotated[str | None, AfterValidator(_hosts_and_networks)] = None
    pace: Annotated[float, Field(gt=0, le=10_000)] = 20.0  # contacts a second and channel
    messages: File = None  # YAML: what is said with each contact, by channel
    webhook_pace: Annotated[float, Field(gt=0, le=100_000)] = 100.0  # posts a second and webhook


class OidcSettings(Section):
    """An OpenID Connect provider through which people sign in to the desk; without an issuer they use tokens."""

    issuer: WebAddress = None
    client_id: str = "yekta"
    client_secret: SecretStr | None = None  # a public client has none: PKCE is used in any case
    name: str = "OpenID Connect"  # on the button
    claim: str = "roles"  # where the ID token has somebody's groups; realm_access.roles for what is nested
    roles: dict[str, Role] = {}  # as JSON: group to role; empty: groups that are called like roles


class AsteriskSettings(Section):
    """Where a PBX on Asterisk is; with a host, `yekta up` listens to it."""

    host: Annotated[str | None, BeforeValidator(_blank_is_unset)] = None
    port: Port = 5038
    username: str = "yekta"
    secret: SecretStr | None = None
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = "pbx"


class DropSettings(Section):
    """Where partners drop files; with a folder, `yekta up` watches it. Each folder in it is a source."""

    folder: File = None
    every: Annotated[float, Field(gt=0, le=3600)] = 2.0  # seconds between looks
    mappings: dict[str, str] = {}  # as JSON: source to the path or the published name of its mapping; else it lies beside the files


class Settings(BaseSettings):
    """All settings. `load()` is the way in: it says a wrong value in one sentence."""

    model_config = SettingsConfigDict(env_prefix="YEKTA_", env_nested_delimiter="__", frozen=True, extra="ignore")

    home: Annotated[Path, BeforeValidator(lambda value: value or HOME), AfterValidator(_absolute)] = Field(
        default=HOME, validate_default=True
    )
    cache: File = None  # where the engines' jars are kept for all homes; None: the user's cache folder
    kafka: KafkaSettings = KafkaSettings()
    postgres: PostgresSettings = PostgresSettings()
    api: ApiSettings = ApiSettings()
    delivery: DeliverySettings = DeliverySettings()
    sms: SmsSettings = SmsSettings()
    smpp: SmppSettings = SmppSettings()
    email: EmailSettings = EmailSettings()
    asterisk: AsteriskSettings = AsteriskSettings()
    drop: DropSettings = DropSettings()
    workers: Annotated[int, Field(ge=0, le=64)] = 1
    oidc: OidcSettings = OidcSettings()
    zone: Annotated[str, AfterValidator(_known_zone)] = "Asia/Tehran"
    erasure_rest: Annotated[float, Field(ge=0, le=86_400)] = 15.0  # seconds in which what was sealed with a doomed key may still arrive
    standstill: Annotated[float, Field(ge=1, le=86_400)] = 60.0  # seconds after which a worker that Kafka's client lets down ends
    master_key: Annotated[SecretStr | None, BeforeValidator(_blank_is_unset)] = None

    def environment(self) -> dict[str, str]:
        """The variables that make these very settings: for child processes."""
        return _variables("YEKTA", self)

    @property
    def embeds_kafka(self) -> bool:
        return self.kafka.bootstrap_servers is None

    @property
    def embeds_postgres(self) -> bool:
        return self.postgres.dsn is None

    @property
    def reached_at(self) -> str:
        """The address of the API as customers reach it."""
        return self.api.address or self.api.url

    @property
    def deliveries_allowed(self) -> str:
        """Where webhooks may be although it is not public. Unset, who tries everything on one machine may receive on that machine."""
        if self.delivery.allow is not None:
            return self.delivery.allow
        return "127.0.0.0/8,::1" if self.embeds_kafka and self.embeds_postgres else ""


def load(**overrides: Any) -> Settings:
    """Read the environment; `overrides` (from the command line) win."""
    try:
        return Settings(**overrides)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        variable = "YEKTA_" + "__".join(
            str(part).upper() for part in first["loc"] if isinstance(part, str) and not part.startswith("function")
        )
        if first["type"] == "extra_forbidden":
            near = nearest(variable, _names("YEKTA", Settings))
            mend = f"Perhaps {near} is meant." if near else "docs/operating.md has them all."
            raise Refusal(f"There is no setting {variable}.", mend) from wrong
        reason = first["msg"].removeprefix("Value error, ")
        raise Refusal(f"The setting {variable} has a wrong value: {reason[:1].lower()}{reason[1:]}.") from wrong
    except SettingsError as wrong:
        variable = next(_no_json(), "with JSON")
        raise Refusal(f"The setting {variable} has a wrong value: it is not JSON.") from wrong


def _no_json() -> Iterator[str]:
    """The variables that are read as JSON, and are none: those of whole sections, and of their tables."""
    told = {name.upper(): value for name, value in os.environ.items()}
    for section, field in Settings.model_fields.items():
        if isinstance(field.default, BaseModel):
            tables = [name for name, value in field.default if isinstance(value, dict)]
            for path in (section, *(f"{section}__{name}" for name in tables)):
                variable = f"YEKTA_{path}".upper()
                try:
                    json.loads(told.get(variable, "{}"))
                except ValueError:
                    yield variable


def _names(path: str, section: type[BaseModel]) -> Iterator[str]:
    """Every variable that there is."""
    for name, field in section.model_fields.items():
        variable = _variable(path, name)
        if isinstance(field.default, BaseModel):
            yield from _names(variable, type(field.default))
        else:
            yield variable


def _variable(path: str, name: str) -> str:
    return f"{path}{'_' if path == 'YEKTA' else '__'}{name}".upper()


def _variables(path: str, section: BaseModel) -> dict[str, str]:
    variables: dict[str, str] = {}
    for name in type(section).model_fields:
        value = getattr(section, name)
        variable = _variable(path, name)
        if isinstance(value, BaseModel):
            variables |= _variables(variable, value)
        elif value is not None:
            variables[variable] = _written(value)
    return variables


def _written(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return json.dumps(value) if isinstance(value, dict) else str(value)
