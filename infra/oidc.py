"""Signs people in through an OpenID Connect provider, the adapter of `api.ports.Provider`: code flow with PKCE, nothing believed unsigned.

Reading order: OidcProvider, leave, arrive.
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx
import jwt

from aggregates.access import ROLES, Role
from api.ports import NotLetIn, Person

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
"""Only asymmetric ones: a provider's secret is no proof of who signed."""

LEEWAY = 60
WITHIN = 10.0
SCOPES = "openid profile email"


class OidcProvider:
    """One provider, discovered when somebody first signs in."""

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str,
        *,
        name: str,
        claim: str,
        roles: Mapping[str, Role],
        client: httpx.AsyncClient,
    ) -> None:
        self.name = name
        self._issuer, self._client_id, self._client_secret = issuer.rstrip("/"), client_id, client_secret
        self._claim, self._roles, self._client = claim, roles, client
        self._known: dict[str, Any] | None = None

    async def leave(self, redirect: str, state: str, nonce: str, challenge: str) -> str:
        """The address at the provider to which a browser is sent. Raises NotLetIn when the provider is away."""
        parameters = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect,
            "scope": SCOPES,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = (await self._discovered())["authorization_endpoint"]
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(parameters)}"

    async def arrive(self, redirect: str, code: str, verifier: str, nonce: str) -> Person:
        """Who came back with this code. Raises NotLetIn."""
        known = await self._discovered()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
        authorisation = None
        if self._client_secret:
            authorisation = httpx.BasicAuth(self._client_id, self._client_secret)
        else:
            form["client_id"] = self._client_id
        answer = await self._asked("POST", known["token_endpoint"], data=form, auth=authorisation)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise NotLetIn("The provider gave no ID token.")
        claims = await self._verified(token, known)
        if claims.get("nonce") != nonce:
            raise NotLetIn("The ID token is of another sign-in.")
        return Person(str(claims["sub"]), self._name(claims), self._role(claims))

    async def _verified(self, token: str, known: Mapping[str, Any]) -> dict[str, Any]:
        keys = jwt.PyJWKSet.from_dict(await self._asked("GET", known["jwks_uri"]))
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = next(one for one in keys.keys if kid is None or one.key_id == kid)
            claims: dict[str, Any] = await asyncio.to_thread(
                jwt.decode,
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self._client_id,
                issuer=known["issuer"],
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "sub", "aud", "iss"]},
            )
        except (jwt.PyJWTError, StopIteration) as error:
            raise NotLetIn(f"The ID token is not valid: {type(error).__name__}.") from error
        return claims

    async def _discovered(self) -> dict[str, Any]:
        if self._known is None:
            found = await self._asked("GET", f"{self._issuer}/.well-known/openid-configuration")
            if str(found.get("issuer", "")).rstrip("/") != self._issuer:
                raise NotLetIn("The provider calls itself otherwise than the settings do.")
            self._known = found
        return self._known

    async def _asked(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        try:
            answer = await self._client.request(method, url, timeout=WITHIN, **options)
            answer.raise_for_status()
            content: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise NotLetIn(f"The provider does not answer: {type(error).__name__}.") from error
        return content

    @staticmethod
    def _name(claims: Mapping[str, Any]) -> str:
        return next((str(claims[name]) for name in ("preferred_username", "email", "name") if claims.get(name)), str(claims["sub"]))

    def _role(self, claims: Mapping[str, Any]) -> Role | None:
        """The most that one of his groups gives him; a group that is called like a role gives that role unless a map was set."""
        value: Any = claims
        for part in self._claim.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        groups = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        roles = self._roles or {role: role for role in ROLES}
        given = {roles[group] for group in groups if group in roles}
        return max(given, key=lambda role: WEIGHT[role], default=None)


WEIGHT: Mapping[Role, int] = {"partner": 0, "analyst": 1, "marketer": 2, "agent": 3, "supervisor": 4, "admin": 5}
