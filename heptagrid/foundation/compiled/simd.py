"""Arithmetic on eight numbers at once, inside kernels.

The compiler turns no loop over eight columns of several arrays into vector instructions, since the arrays might overlap. Here a row of
eight float64 is a value of its own: `load` it from a row of an array, calculate with `+ - * /`, `store` it. Each lane's result is that of the same
operations on one number, to the last bit.
"""

# mypy: disable-error-code="misc, untyped-decorator"
from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba.core import cgutils as _cgutils
from numba.core import extending as _extending
from numba.core import imputils as _imputils
from numba.core import types as _types
from numba.core.typing import templates as _templates

LANES = 8
# numba's own functions have no types.
cgutils: Any = _cgutils
extending: Any = _extending
imputils: Any = _imputils
types: Any = _types
templates: Any = _templates
_VECTOR = ir.VectorType(ir.DoubleType(), LANES)


class _LanesType(types.Type):
    def __init__(self) -> None:
        super().__init__(name="Lanes")


LANES_TYPE = _LanesType()


@extending.register_model(_LanesType)
class _LanesModel(extending.models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)


def _arithmetic(symbol: Any, instruction: str) -> None:
    @templates.infer_global(symbol)
    class _Signature(templates.ConcreteTemplate):
        key = symbol
        cases = [templates.signature(LANES_TYPE, LANES_TYPE, LANES_TYPE)]  # noqa: RUF012

    @imputils.lower_builtin(symbol, LANES_TYPE, LANES_TYPE)
    def _lower(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        return getattr(builder, instruction)(*arguments)


for _symbol, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _arithmetic(_symbol, _instruction)


def _row(context: Any, builder: Any, array_type: Any, array: Any, k: Any) -> Any:
    """Where row k of a C-ordered array of `LANES` columns begins, as a pointer to a vector."""
    data = cgutils.create_struct_proxy(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [builder.mul(k, k.type(LANES))]), _VECTOR.as_pointer())


def _is_table(array: Any) -> bool:
    return isinstance(array, types.Array) and array.ndim == 2 and array.layout == "C" and array.dtype == types.float64


@extending.intrinsic
def load(typing_context: Any, array: Any, k: Any) -> Any:
    """Row k of a (rows, LANES) array."""
    if not (_is_table(array) and isinstance(k, types.Integer)):
        return None

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        place = context.cast(builder, arguments[1], sig.args[1], types.intp)
        return builder.load(_row(context, builder, sig.args[0], arguments[0], place), align=8)

    return LANES_TYPE(array, k), generate


@extending.intrinsic
def store(typing_context: Any, array: Any, k: Any, value: Any) -> Any:
    """Make row k of a (rows, LANES) array these."""
    if not (_is_table(array) and isinstance(k, types.Integer) and value == LANES_TYPE):
        return None

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        place = context.cast(builder, arguments[1], sig.args[1], types.intp)
        builder.store(arguments[2], _row(context, builder, sig.args[0], arguments[0], place), align=8)
        return context.get_dummy_value()

    return types.none(array, k, value), generate


@extending.intrinsic
def splat(typing_context: Any, x: Any) -> Any:
    """The same number in every lane."""
    if x != types.float64:
        return None

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        zero = ir.IntType(32)(0)
        one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), arguments[0], zero)
        every = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), every)

    return LANES_TYPE(x), generate


@extending.intrinsic
def greater(typing_context: Any, a: Any, b: Any) -> Any:
    """The greater in each lane; NaN where either is."""
    if a != LANES_TYPE or b != LANES_TYPE:
        return None

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        x, y = arguments
        takes_y = builder.and_(builder.fcmp_unordered(">", y, x), builder.fcmp_ordered("ord", x, x))
        return builder.select(takes_y, y, x)

    return LANES_TYPE(a, b), generate


@extending.intrinsic
def root(typing_context: Any, a: Any) -> Any:
    """The square root in each lane."""
    if a != LANES_TYPE:
        return None

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(_VECTOR, [_VECTOR])
        square_root = cgutils.get_or_insert_function(builder.module, kind, f"llvm.sqrt.v{LANES}f64")
        return builder.call(square_root, arguments)

    return LANES_TYPE(a), generate
