"""The real orders, fetched like the demo fetches them; they are no part of the repository."""

import platformdirs
import pytest

from infra.demo import cdnow, fetching
from infra.demo.cdnow import Order


@pytest.fixture(scope="session")
def orders() -> list[Order]:
    """All of them."""
    return cdnow.read(fetching.cdnow(platformdirs.user_cache_path("yekta") / "demo"))
