"""The API and a worker that may speak to loopback, and an installation whose gateways are there."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from infra.settings import DeliverySettings, EmailSettings
from tests.api.conftest import Api, serving, working
from tests.conftest import World
from tests.delivery.mail import mail_server
from tests.delivery.reaching import Ground
from tests.delivery.receiver import receiving

MESSAGES = """
spring: {sms: {text: "سلام $name"}, email: {subject: "بهار", text: "سلام $name، خوش آمدید"}}
"""


@pytest.fixture(scope="module")
async def live(shared_world: World) -> AsyncIterator[Api]:
    """The API of the module's world with a worker behind it; webhooks may be on loopback."""
    delivery = DeliverySettings(allow="127.0.0.1")
    world = replace(shared_world, settings=shared_world.settings.model_copy(update={"delivery": delivery}))
    async with serving(world) as made, working(world, environment={"YEKTA_DELIVERY__ALLOW": "127.0.0.1"}):
        yield made


@pytest.fixture(scope="module")
async def ground(shared_world: World, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    messages = tmp_path_factory.mktemp("messages") / "messages.yaml"
    messages.write_text(MESSAGES, "utf-8")
    async with receiving() as gateway, receiving() as hooks, mail_server() as mail:
        environment = {
            "YEKTA_DELIVERY__ALLOW": "127.0.0.1",
            "YEKTA_DELIVERY__MESSAGES": str(messages),
            "YEKTA_SMS__URL": f"http://127.0.0.1:{gateway.port}/v1/KEY/verify/lookup.json?receptor={{to}}",
            "YEKTA_SMS__BODY": "token={text}&template={contact}&localid={number}",
            "YEKTA_SMS__NAMED": '"messageid": ([0-9]+)',
            "YEKTA_EMAIL__HOST": "127.0.0.1",
            "YEKTA_EMAIL__PORT": str(mail.port),
            "YEKTA_EMAIL__STARTTLS": "false",
            "YEKTA_EMAIL__SENDER": "shop@example.com",
            "YEKTA_API__ADDRESS": "https://desk.a-long-name-of-a-shop.example",
        }
        delivery, email = DeliverySettings(allow="127.0.0.1", messages=messages), EmailSettings(host="127.0.0.1")
        settings = shared_world.settings.model_copy(update={"delivery": delivery, "email": email})
        world = replace(shared_world, settings=settings)
        async with serving(world) as api, working(world, environment=environment):
            yield Ground(api, await api.token(), await api.write_key("shop"), gateway, mail, hooks)
