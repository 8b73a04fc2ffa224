"""The section `live.ocpp` of a scenario."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.parameters import parameter

_USER = "assumption: chosen by who connects"
_NONE = "assumption: none unless named"


@dataclass(frozen=True)
class Parameters:
    """Which charge points connect to whose CSMS, and which chargers ours takes."""

    csms: str = parameter(
        "",
        info="address (ws:// or wss://) of the CSMS to which the vehicles' charge points connect, the identity is added; none if empty",
        source=_NONE,
    )
    version: str = parameter(
        "1.6", info="OCPP version that the charge points speak", choices=("1.6", "2.0.1"), source=_USER
    )
    charge_points: int = parameter(
        50,
        info="how many vehicles' charge points connect, from the first on",
        low=1,
        high=100_000,
        source="assumption: as many as one looks through in a CSMS; up to all vehicles",
    )
    prefix: str = parameter(
        "vehicles-", info="what a charge point's identity begins with, before the vehicle's number", source=_USER
    )
    csms_profile: int = parameter(
        0,
        info="security profile towards the CSMS: 0 none, 1 password, 2 TLS and password, 3 TLS with certificates",
        low=0,
        high=3,
        source="OCPP 2.0.1 part 2 A00",
    )
    csms_password: str = parameter("", info="password of every charge point, for profiles 1 and 2", source=_NONE)
    csms_authority: str = parameter(
        "", info="file (PEM) of the authority of the CSMS's certificate; the system's if empty", source=_NONE
    )
    csms_certificates: str = parameter(
        "",
        info="folder of IDENTITY.pem and IDENTITY.key of each charge point, for profile 3, as heptagrid certs --station makes them",
        source=_NONE,
    )
    strict: bool = parameter(
        False,
        info="whether whatever violates the standard is refused, instead of being taken where it can be understood",
        source="assumption: real chargers violate it, and a CSMS in the field takes them",
    )
    chargers: str = parameter(
        "",
        info="identities of real chargers and the vehicles whose place they take, such as GARAGE=vehicles/17,YARD=vehicles/3; vehicles-17 needs no entry",
        source=_NONE,
    )
    profile: int = parameter(
        0,
        info="security profile of our CSMS: 0 none, 1 password, 2 TLS and password, 3 TLS with certificates",
        low=0,
        high=3,
        source="OCPP 2.0.1 part 2 A00",
    )
    password: str = parameter("", info="password of every charger, for profiles 1 and 2", source=_NONE)
    certificate: str = parameter("", info="file (PEM) of our CSMS's certificate", source=_NONE)
    key: str = parameter("", info="file (PEM) of its key; in the certificate's if empty", source=_NONE)
    authority: str = parameter(
        "", info="file (PEM) of the authority of the chargers' certificates, for profile 3", source=_NONE
    )
    sampled_s: int = parameter(
        30,
        info="how often a charger is asked to report its power",
        unit="s",
        low=1,
        high=86_400,
        source="assumption: a quarter hour's mean is then right to a few per cent",
    )
