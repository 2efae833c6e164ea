"""A real Chromium for the tests, on a machine that has none: the headless build of an npm package, driven by Playwright.

`YEKTA_TEST_CHROMIUM` names another one. Where the package's build does not run (it is for Linux on x86-64) an installed Chromium or
Chrome serves. Reading order: chromium, launched.
"""

import os
import platform
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from tests.browser.npm import Package, Unfetched, fetched, inflated, made_once, program, unpack

CHROMIUM = Package(
    "@sparticuz/chromium", "153.0.0", "jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA=="
)
VAZIRMATN = Package("vazirmatn", "33.0.3", "fbjNc0CMjazZpIegWzz9OHGzI1APFboT+x7ZecXlUCtDe/nkyx7gtCTZnWS/+eeXG7fbfXymCPKJI8EsnM3iqw==")
AXE = Package("axe-core", "4.14.1", "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==")

CHOICE = "YEKTA_TEST_CHROMIUM"
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--font-render-hinting=none"),
)


class NoBrowser(Exception):
    """There is no Chromium to be had; the message says why."""


def chromium() -> tuple[Path, dict[str, str]]:
    """A Chromium that starts, and the environment it needs. Raises `NoBrowser`."""
    if CHOICE in os.environ:
        return Path(os.environ[CHOICE]), {}
    why = "the packaged Chromium is for Linux on x86-64"
    if sys.platform == "linux" and platform.machine() == "x86_64":
        try:
            folder = fetched(CHROMIUM)
        except Unfetched as error:
            why = str(error)
        else:
            packaged = inflated(folder / "bin" / "chromium.br", folder / "chromium")
            environment = {"LD_LIBRARY_PATH": str(_libraries(folder))}
            for wanted in ({}, environment):
                started = subprocess.run(
                    [packaged, "--version"], env=os.environ | wanted, capture_output=True, text=True, timeout=60, check=False
                )
                if started.returncode == 0:
                    return packaged, wanted
            why = f"the packaged Chromium does not start here: {started.stderr.strip()[-300:]}"
    installed = program("chromium", "chromium-browser", "google-chrome")
    if installed is None:
        raise NoBrowser(f"no Chromium: {why}, and none is installed; {CHOICE} may name one")
    return Path(installed), {}


def _libraries(folder: Path) -> Path:
    """What a bare machine has no libraries for; only used where the program does not start without."""
    wanted = folder / "libraries"
    if not wanted.exists():
        with made_once(wanted) as made:
            unpack(inflated(folder / "bin" / "al2023.tar.br", folder / "libraries.tar"), made)
    return wanted / "lib"


@asynccontextmanager
async def launched(scratch: Path) -> AsyncIterator[Browser]:
    """The browser, with the font that the desk prefers, and none of what browsers do by themselves."""
    executable, environment = chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable, args=list(FLAGS), env={**os.environ, **environment, **_fonts(scratch)}
        )
        try:
            yield browser
        finally:
            await browser.close()


def _fonts(scratch: Path) -> dict[str, str]:
    """The system's fonts and Vazirmatn, told to fontconfig by a file of our own."""
    config = scratch / "fonts.conf"
    config.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        '<include ignore_missing="yes">/etc/fonts/fonts.conf</include>'
        f"<dir>{fetched(VAZIRMATN) / 'fonts' / 'variable'}</dir><cachedir>{scratch / 'fontconfig'}</cachedir></fontconfig>"
    )
    return {"FONTCONFIG_FILE": str(config)}
