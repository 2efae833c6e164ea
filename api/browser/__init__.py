"""Serves the script that a web page tells us with, packed, and known by what it is."""

import gzip
import hashlib
from pathlib import Path

SOURCE = (Path(__file__).parent / "yekta.js").read_text("utf-8")


def bare(source: str) -> str:
    """The script without its comments and indentation: a visitor's browser does not read them."""
    lines = (line.strip() for line in source.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//")) + "\n"


SCRIPT = bare(SOURCE).encode()
PACKED = gzip.compress(SCRIPT, 9, mtime=0)
TAG = f'"{hashlib.blake2b(SCRIPT, digest_size=8).hexdigest()}"'
