"""Control packets of MQTT 3.1.1 (OASIS, 2014), as a broker reads and writes them, without sockets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

LONGEST = 256 * 1024
"""Bytes of a packet that are taken."""
PROTOCOLS = {("MQTT", 4), ("MQIsdp", 3)}
"""Names and levels: 3.1.1, and 3.1."""
_FIXED_FLAGS = {1: 0, 4: 0, 8: 2, 10: 2, 12: 0, 14: 0}


class Kind(IntEnum):
    """What a packet is."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


class Refusal(IntEnum):
    """Answers to a connect."""

    ACCEPTED = 0
    WRONG_VERSION = 1
    WRONG_IDENTIFIER = 2
    WRONG_PASSWORD = 4
    NOT_ALLOWED = 5


class MalformedError(ValueError):
    """Bytes that are no packet, or break a rule for which the connection must be closed."""


@dataclass(frozen=True)
class Message:
    """What is published."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


@dataclass(frozen=True)
class Connect:
    """A client introduces itself. keep_alive_s: 0 for none; will: published when it is lost; username: None without."""

    protocol: tuple[str, int]
    client: str
    is_clean: bool
    keep_alive_s: int
    will: Message | None
    username: str | None
    password: bytes | None


@dataclass(frozen=True)
class Publish:
    """A message, with its number where it is to be confirmed."""

    message: Message
    number: int = 0


@dataclass(frozen=True)
class Subscribe:
    """Filters with the quality of service that is asked for."""

    number: int
    filters: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Unsubscribe:
    """Filters that end."""

    number: int
    filters: tuple[str, ...]


@dataclass(frozen=True)
class Confirmed:
    """A message has been taken."""

    number: int


@dataclass(frozen=True)
class Plain:
    """A packet without content: a ping, or the end."""

    kind: Kind


Packet = Connect | Publish | Subscribe | Unsubscribe | Confirmed | Plain


class Splitter:
    """Cuts a stream into packets."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, received: bytes) -> list[Packet]:
        """What is complete by now.

        Raises
        ------
        MalformedError
            At the first packet that is none; the stream cannot be followed any further.
        """
        held, found = self._held, []
        held += received
        while len(held) >= 2:
            _check_first(held[0])
            size, at = 0, 1
            while at < len(held) and at < 5:
                size |= (held[at] & 0x7F) << 7 * (at - 1)
                at += 1
                if held[at - 1] < 0x80:
                    break
            else:
                if at >= 5:
                    raise MalformedError("a length of more than four bytes")
                break
            if size > LONGEST:
                raise MalformedError(f"a packet of {size} bytes; {LONGEST} at most are taken")
            if len(held) < at + size:
                break
            found.append(packet(held[0], bytes(held[at : at + size])))
            del held[: at + size]
        return found


def packet(first: int, body: bytes) -> Packet:
    """A packet from its first byte and what follows its length.

    Raises
    ------
    MalformedError
    """
    _check_first(first)
    kind, flags = first >> 4, first & 0x0F
    reader = _Reader(body)
    found: Packet
    if kind == Kind.CONNECT:
        found = _connect(reader)
    elif kind == Kind.PUBLISH:
        found = _publish(reader, flags)
    elif kind == Kind.SUBSCRIBE:
        number, filters = reader.number(), []
        while reader.left:
            name, qos = reader.text(), reader.byte()
            if qos > 2:
                raise MalformedError("a quality of service above 2")
            filters.append((checked_filter(name), qos))
        found = Subscribe(number, tuple(filters))
    elif kind == Kind.UNSUBSCRIBE:
        number, names = reader.number(), []
        while reader.left:
            names.append(reader.text())
        found = Unsubscribe(number, tuple(names))
    elif kind == Kind.PUBACK:
        found = Confirmed(reader.number())
    else:
        found = Plain(Kind(kind))
    if reader.left or (isinstance(found, Subscribe | Unsubscribe) and not (found.filters and found.number)):
        raise MalformedError("a packet with too much or too little in it")
    return found


def _check_first(first: int) -> None:
    """A packet begins with a kind that a client sends, and its flags."""
    if first >> 4 != Kind.PUBLISH and _FIXED_FLAGS.get(first >> 4) != first & 0x0F:
        raise MalformedError(f"no packet begins with {first:#x}")


def _connect(reader: _Reader) -> Connect:
    protocol = reader.text(), reader.byte()
    flags, keep_alive_s = reader.byte(), reader.number()
    if flags & 1:
        raise MalformedError("a reserved flag is set")
    client, will = reader.text(), None
    if flags & 0x04:
        topic, payload = checked_topic(reader.text()), reader.string()
        will = Message(topic, payload, flags >> 3 & 3, bool(flags & 0x20))
        if will.qos > 2:
            raise MalformedError("a quality of service above 2")
    elif flags & 0x38:
        raise MalformedError("flags of a will without a will")
    username = reader.text() if flags & 0x80 else None
    password = reader.string() if flags & 0x40 else None
    return Connect(protocol, client, bool(flags & 0x02), keep_alive_s, will, username, password)


def _publish(reader: _Reader, flags: int) -> Publish:
    qos = flags >> 1 & 3
    if qos > 2 or (flags & 0x08 and not qos):
        raise MalformedError("flags of a message that make no sense")
    topic = checked_topic(reader.text())
    number = reader.number() if qos else 0
    if qos and not number:
        raise MalformedError("a message to be confirmed has no number")
    return Publish(Message(topic, reader.rest(), qos, bool(flags & 1)), number)


def connack(refusal: Refusal) -> bytes:
    """The answer to a connect; no session is ever kept."""
    return bytes((Kind.CONNACK << 4, 2, 0, refusal))


def publish(message: Message, number: int = 0) -> bytes:
    """A message."""
    topic = message.topic.encode()
    body = len(topic).to_bytes(2, "big") + topic + (number.to_bytes(2, "big") if message.qos else b"") + message.payload
    return _framed(Kind.PUBLISH << 4 | message.qos << 1 | message.retain, body)


def puback(number: int) -> bytes:
    return _framed(Kind.PUBACK << 4, number.to_bytes(2, "big"))


def suback(number: int, granted: list[int]) -> bytes:
    return _framed(Kind.SUBACK << 4, number.to_bytes(2, "big") + bytes(granted))


def unsuback(number: int) -> bytes:
    return _framed(Kind.UNSUBACK << 4, number.to_bytes(2, "big"))


PINGRESP = bytes((Kind.PINGRESP << 4, 0))


def _framed(first: int, body: bytes) -> bytes:
    size, length = len(body), bytearray()
    while True:
        size, low = size >> 7, size & 0x7F
        length.append(low | (0x80 if size else 0))
        if not size:
            return bytes((first,)) + length + body


def checked_topic(name: str) -> str:
    """A topic to which something is published.

    Raises
    ------
    MalformedError
        If it is empty, or has wildcards.
    """
    if not name or "+" in name or "#" in name:
        raise MalformedError(f"nothing is published to {name!r}")
    return name


def checked_filter(name: str) -> str:
    """A filter of topics.

    Raises
    ------
    MalformedError
        If a wildcard is not a level of its own, or # is not the last.
    """
    levels = name.split("/")
    for k, level in enumerate(levels):
        is_last = k == len(levels) - 1
        if ("#" in level and (level != "#" or not is_last)) or ("+" in level and level != "+"):
            raise MalformedError(f"{name!r} is no filter")
    if not name:
        raise MalformedError("an empty filter")
    return name


def matches(name: str, topic: str) -> bool:
    """Whether a topic is among those that a filter names; those that begin with $ only if the filter does."""
    if topic.startswith("$") != name.startswith("$"):
        return False
    wanted, levels = name.split("/"), topic.split("/")
    for k, level in enumerate(wanted):
        if level == "#":
            return True
        if k >= len(levels) or level not in ("+", levels[k]):
            return False
    return len(wanted) == len(levels)


@dataclass
class _Reader:
    """Reads from the front."""

    raw: bytes
    at: int = 0

    @property
    def left(self) -> int:
        return len(self.raw) - self.at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise MalformedError("it ends too early")
        found = self.raw[self.at : self.at + count]
        self.at += count
        return found

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def string(self) -> bytes:
        return self.take(self.number())

    def text(self) -> str:
        try:
            found = self.string().decode("utf-8")
        except UnicodeDecodeError as problem:
            raise MalformedError("no UTF-8") from problem
        if "\0" in found:
            raise MalformedError("a null character")
        return found

    def rest(self) -> bytes:
        return self.take(self.left)
