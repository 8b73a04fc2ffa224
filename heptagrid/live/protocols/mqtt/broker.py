"""A small broker of MQTT 3.1.1, without sockets: quality of service 0 and 1, retained messages, wildcards, wills; sessions end with their connections."""

from __future__ import annotations

import itertools
from collections.abc import Callable
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

Heard = Callable[[Message], None]
_MOST_RETAINED = 500_000
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
    """One client's connection. send, close: of its transport; is_congested: whether it takes nothing more now. unconfirmed: numbers of messages that it has not confirmed."""

    send: Callable[[bytes], None]
    close: Callable[[], None]
    is_congested: Callable[[], bool]
    client: str = ""
    is_open: bool = False
    keep_alive_s: int = 0
    will: Message | None = None
    filters: dict[str, int] = field(default_factory=dict)
    unconfirmed: set[int] = field(default_factory=set)
    splitter: Splitter = field(default_factory=Splitter)
    _number: int = 0

    def next_number(self) -> int:
        """Of a message that is to be confirmed."""
        self._number = self._number % 0xFFFF + 1
        return self._number


class Broker:
    """Passes messages on. refused, dropped: how many connections were refused, and messages dropped because a client was slow."""

    def __init__(self, login: Login) -> None:
        self.sessions: dict[str, Session] = {}
        self.retained: dict[str, Message] = {}
        self.refused = self.dropped = 0
        self._login = login
        self._local: list[tuple[str, Heard]] = []
        self._anonymous = itertools.count(1)

    def listen(self, name: str, heard: Heard) -> None:
        """Hear within this program what is published to the topics of a filter."""
        self._local.append((packets.checked_filter(name), heard))

    def publish(self, message: Message) -> None:
        """Pass a message on to all who have subscribed to it, and keep it if it is to be retained."""
        if message.retain:
            if not message.payload:
                self.retained.pop(message.topic, None)
            elif len(self.retained) < _MOST_RETAINED or message.topic in self.retained:
                self.retained[message.topic] = message
        fresh = replace(message, retain=False)
        for session in list(self.sessions.values()):
            granted = [qos for name, qos in session.filters.items() if packets.matches(name, message.topic)]
            if granted:
                self._deliver(session, fresh, max(granted))
        for name, heard in self._local:
            if packets.matches(name, message.topic):
                heard(fresh)

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
            self.publish(will)

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
            for name in one.filters:
                session.filters.pop(name, None)
            session.send(packets.unsuback(one.number))
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
        self.publish(one.message)
        if one.message.qos:
            session.send(packets.puback(one.number))

    def _subscribe(self, session: Session, asked: Subscribe) -> None:
        granted = []
        for name, qos in asked.filters:
            if len(session.filters) >= _MOST_FILTERS and name not in session.filters:
                granted.append(_REFUSED)
                continue
            session.filters[name] = min(qos, 1)
            granted.append(min(qos, 1))
        session.send(packets.suback(asked.number, granted))
        for (name, _), qos in zip(asked.filters, granted, strict=True):
            for message in [one for one in self.retained.values() if packets.matches(name, one.topic)]:
                if qos != _REFUSED:
                    self._send(session, message, min(message.qos, qos))

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
        if self.sessions.get(session.client) is session:
            del self.sessions[session.client]
