"""Views for compiled code: of a flat array, or at an address; no copies, checks or reference counts."""

# mypy: ignore-errors
from __future__ import annotations

from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array


def _view(context, builder, flat_type, flat, view_type, start, shape):
    """Build the array structure of a C-ordered view that begins at entry `start`."""
    source = context.make_array(flat_type)(context, builder, flat)
    size = source.itemsize
    strides = [size] if len(shape) == 1 else [builder.mul(shape[1], size), size]
    result = context.make_array(view_type)(context, builder)
    populate_array(
        result,
        data=builder.gep(source.data, [start]),
        shape=shape,
        strides=strides,
        itemsize=size,
        meminfo=source.meminfo,
        parent=source.parent,
    )
    return result._getvalue()


@intrinsic
def cut(typing_context, flat, start, length):
    """A stretch of a flat array."""
    view = types.Array(flat.dtype, 1, "C")

    def build(context, builder, signature, arguments):
        return _view(context, builder, signature.args[0], arguments[0], view, arguments[1], [arguments[2]])

    return view(flat, types.intp, types.intp), build


@intrinsic
def grid(typing_context, flat, start, rows, columns):
    """A stretch of a flat array seen as a table."""
    view = types.Array(flat.dtype, 2, "C")

    def build(context, builder, signature, arguments):
        return _view(
            context, builder, signature.args[0], arguments[0], view, arguments[1], [arguments[2], arguments[3]]
        )

    return view(flat, types.intp, types.intp, types.intp), build


def _at(element):
    @intrinsic
    def array_at(typing_context, address, length):
        view = types.Array(element, 1, "C")

        def build(context, builder, signature, arguments):
            result = context.make_array(view)(context, builder)
            kind = context.get_data_type(element)
            size = context.get_constant(types.intp, element.bitwidth // 8)
            populate_array(
                result,
                data=builder.inttoptr(arguments[0], kind.as_pointer()),
                shape=[arguments[1]],
                strides=[size],
                itemsize=size,
                meminfo=None,
            )
            return result._getvalue()

        return view(types.intp, types.intp), build

    return array_at


ints_at = _at(types.int64)
floats_at = _at(types.float64)
singles_at = _at(types.float32)
