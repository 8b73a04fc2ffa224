"""What a scenario says of DNP3: the section `live.dnp3`."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.parameters import parameter
from heptagrid.live.protocols.dnp3.outstation import ALWAYS, ASKED, NEVER, Rules


@dataclass(frozen=True)
class Parameters:
    """How outstations behave, and what they tell."""

    unsolicited: str = parameter(
        ASKED,
        info="whether outstations send unsolicited responses: always, from the first contact on, as the standard has it; asked, once a master has allowed them; or never",
        choices=(ALWAYS, ASKED, NEVER),
        source="assumption: masters that only poll, and confirm nothing, are not kept waiting",
    )
    confirm_s: float = parameter(
        5.0,
        info="until a response must be confirmed, of the wall clock",
        unit="s",
        low=0.1,
        high=3600.0,
        source="assumption: the usual setting of outstations, 5 s",
    )
    retries: int = parameter(
        3,
        info="how often an unsolicited response that is not confirmed is sent again",
        low=0,
        high=1000,
        source="assumption: the usual setting of outstations, 3",
    )
    buffer: int = parameter(
        1000,
        info="events that an outstation keeps for each of its masters; the oldest is dropped",
        unit="events",
        low=1,
        high=100_000,
        source="assumption: the event buffers of remote terminal units hold hundreds to thousands",
    )
    masters: int = parameter(
        4,
        info="masters, by their addresses, for which an outstation keeps events",
        low=1,
        high=100,
        source="assumption: devices of substations take 3 to 6",
    )
    select_s: float = parameter(
        10.0,
        info="how long a selection holds, of the wall clock",
        unit="s",
        low=1.0,
        high=600.0,
        source="assumption: the usual setting of outstations, 5 to 30 s",
    )
    controls: int = parameter(
        16,
        info="controls that one request may name",
        low=1,
        high=200,
        source="assumption: the usual setting of outstations, 1 to 16",
    )
    clock: str = parameter(
        "simulated",
        info="whether an outstation's clock stays at the simulated time, or asks a master for its own",
        choices=("simulated", "master"),
        source="assumption: stations take their time from satellites, and a master's is only confirmed",
    )
    topical_s: float = parameter(
        120.0,
        info="simulated age above which values are flagged as of lost communication",
        unit="s",
        low=1.0,
        high=86_400.0,
        source="assumption: two of the longest steps",
    )
    keep_alive_s: float = parameter(
        60.0,
        info="until a silent connection is asked for its link status, and after as long again is closed, of the wall clock",
        unit="s",
        low=1.0,
        high=86_400.0,
        source="IEEE 1815-2012, 13.2.2: keep-alive by link status; the time is an assumption, opendnp3's default",
    )

    @property
    def rules(self) -> Rules:
        return Rules(
            confirm_s=self.confirm_s,
            retries=self.retries,
            unsolicited=self.unsolicited,
            buffer=self.buffer,
            select_s=self.select_s,
            most_controls=self.controls,
            keeps_clock=self.clock == "simulated",
        )
