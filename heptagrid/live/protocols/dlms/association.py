"""An association of a client with a logical device, from its request to its release: who it is, what it may, and what it asks (IEC 62056-5-3), without sockets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from hmac import compare_digest
from secrets import token_bytes

from heptagrid.live.protocols.dlms import acse, ciphering, services
from heptagrid.live.protocols.dlms.acse import Conformance, Context, Diagnostic, Mechanism, Refusal
from heptagrid.live.protocols.dlms.ciphering import CipheringError, Keys, Protection, ReplayedError
from heptagrid.live.protocols.dlms.data import MalformedError, octets
from heptagrid.live.protocols.dlms.long_get import LongGet
from heptagrid.live.protocols.dlms.objects import (
    ASSOCIATION,
    ASSOCIATION_CLASS,
    CosemObject,
    Reading,
    Rights,
    Seat,
    View,
)
from heptagrid.live.protocols.dlms.services import (
    Access,
    Action,
    Get,
    GetNext,
    Request,
    Service,
    Set,
    Target,
    UnsupportedError,
)
from heptagrid.live.protocols.dlms.writing import Change, changed, invoked

OFFERED = (
    Conformance.GENERAL_PROTECTION
    | Conformance.PRIORITY
    | Conformance.BLOCKS_WITH_GET
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.GET
    | Conformance.SET
    | Conformance.SELECTIVE_ACCESS
    | Conformance.ACTION
)
_TITLE_BYTES, _KEY_BYTES, _CHALLENGE_BYTES = 8, 16, 16
_ANY = 0xFFFF


@dataclass(frozen=True)
class Rules:
    """What meters ask of clients. lowest: the mechanism below which little is read; must_cipher: whether only ciphered associations read all; longest: the longest unit that a meter takes and sends."""

    keys: Keys
    password: bytes
    lowest: Mechanism
    must_cipher: bool
    longest: int


@dataclass
class Counters:
    """Invocation counters of a meter under its global key. taken: the last of each client; sent: the last of its own."""

    taken: dict[int, int] = field(default_factory=dict)
    sent: int = 0

    @property
    def highest(self) -> int:
        return max(self.taken.values(), default=0)


@dataclass(frozen=True)
class LogicalDevice:
    """What a client associates with. title: its system title; read: makes its reading; counters: kept over associations."""

    server: int
    title: bytes
    objects: Mapping[bytes, CosemObject]
    read: Callable[[], Reading]
    counters: Counters


@dataclass(frozen=True)
class Outcome:
    """What comes of a unit. reply: to be sent, empty for none; change: to be made first, whose result `finish` turns into the reply. refused: why, where something was."""

    reply: bytes = b""
    change: Change | None = None
    finish: Callable[[Access], bytes] | None = None
    refused: str = ""


class _Stage(Enum):
    IDLE = auto()
    PROVING = auto()
    OPEN = auto()


@dataclass
class _Own:
    """A dedicated key, and the counters under it."""

    keys: Keys
    taken: int = -1
    sent: int = 0


class Association:
    """One client's access to one logical device over one connection."""

    def __init__(self, rules: Rules, device: LogicalDevice, client: int) -> None:
        """Set up, without an association; client: its service access point."""
        self._rules, self._device, self._client = rules, device, client
        self._stage = _Stage.IDLE
        self._own: _Own | None = None
        self._long = LongGet()
        self._seat = self._nobody()
        self._challenges = b"", b""
        self._room = 0

    @property
    def is_open(self) -> bool:
        return self._stage is _Stage.OPEN

    def receive(self, apdu: bytes) -> Outcome:
        """Take a unit of the client.

        Raises
        ------
        MalformedError
            If it is none; nothing has changed then.
        """
        tag = apdu[0] if apdu else 0
        if tag == acse.AARQ:
            return self._associate(acse.association_request(apdu))
        if tag == acse.RLRQ:
            return self._release(acse.release_information(apdu))
        if ciphering.is_ciphered(apdu):
            return self._take_ciphered(apdu)
        if tag not in (services.GET_REQUEST, services.SET_REQUEST, services.ACTION_REQUEST):
            raise MalformedError(f"there is no unit of tag {tag:#x}")
        if self._stage is _Stage.IDLE or self._seat.context is Context.CIPHERED:
            return Outcome(services.exception(Service.NOT_POSSIBLE), refused="not associated")
        return self._serve(apdu, lambda plain: plain)

    def _associate(self, asked: acse.AssociationRequest) -> Outcome:
        """Answer an association request; an earlier association ends."""
        self._end()
        diagnostic = self._diagnosed(asked)
        if diagnostic is not Diagnostic.NULL:
            return self._reject(asked, diagnostic)
        is_ciphered = asked.context == Context.CIPHERED
        protect: Callable[[bytes], bytes] = lambda plain: plain  # noqa: E731
        plain = asked.information
        if is_ciphered:
            try:
                plain, protect = self._deciphered(asked.information, asked.title)
            except ReplayedError as problem:
                return Outcome(services.exception(Service.COUNTER_ERROR, expected=problem.expected), refused="replayed")
            except CipheringError:
                return self._reject(asked, Diagnostic.AUTHENTICATION_FAILURE)
        proposed = acse.initiation(plain)
        refusal = self._refusal(proposed, is_ciphered)
        if refusal is not None:
            return self._reject(asked, Diagnostic.NO_REASON, protect(acse.initiation_error(refusal)))
        return self._accept(asked, proposed, protect)

    def _diagnosed(self, asked: acse.AssociationRequest) -> Diagnostic:
        """What is wrong with a request before its initiation is looked at."""
        rules = self._rules
        if asked.context not in (Context.PLAIN, Context.CIPHERED):
            return Diagnostic.CONTEXT_NOT_SUPPORTED
        if asked.mechanism not in tuple(Mechanism):
            return Diagnostic.MECHANISM_NOT_RECOGNISED
        needs_title = asked.context == Context.CIPHERED or asked.mechanism == Mechanism.GMAC
        if needs_title and (len(asked.title) != _TITLE_BYTES or asked.title == self._device.title):
            return Diagnostic.TITLE_NOT_RECOGNISED
        if asked.mechanism == Mechanism.PASSWORD and not compare_digest(asked.value, rules.password):
            return Diagnostic.AUTHENTICATION_FAILURE
        is_fit = acse.SHORTEST_CHALLENGE <= len(asked.value) <= acse.LONGEST_CHALLENGE
        if asked.mechanism == Mechanism.GMAC and not is_fit:
            return Diagnostic.AUTHENTICATION_FAILURE
        return Diagnostic.NULL

    def _refusal(self, proposed: acse.Initiation, is_ciphered: bool) -> Refusal | None:
        """Why an initiation is not accepted."""
        if proposed.version < acse.DLMS_VERSION:
            return Refusal.VERSION_TOO_LOW
        if not proposed.conformance & Conformance.GET:
            return Refusal.INCOMPATIBLE_CONFORMANCE
        if 0 < proposed.longest < acse.SMALLEST_PDU or self._room_for(proposed, is_ciphered) < 1:
            return Refusal.PDU_TOO_SHORT
        if proposed.dedicated_key and (not is_ciphered or len(proposed.dedicated_key) != _KEY_BYTES):
            return Refusal.OTHER
        return None

    def _room_for(self, proposed: acse.Initiation, is_ciphered: bool) -> int:
        """How many bytes of an answer fit into a unit."""
        longest = proposed.longest or _ANY
        if proposed.conformance & Conformance.BLOCKS_WITH_GET:
            longest = min(longest, self._rules.longest)
        return longest - services.BLOCK_OVERHEAD - (ciphering.OVERHEAD_BYTES if is_ciphered else 0)

    def _accept(
        self, asked: acse.AssociationRequest, proposed: acse.Initiation, protect: Callable[[bytes], bytes]
    ) -> Outcome:
        rules, device = self._rules, self._device
        assert asked.mechanism is not None and asked.context is not None
        context, mechanism = Context(asked.context), Mechanism(asked.mechanism)
        agreed = Conformance(proposed.conformance & OFFERED)
        is_trusted = mechanism >= rules.lowest and (context is Context.CIPHERED or not rules.must_cipher)
        rights = Rights.PUBLIC if not is_trusted else Rights.READ if mechanism is Mechanism.NONE else Rights.WRITE
        self._seat = Seat(
            self._client,
            device.server,
            context,
            mechanism,
            int(agreed),
            (rules.longest, proposed.longest),
            asked.title,
            device.title,
            device.counters.highest,
            rights,
        )
        self._room = self._room_for(proposed, context is Context.CIPHERED)
        if proposed.dedicated_key:
            self._own = _Own(replace(rules.keys, encryption=proposed.dedicated_key))
        has_to_prove = mechanism is Mechanism.GMAC
        challenge = token_bytes(_CHALLENGE_BYTES) if has_to_prove else b""
        self._challenges = asked.value, challenge
        self._stage = _Stage.PROVING if has_to_prove else _Stage.OPEN
        tells_title = has_to_prove or context is Context.CIPHERED
        reply = acse.association_response(
            context,
            Diagnostic.AUTHENTICATION_REQUIRED if has_to_prove else Diagnostic.NULL,
            protect(acse.initiation_response(int(agreed), rules.longest)),
            is_accepted=True,
            title=device.title if tells_title else b"",
            mechanism=mechanism,
            value=challenge,
        )
        return Outcome(reply)

    def _reject(self, asked: acse.AssociationRequest, why: Diagnostic, information: bytes = b"") -> Outcome:
        context = asked.context if asked.context in tuple(Context) else Context.PLAIN
        reply = acse.association_response(
            int(context or Context.PLAIN), why, information, is_accepted=False, title=b"", mechanism=0, value=b""
        )
        return Outcome(reply, refused=why.name.lower().replace("_", " "))

    def _release(self, information: bytes) -> Outcome:
        """Answer a release request; in a ciphered association what comes with it must be from the client."""
        answer = b""
        if self._stage is _Stage.IDLE:
            return Outcome(services.exception(Service.NOT_POSSIBLE), refused="not associated")
        if information and self._seat.context is Context.CIPHERED:
            try:
                plain, protect = self._deciphered(information, self._seat.client_title)
            except ReplayedError as problem:
                return Outcome(services.exception(Service.COUNTER_ERROR, expected=problem.expected), refused="replayed")
            except CipheringError:
                return Outcome(services.exception(Service.DECIPHERING_ERROR), refused="not deciphered")
            acse.initiation(plain)
            answer = protect(acse.initiation_response(self._seat.conformance, self._rules.longest))
        self._end()
        return Outcome(acse.release_response(answer))

    def _take_ciphered(self, apdu: bytes) -> Outcome:
        if self._stage is _Stage.IDLE or self._seat.context is not Context.CIPHERED:
            return Outcome(services.exception(Service.NOT_POSSIBLE), refused="not associated")
        try:
            plain, protect = self._deciphered(apdu, self._seat.client_title)
        except ReplayedError as problem:
            return Outcome(services.exception(Service.COUNTER_ERROR, expected=problem.expected), refused="replayed")
        except CipheringError:
            return Outcome(services.exception(Service.DECIPHERING_ERROR), refused="not deciphered")
        return self._serve(plain, protect)

    def _deciphered(self, apdu: bytes, title: bytes) -> tuple[bytes, Callable[[bytes], bytes]]:
        """The plain text of a unit, and how its answer is protected.

        Raises
        ------
        CipheringError
            If it is not from the client, or has been used.
        """
        if not ciphering.is_ciphered(apdu):
            raise CipheringError("a ciphered unit is expected")
        unit = ciphering.parsed(apdu)
        if unit.title not in (b"", title) or (unit.protection.is_dedicated and self._own is None):
            raise CipheringError("another system title, or no dedicated key was agreed on")
        own = self._own if unit.protection.is_dedicated else None
        plain = ciphering.deciphered(own.keys if own else self._rules.keys, title, unit)
        counters = self._device.counters
        last = own.taken if own else counters.taken.get(self._client, -1)
        if unit.counter <= last:
            raise ReplayedError(last + 1)
        if own:
            own.taken = unit.counter
        else:
            counters.taken[self._client] = unit.counter
        return plain, lambda answer: self._protected(own, unit.protection, answer)

    def _protected(self, own: _Own | None, protection: Protection, answer: bytes) -> bytes:
        """An answer, protected as its request was."""
        if answer[0] == services.EXCEPTION:
            return answer
        keys = own.keys if own else self._rules.keys
        return ciphering.ciphered(keys, self._device.title, self._next_counter(own), protection, answer)

    def _next_counter(self, own: _Own | None = None) -> int:
        kept = own or self._device.counters
        kept.sent += 1
        return kept.sent

    def _serve(self, apdu: bytes, protect: Callable[[bytes], bytes]) -> Outcome:
        try:
            request = services.request(apdu)
        except UnsupportedError:
            return Outcome(services.exception(Service.NOT_SUPPORTED, is_unknown=True), refused="not supported")
        if self._stage is _Stage.PROVING:
            return self._prove(request, protect)
        if isinstance(request, Get):
            return Outcome(protect(self._get(request)))
        if isinstance(request, GetNext):
            return Outcome(protect(self._long.next(request)))
        self._long.end()
        outcome = self._write(request) if isinstance(request, Set) else self._act(request)
        if isinstance(outcome, Access):
            answer = _answer(request, outcome)
            return Outcome(
                protect(answer), refused="" if outcome is Access.SUCCESS else outcome.name.lower().replace("_", " ")
            )
        return Outcome(change=outcome, finish=lambda access: protect(_answer(request, access)))

    def _prove(self, request: Request, protect: Callable[[bytes], bytes]) -> Outcome:
        """The client proves that it has the keys, and the meter answers with its own proof; anything else is refused."""
        first = Target(ASSOCIATION_CLASS, ASSOCIATION, 1)
        if not isinstance(request, Action) or request.target != first:
            return Outcome(services.exception(Service.NOT_POSSIBLE), refused="not proved")
        of_client, of_meter = self._challenges
        keys = self._rules.keys
        if not ciphering.proves(keys, self._seat.client_title, request.value, of_meter) or of_client == of_meter:
            reply = protect(services.acted(request.invoke, Access.OTHER_REASON))
            self._end()
            return Outcome(reply, refused="not proved")
        self._stage = _Stage.OPEN
        own = ciphering.proof(keys, self._device.title, self._next_counter(), of_client)
        return Outcome(protect(services.acted(request.invoke, Access.SUCCESS, octets(own))))

    def _get(self, request: Get) -> bytes:
        device = self._device
        seat = replace(self._seat, counter=device.counters.highest)
        view = View(device.read(), seat, device.objects)
        values = [self._value(target, selection, view) for target, selection in request.targets]
        has_blocks = bool(self._seat.conformance & Conformance.BLOCKS_WITH_GET)
        return self._long.first(request, values, self._room, has_blocks)

    def _value(self, target: Target, selection: services.Selection | None, view: View) -> bytes | Access:
        found = view.objects.get(target.name)
        if found is None:
            return Access.OBJECT_UNDEFINED
        if found.interface != target.interface:
            return Access.CLASS_INCONSISTENT
        return found.get(target.number, selection, view)

    def _write(self, request: Set) -> Change | Access:
        return self._denied(request.target) or changed(self._device, request)

    def _act(self, request: Action) -> Change | Access:
        return self._denied(request.target) or invoked(self._device, request)

    def _denied(self, target: Target) -> Access | None:
        found = self._device.objects.get(target.name)
        if found is None:
            return Access.OBJECT_UNDEFINED
        if found.interface != target.interface:
            return Access.CLASS_INCONSISTENT
        return Access.READ_WRITE_DENIED if self._seat.rights is not Rights.WRITE else None

    def _end(self) -> None:
        self._stage, self._own = _Stage.IDLE, None
        self._seat = self._nobody()
        self._long.end()

    def _nobody(self) -> Seat:
        device = self._device
        ends = self._client, device.server, Context.PLAIN, Mechanism.NONE
        return Seat(*ends, 0, (0, 0), b"", device.title, 0, Rights.PUBLIC)


def _answer(request: Request, access: Access) -> bytes:
    return (services.written if isinstance(request, Set) else services.acted)(request.invoke, access)
