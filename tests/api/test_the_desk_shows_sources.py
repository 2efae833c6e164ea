"""The desk's pages of sources, as they are without a script: what is shown, a key made once, settings."""

from dataclasses import replace

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
    made = await api.client.post("/sources", data={"name": name, "draft": f"twice-{name}"}, headers=headers)
    assert made.status_code == 200, made.text
    assert made.text.count("yk_") >= 4
    again = await api.client.post("/sources", data={"name": name, "draft": f"twice-{name}"}, headers=headers)
    assert (again.status_code, "$KEY" in again.text) == (422, True)
    assert {"fa": "تنها همان بار نشان داده شد", "en": "The key is made already"}[language] in again.text
    assert [key.source.name for key in api.made.ring.every_key() if key.source].count(name) == 1
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
    for field, typed, said in (
        ("rate", "much", {"fa": "رویداد در ثانیه عددی است", "en": "Events a second are a number"}),
        ("rate", "nan", {"fa": "رویداد در ثانیه عددی است", "en": "Events a second are a number"}),
        ("size", "10485761", {"fa": "بایت هر درخواست", "en": "Bytes of a request"}),
        ("types", "web.* " + "x" * 101, {"fa": "نوع‌ها حداکثر", "en": "Types are at most"}),
        ("currency", "تومان", {"fa": "کد ISO 4217", "en": "a code of ISO 4217"}),
    ):
        refused = await api.client.post(f"/sources/{name}", data=form | {field: typed}, headers=headers)
        assert (refused.status_code, said[language] in refused.text) == (422, True), field
        assert f'value="{typed}" aria-invalid="true"' in refused.text
    assert api.made.ring.source(name) == replace(source, disabled=True)
    assert (
        await api.client.post(f"/sources/{name}", data=form | {"rate": "۱۲۳۴۵۶۷٫۵", "do": "configure"}, headers=headers)
    ).status_code == 303
    assert 'value="1234567.5"' in (await api.client.get(f"/sources/{name}", headers=headers)).text
    listed = await api.client.get("/sources", headers=headers)
    assert f'href="/sources/{name}"' in listed.text
