"""The desk's pages of sources, as they are without a script: what is shown, a key made once, settings."""

import pytest

from tests.api.conftest import Api

pytestmark = pytest.mark.engines


@pytest.mark.parametrize("language", ["fa", "en"])
async def test_a_source_is_made_shown_and_set(api: Api, language: str) -> None:
    name = f"desk-{language}"
    cookies = {"yekta_language": language}
    answer = await api.client.post("/sign-in", data={"token": await api.token()})
    cookies["yekta_session"] = answer.cookies["yekta_session"]
    headers = {
        "Cookie": "; ".join(f"{key}={value}" for key, value in cookies.items()),
        "Origin": "http://yekta",
        "Sec-Fetch-Site": "same-origin",
    }
    api.client.cookies.clear()
    made = await api.client.post("/sources", data={"name": name}, headers=headers)
    assert made.status_code == 200, made.text
    assert made.text.count("yk_") >= 4
    page = await api.client.get(f"/sources/{name}", headers=headers)
    assert page.status_code == 200
    assert "$KEY" in page.text
    assert f'data-from="/v1/sources/{name}/tail"' in page.text
    form = {"rate": "5", "size": "0", "types": "web.* call.ended", "currency": "irr", "strict": "on", "do": "configure"}
    assert (await api.client.post(f"/sources/{name}", data=form, headers=headers)).status_code == 303
    source = api.made.ring.source(name)
    assert source is not None
    assert (source.rate, source.strict, source.types, source.currency) == (5, True, ("web.*", "call.ended"), "IRR")
    assert (await api.client.post(f"/sources/{name}", data={"do": "disable", "reason": "x"}, headers=headers)).status_code == 303
    assert (await api.client.post(f"/sources/{name}", data=form | {"rate": "much"}, headers=headers)).status_code == 422
    listed = await api.client.get("/sources", headers=headers)
    assert f'href="/sources/{name}"' in listed.text
