"""The VENs of OpenADR 2.0b and their registrations (EiRegisterParty).

A VEN is an end node of the desk's store, so that OpenADR 3 shows it too. One that the desk has made there has a pre-allocated venID, which is the object's ID. Where
clients show certificates, a VEN is known by the fingerprint of its own.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from heptagrid.live.inventory import Device
from heptagrid.live.protocols.openadr.access import granted
from heptagrid.live.protocols.openadr.built_in import device_of
from heptagrid.live.protocols.openadr.objects import pairs
from heptagrid.live.protocols.openadr.store import Object, Store, TakenError
from heptagrid.live.protocols.openadr.targets import Targets
from heptagrid.live.protocols.openadr20b.messages import (
    INVALID_DATA,
    INVALID_ID,
    NOT_ALLOWED,
    NOT_REGISTERED,
    Refused,
    new_id,
)
from heptagrid.live.xml import Element

FINGERPRINT = "OPENADR_FINGERPRINT"
"""The attribute of a ven with which the desk says which certificate is its."""
MOST_VENS = 10_000
"""That are known, registered or not; with more, one that has left is forgotten first, and none is taken if all are there."""
MOST_WAITING = 16
"""Messages that wait for a VEN which does not poll; older ones are dropped."""


@dataclass(frozen=True)
class Caller:
    """Who sends a request. fingerprint: of its certificate, empty without one; name: whom that names."""

    fingerprint: str = ""
    name: str = ""

    @staticmethod
    def of(certificate: bytes | None) -> Caller:
        """The client that has shown a certificate in DER."""
        if certificate is None:
            return Caller()
        return Caller(fingerprint_of(certificate), _common_name(certificate))


@dataclass
class Ven:
    """An end node that has registered.

    client: whose its objects in the store are. registration: its ID, empty once it is cancelled. told: modification number and answer of the events that it knows, by ID.
    waiting: messages that it gets when it polls; had_events: whether it was told events when it polled last.
    """

    id: str
    name: str
    client: str
    registration: str
    caller: Caller
    is_preallocated: bool = False
    told: dict[str, Told] = field(default_factory=dict)
    waiting: deque[Element] = field(default_factory=lambda: deque(maxlen=MOST_WAITING))
    had_events: bool = False

    def has_got(self, waited: Element) -> None:
        """A message that waited has arrived."""
        if self.waiting and self.waiting[0] is waited:
            self.waiting.popleft()


@dataclass
class Told:
    """What a VEN has been told of an event. told_ns: simulated, when; answered: the modification that it has answered, -1 if none; is_over: it knows that it is cancelled or completed."""

    modification: int
    told_ns: int
    answered: int = -1
    is_over: bool = False


class Vens:
    """Registers VENs. left: told of each that has left, or has forgotten what it knew."""

    def __init__(self, store: Store, targets: Targets, count: Callable[[str], None]) -> None:
        self.left: list[Callable[[Ven], None]] = []
        self._store, self._targets, self._count = store, targets, count
        store.changed.append(self._note)
        self._vens: dict[str, Ven] = {}
        self._by_name: dict[str, str] = {}

    def get(self, id: str) -> Ven | None:
        """The VEN with a venID, registered or not any more."""
        return self._vens.get(id)

    def known(self, id: str, caller: Caller) -> Ven:
        """The registered VEN of a request.

        Raises
        ------
        Refused
            452 for a venID that was never given, 463 for one that is not registered any more, or is another's.
        """
        one = self._vens.get(id)
        if one is None:
            raise Refused(INVALID_ID, f"there is no VEN {id[:40]!r}; it has to register")
        self._refuse_stranger(one, caller)
        if not one.registration:
            raise Refused(NOT_REGISTERED, f"VEN {id} is not registered any more")
        return one

    def register(self, id: str, registration: str, name: str, caller: Caller) -> Ven:
        """Register a VEN, or register it again. id: its venID, empty if it has none yet; registration: its registrationID where it has one.

        Raises
        ------
        Refused
        """
        one = self._vens.get(id or self._by_name.get(name, ""))
        if one is not None:
            self._refuse_stranger(one, caller)
            if registration and registration != one.registration:
                raise Refused(INVALID_ID, f"VEN {one.id} has another registrationID")
            if name and name != one.name:
                raise Refused(NOT_ALLOWED, f"VEN {one.id} is called {one.name}")
            if not one.registration:
                self._enter(one)
            if not registration:
                self._begin_anew(one)
            return one
        if registration:
            raise Refused(INVALID_ID, f"there is no registration {registration[:40]!r}")
        return self._preallocated(id, name, caller) if id else self._new(name, caller)

    def cancel(self, one: Ven, registration: str) -> None:
        """End a registration; what is built in does the VEN's work again.

        Raises
        ------
        Refused
        """
        if registration != one.registration:
            raise Refused(INVALID_ID, f"VEN {one.id} has another registrationID")
        self._leave(one)
        if not one.is_preallocated and self._store.get("VEN", one.id) is not None:
            self._store.delete("VEN", one.id)

    def device_of(self, id: str, name: str, caller: Caller) -> Device | None:
        """The device for which the VEN of a request stands. id: its venID; name: the one by which it registers."""
        one = self._vens.get(id)
        if one is None:
            return self._targets.device(name)
        is_known = bool(one.registration) and one.caller.fingerprint == caller.fingerprint
        return device_of(one.client, self._store, self._targets) if is_known else self._targets.device(name)

    def targets_of(self, one: Ven) -> set[str]:
        """The targets by which a VEN is meant: its name and ID, those of its devices, and those that the desk has granted."""
        return {one.id, one.name} | granted(self.own(one))

    def own(self, one: Ven) -> list[Object]:
        """A VEN's objects in the store: itself, and its resources."""
        return [*self._store.of_client("VEN", one.client), *self._store.of_client("RESOURCE", one.client)]

    def own_names(self, one: Ven) -> set[str]:
        """What a VEN may report on."""
        return {str(each.get("resourceName") or each.get("venName")) for each in self.own(one)}

    def add_resource(self, one: Ven, name: str) -> bool:
        """A VEN reports on a resource; whether that is its own, or becomes it. With certificates the desk says which devices are a VEN's."""
        if name in self.own_names(one):
            return True
        other = self._store.named("VEN", name)
        is_foreign = bool(one.caller.fingerprint) and name != one.caller.name
        if self._targets.device(name) is not None and (is_foreign or other is not None):
            self._count("openadr20b: report on another's device")
            return False
        content = {
            "resourceName": name,
            "venID": one.id,
            "clientID": one.client,
            "targets": pairs(self._targets.granted(name)),
        }
        try:
            self._store.add("RESOURCE", content)
        except TakenError:
            return False
        return True

    def _refuse_stranger(self, one: Ven, caller: Caller) -> None:
        if one.caller.fingerprint != caller.fingerprint:
            raise Refused(NOT_REGISTERED, f"VEN {one.id} is known by another certificate")

    def _new(self, name: str, caller: Caller) -> Ven:
        """A VEN that has no venID yet, or registers again after it had left."""
        if not name:
            raise Refused(INVALID_DATA, "oadrVenName: a VEN without a venID has to say its name")
        id = new_id()
        one = Ven(id, name, id, new_id(), caller)
        self._make_room()
        self._enter(one)
        self._vens[id], self._by_name[name] = one, id
        return one

    def _make_room(self) -> None:
        """Forget a VEN that has left, where there are too many.

        Raises
        ------
        Refused
        """
        if len(self._vens) < MOST_VENS:
            return
        gone = next((one for one in self._vens.values() if not one.registration), None)
        if gone is None:
            raise Refused(NOT_ALLOWED, f"there is no room for more than {MOST_VENS} VENs")
        del self._vens[gone.id], self._by_name[gone.name]

    def _preallocated(self, id: str, name: str, caller: Caller) -> Ven:
        """A VEN whose venID the desk has made."""
        content = self._store.get("VEN", id)
        if content is None or content.get("isBuiltIn"):
            raise Refused(INVALID_ID, f"there is no VEN {id[:40]!r}; the desk has not made one with this ID")
        wanted = _fingerprint_in(content)
        if wanted and wanted != caller.fingerprint.replace(":", ""):
            raise Refused(NOT_REGISTERED, f"VEN {id} is known by another certificate")
        one = Ven(id, str(content["venName"]), str(content["clientID"]), new_id(), caller, is_preallocated=True)
        if name and name != one.name:
            raise Refused(NOT_ALLOWED, f"VEN {id} is called {one.name}")
        self._make_room()
        self._vens[id], self._by_name[one.name] = one, id
        return one

    def _enter(self, one: Ven) -> None:
        """Put a VEN into the store.

        Raises
        ------
        Refused
        """
        if one.is_preallocated:
            if self._store.get("VEN", one.id) is None:
                raise Refused(INVALID_ID, f"the desk has taken VEN {one.id} away")
            return
        if self._targets.device(one.name) is not None and one.caller.fingerprint and one.caller.name != one.name:
            raise Refused(NOT_REGISTERED, f"the certificate names {one.caller.name[:40]!r}, and not {one.name}")
        content = {
            "venName": one.name,
            "clientID": one.client,
            "targets": pairs(self._targets.granted(one.name)),
            "attributes": [{"type": FINGERPRINT, "values": [one.caller.fingerprint]}] if one.caller.fingerprint else [],
        }
        try:
            self._store.add("VEN", content, one.id)
        except TakenError as taken:
            raise Refused(NOT_ALLOWED, str(taken)) from None

    def _begin_anew(self, one: Ven) -> None:
        """A VEN that registers without its registrationID has lost what it knew."""
        self._leave(one)
        one.registration = new_id()

    def _leave(self, one: Ven) -> None:
        one.registration = ""
        one.told.clear()
        one.waiting.clear()
        for told in self.left:
            told(one)

    def _note(self, operation: str, kind: str, content: Object) -> None:
        """The desk takes a VEN away, which ends its registration."""
        one = self._vens.get(content["id"]) if (operation, kind) == ("DELETE", "VEN") else None
        if one is not None and one.registration:
            self._leave(one)


def fingerprint_of(certificate: bytes) -> str:
    """The fingerprint of a certificate in DER as OpenADR writes it: the last ten bytes of its SHA-256 digest."""
    return ":".join(f"{one:02X}" for one in hashlib.sha256(certificate).digest()[-10:])


def _common_name(certificate: bytes) -> str:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    try:
        names = x509.load_der_x509_certificate(certificate).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError:
        return ""
    return str(names[0].value) if names else ""


def _fingerprint_in(content: Object) -> str:
    """The fingerprint that the desk has given, without colons and in capitals; empty if none."""
    found = [one["values"] for one in content.get("attributes") or () if one["type"] == FINGERPRINT]
    return str(found[0][0]).upper().replace(":", "") if found and found[0] else ""
