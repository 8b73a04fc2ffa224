"""A small broker of MQTT 3.1.1, without sockets: quality of service 0 and 1, retained messages, wildcards, wills; sessions end with their connections."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from hmac import compare_digest

from heptagrid.live.protocols.mqtt import packets
from heptagrid.live.protocols.mqtt.packets import (
    Confirmed,
    Connect,
    Kind,
    MalformedError,
    Message,
    Packet,
    Plain,
    Publish,
    Refusal,
    Splitter,
    Subscribe,
    Unsubscribe,
)
from heptagrid.live.protocols.mqtt.subscriptions import Subscriptions

Heard = Callable[[Message], None]
_MOST_RETAINED = 500_000
MOST_RETAINED_BYTES = 64 << 20
"""Topics and contents of all retained messages, beyond which those of clients are passed on and not kept."""
_MOST_UNCONFIRMED = 1000
_MOST_FILTERS = 1000
_REFUSED = 0x80


@dataclass(frozen=True)
class Login:
    """Who may connect; an empty name: anybody."""

    username: str = ""
    password: str = ""

    def admits(self, asked: Connect) -> bool:
        """Whether a client may."""
        if not self.username:
            return True
        name, password = (asked.username or "").encode(), asked.password or b""
        return compare_digest(name, self.username.encode()) & compare_digest(password, self.password.encode())


@dataclass(eq=False)
class Session:
    """One client's connection. send, close: of its transport; is_congested: whether it takes nothing more now. asked: filters whose retained messages it is to be sent; kept, kept_of, kept_qos: those
    of the one whose turn it is, its name, and with which quality. unconfirmed: numbers of messages that it has not confirmed."""

    send: Callable[[bytes], None]
    close: Callable[[], None]
    is_congested: Callable[[], bool]
    client: str = ""
    is_open: bool = False
    keep_alive_s: int = 0
    will: Message | None = None
    filters: set[str] = field(default_factory=set)
    asked: deque[tuple[str, int]] = field(default_factory=deque)
    kept: Iterator[Message] = field(default_factory=lambda: iter(()))
    kept_of: str = ""
    kept_qos: int = 0
    unconfirmed: set[int] = field(default_factory=set)
    splitter: Splitter = field(default_factory=Splitter)
    _number: int = 0

    def next_number(self) -> int:
        """Of a message that is to be confirmed."""
        self._number = self._number % 0xFFFF + 1
        return self._number


class Broker:
    """Passes messages on. refused, forged, dropped: how many connections were refused, messages to topics of which only this program tells, and messages dropped because a client was slow."""

    def __init__(self, login: Login, is_ours: Callable[[str], bool] = lambda topic: False) -> None:
        """Set up. is_ours: whether only this program publishes to a topic."""
        self.sessions: dict[str, Session] = {}
        self.retained: dict[str, Message] = {}
        self.refused = self.forged = self.dropped = self.retained_bytes = 0
        self._login, self._is_ours = login, is_ours
        self._subscriptions: Subscriptions[Session] = Subscriptions()
        self._local: list[tuple[str, Heard]] = []
        self._anonymous = itertools.count(1)

    def listen(self, name: str, heard: Heard) -> None:
        """Hear within this program what is published to the topics of a filter."""
        self._local.append((packets.checked_filter(name), heard))

    def publish(self, message: Message) -> None:
        """Pass a message on to all who have subscribed to it, and keep it if it is to be retained."""
        if message.retain:
            self._keep(message)
        fresh = replace(message, retain=False)
        for session, qos in self._subscriptions.hearers(message.topic).items():
            self._deliver(session, fresh, qos)
        for name, heard in self._local:
            if packets.matches(name, message.topic):
                heard(fresh)

    def _keep(self, message: Message) -> None:
        before = self.retained.pop(message.topic, None)
        if before is not None:
            self.retained_bytes -= _size(before)
        if message.payload and len(self.retained) < _MOST_RETAINED:
            self.retained[message.topic] = message
            self.retained_bytes += _size(message)

    def receive(self, session: Session, received: bytes) -> None:
        """Take bytes of a client.

        Raises
        ------
        MalformedError
            If the connection must be closed; call `lost` then.
        """
        for one in session.splitter.feed(received):
            self._take(session, one)

    def lost(self, session: Session) -> None:
        """A connection has ended without a farewell: its will is published."""
        will, session.will = session.will, None
        self._forget(session)
        if will is not None:
            self._published_by_client(will)

    def pump(self, session: Session) -> bool:
        """Send retained messages of the filters that a client has asked for, until one filter's are all sent or it takes nothing more; whether more wait."""
        if session.is_congested():
            return True
        for one in session.kept:
            message = self.retained.get(one.topic)  # what is said meanwhile goes before what was kept
            if message is not None:
                self._send(session, message, min(message.qos, session.kept_qos))
            if session.is_congested():
                return True
        if session.asked:
            session.kept_of, session.kept_qos = session.asked.popleft()
            session.kept = iter(self._retained(session.kept_of))
            return True
        return False

    def _retained(self, name: str) -> list[Message]:
        """The retained messages of a filter."""
        if "+" not in name and "#" not in name:
            return [self.retained[name]] if name in self.retained else []
        begin = name[: min(name.find(one) for one in "+#" if one in name)].rstrip("/")
        return [one for topic, one in self.retained.items() if topic.startswith(begin) and packets.matches(name, topic)]

    def _take(self, session: Session, one: Packet) -> None:
        if isinstance(one, Connect):
            self._connect(session, one)
        elif not session.is_open:
            raise MalformedError("a client begins with connect")
        elif isinstance(one, Publish):
            self._published(session, one)
        elif isinstance(one, Subscribe):
            self._subscribe(session, one)
        elif isinstance(one, Unsubscribe):
            self._unsubscribe(session, one)
        elif isinstance(one, Confirmed):
            session.unconfirmed.discard(one.number)
        elif isinstance(one, Plain) and one.kind is Kind.PINGREQ:
            session.send(packets.PINGRESP)
        else:
            session.will = None
            self._forget(session)
            session.close()

    def _connect(self, session: Session, asked: Connect) -> None:
        if session.is_open:
            raise MalformedError("a second connect")
        refusal = Refusal.ACCEPTED
        if asked.protocol not in packets.PROTOCOLS:
            refusal = Refusal.WRONG_VERSION
        elif not asked.client and not asked.is_clean:
            refusal = Refusal.WRONG_IDENTIFIER
        elif not self._login.admits(asked):
            refusal = Refusal.WRONG_PASSWORD
        session.send(packets.connack(refusal))
        if refusal is not Refusal.ACCEPTED:
            self.refused += 1
            session.close()
            return
        session.client = asked.client or f"client-{next(self._anonymous)}"
        before = self.sessions.get(session.client)
        if before is not None:
            self.lost(before)
            before.close()
        session.is_open, session.will, session.keep_alive_s = True, asked.will, asked.keep_alive_s
        self.sessions[session.client] = session

    def _published(self, session: Session, one: Publish) -> None:
        if one.message.qos > 1:
            raise MalformedError("quality of service 2 is not there")
        self._published_by_client(one.message)
        if one.message.qos:
            session.send(packets.puback(one.number))

    def _published_by_client(self, message: Message) -> None:
        """Pass on what a client says, but not in this program's name, and keep it only if there is room."""
        if self._is_ours(message.topic):
            self.forged += 1
            return
        before = self.retained.get(message.topic)
        others_bytes = self.retained_bytes - (_size(before) if before is not None else 0)
        has_room = not message.payload or others_bytes + _size(message) <= MOST_RETAINED_BYTES
        self.publish(replace(message, retain=message.retain and has_room))

    def _subscribe(self, session: Session, asked: Subscribe) -> None:
        granted = []
        for name, qos in asked.filters:
            is_known = name in session.filters
            has_room = is_known or len(session.filters) < _MOST_FILTERS
            if not (has_room and self._subscriptions.add(session, name, min(qos, 1))):
                granted.append(_REFUSED)
                continue
            session.filters.add(name)
            granted.append(min(qos, 1))
            if len(session.asked) < _MOST_FILTERS:
                session.asked.append((name, min(qos, 1)))
        session.send(packets.suback(asked.number, granted))
        self.pump(session)
        self.pump(session)

    def _unsubscribe(self, session: Session, asked: Unsubscribe) -> None:
        """Take filters from a client, with what is retained for them and was not sent yet."""
        for name in asked.filters:
            session.filters.discard(name)
            self._subscriptions.remove(session, name)
        session.asked = deque(one for one in session.asked if one[0] not in asked.filters)
        if session.kept_of in asked.filters:
            session.kept = iter(())
        session.send(packets.unsuback(asked.number))

    def _deliver(self, session: Session, message: Message, granted: int) -> None:
        qos = min(message.qos, granted)
        if session.is_congested() or (qos and len(session.unconfirmed) >= _MOST_UNCONFIRMED):
            self.dropped += 1
            return
        self._send(session, message, qos)

    def _send(self, session: Session, message: Message, qos: int) -> None:
        number = session.next_number() if qos else 0
        if qos:
            session.unconfirmed.add(number)
        session.send(packets.publish(replace(message, qos=qos), number))

    def _forget(self, session: Session) -> None:
        session.is_open = False
        for name in session.filters:
            self._subscriptions.remove(session, name)
        session.filters.clear()
        session.asked.clear()
        session.kept = iter(())
        if self.sessions.get(session.client) is session:
            del self.sessions[session.client]


def _size(message: Message) -> int:
    return len(message.topic) + len(message.payload)
