"""Clients that are not ours: npm packages as they are published, installed for the tests by the npm that comes with the pinned Node.

`package-lock.json` pins each by version and by the hash of its archive, and names no registry. They are installed once, into the user's
cache folder.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import platformdirs

from tests.browser.npm import NODE, NPM, Unfetched, made_once

HERE = Path(__file__).parent
FILES = ("package.json", "package-lock.json")


def installed() -> Path:
    """The folder with `node_modules`. Raises `Unfetched`."""
    sum_ = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in FILES)).hexdigest()[:16]
    wanted = platformdirs.user_cache_path("yekta") / "npm" / f"clients-{sum_}"
    if not wanted.exists():
        wanted.parent.mkdir(parents=True, exist_ok=True)
        with made_once(wanted) as made:
            made.mkdir()
            for name in FILES:
                shutil.copy(HERE / name, made)
            _npm(made, "install", "--no-save", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    return wanted


def _npm(folder: Path, *words: str) -> None:
    environment = os.environ | {"PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([NODE, NPM, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise Unfetched(f"npm did not install the clients: {done.stderr.strip()[-500:]}")
