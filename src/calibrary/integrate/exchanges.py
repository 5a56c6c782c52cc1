"""Compare and exchange: rows of a tile, many pixels with one instruction, without the memory.

The compiler makes such code of loops only where it sees that no two rows overlap, and then goes
to the memory for every comparison. Here the code is put together by hand: samples of a row are
loaded once for all comparisons of a pattern, and stored once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from calibrary.integrate.network import Pattern


def _vector_bytes() -> int:
    """Return how many bytes this processor works on with one instruction."""
    features = get_host_cpu_features()
    if features.get("avx512bw"):
        return 64
    return 32 if features.get("avx2") else 16


def exchanger(pattern: Pattern) -> Callable[..., None]:
    """Return a function for kernels that makes the comparisons of a pattern for all pixels.

    Parameters
    ----------
    pattern
        Of `network`.

    Returns
    -------
    exchange
        ``exchange(s, steps, k)`` makes those of step `k` of a sorting network in
        ``s[places, pixels]``, uint16 or float32.
    """
    rows = 1 + max(max(pair) for pair in pattern)

    @intrinsic
    def exchange(typing_context: Any, s: Any, steps: Any, k: Any) -> Any:  # noqa: ANN401, ARG001
        return types.void(s, steps, k), generate

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        s = make_array(signature.args[0])(context, builder, arguments[0])
        steps = make_array(signature.args[1])(context, builder, arguments[1])
        _, size = cgutils.unpack_tuple(builder, s.shape)
        _, columns = cgutils.unpack_tuple(builder, steps.shape)
        step = builder.gep(steps.data, [builder.mul(arguments[2], columns)])
        starts = []
        for row in range(1, rows + 1):
            place = builder.sext(builder.load(builder.gep(step, [size.type(row)])), size.type)
            starts.append(builder.gep(s.data, [builder.mul(place, size)]))
        sample = s.data.type.pointee
        lanes = _vector_bytes() * 8 // signature.args[0].dtype.bitwidth
        whole = builder.sub(size, builder.srem(size, size.type(lanes)))
        vector = ir.VectorType(sample, lanes)
        for first, end, count, kind in (
            (size.type(0), whole, lanes, vector),
            (whole, size, 1, sample),
        ):
            with cgutils.for_range_slice(builder, first, end, size.type(count)) as (pixel, _):
                _compare(builder, pattern, kind, [builder.gep(at, [pixel]) for at in starts])
        return context.get_dummy_value()

    return exchange  # type: ignore[no-any-return]


def _compare(builder: Any, pattern: Pattern, kind: Any, places: list[Any]) -> None:  # noqa: ANN401
    """Emit the comparisons of samples, or of vectors of them."""
    places = [builder.bitcast(place, kind.as_pointer()) for place in places]
    sample = kind.element if isinstance(kind, ir.VectorType) else kind
    whole = isinstance(sample, ir.IntType)
    align = 2 if whole else 4
    x = [builder.load(place, align=align) for place in places]
    for i, j in pattern:
        less = (builder.icmp_unsigned if whole else builder.fcmp_ordered)("<", x[i], x[j])
        x[i], x[j] = builder.select(less, x[i], x[j]), builder.select(less, x[j], x[i])
    for value, place in zip(x, places, strict=True):
        builder.store(value, place, align=align)
