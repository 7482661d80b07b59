"""Views for compiled code: a stretch of numbers, or a table of them, at an address.

Leaner than NumPy arrays: two words each, no copies, bounds, reference counts, and no look for
negative indices, which costs more than the arithmetic of a period.
"""

# mypy: ignore-errors
from __future__ import annotations

import operator

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, overload, register_model
from numba.np.arrayobj import make_array


class Vector(types.Type):
    """Numbers in a row: `v[i]`, `v[i] = x`, `len(v)`, for 0 <= i < len(v)."""

    def __init__(self, dtype):
        self.dtype = dtype
        super().__init__(f"Vector({dtype})")


class Table(types.Type):
    """Rows of numbers: `t[i]` is a Vector, `len(t)` the number of rows."""

    def __init__(self, dtype):
        self.dtype = dtype
        super().__init__(f"Table({dtype})")


@register_model(Vector)
class _VectorModel(models.StructModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, [("data", types.CPointer(kind.dtype)), ("length", types.intp)])


@register_model(Table)
class _TableModel(models.StructModel):
    def __init__(self, manager, kind):
        members = [("data", types.CPointer(kind.dtype)), ("length", types.intp), ("columns", types.intp)]
        super().__init__(manager, kind, members)


@infer_global(len)
class _Length(AbstractTemplate):
    def generic(self, arguments, keywords):
        (view,) = arguments
        if isinstance(view, (Vector, Table)):
            return signature(types.intp, view)


@infer_global(operator.getitem)
class _Entry(AbstractTemplate):
    def generic(self, arguments, keywords):
        view, index = arguments
        if isinstance(index, types.Integer):
            if isinstance(view, Vector):
                return signature(view.dtype, view, index)
            if isinstance(view, Table):
                return signature(Vector(view.dtype), view, index)


@infer_global(operator.setitem)
class _Assignment(AbstractTemplate):
    def generic(self, arguments, keywords):
        view, index, _ = arguments
        if isinstance(view, Vector) and isinstance(index, types.Integer):
            return signature(types.none, view, index, view.dtype)


@lower_builtin(len, Vector)
@lower_builtin(len, Table)
def _length(context, builder, signature, arguments):
    return _struct(context, builder, signature.args[0], arguments[0]).length


def _struct(context, builder, kind, value=None):
    return cgutils.create_struct_proxy(kind)(context, builder, value=value)


def _place(context, builder, signature, arguments):
    """Pointer to the entry that arguments[1] names in the Vector arguments[0]."""
    vector = _struct(context, builder, signature.args[0], arguments[0])
    index = context.cast(builder, arguments[1], signature.args[1], types.intp)
    return builder.gep(vector.data, [index], inbounds=True)


@lower_builtin(operator.getitem, Vector, types.Integer)
def _get(context, builder, signature, arguments):
    return builder.load(_place(context, builder, signature, arguments))


@lower_builtin(operator.setitem, Vector, types.Integer, types.Any)
def _set(context, builder, signature, arguments):
    vector, _, given = signature.args
    value = context.cast(builder, arguments[2], given, vector.dtype)
    builder.store(value, _place(context, builder, signature, arguments))
    return context.get_dummy_value()


@lower_builtin(operator.getitem, Table, types.Integer)
def _get_row(context, builder, signature, arguments):
    table = _struct(context, builder, signature.args[0], arguments[0])
    index = context.cast(builder, arguments[1], signature.args[1], types.intp)
    start = builder.gep(table.data, [builder.mul(index, table.columns)], inbounds=True)
    return _view(context, builder, signature.return_type, start, table.columns)


def _view(context, builder, kind, data, length, columns=None):
    result = _struct(context, builder, kind)
    result.data = data
    result.length = length
    if columns is not None:
        result.columns = columns
    return result._getvalue()


def _start(context, builder, kind, value, offset):
    """Pointer to an entry of a NumPy array (C order) or a Vector."""
    make = make_array(kind) if isinstance(kind, types.Array) else cgutils.create_struct_proxy(kind)
    return builder.gep(make(context, builder, value=value).data, [offset], inbounds=True)


@intrinsic
def cut(typing_context, flat, start, length):
    """Return a stretch of a flat array."""

    def build(context, builder, signature, arguments):
        data = _start(context, builder, flat, arguments[0], arguments[1])
        return _view(context, builder, signature.return_type, data, arguments[2])

    return Vector(flat.dtype)(flat, types.intp, types.intp), build


@intrinsic
def grid(typing_context, flat, start, rows, columns):
    """Return a stretch of a flat array seen as a table."""

    def build(context, builder, signature, arguments):
        data = _start(context, builder, flat, arguments[0], arguments[1])
        return _view(context, builder, signature.return_type, data, arguments[2], arguments[3])

    return Table(flat.dtype)(flat, types.intp, types.intp, types.intp), build


def _at(element):
    @intrinsic
    def vector_at(typing_context, address, length):
        def build(context, builder, signature, arguments):
            pointer = builder.inttoptr(arguments[0], context.get_value_type(element).as_pointer())
            return _view(context, builder, signature.return_type, pointer, arguments[1])

        return Vector(element)(types.intp, types.intp), build

    return vector_at


@intrinsic
def random_double(typing_context, bits):
    """Return the next number in [0, 1) of a NumPy bit generator, given the address of its `bitgen_t`."""

    def build(context, builder, signature, arguments):
        pointer = ir.IntType(8).as_pointer()
        members = builder.inttoptr(arguments[0], pointer.as_pointer())  # state, then four functions of it
        state = builder.load(members)
        function = builder.load(builder.gep(members, [ir.Constant(ir.IntType(64), 3)]))
        kind = ir.FunctionType(ir.DoubleType(), [pointer])
        return builder.call(builder.bitcast(function, kind.as_pointer()), [state])

    return types.float64(types.intp), build


ints_at = _at(types.int64)
floats_at = _at(types.float64)
singles_at = _at(types.float32)
flags_at = _at(types.uint8)


def entries(numbers):
    """Return the numbers themselves, to be gone through; a single number is one entry."""
    raise NotImplementedError  # only compiled code calls it


@overload(entries)
def _entries(numbers):
    if isinstance(numbers, types.Number):
        return lambda numbers: (numbers,)
    return lambda numbers: numbers
