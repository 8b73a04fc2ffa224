"""What a scenario says of MQTT: the section `live.mqtt`."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.parameters import parameter

CLASSES = "meters, local_units, batteries, vehicles, heat_pumps"


@dataclass(frozen=True)
class Parameters:
    """Where devices publish, what, and how often."""

    broker: str = parameter(
        "",
        info="an outside broker as mqtt://HOST:PORT or mqtts://HOST:PORT; empty for the one that is built in",
        source="assumption: the one that is built in",
    )
    username: str = parameter(
        "",
        info="name that the built-in broker asks for, or that is told to an outside one; empty for none",
        source="assumption: on this machine, everybody may connect",
    )
    password: str = parameter("", info="password of that name", source="assumption: as the name")
    classes: str = parameter(
        CLASSES,
        info="classes of devices that publish, separated by commas",
        source="those behind the meter, and meters",
    )
    plain: bool = parameter(
        True, info="whether each value is published to a topic of its own, as JSON", source="assumption: for everybody"
    )
    sparkplug: bool = parameter(
        True,
        info="whether substations are edge nodes of Sparkplug B, and devices theirs",
        source="assumption: for SCADA",
    )
    prefix: str = parameter("heptagrid", info="first level of the plain topics", source="the name of this program")
    group: str = parameter("heptagrid", info="group of the edge nodes", source="the name of this program")
    messages_per_s: float = parameter(
        50.0,
        info="reports that devices send at most, of the wall clock; each crosses the modelled network",
        unit="1/s",
        low=0.1,
        high=10_000.0,
        source="assumption: what a neighbourhood's mesh carries beside its own traffic",
    )
    deadband_kw: float = parameter(
        0.1,
        info="change of its power below which a device reports nothing",
        unit="kW",
        low=0.0,
        high=1000.0,
        source="assumption: a tenth of what a house draws when all sleep",
    )
    deadband_pct: float = parameter(
        5.0,
        info="the same in percent of the power that was last reported; the larger one counts",
        unit="%",
        low=0.0,
        high=100.0,
        source="assumption: report by exception of telemetry, 1 to 10 %",
    )
    longest_s: float = parameter(
        900.0,
        info="simulated time after which a device reports though its power has not changed",
        unit="s",
        low=1.0,
        high=86_400.0,
        source="assumption: each quarter hour, as meters do",
    )
    order_s: float = parameter(
        900.0,
        info="simulated time for which a set-point holds that tells none",
        unit="s",
        low=1.0,
        high=86_400.0,
        source="assumption: a quarter hour",
    )

    @property
    def class_names(self) -> tuple[str, ...]:
        return tuple(name for name in (one.strip() for one in self.classes.split(",")) if name)

    @property
    def outside(self) -> tuple[str, int, bool] | None:
        """Host, port and whether it is TLS, of an outside broker; None for the built-in one.

        Raises
        ------
        UsageError
            For what is no address of a broker.
        """
        if not self.broker:
            return None
        try:
            parts = urlsplit(self.broker)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise UsageError(f"live.mqtt.broker: {self.broker!r} is no broker; write mqtt://HOST:PORT")
        is_tls = parts.scheme == "mqtts"
        return parts.hostname, port or (8883 if is_tls else 1883), is_tls
