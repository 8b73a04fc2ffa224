"""Who may reach a live grid: tokens, TLS, hosts and origins; certificates of one's own."""

from __future__ import annotations

import asyncio
import hmac
import json
import ssl
import stat
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from heptagrid.cli import main
from heptagrid.foundation.errors import OutputError, UsageError
from heptagrid.live.access import Access, AccessFiles, access_from
from heptagrid.live.certificates import Authority, Leaf, hardware_module_name, sfdi_of
from heptagrid.live.http.guard import COOKIE, Guard
from heptagrid.live.http.server import HttpServer
from heptagrid.live.serve import Options
from heptagrid.scenario.schema import Scenario
from tests.live.harness import EVENING, live_grid

TOKEN = "a-token-of-a-test-0123456789"


class Counts:
    """What a grid counts."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


class Answer:
    """What an application answered. status: 101 for a WebSocket that it accepted."""

    def __init__(self, sent: list[dict[str, Any]]) -> None:
        first = sent[0]
        self.status = first.get("status", 101 if first["type"] == "websocket.accept" else 403)
        self.headers = {name.decode(): value.decode() for name, value in first.get("headers", [])}
        self.body = b"".join(one.get("body", b"") for one in sent[1:])


class Asker:
    """Asks an application behind the guard that answers everybody whom the guard lets in."""

    def __init__(self, access: Access) -> None:
        self.counts: Any = Counts()

        async def inner(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "websocket":
                await send({"type": "websocket.accept"})
                return
            await PlainTextResponse("here")(scope, receive, send)

        self._guard = Guard(inner, access, self.counts)

    def ask(self, method: str, target: str, host: str = "127.0.0.1:8080", **headers: str) -> Answer:
        """Ask for a target; method "WS" opens a WebSocket."""
        path, _, query = target.partition("?")
        fields = [("host", host), *headers.items()]
        scope: dict[str, Any] = {
            "type": "websocket" if method == "WS" else "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in fields],
        }
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        asyncio.run(self._guard(scope, receive, send))
        return Answer(sent)


@pytest.mark.parametrize(
    ("host", "is_known"),
    [
        *[
            (one, True)
            for one in ("localhost", "localhost:8080", "127.0.0.1", "127.3.4.5:1", "[::1]:8080", "LOCALHOST")
        ],
        *[(one, False) for one in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.0.2.1")],
        *[(one, False) for one in ("", "localhost:", "local host", "localhost@evil", "a/b", "[::1", "0.0.0.0")],
    ],
)
def test_on_loopback_only_names_of_this_machine_are_hosts(host: str, is_known: bool) -> None:
    asker = Asker(Access())
    assert asker.ask("GET", "/state", host).status == (200 if is_known else 403)
    assert asker.counts.counts == ({} if is_known else {"interface: refused by host": 1})


@pytest.mark.parametrize(
    ("origin", "is_known"),
    [
        ("http://127.0.0.1:8080", True),
        ("https://127.0.0.1:8080", True),
        *[
            (one, False)
            for one in ("http://evil.example", "null", "http://127.0.0.1:3000", "http://localhost:8080", "")
        ],
        *[(one, False) for one in ("file://127.0.0.1:8080", "http://127.0.0.1:8080/", "127.0.0.1:8080")],
    ],
)
def test_only_pages_that_the_grid_served_may_ask(origin: str, is_known: bool) -> None:
    asker = Asker(Access())
    assert asker.ask("POST", "/clock", origin=origin).status == (200 if is_known else 403)
    assert asker.ask("WS", "/messages/stream", origin=origin).status == (101 if is_known else 403)


def test_a_token_opens_what_nobody_else_may_ask() -> None:
    access = Access("0.0.0.0", ("grid.example",), (TOKEN, "another-token-0123456789"))
    asker, host = Asker(access), "grid.example:8080"
    answer = asker.ask("GET", "/state", host)
    assert answer.status == 401 and answer.headers["www-authenticate"].startswith("Bearer")
    assert json.loads(answer.body)["remedy"]
    for wrong in ("Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", "Bearer \u00fc"):
        assert asker.ask("GET", "/state", host, authorization=wrong).status == 401
    for right in (TOKEN, "another-token-0123456789"):
        assert asker.ask("GET", "/state", host, authorization=f"bearer {right}").status == 200
    assert asker.ask("WS", "/messages/stream", host).status == 403
    assert asker.ask("WS", f"/messages/stream?token={TOKEN}", host).status == 101
    assert asker.counts.counts == {"interface: refused by token": 8}


def test_a_browser_brings_the_token_once_and_keeps_it_in_a_cookie() -> None:
    asker, host = Asker(Access("0.0.0.0", (), (TOKEN,))), "192.0.2.1:8080"
    answer = asker.ask("GET", f"/room?view=map&token={TOKEN}", host)
    assert (answer.status, answer.headers["location"]) == (303, "/room?view=map")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}={TOKEN}") and "HttpOnly" in cookie and "samesite=strict" in cookie.lower()
    assert asker.ask("GET", "/room", host, cookie=f"{COOKIE}={TOKEN}").status == 200
    assert asker.ask("GET", "/room", host).status == 401
    assert asker.ask("POST", f"/clock?token={TOKEN}", host).status == 401
    assert asker.ask("GET", f"//evil.example/?token={TOKEN}", host).headers["location"] == "/evil.example/"
    assert asker.ask("GET", "/room", host, cookie=f'{COOKIE}="').status == 401


def test_tokens_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(a: bytes, b: bytes) -> bool:
        compared.append((a, b))
        return a == b

    monkeypatch.setattr(hmac, "compare_digest", compare)
    access = Access(tokens=(TOKEN, "another-token-0123456789"))
    assert access.is_token(TOKEN) and not access.is_token("x") and not access.is_token(None)
    assert len(compared) == 4, "each is compared, whether one before was right or not"


def test_beyond_this_machine_only_with_tls(tmp_path: Path) -> None:
    for listen in ("0.0.0.0", "::", "192.0.2.7"):
        with pytest.raises(UsageError, match="only with TLS"):
            access_from(AccessFiles(listen))
    with pytest.raises(UsageError, match="write an IP address"):
        access_from(AccessFiles("example.com"))
    for listen in ("127.0.0.1", "127.8.8.8", "::1", "localhost"):
        access, made = access_from(AccessFiles(listen))
        assert access.is_local and not access.needs_token and made is None
    written = Authority.of(tmp_path).sign(Leaf("localhost", "server"))
    access, made = access_from(AccessFiles("0.0.0.0", tls_cert=written.certificate, tls_key=written.key))
    assert made is not None and access.is_token(made) and len(made) >= 32 and access.is_tls
    _, other = access_from(AccessFiles("0.0.0.0", tls_cert=written.certificate, tls_key=written.key))
    assert other != made


@pytest.mark.parametrize(
    "content", ["", "# remark\n\n", "short\n", "a token with spaces in it\n", "t\u00f6ken-0123456789-0123\n"]
)
def test_a_token_file_without_good_tokens_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "tokens"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match="--token-file"):
        access_from(AccessFiles(token_file=file))
    file.write_text(f"# of the head end\n{TOKEN}\n", encoding="utf-8")
    assert access_from(AccessFiles(token_file=file))[0].tokens == (TOKEN,)
    with pytest.raises(UsageError, match="cannot be read"):
        access_from(AccessFiles(token_file=tmp_path / "none"))


def test_files_of_tls_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    authority = Authority.of(tmp_path)
    one, other = authority.sign(Leaf("one", "server")), authority.sign(Leaf("other", "server"))
    with pytest.raises(UsageError, match="do not belong together"):
        access_from(AccessFiles(tls_cert=one.certificate, tls_key=other.key))
    with pytest.raises(UsageError, match="cannot be read"):
        access_from(AccessFiles(tls_cert=tmp_path / "none.pem", tls_key=one.key))
    with pytest.raises(UsageError, match="--tls-ca"):
        access_from(AccessFiles(tls_cert=one.certificate, tls_key=one.key, tls_ca=one.key))
    with pytest.raises(UsageError, match="need --tls-cert"):
        access_from(AccessFiles(tls_key=one.key))


def test_a_grid_beyond_this_machine_asks_for_its_token_over_tls(lane: Scenario, tmp_path: Path) -> None:
    authority = Authority.of(tmp_path)
    server = authority.sign(Leaf("localhost", "server", ("127.0.0.1",)))
    files = AccessFiles(tls_cert=server.certificate, tls_key=server.key, tls_ca=tmp_path / "ca.pem")
    options = Options(at=EVENING, paused=True, listen="0.0.0.0", access=files)
    said: list[str] = []

    async def look() -> None:
        async with live_grid(lane, options=options) as harness:
            run = harness.run
            http = HttpServer(run)
            await http.start("0.0.0.0", 0)
            said.extend(run.access_words(http.port))
            base = f"https://localhost:{http.port}"
            trusted = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
            async with httpx.AsyncClient(base_url=base, verify=trusted) as client:
                assert (await client.get("/state")).status_code == 401
                token = run.access.tokens[0]
                answer = await client.get("/state", headers={"Authorization": f"Bearer {token}"})
                assert answer.status_code == 200
            async with httpx.AsyncClient(base_url=base) as stranger:
                with pytest.raises(httpx.ConnectError):
                    await stranger.get("/state")
            assert run.access.protocol_tls is not None
            assert run.access.protocol_tls.verify_mode is ssl.CERT_REQUIRED
            await http.stop()

    asyncio.run(look())
    assert said[0].startswith("control room: https://localhost:") and "?token=" in said[0]


def test_certificates_connect_a_server_and_its_clients(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        main, ["certs", str(tmp_path), "--server", "localhost,127.0.0.1", "--client", "head-end", "--station", "CP-17"]
    )
    assert result.exit_code == 0, result.output
    stranger = Authority.of(tmp_path / "stranger").sign(Leaf("CP-17", "station"))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "localhost.pem", tmp_path / "localhost.key")
    server.load_verify_locations(tmp_path / "ca.pem")
    server.verify_mode = ssl.CERT_REQUIRED

    def shake(certificate: Path, key: Path) -> str:
        """The common name that the server sees."""
        client = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        client.load_cert_chain(certificate, key)
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        ends = (
            client.wrap_bio(to_client, to_server, server_hostname="localhost"),
            server.wrap_bio(to_server, to_client, server_side=True),
        )
        for _ in range(5):
            for end in ends:
                try:
                    end.do_handshake()
                except ssl.SSLWantReadError:
                    continue
        seen = ends[1].getpeercert()
        assert seen is not None
        return next(value for name in seen["subject"] for key, value in name if key == "commonName")

    assert shake(tmp_path / "CP-17.pem", tmp_path / "CP-17.key") == "CP-17"
    assert shake(tmp_path / "head-end.pem", tmp_path / "head-end.key") == "head-end"
    with pytest.raises(ssl.SSLError):
        shake(stranger.certificate, stranger.key)


def test_keys_are_for_their_owner_alone_and_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    authority = Authority.of(tmp_path)
    written = authority.sign(Leaf("localhost", "server"))
    for key in (written.key, tmp_path / "ca.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = written.certificate.read_bytes()
    with pytest.raises(OutputError, match="--force"):
        authority.sign(Leaf("localhost", "server"))
    assert written.certificate.read_bytes() == before
    again = Authority.of(tmp_path)
    assert again.certificate == authority.certificate
    again.sign(Leaf("localhost", "server"), force=True)
    assert written.certificate.read_bytes() != before
    (tmp_path / "ca.key").unlink()
    with pytest.raises(OutputError, match=r"ca.key is not"):
        Authority.of(tmp_path)


@pytest.mark.parametrize("name", ["", "ca", "../x", "a/b", "a b", "x" * 65, ".hidden", "-x", "a\n"])
def test_names_that_would_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a name"):
        Authority.of(tmp_path).sign(Leaf(name, "client"))


def test_a_certificate_for_ieee_2030_5_is_as_the_standard_says(tmp_path: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    written = Authority.of(tmp_path).sign(Leaf("DER-1", "client", is_2030_5=True))
    found = x509.load_pem_x509_certificate(written.certificate.read_bytes())
    assert not list(found.subject) and found.not_valid_after_utc.year == 9999
    policies = found.extensions.get_extension_for_class(x509.CertificatePolicies)
    assert policies.critical
    assert policies.value[0].policy_identifier.dotted_string == "1.3.6.1.4.1.40732.1.1"
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    (other,) = names.value.get_values_for_type(x509.OtherName)
    assert names.critical and other.type_id.dotted_string == "1.3.6.1.5.5.7.8.4"
    assert other.value == hardware_module_name("DER-1") == bytes.fromhex("300c06038837010405") + b"DER-1"
    key = load_pem_private_key(written.key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)
    lfdi = bytes.fromhex(written.lfdi)
    assert len(lfdi) == 20 and sfdi_of(lfdi) == written.sfdi and sum(map(int, written.sfdi)) % 10 == 0


def test_the_short_form_of_a_device_is_that_of_the_standards_example() -> None:
    # IEEE 2030.5-2018, 6.3.4: the certificate fingerprint 3E4F-45AB-31ED-FE5B-67E3-43E5-E456-2E31-984E-23E5-349E-2AD7-4567-2ED1-45EE-213A
    # has the LFDI 3E4F45AB31EDFE5B67E343E5E4562E31984E23E5 and the SFDI 167261211391.
    assert sfdi_of(bytes.fromhex("3E4F45AB31EDFE5B67E343E5E4562E31984E23E5")) == "167261211391"
