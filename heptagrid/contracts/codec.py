"""A message as bytes, and back: the fields of its contract one after another, little-endian, as declared.

A number that is a whole one takes 8 bytes, as does one that is not; an array is preceded by the lengths of its axes, 4 bytes each. Which
contract a message is of, and everything else that an envelope says, is the envelope's.
"""

from __future__ import annotations

import struct
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

from heptagrid.foundation.contract import Column, Contract, columns
from heptagrid.foundation.errors import ContractError

Payload = TypeVar("Payload")


def encode(contract: Contract[Payload], payload: Payload, row: int = 0) -> bytes:
    """One message of a wave's payload: of fields with a value for each message that of `row`."""
    parts = []
    for name, column in columns(contract.payload):
        value = getattr(payload, name)
        if not column.dtype:
            parts.append(struct.pack(_number(contract.payload, name), value))
        elif column.is_shared:
            parts.append(struct.pack(f"<{value.ndim}I", *value.shape) + value.astype(_wire(column)).tobytes())
        else:
            parts.append(value[row : row + 1].astype(_wire(column)).tobytes())
    return b"".join(parts)


def encode_all(contract: Contract[Payload], payload: Payload, messages: int) -> bytes:
    """So many messages of a wave's payload one after another, each as `encode` makes it; they are equally long."""
    declared = columns(contract.payload)
    if not messages or not all(column.dtype and not column.is_shared for _, column in declared):
        return b"".join([encode(contract, payload, row) for row in range(messages)])
    parts = [getattr(payload, name).astype(_wire(column)) for name, column in declared]
    if len(parts) == 1:
        return bytes(parts[0])
    return bytes(np.concatenate([part.reshape(messages, -1).view(np.uint8) for part in parts], axis=1))


def decode_all(contract: Contract[Payload], joined: bytes, messages: int) -> list[Payload]:
    """The payloads of so many messages that `encode_all` put one after another, each of a wave of its own.

    Raises
    ------
    ContractError
        If a message is shorter or longer than the contract says.
    """
    size, rest = divmod(len(joined), max(messages, 1))
    if rest:
        raise ContractError(f"{contract.name}: {len(joined)} bytes are no {messages} messages of one length")
    return [decode(contract, joined[at * size : (at + 1) * size]) for at in range(messages)]


def decode(contract: Contract[Payload], message: bytes) -> Payload:
    """The payload of a wave of one message.

    Raises
    ------
    ContractError
        If the message is shorter or longer than the contract says.
    """
    at = 0

    def taken(size: int) -> bytes:
        nonlocal at
        if at + size > len(message):
            raise ContractError(f"{contract.name}: a message of {len(message)} bytes ends within its fields")
        at += size
        return message[at - size : at]

    found: dict[str, Any] = {}
    for name, column in columns(contract.payload):
        wire = _wire(column) if column.dtype else None
        if wire is None:
            (found[name],) = struct.unpack(_number(contract.payload, name), taken(8))
            continue
        shape: tuple[int, ...] = (1,)
        if column.is_shared:
            shape = struct.unpack(f"<{len(column.axes)}I", taken(4 * len(column.axes)))
        size = int(np.prod(shape, dtype=np.int64)) * wire.itemsize
        found[name] = np.frombuffer(taken(size), wire).astype(column.dtype).reshape(shape)
    if at != len(message):
        raise ContractError(
            f"{contract.name}: a message of {len(message)} bytes has {len(message) - at} beyond its fields"
        )
    return contract.payload(**found)


def _wire(column: Column) -> np.dtype[Any]:
    return np.dtype(column.dtype).newbyteorder("<")


def _number(payload: type, name: str) -> str:
    """The format of a plain number."""
    annotation = next(one.type for one in fields(payload) if one.name == name)
    return "<d" if annotation in (float, "float") else "<q"
