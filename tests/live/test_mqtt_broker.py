"""The broker, without sockets: who hears what, what is kept, and what ends a connection."""

from __future__ import annotations

import random

import pytest

from heptagrid.live.protocols.mqtt import packets
from heptagrid.live.protocols.mqtt.broker import Broker, Login, Session
from heptagrid.live.protocols.mqtt.packets import MalformedError, Message, Publish, Splitter, matches


def text(value: str) -> bytes:
    return len(value.encode()).to_bytes(2, "big") + value.encode()


def framed(first: int, body: bytes) -> bytes:
    assert len(body) < 128
    return bytes((first, len(body))) + body


def connect(
    client: str = "a",
    *,
    flags: int = 0x02,
    rest: bytes = b"",
    keep_alive_s: int = 60,
    protocol: bytes = text("MQTT") + b"\x04",
) -> bytes:
    return framed(0x10, protocol + bytes((flags,)) + keep_alive_s.to_bytes(2, "big") + text(client) + rest)


def subscribe(name: str, qos: int = 0, number: int = 7) -> bytes:
    return framed(0x82, number.to_bytes(2, "big") + text(name) + bytes((qos,)))


class Client:
    """A client without a socket. greeted: the answer to its connect; raw: what it was sent since it was last looked at."""

    def __init__(self, broker: Broker, name: str = "a", **how: object) -> None:
        self.broker, self.raw, self.is_closed, self.is_slow = broker, b"", False, False
        self.session = Session(self._sent, self._close, lambda: self.is_slow)
        self.greeted = self.send(connect(name, **how))  # type: ignore[arg-type]

    def send(self, raw: bytes) -> bytes:
        """Send, and take what was answered."""
        self.broker.receive(self.session, raw)
        return self.taken()

    def taken(self) -> bytes:
        found, self.raw = self.raw, b""
        return found

    def heard(self) -> list[Message]:
        return [one.message for one in Splitter().feed(self.taken()) if isinstance(one, Publish)]

    def _sent(self, raw: bytes) -> None:
        self.raw += raw

    def _close(self) -> None:
        self.is_closed = True


def broker() -> Broker:
    return Broker(Login())


@pytest.mark.parametrize(
    ("name", "topic", "is_match"),
    [
        ("a/b", "a/b", True),
        ("a/+", "a/b", True),
        ("a/+", "a/b/c", False),
        ("+/+", "/b", True),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("#", "a/b", True),
        ("#", "$SYS/a", False),
        ("+/a", "$SYS/a", False),
        ("$SYS/#", "$SYS/a", True),
        ("a/b", "a/b/", False),
    ],
)
def test_filters(name: str, topic: str, is_match: bool) -> None:
    assert matches(name, topic) == is_match


@pytest.mark.parametrize("name", ["a+", "a/#/b", "a#", "", "a/b+/c"])
def test_filters_that_are_none(name: str) -> None:
    with pytest.raises(MalformedError):
        packets.checked_filter(name)


def test_what_is_published_is_heard_by_those_who_subscribed() -> None:
    one = broker()
    hearer, speaker, other = Client(one, "a"), Client(one, "b"), Client(one, "c")
    assert hearer.send(subscribe("x/+", 1)) == b"\x90\x03\x00\x07\x01"
    other.send(subscribe("y/#"))
    assert speaker.send(packets.publish(Message("x/1", b"hello", qos=1), 9)) == b"\x40\x02\x00\x09"
    assert hearer.heard() == [Message("x/1", b"hello", qos=1)]
    assert not other.heard()
    hearer.send(framed(0xA2, b"\x00\x08" + text("x/+")))
    one.publish(Message("x/1", b"again"))
    assert not hearer.heard()


def test_the_highest_quality_is_two_on_neither_side() -> None:
    one = Client(broker())
    assert one.send(subscribe("x", 2)) == b"\x90\x03\x00\x07\x01"
    with pytest.raises(MalformedError):
        one.send(packets.publish(Message("x", b"", qos=2), 1))


def test_retained_messages_wait_for_those_who_come_later() -> None:
    one = broker()
    one.publish(Message("a/1", b"kept", retain=True))
    one.publish(Message("a/2", b"not kept"))
    late = Client(one)
    raw = late.send(subscribe("a/#"))
    assert raw.startswith(b"\x90")
    assert raw.endswith(b"\x31\x09\x00\x03a/1kept")
    one.publish(Message("a/1", b"new", retain=True))
    assert late.heard() == [Message("a/1", b"new")], "to who is there it is not one that was kept"
    one.publish(Message("a/1", b"", retain=True))
    assert one.retained == {}


def test_a_will_is_published_when_a_client_is_lost_and_not_when_it_takes_its_leave() -> None:
    one = broker()
    hearer = Client(one, "hearer")
    hearer.send(subscribe("will", 1))
    will = {"flags": 0x0E, "rest": text("will") + text("gone")}
    one.lost(Client(one, "a", **will).session)
    assert hearer.heard() == [Message("will", b"gone", qos=1)]
    polite = Client(one, "a", **will)
    polite.send(b"\xe0\x00")
    one.lost(polite.session)
    assert polite.is_closed and not hearer.heard()


def test_a_second_client_of_a_name_takes_the_place_of_the_first() -> None:
    one = broker()
    first, second = Client(one, "same"), Client(one, "same")
    assert first.is_closed and not second.is_closed
    one.lost(first.session)
    assert one.sessions == {"same": second.session}


def test_only_who_knows_the_password_comes_in() -> None:
    one = Broker(Login("head", "secret"))
    assert Client(one).is_closed
    wrong = Client(one, flags=0xC2, rest=text("head") + text("wrong"))
    assert wrong.is_closed and one.refused == 2
    right = Client(one, flags=0xC2, rest=text("head") + text("secret"))
    assert not right.is_closed and right.greeted == b"\x20\x02\x00\x00"


@pytest.mark.parametrize(
    ("how", "code"),
    [({"protocol": text("MQTT") + b"\x05"}, 1), ({"name": "", "flags": 0x00}, 2)],
)
def test_connects_are_refused_with_their_reason(how: dict[str, object], code: int) -> None:
    one = Client(broker(), **how)  # type: ignore[arg-type]
    assert one.is_closed and one.greeted == bytes((0x20, 2, 0, code))


def test_a_slow_client_misses_messages_and_does_not_hold_up_others() -> None:
    one = broker()
    slow = Client(one)
    slow.send(subscribe("#"))
    slow.is_slow = True
    one.publish(Message("a", b"1"))
    assert one.dropped == 1 and not slow.heard()


def test_pings_are_answered_and_nothing_before_a_connect() -> None:
    assert Client(broker()).send(b"\xc0\x00") == b"\xd0\x00"
    with pytest.raises(MalformedError):
        broker().receive(Session(lambda raw: None, lambda: None, lambda: False), b"\xc0\x00")
    with pytest.raises(MalformedError):
        Client(broker()).send(connect())


def test_a_stream_is_cut_into_packets_wherever_it_is_torn() -> None:
    message = Message("a/b", bytes(300), qos=1)
    stream = packets.publish(message, 5) + b"\xc0\x00"
    for at in range(len(stream)):
        one = Splitter()
        found = one.feed(stream[:at]) + one.feed(stream[at:])
        assert found[0] == Publish(message, 5) and len(found) == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00\x00",
        b"\xf0\x00",
        b"\x30\xff\xff\xff\xff\x01",
        b"\x30\xff\xff\xff\x7f",
        b"\x80\x02\x00\x01",
        b"\x82\x02\x00\x01",
        b"\x36\x05\x00\x01a\x00\x01",
        b"\x30\x03\x00\x01#",
        b"\x32\x05\x00\x01a\x00\x00",
        b"\x30\x04\x00\x02\xff\xfe",
        b"\x38\x03\x00\x01a",
    ],
)
def test_packets_that_are_none(raw: bytes) -> None:
    with pytest.raises(MalformedError):
        Splitter().feed(raw)


def malformed(seed: int, count: int) -> int:
    """Send packets that are damaged in every way; how many were refused. The broker must go on, and no other error come."""
    chance, one, refused = random.Random(seed), broker(), 0
    one.listen("set/#", lambda message: None)
    will = connect("w", flags=0x2E, rest=text("will") + text("gone"))
    samples = [
        connect(),
        will,
        subscribe("a/+/#"),
        packets.publish(Message("a/b", b"{}", 1), 3),
        b"\xc0\x00",
        b"\xe0\x00",
    ]
    for _ in range(count):
        client = Client(one, "fuzz")
        raw = bytearray(chance.choice(samples))
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(raw) + 1)
            raw[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(4))
        try:
            client.send(bytes(raw))
        except MalformedError:
            refused += 1
        one.lost(client.session)
    assert Client(one, "well").send(b"\xc0\x00").endswith(b"\xd0\x00")
    assert set(one.sessions) == {"well"} and len(one.retained) < 100
    return refused


def test_malformed_packets_are_survived() -> None:
    assert malformed(1, 2000) > 500


@pytest.mark.slow
def test_a_hundred_thousand_malformed_packets_are_survived() -> None:
    assert malformed(2, 100_000) > 25_000
