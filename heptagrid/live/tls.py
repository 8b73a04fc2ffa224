"""TLS of a live grid: the server's certificate, and the authority whose clients are asked for theirs."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

from heptagrid.foundation.errors import UsageError


def server_context(certificate: Path, key: Path | None, authority: Path | None) -> ssl.SSLContext:
    """A server's context: TLS 1.2 and later. authority: clients must show a certificate that it signed (mutual TLS); None: they need none.

    Raises
    ------
    UsageError
        If a file cannot be read, or key and certificate do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ssl.SSLError) as problem:
        raise UsageError(
            f"--tls-cert {certificate}{f' --tls-key {key}' if key else ''}: {_said(problem)}; "
            "heptagrid certs FOLDER makes a pair that works"
        ) from problem
    if authority is not None:
        try:
            context.load_verify_locations(authority)
        except (OSError, ssl.SSLError) as problem:
            raise UsageError(f"--tls-ca {authority}: {_said(problem)}; write a file of certificates (PEM)") from problem
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def counted(context: ssl.SSLContext, count: Callable[[str], None], name: str) -> ssl.SSLContext:
    """The same context, with each handshake that fails counted under a name and what OpenSSL says of it, such as "sep2: TLS refused, certificate verify failed"."""

    class Counted(ssl.SSLObject):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError as problem:
                why = (problem.reason or "unknown").lower().replace("_", " ")
                count(f"{name}: TLS refused, {why}")
                raise

    context.sslobject_class = Counted
    return context


def _no_password() -> str:
    """Keys with a password are refused, for nobody is there to type it."""
    raise UsageError("--tls-key: the key has a password; write one without")


def _said(problem: OSError) -> str:
    if isinstance(problem, ssl.SSLError):
        return f"they do not belong together, or are no PEM ({problem.reason or 'unknown'})"
    return f"it cannot be read: {problem.strerror}"
