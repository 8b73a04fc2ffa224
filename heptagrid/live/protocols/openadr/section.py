"""The section `live.openadr`: credentials of the desk, and what built-in VENs do at a level of demand response."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.parameters import parameter


@dataclass(frozen=True)
class Parameters:
    """Credentials of the desk, and what built-in VENs do at a level of demand response."""

    bl_client: str = parameter(
        "bl", info="client id of the desk's business logic", source="assumption: its role's name"
    )
    bl_secret: str = parameter(
        "", info="its secret; empty: a new one at each start, which is shown", source="assumption: no secret in a file"
    )
    ven_client: str = parameter("ven", info="client id of a VEN that is enrolled from the start", source="assumption")
    ven_secret: str = parameter(
        "", info="its secret; empty: a new one at each start, which is shown", source="assumption: no secret in a file"
    )
    simple_1_share: float = parameter(
        0.6,
        info="share of its rated power that level 1 of SIMPLE, moderate load shed, leaves a device",
        low=0.0,
        high=1.0,
        source="assumption: of an 11 kW charger 6.6 kW, and OpenADR leaves it to the program",
    )
    simple_2_share: float = parameter(
        0.38,
        info="share that level 2, high load shed, leaves",
        low=0.0,
        high=1.0,
        source="assumption: 4.2 kW of 11, to which section 14a EnWG lets a grid operator dim",
    )
    simple_3_share: float = parameter(
        0.0, info="share that level 3, emergency load shed, leaves", low=0.0, high=1.0, source="assumption: nothing"
    )
    control_period_s: int = parameter(
        60,
        info="how often a gateway looks again what a limit of its site leaves its devices",
        unit="s",
        low=1,
        high=900,
        source="assumption: a minute, the coupling step",
    )
