"""The lines that the README tells people to paste."""

import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
ADDRESS = "http://127.0.0.1:8700"


def to_try(url: str) -> str:
    """The shell lines of the section "Try it", for an API at another address."""
    section = README.read_text().partition("## Try it\n")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    assert ADDRESS in block
    return str(block).replace(ADDRESS, url)
