"""Finds out how a text file is written: by its mark, as UTF-8 when nearly all of it is, else as Windows wrote Persian before that.

Reading order: look.
"""

import codecs
import hashlib
import re
from pathlib import Path
from typing import NamedTuple

from infra.importing import packed

MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
LEGACY = "windows-1256"
PIECE = 1 << 20
FEW = 20
"""Of so many letters one may be broken, as where a program cut a cell: what is written as Windows did has hardly one that is UTF-8."""

_BROKEN = re.compile("[\udc80-\udcff]")


class Looked(NamedTuple):
    """What going once through a file tells."""

    encoding: str
    sha256: str  # of its bytes: the same file is known again under any name


def look(path: Path) -> Looked:
    """The encoding and the sum of a file, whatever its size."""
    sum_ = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    encoding, letters, broken = "", 0, 0
    with packed.raw(path) as file:
        while piece := file.read(PIECE):
            if not encoding:
                encoding = next((name for mark, name in MARKS if piece.startswith(mark)), _unmarked(piece))
            sum_.update(piece)
            if encoding == "utf-8" and not piece.isascii():
                found = decoder.decode(piece)
                whole = _BROKEN.sub("", found)
                broken += len(found) - len(whole)
                letters += len(whole) - len(whole.encode("ascii", "ignore"))
    if broken * FEW > letters:
        encoding = LEGACY
    return Looked(encoding or "utf-8", sum_.hexdigest())


def _unmarked(piece: bytes) -> str:
    """UTF-16 without its mark is told by the zeros in every second byte: of separators, digits and line ends."""
    zeros = piece[0::2].count(0), piece[1::2].count(0)
    few, many = sorted(zeros)
    if many * 20 < len(piece) or few * 4 > many:
        return "utf-8"
    return "utf-16-le" if zeros[1] == many else "utf-16-be"
