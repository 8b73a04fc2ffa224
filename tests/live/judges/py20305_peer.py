"""A device on `py20305`, as a program of its own: python py20305_peer.py BASE FOLDER NAME WATTS [BLOCK ...]. It discovers, puts its status, and mirrors its power."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from py20305.client.discovery import discover
from py20305.client.http import Sep2Client
from py20305.client.state import DiscoveredState
from py20305.client.tls import TlsConfig
from py20305.security.identity import compute_lfdi, compute_sfdi

_NAMESPACE = "urn:ieee:std:2030.5:ns"
_MIRROR = """<MirrorUsagePoint xmlns="{ns}"><mRID>0A0B0C0D</mRID><description>judge</description><roleFlags>09</roleFlags>
<serviceCategoryKind>0</serviceCategoryKind><status>1</status><deviceLFDI>{lfdi}</deviceLFDI><MirrorMeterReading><mRID>0A0B0C0E</mRID>
<description>W</description><Reading><value>{watts}</value></Reading><ReadingType><flowDirection>1</flowDirection><powerOfTenMultiplier>0</powerOfTenMultiplier>
<uom>38</uom></ReadingType></MirrorMeterReading></MirrorUsagePoint>"""
_STATUS = """<DERStatus xmlns="{ns}"><operationalModeStatus><dateTime>{now}</dateTime><value>2</value></operationalModeStatus>
<readingTime>{now}</readingTime></DERStatus>"""


async def _judge(base: str, folder: Path, name: str, watts: int) -> None:
    certificate = folder / f"{name}.pem"
    ciphers = "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0"
    client = Sep2Client(base, TlsConfig(certificate, folder / f"{name}.key", folder / "ca.pem", ciphers=ciphers))
    lfdi = compute_lfdi(certificate.read_text())
    try:
        state = DiscoveredState()
        await discover(client, state, registration_pins={lfdi: 111_115})
        (device,) = state.end_devices.values()
        assert device.lfdi.hex() == lfdi, "the server knows the device by its certificate"
        assert int(device.device.s_fdi.value) == compute_sfdi(lfdi)
        assert len(device.ders) == 1 and len(device.fsa_list) == 1
        programs = sorted(state.der_programs.values(), key=lambda one: one.primacy)
        assert len(programs) == 4 and programs[0].primacy == 1, [one.href for one in programs]
        assert all(one.default_dercontrol is not None for one in programs)
        controls = [control for one in programs for control in one.der_controls]
        assert len(controls) == 1 and controls[0].interval.duration == 1800, "the operator's"
        assert state.time is not None
        assert (
            await client.put_bytes(device.der_status_href, _STATUS.format(ns=_NAMESPACE, now=int(time.time())).encode())
            == 204
        )
        posted = await client.post_bytes("/mup", _MIRROR.format(ns=_NAMESPACE, lfdi=lfdi, watts=watts).encode())
        assert posted and posted.endswith("/mup/1"), posted
    finally:
        await client.close()


if __name__ == "__main__":
    asyncio.run(_judge(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
    for block in sys.argv[5:]:  # of the documents, which know another address
        exec(block.replace("https://localhost:8443", sys.argv[1]).replace("batteries-3", sys.argv[3]), {})
    print("judged")
