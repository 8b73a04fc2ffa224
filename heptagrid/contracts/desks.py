"""Desks that a program outside may play, and what the built-in one sends for each: what is not sent while the program plays it."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, get_args

from heptagrid.contracts import control, flexibility, retail
from heptagrid.foundation.contract import Contract
from heptagrid.foundation.registry import devices

Role = Literal["head_end", "scada_master", "retailer", "aggregator"]
ROLES: tuple[Role, ...] = get_args(Role)


@cache
def sent_by(role: Role) -> tuple[Contract[Any], ...]:
    """The contracts by which a built-in desk steers what lies in the field.

    What it tells markets, other companies and its own books goes on, whoever plays it: schedules, forecasts, bids, bills.
    """
    of: dict[Role, tuple[Contract[Any], ...]] = {
        "head_end": (control.FIRMWARE,),
        "scada_master": (control.BUSBAR,),
        "retailer": (retail.PRICES,),
        "aggregator": (*(flexibility.signal(name) for name in devices()), flexibility.CAP),
    }
    return of[role]
