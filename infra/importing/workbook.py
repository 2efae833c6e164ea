"""Reads workbooks of Excel and LibreOffice (xlsx, xlsm, xlsb, xls, ods)."""

from pathlib import Path

from aggregates.rows.mapping import Mapping
from infra.errors import Refusal
from infra.importing.table import LOOKED_AT, Table, begins, named, rows, understood

SUFFIXES = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"})


def read(path: Path, mapping: Mapping) -> Table:
    """The table of a sheet: the one that the mapping names, else the first of those whose headers are understood best."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        book = CalamineWorkbook.from_path(str(path))
        names = book.sheet_names
        if mapping.file.sheet and mapping.file.sheet not in names:
            raise Refusal(f"{path} has no sheet {mapping.file.sheet}; it has {', '.join(names)}.")
        sheets = {}
        for name in [mapping.file.sheet] if mapping.file.sheet else names:
            if lines := book.get_sheet_by_name(name).to_python(skip_empty_area=False):
                sheets[name] = lines
    except PasswordError as error:
        raise Refusal(f"{path} is locked with a password.", "Save it without one.") from error
    except CalamineError as error:
        raise Refusal(f"{path} cannot be read as a workbook.", "Save it as xlsx or CSV, and unpack what is packed.") from error
    if not sheets:
        raise Refusal(f"{path} is empty.")
    name = max(sheets, key=lambda name: max(understood(line, mapping) for line in sheets[name][:LOOKED_AT]))
    lines = sheets[name]
    at = begins(lines[:LOOKED_AT], mapping)
    headers = named(lines[at]) if at < len(lines) else ()
    below = ((number, line, "") for number, line in enumerate(lines, 1) if number > at + 1)
    return Table(f"workbook, sheet {name}", headers, rows(headers, below))
