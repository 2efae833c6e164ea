"""Lets no process outlive the one that it works for, however that one ends. Reading order: end_with."""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1
_PRCTL = ctypes.CDLL(None).prctl if sys.platform.startswith("linux") else None  # nothing may be loaded between a fork and its exec


def end_with(parent: int, signal_number: int) -> None:
    """Ask the kernel to send this process a signal when its parent dies. Where it is not Linux nothing is asked."""
    if _PRCTL is not None:
        _PRCTL(_PR_SET_PDEATHSIG, signal_number)
        if os.getppid() != parent:  # it died in the moment before
            os._exit(1)
