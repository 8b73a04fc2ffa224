"""A client on gurux-dlms (GPL), run as a program of its own: HOST PORT SERVER FORM FIRST_COUNTER; it tells as JSON what it read.

FORM: glo, general-glo, ded or general-ded: how units are ciphered after a GMAC association.
"""

from __future__ import annotations

import json
import socket
import sys

from gurux_dlms import GXByteBuffer, GXReplyData
from gurux_dlms.enums import Authentication, Conformance, InterfaceType, Security
from gurux_dlms.objects import GXDLMSClock, GXDLMSData, GXDLMSDisconnectControl, GXDLMSProfileGeneric, GXDLMSRegister
from gurux_dlms.secure import GXDLMSSecureClient

HEADER = 8


class Reader:
    """A blocking exchange of units over a socket."""

    def __init__(self, client: GXDLMSSecureClient, host: str, port: int) -> None:
        self.client = client
        self.socket = socket.create_connection((host, port), timeout=60)

    def exchange(self, units: object, reply: GXReplyData) -> None:
        """Send one unit or several, and gather the blocks of each answer."""
        reply.clear()
        for unit in units if isinstance(units, list) else [units]:
            self._send(unit, reply)
            while reply.isMoreData():
                self._send(self.client.receiverReady(reply), reply)

    def _send(self, unit: bytes, reply: GXReplyData) -> None:
        self.socket.sendall(bytes(unit))
        header = self._exactly(HEADER)
        received = GXByteBuffer(header + self._exactly(int.from_bytes(header[6:8], "big")))
        self.client.getData(received, reply, GXReplyData())
        if reply.error:
            raise RuntimeError(f"error {reply.error}: {reply.getErrorMessage()}")

    def _exactly(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            piece = self.socket.recv(count - len(found))
            if not piece:
                raise ConnectionError("closed")
            found += piece
        return found

    def read(self, one: object, number: int) -> object:
        reply = GXReplyData()
        self.exchange(self.client.read(one, number), reply)
        return self.client.updateValue(one, number, reply.value)


def main() -> None:
    host, port, server, form, first = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], int(sys.argv[5])
    client = GXDLMSSecureClient(True, 1, server, Authentication.HIGH_GMAC, None, InterfaceType.WRAPPER)
    client.ciphering.security = Security.AUTHENTICATION_ENCRYPTION
    client.ciphering.systemTitle = b"GRX\x00\x00\x00\x00\x01"
    client.ciphering.blockCipherKey = bytes.fromhex("000102030405060708090A0B0C0D0E0F")
    client.ciphering.authenticationKey = bytes.fromhex("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF")
    client.ciphering.invocationCounter = first
    if form.endswith("ded"):
        client.ciphering.dedicatedKey = bytes(range(16))
    if not form.startswith("general"):
        client.proposedConformance &= ~Conformance.GENERAL_PROTECTION
    reader, reply = Reader(client, host, port), GXReplyData()
    reader.exchange(client.aarqRequest(), reply)
    client.parseAareResponse(reply.data)
    reader.exchange(client.getApplicationAssociationRequest(), reply)
    client.parseApplicationAssociationResponse(reply.data)
    reader.exchange(client.getObjectsRequest(), reply)
    objects = client.parseObjects(reply.data, True)
    found: dict[str, object] = {"objects": len(objects)}
    found["name"] = bytes(reader.read(GXDLMSData("0.0.42.0.0.255"), 2)).decode()
    register = GXDLMSRegister("1.0.32.7.0.255")
    reader.read(register, 3)
    found["voltage"] = reader.read(register, 2)
    found["import"] = reader.read(GXDLMSRegister("1.0.1.8.0.255"), 2)
    found["clock"] = str(reader.read(GXDLMSClock("0.0.1.0.0.255"), 2))
    switch = GXDLMSDisconnectControl("0.0.96.3.10.255")
    found["is_connected"], found["mode"] = reader.read(switch, 2), int(reader.read(switch, 4))
    profile = GXDLMSProfileGeneric("1.0.99.1.0.255")
    reader.read(profile, 3)
    reader.exchange(client.readRowsByEntry(profile, 2, 3), reply)
    found["rows"] = [[str(cell) for cell in row] for row in client.updateValue(profile, 2, reply.value)]
    try:
        reader.exchange(switch.remoteDisconnect(client), reply)
        found["disconnect"] = "done"
    except Exception as refused:
        found["disconnect"] = str(refused)
    reader.exchange(client.releaseRequest(), reply)
    reader.socket.close()
    found["counter"] = client.ciphering.invocationCounter
    print(json.dumps(found))


main()
