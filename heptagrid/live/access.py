"""Who may reach a live grid: loopback alone unless it is said otherwise, and then only with a token, and TLS where there are certificates."""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from heptagrid.foundation.errors import UsageError
from heptagrid.live.tls import server_context

SHORTEST_TOKEN = 16
"""Letters that a token has at least: assumption, 96 bits of base64."""
_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]+")  # what a bearer token may hold (RFC 6750)


@dataclass(frozen=True)
class Access:
    """How a live grid is reached, and by whom.

    listen: the address. names: under which it is reached beside that. tokens: of the interface; without one everybody on this machine may ask.
    tls: for the interface; protocol_tls: for the protocols that have it, mutual where there is an authority.
    """

    listen: str = "127.0.0.1"
    names: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    tls: ssl.SSLContext | None = None
    protocol_tls: ssl.SSLContext | None = None

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        return is_loopback(self.listen)

    @property
    def needs_token(self) -> bool:
        return bool(self.tokens)

    @property
    def is_tls(self) -> bool:
        return self.tls is not None

    @property
    def address(self) -> str:
        """For a URL: the host by which it is reached."""
        host = "localhost" if is_anywhere(self.listen) else self.listen
        return f"[{host}]" if ":" in host else host

    def is_token(self, given: str | None) -> bool:
        """Whether a token is one of those that are valid; in a time that does not tell which letters are right."""
        if not given:
            return False
        matches = [hmac.compare_digest(given.encode(), one.encode()) for one in self.tokens]
        return any(matches)

    def knows_host(self, header: str) -> bool:
        """Whether a request's host is ours, and not a name that somebody else points at us (DNS rebinding)."""
        host = _host(header)
        if host is None:
            return False
        if host in self.names or host == self.listen.lower():
            return True
        if is_loopback(self.listen):
            return host in _LOCAL_NAMES or _is_loopback_address(host)
        return host in _LOCAL_NAMES or _is_address(host) or host == socket.gethostname().lower()

    @staticmethod
    def knows_origin(origin: str, host: str) -> bool:
        """Whether a page of an origin may ask: only one that this grid itself served, from the host that is asked."""
        scheme, colon, rest = origin.partition("://")
        return bool(colon) and scheme in ("http", "https") and rest.lower() == host.lower()


@dataclass(frozen=True)
class AccessFiles:
    """What a user gives. names: under which the grid is reached; token_file: a token a line; tls_*: certificate, key, and the authority of clients, as PEM."""

    listen: str = "127.0.0.1"
    names: tuple[str, ...] = ()
    token_file: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_ca: Path | None = None


def access_from(given: AccessFiles) -> tuple[Access, str | None]:
    """How a grid is reached, and the token that was made for it, if one was.

    Raises
    ------
    UsageError
        For an address that is none, a file that cannot be read, or listening beyond this machine without TLS.
    """
    listen = given.listen
    if listen != "localhost" and not _is_address(listen):
        raise UsageError(f"--listen {listen}: write an IP address, such as 127.0.0.1 or 0.0.0.0")
    if given.tls_cert is None and (given.tls_key or given.tls_ca):
        raise UsageError("--tls-key and --tls-ca need --tls-cert")
    tokens = () if given.token_file is None else _read_tokens(given.token_file)
    tls = mutual = None
    if given.tls_cert is not None:
        tls = server_context(given.tls_cert, given.tls_key, None)
        mutual = server_context(given.tls_cert, given.tls_key, given.tls_ca)
    made = None
    if not is_loopback(listen):
        if tls is None:
            raise UsageError(
                f"--listen {listen}: beyond this machine only with TLS, or its tokens could be read on the way; "
                "heptagrid certs FOLDER makes certificates, --tls-cert FOLDER/localhost.pem --tls-key FOLDER/localhost.key uses them"
            )
        if not tokens:
            made = secrets.token_urlsafe(24)
            tokens = (made,)
    return Access(listen, tuple(name.lower() for name in given.names), tokens, tls, mutual), made


def is_loopback(listen: str) -> bool:
    """Whether only this machine reaches an address."""
    return listen == "localhost" or _is_loopback_address(listen)


def is_anywhere(listen: str) -> bool:
    """Whether an address stands for all of a machine."""
    return listen in ("0.0.0.0", "::")


def _read_tokens(file: Path) -> tuple[str, ...]:
    """The tokens in a file, one a line; lines with # at their begin are remarks."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        said = getattr(problem, "strerror", None) or "it is no text"
        raise UsageError(f"--token-file {file}: it cannot be read: {said}") from problem
    tokens = tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))
    if not tokens:
        raise UsageError(f"--token-file {file}: there is no token in it; write one a line")
    for number, token in enumerate(tokens, 1):
        if len(token) < SHORTEST_TOKEN or not _TOKEN.fullmatch(token):
            raise UsageError(
                f"--token-file {file}: token {number} is too short or has letters that no header takes; "
                f"write {SHORTEST_TOKEN} or more of A-Z, a-z, 0-9, -, ., _, ~, +, / and ="
            )
    return tokens


def _host(header: str) -> str | None:
    """The host of a Host header or an origin's end, without its port; None if it is malformed."""
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?", header)
    return found[1].strip("[]").lower() if found else None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback_address(host: str) -> bool:
    return _is_address(host) and ipaddress.ip_address(host).is_loopback
