"""The embedded PostgreSQL holds as many pages as the machine has room for, and no more than its share."""

import pytest

from infra.engines.memory import pages_of

GB = 2**30


@pytest.mark.parametrize(
    ("limits", "megabytes"),
    [((8 * GB,), 1024), ((64 * GB,), 2048), ((GB // 2,), 128), ((64 * GB, 4 * GB), 512), ((4 * GB, 2**63 - 4096), 512)],
    ids=["an eighth", "at most", "at least", "the container has less", "the container has no limit"],
)
def test_an_eighth_of_the_memory_of_machine_or_container_holds_pages(limits: tuple[int, ...], megabytes: int) -> None:
    assert pages_of(limits) == megabytes
