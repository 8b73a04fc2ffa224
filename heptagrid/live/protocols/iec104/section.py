"""What a scenario says of IEC 60870-5-104: the section `live.iec104`."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.parameters import parameter
from heptagrid.live.protocols.iec104.link import Timing
from heptagrid.live.protocols.iec104.station import Rules

_STANDARD = "IEC 60870-5-104, 9.6: default"


@dataclass(frozen=True)
class Parameters:
    """How connections behave, what stations tell, and which outside stations the desk asks."""

    k: int = parameter(
        12, info="I-frames that a station may send before one is confirmed", low=1, high=32767, source=_STANDARD
    )
    w: int = parameter(
        8, info="I-frames after which a station confirms at the latest", low=1, high=32767, source=_STANDARD
    )
    t1_s: float = parameter(
        15.0,
        info="until what a station sent must be confirmed, of the wall clock",
        unit="s",
        low=0.1,
        high=255.0,
        source=_STANDARD,
    )
    t2_s: float = parameter(
        10.0,
        info="until a station confirms what came when it has nothing to send; less than t1_s",
        unit="s",
        low=0.1,
        high=255.0,
        source=_STANDARD,
    )
    t3_s: float = parameter(
        20.0,
        info="until a station tests an idle connection, of the wall clock",
        unit="s",
        low=0.1,
        high=172_800.0,
        source=_STANDARD,
    )
    redundancy: str = parameter(
        "connection",
        info="which connections form a redundancy group, of which one carries data: each by itself, those from one address, or all to a station",
        choices=("connection", "address", "station"),
        source="assumption: several control centres each get all data unless they are said to be one",
    )
    buffer: int = parameter(
        1000,
        info="what a redundancy group keeps of what happened while none of its connections carried data; the oldest is dropped",
        unit="ASDUs",
        low=1,
        high=100_000,
        source="assumption: the event buffers of remote terminal units hold hundreds to thousands",
    )
    must_select: bool = parameter(
        False,
        info="whether commands must be selected before they are executed",
        source="assumption: direct commands are taken too, so that every client can try one",
    )
    select_s: float = parameter(
        30.0,
        info="how long a selection holds, of the wall clock",
        unit="s",
        low=1.0,
        high=600.0,
        source="assumption: the usual setting of remote terminal units, 10 to 60 s",
    )
    time_tags: bool = parameter(
        True,
        info="whether what stations tell unasked carries a time tag",
        source="IEC 60870-5-104, 9.5: time tags of 56 bits are the rule",
    )
    time_zone: str = parameter(
        "utc",
        info="whether time tags are in UTC or in the scenario's local time with its summer bit",
        choices=("utc", "local"),
        source="assumption: UTC, as most control centres ask for",
    )
    clock: str = parameter(
        "simulated",
        info="whether a station's clock stays at the simulated time, or follows a clock synchronisation",
        choices=("simulated", "controlling"),
        source="assumption: stations take their time from satellites, and a synchronisation is only confirmed",
    )
    topical_s: float = parameter(
        120.0,
        info="simulated age above which values are marked as not topical",
        unit="s",
        low=1.0,
        high=86_400.0,
        source="assumption: two of the longest steps",
    )
    outstations: str = parameter(
        "",
        info="outside stations that the desk asks, as HOST:PORT/COMMON ADDRESS, separated by commas; empty for none",
        source="assumption: none",
    )
    interrogate_s: float = parameter(
        900.0,
        info="how often the desk interrogates outside stations, of the wall clock",
        unit="s",
        low=1.0,
        high=86_400.0,
        source="assumption: each quarter hour, beside what they tell unasked",
    )

    @property
    def timing(self) -> Timing:
        return Timing(self.t1_s, self.t2_s, self.t3_s, self.k, self.w)

    @property
    def rules(self) -> Rules:
        return Rules(self.must_select, self.select_s, self.time_tags)
