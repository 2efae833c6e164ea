"""What a customer ordered, net of what he cancelled.

An order counts once, by its id, and is what its latest fact says: placed with this total, or cancelled (which wins a tie, for many systems
tell days and no hours). Recognising an id again needs memory, and memory is bounded: the `LIMIT` orders spoken of last are remembered. An
id that comes again after more orders than that counts as another order. The cancellation of an order that is no longer remembered, or a
late word on orders when some were forgotten, may need the customer's whole history. A fold over the whole history remembers all totals
(`archive`), for cancellations only. Reading order: Order, Orders, evolve, needs_history, `_has_its_place`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from aggregates.fact import Fact, Stamp
from projections.money import ZERO, amount_of, currency_of, minus, plus, text_of
from projections.view.channels import ORDER_PLACED
from projections.view.values import reference

LIMIT = 32
SHELF = 256

Words = Mapping[str, Sequence[datetime]]
"""When an order was spoken of, by its id: of all facts that came, also those that are not folded yet."""


class Order(Struct, frozen=True, array_like=True, gc=False):
    """The latest word on one order; either stamp may be missing, because facts come in any order."""

    placed: Stamp | None = None
    cancelled: Stamp | None = None
    amount: str = ZERO
    currency: str = ""

    @property
    def standing(self) -> bool:
        """Placed, and not cancelled since."""
        return self.placed is not None and (self.cancelled is None or self.placed[0] > self.cancelled[0])

    @property
    def rank(self) -> tuple[datetime, bool, Stamp]:
        """The lowest is forgotten first: spoken of longest ago. A cancellation waits for an order of its own time that may still come."""
        latest = max(stamp for stamp in (self.placed, self.cancelled) if stamp)
        return latest[0], self.placed is None, latest


class Worth(Struct, frozen=True, array_like=True, gc=False):
    """What the standing orders of one currency come to."""

    count: int
    total: str


class Orders(Struct, frozen=True, array_like=True, gc=False):
    """All orders of a customer."""

    placed: int = 0
    cancelled: int = 0
    worth: dict[str, Worth] = {}
    first: datetime | None = None
    last: Stamp | None = None  # the latest placing
    latest: Stamp | None = None  # the latest placing or cancelling
    recent: dict[str, Order] = {}
    forgot: bool = False
    archive: tuple[dict[str, Order], ...] | None = None  # oldest shelf first; only while a whole history is folded


NO_ORDER = Order()


def evolve(orders: Orders, fact: Fact) -> Orders:
    """Take in that an order was placed or cancelled."""
    key = reference(fact.data.get("order_id"))
    if key is None:
        return orders
    stamp = fact.stamp
    latest = stamp if orders.latest is None or stamp > orders.latest else orders.latest
    if fact.type != ORDER_PLACED:
        if key not in orders.recent and (shelf := _shelf_of(orders, key)) is not None:
            return replace(_cancelled_in_archive(orders, key, shelf, stamp), latest=latest)
        before = orders.recent.get(key, NO_ORDER)
        return _put(replace(orders, latest=latest), key, before, _cancelled(before, stamp))
    orders = replace(
        orders,
        latest=latest,
        first=fact.at if orders.first is None or fact.at < orders.first else orders.first,
        last=stamp if orders.last is None or stamp > orders.last else orders.last,
    )
    before = orders.recent.get(key, NO_ORDER)
    if before.placed and before.placed > stamp:
        return orders
    amount, currency = amount_of(fact.data.get("total")), currency_of(fact.data.get("currency"))
    after = replace(before, placed=stamp, amount=ZERO, currency="")
    if amount is not None and currency is not None:
        after = replace(after, amount=text_of(amount), currency=currency)
    return _put(orders, key, before, after)


def needs_history(orders: Orders, fact: Fact, words: Words | None = None) -> bool:
    """Whether folding this fact on top may not give what folding all in order gives. `words`: of all orders that `asks` names."""
    key = reference(fact.data.get("order_id"))
    if key is None or orders.latest is None:
        return False
    known = orders.recent.get(key)
    if fact.stamp >= orders.latest:
        return orders.forgot and known is None and fact.type != ORDER_PLACED
    if not orders.forgot and (known is not None or len(orders.recent) < LIMIT):
        return False
    if known is not None:  # remembered then, too: spoken of later than was known, it would not have made room sooner for anything
        return not any(stamp is not None and stamp < fact.stamp for stamp in (known.placed, known.cancelled))
    return words is None or not _has_its_place(orders, key, fact.at, words)


def asks(orders: Orders, facts: Sequence[Fact]) -> set[str]:
    """The orders on whose words it depends whether these facts need the history."""
    return {*orders.recent, *[key for fact in facts if (key := reference(fact.data.get("order_id"))) is not None]}


def _has_its_place(orders: Orders, key: str, at: datetime, words: Words) -> bool:
    """Whether an order that nothing else was said of, put in now, leaves what it leaves when it is put in at its time.

    In order, it made room sooner for nothing but the order that was spoken of longest ago. So nothing of that kind may have been spoken of
    again since, which would have been met as forgotten: all orders that were spoken of since were new then, and newer than one that is
    remembered to this day.
    """
    if len(words.get(key, ())) != 1 or min(order.rank[0] for order in orders.recent.values()) >= at:
        return False
    since = [of for of, order in orders.recent.items() if order.rank[0] >= at]
    return all(of in words and min(words[of]) > at for of in since)


def _cancelled(order: Order, stamp: Stamp) -> Order:
    return order if order.cancelled and order.cancelled > stamp else replace(order, cancelled=stamp)


def _put(orders: Orders, key: str, before: Order, after: Order) -> Orders:
    """The orders with one that changed; the one spoken of longest ago is forgotten when there are too many."""
    recent = orders.recent | {key: after}
    if len(recent) <= LIMIT:
        return replace(_counted(orders, before, after), recent=recent)
    oldest = min(recent, key=lambda key: recent[key].rank)
    forgotten = recent.pop(oldest)
    archive = orders.archive
    if archive is not None and forgotten.placed:  # what was never placed has nothing to cancel, and would swallow a later cancellation
        *full, shelf = archive or ({},)
        archive = (*full, shelf, {oldest: forgotten}) if len(shelf) >= SHELF else (*full, shelf | {oldest: forgotten})
    return replace(_counted(orders, before, after), recent=recent, forgot=True, archive=archive)


def _counted(orders: Orders, before: Order, after: Order) -> Orders:
    """The totals after one order changed."""
    worth = orders.worth
    for order, sign in ((before, -1), (after, 1)):
        if order.standing and order.currency:
            sum_ = worth.get(order.currency, Worth(0, ZERO))
            total = (plus if sign > 0 else minus)(sum_.total, Decimal(order.amount))
            worth = worth | {order.currency: Worth(sum_.count + sign, total)}
    return replace(
        orders,
        placed=orders.placed + bool(after.placed) - bool(before.placed),
        cancelled=orders.cancelled + _is_cancelled(after) - _is_cancelled(before),
        worth={currency: sum_ for currency, sum_ in worth.items() if sum_.count},
    )


def _is_cancelled(order: Order) -> bool:
    return order.placed is not None and not order.standing


def _shelf_of(orders: Orders, key: str) -> int | None:
    """Where the archive has an order: the shelf filled last wins, for an id may have been forgotten twice."""
    archive = orders.archive or ()
    return next((number for number in reversed(range(len(archive))) if key in archive[number]), None)


def _cancelled_in_archive(orders: Orders, key: str, number: int, stamp: Stamp) -> Orders:
    """The orders after the cancellation of one that only the archive remembers."""
    archive = orders.archive or ()
    before = archive[number][key]
    after = _cancelled(before, stamp)
    shelf = archive[number] | {key: after}
    return replace(_counted(orders, before, after), archive=(*archive[:number], shelf, *archive[number + 1 :]))
