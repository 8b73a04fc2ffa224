"""Work that threads share: each takes the next piece that no other has taken, and finds its tables by their addresses.

The processor's own addition in memory hands the pieces out, so that no thread waits for another. Which thread takes what is as chance has it: what a kernel
computes must not depend on it. Source: LLVM's language reference, `atomicrmw`.
"""

from __future__ import annotations

from typing import Any

from numba.core import cgutils as _cgutils
from numba.core import types
from numba.extending import intrinsic

cgutils: Any = _cgutils


def _table_at(typing_context: Any, place: Any, shape: Any) -> Any:
    if not isinstance(shape, types.BaseTuple):
        return None
    table = types.Array(types.int64, len(shape), "C")

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(table)(context, builder)
        sizes = [
            context.cast(builder, each, kind, types.intp)
            for each, kind in zip(cgutils.unpack_tuple(builder, arguments[1]), signature.args[1], strict=True)
        ]
        strides = [context.get_constant(types.intp, 8)]
        for size in reversed(sizes[1:]):
            strides.insert(0, builder.mul(strides[0], size))
        array.data = builder.inttoptr(arguments[0], context.get_value_type(types.int64).as_pointer())
        array.itemsize = context.get_constant(types.intp, 8)
        array.nitems = builder.sdiv(builder.mul(strides[0], sizes[0]), context.get_constant(types.intp, 8))
        array.meminfo = cgutils.get_null_value(array.meminfo.type)
        array.parent = cgutils.get_null_value(array.parent.type)
        array.shape, array.strides = cgutils.pack_array(builder, sizes), cgutils.pack_array(builder, strides)
        return array._getvalue()

    return table(place, shape), generate


def _claim(typing_context: Any, counter: Any) -> Any:
    if not isinstance(counter, types.Array) or counter.ndim != 1 or counter.dtype != types.int64:
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(counter)(context, builder, arguments[0])
        return builder.atomic_rmw("add", array.data, context.get_constant(types.int64, 1), "seq_cst")

    return types.int64(counter), generate


claim: Any = intrinsic(_claim)
"""`claim(counter)`: what `counter[0]` was; it is one more now. No two threads get the same number."""

table_at: Any = intrinsic(_table_at)
"""`table_at(address, shape)`: the table of int64 that stands there; it must stay there as long as this is used."""
