"""Finds the golden examples: events as channels send them, and what has been understood of them ever since."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aggregates.touchpoint import Touchpoint

GOLDEN = Path(__file__).parent.parent / "golden"


def example(type_: str) -> dict[str, Any]:
    """The valid and the invalid examples of a type."""
    found: dict[str, Any] = json.loads((GOLDEN / "contracts" / f"{type_}.json").read_text())
    return found


def examples() -> Iterator[tuple[str, dict[str, Any]]]:
    """All of them, with the type each is of."""
    for path in sorted((GOLDEN / "contracts").glob("*.json")):
        yield path.stem, example(path.stem)


def log(version: int) -> list[dict[str, Any]]:
    """The golden log of a version of the format."""
    return [json.loads(line) for line in (GOLDEN / f"log-v{version}.jsonl").read_text().splitlines()]


def understood(touchpoint: Touchpoint, *names: str) -> dict[str, Any]:
    """These fields of a touchpoint as JSON has them."""
    values = {name: getattr(touchpoint, name) for name in names}
    plain: dict[str, Any] = json.loads(
        json.dumps(values, default=lambda value: value.isoformat() if hasattr(value, "isoformat") else str(value))
    )
    return plain
