"""The API and a worker that may speak to loopback."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from infra.settings import DeliverySettings
from tests.api.conftest import Api, serving, working
from tests.conftest import World


@pytest.fixture(scope="module")
async def live(shared_world: World) -> AsyncIterator[Api]:
    """The API of the module's world with a worker behind it; webhooks may be on loopback."""
    delivery = DeliverySettings(allow="127.0.0.1")
    world = replace(shared_world, settings=shared_world.settings.model_copy(update={"delivery": delivery}))
    async with serving(world) as made, working(world, environment={"YEKTA_DELIVERY__ALLOW": "127.0.0.1"}):
        yield made
