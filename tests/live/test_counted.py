"""What a live grid counts does not grow by what others write, and each device has one name."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from heptagrid.foundation.errors import UsageError
from heptagrid.live.grid import COUNTED, OTHERS
from heptagrid.live.protocols.sep2.answers import Request
from heptagrid.scenario.schema import Scenario
from tests.live.served import Served, served
from tests.live.test_sep2_server import LFDI, Bench


@pytest.fixture(scope="module")
def grid(lane: Scenario) -> Iterator[Served]:
    with served(lane, {"openadr": None}) as one:
        yield one


def test_paths_that_there_are_not_count_as_one(grid: Served) -> None:
    link = HTTPConnection("127.0.0.1", grid.ports["openadr"], timeout=30)
    before = set(grid.grid.counts)
    for k in range(200):
        link.request("GET", f"/openadr3/3.1.0/{'x' * (k % 70)}{k}", headers={"authorization": f"Bearer {k}"})
        link.getresponse().read()
        link.request("GET", f"/openadr3/3.1.0/events/{k}")
        link.getresponse().read()
    link.close()
    assert set(grid.grid.counts) - before == {"openadr: 401 GET", "openadr: 401 GET /events"}
    assert grid.grid.counts["openadr: 401 GET"] == 200


def test_methods_that_there_are_not_count_as_one() -> None:
    bench = Bench()
    for k in range(200):
        assert bench.server.handle(Request(f"M{k}", "/dcap", {}, b"", LFDI["batteries-3"], "batteries-3")).status == 405
    assert bench.counts == {"sep2: 405 other": 200}


def test_no_more_words_are_counted_than_there_is_room_for(grid: Served) -> None:
    kept = dict(grid.grid.counts)
    try:
        for k in range(COUNTED + 100):
            grid.grid.count(f"word {k}")
        assert len(grid.grid.counts) <= COUNTED + 1
        assert grid.grid.counts[OTHERS] == 100 + len(kept)
    finally:
        grid.grid.counts.clear()
        grid.grid.counts.update(kept)


@pytest.mark.parametrize("row", ["00", "007", "+1", " 1", "1 ", "١", "²", "1_0", "-1", "", "9" * 5000, "1e1", "17"])
def test_a_device_has_one_name(grid: Served, row: str) -> None:
    """Else a charger could take a seat for each way to write a number, and 5000 digits are more than `int` reads."""
    with pytest.raises(UsageError, match="numbered from 0 to"):
        grid.grid.inventory.device(f"vehicles/{row}")


def test_devices_are_found_by_their_number(grid: Served) -> None:
    assert [grid.grid.inventory.device(f"meters/{row}").row for row in (0, 16)] == [0, 16]
