"""`yekta evaluate churn`: the live features, delayed labels, racing and calibration over a file, beside the counters and a batch model."""

import gc
import json
import os
import re
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from infra.cli.progress import bar
from infra.errors import Refusal
from infra.waiting import Progress

Rivals = tuple[Literal["logistic", "forest"], ...]
"""River's models; the module that has them imports numpy, which comes late here."""


def churn(
    *,
    events: Path | None = None,
    demo: Literal["cdnow"] | None = None,
    horizon: str = "90d",
    tail: int | None = None,
    purchases: str = "",
    columns: str = "",
    only: str = "",
    contractual: bool = False,
    grace: int = 7,
    river: Rivals = (),
    no_time: bool = False,
    label: str = "Churn",
    json_: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Judge churn scores over a log: every score was given before its label was known, and labels are learnt when their horizon is over.

    Example: `yekta evaluate churn --events orders.csv --horizon 90d --json`

    Parameters
    ----------
    events
        The log: CSV, JSON, Parquet or xlsx with the columns customer, time, type and amount; type may be absent when all are orders.
        Further columns are data.
    demo
        Judge on the demo's real orders instead.
    horizon
        How long without a purchase means that a customer is lost, like 90d, 12w, 3m (a month is 30 days), 1y.
    tail
        Judge on so many of the last labelled rows too, not only on the last half.
    purchases
        The types that are a purchase, separated by commas; when absent they are known by name: order, purchase, sale, OrderPlaced.
    columns
        Which column is what, where its name does not say it: customer=ncodpers,time=fecha_dato; amount= says that there is none. The
        meanings are customer, time, type, amount, order, quantity, unit_price; of contracts ends and contract too.
    only
        A line of products, like category=phones,tablets: purchases, or contracts, of which another column says something else are none.
    contractual
        Lost is who cancels his subscription within the horizon, or does not renew it; so it is without saying where nobody buys.
    grace
        Of contracts: so many days after the end a renewal still is one.
    river
        Judge models of the library River on the same features too: --river logistic, --river forest (some hundred times as slow), or both.
    no_time
        The file is a table with one row a customer and a label: each row is predicted before it is learnt.
    label
        With --no-time: the column that says who was lost.
    json_
        Print one JSON object.
    """
    # Small matrices gain nothing from a second thread, and wait for it; it is asked when numpy is first imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    began = time.perf_counter()
    if (events is None) == (demo is None):
        raise Refusal("Say what to judge on: --events FILE or --demo cdnow.")
    if tail is not None and tail < 1:
        raise Refusal("The tail has one row at least.", "Write it like --tail 20000.")
    if not 0 <= grace <= 365:
        raise Refusal("The days of grace are from none to a year.", "Write them like --grace 14.")
    if no_time:
        found, tables = _table(events, label)
    else:
        found, tables = _log(events, _days(horizon), tail, purchases, _said(columns), _line(only), contractual, grace, river)
    if json_:
        print(json.dumps({**found, "seconds": round(time.perf_counter() - began, 2)}))
    else:
        for table in tables:
            Console().print(table)


def _log(
    events: Path | None,
    horizon: int,
    tail: int | None,
    purchases: str,
    columns: dict[str, str],
    only: dict[str, tuple[str, ...]],
    contractual: bool,
    grace: int,
    river: Rivals,
) -> tuple[dict[str, Any], list[Table | str]]:
    from aggregates.churn import Definition
    from infra.evaluation import churn as evaluation
    from infra.evaluation import files, reading

    kinds = frozenset(kind.strip() for kind in purchases.split(",") if kind.strip())
    if not river:
        gc.disable()  # nothing that is made here refers to itself, and looking for it costs a tenth of the time
    try:
        log = reading.facts(_demo() if events is None else files.rows(events), kinds, contractual=contractual, only=only, said=columns)
        kind: Literal["contractual", "non-contractual"] = "contractual" if log.contractual else "non-contractual"
        definition = Definition(horizon=horizon, kind=kind, grace=grace, only=only)
        with bar("going through the log") as show:
            report = evaluation.evaluate(definition, log.told, tail, lambda done: show(Progress(done, len(log.told))), river)
    finally:
        gc.enable()
    read = {
        "columns": log.columns,
        "purchases": log.purchases,
        "contracts": log.contracts,
        "passed_over": log.passed_over,
        "unread": log.unread,
    }
    found = {**msgspec.to_builtins(report), "read": read}
    for judgement in filter(None, (found["half"], found["tail"], found["silent"])):
        judgement["models"] = _named(judgement["models"])
        if not judgement["why_no_auc"]:
            del judgement["why_no_auc"]
    if not found["warning"]:
        del found["warning"]
    tables = [_compared("the last half of the labelled rows", found["half"])]
    if found["tail"]:
        tables.append(_compared("the tail", found["tail"]))
    if found["silent"]:
        tables.append(_compared("the last half of the scores given to the silent", found["silent"]))
    tables.append(_months(found["months"]))
    return found, [*tables, *_left_out(log.passed_over, log.unread), *filter(None, [report.warning])]


def _left_out(passed_over: int, unread: dict[str, int]) -> list[str]:
    """What of a log is in no figure, in a sentence; nothing where all is."""
    parts = [f"{passed_over:,} rows were passed over"] * bool(passed_over)
    parts += [f"{count:,} cells of the column {name} cannot be read" for name, count in unread.items()]
    return [f"{'; '.join(parts)}."] if parts else []


def _table(events: Path | None, label: str) -> tuple[dict[str, Any], list[Table | str]]:
    from infra.evaluation import files, table

    if events is None:
        raise Refusal("A table without time is a file: --events FILE.")
    rows = list(files.rows(events))
    with bar("going through the table") as show:
        report = table.evaluate(rows, label, lambda done: show(Progress(done, len(rows))))
    found = msgspec.to_builtins(report)
    halves = {"model": "last_half", "batch": "batch_last_half"}
    models = _named({name: found[name] for name in ("model", "batch")} | {f"{name}, last half": found[of] for name, of in halves.items()})
    seen = "All of these rows were" if report.lost else "None of these rows was"
    why = "" if 0 < report.lost < report.rows else f"{seen} lost; an AUC needs both outcomes."
    counted = {"rows": report.rows, "lost": report.lost} | ({"why_no_auc": why} if why else {})
    shown = _compared("all rows, each predicted before it was learnt", {**counted, "models": models})
    told = {name: models[name] for name in halves} | {of: models[f"{name}, last half"] for name, of in halves.items()}
    return {**counted, "passed_over": report.passed_over, **told}, [shown, *_left_out(report.passed_over, {})]


def _demo() -> list[dict[str, Any]]:
    import platformdirs

    from infra.demo import cdnow, fetching
    from infra.settings import load

    text = fetching.cdnow((load().cache or platformdirs.user_cache_path("yekta")) / "demo")
    return [{"customer": one.customer, "time": one.at, "amount": float(one.dollars), "discs": one.discs} for one in cdnow.read(text)]


def _said(columns: str) -> dict[str, str]:
    """The columns by what was said that they mean."""
    parts = [part.partition("=") for part in columns.split(",") if part.strip()]
    if wrong := next((meaning for meaning, equals, _ in parts if not equals), ""):
        raise Refusal(f"The column {wrong!r} is not understood.", "Write it like --columns customer=ncodpers,time=fecha_dato.")
    return {meaning.strip(): name.strip() for meaning, _, name in parts}


def _line(only: str) -> dict[str, tuple[str, ...]]:
    """The column that tells a line of products, and its words there; nothing where none is asked for."""
    column, _, said = only.partition("=")
    words = tuple(word.strip() for word in said.split(",") if word.strip())
    if only and not (column.strip() and words):
        raise Refusal(f"The line of products {only!r} is not understood.", "Write it like --only category=phones,tablets.")
    return {column.strip(): words} if only else {}


UNITS = {"": 1, "d": 1, "day": 1, "w": 7, "week": 7, "m": 30, "mo": 30, "month": 30, "y": 365, "year": 365}
"""Days. A month has 30 of them here, and a year 365: a horizon is as long in February as in March."""


def _days(horizon: str) -> int:
    said = re.fullmatch(r"p?(\d{1,4})\s*([a-z]*?)s?", horizon.strip().lower())
    if said is None or said[2] not in UNITS or not 1 <= (days := int(said[1]) * UNITS[said[2]]) <= 3_650:
        raise Refusal(f"The horizon {horizon!r} is not understood.", "Write it like 90d, 12w, 3m or 1y, from a day to ten years.")
    return days


def _named(models: dict[str, Any]) -> dict[str, dict[str, float | None]]:
    """Metrics by their names, rounded to what means something."""
    names = ("auc", "log_loss", "calibration_error")
    return {
        model: {name: None if one is None else round(one, 5) for name, one in zip(names, found, strict=True)}
        for model, found in models.items()
    }


def _compared(where: str, judgement: dict[str, Any]) -> Table:
    why = judgement.get("why_no_auc")
    table = Table(title=f"On {where}: {judgement['rows']:,}, of which {judgement['lost']:,} were lost", caption=why)
    for heading in ("", "AUC", "log-loss", "calibration error"):
        table.add_column(heading, justify="left" if not heading else "right")
    for model, found in judgement["models"].items():
        table.add_row(model.replace("_", " "), *["–" if one is None else f"{one:.4f}" for one in found.values()])
    return table


def _months(months: list[dict[str, Any]]) -> Table:
    table = Table(title="AUC, month by month")
    for heading in months[0] if months else ():
        table.add_column(heading.replace("_", " "), justify="right")
    for month in months:
        table.add_row(
            *[f"{one:.4f}" if isinstance(one, float) else f"{one:,}" if isinstance(one, int) else one or "–" for one in month.values()]
        )
    return table
