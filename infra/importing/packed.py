"""Opens text files that may be packed with gzip, as if they were not. Reading order: raw, text."""

import gzip
import io
from pathlib import Path
from typing import BinaryIO, TextIO, cast

GZIP = b"\x1f\x8b"


def raw(path: Path) -> BinaryIO:
    """The bytes, unpacked."""
    file = path.open("rb")
    if file.peek(2)[:2] != GZIP:
        return file
    file.close()
    return cast("BinaryIO", gzip.open(path, "rb"))


def text(path: Path, encoding: str, newline: str | None = None) -> TextIO:
    """The text; what is none is marked."""
    return io.TextIOWrapper(raw(path), encoding=encoding, errors="replace", newline=newline)


def suffix(path: Path) -> str:
    """The ending of the name, without that of the packing."""
    bare = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return bare.suffix.lower()
