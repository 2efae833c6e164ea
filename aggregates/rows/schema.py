"""The JSON Schema of a mapping, for editors that complete and check YAML while one writes."""

from aggregates.rows.cells import MARKS
from aggregates.rows.mapping import COLUMN_WORDS, DATES, ENCODINGS, PLACE, UNKNOWN
from aggregates.written.schema import DIALECT, TYPE_NAME, Schema, known, name, text

_FIELD: Schema = {
    "type": "string",
    "pattern": PLACE,
    "description": "A field of the type, who.<kind>, lines.<part>, traits.<name>, or time.",
}
_DATES: Schema = {"enum": list(DATES), "description": "Which number comes first in days like 01/02/2025."}
_DECIMAL: Schema = {"enum": list(MARKS), "description": "What stands before decimals, if anything; other signs are between thousands."}
_UNIT: Schema = text(32, "How amounts are counted: rial, toman, usd, eur … in English or Persian.")
_COLUMN: Schema = {
    "anyOf": [
        _FIELD,
        {"type": ["null", "boolean"], "const": None, "description": "The column says nothing of the fact."},
        known(
            dict(
                zip(
                    COLUMN_WORDS,
                    (
                        _FIELD,
                        _UNIT,
                        _DATES,
                        _DECIMAL,
                        {"type": "object", "description": "What a cell's words mean: {نقدی: cash}."},
                        {"type": "boolean", "description": "true: each row of a group has its part of it, and the parts are summed."},
                    ),
                    strict=True,
                )
            ),
            "field",
        ),
    ]
}


def schema() -> Schema:
    """The schema, draft 2020-12."""
    described = known(
        {
            "name": name("By which name letters of its rows are found."),
            "type": TYPE_NAME | {"description": "The type of every row; `--as` wins over it."},
            "source": text(1_024, "The CloudEvents source of the events; /files/<type> if none is given."),
            "zone": text(64, "The time zone of days and times, like Asia/Tehran."),
            "dates": _DATES,
            "decimal": _DECIMAL,
            "unit": _UNIT,
            "id": {
                "anyOf": [text(), {"type": "array", "items": text(), "minItems": 1}],
                "description": "The column or columns that say which row it is; else the number that the type is found by, else the row.",
            },
            "group": {
                "anyOf": [text(), {"type": "array", "items": text(), "minItems": 1}],
                "description": "The column or columns in which the rows of one fact are alike: its lines stand in several rows.",
            },
            "columns": {"type": "object", "minProperties": 1, "additionalProperties": _COLUMN, "description": "Header → field."},
            "fixed": {"type": "object", "description": "Fields that are the same in every row."},
            "unknown": {
                "enum": list(UNKNOWN),
                "description": "What becomes of columns that nobody knows: kept as fields of their own, or left out.",
            },
            "contact": {"type": "boolean", "description": "true: the rows are news, and rules may approach customers because of them."},
            "file": known(
                {
                    "delimiter": {"type": "string", "minLength": 1, "maxLength": 1},
                    "encoding": {"enum": list(ENCODINGS)},
                    "sheet": text(200, "The sheet of a workbook; the first if none is given."),
                    "header_row": {"type": "integer", "minimum": 1, "maximum": 1000},
                }
            ),
            "description": text(2_000),
        },
        description="How the rows of a file become events.",
    )
    return {"$schema": DIALECT, "title": "Mapping", **described}
