"""`yekta prepare`: what a deployment runs once before its API and workers."""

import uvloop

from infra import everything
from infra.endpoints import endpoints
from infra.settings import load


def prepare() -> None:
    """Create the topics and run the migrations on the engines that the settings name, and end. Safe to repeat."""
    settings = load()
    uvloop.run(everything.prepare(settings, endpoints(settings)))
