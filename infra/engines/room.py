"""Whether a disk has room left, and what to say of an engine that finds none: its own words may be missing, for its log is on it too."""

import os
from pathlib import Path

_NONE = 16 * 1024 * 1024  # what is left when an engine could not write: it writes in pieces of up to 16 MB


def full(folder: Path, engine: str) -> str | None:
    """What to say of an engine that ended for no reason of its own, when the disk of its folder has no room left."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return None
    no_more_files = disk.f_files > 0 and disk.f_favail == 0
    return cannot_write(folder, engine) if disk.f_bavail * disk.f_frsize < _NONE or no_more_files else None


def cannot_write(folder: Path, engine: str) -> str:
    """What to say of an engine that was told that there is no room."""
    try:
        disk = os.statvfs(folder)
        left = f"{disk.f_bavail * disk.f_frsize // 2**20} MB are free"
        if disk.f_files > 0 and disk.f_favail == 0:
            left = "no more files can be made on it"
    except OSError:
        left = "nothing is free"
    return f"The disk of {folder} is full ({left}): {engine} cannot write. Free some space on it."
