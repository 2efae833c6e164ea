"""A package's docstring is its plan: whoever opens the room learns there what to read first, and nothing in it is passed over."""

import ast
import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
ROOMS = ("aggregates", "projections", "streams", "api", "infra")
PACKAGES = sorted(file.parent.relative_to(HOUSE) for room in ROOMS for file in (HOUSE / room).rglob("__init__.py"))


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_the_docstring_of_a_package_names_every_file_and_folder_in_it(package: Path) -> None:
    folder = HOUSE / package
    named = set(re.findall(r"\w+", ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""))
    modules = {file.stem for file in folder.glob("*.py")} - {"__init__"}
    folders = {file.parent.name for file in folder.glob("*/__init__.py")}
    assert modules | folders <= named
