"""The server without sockets: a request of a device that a certificate names in, an answer out. Source: IEEE 2030.5-2018 and CSIP 2.1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from heptagrid.domains.customers.standing_function import Parameters
from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.protocols.sep2 import resources
from heptagrid.live.protocols.sep2.answers import NOT_FOUND, Answer, Hooks, Refused, Request, only, page
from heptagrid.live.protocols.sep2.functions import Functions
from heptagrid.live.protocols.sep2.metering import Metering
from heptagrid.live.protocols.sep2.model import (
    MOST_CONTROLS,
    EndDevice,
    Program,
    checked_base,
    control_from,
    mrid,
)
from heptagrid.live.protocols.sep2.xml import MalformedError, read

OPERATOR = "operator"
"""The common name of the certificate with which a desk outside posts controls."""
OWN_PRIMACY = 1
_METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE")
_PUT = {"dercap": "DERCapability", "derg": "DERSettings", "ders": "DERStatus", "dera": "DERAvailability"}
_PUT_AT_DEVICE = {"di": "DeviceInformation", "dstat": "DeviceStatus"}


@dataclass
class Sep2Server:
    """Serves clients. now_ns: the simulated time; functions: reads what controls ask of reactive power; pin: of all registrations; poll_s, post_s: how often clients may ask and post."""

    now_ns: Callable[[], int]
    zone: ZoneInfo
    hooks: Hooks = field(default_factory=Hooks)
    pin: int = 111_115
    poll_s: int = 300
    post_s: int = 300
    devices: dict[str, EndDevice] = field(default_factory=dict)
    programs: dict[int, Program] = field(default_factory=dict)
    functions: Functions = field(default_factory=lambda: Functions(Parameters()))

    def __post_init__(self) -> None:
        self.metering = Metering(self.hooks, self.poll_s, self.post_s)

    @property
    def now_s(self) -> int:
        return self.now_ns() // NS_PER_S

    def add_program(self, name: str, primacy: int, targets: tuple[str, ...] = (), of: int | None = None) -> Program:
        """Add a programme."""
        number = len(self.programs) + 1
        self.programs[number] = Program(number, name, primacy, targets, of, default_s=self.now_s)
        return self.programs[number]

    def known(self, lfdi: str, name: str) -> EndDevice:
        """The end device of a certificate; one that the authority signed is registered when it first asks, with a programme of its own."""
        one = self.devices.get(lfdi)
        if one is None:
            is_operator = name == OPERATOR
            device = None if is_operator else self.hooks.device(name)
            one = EndDevice(len(self.devices) + 1, lfdi, name, device, self.now_s, is_operator)
            self.devices[lfdi] = one
            if not is_operator:
                self.add_program(name or f"device {one.number}", OWN_PRIMACY, (name,), one.number)
            self.hooks.changed()
        return one

    def handle(self, request: Request) -> Answer:
        """Serve a request."""
        try:
            return self._served(request, self.known(request.lfdi, request.name))
        except Refused as refused:
            method = request.method if request.method in _METHODS else "other"
            self.hooks.count(f"sep2: {refused.status} {method}")
            return Answer(refused.status)
        except MalformedError:
            self.hooks.count("sep2: malformed")
            return Answer(400)

    def _served(self, request: Request, one: EndDevice) -> Answer:
        parts = [part for part in request.path.split("/") if part]
        method = "GET" if request.method == "HEAD" else request.method
        if not parts or method not in _METHODS:
            raise Refused(404 if method == "GET" else 405, NOT_FOUND)
        tree = {
            "dcap": self._entry,
            "tm": self._time,
            "edev": self._end_devices,
            "derp": self._programs,
            "mup": self.metering.serve_mirrors,
            "rsps": self.metering.serve_responses,
        }.get(parts[0])
        if tree is None:
            raise Refused(404, NOT_FOUND)
        return tree(method, parts[1:], request, one)

    def _entry(self, method: str, parts: list[str], request: Request, one: EndDevice) -> Answer:
        only(method, "GET", at_end=not parts)
        return Answer(
            200, resources.device_capability(len(self._visible(one)), len(self.metering.own(one)), self.poll_s)
        )

    def _time(self, method: str, parts: list[str], request: Request, one: EndDevice) -> Answer:
        only(method, "GET", at_end=not parts)
        return Answer(200, resources.time(self.now_ns(), self.zone, self.poll_s))

    def _end_devices(self, method: str, parts: list[str], request: Request, one: EndDevice) -> Answer:
        if not parts:
            if method == "POST":
                given = read(request.body)
                lfdi = (given.value("lFDI") or request.lfdi).upper()
                if given.tag != "EndDevice" or lfdi != request.lfdi:
                    raise Refused(403, "a client registers itself alone")
                return Answer(201, location=f"/edev/{one.number}")
            only(method, "GET")
            members = [resources.end_device(each, self.post_s) for each in self._visible(one)]
            return page("EndDeviceList", "/edev", members, request, self.poll_s)
        about = next((each for each in self._visible(one) if str(each.number) == parts[0]), None)
        if about is None:
            raise Refused(404, NOT_FOUND)
        return self._end_device(method, parts[1:], request, about)

    def _end_device(self, method: str, parts: list[str], request: Request, one: EndDevice) -> Answer:
        programs, at = self._programs_of(one), f"/edev/{one.number}"
        match parts:
            case []:
                only(method, "GET")
                return Answer(200, resources.end_device(one, self.post_s))
            case ["rg"]:
                only(method, "GET")
                return Answer(200, resources.registration(one, self.pin, self.poll_s))
            case ["fsa"]:
                only(method, "GET")
                members = [resources.assignments(one, len(programs))]
                return page("FunctionSetAssignmentsList", f"{at}/fsa", members, request, self.poll_s)
            case ["fsa", "1"]:
                only(method, "GET")
                return Answer(200, resources.assignments(one, len(programs)))
            case ["fsa", "1", "derp"]:
                only(method, "GET")
                members = [resources.program(each, self.now_s) for each in programs]
                return page("DERProgramList", f"{at}/fsa/1/derp", members, request, self.poll_s)
            case ["der"]:
                only(method, "GET")
                members = [resources.der(one, len(programs))]
                return page("DERList", f"{at}/der", members, request, self.poll_s)
            case ["der", "1"]:
                only(method, "GET")
                return Answer(200, resources.der(one, len(programs)))
            case ["der", "1", what] if what in _PUT:
                return self._kept(method, what, _PUT[what], f"{at}/der/1/{what}", request, one)
            case [what] if what in _PUT_AT_DEVICE:
                return self._kept(method, what, _PUT_AT_DEVICE[what], f"{at}/{what}", request, one)
        raise Refused(404, NOT_FOUND)

    def _kept(self, method: str, what: str, tag: str, at: str, request: Request, one: EndDevice) -> Answer:
        """What a device puts about itself, and gets back."""
        if method == "PUT":
            if one.lfdi != request.lfdi:
                raise Refused(403, "that is another device's")
            given = read(request.body)
            if given.tag != tag:
                raise MalformedError(f"a {tag} is expected")
            given.attributes = {"href": at}
            one.kept[what] = given
            self.hooks.put(one, what, given)
            return Answer(204)
        only(method, "GET", "PUT")
        if what not in one.kept:
            raise Refused(404, "nothing has been put there")
        return Answer(200, one.kept[what])

    def _programs(self, method: str, parts: list[str], request: Request, one: EndDevice) -> Answer:
        visible = list(self.programs.values()) if one.is_operator else self._programs_of(one)
        if not parts:
            only(method, "GET")
            members = [resources.program(each, self.now_s) for each in visible]
            return page("DERProgramList", "/derp", members, request, self.poll_s)
        about = next((each for each in visible if str(each.number) == parts[0]), None)
        if about is None:
            raise Refused(404, NOT_FOUND)
        if method != "GET" and not one.is_operator:
            raise Refused(403, "only the operator changes programmes")
        return self._program(method, parts[1:], request, about)

    def _program(self, method: str, parts: list[str], request: Request, one: Program) -> Answer:
        now_s, at = self.now_s, f"/derp/{one.number}"
        match parts:
            case []:
                only(method, "GET")
                return Answer(200, resources.program(one, now_s))
            case ["dderc"]:
                return self._default(method, request, one)
            case ["actderc"]:
                only(method, "GET")
                members = [resources.control(one, each, now_s) for each in resources.active(one, now_s)]
                return page("DERControlList", f"{at}/actderc", members, request)
            case ["derc"]:
                if method == "POST":
                    return self._new_control(request, one)
                only(method, "GET", "POST")
                members = [resources.control(one, each, now_s) for each in one.alive(now_s)]
                return page("DERControlList", f"{at}/derc", members, request)
            case ["derc", number] if number.isdecimal() and (control := one.controls.get(int(number[:9]))):
                if method == "DELETE":
                    control.cancelled_s = now_s
                    self.hooks.changed()
                    return Answer(204)
                only(method, "GET", "DELETE")
                return Answer(200, resources.control(one, control, now_s))
            case ["dc"]:
                if method == "POST":
                    return self._new_curve(request, one)
                only(method, "GET", "POST")
                return page("DERCurveList", f"{at}/dc", list(one.curves.values()), request)
            case ["dc", number] if number.isdecimal() and (curve := one.curves.get(int(number[:9]))):
                only(method, "GET")
                return Answer(200, curve)
        raise Refused(404, NOT_FOUND)

    def _default(self, method: str, request: Request, one: Program) -> Answer:
        if method == "PUT":
            given = read(request.body)
            base = given.find("DERControlBase")
            if given.tag != "DefaultDERControl" or base is None:
                raise MalformedError("a DefaultDERControl with a DERControlBase is expected")
            checked_base(base)
            self.functions.checked(base, one.curves)
            one.default, one.default_s = base, self.now_s
            self.hooks.changed()
            return Answer(204)
        only(method, "GET", "PUT")
        return Answer(200, resources.default_control(one))

    def _new_control(self, request: Request, one: Program) -> Answer:
        one.controls = {number: each for number, each in one.controls.items() if each.end_s > self.now_s}
        if len(one.controls) >= MOST_CONTROLS:
            raise Refused(503, "there is no room for more controls")
        number = one.made + 1
        made = control_from(read(request.body), number, mrid(5, one.number, number), self.now_s)
        self.functions.checked(made.base, one.curves)
        one.made = number
        one.controls[made.number] = made
        self.hooks.changed()
        return Answer(201, location=f"/derp/{one.number}/derc/{made.number}")

    def _new_curve(self, request: Request, one: Program) -> Answer:
        given = read(request.body)
        if given.tag != "DERCurve" or given.find("CurveData") is None or given.find("mRID") is None:
            raise MalformedError("a DERCurve with an mRID and CurveData is expected")
        if len(one.curves) >= MOST_CONTROLS:
            raise Refused(503, "there is no room for more curves")
        number = len(one.curves) + 1
        given.attributes = {"href": f"/derp/{one.number}/dc/{number}"}
        one.curves[number] = given
        return Answer(201, location=given.attributes["href"])

    def _visible(self, one: EndDevice) -> list[EndDevice]:
        """The end devices that a client may see, in the order of their short form: its own, and all for the operator."""
        every = [each for each in self.devices.values() if not each.is_operator]
        return sorted(every if one.is_operator else [one], key=lambda each: each.sfdi)

    def _programs_of(self, one: EndDevice) -> list[Program]:
        """The programmes of a device, in the order of their primacy: its own, its area's, its class's and that for all."""
        names = {one.name}
        if one.device is not None:
            names |= {one.device.of.name.upper(), self.hooks.area(one.device)}
        found = [
            each
            for each in self.programs.values()
            if each.of == one.number or (each.of is None and (not each.targets or names.intersection(each.targets)))
        ]
        return sorted(found, key=lambda each: (each.primacy, each.mrid))
