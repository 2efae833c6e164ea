"""Lays out how much passed in which channel, in the last days and in all. Pure. Reading order: Table, passed, money."""

from collections.abc import Sequence
from typing import NamedTuple

from api.desk.locale import Locale
from projections.view.answer import View
from projections.view.windows import DAYS

ORDER = ("call", "service", "web", "sales", "reseller", "subscription", "consent", "profile")
"""In which order channels stand."""

NOTHING = "–"


class Head(NamedTuple):
    """What a row or a column is about."""

    text: str
    channel: str = ""
    spoken: str = ""  # in place of the text, for whoever does not see the channel's icon


class Row(NamedTuple):
    """A line of a table."""

    head: Head
    cells: Sequence[str]


class Table(NamedTuple):
    """How much passed in which channel in how many days."""

    columns: Sequence[Head]
    rows: Sequence[Row]


def channels(view: View) -> list[str]:
    """The channels of the customer: those of our contracts in a fixed order, then the others."""
    return sorted(view.channels, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))


def _heads(locale: Locale) -> list[Head]:
    return [*(Head(locale.say("window.days", days)) for days in DAYS), Head(locale.say("all_time"))]


def passed(view: View, locale: Locale) -> Table:
    """Events of each channel, in the last days and in all."""
    rows: list[Row] = []
    for name in channels(view):
        windows = [view.windows.get(f"{days}d", {}).get(name) for days in DAYS]
        counts = [*(window.events if window else 0 for window in windows), view.channels[name].events]
        # That nothing happened is known, and a dash is easier to pass over than a nought.
        rows.append(Row(Head(locale.word("channel", name), name), [locale.number(count) if count else NOTHING for count in counts]))
    return Table(_heads(locale), rows)


def money(view: View, locale: Locale) -> Table:
    """Money of each channel and currency: as columns, for sums are long."""
    columns = [(name, currency) for name in channels(view) for currency in view.channels[name].money]
    sums: list[list[str]] = []
    for days in DAYS:
        windows = view.windows.get(f"{days}d", {})
        sums.append([windows[name].money.get(currency, "") if name in windows else "" for name, currency in columns])
    sums.append([view.channels[name].money[currency] for name, currency in columns])
    cells = [[locale.amount(sum_, currency) if sum_ else NOTHING for sum_, (_, currency) in zip(row, columns, strict=True)] for row in sums]
    heads: list[Head] = []
    for name, currency in columns:
        called = locale.word("currency", currency)
        heads.append(Head(called, name, locale.say("window.column", channel=locale.word("channel", name), currency=called)))
    return Table(heads, [Row(head, row) for head, row in zip(_heads(locale), cells, strict=True)] if columns else [])
