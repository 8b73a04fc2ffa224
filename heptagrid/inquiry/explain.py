"""`heptagrid explain`: a customer's bill of one day, line by line, and what each line rests on, from a replay."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from heptagrid.assembly.span import Phase
from heptagrid.assembly.world import World
from heptagrid.domains.customers.device import device_words
from heptagrid.domains.providers.billing import Record
from heptagrid.domains.providers.retailer import Retailer
from heptagrid.foundation.domains import Kind
from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.time import NS_PER_HOUR, Step, midnight_ns, next_midnight_ns
from heptagrid.inquiry.bill_causes import price, reads, setpoints
from heptagrid.inquiry.bill_lines import day_of, lines_of_day, month_of, owed_of_day
from heptagrid.inquiry.corrected_bill import last_later_run_ns, later_run_lines, later_runs, settled_by
from heptagrid.inquiry.customer_network import CustomerNetwork, dearest, hours
from heptagrid.inquiry.local_bids import day_in_market
from heptagrid.inquiry.message_list import Tracker, check_customer
from heptagrid.inquiry.replay import Progress, Replay
from heptagrid.inquiry.waves import Waves
from heptagrid.planes.money.ledger import MILLICENT_PER_EUR
from heptagrid.recording.results import Run, open_run

ARM = "smart"


def explain(
    folder: str | Path, customer: int, day: date | str | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """The bill of `customer` for one day (by default the one of the largest amount), its lines, and what they rest on.

    Raises
    ------
    UsageError
        For a customer or a day that does not exist, or a run without a smart arm.
    OutputError
        If the folder is that of no run, or of one that cannot be replayed.
    """
    run = open_run(folder)
    if ARM not in run.manifest["arms"]:
        raise UsageError(
            f"{run.folder} holds the {run.manifest['arms'][0]} arm only, where no price or set-point reaches a customer; "
            "explain a run with its smart arm"
        )
    if not run.summary:
        raise UsageError(f"{run.folder} holds a run that was stopped before its first bills; there is none to explain")
    check_customer(int(run.summary["customers"]), customer)
    owed = _bills_by_day(run, customer)
    chosen = _chosen_day(run, owed, day, customer)
    replay = Replay(run, ARM, chosen)
    billed = _BilledDay(replay, customer, chosen, last_later_run_ns(run, replay, customer))
    replay.advance(billed.see, progress)
    if billed.settled is None:
        raise UsageError(f"the run was stopped before the bills of {chosen} were made; there is none to explain")
    return _explained(run, replay, customer, owed, billed, billed.settled)


@dataclass
class _BilledDay:
    """What a replay shows of a customer's day until it is billed, and settled for the last time.

    settled: the day as it was billed. brought: the readings whose registers settled quarter hours of it. price_message:
    the one with the day's prices to the retailer, -1 if it never arrived.
    """

    replay: Replay
    customer: int
    day: date
    corrected_ns: int
    settled: Record | None = None
    brought: list[int] = field(default_factory=list)
    price_message: int = -1

    def __post_init__(self) -> None:
        world = self.replay.world
        self.first_ns = midnight_ns(self.day, self.replay.scenario.zone)
        self.network = CustomerNetwork.of(world, self.customer)
        gateway = int(world.endpoints.gateways[self.customer])
        self.tracker = Tracker({Kind.PRICE, Kind.SETPOINT, Kind.BID}, gateway, self.replay.span.warm_up_ns, 2**31)
        self.tracker.attach(self.replay)

    @property
    def _retailer(self) -> Retailer:
        """What the customer's retailer knows."""
        companies = self.replay.world.companies
        return self.replay.grid.providers.retailers[int(companies.retailer_of[self.customer])].retailer

    def see(self, phase: Phase, step: Step) -> bool:
        """Look at a step that has just been run; whether nothing more will come."""
        if phase is Phase.COUNTED and step.day == self.day:
            self.network.note(self.replay, step)
        grid = self.replay.grid
        records = grid.bills.of(self.customer).records
        done = records[-1] if records else None
        if done is not None and done.day == self.day and self.settled is None:
            self.settled = done
            desk = grid.operations.customers_desk
            self.brought = settled_by(desk.store, done, self.customer) if desk else []
            self.price_message = self._retailer.prices.message.get(self.first_ns // NS_PER_HOUR, -1)
        return self.settled is not None and step.end_ns >= self.corrected_ns


def _bills_by_day(run: Run, customer: int) -> dict[date, int]:
    """What the customer owes for each day, in millicents, from the run's ledger."""
    from zoneinfo import ZoneInfo

    import polars

    name, zone = f"point {customer}", ZoneInfo(run.manifest["zone"])
    mine = run.ledger.filter(
        (polars.col("arm") == ARM) & ((polars.col("payer") == name) | (polars.col("payee") == name))
    )
    owed: dict[date, int] = {}
    for row in mine.iter_rows(named=True):
        day = day_of(row["at_ns"], zone)
        owed[day] = owed.get(day, 0) + (row["amount_millicent"] if row["payer"] == name else -row["amount_millicent"])
    return owed


def _chosen_day(run: Run, owed: dict[date, int], day: date | str | None, customer: int) -> date:
    if not owed:
        raise UsageError(f"the run was stopped before its first bills; there is none of customer {customer}")
    if day is None:
        return max(owed, key=lambda one: abs(owed[one]))
    try:
        chosen = date.fromisoformat(str(day))
    except ValueError:
        raise UsageError(f"{day!r} is not a date; write one such as 2016-07-04") from None
    if chosen not in owed:
        raise UsageError(f"there is no bill of {chosen}; there are bills of {', '.join(str(one) for one in owed)}")
    return chosen


def _explained(
    run: Run, replay: Replay, customer: int, owed: dict[date, int], billed: _BilledDay, settled: Record
) -> dict[str, Any]:
    world, zone, first_ns = replay.world, replay.scenario.zone, billed.first_ns
    of_day = owed_of_day(run, replay, customer, settled.day)
    corrections = list(replay.grid.bills.corrections_of(customer))
    lines = lines_of_day(replay, customer, settled, of_day)
    counted = [one for one in corrections if one.day >= replay.span.first]  # nothing is posted for the warm-up day
    with_this_bill = [one for one in counted if day_of(one.at_ns, zone) == settled.day]
    lines += later_run_lines(customer, with_this_bill, of_day)
    total = sum(one["amount_millicent"] for one in lines)
    remarks = list(replay.remarks)
    month = month_of(settled, settled.column(customer))
    if month is not None:
        remarks.append(month)
    if total != owed[settled.day]:
        remarks.append("the replay's bill is not the one that the run recorded; it cannot be explained to the cent")
    waves = Waves(run, replay.arm.name, replay.run_day)
    tariff = replay.grid.bills.offers.tariffs[int(world.owned.tariff_of[customer])]
    by_hour = hours(replay, customer, settled, billed.network)
    later = later_runs(customer, [one for one in corrections if one.day == settled.day], waves, zone)
    return {
        "run": str(run.folder),
        "arm": ARM,
        "remarks": remarks,
        "customer": customer,
        "name": str(world.grid.loads.names[customer]),
        "day": str(settled.day),
        "bill_eur": total / MILLICENT_PER_EUR,
        "bill_of_run_eur": sum(owed.values()) / MILLICENT_PER_EUR,
        "days_of_run": len(owed),
        "conventional_bill_eur": _other_bill(run, customer),
        "retailer": world.companies.retailer_name(customer),
        "aggregator": world.companies.aggregator_name(customer),
        "tariff": tariff.name,
        "tariff_title": tariff.title,
        "tariff_says": tariff.what,
        "devices": _devices(world, customer),
        "days": _days(replay, customer, settled.day),
        "desks": _desks(replay, customer),
        "lines": lines,
        "reads": reads(settled, customer, billed.brought, waves, zone) | {"corrections": later},
        "price": price(replay, settled, customer, billed.tracker, waves, billed.price_message),
        "setpoints": setpoints(replay, billed.tracker, waves, first_ns, next_midnight_ns(first_ns, zone)),
        "local_market": day_in_market(replay, billed.tracker, customer, first_ns, next_midnight_ns(first_ns, zone)),
        "hours": by_hour,
        "dearest": dearest(by_hour),
        "network": billed.network.names(world),
    }


def _other_bill(run: Run, customer: int) -> float | None:
    """The same customer's bill over the run in the conventional arm."""
    column = "bill_eur_conventional"
    return float(run.bills[column][customer]) if column in run.bills.columns else None


def _desks(replay: Replay, customer: int) -> list[dict[str, str]]:
    """What each desk that another package added tells the customer."""
    said = ((desk.title, desk.said_to(customer)) for desk in replay.grid.desks)
    return [{"desk": title, "says": says} for title, says in said if says]


def _days(replay: Replay, customer: int, day: date) -> list[dict[str, str]]:
    """What the customer's devices tell of their day."""
    found = []
    for name, one in replay.grid.customers.devices.items():
        said = [one.day_of(int(row), day) for row in np.flatnonzero(one.owner == customer)]
        found += [{"device": device_words()[name].one, "says": says} for says in said if says]
    return found


def _devices(world: World, customer: int) -> list[dict[str, Any]]:
    owned, words = world.owned, device_words()
    return [
        {"device": words[name].one, "steered": bool(owned.enrolled[customer])}
        for name, owners in owned.devices.items()
        if customer in owners
    ]
