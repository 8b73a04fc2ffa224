"""Tables whose shape the compiler knows: the address of a number in them is a shift and a sum.

A kernel learns the width of an array's rows when it runs, so that every address costs a multiplication; and it asks of every index
whether it is negative, for such a one counts from the end. `rows(table, WIDTH)` is the same table, of a width that is
a constant of the program, and without that question. What comes back is for indexing alone: its length reads 0. Where
kernels are compiled with bounds checks (NUMBA_BOUNDSCHECK=1), a table keeps its length, and every index is checked.
"""

from __future__ import annotations

from typing import Any

from numba.core import cgutils as _cgutils
from numba.core import config as _config
from numba.core import types
from numba.extending import intrinsic

cgutils: Any = _cgutils
config: Any = _config

CHECKED = bool(config.BOUNDSCHECK)
"""Whether kernels are compiled with bounds checks."""
ANY_LENGTH = 1 << 40  # of a table of which only the address is known


def _fixed(
    context: Any, builder: Any, kind: Any, array: Any, item_bytes: int, sizes: list[int], length: Any = None
) -> Any:
    """The array's structure with inner dimensions of `sizes`; one more reference to its memory, where they are counted."""
    strides = [item_bytes]
    for size in reversed(sizes):
        strides.insert(0, strides[0] * size)
    inner = [context.get_constant(types.intp, each) for each in sizes]
    if not CHECKED:
        length = context.get_constant(types.intp, 0)
    elif length is None:
        length = builder.extract_value(array.shape, 0)
    array.shape = cgutils.pack_array(builder, [length, *inner])
    array.strides = cgutils.pack_array(builder, [context.get_constant(types.intp, each) for each in strides])
    known = array._getvalue()
    if context.enable_nrt:
        context.nrt.incref(builder, kind, known)
    return known


def _of_inner_sizes(table: Any, *inner: Any) -> Any:
    """Signature and code of an intrinsic for a C-contiguous table."""
    is_known = all(isinstance(each, types.IntegerLiteral) for each in inner)
    if not isinstance(table, types.Array) or table.layout != "C" or table.ndim != 1 + len(inner) or not is_known:
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(table)(context, builder, arguments[0])
        item_bytes = context.get_abi_sizeof(context.get_data_type(table.dtype))
        return _fixed(context, builder, table, array, item_bytes, [each.literal_value for each in inner])

    return table(table, *inner), generate


def _line(typing_context: Any, table: Any) -> Any:
    return _of_inner_sizes(table)


def _rows(typing_context: Any, table: Any, width: Any) -> Any:
    return _of_inner_sizes(table, width)


def _column(typing_context: Any, column: Any, width: Any) -> Any:
    if not isinstance(column, types.Array) or column.ndim != 1 or not isinstance(width, types.IntegerLiteral):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(column)(context, builder, arguments[0])
        item_bytes = context.get_abi_sizeof(context.get_data_type(column.dtype))
        return _fixed(context, builder, column, array, item_bytes * width.literal_value, [])

    return column(column, width), generate


def _address(typing_context: Any, table: Any) -> Any:
    if not isinstance(table, types.Array) or table.layout != "C" or table.dtype != types.int64:
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(table)(context, builder, arguments[0])
        return builder.ptrtoint(array.data, context.get_value_type(types.intp))

    return types.intp(table), generate


def _rows_at(typing_context: Any, place: Any, width: Any) -> Any:
    if not isinstance(width, types.IntegerLiteral):
        return None
    table = types.Array(types.int64, 2, "C")

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(table)(context, builder)
        array.data = builder.inttoptr(arguments[0], context.get_value_type(types.int64).as_pointer())
        array.itemsize = context.get_constant(types.intp, 8)
        array.meminfo = cgutils.get_null_value(array.meminfo.type)
        any_length = context.get_constant(types.intp, ANY_LENGTH)
        return _fixed(context, builder, table, array, 8, [width.literal_value], any_length)

    return table(place, width), generate


line: Any = intrinsic(_line)
"""`line(table)`: an (n,) table."""

rows: Any = intrinsic(prefer_literal=True)(_rows)
"""`rows(table, WIDTH)`: an (n, WIDTH) table."""

column: Any = intrinsic(prefer_literal=True)(_column)
"""`column(table[:, k], WIDTH)`: an (n,) column of an (n, WIDTH) table."""

address: Any = intrinsic(_address)
"""`address(table)`: where a table of int64 stands; one number to pass to another kernel, where a table is nine."""

rows_at: Any = intrinsic(prefer_literal=True)(_rows_at)
"""`rows_at(address, WIDTH)`: the (n, WIDTH) table that stands there; it must stay there as long as this is used."""
