"""Units in words, for the log of frames."""

from __future__ import annotations

_NAMES = {
    0x60: "association request",
    0x61: "association response",
    0x62: "release request",
    0x63: "release response",
    192: "get request",
    193: "set request",
    195: "action request",
    196: "get response",
    197: "set response",
    199: "action response",
    200: "ciphered get request",
    201: "ciphered set request",
    203: "ciphered action request",
    204: "ciphered get response",
    205: "ciphered set response",
    207: "ciphered action response",
    208: "get request under a dedicated key",
    209: "set request under a dedicated key",
    211: "action request under a dedicated key",
    212: "get response under a dedicated key",
    213: "set response under a dedicated key",
    215: "action response under a dedicated key",
    216: "exception response",
    219: "general global ciphering",
    220: "general dedicated ciphering",
}
_NORMAL = {192: 3, 193: 3, 195: 3}
_CLASS_AND_NAME = 9


def words_of(apdu: bytes) -> str:
    """What a unit is; for a plain request of one attribute or method also which."""
    tag = apdu[0] if apdu else 0
    said = _NAMES.get(tag, f"unit of tag {tag}")
    begin = _NORMAL.get(tag, 0)
    if begin and len(apdu) >= begin + _CLASS_AND_NAME and apdu[1] == 1:
        target = apdu[begin : begin + _CLASS_AND_NAME]
        name = ".".join(str(octet) for octet in target[2:8])
        return f"{said}: {name}, {target[8]} (class {int.from_bytes(target[:2], 'big')})"
    return said
