"""G3-PLC meters along a line, of which those behind a relay cannot hear each other: what arrives at the concentrator, and when."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from heptagrid.studies.carry.network_file import build_network
from heptagrid.validate.carried import carried, poisson_ns
from heptagrid.validate.case import Finding, case
from heptagrid.validate.plain_power_line import HEARD_M, Line

METERS, LENGTH_M, BYTES = 120, 2400.0, 100
HOURS_OF_LOAD = {800: 4, 1600: 3, 3200: 3}
"""Messages of all meters in a quarter of an hour, and the hours that are carried of each load."""


def power_line(messages: int, seconds: float, sense_m: float | None = None) -> tuple[float, float, float, float]:
    """Share that arrives and its mean delay in seconds, carried plainly and by `carry_messages`, the same traffic."""
    random = np.random.default_rng(5)
    sent_ns = poisson_ns(random, messages, messages / seconds)
    source = random.integers(1, METERS + 1, messages)
    x_m = [0.0, *np.linspace(-LENGTH_M / 2, LENGTH_M / 2, METERS).tolist()]
    names = [str(k) for k in range(1 + METERS)]
    medium: dict[str, object] = {"technology": "g3-plc", "members": names}
    if sense_m is not None:
        medium |= {"sense_m": sense_m, "interfere_m": sense_m}
    nodes = [{"name": name, "x_m": x} for name, x in zip(names, x_m, strict=True)]
    network = build_network({"node": nodes, "medium": [medium]}, "a validation case")
    come = carried(network, sent_ns, source=source, destination=0, size_bytes=BYTES)
    there = come.delivered_ns >= 0
    plain = Line(x_m, seed=1, heard_m=sense_m or HEARD_M)
    arrived_s = plain.carry((sent_ns * 1e-9).tolist(), source.tolist(), BYTES)
    plain_s = [arrived_s[k] - sent_ns[k] * 1e-9 for k in arrived_s]
    ours_s = float((come.delivered_ns - sent_ns)[there].mean()) * 1e-9
    return len(arrived_s) / messages, sum(plain_s) / len(plain_s), float(there.mean()), ours_s


@case(
    "plc-hidden-stations",
    plane="messages",
    kind="exact",
    source="plain simulation, here, of unslotted CSMA/CA (IEEE 802.15.4-2006, 7.5.1.4) with the constants of G3-PLC; stations hear 617 m",
)
def plc_hidden_stations(live: bool) -> Iterator[Finding]:
    """120 meters along 2.4 km, the concentrator in the middle. If every station heard every other, all messages would arrive."""
    for messages, hours in HOURS_OF_LOAD.items():
        plain, plain_s, ours, ours_s = power_line(4 * hours * messages, 3600.0 * hours)
        yield Finding(f"delivery, {messages} messages in 15 min", plain, ours, 0.02)
        yield Finding(f"mean delay, {messages} messages in 15 min", plain_s, ours_s, 0.05, relative=True, unit="s")
