"""The real orders, fetched like the demo fetches them and judged once; they are no part of the repository."""

import platformdirs
import pytest

from aggregates.churn import Definition
from infra.demo import cdnow, fetching
from infra.evaluation import churn, reading
from infra.evaluation.churn import Report


@pytest.fixture(scope="session")
def on_cdnow() -> Report:
    orders = cdnow.read(fetching.cdnow(platformdirs.user_cache_path("yekta") / "demo"))
    rows = [{"customer": one.customer, "time": one.at, "amount": float(one.dollars), "discs": one.discs} for one in orders]
    return churn.evaluate(Definition(horizon=90), reading.facts(rows).told, 30_831, lambda _: None)
