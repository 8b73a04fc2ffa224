"""How devices are known: by what their certificate's digest begins with. Source: IEEE 2030.5-2018, sections 6.3.2 to 6.3.5 and 6.11."""

from __future__ import annotations

import hashlib
import ssl

CIPHERS = "ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0"
"""The mandatory suite first; those with GCM are what newer clients offer beside it."""


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


def common_name(certificate: bytes) -> str:
    """The common name of a certificate in DER; empty if it has none."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    try:
        names = x509.load_der_x509_certificate(certificate).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError:
        return ""
    return str(names[0].value) if names else ""


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
