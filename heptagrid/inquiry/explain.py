"""`heptagrid explain`: a customer's bill of one day, line by line, and what each line rests on, from a replay."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from heptagrid.assembly.build import World
from heptagrid.assembly.place_names import Places
from heptagrid.assembly.span import Phase
from heptagrid.contracts import retail
from heptagrid.domains.operations.meter_store import ReadStatus
from heptagrid.foundation.domains import Kind
from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_QUARTER, Step, midnight_ns, next_midnight_ns
from heptagrid.inquiry.corrected_bill import (
    bill_line,
    day_of,
    last_true_up_ns,
    later_true_ups,
    settled_by,
    true_up_lines,
)
from heptagrid.inquiry.replay import Progress, Replay
from heptagrid.inquiry.trace import (
    Tracker,
    Waves,
    cause_entry,
    check_customer,
    listed_entry,
    local,
    run_rows,
)
from heptagrid.planes.money.cents import CENT_PER_EUR, cents
from heptagrid.planes.money.ledger import MILLICENT_PER_EUR, millicent
from heptagrid.planes.money.tariffs import EUR_PER_CT
from heptagrid.recording.books import SettledDay
from heptagrid.recording.results import Run, open_run

ARM = "smart"
# Lines of the ledger as the customer's bill has them: what the customer pays, or is paid (-1).
_LINES = {
    **{"energy_bill": 1, "standing_charge": 1, "rounding": 1},
    **{"export_credit": -1, "feed_in_premium": -1, "flexibility": -1},
}


@dataclass
class Seen:
    """What a replay saw of a customer's part of the network, by quarter hour since 1970."""

    p_kw: dict[int, list[float]] = field(default_factory=dict)
    v_pu: dict[int, list[float]] = field(default_factory=dict)
    feeder_pct: dict[int, list[float]] = field(default_factory=dict)
    transformer_pct: dict[int, list[float]] = field(default_factory=dict)

    def note(self, quarter: int, p_kw: float, v_pu: float, feeder_pct: float, transformer_pct: float) -> None:
        for series, value in (
            (self.p_kw, p_kw),
            (self.v_pu, v_pu),
            (self.feeder_pct, feeder_pct),
            (self.transformer_pct, transformer_pct),
        ):
            series.setdefault(quarter, []).append(value)


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
    bills_eur = _bills_by_day(run, customer)
    chosen = _chosen_day(run, bills_eur, day, customer)
    replay = Replay(run, ARM, chosen)
    world, zone = replay.world, replay.scenario.zone
    branch, transformer = _above(world, int(world.point_node[customer]))
    first_ns = midnight_ns(chosen, zone)
    corrected_ns = last_true_up_ns(run, replay, customer)
    seen, settled, brought, told = Seen(), {}, list[int](), -1
    tracker = Tracker(
        {Kind.PRICE, Kind.SETPOINT}, int(world.endpoints.gateways[customer]), replay.span.warm_up_ns, 2**31
    )
    tracker.attach(replay)

    def see(phase: Phase, step: Step) -> bool:
        nonlocal told
        if phase is Phase.COUNTED and step.day == chosen:
            flow = replay.grid.feeders.flow
            assert flow is not None
            amps = float(np.hypot(flow.current_re[branch], flow.current_im[branch]))
            seen.note(
                step.quarter,
                float(replay.grid.wires.point_p_kw[customer]),
                float(flow.v_pu[world.point_node[customer]]),
                amps * float(world.branch_pct_per_pu[branch]),
                float(flow.transformer_loading_pct[transformer]) if transformer >= 0 else float("nan"),
            )
        done = replay.recorder.books.settled
        if done is not None and done.day == chosen and "day" not in settled:
            settled["day"] = done
            desk = replay.grid.operations.customers_desk
            brought.extend(settled_by(desk.store, done, customer) if desk else [])
            told = replay.grid.providers.retailer.price_message.get(first_ns // NS_PER_HOUR, -1)
        return "day" in settled and step.end_ns >= corrected_ns

    replay.advance(see, progress)
    if "day" not in settled:
        raise UsageError(f"the run was stopped before the books of {chosen} were closed; there is no bill to explain")
    return _explained(
        *(run, replay, customer, settled["day"], brought, seen, tracker, bills_eur),
        *((branch, transformer), first_ns, told),
    )


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


def _above(world: World, node: int) -> tuple[int, int]:
    """The first branch of the feeder that a node hangs on, and the transformer above it (-1 without one)."""
    network = world.network
    while True:
        parent = int(network.parent[node])
        if parent < 0 or network.transformer_of_node[node] >= 0:
            return node, int(network.transformer_of_node[node])
        if network.transformer_of_node[parent] >= 0 or parent == network.busbar:
            return node, int(network.transformer_of_node[parent])
        node = parent


def _explained(
    run: Run,
    replay: Replay,
    customer: int,
    settled: SettledDay,
    brought: list[int],
    seen: Seen,
    tracker: Tracker,
    owed: dict[date, int],
    above: tuple[int, int],
    first_ns: int,
    told: int,
) -> dict[str, Any]:
    world, zone = replay.world, replay.scenario.zone
    ledger = _ledger(run, replay, customer, settled.day)
    corrections = [one for one in replay.recorder.books.corrections.posted if customer in one.points]
    lines = _lines(replay, customer, settled, ledger)
    with_this_bill = [one for one in corrections if day_of(one.at_ns, zone) == settled.day]
    lines += true_up_lines(customer, with_this_bill, ledger)
    total = sum(one["amount_millicent"] for one in lines)
    remarks = list(replay.remarks)
    if total != owed[settled.day]:
        remarks.append("the replay's bill is not the one that the run recorded; it cannot be explained to the cent")
    waves = Waves(run, replay.arm.name, replay.run_day)
    dynamic = bool(world.owned.dynamic[customer])
    hours = _hours(replay, customer, settled, seen, dynamic)
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
        "tariff": "dynamic" if dynamic else "flat",
        "devices": _devices(world, customer),
        "lines": lines,
        "reads": _reads(settled, customer, brought, waves, zone)
        | {
            "corrections": later_true_ups(customer, [one for one in corrections if one.day == settled.day], waves, zone)
        },
        "price": _price(replay, settled, tracker, waves, first_ns, told),
        "setpoints": _setpoints(replay, tracker, waves, first_ns, next_midnight_ns(first_ns, zone)),
        "hours": hours,
        "dearest": _dearest(hours),
        "network": _network(world, above),
    }


def _ledger(run: Run, replay: Replay, customer: int, day: date) -> dict[str, tuple[int, int]]:
    """The customer's lines of the day: millicents to pay (negative: to be paid) and cause, by reason."""
    import polars

    name, zone = f"point {customer}", replay.scenario.zone
    mine = run_rows(run.ledger, replay).filter((polars.col("payer") == name) | (polars.col("payee") == name))
    found: dict[str, tuple[int, int]] = {}
    for row in mine.iter_rows(named=True):
        if day_of(row["at_ns"], zone) == day:
            sign = 1 if row["payer"] == name else -1
            before, _ = found.get(row["reason"], (0, -1))
            found[row["reason"]] = before + sign * row["amount_millicent"], row["cause"]
    return found


def _lines(
    replay: Replay, customer: int, settled: SettledDay, ledger: dict[str, tuple[int, int]]
) -> list[dict[str, Any]]:
    """The bill's lines; each reason's parts add up to its line of the ledger, all in whole cents."""
    bills, sections = settled.bills, replay.scenario.sections
    used_kwh = float(settled.import_kwh[:, customer].sum(dtype=np.float64))
    fed_kwh = float(settled.export_kwh[:, customer].sum(dtype=np.float64))
    margin_eur = float(cents(used_kwh * sections["tariffs"].margin_ct_per_kwh * EUR_PER_CT)) / CENT_PER_EUR
    parts: dict[str, list[tuple[str, float]]] = {
        "energy_bill": [
            ("energy", float(bills.energy[customer]) - margin_eur),
            ("retailer's margin", margin_eur),
            ("network fee", float(bills.network[customer])),
            ("levies, concession fee and electricity tax", float(bills.state[customer])),
            ("value added tax on the energy", float(bills.energy_vat[customer])),
        ],
        "standing_charge": [
            ("supply, for the day", float(bills.standing[customer])),
            ("network connection, for the day", float(bills.base[customer])),
            ("metering, for the day", float(bills.metering[customer])),
            ("value added tax on the day's charges", float(bills.standing_vat[customer])),
        ],
        "rounding": [("rounding of the value added tax", 0.0)],
        "export_credit": [("credit for what was fed in, at its market value", 0.0)],
        "feed_in_premium": [("feed-in premium", 0.0)],
        "flexibility": [("pay for flexibility", 0.0)],
    }
    kwh = {"energy_bill": used_kwh, "export_credit": fed_kwh, "feed_in_premium": fed_kwh}
    lines = []
    for reason in _LINES:
        if reason not in ledger:
            continue
        left, cause = ledger[reason]
        named = parts[reason]
        for k, (name, amount_eur) in enumerate(named):
            amount = left if k == len(named) - 1 else int(millicent(amount_eur))
            left -= amount
            lines.append(bill_line(reason, name, amount, kwh.get(reason), cause))
    return lines


def _other_bill(run: Run, customer: int) -> float | None:
    """The same customer's bill over the run in the conventional arm."""
    column = "bill_eur_conventional"
    return float(run.bills[column][customer]) if column in run.bills.columns else None


def _devices(world: World, customer: int) -> list[dict[str, Any]]:
    owned = world.owned
    return [
        {"device": name, "steered": bool(owned.enrolled[customer])}
        for name, owners in (
            ("vehicle", owned.vehicles),
            ("heat pump", owned.heat_pumps),
            ("battery", owned.batteries),
        )
        if customer in owners
    ]


def _reads(settled: SettledDay, customer: int, brought: list[int], waves: Waves, zone: Any) -> dict[str, Any]:
    status = settled.status[:, customer]
    message = settled.message
    return {
        "quarters": len(status),
        "estimated": int((status == ReadStatus.ESTIMATED).sum()),
        "settled": int((status == ReadStatus.SETTLED).sum()),
        "settled_by": [cause_entry(one, waves.of(one), zone) for one in brought],
        "replaced": int((status == ReadStatus.REPLACED).sum()),
        "message": None if message < 0 else cause_entry(message, waves.of(message), zone),
    }


def _price(
    replay: Replay, settled: SettledDay, tracker: Tracker, waves: Waves, first_ns: int, told: int
) -> dict[str, Any]:
    """The message that told the customer the day's prices, what became of it, and what it came from.

    told: the message that told the retailer, -1 if none did.
    """
    places, zone = Places(replay.world), replay.scenario.zone
    found: dict[str, Any] = {
        "min_eur_per_mwh": float(settled.price_eur_per_mwh.min()),
        "mean_eur_per_mwh": float(settled.price_eur_per_mwh.mean()),
        "max_eur_per_mwh": float(settled.price_eur_per_mwh.max()),
        "flat_eur_per_mwh": float(replay.scenario.sections["tariffs"].flat_procurement_eur_per_mwh),
        "message": None,
        "chain": [],
    }
    start_hour = first_ns // NS_PER_HOUR
    mine = [
        one
        for one in tracker.listed.values()
        if (prices := retail.PRICES.of(one.wave)) is not None and prices.first_hour == start_hour
    ]
    if mine:
        one = mine[-1]
        found["message"] = listed_entry(one.id, one.wave, one.row, one.fate, places, zone)
        found["chain"] = [cause_entry(cause, wave, zone) for cause, wave in waves.chain(one.id)]
        return found
    # The retailer never passed them on: what the market told the retailer, if anything.
    if told >= 0:
        found["chain"] = [cause_entry(told, waves.of(told), zone)]
        found["chain"] += [cause_entry(cause, wave, zone) for cause, wave in waves.chain(told)]
    return found


def _setpoints(replay: Replay, tracker: Tracker, waves: Waves, first_ns: int, end_ns: int) -> dict[str, Any]:
    """The day's set-points to the customer: how many, what became of them, how many were for congestion."""
    places, zone = Places(replay.world), replay.scenario.zone
    sent = [one for one in tracker.listed.values() if one.wave.topic == "cap" or one.wave.topic.startswith("signal.")]
    sent = [one for one in sent if first_ns <= int(one.wave.sent_ns[one.row]) < end_ns]
    entries = [listed_entry(one.id, one.wave, one.row, one.fate, places, zone) for one in sent]
    arrived = [one for one in entries if one["status"] == "delivered"]
    delays = [one["delay_s"] for one in arrived]
    last = arrived[-1]["id"] if arrived else None
    return {
        "sent": len(sent),
        "delivered": len(arrived),
        "lost": [one for one in entries if one["status"].startswith("lost")],
        "for_congestion": [one for one in entries if one["topic"] == "cap"],
        "longest_delay_s": max(delays, default=None),
        "last": arrived[-1] if arrived else None,
        "chain": [] if last is None else [cause_entry(cause, wave, zone) for cause, wave in waves.chain(last)],
    }


def _hours(replay: Replay, customer: int, settled: SettledDay, seen: Seen, dynamic: bool) -> list[dict[str, Any]]:
    """Hour by hour: energy used and its price, and the state of the customer's part of the network."""
    zone = replay.scenario.zone
    flat = float(replay.scenario.sections["tariffs"].flat_procurement_eur_per_mwh)
    hours = []
    for k in range(0, len(settled.price_eur_per_mwh), 4):
        quarters = range(settled.first_quarter + k, settled.first_quarter + k + 4)
        kwh = float(settled.import_kwh[k : k + 4, customer].sum(dtype=np.float64))
        market = float(settled.price_eur_per_mwh[k])
        price = market if dynamic else flat
        volts, feeder, transformer = (
            [value for quarter in quarters for value in series.get(quarter, [])]
            for series in (seen.v_pu, seen.feeder_pct, seen.transformer_pct)
        )
        hours.append(
            {
                "from": local(settled.first_quarter * NS_PER_QUARTER + k * NS_PER_QUARTER, zone),
                "used_kwh": kwh,
                "fed_in_kwh": float(settled.export_kwh[k : k + 4, customer].sum(dtype=np.float64)),
                "market_eur_per_mwh": market,
                "energy_eur": kwh * price / 1000.0,
                "v_min_pu": min(volts, default=None),
                "v_max_pu": max(volts, default=None),
                "feeder_pct": max(feeder, default=None),
                "transformer_pct": _number(max(transformer, default=float("nan"))),
            }
        )
    return hours


def _dearest(hours: list[dict[str, Any]]) -> dict[str, Any]:
    """The hour whose energy cost most, or was fed in most if none was used."""
    return max(hours, key=lambda one: (one["energy_eur"], one["used_kwh"], one["fed_in_kwh"]))


def _network(world: World, above: tuple[int, int]) -> dict[str, Any]:
    branch, transformer = above
    line = int(world.network.line_of_node[branch])
    return {
        "feeder": str(world.grid.lines.names[line]) if line >= 0 else None,
        "transformer": str(world.grid.transformers.names[transformer]) if transformer >= 0 else None,
        "rated_kva": float(world.grid.transformers.sn_mva[transformer]) * 1000.0 if transformer >= 0 else None,
        "base_kv": float(world.network.v_base_kv[branch]),
    }


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
