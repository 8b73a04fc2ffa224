"""How devices are known: by what their certificate's digest begins with. Source: IEEE 2030.5-2018, sections 6.3.2 to 6.3.5 and 6.11."""

from __future__ import annotations

import hashlib
import ssl

CIPHERS = "ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0"
"""The mandatory suite first; those with GCM are what newer clients offer beside it."""


_HARDWARE_MODULE_NAME = "1.3.6.1.5.5.7.8.4"


def lfdi_of(certificate: bytes) -> str:
    """The long form: the first 160 bits of the SHA-256 digest of a certificate in DER, as upper-case hexadecimals."""
    return hashlib.sha256(certificate).hexdigest()[:40].upper()


def sfdi_of(lfdi: str) -> int:
    """The short form: the first 36 bits as a number, and a digit that makes the sum of all digits a multiple of ten."""
    number = int(lfdi[:9], 16)
    return number * 10 + -sum(int(digit) for digit in str(number)) % 10


def pin_of(first_five: int) -> int:
    """A registration PIN: five digits, and one that makes the sum of all a multiple of ten."""
    return first_five * 10 + -sum(int(digit) for digit in str(first_five)) % 10


def name_in(certificate: bytes) -> str:
    """Whom a certificate in DER names: its common name, or the serial number of its `HardwareModuleName` (RFC 4108), as devices have it; empty if it names nobody."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    try:
        read = x509.load_der_x509_certificate(certificate)
        names = read.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        if names:
            return str(names[0].value)
        also = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return ""
    for one in also.get_values_for_type(x509.OtherName):
        if one.type_id.dotted_string == _HARDWARE_MODULE_NAME:
            return _last_octets(one.value).decode("ascii", "replace")
    return ""


def _last_octets(der: bytes) -> bytes:
    """The octet string that ends a sequence of a short form in DER: a type, and a serial number."""
    at = 2 + 2 + der[3] if len(der) > 3 else 0  # past the sequence's head and the type
    return der[at + 2 : at + 2 + der[at + 1]] if at and len(der) > at + 1 and der[at] == 0x04 else b""


def server_context(certificate: str, key: str, authority: str) -> ssl.SSLContext:
    """TLS 1.2 with the standard's suites; clients must show a certificate that the authority signed.

    Raises
    ------
    OSError
        If a file cannot be read, or they do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    return context
