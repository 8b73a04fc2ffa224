"""Who may send what to whom, and how it is protected; everything else is refused.

Protection follows the impact levels of NISTIR 7628 Revision 1 for the logical interface category (LIC)
named in each entry (categories and levels source not read of that document, as in the project's tables of
facts): "H" high, "M" moderate, "L" low.
"""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.domains import Domain, Kind
from heptagrid.foundation.errors import PolicyError

G, T, D, C, O, M, P = Domain  # noqa: E741  the seven domains by their initials, for the table below


@dataclass(frozen=True)
class Protection:
    """NISTIR 7628 category and the levels of confidentiality, integrity and availability."""

    category: int
    confidentiality: str
    integrity: str
    availability: str


_METERING = Protection(13, "H", "H", "L")
_HIGH_SPEED = Protection(1, "L", "H", "H")
_BUSINESS = Protection(8, "H", "M", "L")
_MARKET = Protection(9, "L", "M", "M")
_CONTROL_CENTRE = Protection(6, "L", "H", "M")
_OUTSIDE_PARTY = Protection(16, "H", "M", "L")
_CUSTOMER_CONTROL = Protection(14, "H", "H", "H")

POLICY: dict[tuple[Kind, Domain, Domain], Protection] = {
    (Kind.METER_READING, C, O): _METERING,
    (Kind.TELEMETRY, G, O): _HIGH_SPEED,
    (Kind.TELEMETRY, T, O): _HIGH_SPEED,
    (Kind.TELEMETRY, D, O): _HIGH_SPEED,
    (Kind.TELEMETRY, O, P): _BUSINESS,
    (Kind.TELEMETRY, O, M): _CONTROL_CENTRE,
    (Kind.DISPATCH, O, G): _HIGH_SPEED,
    (Kind.DISPATCH, O, T): _HIGH_SPEED,
    (Kind.DISPATCH, O, D): _HIGH_SPEED,
    (Kind.BID, G, M): _MARKET,
    (Kind.BID, P, M): _MARKET,
    (Kind.SCHEDULE, M, G): _MARKET,
    (Kind.SCHEDULE, M, O): _CONTROL_CENTRE,
    (Kind.SCHEDULE, M, P): _MARKET,
    (Kind.SCHEDULE, P, O): _BUSINESS,
    (Kind.PRICE, M, P): _MARKET,
    (Kind.PRICE, P, C): _OUTSIDE_PARTY,
    (Kind.SETPOINT, P, C): _CUSTOMER_CONTROL,
    (Kind.ALARM, D, O): _HIGH_SPEED,
    (Kind.ALARM, C, O): _METERING,
    (Kind.ALARM, O, P): _BUSINESS,
    (Kind.BILL, P, C): _OUTSIDE_PARTY,
    (Kind.BILL, M, G): _MARKET,
    (Kind.BILL, M, P): _MARKET,
    (Kind.FIRMWARE, O, C): _CUSTOMER_CONTROL,
}

ACKNOWLEDGED = frozenset({Kind.METER_READING, Kind.DISPATCH, Kind.PRICE, Kind.SETPOINT, Kind.ALARM, Kind.FIRMWARE})
"""Kinds whose receiver answers with an `ack` to the sender; an `ack` is sent by the plane alone."""


def check(kind: Kind, sender: Domain, receiver: Domain) -> Protection:
    """The protection of an allowed message.

    Raises
    ------
    PolicyError
        If `sender` may not send `kind` to `receiver`.
    """
    protection = POLICY.get((kind, sender, receiver))
    if protection is None:
        allowed = (
            ", ".join(f"{s.name.lower()} to {r.name.lower()}" for k, s, r in POLICY if k is kind)
            or "the message plane alone"
        )
        raise PolicyError(
            f"{sender.name.lower()} may not send a {kind.name.lower()} to {receiver.name.lower()}; allowed: {allowed}"
        )
    return protection
