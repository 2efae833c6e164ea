"""What is known of a customer's contracts to value them: what each period brings, until when it is paid, and how others of his ended.

Facts are folded in their order of time. Reading order: told, lost, all_decided, period.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from math import inf
from typing import Any

from msgspec.structs import replace

from aggregates.churn import CANCELLED, DAY, STARTS, Definition
from aggregates.fact import Fact
from projections.money import amount_of, currency_of, plus, text_of
from projections.value.state import Ages, Contract, Purse, State
from projections.view.values import moment, reference

TYPES = STARTS | {CANCELLED}

GRACE = float(Definition().grace)
"""Days after the end within which a renewal still is one: those of a definition of churn that says nothing else."""

CONTRACTS = 64
"""Remembered per customer; what is over makes room first, then what ends first."""

OVER = 16
"""Ends remembered per customer, of contracts that made room or began anew."""

_UNITS = {
    1.0: "d day days daily روز روزانه",
    7.0: "w week weeks weekly هفته هفتگی",
    365.25 / 12.0: "m mo month months monthly ماه ماهانه ماهیانه",
    365.25 / 4.0: "q quarter quarters quarterly فصل سه‌ماهه",
    365.25: "y year years yearly annual annually سال سالانه سالیانه",
}
_DAYS = {word: days for days, words in _UNITS.items() for word in words.split()}
_PERIOD = re.compile(r"p?\s*(\d{1,3})?\s*([^\W\d][^\d]*)")


def told(state: State, fact: Fact) -> State:
    """The state after a fact about a contract, not older than those before it."""
    now = fact.at.timestamp() / DAY
    number = reference(fact.data.get("subscription_id")) or ""
    state = replace(state, heard=now)
    if fact.type == CANCELLED:
        return _cancelled(state, number, fact.data, now)
    return _paid(state, number, fact.data, now)


def lost(contract: Contract, now: float) -> bool:
    """Whether it is over: what was cancelled when its paid time is, what was not renewed some days later."""
    return contract.paid is not None and now >= contract.paid + (0.0 if contract.cancelled else GRACE)


def all_decided(state: State, now: float) -> list[Ages]:
    """What is known of all contracts of a customer at a time."""
    return [*state.over, *(ages for one in state.contracts.values() if (ages := decided(one, now)) is not None)]


def decided(contract: Contract, now: float) -> Ages | None:
    """Between which ages it was lost; of one that goes on its age at its last renewal, twice. None: nothing was decided yet."""
    if contract.paid is None or not contract.period:
        return None
    until = contract.paid - contract.began
    since = max(until - contract.period, 0.0)
    if lost(contract, now):
        return Ages(since, until, contract.period) if until > since else None
    return Ages(since, since, contract.period) if since > 0.0 else None


def period(said: object) -> float:
    """So many days a word for a period means, like month or P1Y; 0 where nobody knows."""
    found = _PERIOD.fullmatch(said.strip().casefold()) if isinstance(said, str) else None
    return float(found[1] or 1) * _DAYS.get(found[2].strip(), 0.0) if found else 0.0


def _paid(state: State, number: str, data: Mapping[str, Any], now: float) -> State:
    """A period was paid, of a new contract or of one that goes on."""
    amount, currency = amount_of(data.get("amount")), currency_of(data.get("currency"))
    purses = state.purses
    if amount is not None and currency is not None:
        purse = purses.get(currency, Purse())
        purses = purses | {currency: replace(purse, contracts=plus(purse.contracts, amount), payments=purse.payments + 1)}
    before, over = state.contracts.get(number), state.over
    if before is not None and lost(before, now):
        over, before = _with(over, before, now), None
    contract = _renewed(before or Contract(now), data, now, amount, currency)
    contracts = state.contracts | {number: contract}
    if len(contracts) > CONTRACTS:
        least = min(contracts, key=lambda one: (not contracts[one].cancelled, _until(contracts[one]), one))
        over = _with(over, contracts[least], now)
        del contracts[least]
    signed = now if state.signed is None else state.signed
    return replace(state, purses=purses, contracts=contracts, over=over, signed=signed)


def _renewed(before: Contract, data: Mapping[str, Any], now: float, amount: Decimal | None, currency: str | None) -> Contract:
    """A contract after one more payment: a period follows the one before, however early or late it is paid."""
    since = now if before.paid is None else before.paid
    ends = moment(data.get("ends_at"))
    until = None if ends is None else ends.timestamp() / DAY
    days = period(data.get("period"))
    if not days and until is not None and until - since >= 1.0:
        days = until - since
    if not days and until is None and now - before.last >= 1.0 and before.last:
        days = now - before.last  # nobody says how long a period is: as long as from one payment to the next
    days = days or before.period
    if until is None and days:
        until = since + days
    each = (before.amount, before.currency) if amount is None or currency is None else (text_of(amount), currency)
    return Contract(before.began, until, days, *each, False, now)


def _cancelled(state: State, number: str, data: Mapping[str, Any], now: float) -> State:
    """It is not renewed. What is paid runs on, unless it is said until when."""
    before = state.contracts.get(number)
    if before is None:
        return state
    ends = moment(data.get("ends_at"))
    until = ends.timestamp() / DAY if ends is not None else before.paid
    contract = replace(before, cancelled=True, paid=now if until is None else until)
    return replace(state, contracts=state.contracts | {number: contract})


def _until(contract: Contract) -> float:
    return inf if contract.paid is None else contract.paid


def _with(over: tuple[Ages, ...], contract: Contract, now: float) -> tuple[Ages, ...]:
    ages = decided(contract, now)
    return over if ages is None else (*over, ages)[-OVER:]
