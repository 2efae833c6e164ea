"""What is agreed with channel systems about each type of touchpoint that Yekta knows.

Reading order: contract, fields (with lines and currencies), one channel (call), the others (web, sales, reseller, subscription, consent,
contact, service, profile), then `CONTRACTS`; shape, explain and schema serve reading and publishing them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from aggregates.contracts import call, consent, contact, profile, reseller, sales, schema, service, subscription, web
from aggregates.contracts.contract import Contract, Data
from aggregates.contracts.contract import upcast as upcast_by
from aggregates.contracts.shape import Shape, shape

__all__ = ["CONTRACTS", "SHAPES", "Contract", "Data", "VersionUnknown", "json_schema", "upcast"]

CONTRACTS: Mapping[str, Contract] = MappingProxyType(
    {
        contract.type: contract
        for channel in (call, web, sales, reseller, consent, subscription, profile, service, contact)
        for contract in channel.CONTRACTS
    }
)

SHAPES: Mapping[tuple[str, int], Shape] = MappingProxyType(
    {
        (contract.type, version): shape(contract, version)
        for contract in CONTRACTS.values()
        for version in (*contract.earlier, contract.version)
    }
)


class VersionUnknown(Exception):
    """A record was written under a newer contract than this program has: stop, and let the newer program read it."""


def upcast(type_: str, version: int, data: Data) -> Data:
    """What is read of a record's data: as the newest version has it. The log keeps what was sent.

    Version 0 was accepted before there was a contract, and stays as it is, like the data of types without one.
    """
    if is_newest(type_, version):
        return data
    contract = CONTRACTS[type_]
    if version > contract.version:
        raise VersionUnknown(f"{type_} version {version}, known up to {contract.version}")
    return upcast_by(contract, version, data)


def is_newest(type_: str, version: int) -> bool:
    """Whether data of a record is read as it was written: `upcast` has nothing to do."""
    contract = CONTRACTS.get(type_)
    return contract is None or version in {0, contract.version}


def json_schema(type_: str, version: int = 0) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a type's data; without a version, of the newest. Raises `KeyError` for what is not known."""
    contract = CONTRACTS[type_]
    if version and (type_, version) not in SHAPES:
        raise KeyError(version)
    return schema.schema(contract, version or contract.version)
