"""What threads that work side by side on the same arrays need: reads, writes and exchanges that are whole and in order.

Whatever a thread wrote before it stored (or exchanged) a number here, another thread sees once it has loaded that number.
Source: LLVM's language reference, "Atomic Memory Ordering Constraints"; sequentially consistent throughout.
"""

from __future__ import annotations

from typing import Any

from numba.core import cgutils as _cgutils
from numba.core import types
from numba.extending import intrinsic

from heptagrid.foundation.compiled.kernel import kernel

cgutils: Any = _cgutils

_ORDER = "seq_cst"
_BYTES = 8


def _place(context: Any, builder: Any, kind: Any, table: Any, k: Any, index: Any) -> Any:
    array = context.make_array(kind)(context, builder, table)
    return cgutils.get_item_pointer(context, builder, kind, array, [context.cast(builder, k, index, types.intp)])


def _load(typing_context: Any, table: Any, k: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _place(context, builder, signature.args[0], arguments[0], arguments[1], signature.args[1])
        return builder.load_atomic(pointer, _ORDER, _BYTES)

    return types.int64(table, k), generate


def _store(typing_context: Any, table: Any, k: Any, number: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _place(context, builder, signature.args[0], arguments[0], arguments[1], signature.args[1])
        builder.store_atomic(arguments[2], pointer, _ORDER, _BYTES)
        return context.get_dummy_value()

    return types.void(table, k, types.int64), generate


def _exchange(typing_context: Any, table: Any, k: Any, number: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _place(context, builder, signature.args[0], arguments[0], arguments[1], signature.args[1])
        return builder.atomic_rmw("xchg", pointer, arguments[2], _ORDER)

    return types.int64(table, k, types.int64), generate


load: Any = intrinsic(_load)
"""`load(table, k)` is `table[k]` of a one-dimensional array of 64-bit integers, as some thread last stored it."""

store: Any = intrinsic(_store)
"""`store(table, k, number)`."""

exchange: Any = intrinsic(_exchange)
"""`exchange(table, k, number)` stores, and returns what was there."""


@kernel(inline=True, allocates=False)
def lock(table, k):  # type: ignore[no-untyped-def]
    """Wait until `table[k]` is 0, and make it 1: the door is ours."""
    while exchange(table, k, 1) != 0:
        while load(table, k) != 0:
            pass


@kernel(inline=True, allocates=False)
def unlock(table, k):  # type: ignore[no-untyped-def]
    """Open the door."""
    store(table, k, 0)
