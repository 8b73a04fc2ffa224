"""What a scenario says of DLMS/COSEM: the section `live.dlms`."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.parameters import parameter
from heptagrid.live.protocols.dlms.acse import Mechanism
from heptagrid.live.protocols.dlms.association import Rules
from heptagrid.live.protocols.dlms.ciphering import Keys, key_of

ENCRYPTION_KEY, AUTHENTICATION_KEY = "000102030405060708090A0B0C0D0E0F", "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
PASSWORD = "12345678"
"""Values for development that everybody knows; a grid that others can reach is not served with them."""
_KNOWN = "the examples of IEC 62056-5-3: values for development, known to everybody"
_LEVELS = {"none": Mechanism.NONE, "password": Mechanism.PASSWORD, "gmac": Mechanism.GMAC}


@dataclass(frozen=True)
class Parameters:
    """The secrets of the meters, what they ask of clients, and what they keep."""

    encryption_key: str = parameter(
        ENCRYPTION_KEY, info="global unicast encryption key of all meters, 32 hexadecimal digits", source=_KNOWN
    )
    authentication_key: str = parameter(
        AUTHENTICATION_KEY, info="authentication key of all meters, 32 hexadecimal digits", source=_KNOWN
    )
    password: str = parameter(
        PASSWORD, info="password of all meters (low-level security)", source="a usual value of test meters"
    )
    lowest_security: str = parameter(
        "none",
        info="what a client must prove to read all; below it, it reads names, clock and counters alone. Where others can reach the grid it is gmac, ciphered",
        choices=tuple(_LEVELS),
        source="assumption: on this machine, everybody may read",
    )
    unit_bytes: int = parameter(
        1024,
        info="longest unit that a meter takes, and sends where the client takes blocks",
        unit="B",
        low=128,
        high=65_000,
        source="assumption: meters' buffers hold 0.5 to 2 KiB",
    )
    profile_days: float = parameter(
        4.0,
        info="how long the load profile reaches back, from the begin of the run on; each day of a meter takes 0.75 KiB",
        unit="d",
        low=1.0,
        high=40.0,
        source="assumption: less than the 10 days and more that meters keep, to save memory",
    )
    idle_s: float = parameter(
        600.0,
        info="until a connection is closed on which nothing comes, of the wall clock",
        unit="s",
        low=1.0,
        high=86_400.0,
        source="assumption: ten minutes",
    )

    def rules(self, is_reachable: bool) -> Rules:
        """What meters ask of clients; is_reachable: whether other machines can connect.

        Raises
        ------
        UsageError
            For keys that are none, or that everybody knows where others can connect.
        """
        encryption, authentication = key_of(self.encryption_key), key_of(self.authentication_key)
        if encryption is None or authentication is None:
            raise UsageError("live.dlms: encryption_key and authentication_key are 32 hexadecimal digits each")
        lowest = _LEVELS[self.lowest_security]
        if is_reachable:
            if key_of(ENCRYPTION_KEY) == encryption or key_of(AUTHENTICATION_KEY) == authentication:
                raise UsageError(
                    "live.dlms: other machines could connect with keys that everybody knows; set live.dlms.encryption_key and authentication_key"
                )
            lowest = Mechanism.GMAC
        return Rules(Keys(encryption, authentication), self.password.encode(), lowest, is_reachable, self.unit_bytes)
