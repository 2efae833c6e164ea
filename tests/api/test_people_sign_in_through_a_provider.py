"""Signing in through an OpenID Connect provider: the real flow over HTTP, and everything by which it must not be entered."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa

from api.app import create
from infra.oidc import OidcProvider
from tests.api.conftest import Api, until
from tests.api.identity_provider import IdentityProvider

pytestmark = pytest.mark.engines


@pytest.fixture
async def provider() -> AsyncIterator[IdentityProvider]:
    """A provider on a port of its own."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        made = IdentityProvider(f"http://127.0.0.1:{listener.getsockname()[1]}")
        server = uvicorn.Server(uvicorn.Config(made.app, log_config=None, access_log=False, lifespan="off"))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        yield made
        server.should_exit = True
        await task


@asynccontextmanager
async def browser(api: Api, provider: IdentityProvider) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at a desk that knows the provider."""
    async with httpx.AsyncClient(timeout=60) as web:
        known = OidcProvider(provider.url, "yekta", "", name="Staff", claim="roles", roles={}, client=web)
        app = create(replace(api.made, provider=known))
        mounts = {"all://yekta": httpx.ASGITransport(app, raise_app_exceptions=False)}
        async with httpx.AsyncClient(base_url="http://yekta", mounts=mounts, follow_redirects=True) as client:
            yield client


async def test_who_has_a_role_gets_a_session_under_his_name(api: Api, provider: IdentityProvider) -> None:
    provider.person["roles"] = ["staff", "agent", "analyst"]
    async with browser(api, provider) as client:
        page = await client.get("/")
        assert "/sign-in/provider?back=" in page.text
        page = await client.get("/sign-in/provider?back=/requests")
        assert page.status_code == 200
        assert 'url=/requests"' in page.text
        assert "yekta_session" in client.cookies
        assert (await client.get("/requests")).status_code == 200
        assert (await client.get("/v1/customers?q=x")).status_code == 200
        assert (await client.get("/v1/keys")).status_code == 403
        (key,) = [key for key in api.made.ring.every_key() if key.label == "maryam" and key.revoked is None]
        assert key.role == "agent"
        await api.made.keys.revoke(key.id, "tests")
        await until(lambda: getattr(api.made.ring.key(key.id), "revoked", None) is not None)
        assert (await client.get("/requests")).status_code == 401


async def test_who_has_no_role_is_told_so(api: Api, provider: IdentityProvider) -> None:
    provider.person["roles"] = ["accounting"]
    async with browser(api, provider) as client:
        page = await client.get("/sign-in/provider")
        assert page.status_code == 403
        assert "yekta_session" not in client.cookies


@pytest.mark.parametrize("spoilt", [{"aud": "other"}, {"iss": "http://elsewhere"}, {"exp": 1}, {"nonce": "another"}, {"sub": None}])
async def test_a_wrong_token_opens_nothing(api: Api, provider: IdentityProvider, spoilt: dict[str, object]) -> None:
    provider.spoilt = spoilt
    async with browser(api, provider) as client:
        assert (await client.get("/sign-in/provider")).status_code == 403
        assert "yekta_session" not in client.cookies


async def test_a_token_that_somebody_else_signed_opens_nothing(api: Api, provider: IdentityProvider) -> None:
    provider.signed_by = rsa.generate_private_key(65537, 2048)
    async with browser(api, provider) as client:
        assert (await client.get("/sign-in/provider")).status_code == 403


async def test_who_did_not_leave_from_here_does_not_arrive(api: Api, provider: IdentityProvider) -> None:
    async with browser(api, provider) as client:
        assert (await client.get("/sign-in/callback?code=x&state=y")).status_code == 403
        leaving = await client.get("/sign-in/provider", follow_redirects=False)
        back = (await client.get(leaving.headers["location"], follow_redirects=False)).headers["location"]
        assert (await client.get(back.replace("state=", "state=x"))).status_code == 403
        client.cookies.set("yekta_leaving", "forged.forged")
        assert (await client.get(back)).status_code == 403


async def test_a_provider_that_is_away_keeps_nobody_from_using_a_token(api: Api, provider: IdentityProvider) -> None:
    provider.url = "http://127.0.0.1:9"
    async with browser(api, provider) as client:
        assert (await client.get("/sign-in/provider")).status_code == 503
        assert (await client.get("/")).status_code == 401
