"""A VTN of OpenADR 2.0b without sockets, and the messages of a VEN; what it answers is held to the published schema where openleadr, which ships it, is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.inventory import DeviceClass, Inventory
from heptagrid.live.protocols.openadr.store import Object, Store
from heptagrid.live.protocols.openadr.targets import Targets
from heptagrid.live.protocols.openadr20b.messages import VOCABULARY, opened
from heptagrid.live.protocols.openadr20b.section import Parameters
from heptagrid.live.protocols.openadr20b.vens import Caller
from heptagrid.live.protocols.openadr20b.vtn import Reply, Request, Vtn20b
from heptagrid.live.xml import Element

NOON_NS = int(datetime(2016, 7, 4, 12, tzinfo=UTC).timestamp()) * NS_PER_S
MINUTE_NS, HOUR_NS = 60 * NS_PER_S, 3600 * NS_PER_S
CLASSES = {
    name: DeviceClass(name, name, Domain.CUSTOMERS, np.arange(5), np.arange(5), np.full(5, 11.0))
    for name in ("vehicles", "local_units")
}
WORLD = SimpleNamespace(owned=SimpleNamespace(devices=("vehicles",)), substation_of=np.zeros(5, dtype=np.int64))
NAMESPACES = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in VOCABULARY.namespaces.items())
READY = """<oadr:oadrProfileName>2.0b</oadr:oadrProfileName><oadr:oadrTransportName>simpleHttp</oadr:oadrTransportName>
<oadr:oadrReportOnly>false</oadr:oadrReportOnly><oadr:oadrXmlSignature>false</oadr:oadrXmlSignature>"""


@cache
def schema() -> Callable[[bytes], list[str]] | None:
    """What is wrong with a document by the schema that openleadr ships; None: it is not installed."""
    found = importlib.util.find_spec("openleadr")
    if found is None or found.origin is None:
        return None
    from lxml import etree  # type: ignore[import-untyped, unused-ignore]

    rules = etree.XMLSchema(etree.parse(str(Path(found.origin).parent / "schema/oadr_20b.xsd")))

    def faults(document: bytes) -> list[str]:
        rules.validate(etree.fromstring(document))
        return [str(one) for one in rules.error_log]

    return faults


class Bench:
    """A VTN with a desk's store, whose time a test sets. counts: what was refused."""

    def __init__(self, **parameters: Any) -> None:
        self.now_ns = NOON_NS
        self.counts: dict[str, int] = {}
        self.store = Store(lambda: self.now_ns)
        self.targets = Targets(cast(Inventory, SimpleNamespace(world=WORLD, classes=CLASSES)))
        self.store.add("PROGRAM", {"programName": "p"}, "p")
        given = Parameters(**parameters)
        self.vtn = Vtn20b(self.store, self.targets, lambda: self.now_ns, given, self._count)

    def send(self, service: str, body: bytes | str, caller: Caller | None = None) -> Reply:
        """What is answered to a body; its effects take place, for it has arrived."""
        content = body.encode() if isinstance(body, str) else body
        reply = self.vtn.handle(Request(service, content, caller or Caller()))
        faults = schema()
        if faults is not None and reply.is_xml:
            assert faults(reply.body) == [], reply.body.decode()
        reply.arrived()
        return reply

    def ask(self, service: str, tag: str, inner: str = "", caller: Caller | None = None) -> Element:
        """The message that is answered to one of a VEN; tag without a prefix."""
        reply = self.send(service, payload(tag, inner), caller)
        assert reply.status == 200, reply.body
        return opened(reply.body)

    def register(self, name: str = "pump", caller: Caller | None = None, ids: str = "") -> tuple[str, str]:
        """A VEN registers: its venID and registrationID."""
        inner = f"{request('r1')}{ids}{READY}<oadr:oadrVenName>{name}</oadr:oadrVenName>"
        made = self.ask("EiRegisterParty", "oadrCreatePartyRegistration", inner, caller)
        assert code(made) == "200", made
        return made.value("ei:venID") or "", made.value("ei:registrationID") or ""

    def poll(self, ven: str) -> Element:
        return self.ask("OadrPoll", "oadrPoll", f"<ei:venID>{ven}</ei:venID>")

    def events(self, ven: str, limit: str = "") -> list[Element]:
        """All events of a VEN, as it asks for them."""
        inner = f"<pyld:eiRequestEvent>{request('q')}<ei:venID>{ven}</ei:venID>{limit}</pyld:eiRequestEvent>"
        made = self.ask("EiEvent", "oadrRequestEvent", inner)
        return [one.find("ei:eiEvent") or one for one in made.all("oadr:oadrEvent")]

    def answer(self, ven: str, event: str, opt: str = "optIn", number: int = 0, said: str = "200") -> Element:
        """A VEN opts in to an event, or out."""
        qualified = f"<ei:qualifiedEventID><ei:eventID>{event}</ei:eventID><ei:modificationNumber>{number}</ei:modificationNumber></ei:qualifiedEventID>"
        one = f"<ei:eventResponse><ei:responseCode>{said}</ei:responseCode>{request('d')}{qualified}<ei:optType>{opt}</ei:optType></ei:eventResponse>"
        head = f"<ei:eiResponse><ei:responseCode>200</ei:responseCode>{request('c1')}</ei:eiResponse>"
        inner = f"<pyld:eiCreatedEvent>{head}<ei:eventResponses>{one}</ei:eventResponses><ei:venID>{ven}</ei:venID></pyld:eiCreatedEvent>"
        return self.ask("EiEvent", "oadrCreatedEvent", inner)

    def event(self, kind: str = "SIMPLE", *values: float, **content: Any) -> str:
        """The desk makes an event that begins in an hour, with an interval of a quarter of an hour for each value."""
        given: Object = {
            "programID": "p",
            "intervalPeriod": {"start": "2016-07-04T13:00:00Z", "duration": "PT15M"},
            "intervals": intervals(kind, *(values or (1,))),
            **content,
        }
        return str(self.store.add("EVENT", given)["id"])

    def opts(self, event: str) -> dict[str, str]:
        """Who takes part in an event, as the desk reads it over OpenADR 3."""
        found = [one for one in self.store.all("REPORT") if one["eventID"] == event]
        return {one["clientName"]: one["resources"][0]["intervals"][0]["payloads"][0]["values"][0] for one in found}

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


def payload(tag: str, inner: str) -> str:
    """A message in its envelope."""
    return (
        f"<oadr:oadrPayload {NAMESPACES}><oadr:oadrSignedObject>"
        f'<oadr:{tag} ei:schemaVersion="2.0b">{inner}</oadr:{tag}></oadr:oadrSignedObject></oadr:oadrPayload>'
    )


def request(id: str) -> str:
    return f"<pyld:requestID>{id}</pyld:requestID>"


def code(answer: Element) -> str:
    """The response code of an answer."""
    return answer.value("ei:eiResponse", "ei:responseCode") or ""


def descriptor(event: Element, tag: str) -> str:
    """What the descriptor of an event says."""
    return event.value("ei:eventDescriptor", f"ei:{tag}") or ""


def intervals(kind: str, *values: float) -> list[Object]:
    return [{"id": k, "payloads": [{"type": kind, "values": [value]}]} for k, value in enumerate(values)]
