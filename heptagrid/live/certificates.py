"""Certificates for a live grid and its peers: an authority of one's own on the curve P-256, and what it signs.

For tests and laboratories: the authority's key lies beside its certificate, and nothing is ever revoked. Sources: RFC 5280; OCPP 1.6 security whitepaper edition 3
section 4 (a station's common name is its identity); IEEE 2030.5-2018 section 6.11 (policies, `hardwareModuleName` of RFC 4108, no end of validity, LFDI and SFDI).
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from heptagrid.foundation.errors import OutputError, UsageError

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

Purpose = Literal["server", "client", "station"]

AUTHORITY = "ca"
AUTHORITY_DAYS = 3650
BACK_DATED = timedelta(minutes=5)
"""Clocks of peers may be behind."""
NEVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""A certificate without an end (RFC 5280, 4.1.2.5)."""

DEVICE_POLICY = "1.3.6.1.4.1.40732.1.1"
"""IEEE 2030.5: a device of no special kind."""
TEST_POLICY = "1.3.6.1.4.1.40732.2.1"
"""IEEE 2030.5: a certificate for tests."""
_HARDWARE_MODULE_NAME = "1.3.6.1.5.5.7.8.4"  # RFC 4108
_HARDWARE_TYPE = bytes([0x06, 0x03, 0x88, 0x37, 0x01])  # OBJECT IDENTIFIER 2.999.1: the arc for examples (ITU-T X.660)
_USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}|[0-9A-Fa-f:]{2,39}")


@dataclass(frozen=True)
class Leaf:
    """What is to be signed. name: its common name and its file's; a server's is a host or an address. also: a server's further names. is_2030_5: as IEEE 2030.5 wants it."""

    name: str
    purpose: Purpose
    also: tuple[str, ...] = ()
    is_2030_5: bool = False


@dataclass(frozen=True)
class Written:
    """A certificate and its key as files (PEM). lfdi, sfdi: by which IEEE 2030.5 knows a device, from its certificate."""

    certificate: Path
    key: Path
    lfdi: str
    sfdi: str


class Authority:
    """Signs; its certificate and key are files in a folder."""

    def __init__(self, folder: Path, certificate: x509.Certificate, key: EllipticCurvePrivateKey) -> None:
        self.folder, self.certificate, self._key = folder, certificate, key

    @classmethod
    def of(cls, folder: Path) -> Authority:
        """The authority in a folder, or a new one there.

        Raises
        ------
        OutputError
            If its files cannot be read or written, or one is missing.
        """
        certificate, key = folder / f"{AUTHORITY}.pem", folder / f"{AUTHORITY}.key"
        if certificate.exists() != key.exists():
            there, missing = (certificate, key) if certificate.exists() else (key, certificate)
            raise OutputError(f"{there} is there and {missing} is not; restore it, or choose another folder")
        return cls._read(folder, certificate, key) if certificate.exists() else cls._new(folder)

    @classmethod
    def _read(cls, folder: Path, certificate: Path, key: Path) -> Authority:
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            known = x509.load_pem_x509_certificate(certificate.read_bytes())
            secret = load_pem_private_key(key.read_bytes(), None)
        except (OSError, ValueError, TypeError) as problem:
            raise OutputError(f"the authority in {folder} cannot be read: {problem}") from problem
        if not isinstance(secret, EllipticCurvePrivateKey) or known.public_key() != secret.public_key():
            raise OutputError(f"{key} is not the key of {certificate}")
        return cls(folder, known, secret)

    @classmethod
    def _new(cls, folder: Path) -> Authority:
        from cryptography import x509

        key = _new_key()
        name = _subject("heptagrid test authority")
        usage = _usage(key_cert_sign=True, crl_sign=True)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        now = datetime.now(UTC)
        built = (
            _builder(name, name, key, now, now + timedelta(days=AUTHORITY_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(identifier, critical=False)
        )
        made = cls(folder, _signed(built, key), key)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise OutputError(f"the folder {folder} cannot be made: {problem.strerror}") from problem
        made._write(AUTHORITY, made.certificate, key)
        return made

    def sign(self, leaf: Leaf, days: int = 365, *, force: bool = False) -> Written:
        """Make a key and a certificate, and write both.

        Raises
        ------
        UsageError
            For a name that cannot be one.
        OutputError
            If a file is there already, and `force` does not say that it may be replaced, or cannot be written.
        """
        if not _NAME.fullmatch(leaf.name) or leaf.name == AUTHORITY:
            raise UsageError(
                f"{leaf.name!r} cannot be a name here; write up to 64 letters, digits, '.', '_', '@' and '-', but not {AUTHORITY!r}"
            )
        path = self.folder / f"{_file_name(leaf.name)}.pem"
        if path.exists() and not force:
            raise OutputError(f"{path} exists; --force replaces it")
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding

        key, now = _new_key(), datetime.now(UTC)
        ends = NEVER if leaf.is_2030_5 else now + timedelta(days=days)
        subject = x509.Name([]) if leaf.is_2030_5 and leaf.purpose != "server" else _subject(leaf.name)
        built = _builder(subject, self.certificate.subject, key, now, ends)
        for extension, is_critical in self._extensions(leaf, key):
            built = built.add_extension(extension, is_critical)
        certificate = _signed(built, self._key)
        lfdi = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()[:20]
        written = self._write(_file_name(leaf.name), certificate, key)
        return Written(*written, lfdi.hex().upper(), sfdi_of(lfdi))

    def _extensions(self, leaf: Leaf, key: EllipticCurvePrivateKey) -> list[tuple[Any, bool]]:
        """Each extension, and whether it is critical."""
        from cryptography import x509
        from cryptography.x509.oid import ExtendedKeyUsageOID

        own = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        found: list[tuple[Any, bool]] = [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_usage(digital_signature=True, key_agreement=leaf.is_2030_5), True),
            (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own), False),
        ]
        names: list[x509.GeneralName] = []
        if leaf.purpose == "server":
            names += [_general_name(name) for name in (leaf.name, *leaf.also)]
        if leaf.is_2030_5:
            policies = [
                x509.PolicyInformation(x509.ObjectIdentifier(one), None) for one in (DEVICE_POLICY, TEST_POLICY)
            ]
            found.append((x509.CertificatePolicies(policies), True))
            names.append(x509.OtherName(x509.ObjectIdentifier(_HARDWARE_MODULE_NAME), hardware_module_name(leaf.name)))
        else:
            purpose = ExtendedKeyUsageOID.SERVER_AUTH if leaf.purpose == "server" else ExtendedKeyUsageOID.CLIENT_AUTH
            found.append((x509.ExtendedKeyUsage([purpose]), False))
            found.append((x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False))
        if names:
            found.append((x509.SubjectAlternativeName(names), leaf.is_2030_5 and leaf.purpose != "server"))
        return found

    def _write(self, name: str, certificate: x509.Certificate, key: EllipticCurvePrivateKey) -> tuple[Path, Path]:
        """Write the key first, readable by its owner alone, then the certificate."""
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        paths = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        try:
            paths[1].unlink(missing_ok=True)
            with os.fdopen(os.open(paths[1], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secret)
            paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
        except OSError as problem:
            raise OutputError(f"{problem.filename} cannot be written: {problem.strerror}") from problem
        return paths


def hardware_module_name(serial: str) -> bytes:
    """A `HardwareModuleName` (RFC 4108) in DER: a sequence of the type and the serial number as octets."""
    octets = serial.encode()
    content = _HARDWARE_TYPE + bytes([0x04, len(octets)]) + octets
    return bytes([0x30, len(content)]) + content


def sfdi_of(lfdi: bytes) -> str:
    """The short form: the first 36 bits as a number, and a digit that makes the sum of all digits a multiple of ten."""
    number = str(int.from_bytes(lfdi[:5], "big") >> 4)
    return number + str(-sum(map(int, number)) % 10)


def _file_name(name: str) -> str:
    return name.replace(":", "-")


def _new_key() -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _subject(name: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "heptagrid")
    return x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general_name(name: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(**used: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(**{name: used.get(name, False) for name in _USAGES})


def _builder(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey, now: datetime, ends: datetime
) -> x509.CertificateBuilder:
    from cryptography import x509

    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACK_DATED)
        .not_valid_after(ends)
    )


def _signed(built: x509.CertificateBuilder, key: EllipticCurvePrivateKey) -> x509.Certificate:
    from cryptography.hazmat.primitives.hashes import SHA256

    return built.sign(key, SHA256())
