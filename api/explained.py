"""Every reason by which something is refused, in two sentences: what it means, and what to do. `type` of a problem leads here."""

REASONS: dict[str, tuple[str, str]] = {
    # of an event (aggregates/refusal.py)
    "not_json": ("The bytes cannot be read as JSON.", "Send one JSON object, or an array of them, as UTF-8."),
    "not_cloudevents": ("It is JSON, but no CloudEvents 1.0 envelope.", "Send specversion, id, source, type and data."),
    "missing_field": ("A field that the type's contract requires is not there.", "See /v1/schemas for the type."),
    "wrong_type": ("A field has a value of another JSON type than its contract says.", "See /v1/schemas for the type."),
    "wrong_value": ("A field's value is outside what its contract allows.", "See /v1/schemas for the type."),
    "wrong_time": ("A time is no RFC 3339 time with an offset.", "Write 2026-05-01T10:00:00+03:30, or Z for UTC."),
    "wrong_money": ("An amount is no decimal string, or its currency no ISO 4217 code.", 'Write "12.50" and "USD".'),
    "not_an_identifier": ("Something in who cannot be an identifier of its kind.", "Correct it, or leave it out."),
    "unknown_type": ("The source is strict and the type has no contract.", "Send a type of /v1/schemas, or make the source an open one."),
    "unknown_version": ("The type has a contract, but not in this version.", "See /v1/schemas for the versions of the type."),
    "type_not_allowed": ("The key's source may not send this type.", "Use the right key, or have one made that may."),
    "unusable_text": ("A text holds NUL characters or halves of surrogate pairs.", "Leave them out."),
    "unusable_number": ("A number is not finite, or beyond 64 bits.", "Write it as a string."),
    "too_deep": ("Objects and arrays are nested too deeply.", "Nest less than 100 deep."),
    "too_large": (
        "The event has more than 1 MiB, or the request more than 10 MiB.",
        "Send fewer events at a time, or references to large content.",
    ),
    # of a request
    "unreadable": ("What came as gzip is none.", "Send JSON, plain or gzip."),
    "unknown_key": ("The request carries no key that is known.", "Send the key as the Basic user name or as a Bearer token."),
    "session_over": ("The session of the desk is over.", "Open the desk with a new one-time token."),
    "forbidden": ("The key is known but may not do this, or was ended.", "Ask an admin for a key that may."),
    "source_disabled": ("Nothing is taken from this source at present.", "Ask an admin to enable it."),
    "too_many": ("The source sends more than was agreed with it.", "Wait as long as Retry-After says, then send the same ids again."),
    "not_found": ("There is no such thing, or nothing of it is visible yet.", "When it was sent a moment ago, ask with after=<position>."),
    "method_not_allowed": ("The address does not know this method.", "See /docs."),
    "invalid_request": ("A parameter or a body cannot be understood.", "See the pointer, and /docs."),
    "already_replayed": ("The dead letter was replayed already.", "Send a new event instead."),
    "not_allowed": ("The key is not in a state in which this can be done.", "See the detail."),
    "erased": ("What this was sealed with was destroyed by an erasure.", "It is gone for ever; there is nothing to do."),
    "unavailable": ("Something behind the API is away for a moment.", "Send the same request again, with the same ids."),
    "not_visible_yet": ("What was accepted is safe, but not visible within the time that was waited.", "Ask again later."),
    "unexpected": ("Something failed here, and was written down.", "Try again, then ask the operator."),
}
