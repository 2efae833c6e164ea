"""Finds out how a text file is written: by its mark, as UTF-8 when all of it is, else as Windows wrote Persian before that.

Reading order: look.
"""

import codecs
import hashlib
from pathlib import Path
from typing import NamedTuple

MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
LEGACY = "windows-1256"
PIECE = 1 << 20


class Looked(NamedTuple):
    """What going once through a file tells."""

    encoding: str
    sha256: str  # of its bytes: the same file is known again under any name


def look(path: Path) -> Looked:
    """The encoding and the sum of a file, whatever its size."""
    sum_ = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    encoding = ""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            if not encoding:
                encoding = next((name for mark, name in MARKS if piece.startswith(mark)), "utf-8")
            sum_.update(piece)
            if encoding == "utf-8":
                try:
                    decoder.decode(piece)
                except UnicodeDecodeError:
                    encoding = LEGACY
    if encoding == "utf-8":
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            encoding = LEGACY
    return Looked(encoding or "utf-8", sum_.hexdigest())
