"""Memory fetched ahead of its use: the processor's own prefetch instruction, for kernels.

A kernel that walks through tables too large for the cache waits at every row for the memory, one row after the other.
If it knows early which row comes later, it asks for that row and goes on; the answer comes meanwhile. Nothing that a
kernel computes depends on it. Source: LLVM's language reference, `llvm.prefetch`.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils as _cgutils
from numba.core import types
from numba.extending import intrinsic

cgutils: Any = _cgutils

_TO_READ, _KEEP_IN_ALL_CACHES, _DATA = 0, 3, 1


def _prefetch(typing_context: Any, table: Any, place: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        array = context.make_array(kind)(context, builder, arguments[0])
        indices = [
            context.cast(builder, index, each, types.intp)
            for index, each in zip(cgutils.unpack_tuple(builder, arguments[1]), signature.args[1], strict=True)
        ]
        pointer = cgutils.get_item_pointer(context, builder, kind, array, indices)
        byte, flag = ir.IntType(8).as_pointer(), ir.IntType(32)
        ask = builder.module.declare_intrinsic(
            "llvm.prefetch", [byte], ir.FunctionType(ir.VoidType(), [byte, flag, flag, flag])
        )
        flags = (ir.Constant(flag, each) for each in (_TO_READ, _KEEP_IN_ALL_CACHES, _DATA))
        builder.call(ask, [builder.bitcast(pointer, byte), *flags])
        return context.get_dummy_value()

    return types.void(table, place), generate


prefetch: Any = intrinsic(_prefetch)
"""`prefetch(table, place)` asks for the cache line where `table[place]` stands; `place` has an index for each axis."""
