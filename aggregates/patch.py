"""Corrects a JSON document by a JSON Patch (RFC 6902), within limits, and says which of its operations could not be done.

Reading order: Patch, patched.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from aggregates.refusal import Refusal

MOST = 200
LARGEST = 2 << 20
"""What a document may grow to: copies of copies grow fast."""

OPERATIONS = frozenset({"add", "remove", "replace", "move", "copy", "test"})

Patch = Sequence[Mapping[str, Any]]


def is_patch(document: Any) -> bool:
    """Whether a document is a JSON Patch, whatever its label says."""
    return isinstance(document, list) and bool(document) and all(isinstance(one, dict) and "op" in one for one in document)


def patched(document: Any, patch: Patch) -> Any | Refusal:
    """The document after all operations, or which one cannot be done. No refusal quotes a value."""
    import jsonpatch
    import jsonpointer

    if len(patch) > MOST:
        return _wrong(MOST, f"A patch has at most {MOST} operations.")
    for number, operation in enumerate(patch):
        name = operation.get("op")
        if name not in OPERATIONS:
            return _wrong(number, "There is no such operation.", f"Write one of: {', '.join(sorted(OPERATIONS))}.")
        try:
            document = jsonpatch.JsonPatch([dict(operation)]).apply(document)
        except jsonpatch.JsonPatchTestFailed:
            return _wrong(number, "The test does not hold.", "Look at the letter again: it is not as you think.")
        except jsonpatch.InvalidJsonPatch:
            return _wrong(
                number, f"The operation {name} is not complete.", "It needs op and path, and value or from where RFC 6902 says so."
            )
        except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, KeyError, TypeError, ValueError, IndexError):
            return _wrong(number, f"The operation {name} cannot be done at its path.", "Point to what is there: /data/total, /cells/مبلغ.")
        if name in {"add", "copy"} and len(msgspec.json.encode(document)) > LARGEST:
            return _wrong(number, "The document grows too large.")
    return document


def _wrong(number: int, detail: str, mend: str = "Send a shorter patch.") -> Refusal:
    return Refusal("wrong_value", f"/{number}", detail, mend)
