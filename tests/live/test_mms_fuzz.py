"""Malformed frames of MMS from a seeded generator: none crashes anything, none commands anything that is not allowed, each is counted, refused or rejected."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from heptagrid.live.inventory import PRIMARIES, Device
from heptagrid.live.protocols.mms import pdu as mms
from heptagrid.live.protocols.mms.association import Association
from heptagrid.live.protocols.mms.ber import INTEGER, MalformedError, encoded, integer, text
from heptagrid.live.protocols.mms.data import BOOLEAN, OPTIONS, REAL
from heptagrid.live.protocols.mms.devices import model_of
from heptagrid.live.protocols.mms.ied import Ied, Rules
from heptagrid.live.protocols.mms.ieds import Alone
from heptagrid.live.protocols.mms.pdu import Request, Service
from heptagrid.live.protocols.mms.services import answer, concerned
from heptagrid.live.protocols.mms.text import text_of_answer, text_of_request
from heptagrid.live.protocols.mms.transport import Splitter, framed, segments
from heptagrid.live.stations.points import REGULATE, TAP, TARGET, Control
from tests.live.mms_client import associate, carried, connect_request, initiate, variables
from tests.live.test_mms_controls import command

DOMAIN = "PRI0LD0"
CONTROLS = {
    TARGET: Control(TARGET, "target", "kV", 18.0, 22.0),
    TAP: Control(TAP, "tap"),
    REGULATE: Control(REGULATE, "regulate"),
}


def asked(service: int, *contents: bytes, invoked: int = 1) -> bytes:
    """The frames of a confirmed request."""
    pdu = encoded(mms.REQUEST, integer(INTEGER, invoked), encoded(service, *contents))
    return b"".join(segments(b"\x01\x00\x01\x00" + carried(3, pdu), 8192))


_BLOCK = f"{DOMAIN}/LLN0$RP$Measurements01$"
BEGIN = [connect_request(), *segments(associate(initiate()), 8192)]
GOOD = [
    *BEGIN,
    asked(Service.IDENTIFY),
    asked(Service.NAMES, encoded(0xA0, integer(0x80, 0)), encoded(0xA1, text(0x81, DOMAIN)), text(0x82, "MMXU1")),
    asked(Service.ATTRIBUTES, encoded(0xA0, mms.domain_name(DOMAIN, "MMXU1"))),
    asked(Service.LIST_ATTRIBUTES, mms.domain_name(DOMAIN, "LLN0$Measurements")),
    asked(Service.READ, encoded(0xA1, variables(f"{DOMAIN}/MMXU1$MX", f"{DOMAIN}/ATCC1"))),
    asked(Service.READ, integer(0x80, 1), encoded(0xA1, encoded(0xA1, mms.domain_name(DOMAIN, "LLN0$Status")))),
    asked(Service.WRITE, variables(f"{DOMAIN}/ATCC1$SP$BndCtr$setMag$f"), encoded(0xA0, REAL.encode(20.0))),
    asked(Service.WRITE, variables(f"{DOMAIN}/ATCC1$CO$Auto$Oper"), encoded(0xA0, command(True))),
    asked(
        Service.WRITE,
        variables(_BLOCK + "OptFlds", _BLOCK + "RptEna", _BLOCK + "GI"),
        encoded(0xA0, OPTIONS.encode("0111110010"), BOOLEAN.encode(True), BOOLEAN.encode(True)),
    ),
    b"".join(segments(b"\x01\x00\x01\x00" + carried(3, encoded(mms.CONCLUDE)), 8192)),
]


def _bytes(random: random.Random) -> bytes:
    """A frame that is wrong somewhere, most often."""
    frame = bytearray(random.choice(GOOD))
    kind = random.randrange(6)
    if kind == 0:
        return random.randbytes(random.randrange(1, 60))
    if kind == 1:  # cut off, and the length says so
        return framed(bytes(frame[4 : random.randrange(7, len(frame) + 1)]))
    if kind == 2:  # bytes put in
        at = random.randrange(4, len(frame))
        return framed(bytes(frame[4:at]) + random.randbytes(random.randrange(1, 9)) + bytes(frame[at:]))
    if kind == 3:  # bits turned
        for _ in range(random.randrange(1, 4)):
            frame[random.randrange(len(frame))] ^= 1 << random.randrange(8)
    elif kind == 4:  # a PDU of any service and content
        service = random.choice([*Service, random.randrange(0x80, 0xC0)])
        return asked(service, random.randbytes(random.randrange(0, 40)))
    else:  # a length within is wrong
        frame[random.randrange(min(24, len(frame) - 1), len(frame))] = random.randrange(256)
    return bytes(frame)


class _Target:
    """An association with one device, as the adapter joins them; what it commands is noted."""

    largest_pdu = 65_000

    def __init__(self, counts: Counter[str]) -> None:
        self.counts = counts
        self.orders: list[tuple[str, float]] = []
        self.after: list[Callable[[], object]] = []
        self.splitter = Splitter()
        self.ied = Ied(Device(None, 0), DOMAIN, MODEL, CONTROLS, self, Rules())  # type: ignore[arg-type]
        self.association = Association(5, self.take, self.emit)
        for frame in BEGIN:
            self.association.receive(frame)
        assert self.association.is_open

    def take(self, request: Request) -> None:
        concerned(request.given)
        text_of_request(request)
        self.association.send(answer(Alone(self.ied), request, self))
        for work in self.after:
            work()
        self.after.clear()
        self.counts["answered"] += 1

    def emit(self, frame: bytes, pdu: bytes | None) -> None:
        assert len(frame) <= 8192 + 4
        if pdu is not None:
            assert len(pdu) <= self.largest_pdu
            text_of_answer(pdu)

    def feed(self, data: bytes) -> bool:
        """Take bytes as the adapter does; whether the connection lives."""
        try:
            for frame in self.splitter.feed(data):
                self.association.receive(frame)
        except MalformedError:
            self.counts["malformed"] += 1
            return False
        return self.association.closed is None

    def read(self, device: Device, point: str) -> tuple[float, int]:
        return 1.0, 0

    def instant(self) -> int:
        return 1_467_584_459_000_000_000

    def now(self) -> float:
        return 0.0

    def order(self, device: Device, action: str, value: float, done: Callable[[bool], None]) -> None:
        self.orders.append((action, value))
        done(False)

    def after_answer(self, work: Callable[[], object]) -> None:
        self.after.append(work)

    def begin_to_listen(self, device: Device) -> None: ...

    def inform(self, ied: Ied, pdu: bytes) -> None:
        self.association.send(pdu)

    def was_refused(self) -> None:
        self.counts["refused"] += 1


MODEL = model_of(PRIMARIES, 1, 1)


def _checked(orders: Sequence[tuple[str, float]]) -> None:
    """Bits turned may leave a command that is right: then it is within its limits."""
    for action, value in orders:
        if action == TARGET:
            assert CONTROLS[TARGET].low <= value <= CONTROLS[TARGET].high
        else:
            assert value in (0.0, 1.0)


def fuzz(frames: int, seed: int) -> None:
    source, counts = random.Random(seed), Counter[str]()
    target = _Target(counts)
    for _ in range(frames):
        if not target.feed(_bytes(source)):
            target = _Target(counts)
        _checked(target.orders)
        target.orders.clear()
    assert counts["malformed"] > frames // 3 and counts["refused"] and counts["answered"], counts


def test_two_thousand_malformed_frames_do_no_harm() -> None:
    fuzz(2000, 1)


@pytest.mark.slow
def test_a_hundred_thousand_malformed_frames_do_no_harm() -> None:
    fuzz(100_000, 2)


@pytest.mark.parametrize("frame", GOOD)
def test_the_frames_that_are_damaged_are_right_before(frame: bytes) -> None:
    target = _Target(Counter())
    if frame in BEGIN:
        with pytest.raises(MalformedError):
            target.association.receive(frame)
    else:
        assert target.feed(frame)
        assert not target.counts["malformed"]
