"""Tags, lengths and values of the Basic Encoding Rules (ISO/IEC 8825-1), as far as MMS and the layers below it use them: definite lengths alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

BOOLEAN, INTEGER, BIT_STRING, OBJECT, EXTERNAL = 0x01, 0x02, 0x03, 0x06, 0x28
SEQUENCE, SET, VISIBLE = 0x30, 0x31, 0x1A
_MORE = 0x1F  # of a tag's first byte: its number follows
_LONGEST_LENGTH = 4
_CONSTRUCTED = 0x20


class MalformedError(Exception):
    """Bytes that are none of what the protocol knows."""


class Element(NamedTuple):
    """A value with its tag. tag: all its bytes as one number, so that 0xBF4D is that of two bytes."""

    tag: int
    content: bytes

    @property
    def is_constructed(self) -> bool:
        first = self.tag
        while first > 0xFF:
            first >>= 8
        return bool(first & _CONSTRUCTED)


def elements(data: bytes) -> Iterator[Element]:
    """The values that follow one another in some bytes.

    Raises
    ------
    MalformedError
        If they are none, or one is longer than what is there.
    """
    at, end = 0, len(data)
    while at < end:
        tag = data[at]
        at += 1
        if tag & _MORE == _MORE:
            while at < end and len(hex(tag)) < 8:
                tag = tag << 8 | data[at]
                at += 1
                if not tag & 0x80:
                    break
        if at >= end:
            raise MalformedError("a value has no length")
        length = data[at]
        at += 1
        if length & 0x80:
            size = length & 0x7F
            if not 0 < size <= _LONGEST_LENGTH or at + size > end:
                raise MalformedError("a length is indefinite, too long or cut off")
            length = int.from_bytes(data[at : at + size], "big")
            at += size
        if at + length > end:
            raise MalformedError("a value is longer than what holds it")
        yield Element(tag, data[at : at + length])
        at += length


def one(data: bytes, *tags: int) -> Element:
    """The only value in some bytes; tags: of which it must have one, if any are given.

    Raises
    ------
    MalformedError
        If there is not one, or it has another tag.
    """
    found = list(elements(data))
    if len(found) != 1 or (tags and found[0].tag not in tags):
        raise MalformedError(f"not one value with the tag {' or '.join(f'{tag:#x}' for tag in tags)}")
    return found[0]


def parts(data: bytes) -> dict[int, bytes]:
    """The contents of values by their tags; of several with one tag the first."""
    found: dict[int, bytes] = {}
    for tag, content in elements(data):
        found.setdefault(tag, content)
    return found


def part(found: dict[int, bytes], tag: int) -> bytes:
    """The content of a value that must be there.

    Raises
    ------
    MalformedError
        If it is not.
    """
    content = found.get(tag)
    if content is None:
        raise MalformedError(f"the value with the tag {tag:#x} is missing")
    return content


def encoded(tag: int, *contents: bytes) -> bytes:
    """A value of some contents."""
    content = contents[0] if len(contents) == 1 else b"".join(contents)
    return tag.to_bytes((tag.bit_length() + 7) // 8 or 1, "big") + length_of(len(content)) + content


def length_of(length: int) -> bytes:
    """A length as it is encoded."""
    if length < 0x80:
        return bytes((length,))
    size = (length.bit_length() + 7) // 8
    return bytes((0x80 | size,)) + length.to_bytes(size, "big")


def integer(tag: int, value: int) -> bytes:
    """An integer, signed, in as few bytes as it takes."""
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return encoded(tag, value.to_bytes(size, "big", signed=True))


def integer_of(content: bytes) -> int:
    """The integer that bytes are.

    Raises
    ------
    MalformedError
        If there are none, or more than nine.
    """
    if not 0 < len(content) <= 9:
        raise MalformedError(f"an integer of {len(content)} bytes")
    return int.from_bytes(content, "big", signed=True)


def bits(tag: int, word: str) -> bytes:
    """A string of bits, such as "0110"."""
    unused = -len(word) % 8
    return encoded(
        tag, bytes((unused,)) + (int(word + "0" * unused, 2).to_bytes((len(word) + 7) // 8, "big") if word else b"")
    )


def bits_of(content: bytes) -> str:
    """The bits of a string of bits.

    Raises
    ------
    MalformedError
        If what it says of its unused bits cannot be.
    """
    if not content or content[0] > 7 or (content[0] and len(content) == 1):
        raise MalformedError("a string of bits with other unused bits than it can have")
    word = "".join(f"{one:08b}" for one in content[1:])
    return word[: len(word) - content[0]]


def text(tag: int, words: str) -> bytes:
    """A visible string."""
    return encoded(tag, words.encode("ascii", "replace"))


def text_of(content: bytes) -> str:
    """The words of a visible string.

    Raises
    ------
    MalformedError
        If there are other letters in it than ASCII has.
    """
    try:
        return content.decode("ascii")
    except UnicodeDecodeError as problem:
        raise MalformedError("a visible string with letters that it cannot have") from problem
