"""Two weeks of RTS-GMLC, day after day, against what PLEXOS came to in the solution that the system's authors published.

Theirs has a look-ahead and outages of units, which ours has not, and reserves, which it may have; so the costs are to be near and not the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from heptagrid.importers.rts_gmlc import read_rts_gmlc
from heptagrid.planes.money.markets.schedule import carried_on
from heptagrid.planes.money.markets.unit_commitment import Settings, commit
from heptagrid.validate.case import DATA, Finding, NotRun, case, within

BEGIN, FIRST, LAST = date(2020, 7, 3), date(2020, 7, 5), date(2020, 7, 18)  # two days to forget what units did before
ARCHIVE = DATA / "commitment" / "rts-gmlc-july.zip"
MILLION = 1e6


def cost_day_after_day(folder: Path, settings: Settings, look_ahead_h: int = 0) -> float:
    """What the days cost, each committed from where the day before has ended; of a look-ahead nothing is kept."""
    before = done = None
    cost, day = 0.0, BEGIN
    while day <= LAST:
        one = read_rts_gmlc(folder, day, 24 + look_ahead_h)
        if before is not None and done is not None:
            kept = (done.on[:24], done.unit_mw[:24], done.content_mwh[:24], done.reservoir_mwh[:24])
            one = carried_on(one, before, on=kept[0], unit_mw=kept[1], content_mwh=kept[2], reservoir_mwh=kept[3])
        before, done = one, commit(one, settings)
        if day >= FIRST:
            cost += float(done.period_cost[:24].sum()) + done.penalty
        day += timedelta(days=1)
    return cost


@case(
    "rts-gmlc-july",
    plane="money",
    kind="band",
    source="RTS-GMLC, published PLEXOS solution of 5 to 18 July 2020, DOE/NREL/ALLIANCE; 5 % less to 1 % more",
)
def rts_gmlc_july(live: bool) -> Iterator[Finding]:
    """Hours are solved to 0.2 %."""
    if not live:
        raise NotRun("cost of two weeks", "it takes minutes; --live runs it")
    with TemporaryDirectory() as place:
        with ZipFile(ARCHIVE) as archive:
            archive.extractall(place)
        for name, published, with_network in (("without network", 26.906, False), ("with network", 27.012, True)):
            settings = Settings(gap=2e-3, with_network=with_network, with_reserves=False)
            ours = cost_day_after_day(Path(place), settings) / MILLION
            yield within(f"cost {name}", 0.95 * published, 1.01 * published, ours, unit="MUSD")
