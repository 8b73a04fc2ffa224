"""Security profiles 1 to 3 of OCPP: basic authentication, TLS, and certificates on both sides.

Source: OCPP 1.6 security whitepaper edition 3 (2022), and OCPP 2.0.1 part 2 A00.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ssl
from collections.abc import Mapping
from typing import Any

from heptagrid.foundation.errors import UsageError

NONE, BASIC, TLS, MUTUAL = range(4)


def server_context(
    profile: int, certificate: str, key: str, authority: str, given: ssl.SSLContext | None = None
) -> ssl.SSLContext | None:
    """How the CSMS accepts chargers; None: without TLS. Files in PEM; given: what there is without files.

    Raises
    ------
    UsageError
        For a file that is missing or none of that kind, and for a profile without what it needs.
    """
    context = given
    if profile >= TLS and certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        _load(context, certificate, key, authority if profile == MUTUAL else "")
        if profile == MUTUAL and authority:
            context.verify_mode = ssl.CERT_REQUIRED
    if profile >= TLS and context is None:
        raise UsageError(f"live.ocpp.certificate: security profile {profile} needs one; heptagrid certs makes it")
    if profile == MUTUAL and context is not None and context.verify_mode is not ssl.CERT_REQUIRED:
        raise UsageError("live.ocpp.authority: security profile 3 needs it; heptagrid certs makes one")
    return context


def client_context(profile: int, certificate: str, key: str, authority: str) -> ssl.SSLContext:
    """How a station connects over TLS; authority: whose certificates it believes, empty: the system's.

    Raises
    ------
    UsageError
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, certificate if profile == MUTUAL else "", key, authority)
    return context


def _load(context: ssl.SSLContext, certificate: str, key: str, authority: str) -> None:
    try:
        if certificate:
            context.load_cert_chain(certificate, key or None)
        if authority:
            context.load_verify_locations(authority)
    except (OSError, ssl.SSLError) as problem:
        files = ", ".join(one for one in (certificate, key, authority) if one)
        raise UsageError(f"live.ocpp: the certificates {files} cannot be used: {problem}") from problem


def basic(identity: str, password: str) -> str:
    """The header Authorization of a station."""
    return "Basic " + base64.b64encode(f"{identity}:{password}".encode()).decode()


def is_password_of(header: str | None, identity: str, password: str) -> bool:
    """Whether a header names the station and its password; time does not tell how much of it was right."""
    scheme, _, coded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(coded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(given, f"{identity}:{password}".encode())


def common_name(certificate: Mapping[str, Any] | None) -> str:
    """Of a certificate's subject as `ssl` shows it; empty without one."""
    for name in (certificate or {}).get("subject", ()):
        for key, value in name:
            if key == "commonName":
                return str(value)
    return ""
