"""The client's side of DLMS/COSEM for tests without sockets: it builds requests with the meters' own codec, and a meter to send them to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np

from heptagrid.domains.customers.meters import ClosedQuarter
from heptagrid.foundation.time import NS_PER_QUARTER, from_ns, to_ns
from heptagrid.live.protocols.dlms import ciphering
from heptagrid.live.protocols.dlms.acse import OBJECT_IDENTIFIER, Context, Mechanism
from heptagrid.live.protocols.dlms.association import OFFERED, Association, Counters, LogicalDevice, Outcome, Rules
from heptagrid.live.protocols.dlms.ciphering import Ciphered, Keys, Protection
from heptagrid.live.protocols.dlms.data import length
from heptagrid.live.protocols.dlms.objects import METER, Reading
from heptagrid.live.protocols.dlms.profile import Buffer, LoadProfiles

BERLIN = ZoneInfo("Europe/Berlin")
EVENING = datetime(2016, 7, 4, 18, 5, 30, tzinfo=BERLIN)
KEYS = Keys(bytes(range(16)), bytes(range(0xD0, 0xE0)))
PASSWORD = b"12345678"
TITLE, METER_TITLE = b"TST\x00\x00\x00\x00\x01", b"HPG\x00\x00\x00\x00\x03"
RULES = Rules(KEYS, PASSWORD, Mechanism.NONE, must_cipher=False, longest=1024)
ALL = int(OFFERED)
_ANSWERS = {204: 196, 205: 197, 207: 199, 212: 196, 213: 197, 215: 199, 40: 8}


def profiles(quarters: int = 8) -> LoadProfiles:
    """Of four meters: meter m drew (m + 1) kWh in each quarter hour until the evening."""
    last = to_ns(EVENING) // NS_PER_QUARTER - 1
    each = np.arange(1.0, 5.0)
    energies = {last - k: (each, np.zeros(4)) for k in range(quarters)}
    found = LoadProfiles(96)
    found.take(ClosedQuarter(last, each * 100.0, np.zeros(4), energies))
    return found


def reading(kept: LoadProfiles | None = None, now: datetime = EVENING) -> Reading:
    """Of meter 3."""
    buffer = Buffer(kept or profiles(), 3, 0, partial(from_ns, zone=BERLIN), BERLIN)
    summer = datetime(2016, 3, 27, 2, tzinfo=BERLIN), datetime(2016, 10, 30, 3, tzinfo=BERLIN)
    return Reading(
        "HPG0000000000003", "0000000003", "0.1.0", now, summer, 400_250, 12, -1500, 200, 2342, 5001, buffer, ((1, "x"),)
    )


def meter(counters: Counters | None = None, shown: Reading | None = None) -> LogicalDevice:
    """Meter 3 at its own address."""
    shown = shown or reading()
    return LogicalDevice(1, METER_TITLE, METER, lambda: shown, counters or Counters())


def ber(tag: int, content: bytes) -> bytes:
    return bytes((tag,)) + length(len(content)) + content


def initiate(conformance: int = ALL, longest: int = 0xFFFF, version: int = 6, key: bytes = b"") -> bytes:
    """An initiation."""
    begins = b"\x01" + (b"\x01" + length(len(key)) + key if key else b"\x00") + b"\x00\x00" + bytes((version,))
    return begins + b"\x5f\x1f\x04\x00" + conformance.to_bytes(3, "big") + longest.to_bytes(2, "big")


def aarq(
    context: int = Context.PLAIN,
    mechanism: int = Mechanism.NONE,
    value: bytes = b"",
    information: bytes = initiate(),
    title: bytes = b"",
) -> bytes:
    """An association request."""
    parts = [ber(0xA1, ber(0x06, OBJECT_IDENTIFIER + bytes((1, context))))]
    if title:
        parts.append(ber(0xA6, ber(0x04, title)))
    if mechanism:
        parts.append(b"\x8a\x02\x07\x80" + ber(0x8B, OBJECT_IDENTIFIER + bytes((2, mechanism))))
        parts.append(ber(0xAC, ber(0x80, value)))
    return ber(0x60, b"".join([*parts, ber(0xBE, ber(0x04, information))]))


def get(interface: int, name: str, attribute: int, selection: bytes = b"\x00", invoke: int = 0xC1) -> bytes:
    """A read."""
    return bytes((192, 1, invoke)) + target(interface, name, attribute) + selection


def target(interface: int, name: str, number: int) -> bytes:
    return interface.to_bytes(2, "big") + bytes(int(one) for one in name.split(".")) + bytes((number,))


REGISTER = get(3, "1.0.1.8.0.255", 2)


@dataclass
class Client:
    """A client with keys, and its counters. general: whether its system title travels with each unit; dedicated: its own key."""

    association: Association
    counter: int = 0
    general: bool = False
    dedicated: bytes = b""
    control: int = 0x30
    _own: int = 0
    seen: list[int] = field(default_factory=list)

    def associate(self, mechanism: int = Mechanism.GMAC, challenge: bytes = b"challenge of the client") -> bytes:
        """Send a ciphered association request; the answer."""
        plain = initiate(key=self.dedicated)
        information = self._sealed(33, plain, KEYS, self.counter, general=False)
        self.counter += 1
        request = aarq(Context.CIPHERED, mechanism, challenge if mechanism == 5 else PASSWORD, information, TITLE)
        return self.association.receive(request).reply

    def prove(self, answer: bytes) -> bytes:
        """Prove to have the keys; the plain answer."""
        challenge = answer[answer.index(b"\xaa\x12\x80\x10") + 4 :][:16]
        proof = ciphering.proof(KEYS, TITLE, self.counter, challenge)
        return self.ask(b"\xc3\x01\xc1" + target(15, "0.0.40.0.0.255", 1) + b"\x01\x09" + ber(0, proof)[1:])

    def ask(self, plain: bytes) -> bytes:
        """Ask something, ciphered; the deciphered answer, or an exception."""
        answer = self.send(self.ciphered(plain)).reply
        return answer if answer[:1] == b"\xd8" else self.plain(answer)

    def send(self, apdu: bytes) -> Outcome:
        return self.association.receive(apdu)

    def ciphered(self, plain: bytes) -> bytes:
        """A request under the next counter."""
        if self.dedicated:
            self._own += 1
            keys = Keys(self.dedicated, KEYS.authentication)
            return self._sealed(plain[0] + 16, plain, keys, self._own, self.general)
        self.counter += 1
        return self._sealed(plain[0] + 8, plain, KEYS, self.counter - 1, self.general)

    def plain(self, answer: bytes) -> bytes:
        """What an answer says; its counter must have grown."""
        keys = Keys(self.dedicated, KEYS.authentication) if self.dedicated else KEYS
        body = answer[1 + (9 if answer[0] in (219, 220) else 0) :]
        size = 1 if body[0] < 0x80 else 1 + (body[0] & 0x7F)
        control, counter, content = body[size], int.from_bytes(body[size + 1 : size + 5], "big"), body[size + 5 :]
        assert control == self.control and counter not in self.seen
        self.seen.append(counter)
        protection = Protection(control, bool(self.dedicated), self.general)
        return ciphering.deciphered(keys, METER_TITLE, Ciphered(protection, counter, content, b"", 0))

    def _sealed(self, tag: int, plain: bytes, keys: Keys, counter: int, general: bool) -> bytes:
        """A request, from the answer's cipher: both ends do the same."""
        protection = Protection(self.control, is_dedicated=bool(self.dedicated) and tag != 33, is_general=general)
        if general:
            return ciphering.ciphered(keys, TITLE, counter, protection, plain)
        general_form = Protection(protection.control, protection.is_dedicated, is_general=True)
        return bytes((tag,)) + ciphering.ciphered(keys, TITLE, counter, general_form, plain)[10:]
