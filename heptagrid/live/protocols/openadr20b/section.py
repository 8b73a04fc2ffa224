"""The section `live.openadr20b`: the VTN's name, how often VENs ask and report, and their clock."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.parameters import parameter


@dataclass(frozen=True)
class Parameters:
    """Names, periods and the clock of OpenADR 2.0b."""

    vtn_id: str = parameter(
        "HEPTAGRID", info="the VTN's vtnID", source="assumption: in capitals, for some VENs refuse small letters"
    )
    poll_s: int = parameter(
        10,
        info="how often a VEN is asked to poll",
        unit="s",
        low=1,
        high=86_400,
        source="openleadr 0.5: its VTN's default",
    )
    report_s: int = parameter(
        60,
        info="how often a VEN is asked to report, within what it offers",
        unit="s",
        low=1,
        high=86_400,
        source="assumption: a minute, the coupling step",
    )
    ramp_up_s: int = parameter(
        0,
        info="how long before its start an event is near",
        unit="s",
        low=0,
        high=86_400,
        source="assumption: devices need none",
    )
    clock_offset_s: int = parameter(
        0,
        info="how far the times in messages are ahead of simulated ones, for VENs that keep their own clock",
        unit="s",
        low=-(10**10),
        high=10**10,
        source="assumption: VENs are told simulated time",
    )
