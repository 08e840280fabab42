"""Sweeps over [node, lane] arrays, as vectors of eight numbers.

The one file of hand-made vector code. Reason: numba leaves LLVM's vectoriser of straight-line code
switched off, and the loop vectoriser gives up on loops of eight, so that plain lane loops compile
to scalar code: 10.5 ms for a sweep over a million links against 5.3 ms here (100,000 nodes, one
core). There are four sweeps; each has its plain twin, which runs where compilation is off and says
what the sweep does.

Multiply-add is fused, in the same order for every number of threads.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import config, types
from numba.extending import intrinsic

N_LANES = 8

_I32, _I64, _F64 = ir.IntType(32), ir.IntType(64), ir.DoubleType()
_V = ir.VectorType(_F64, N_LANES)


class _Rows:
    """Write vector code: rows of (n, N_LANES) arrays are vectors."""

    def __init__(self, context, builder, signature, args):
        self.b = builder
        self.data = [
            context.make_array(kind)(context, builder, value).data
            if isinstance(kind, types.Array)
            else value
            for kind, value in zip(signature.args, args, strict=True)
        ]
        name = "llvm.fma.v8f64"
        self._fma = builder.module.globals.get(name) or ir.Function(
            builder.module, ir.FunctionType(_V, [_V, _V, _V]), name
        )

    def constant(self, value):
        return ir.Constant(_V, [value] * N_LANES)

    def row(self, k, i):
        return self.b.bitcast(
            self.b.gep(self.data[k], [self.b.mul(i, _I64(N_LANES))]), _V.as_pointer()
        )

    def load(self, k, i):
        return self.b.load(self.row(k, i), align=8)

    def store(self, value, k, i):
        self.b.store(value, self.row(k, i), align=8)

    def index(self, k, i):
        """Read a 32-bit index, which is never negative."""
        return self.b.zext(self.b.load(self.b.gep(self.data[k], [i])), _I64)

    def spread(self, k, i):
        """Read one number into all lanes."""
        value = self.b.load(self.b.gep(self.data[k], [i]))
        one = self.b.insert_element(ir.Constant(_V, ir.Undefined), value, _I32(0))
        zeros = ir.Constant(ir.VectorType(_I32, N_LANES), [0] * N_LANES)
        return self.b.shuffle_vector(one, ir.Constant(_V, ir.Undefined), zeros)

    def fma(self, x, y, z):
        return self.b.call(self._fma, [x, y, z])

    def larger(self, x, y):
        return self.b.select(self.b.fcmp_ordered(">", x, y), x, y)

    def smaller(self, x, y):
        return self.b.select(self.b.fcmp_ordered("<", x, y), x, y)

    def change(self, old, new):
        """|h - h'| with h = 1 - loss, as the stop rule compares it."""
        one = self.constant(1.0)
        d = self.b.fsub(self.b.fsub(one, old), self.b.fsub(one, new))
        return self.larger(d, self.b.fsub(self.constant(0.0), d))

    def loop(self, first, last, carried, body):
        """Run body(i, carried) -> carried for i in [first, last); return the last carried."""
        b, start = self.b, self.b.block
        head, inner, end = (b.function.append_basic_block(x) for x in ("head", "body", "end"))
        b.branch(head)
        b.position_at_end(head)
        i = b.phi(_I64)
        i.add_incoming(first, start)
        values = [b.phi(v.type) for v in carried]
        for phi, v in zip(values, carried, strict=True):
            phi.add_incoming(v, start)
        b.cbranch(b.icmp_signed("<", i, last), inner, end)
        b.position_at_end(inner)
        following = body(i, values)
        i.add_incoming(b.add(i, _I64(1)), b.block)
        for phi, v in zip(values, following, strict=True):
            phi.add_incoming(v, b.block)
        b.branch(head)
        b.position_at_end(end)
        return values


def _sweep(write):
    """Make an intrinsic of a function that writes vector code."""

    def typing(typingctx, *kinds):
        def codegen(context, builder, signature, args):
            write(_Rows(context, builder, signature, args))
            return context.get_dummy_value()

        return types.void(*kinds), codegen

    return typing


@intrinsic
def _up_rows(ctx, indptr, buyer, share, up, new, top, first, last):
    def write(r):
        def row(i, carried):
            def link(p, total):
                j = r.index(1, p)
                return [r.fma(r.spread(2, p), r.load(3, j), total[0])]

            end = r.index(0, r.b.add(i, _I64(1)))
            (value,) = r.loop(carried[1], end, [r.constant(0.0)], link)
            value = r.smaller(value, r.constant(1.0))
            r.store(value, 4, i)
            return [r.larger(r.change(r.load(3, i), value), carried[0]), end]

        zero = _I64(0)
        start = [r.load(5, zero), r.index(0, r.data[6])]
        most, _ = r.loop(r.data[6], r.data[7], start, row)
        r.store(most, 5, zero)

    return _sweep(write)(ctx, indptr, buyer, share, up, new, top, first, last)


@intrinsic
def _down_rows(
    ctx, buyers, needs, supplier, share, passed, down, size, market, available, top, first, last,
):  # fmt: skip
    def write(r):
        one, none = r.constant(1.0), r.constant(0.0)

        def buyer(q, carried):
            def link(p, sums):
                # slots are short: a loop for each would be mispredicted at its end
                total, most = sums
                signed = r.spread(3, p)
                total = r.b.select(r.b.fcmp_ordered("<", signed, none), none, total)
                value = r.larger(signed, r.b.fsub(none, signed))
                total = r.fma(value, r.load(4, r.index(2, p)), total)
                return [total, r.larger(total, most)]

            j = r.index(0, q)
            end = r.index(1, r.b.add(q, _I64(1)))
            _, value = r.loop(carried[1], end, [none, none], link)
            value = r.smaller(value, one)
            change = r.change(r.load(5, j), value)
            r.store(value, 5, j)
            m = r.index(7, j)
            left = r.fma(r.spread(6, j), r.b.fsub(one, value), r.load(8, m))
            r.store(left, 8, m)
            return [r.larger(change, carried[0]), end]

        zero = _I64(0)
        start = [r.load(9, zero), r.index(1, r.data[10])]
        most, _ = r.loop(r.data[10], r.data[11], start, buyer)
        r.store(most, 9, zero)

    return _sweep(write)(
        ctx, buyers, needs, supplier, share, passed, down, size, market, available, top, first,
        last,
    )  # fmt: skip


@intrinsic
def _pass_on(ctx, down, inverse, size, market, passed, first, last):
    def write(r):
        one, zero = r.constant(1.0), r.constant(0.0)

        def node(i, _):
            inverse_here = r.load(1, r.index(3, i))
            sigma = r.smaller(r.b.fmul(r.spread(2, i), inverse_here), one)
            sigma = r.b.select(r.b.fcmp_ordered("<", inverse_here, zero), one, sigma)
            r.store(r.b.fmul(sigma, r.load(0, i)), 4, i)
            return []

        r.loop(r.data[5], r.data[6], [], node)

    return _sweep(write)(ctx, down, inverse, size, market, passed, first, last)


@intrinsic
def _add_up(ctx, down, up, weight, keep, sums, first, last):
    def write(r):
        stay = r.load(3, _I64(0))

        def node(i, carried):
            d, u, w = r.load(0, i), r.load(1, i), r.spread(2, i)
            r.store(r.b.fmul(d, stay), 0, i)
            r.store(r.b.fmul(u, stay), 1, i)
            losses = (r.larger(d, u), d, u)
            return [r.fma(w, x, c) for x, c in zip(losses, carried, strict=True)]

        rows = [_I64(k) for k in range(3)]
        totals = r.loop(r.data[5], r.data[6], [r.load(4, k) for k in rows], node)
        for k, total in zip(rows, totals, strict=True):
            r.store(total, 4, k)

    return _sweep(write)(ctx, down, up, weight, keep, sums, first, last)


def _plain_up_rows(indptr, buyer, share, up, new, top, first, last):
    """new_i = min(1, sum_j U_ij up_j); top = largest change."""
    for i in range(first, last):
        links = slice(indptr[i], indptr[i + 1])
        new[i] = (share[links, None] * up[buyer[links]]).sum(axis=0).clip(max=1.0)
        top[:] = _larger(top, abs((1.0 - up[i]) - (1.0 - new[i])))


def _plain_down_rows(
    buyers, needs, supplier, share, passed, down, size, market, available, top, first, last
):
    """down_j = min(1, largest slot); availability gains s_j (1 - down_j); top = largest change.

    A share below 0 is the first of a slot.
    """
    for q in range(first, last):
        j, old = buyers[q], down[buyers[q]].copy()
        total = down[j] = 0.0
        for p in range(needs[q], needs[q + 1]):
            total = abs(share[p]) * passed[supplier[p]] + (total if share[p] >= 0.0 else 0.0)
            down[j] = _larger(down[j], total)
        down[j] = down[j].clip(max=1.0)
        available[market[j]] += size[j] * (1.0 - down[j])
        top[:] = _larger(top, abs((1.0 - old) - (1.0 - down[j])))


def _plain_pass_on(down, inverse, size, market, passed, first, last):
    """passed_i = min(1, s_i / availability) down_i; a negative inverse stands for sigma = 1."""
    for i in range(first, last):
        for k in range(N_LANES):
            inv = inverse[market[i], k]
            passed[i, k] = (1.0 if inv < 0.0 else min(1.0, size[i] * inv)) * down[i, k]


def _plain_add_up(down, up, weight, keep, sums, first, last):
    """Add the weighted losses to sums (either, down, up), then keep only lanes where keep is 1."""
    for i in range(first, last):
        sums[0] += weight[i] * _larger(down[i], up[i])
        sums[1] += weight[i] * down[i]
        sums[2] += weight[i] * up[i]
        down[i] *= keep
        up[i] *= keep


def _larger(x, y):
    return x * (x >= y) + y * (y > x)


_is_plain = bool(config.DISABLE_JIT)  # type: ignore[attr-defined]
up_rows: Any = _plain_up_rows if _is_plain else _up_rows
down_rows: Any = _plain_down_rows if _is_plain else _down_rows
pass_on: Any = _plain_pass_on if _is_plain else _pass_on
add_up: Any = _plain_add_up if _is_plain else _add_up
