"""Reads a rate from OpenEI's utility rate database (URDB), versions 7 and 8 of its JSON.

Source: openei.org/services/doc/rest/util_rates, the description of the fields. Fields that say nothing of money are passed over; others that are
not known are named in a remark; wrong ones are refused, all at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from heptagrid.foundation.errors import FileError
from heptagrid.foundation.input_files import UnreadableError, read_text
from heptagrid.foundation.printable import printable
from heptagrid.planes.money.rates.demand import YEARS_LOOKBACK, Demand, Ratchet
from heptagrid.planes.money.rates.energy import Energy
from heptagrid.planes.money.rates.export import Export
from heptagrid.planes.money.rates.fixed import Fixed
from heptagrid.planes.money.rates.line import Element
from heptagrid.planes.money.rates.minimum import Minimum
from heptagrid.planes.money.rates.net_billing import NetBilling
from heptagrid.planes.money.rates.net_metering import NetMetering
from heptagrid.planes.money.rates.no_export import NoExport
from heptagrid.planes.money.rates.rate import Rate
from heptagrid.planes.money.rates.schedule import Schedule
from heptagrid.planes.money.rates.tiers import NO_LIMIT, Tier, Tiers, Unit
from heptagrid.planes.money.rates.urdb_fields import MOST_LIMIT, Fields

_DESCRIBES = frozenset(
    [
        "label",
        "uri",
        "name",
        "utility",
        "utilityname",
        "eiaid",
        "sector",
        "servicetype",
        "description",
        "descriptionall",
        "source",
        "sourceparent",
        "sourcereference",
        "startdate",
        "enddate",
        "effectivedate",
        "approved",
        "revisions",
        "is_default",
        "isdefault",
        "supersedes",
        "country",
        "version",
        "basicinformationcomments",
        "energycomments",
        "energyattrs",
        "demandcomments",
        "demandattrs",
        "fixedattrs",
        "voltagecategory",
        "voltageminimum",
        "voltagemaximum",
        "phasewiring",
        "peakkwcapacitymin",
        "peakkwcapacitymax",
        "peakkwcapacityhistory",
        "peakkwhusagemin",
        "peakkwhusagemax",
        "peakkwhusagehistory",
        "latest_update",
        "electricservicetype",
        "servicetypes",
        "rateid",
        "bundled",
        "dgcomments",
        "demandcategory",
    ]
)
"""Fields that change nothing of a bill."""

_UNITS = {one.value: one for one in (Unit.KWH, Unit.KWH_PER_KW, Unit.KWH_DAILY, Unit.KWH_PER_KW_DAILY)}
_PER = {"$/month": "month", "$/day": "day", "$/year": "year"}
_RULES = ("Net Metering", "Net Billing Instantaneous", "Net Billing Hourly", "Buy All Sell All")
_NO_RULE = "none"
_KW_PER = {"kW": 1.0, "hp": 0.745699872}
"""Units of demand and how many kW they are; the mechanical horsepower of 550 foot-pounds a second."""
_UNUSED = {
    "coincidentratestructure": "coincidentratestructure has no effect on the bill: the file does not say when the system's peaks were",
    "demandreactivepowercharge": "demandreactivepowercharge has no effect on the bill: readings say nothing of reactive power",
    "fixedchargeeaaddl": "fixedchargeeaaddl has no effect on the bill: it is of one meter",
}


@dataclass(frozen=True)
class Read:
    """A rate, and remarks on what of its file has no effect on the bill."""

    rate: Rate
    remarks: tuple[str, ...]


def read_urdb(path: str | Path) -> Read:
    """Read a file: a rate, or the answer of the database with exactly one rate in `items`.

    Raises
    ------
    FileError
        With every problem: the path of the field, what it holds, and what to write.
    """
    origin = str(path)
    try:
        content = json.loads(read_text(Path(path)))
    except UnreadableError as problem:
        raise FileError(origin, [str(problem)]) from None
    except json.JSONDecodeError as problem:
        raise FileError(
            origin, [f"is no JSON: {problem.msg} (line {problem.lineno}, column {problem.colno})"]
        ) from None
    except ValueError:
        raise FileError(origin, ["is no JSON that can be read: it holds a number of thousands of digits"]) from None
    except RecursionError:
        raise FileError(origin, ["is nested too deep"]) from None
    if isinstance(content, dict) and isinstance(content.get("items"), list):
        items = content["items"]
        if len(items) != 1:
            raise FileError(origin, [f"items: holds {len(items)} rates; leave exactly one"])
        content = items[0]
    if not isinstance(content, dict):
        raise FileError(origin, ["is no rate; write an object with energyratestructure and its schedules"])
    return rate_of(content, origin)


def rate_of(content: Mapping[str, Any], origin: str = "rate") -> Read:
    """The rate that the fields of one of the database's rates say; `origin` names them in errors.

    Raises
    ------
    FileError
        As `read_urdb`.
    """
    fields = Fields(content)
    ratchet = _ratchet(fields)
    demands = [one for one in (_flat_demand(fields, ratchet), _tou_demand(fields, ratchet)) if one is not None]
    billing = demands[0] if demands else None
    if billing is None and ratchet is not None:  # for tiers by demand alone
        billing = Demand(((Tier(0.0, unit=Unit.KW),),), Schedule.always(), ratchet=ratchet)
    energy = _energy(fields, billing)
    elements: list[Element] = [*demands, *_fixed(fields)]
    export, minimum = _export(fields), _minimum(fields)
    unused = [name for name in content if name not in fields.asked and name.lower() not in _DESCRIBES]
    if fields.problems:
        raise FileError(origin, fields.problems)
    remarks = [
        _UNUSED.get(name, f"{printable(str(name))[:80]} is not known and has no effect on the bill") for name in unused
    ]
    name = " - ".join(str(content[key]) for key in ("utility", "name") if content.get(key))
    name = printable(name or str(content.get("label", origin)))
    return Read(Rate(energy, export, tuple(elements), minimum, name=name), tuple(remarks))


def _energy(fields: Fields, billing: Demand | None) -> Energy:
    periods = _structure(fields, "energyratestructure", with_units=True)
    if periods is None:
        needed = "energyratestructure, energyweekdayschedule and energyweekendschedule"
        fields.problems.append(f"energyratestructure: is missing; a rate has {needed}")
        periods = [(Tier(0.0),)]
    tables = [
        fields.schedule(name, len(periods), "energyratestructure")
        for name in ("energyweekdayschedule", "energyweekendschedule")
    ]
    for name, table in zip(("energyweekdayschedule", "energyweekendschedule"), tables, strict=True):
        if table is None and fields.content.get(name) is None:
            fields.problems.append(f"{name}: is missing; write 12 lists of 24 periods")
    schedule = Schedule.always() if None in tables else Schedule.by_month_and_hour(tables[0], tables[1])  # type: ignore[arg-type]
    adjustments = _by_month(fields, "fueladjustmentsmonthly")
    return Energy(tuple(periods), schedule, billing_demand=billing, adjustments=adjustments)


def _by_month(fields: Fields, name: str) -> tuple[float, ...] | None:
    """Twelve prices, one a month; None where there is none, or none but 0."""
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 12:
        fields.problems.append(f"{name}: is not a list of 12; write a price a month")
        return None
    prices = tuple(fields.checked(one, f"{name}[{m}]") for m, one in enumerate(value))
    return prices if any(prices) else None


def _structure(fields: Fields, name: str, with_units: bool) -> list[Tiers] | None:
    """Periods of tiers; a price is `rate` and `adj` together."""
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not value:
        fields.problems.append(f"{name}: holds no periods; write a list of lists of tiers")
        return None
    return [_tiers(fields, one, f"{name}[{p}]", with_units) for p, one in enumerate(value)]


def _tiers(fields: Fields, value: Any, path: str, with_units: bool) -> Tiers:
    if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
        fields.problems.append(f'{path}: holds no tiers; write a list such as [{{"rate": 0.12}}]')
        return (Tier(0.0),)
    tiers = []
    for k, one in enumerate(value):
        at = f"{path}[{k}]"
        for key in one:
            if key not in ("rate", "adj", "max", "unit", "sell"):
                fields.problems.append(f"{at}.{key}: is not known; a tier has rate, adj, max, unit and sell")
        if "rate" not in one and "adj" not in one and "sell" not in one:
            fields.problems.append(f"{at}.rate: is missing; write the price of a unit")
        price, adjustment, sell = (
            0.0 if one.get(key) is None else fields.checked(one[key], f"{at}.{key}") for key in ("rate", "adj", "sell")
        )
        tiers.append(
            Tier(
                price + adjustment,
                _limit(fields, one.get("max"), f"{at}.max", k == len(value) - 1),
                _unit(fields, one, at, with_units),
                sell,
            )
        )
    for k in range(1, len(tiers)):
        if tiers[k].unit is tiers[k - 1].unit and tiers[k].up_to <= tiers[k - 1].up_to:
            fields.problems.append(
                f"{path}[{k}].max: {tiers[k].up_to:g} is not above the tier before's {tiers[k - 1].up_to:g}; put tiers in order"
            )
    return tuple(tiers)


def _limit(fields: Fields, value: Any, path: str, is_last: bool) -> float:
    if value is None:
        if not is_last:
            fields.problems.append(f"{path}: is missing; only the last tier has no limit")
        return NO_LIMIT
    limit = fields.checked(value, path, 0.0)
    return NO_LIMIT if limit >= MOST_LIMIT else limit


def _unit(fields: Fields, tier: Mapping[str, Any], path: str, with_units: bool) -> Unit:
    unit = tier.get("unit")
    if not with_units:
        if unit not in (None, "kW"):
            where = "flatdemandunit or demandrateunit"
            fields.problems.append(f"{path}.unit: {unit!r} is not kW; leave it out, and say the unit in {where}")
        return Unit.KW
    if unit is None:
        return Unit.KWH
    if not isinstance(unit, str) or unit not in _UNITS:
        fields.problems.append(f"{path}.unit: {unit!r} is not known; write one of {', '.join(map(repr, _UNITS))}")
        return Unit.KWH
    return _UNITS[unit]


def _window_s(fields: Fields) -> int | None:
    minutes = fields.number("demandwindow", 1.0)
    return None if minutes is None else round(60 * minutes)


def _flat_demand(fields: Fields, ratchet: Ratchet | None) -> Demand | None:
    periods = _demand_structure(fields, "flatdemandstructure", ("flatdemandunit", "flatdemandunits"))
    if periods is None:
        fields.get("flatdemandmonths")
        return None
    months = fields.months("flatdemandmonths", len(periods), "flatdemandstructure")
    if months is None:
        if fields.content.get("flatdemandmonths") is None:
            fields.problems.append(
                "flatdemandmonths: is missing; write the period of flatdemandstructure of each month"
            )
        months = [0] * 12
    return Demand(tuple(periods), Schedule.by_month(months), "demand", ratchet, window_s=_window_s(fields))


def _tou_demand(fields: Fields, ratchet: Ratchet | None) -> Demand | None:
    names = ("demandweekdayschedule", "demandweekendschedule")
    periods = _demand_structure(fields, "demandratestructure", ("demandrateunit", "demandunits"))
    if periods is None:
        for name in names:
            fields.get(name)
        return None
    tables = [fields.schedule(name, len(periods), "demandratestructure") for name in names]
    for name, table in zip(names, tables, strict=True):
        if table is None and fields.content.get(name) is None:
            fields.problems.append(f"{name}: is missing; write 12 lists of 24 periods of demandratestructure")
    schedule = Schedule.always() if None in tables else Schedule.by_month_and_hour(tables[0], tables[1])  # type: ignore[arg-type]
    return Demand(tuple(periods), schedule, "demand by time of use", ratchet, window_s=_window_s(fields))


def _demand_structure(fields: Fields, name: str, units: tuple[str, str]) -> list[Tiers] | None:
    """Periods of tiers in kW, whatever unit of demand the rate has; files spell the unit's field in two ways."""
    periods = _structure(fields, name, with_units=False)
    given = [one for one in units if fields.get(one) is not None]
    if periods is None:
        return None
    found = {fields.word(one, _KW_PER, "kW") for one in given}
    if len(found) > 1:
        fields.problems.append(f"{units[1]}: contradicts {units[0]}; leave one of them")
    kw = min(found, default=1.0)
    return [tuple(replace(one, price=one.price / kw, up_to=one.up_to * kw) for one in tiers) for tiers in periods]


def _ratchet(fields: Fields) -> Ratchet | None:
    """The share of each month's peak that later months are billed at least."""
    value = fields.get("demandratchetpercentage")
    percent, months = fields.number("lookbackPercent", 0.0), fields.get("lookbackMonths")
    lookback = fields.number("lookbackRange", 0.0)
    if lookback is not None and lookback % 1.0:
        fields.problems.append(f"lookbackRange: {lookback:g} is no number of months; write a whole number")
    if months is not None and not (isinstance(months, list) and len(months) == 12):
        fields.problems.append("lookbackMonths: is not a list of 12; write 1 for each month whose peak lasts, else 0")
    if value is None and not percent:
        return None
    if value is not None:
        rows = value if isinstance(value, list) else [value] * 12
        if len(rows) != 12:
            fields.problems.append(f"demandratchetpercentage: holds {len(rows)} months; write 12 shares, one a month")
            return None
        shares = [fields.checked(one, f"demandratchetpercentage[{m}]", 0.0) for m, one in enumerate(rows)]
    else:
        assert percent is not None
        shares = [percent] * 12
        if isinstance(months, list) and len(months) == 12 and any(months):
            shares = [percent if seen else 0.0 for seen in months]
    if max(shares) > 1.0:  # written in percent
        shares = [one / 100.0 for one in shares]
    if max(shares) > 1.0:
        fields.problems.append("demandratchetpercentage: is above 100 %; write shares from 0 to 1")
    if max(shares) == 0.0:
        return None
    return Ratchet(tuple(shares), YEARS_LOOKBACK if not lookback else int(lookback))


def _fixed(fields: Fields) -> list[Element]:
    per = fields.word("fixedchargeunits", _PER, "$/month")
    first = fields.number("fixedchargefirstmeter")
    monthly = fields.number("fixedmonthlycharge")
    if first is not None and monthly is not None and first != monthly:
        fields.problems.append("fixedmonthlycharge: contradicts fixedchargefirstmeter; leave one of them")
    if first is not None:
        return [Fixed(first, per)] if first else []
    return [Fixed(monthly)] if monthly else []


def _minimum(fields: Fields) -> Minimum | None:
    per = fields.word("minchargeunits", _PER, "$/month")
    least = fields.number("mincharge", 0.0) or 0.0
    monthly, annual = fields.number("minmonthlycharge", 0.0) or 0.0, fields.number("annualmincharge", 0.0) or 0.0
    other, name = {"month": (monthly, "minmonthlycharge"), "year": (annual, "annualmincharge")}.get(per, (0.0, ""))
    if least and other and least != other:
        fields.problems.append(f"{name}: contradicts mincharge; leave one of them")
    if per == "month":
        monthly = least or monthly
    elif per == "year":
        annual = least or annual
    daily = least if per == "day" else 0.0
    return Minimum(monthly, annual, daily=daily) if monthly or annual or daily else None


def _export(fields: Fields) -> Export:
    known = {one: one for one in (*_RULES, _NO_RULE)}
    older = fields.get("usenetmetering")
    if older not in (None, True, False):
        fields.problems.append(f"usenetmetering: {older!r} is not known; write true or false")
    rule = fields.word("dgrules", known, _RULES[0] if older else _NO_RULE)
    if rule == "Net Metering":
        return NetMetering()
    return NoExport() if rule == _NO_RULE else NetBilling()
