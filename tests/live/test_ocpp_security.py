"""Security profiles 2 and 3 of OCPP, in both roles."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from heptagrid.foundation.errors import UsageError
from heptagrid.live.protocol import Listening
from heptagrid.live.protocols.ocpp.security import MUTUAL, TLS, basic, is_password_of, server_context
from heptagrid.scenario.schema import Scenario
from tests.live.harness import live_grid
from tests.live.ocpp_judge import judge
from tests.live.test_ocpp_live import IDEAL, station_options, until, with_csms

PASSWORD = "0123456789abcdef"


class Authority:
    """Signs certificates in a folder: NAME.pem with certificate and key together, NAME.key with the key alone, and authority.pem."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority of tests")])
        self.file = str(folder / "authority.pem")
        own = self._signed(self._name, self._key, is_authority=True)
        Path(self.file).write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str) -> str:
        """A certificate of that common name, for 127.0.0.1; its file."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        pem = serialization.Encoding.PEM
        secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (self.folder / f"{name}.key").write_bytes(secret)
        file = self.folder / f"{name}.pem"
        file.write_bytes(self._signed(subject, key, is_authority=False).public_bytes(pem) + secret)
        return str(file)

    def _signed(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, is_authority: bool) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(here, critical=False)
            .sign(self._key, hashes.SHA256())
        )


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.mark.long
def test_our_csms_asks_for_a_certificate_of_the_station_itself(lane: Scenario, authority: Authority) -> None:
    server, own, another = (authority.issue(name) for name in ("localhost", "vehicles-0", "vehicles-1"))
    settings = ("live.ocpp.profile=3", f'live.ocpp.certificate="{server}"', f'live.ocpp.authority="{authority.file}"')

    async def drive() -> None:
        async with live_grid(lane, {"ocpp": None}, settings=settings, options=IDEAL) as harness:
            here = f"wss://127.0.0.1:{harness.ports['ocpp']}"
            for files, is_taken in (
                ({"certificate": own, "key": own}, True),
                ({"certificate": another, "key": another}, False),
                ({}, False),
            ):
                more: dict[str, Any] = {"endpoint": here, "authority": authority.file, **files}
                async with judge("station", **station_options(harness, **more)) as charger:
                    said = await charger.waiting(lambda one: "connected" in one or "refused" in one)
                    assert ("connected" in said) is is_taken, (files, said)
                    if is_taken:
                        boot = {"chargePointModel": "X", "chargePointVendor": "Y"}
                        assert (await charger.call("BootNotification", boot))["result"]["status"] == "Accepted"
            assert harness.run.grid.counts["ocpp refused: certificate of another station"] == 1
            assert "vehicles-1" not in harness.run.protocols[0].csms.seats  # type: ignore[attr-defined]

    asyncio.run(drive())


@pytest.mark.long
def test_charge_points_show_their_certificates(lane: Scenario, authority: Authority) -> None:
    server = authority.issue("localhost")
    for k in range(2):
        authority.issue(f"vehicles-{k}")

    async def drive() -> None:
        settings = (
            "live.ocpp.csms_profile=3",
            "live.ocpp.charge_points=2",
            f'live.ocpp.csms_authority="{authority.file}"',
            f'live.ocpp.csms_certificates="{authority.folder}"',
        )
        judged = {"certificate": server, "key": server, "authority": authority.file}
        async with with_csms(lane, "2.0.1", *settings, **judged) as (harness, csms):
            await until(harness, lambda: harness.run.protocols[0].fleet.connected == 2)  # type: ignore[attr-defined]
            await csms.heard("BootNotification", "vehicles-1")
            assert csms.violations == []

    asyncio.run(drive())


@pytest.mark.long
def test_charge_points_show_their_password_over_tls_and_believe_one_authority(
    lane: Scenario, authority: Authority, tmp_path: Path
) -> None:
    server = authority.issue("localhost")
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")

    async def drive(believed: str, is_taken: bool) -> None:
        settings = (
            "live.ocpp.csms_profile=2",
            "live.ocpp.charge_points=1",
            f'live.ocpp.csms_authority="{believed}"',
            f'live.ocpp.csms_password="{PASSWORD}"',
        )
        judged = {"certificate": server, "key": server, "password": PASSWORD}
        async with with_csms(lane, "1.6", *settings, **judged) as (harness, csms):
            if is_taken:
                await csms.heard("BootNotification", "vehicles-0")
            else:
                await until(harness, lambda: "ocpp no connection: SSLCertVerificationError" in harness.run.grid.counts)
                assert not any("connected" in one for one in csms.said)

    asyncio.run(drive(authority.file, True))
    asyncio.run(drive(other.file, False))


@pytest.mark.long
def test_only_this_machine_connects_without_security(lane: Scenario) -> None:
    async def drive() -> None:
        async with live_grid(lane, {"ocpp": None}, options=IDEAL) as harness:
            (one,) = harness.run.protocols
            assert not one.authenticates, "so that it is not opened beyond this machine"
            for profile, missing in ((1, "password"), (2, "certificate"), (3, "certificate")):
                again = type(one)(harness.run.grid, replace(one.parameters, profile=profile))
                assert again.authenticates
                with pytest.raises(UsageError, match=rf"live\.ocpp\.{missing}"):
                    await again.start(Listening("127.0.0.1", 0))
            with pytest.raises(UsageError, match="cannot be listened on"):
                await type(one)(harness.run.grid, one.parameters).start(Listening("127.0.0.1", one.listens_on))

    asyncio.run(drive())


def test_passwords_are_compared_whole() -> None:
    header = basic("GARAGE", PASSWORD)
    assert is_password_of(header, "GARAGE", PASSWORD)
    for wrong in (None, "", "Basic", "Basic !", "Bearer abc", basic("GARAGE", ""), basic("YARD", PASSWORD)):
        assert not is_password_of(wrong, "GARAGE", PASSWORD)


@pytest.mark.parametrize("profile", [TLS, MUTUAL])
def test_files_that_are_no_certificates_are_named(profile: int, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing\.pem"):
        server_context(profile, str(tmp_path / "nothing.pem"), "", "")
