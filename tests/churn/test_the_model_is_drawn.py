"""The desk's page of the model has its plots for whoever is signed in, in both languages, also when nothing is known yet."""

from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest

from aggregates.churn import Definition
from api.access import Caller
from api.desk import models
from api.desk.locale import Locale
from api.desk.rendering import part
from projections.churn.models import Drift, Fate, Model, Month, Pending

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DAY = date(2026, 10, 1)
ORDERS = Definition()
MONTHS = [Month(date(2026, month, 1), "wall", False, name, 90, 30, 0.7, 0.5, 0.1) for month in (8, 9, 10) for name in models.SHOWN]


def drawn(language: str, months: list[Month], definition: Definition = ORDERS, refused: str = "") -> str:
    locale = Locale(language, ZoneInfo("Asia/Tehran"), NOW)
    known = bool(months)
    drift, pending = ([Drift(DAY, "wall", 0.7, 0.5)], [Pending("wall", True, 5, DAY)]) if known else ([], [])
    status = "refused" if refused else "scored" if known else "learning"
    model = Model("churn", 1, "in_force", status, definition, 90, 7, months, drift, [], pending, refused or None)
    fate = Fate(0.7, DAY, DAY, 10, 8, 90, 20) if known else None
    return part(
        locale,
        "model.html",
        visitor=Caller(UUID(int=1), None, "analyst"),
        back="/models/churn",
        query=None,
        at_home=False,
        model=model,
        several=["churn", "quick"],
        beside=[(msgspec.structs.replace(definition, version=2, horizon=45), "past")],
        clock="wall",
        ranking=models.plot(months, "auc", locale),
        errors=models.plot(months, "calibration_error", locale),
        rows=models.rows(months, locale),
        names=models.SHOWN,
        people=models.bars([("0", 3), ("0.1", 9)], locale),
        fate=fate,
        shares=fate and (models.share(8, 10, locale), models.share(20, 90, locale)),
        why=models.bars(models.topics({"prior": 0.4, "happened:complaint|reason=late": 0.2}, locale), locale, places=2),
        champion=None,
    )


@pytest.mark.parametrize("language", ["en", "fa"])
def test_months_are_drawn_beside_the_rivals(language: str) -> None:
    page = drawn(language, MONTHS)
    assert page.count("<polyline") == 2 * len(models.SHOWN)
    assert "45" in page if language == "en" else "۴۵" in page
    assert "October 2026" in page if language == "en" else "مهر–آبان ۱۴۰۵" in page


def test_it_says_what_a_definition_means_and_why_a_snapshot_is_not_loaded() -> None:
    contracts = Definition(kind="contractual", horizon=30, only={"plan": ("fibre", "dsl*")})
    assert "does not buy in the next 90 days" in drawn("en", MONTHS)
    page = drawn("en", MONTHS, contracts, "It was changed or cut, or was signed with another key.")
    assert "does not buy" not in page
    assert "last contract is over in the next 30 days" in page
    assert "last contract is over in 45 days" in page
    assert "It was changed or cut" in page
    assert "plan is one of: fibre, dsl*" in page
    assert "آخرین قراردادش" in drawn("fa", MONTHS, contracts, "…")


@pytest.mark.parametrize(
    ("month", "persian", "english"),
    [
        (date(2026, 1, 1), "دی–بهمن ۱۴۰۴", "January 2026"),
        (date(2026, 3, 1), "اسفند ۱۴۰۴–فروردین ۱۴۰۵", "March 2026"),
        (date(2026, 12, 1), "آذر–دی ۱۴۰۵", "December 2026"),
    ],
)
def test_a_month_is_told_in_the_calendar_of_the_language(month: date, persian: str, english: str) -> None:
    assert [Locale(language, ZoneInfo("Asia/Tehran"), NOW).month(month) for language in ("fa", "en")] == [persian, english]


@pytest.mark.parametrize(("language", "labels"), [("en", "the latest 5,000 labels"), ("fa", "آخرین ۵٬۰۰۰ نتیجه")])
def test_the_page_says_on_what_its_batch_model_is_trained(language: str, labels: str) -> None:
    assert labels in drawn(language, MONTHS)


def test_of_several_models_each_has_its_page() -> None:
    page = drawn("en", MONTHS)
    assert '<a href="?model=churn" aria-current="true">' in page
    assert '<a href="?model=quick">' in page


@pytest.mark.parametrize("language", ["en", "fa"])
def test_before_any_label_it_says_so(language: str) -> None:
    assert "<polyline" not in drawn(language, [])
