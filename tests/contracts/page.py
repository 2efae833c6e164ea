"""Writes the generated part of docs/contracts.md from the contracts themselves: `python -m tests.contracts.page` brings it up to date."""

import json
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from aggregates.contracts import CONTRACTS, SHAPES, Contract
from aggregates.contracts.fields import Amount, Currency, Id, Minutes, Money, Name, Place, Quantity, Score, Seconds, Text, Traits, Url, When
from aggregates.contracts.shape import Shape, is_kind, item_fields, members, metas
from tests.contracts import golden

PAGE = Path(__file__).parent.parent.parent / "docs" / "contracts.md"
BEGIN, END = "<!-- written by tests/contracts/page.py from here -->\n", "<!-- to here -->\n"

WORDS: tuple[tuple[Any, str], ...] = (
    (Amount, "amount"),
    (Money, "money"),
    (Currency, "currency"),
    (Id, "id"),
    (Url, "address"),
    (Text, "long text"),
    (Seconds, "seconds"),
    (Minutes, "minutes"),
    (Quantity, "quantity"),
    (Place, "whole number"),
    (Score, "score"),
    (When, "time"),
    (Traits, "object"),
    (Name, "text"),
)


def generated() -> str:
    """Every type, in the order of the contracts."""
    return "\n".join(section(contract) for contract in CONTRACTS.values())


def section(contract: Contract) -> str:
    """One type: what it says, its fields in every version, a valid and an invalid example."""
    examples = golden.example(contract.type)
    invalid = examples["invalid"][0]
    versions = [SHAPES[contract.type, version] for version in (contract.version, *sorted(contract.earlier, reverse=True))]
    lines = [f"### `{contract.type}`", "", summary(contract.data), "", facts(contract), ""]
    for shape in versions:
        if len(versions) > 1:
            lines += [f"Version {shape.version}{' (the newest)' if shape.version == contract.version else ''}:", ""]
        lines += [*table(shape), ""]
    refusal = invalid["refusal"]
    lines += ["Valid `data`:", *block(examples["valid"]["event"]["data"]), ""]
    lines += [f"Refused with `{refusal['reason']}` at `{refusal['pointer']}` ({refusal['detail']} {refusal['mend']}):"]
    lines += [*block(invalid["event"]["data"]), ""]
    return "\n".join(lines)


def facts(contract: Contract) -> str:
    """Order, reference and worth, in one line."""
    said = [f"Version {contract.version}.", "Its order runs by " + ", else ".join(f"`{name}`" for name in contract.subject) + "."]
    if contract.ref:
        said.append(f"Found by `{contract.ref}`.")
    if contract.amount:
        counts = {1: "counts as sold", -1: "counts as given back", 0: "is shown, and counts as nothing"}[contract.turnover]
        said.append(f"`{contract.amount}` {counts}.")
    return " ".join(said)


def table(shape: Shape) -> list[str]:
    """The fields of one version, and those of the objects in its lists."""
    rows = ["| field | | value | |", "|---|---|---|---|"]
    rows += fields(shape.data, "", shape.contract.personal)
    for name, hint in get_type_hints(shape.data, include_extras=True).items():
        if item_fields(hint):
            rows += fields(item(hint), f"{name}[].", frozenset())
    return rows


def fields(data: type[msgspec.Struct], prefix: str, personal: frozenset[str]) -> list[str]:
    """A row for each field of an object."""
    hints = get_type_hints(data, include_extras=True)
    rows = []
    for field in msgspec.structs.fields(data):
        marks = ("*" if field.required else "") + ("†" if field.name in personal else "")
        said = next((meta.description for meta in reversed(metas(hints[field.name])) if meta.description), "")
        rows.append(f"| `{prefix}{field.name}` | {marks} | {value(hints[field.name])} | {said} |")
    return rows


def value(hint: Any) -> str:
    """What a field's value is, in the words that the page explains."""
    for kind, word in WORDS:
        if is_kind(hint, kind):
            return word
    member = members(hint)[0]
    if get_origin(member) is Literal:
        return " or ".join(f"`{word}`" for word in get_args(member))
    return "list of objects" if item_fields(hint) else f"list of {value(get_args(member)[0])}s"


def item(hint: Any) -> type[msgspec.Struct]:
    """The object that a list is of."""
    found: type[msgspec.Struct] = next(get_args(member)[0] for member in members(hint) if get_origin(member) is list)
    return found


def summary(data: type[msgspec.Struct]) -> str:
    """What the fact says."""
    return (data.__doc__ or "").strip()


def block(data: dict[str, Any]) -> list[str]:
    """JSON as the page shows it."""
    return ["```json", json.dumps(data, ensure_ascii=False), "```"]


def written(page: str) -> str:
    """The generated part of the page as it is."""
    return page.partition(BEGIN)[2].partition(END)[0]


if __name__ == "__main__":
    before = PAGE.read_text()
    PAGE.write_text(before.replace(BEGIN + written(before), f"{BEGIN}\n{generated()}"))
