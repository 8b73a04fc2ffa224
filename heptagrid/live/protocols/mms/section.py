"""What a scenario says of IEC 61850 MMS: the section `live.mms`."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.parameters import parameter
from heptagrid.live.protocols.mms.controls import MODELS
from heptagrid.live.protocols.mms.ied import Rules


@dataclass(frozen=True)
class Parameters:
    """How devices are commanded, and what clients may ask of them."""

    control_model: str = parameter(
        "direct-normal",
        info="how controls are commanded: at once or selected before, and with normal or enhanced security, which tells the end of each command",
        choices=MODELS,
        source="assumption: direct commands with normal security, so that every client can give one",
    )
    select_s: float = parameter(
        30.0,
        info="how long a selection holds, of the wall clock",
        unit="s",
        low=1.0,
        high=600.0,
        source="assumption: the usual sboTimeout of devices, 10 to 60 s",
    )
    clients: int = parameter(
        4,
        info="for how many clients each data set has a report control block",
        low=1,
        high=99,
        source="assumption: devices of substations have 3 to 16",
    )
    buffer: int = parameter(
        200,
        info="reports that a buffered report control block keeps; the oldest is dropped",
        low=1,
        high=10_000,
        source="assumption: the buffers of devices hold tens to hundreds of reports",
    )
    outstanding: int = parameter(
        10,
        info="requests that a client may have open",
        low=1,
        high=100,
        source="assumption: the usual setting of servers, 5 to 10",
    )
    topical_s: float = parameter(
        120.0,
        info="simulated age above which values are questionable, since they are old",
        unit="s",
        low=1.0,
        high=86_400.0,
        source="assumption: two of the longest steps",
    )

    @property
    def rules(self) -> Rules:
        return Rules(MODELS.index(self.control_model) + 1, self.select_s, self.buffer)
