"""Ciphering with security suite 0 (AES-GCM-128; IEC 62056-5-3): units under the global or a dedicated key, and the proof of a challenge.

A number that is used once protects each unit: the sender's system title and its invocation counter, which must grow.
"""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest

from heptagrid.live.protocols.dlms.data import MalformedError, Reader, length

AUTHENTICATED, ENCRYPTED = 0x10, 0x20
PROOF_BYTES = 17
"""Security control, counter and tag, with which a challenge is proved."""
OVERHEAD_BYTES = 40
"""What ciphering adds to a unit at most."""
HIGHEST = 0xFFFFFFFF
"""The last invocation counter; then the key must be exchanged."""
_TAG_BYTES = 12
_GENERAL_GLOBAL, _GENERAL_DEDICATED = 219, 220
_GLOBAL = {200: 192, 201: 193, 203: 195, 33: 1}
_DEDICATED = {208: 192, 209: 193, 211: 195}
_GLOBAL_ANSWER = {8: 40, 14: 46, 196: 204, 197: 205, 199: 207}
_DEDICATED_ANSWER = {196: 212, 197: 213, 199: 215}


class CipheringError(MalformedError):
    """A unit that cannot be deciphered: another key, a changed byte, or a protection that is not taken."""


class ReplayedError(CipheringError):
    """A unit whose invocation counter has been used. expected: the lowest that is taken."""

    def __init__(self, expected: int) -> None:
        super().__init__(f"an invocation counter that was used; {expected} or more is expected")
        self.expected = expected


@dataclass(frozen=True)
class Keys:
    """The keys of a meter: for encryption, and for authentication; 16 bytes each."""

    encryption: bytes
    authentication: bytes


@dataclass(frozen=True)
class Protection:
    """How a unit is protected, so that its answer is protected alike. control: the security control byte; is_dedicated: by the association's own key; is_general: whether the system title travels with it."""

    control: int
    is_dedicated: bool
    is_general: bool


@dataclass(frozen=True)
class Ciphered:
    """A unit that came protected. tag: the service that it says it is, 0 where only the plain text tells."""

    protection: Protection
    counter: int
    content: bytes
    title: bytes
    tag: int


def is_ciphered(apdu: bytes) -> bool:
    """Whether a unit is a ciphered one."""
    return bool(apdu) and (
        apdu[0] in _GLOBAL or apdu[0] in _DEDICATED or apdu[0] in (_GENERAL_GLOBAL, _GENERAL_DEDICATED)
    )


def parsed(apdu: bytes) -> Ciphered:
    """The parts of a ciphered unit, not yet deciphered.

    Raises
    ------
    MalformedError
        If it is none.
    CipheringError
        For a protection that is not taken: without authentication, compressed, under a broadcast key, or of another suite.
    """
    reader = Reader(apdu)
    tag = reader.byte()
    is_general = tag in (_GENERAL_GLOBAL, _GENERAL_DEDICATED)
    title = reader.string() if is_general else b""
    body = Reader(reader.string())
    reader.end()
    control, counter = body.byte(), body.number(4)
    if control not in (AUTHENTICATED, AUTHENTICATED | ENCRYPTED):
        raise CipheringError(f"security control {control:#x} is not taken")
    is_dedicated = tag == _GENERAL_DEDICATED or tag in _DEDICATED
    service = 0 if is_general else (_DEDICATED if is_dedicated else _GLOBAL)[tag]
    return Ciphered(Protection(control, is_dedicated, is_general), counter, body.rest(), title, service)


def deciphered(keys: Keys, title: bytes, unit: Ciphered) -> bytes:
    """The plain text of a unit that the owner of a system title sent.

    Raises
    ------
    CipheringError
        If it does not prove to be from somebody with the keys.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    content, tag = unit.content[:-_TAG_BYTES], unit.content[-_TAG_BYTES:]
    if len(tag) < _TAG_BYTES:
        raise CipheringError("a unit without a tag")
    number = modes.GCM(title + unit.counter.to_bytes(4, "big"), tag, min_tag_length=_TAG_BYTES)
    cipher = Cipher(algorithms.AES(keys.encryption), number).decryptor()
    is_encrypted = bool(unit.protection.control & ENCRYPTED)
    beside = bytes((unit.protection.control,)) + keys.authentication
    try:
        cipher.authenticate_additional_data(beside if is_encrypted else beside + content)
        plain = cipher.update(content if is_encrypted else b"") + cipher.finalize()
    except InvalidTag as problem:
        raise CipheringError("the tag is wrong") from problem
    found = plain if is_encrypted else content
    if not found or (unit.tag and found[0] != unit.tag):
        raise CipheringError("the plain text is of another service than its tag says")
    return found


def ciphered(keys: Keys, title: bytes, counter: int, protection: Protection, plain: bytes) -> bytes:
    """A unit that the owner of a system title sends."""
    content = _sealed(keys, title, counter, protection.control, plain)
    body = bytes((protection.control,)) + counter.to_bytes(4, "big") + content
    whole = length(len(body)) + body
    if protection.is_general:
        tag = _GENERAL_DEDICATED if protection.is_dedicated else _GENERAL_GLOBAL
        return bytes((tag,)) + length(len(title)) + title + whole
    return bytes(((_DEDICATED_ANSWER if protection.is_dedicated else _GLOBAL_ANSWER)[plain[0]],)) + whole


def proof(keys: Keys, title: bytes, counter: int, challenge: bytes) -> bytes:
    """What proves that the owner of a system title has the keys: the authentication of a challenge (GMAC)."""
    tag = _sealed(keys, title, counter, AUTHENTICATED, challenge)[-_TAG_BYTES:]
    return bytes((AUTHENTICATED,)) + counter.to_bytes(4, "big") + tag


def proves(keys: Keys, title: bytes, given: object, challenge: bytes) -> bool:
    """Whether a proof of a challenge is right."""
    if not isinstance(given, bytes) or len(given) != PROOF_BYTES or given[0] != AUTHENTICATED:
        return False
    return compare_digest(given, proof(keys, title, int.from_bytes(given[1:5], "big"), challenge))


def _sealed(keys: Keys, title: bytes, counter: int, control: int, plain: bytes) -> bytes:
    """The content of a unit, with its tag."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    number = modes.GCM(title + counter.to_bytes(4, "big"))
    cipher = Cipher(algorithms.AES(keys.encryption), number).encryptor()
    beside = bytes((control,)) + keys.authentication
    if control & ENCRYPTED:
        cipher.authenticate_additional_data(beside)
        content = cipher.update(plain) + cipher.finalize()
    else:
        cipher.authenticate_additional_data(beside + plain)
        cipher.finalize()
        content = plain
    return content + cipher.tag[:_TAG_BYTES]


def key_of(value: str) -> bytes | None:
    """A key from its 32 hexadecimal digits; None if it is none."""
    try:
        found = bytes.fromhex(value)
    except ValueError:
        return None
    return found if len(found) == 16 else None
