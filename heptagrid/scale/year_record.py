"""An arm's observed year as JSON content, and read back: so that a sweep's points can be appraised from what their arms came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from heptagrid.planes.money.benefits.observed import ArmYear, Outage
from heptagrid.planes.money.telecom import Parameters, Stock

ARRAYS = ("transformer_peak_pct", "paid_eur")
ENDLESS_H = None  # JSON has no infinity, which is where the longest class of outages ends


def year_as_json(year: ArmYear) -> dict[str, Any]:
    """Every field, by its name."""
    return {
        **vars(year),
        **{name: getattr(year, name).tolist() for name in ARRAYS},
        "outages": [
            asdict(one) | {"up_to_h": one.up_to_h if np.isfinite(one.up_to_h) else ENDLESS_H} for one in year.outages
        ],
        "stocks": [[dict(one.counts), asdict(one.prices)] for one in year.stocks],
    }


def year_of_json(content: Mapping[str, Any]) -> ArmYear:
    """The year that `year_as_json` wrote."""
    fields = dict(content)
    fields |= {name: np.array(content[name], dtype=np.float64) for name in ARRAYS}
    fields["outages"] = tuple(
        Outage(**one | {"up_to_h": np.inf if one["up_to_h"] is ENDLESS_H else one["up_to_h"]})
        for one in content["outages"]
    )
    fields["stocks"] = tuple(Stock(counts, Parameters(**prices)) for counts, prices in content["stocks"])
    return ArmYear(**fields)
