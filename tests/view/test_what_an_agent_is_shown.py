"""The view as it is read: one customer, told by many channels."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from projections.rows import Connection
from projections.timeline import table as timeline
from projections.timeline.row import row_of
from projections.view import table as views
from projections.view.channels import LIMIT
from projections.view.reading import read
from projections.view.state import encode
from projections.view.windows import Counted, count, windows
from tests.view.telling import BEGINNING, CUSTOMER, Happening, folded, happened

PHONE, EMAIL, DEVICE = ("phone", "+989121234567"), ("email", "sara@example.ir"), ("device", "d-1")


def day(days: float) -> datetime:
    return BEGINNING + timedelta(days=days)


def shown(history: list[Happening], at: datetime) -> dict[str, Any]:
    """The answer, as a client reads it."""
    rows = [row_of(happening.event, b"", CUSTOMER, 0, 0) for happening in history]
    counted = [Counted(row.at, row.event_id, row.type, row.channel, row.ref, row.amount, row.currency) for row in rows]
    answer: dict[str, Any] = msgspec.to_builtins(read(CUSTOMER, folded(history), windows(counted, at), at))
    return answer


def order(number: str, total: str, on: float, currency: str = "USD") -> Happening:
    return happened("sales.order_placed", {"order_id": number, "total": total, "currency": currency, "lines": []}, day=on)


def cancelled(number: str, on: float) -> Happening:
    return happened("sales.order_cancelled", {"order_id": number}, day=on)


def reported(on: float, **traits: Any) -> Happening:
    return happened("profile.reported", {"traits": traits}, day=on)


def test_one_customer_is_joined_from_four_channels() -> None:
    history = [
        happened("web.page_viewed", {"url": "/"}, who=[DEVICE], day=0),
        happened("web.identified", {"traits": {"name": "سارا کریمی", "email": EMAIL[1]}}, who=[DEVICE, EMAIL], day=1),
        order("o-1", "12.50", 2),
        happened("call.ended", {"call_id": "c-1"}, who=[PHONE], day=3),
        happened(
            "reseller.sale_reported", {"reseller": "n", "sale_id": "s", "lines": [], "total": "3", "currency": "USD"}, who=[PHONE], day=4
        ),
    ]
    view = shown(history, day(5))
    assert view["name"] == {"display": "سارا کریمی", "given": "", "family": ""}
    assert [(point["kind"], point["value"]) for point in view["contact_points"]] == [PHONE, EMAIL, DEVICE]
    assert view["contact_points"][1]["event_id"] == view["traits"]["name"]["event_id"] == history[1].event.yektaevent
    assert (view["first_seen"], view["last_seen"], view["last_channel"], view["last_type"]) == (
        "2026-03-01T00:00:00Z",
        "2026-03-05T00:00:00Z",
        "reseller",
        "reseller.sale_reported",
    )
    assert {name: (channel["events"], channel["money"]) for name, channel in view["channels"].items()} == {
        "call": (1, {}),
        "reseller": (1, {"USD": "3"}),
        "sales": (1, {"USD": "12.50"}),
        "web": (2, {}),
    }
    assert view["windows"]["7d"]["sales"] == {"events": 1, "money": {"USD": "12.50"}}
    assert (view["events"], view["clock"], view["at"]) == (5, "wall", "2026-03-06T00:00:00Z")


def test_the_latest_word_on_a_trait_holds_whenever_it_comes() -> None:
    history = [reported(3, city="Shiraz", tier="gold"), reported(1, city="Yazd"), reported(4, tier=None)]
    view = shown(history, day(5))
    assert {name: trait["value"] for name, trait in view["traits"].items()} == {"city": "Shiraz"}
    assert view["last_seen"] is None, "to be spoken of is not to be seen"


def test_a_name_is_the_latest_full_one_or_made_of_its_parts() -> None:
    assert shown([reported(1, first_name="Sara", last_name="Karimi")], day(5))["name"]["display"] == "Sara Karimi"
    assert (
        shown([reported(1, first_name="Sara", name="S. Karimi"), reported(2, full_name="Sara K.")], day(5))["name"]["display"] == "Sara K."
    )
    assert shown([], day(5))["name"]["display"] == ""


def test_orders_are_net_of_the_cancelled_and_each_counts_once() -> None:
    history = [
        order("a", "10", 1),
        order("b", "20", 2),
        order("b", "25.5", 3),
        order("c", "7", 4),
        cancelled("c", 5),
        order("d", "9", 6, "EUR"),
    ]
    orders = shown(history, day(7))["orders"]
    assert orders == {
        "placed": 4,
        "cancelled": 1,
        "worth": {
            "EUR": {"orders": 1, "total": "9", "average": "9"},
            "USD": {"orders": 2, "total": "35.50", "average": "17.75"},
        },
        "first_at": "2026-03-02T00:00:00Z",
        "last_at": "2026-03-07T00:00:00Z",
    }


def test_a_cancellation_on_the_day_of_the_order_counts() -> None:
    for number in range(20):
        assert shown([order(f"o{number}", "10", 1), cancelled(f"o{number}", 1)], day(2))["orders"]["cancelled"] == 1


def test_an_order_placed_again_after_it_was_cancelled_stands() -> None:
    assert shown([order("a", "10", 1), cancelled("a", 2), order("a", "10", 3)], day(4))["orders"]["worth"]["USD"]["total"] == "10"


def test_an_old_order_can_still_be_cancelled() -> None:
    history = [order(f"o-{number}", "1", number / 100) for number in range(700)]
    orders = shown([*history, cancelled("o-3", 9), cancelled("o-3", 10), cancelled("o-650", 9), cancelled("never", 9)], day(11))["orders"]
    assert (orders["placed"], orders["cancelled"], orders["worth"]["USD"]["total"]) == (700, 2, "698")


def test_an_id_that_comes_again_after_many_orders_is_another_order() -> None:
    def others(name: str, on: float) -> list[Happening]:
        return [order(f"{name}-{number}", "1", on + number / 1000) for number in range(300)]

    history = [order("o", "10", 1), *others("a", 2), order("o", "20", 3), *others("b", 4)]
    orders = shown(history, day(6))["orders"]
    assert (orders["placed"], orders["worth"]["USD"]["total"]) == (602, "630")
    orders = shown([*history, cancelled("o", 5)], day(6))["orders"]
    assert (orders["placed"], orders["cancelled"], orders["worth"]["USD"]["total"]) == (602, 1, "610"), "the later one is cancelled"


@pytest.mark.parametrize(
    ("words", "purpose", "channel", "allowed"),
    [
        ([], "marketing", "sms", False),
        ([("given", 1, ["sms"], None)], "marketing", "sms", True),
        ([("given", 1, ["sms"], None)], "Marketing", "SMS", True),
        ([("given", 1, ["sms"], None)], "marketing", "email", False),
        ([("given", 1, ["sms"], None)], "service", "sms", False),
        ([("given", 1, None, None)], "marketing", "email", True),
        ([("given", 1, None, None), ("withdrawn", 2, ["sms"], None)], "marketing", "sms", False),
        ([("given", 1, None, None), ("withdrawn", 2, ["sms"], None)], "marketing", "email", True),
        ([("given", 1, ["sms"], None), ("withdrawn", 2, None, None)], "marketing", "sms", False),
        ([("withdrawn", 1, ["sms"], None), ("given", 2, None, None)], "marketing", "sms", True),
        ([("given", 1, ["sms"], None), ("withdrawn", 1, ["sms"], None)], "marketing", "sms", False),
        ([("given", 1, ["sms"], "2026-03-04")], "marketing", "sms", False),
        ([("given", 1, ["sms"], "2026-03-07")], "marketing", "sms", True),
        ([("given", 1, None, None), ("given", 2, ["sms"], "2026-03-04")], "marketing", "sms", False),
    ],
)
def test_the_latest_word_on_consent_holds(words: list[Any], purpose: str, channel: str, allowed: bool) -> None:
    history = [
        happened(
            f"consent.{verb}",
            {"purpose": "marketing"} | ({"channels": channels} if channels else {}) | ({"valid_until": until} if until else {}),
            day=on,
        )
        for verb, on, channels, until in words
    ]
    for arrived in (history, history[::-1]):
        said = {one["channel"]: one["in_force"] for one in shown(arrived, day(5))["consents"] if one["purpose"] == purpose.lower()}
        assert said.get(channel.lower(), said.get("*", False)) is allowed


@pytest.mark.parametrize(("clock", "allows"), [("", False), ("event", True)])
def test_a_consent_that_a_simulator_made_up_allows_nothing_but_in_replayed_time(clock: str, allows: bool) -> None:
    made_up = happened("consent.given", {"purpose": "marketing"}, day=1, yektasimulated=True, yektaclock=clock)
    assert bool(shown([made_up], day(5))["consents"]) is allows


def test_a_subscription_runs_until_it_ends() -> None:
    def told(verb: str, on: float, **data: str) -> Happening:
        return happened(f"subscription.{verb}", {"subscription_id": data.pop("id", "s"), **data}, day=on)

    started = told("started", 0, plan="pro", ends_at="2026-04-01T00:00:00Z")
    renewed = told("renewed", 20, ends_at="2026-05-01T00:00:00Z")
    stopped = told("cancelled", 30)

    def running(history: list[Happening], at: float) -> list[tuple[str, str, str | None]]:
        return [(known["state"], known["plan"], known["ends_at"]) for known in shown(history, day(at))["subscriptions"]]

    assert running([started], 10) == [("started", "pro", "2026-04-01T00:00:00Z")]
    assert running([started], 31) == []
    assert running([renewed, started], 40) == [("renewed", "pro", "2026-05-01T00:00:00Z")]
    assert running([started, renewed, stopped], 40) == [("cancelled", "pro", "2026-05-01T00:00:00Z")]
    assert running([started, renewed, stopped], 62) == []
    assert running([told("started", 0, id="t")], 900) == [("started", "", None)]
    assert running([told("started", 0, id="t"), told("cancelled", 0, id="t")], 1) == []


def test_a_call_in_progress_shows_until_it_ends_and_not_for_ever() -> None:
    ringing = happened("call.ringing", {"call_id": "c", "direction": "inbound", "queue": "vip"}, at=day(0))
    answered = happened("call.answered", {"call_id": "c", "agent": "reza"}, at=day(0))
    ended = happened("call.ended", {"call_id": "c"}, at=day(0) + timedelta(minutes=5))

    def calls(history: list[Happening], after: timedelta) -> list[tuple[str, str]]:
        return [(call["stage"], call["agent"]) for call in shown(history, day(0) + after)["open"]["calls"]]

    assert calls([ringing], timedelta(seconds=1)) == [("ringing", "")]
    assert calls([answered, ringing], timedelta(minutes=1)) == [("answered", "reza")]
    assert calls([answered, ringing], timedelta(hours=4)) == [("answered", "reza")]
    assert calls([answered, ringing], timedelta(hours=4, seconds=1)) == []
    assert calls([ended, answered, ringing], timedelta(minutes=6)) == []


def test_an_order_settles_quotes_and_the_cart_and_a_sale_settles_leads() -> None:
    quote = happened("sales.quote_sent", {"quote_id": "q", "total": "5", "currency": "USD", "valid_until": "2026-03-11"}, day=1)
    cart = happened("web.cart_updated", {"lines": [{"sku": "a"}], "total": "5", "currency": "USD"}, day=1)
    lead = happened("reseller.lead_registered", {"reseller": "n", "lead_id": "l", "value": "7.5", "currency": "USD"}, day=1)
    sale = happened("reseller.sale_reported", {"reseller": "n", "sale_id": "s", "total": "1", "currency": "USD"}, day=2)
    emptied = happened("web.cart_updated", {"lines": []}, day=2)

    def opened(*history: Happening, at: float = 5) -> tuple[list[str], bool, list[str]]:
        found = shown([quote, cart, lead, *history], day(at))["open"]
        return [quote["total"] for quote in found["quotes"]], found["cart"] is not None, [lead["value"] for lead in found["leads"]]

    assert opened() == (["5"], True, ["7.50"])
    assert opened(at=10) == ([], True, ["7.50"])
    assert opened(order("o", "1", 0.5)) == (["5"], True, ["7.50"])
    assert opened(order("o", "1", 2)) == ([], False, [])
    assert opened(sale) == (["5"], True, [])
    assert opened(emptied) == (["5"], False, ["7.50"])


def test_times_that_cannot_be_are_kept_flagged_and_count_when_they_were_received() -> None:
    history = [
        happened("web.page_viewed", {"url": "/1"}, at=datetime(9999, 12, 31, tzinfo=UTC), recorded=day(1)),
        happened("web.page_viewed", {"url": "/2"}, at=datetime(1601, 1, 1, tzinfo=UTC), recorded=day(2)),
        happened("web.page_viewed", {"url": "/3"}, at=day(0), recorded=day(3)),
    ]
    view = shown(history, day(3))
    assert view["flagged"] == {"future": 1, "past": 1}
    assert (view["first_seen"], view["last_seen"]) == ("2026-03-01T00:00:00Z", "2026-03-03T00:00:00Z")
    assert view["windows"]["7d"] == {"web": {"events": 3, "money": {}}}


def test_simulated_facts_and_replayed_clocks_are_told() -> None:
    simulated = happened("web.page_viewed", {"url": "/"}, yektasimulated=True, yektaclock="event")
    assert (shown([simulated], day(1))["simulated"], shown([simulated], day(1))["clock"]) == (1, "event")
    assert shown([simulated, order("o", "1", 1)], day(1))["clock"] == "wall"


def test_what_we_say_of_him_ourselves_counts_nowhere_as_something_of_his() -> None:
    history = [order("o", "1", 1), happened("web.page_viewed", {"url": "/"}, day=1)]
    ours = [happened("score.given", {"score": "churn"}, day=2), happened("segment.entered", {"segment": "loyal"}, day=2)]
    for told in (ours, ours * 3):
        view = shown([*history, *told], day(3))
        assert (view["events"], set(view["channels"]), set(view["windows"]["7d"])) == (2, {"sales", "web"}, {"sales", "web"})
    many = [happened(f"kiosk{number}.used", {}, day=1) for number in range(LIMIT)]
    for told in (ours + many, many + ours):
        assert shown([*history, *told], day(3))["events"] == 2 + LIMIT


def test_a_state_stays_small_whatever_is_sent() -> None:
    history = [
        happened(
            f"flood{number}.came",
            {"traits": {f"t{number}": "x" * 5000}, "order_id": f"{number}" * 60, "purpose": f"p{number}"},
            who=[("device", f"device {number}"), ("phone", f"+98912{number:07}")],
            day=number / 10,
        )
        for number in range(300)
    ]
    for type_ in ("profile.reported", "sales.order_placed", "consent.given", "subscription.started", "call.ringing", "sales.quote_sent"):
        history += [
            happened(
                type_,
                {
                    "order_id": f"o{number}",
                    "call_id": f"c{number}",
                    "quote_id": f"q{number}",
                    "subscription_id": f"s{number}",
                    "total": "99999999.99",
                    "currency": "USD",
                    "purpose": f"p{number}",
                    "direction": "inbound",
                }
                | ({"traits": {f"t{number}": "x" * 5000, "deep": [[[number]] * 500]}} if type_ == "profile.reported" else {}),
                day=number / 10,
            )
            for number in range(300)
        ]
    view = shown(history, day(40))
    assert len(encode(folded(history))) < 60_000
    assert view["traits"]["deep"]["cut"] is True
    assert {point["kind"] for point in view["contact_points"]} == {"phone"}, "devices make room for phones"


@pytest.mark.engines
async def test_state_and_windows_are_read_in_one_look(connection: Connection, schema: str) -> None:
    await connection.execute("DELETE FROM streams.clocks")
    replayed = [
        happened("web.page_viewed", {"url": "/"}, day=0, yektaclock="event"),
        happened(
            "reseller.sale_reported", {"reseller": "n", "sale_id": "s", "total": "0.10", "currency": "USD"}, day=3, yektaclock="event"
        ),
    ]
    today = [*replayed, order("o", "12345678901234567.12345678", 9)]
    for history in (replayed, today):
        state = folded(history)
        await timeline.insert(connection, schema, [row_of(happening.event, b"", CUSTOMER, 0, 0) for happening in history])
        await views.save(connection, schema, [(CUSTOMER, state, 2, 77)])
        looked = await views.look(connection, schema, CUSTOMER, day(12))
        assert looked is not None
        assert (looked.state, looked.log_partition, looked.log_offset, looked.moving) == (state, 2, 77, False)
        assert looked.at == (day(12) if state.wall else day(3)), "a replayed customer's now is the latest that was replayed"
        assert looked.windows == await count(connection, schema, CUSTOMER, looked.at)
        money = {channel: window.money for channel, window in looked.windows[90].items() if window.money}
        assert money == {"reseller": {"USD": "0.1"}} | ({"sales": {"USD": "12345678901234567.12345678"}} if history is today else {})
    await views.save(connection, schema, [(CUSTOMER, folded(replayed), 2, 77)])
    await connection.execute("INSERT INTO streams.clocks VALUES (0, %s), (1, %s)", (day(1), day(6)))
    looked = await views.look(connection, schema, CUSTOMER, day(12))
    assert looked is not None
    assert looked.at == day(6)
    assert await views.look(connection, schema, CUSTOMER.__class__(int=99), day(12)) is None
    await connection.rollback()
