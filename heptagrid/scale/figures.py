"""The figures of a point: what a pair of arms came to, each with its title, unit and definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from heptagrid.domains.customers.device import device_words
from heptagrid.foundation.domains import DOMAIN_NAMES, KIND_NAMES
from heptagrid.foundation.reasons import REASON_NAMES, STATE_REASONS, Reason
from heptagrid.planes.money.telecom import ITEMS

Summary = Mapping[str, Any]
Figures = dict[str, float | None]

STATE = tuple(REASON_NAMES[one] for one in STATE_REASONS)
"""The ledger's reasons by which the state takes and gives, by name."""
TELECOM_ITEMS = tuple(name for name, item in ITEMS.items() if item.reason is Reason.TELECOM)


@dataclass(frozen=True)
class Meaning:
    """What a figure is; `parts` are those that make it up, in a fixed order."""

    title: str
    unit: str
    digits: int
    definition: str
    parts: tuple[str, ...] = ()


MEANINGS = {
    "peak_kw": Meaning("Peak import", "kW", 0, "Highest power taken from the 110 kV network in any step, smart arm."),
    "peak_conventional_kw": Meaning("Peak import, conventional", "kW", 0, "The same in the conventional arm."),
    "imported_mwh": Meaning(
        "Energy imported", "MWh", 2, "Energy taken from the 110 kV network over the run, smart arm."
    ),
    "imported_conventional_mwh": Meaning(
        "Energy imported, conventional", "MWh", 2, "The same in the conventional arm."
    ),
    "violation_customer_minutes": Meaning(
        "Outside the voltage band",
        "customer-min",
        0,
        "Minutes outside 0.9 to 1.1 of nominal voltage (EN 50160), summed over customers, smart arm.",
    ),
    "violation_conventional_customer_minutes": Meaning(
        "Outside the voltage band, conventional", "customer-min", 0, "The same in the conventional arm."
    ),
    "customers_min_pu": Meaning(
        "Lowest supply voltage", "pu", 3, "Lowest voltage at any customer's terminals in any step, smart arm."
    ),
    "customers_min_conventional_pu": Meaning(
        "Lowest supply voltage, conventional", "pu", 3, "The same in the conventional arm."
    ),
    "transformer_pct": Meaning(
        "Highest transformer loading",
        "%",
        1,
        "Highest loading of any transformer in any step, of its rating, smart arm.",
    ),
    "transformer_conventional_pct": Meaning(
        "Highest transformer loading, conventional", "%", 1, "The same in the conventional arm."
    ),
    "line_pct": Meaning(
        "Highest line loading",
        "%",
        1,
        "Highest current of any cable or overhead line in any step, of what it may carry all the time, smart arm.",
    ),
    "line_conventional_pct": Meaning("Highest line loading, conventional", "%", 1, "The same in the conventional arm."),
    "messages_sent": Meaning(
        "Messages sent", "", 0, "Messages of all kinds in the smart arm; one sent again counts once.", KIND_NAMES
    ),
    "messages_lost": Meaning("Messages lost", "", 0, "Messages that never arrived, for whatever cause.", KIND_NAMES),
    "messages_late": Meaning("Messages late", "", 0, "Messages that arrived after their kind's deadline.", KIND_NAMES),
    "missed_pct": Meaning(
        "Messages lost or late", "%", 3, "Messages lost or late, as a share of those sent, smart arm.", KIND_NAMES
    ),
    "requirements_missed": Meaning(
        "Applications that missed their requirement",
        "",
        0,
        "Applications of which a smaller share of the messages than the published requirement asks for came within its latency, smart "
        "arm. Each kind of message belongs to one application: 1 if it missed, 0 if it met, none if it sent nothing.",
        KIND_NAMES,
    ),
    "estimated_pct": Meaning(
        "Meter reads estimated",
        "%",
        2,
        "Reads that bills rest on as estimates, neither read nor settled by a later register, as a share of those expected.",
    ),
    "net_benefit_eur": Meaning(
        "Net benefit over the run",
        "EUR",
        0,
        "What the domains received less what they paid, smart arm minus conventional arm, from the ledgers: operation, "
        "without the cost of buying meters, devices and links. In sum over the seven domains payments between them cancel.",
        DOMAIN_NAMES,
    ),
    "state_eur": Meaning(
        "Received by the state over the run",
        "EUR",
        0,
        "Levies and taxes less feed-in premiums, smart arm minus conventional arm. The state is none of the seven domains. Bills by "
        "estimates that miss energy carry less tax: that is the domains' gain and the state's loss, and nobody's benefit.",
    ),
    "total_benefit_eur": Meaning(
        "Net benefit with the state, over the run",
        "EUR",
        0,
        "Net benefit of the seven domains and what the state received more: what is saved in fuel, meter reading and upkeep, "
        "less what the smart grid's devices and links cost to run.",
    ),
    "telecom_eur": Meaning(
        "Telecom cost over the run",
        "EUR",
        2,
        "What is paid for the upkeep of communication devices and links (ledger reason 'telecom'), smart arm minus conventional arm.",
    ),
    "operating_eur_per_year": Meaning(
        "Net benefit of operation, a year",
        "EUR/year",
        0,
        "Net benefit of operation put on a year: every typical day counts as often as it stands for, and the peak charge is "
        "that of the highest day.",
        DOMAIN_NAMES,
    ),
    "total_eur_per_year": Meaning(
        "Net benefit with the state, a year", "EUR/year", 0, "The same, and what the state receives more in a year."
    ),
    "npv_eur": Meaning(
        "Net present value",
        "EUR",
        0,
        "Present value of the yearly net benefit over the horizon, less what the smart arm invests more, plus what it need "
        "not invest.",
        DOMAIN_NAMES,
    ),
    "total_npv_eur": Meaning(
        "Net present value with the state",
        "EUR",
        0,
        "Net present value of the seven domains, and the present value of what the state receives more.",
    ),
    "society_npv_eur": Meaning(
        "Society's net present value",
        "EUR",
        0,
        "What society gains over the horizon: resources saved less resources used up. Payments between parties cancel, taxes too.",
    ),
    "telecom_pv_eur": Meaning(
        "Telecom cost, present value",
        "EUR",
        0,
        "Present value of buying and keeping up concentrators, backhaul and WAN links over the horizon.",
    ),
}


def figures_of(
    arms: Mapping[str, Summary], business: Summary | None, days: int, state_eur_per_year: float | None
) -> Figures:
    """The figures of a pair of arms, parts as "figure.part", None if not known.

    Parameters
    ----------
    arms, business, days : as they stand in a run's summary
    state_eur_per_year : what the state receives more with the smart grid; needed with `business`
    """
    smart, conventional = arms["smart"], arms["conventional"]
    found: Figures = {
        "peak_kw": smart["loading"]["primary_peak_kw"],
        "peak_conventional_kw": conventional["loading"]["primary_peak_kw"],
        "imported_mwh": smart["energy_mwh"]["imported"],
        "imported_conventional_mwh": conventional["energy_mwh"]["imported"],
        "violation_customer_minutes": smart["voltage"]["violation_customer_minutes"],
        "violation_conventional_customer_minutes": conventional["voltage"]["violation_customer_minutes"],
        "customers_min_pu": smart["voltage"]["customers_min_pu"],
        "customers_min_conventional_pu": conventional["voltage"]["customers_min_pu"],
        "transformer_pct": smart["loading"]["max_transformer_pct"],
        "transformer_conventional_pct": conventional["loading"]["max_transformer_pct"],
        "line_pct": smart["loading"]["max_line_pct"],
        "line_conventional_pct": conventional["loading"]["max_line_pct"],
        **{
            name: smart["devices"].get(name) for name in device_words()
        },  # None: recorded without a class that is installed now
    }
    kinds = smart["messages"]["by_kind"]
    missed = {name: one["lost"] + one["late"] for name, one in kinds.items()}
    for what in ("sent", "lost", "late"):
        _spread(found, f"messages_{what}", {name: one[what] for name, one in kinds.items()})
    found["missed_pct"] = _pct(sum(missed.values()), sum(one["sent"] for one in kinds.values()))
    found |= {f"missed_pct.{name}": _pct(missed[name], one["sent"]) for name, one in kinds.items()}
    found |= _requirements_missed(smart["requirements"])
    reads = smart["metering"]
    found["estimated_pct"] = _pct(reads["estimated"], reads["expected"]) if reads else None
    ours, theirs = smart["money_eur"]["by_domain"], conventional["money_eur"]["by_domain"]
    _spread(
        found,
        "net_benefit_eur",
        {name: a - b for name, a, b in zip(DOMAIN_NAMES, ours, theirs, strict=True)},
    )
    found["state_eur"] = state_eur = _state_eur(smart) - _state_eur(conventional)
    found["total_benefit_eur"] = sum(ours) - sum(theirs) + state_eur
    found["telecom_eur"] = telecom_eur = _telecom_eur(smart) - _telecom_eur(conventional)
    found |= _annualised(business, telecom_eur / days, state_eur_per_year)
    return found


def _requirements_missed(rows: Sequence[Summary]) -> Figures:
    met = {one["kind"]: one["met"] for one in rows}
    missed = {name: None if met.get(name) is None else float(not met[name]) for name in KIND_NAMES}
    figure = "requirements_missed"
    return {figure: sum(one or 0.0 for one in missed.values())} | {f"{figure}.{k}": one for k, one in missed.items()}


def _annualised(business: Summary | None, telecom_eur_per_day: float, state_eur_per_year: float | None) -> Figures:
    found: Figures = {}
    if business is None or state_eur_per_year is None:
        for figure in ("operating_eur_per_year", "npv_eur"):
            found |= {figure: None} | {f"{figure}.{name}": None for name in DOMAIN_NAMES}
        return found | {
            "total_eur_per_year": None,
            "total_npv_eur": None,
            "society_npv_eur": None,
            "telecom_pv_eur": None,
        }
    rows = business["rows"]
    factor = rows[0]["annuity_factor"]
    for figure in ("operating_eur_per_year", "npv_eur"):
        _spread(found, figure, {one["domain"]: one[figure] for one in rows})
    found["total_eur_per_year"] = sum(one["operating_eur_per_year"] for one in rows) + state_eur_per_year
    found["total_npv_eur"] = sum(one["npv_eur"] for one in rows) + state_eur_per_year * factor
    found["society_npv_eur"] = business["appraisal"]["society"]["npv_eur"] if "appraisal" in business else None
    bought = sum(one["present_value_eur"] for one in business["investments"] if one["name"] in TELECOM_ITEMS)
    found["telecom_pv_eur"] = telecom_eur_per_day * business["weights_sum"] * factor + bought
    return found


def _spread(found: Figures, figure: str, parts: Mapping[str, float]) -> None:
    """Put a figure and its parts; the figure is their sum."""
    found[figure] = sum(parts.values())
    found |= {f"{figure}.{name}": value for name, value in parts.items()}


def _pct(part: float, whole: float) -> float | None:
    return 100.0 * part / whole if whole else None


def _telecom_eur(arm: Summary) -> float:
    return float(sum(one["amount_eur"] for one in arm["money_eur"]["by_reason"] if one["reason"] == "telecom"))


def _state_eur(arm: Summary) -> float:
    """Taxes and levies less premiums."""
    flows = [one for one in arm["money_eur"]["by_reason"] if one["reason"] in STATE]
    taken = sum(one["amount_eur"] for one in flows if one["payee"] == "outside")
    return float(taken - sum(one["amount_eur"] for one in flows if one["payer"] == "outside"))


def over_seeds(runs: Sequence[Figures]) -> dict[str, dict[str, float] | None]:
    """Mean, least and greatest of each figure over the seeds; None where one is not known."""
    found: dict[str, dict[str, float] | None] = {}
    for name in runs[0]:
        values = [run[name] for run in runs]
        known = [value for value in values if value is not None]
        found[name] = spread(known) if len(known) == len(values) else None
    return found


def spread(values: Sequence[float]) -> dict[str, float]:
    """Mean, least and greatest of one or more values."""
    return {"mean": sum(values) / len(values), "min": min(values), "max": max(values)}


def meanings() -> dict[str, Any]:
    """What every figure is, as JSON content; the counts of devices stand before those of messages."""
    counts = {
        name: Meaning(one.many.capitalize(), "", 0, f"Customers with {one.owned}, in both arms.")
        for name, one in device_words().items()
    }
    first = list(MEANINGS).index("messages_sent")
    ordered = [*list(MEANINGS.items())[:first], *counts.items(), *list(MEANINGS.items())[first:]]
    return {name: asdict(one) for name, one in ordered}
