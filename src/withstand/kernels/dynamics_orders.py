"""Steps 6 and 7 of a period, on the links: ship, order, and move orders that will not be filled."""

from __future__ import annotations

from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def ship_and_order(
    first_node, last_node, t, is_scaled, stock_adjustment, inputs_indptr, coefficient, links_indptr,
    link_supplier, link_share, link_named, pipeline_indptr, is_stored, aim, stock, flow, base,
    scale, ratio, ratio_named, order, under_way, pipeline, new_order,
):  # fmt: skip
    """Ship what each link to some nodes was granted; order for the next period.

    Writes `under_way`, `pipeline` and `new_order`, which may be `order` itself.
    """
    for n in range(first_node, last_node):
        for i in range(inputs_indptr[n], inputs_indptr[n + 1]):
            first, end = links_indptr[i], links_indptr[i + 1]
            shipped = 0.0
            for link in range(first, end):
                start = pipeline_indptr[link]
                slots = pipeline_indptr[link + 1] - start
                if slots > 0:
                    share = ratio[link_supplier[link]]
                    if len(link_named) > 0 and link_named[link] >= 0:
                        share = ratio_named[link_named[link]]
                    quantity = order[link] * share
                    pipeline[start if slots == 1 else start + t % slots] = quantity
                    shipped += quantity
            under_way[i] += shipped
            if is_stored[i]:
                gap = aim[i] * scale[n] - stock[i] - under_way[i]
                gap = max(0.0, gap) if is_scaled else gap
                wish = max(0.0, coefficient[i] * base[n] + gap / stock_adjustment)
                for link in range(first, end):
                    new_order[link] = wish * link_share[link]
            else:
                for link in range(first, end):
                    new_order[link] = flow[link]


@njit(cache=True, error_model="numpy")
def find_spare(rest, tolerance, own_demand, capacity_now, able, finished, filled, spare, asked):
    """Write what each node fills of the orders it would have, and its spare capacity."""
    for n in range(len(rest)):
        has = able[n] + finished[n]
        is_failing = has < own_demand[n] - tolerance * rest[n]
        filled[n] = has / own_demand[n] if is_failing else 1.0
        spare[n] = 0.0 if is_failing else max(0.0, capacity_now[n] - own_demand[n])
        asked[n] = 0.0


@njit(cache=True, error_model="numpy")
def ask_others(  # noqa: C901 - one pass over the links of an input, in two steps
    tolerance, links_indptr, link_supplier, link_factor, link_switch, flow, pipeline_indptr,
    own_order, filled, spare, asked, is_failing, missing, age, order,
):  # fmt: skip
    """Find the links that fail, since when and by how much; add up what others are asked for.

    Writes all arrays from `asked` on; orders are the own ones.
    """
    for i in range(len(is_failing)):
        first, end = links_indptr[i], links_indptr[i + 1]
        is_failing[i] = False
        for link in range(first, end):
            order[link] = own_order[link]
            missing[link] = 0.0
            if pipeline_indptr[link + 1] == pipeline_indptr[link]:
                continue
            fill = filled[link_supplier[link]]
            limit = link_factor[link] * flow[link]
            if link_factor[link] < 1.0 and limit < own_order[link]:
                fill *= limit / own_order[link]
            if fill < 1.0 - tolerance:
                age[link] += 1
                missing[link] = own_order[link] * (1.0 - fill)
                is_failing[i] = True
            else:
                age[link] = -1
        if is_failing[i]:
            for link in range(first, end):
                total = _spare_for(
                    link, first, end, link_supplier, link_factor, link_switch, pipeline_indptr,
                    spare, missing, age,
                )  # fmt: skip
                if total > 0.0:
                    for other in range(first, end):
                        if _takes(other, link, link_factor, link_switch, pipeline_indptr, age):
                            maker = link_supplier[other]
                            asked[maker] += missing[link] * (spare[maker] / total)


@njit(cache=True, error_model="numpy")
def move_orders(
    links_indptr, link_supplier, link_factor, link_switch, pipeline_indptr, spare, asked,
    is_failing, missing, age, order,
):  # fmt: skip
    """Move what the others accept; writes `order`."""
    for i in range(len(is_failing)):
        if not is_failing[i]:
            continue
        first, end = links_indptr[i], links_indptr[i + 1]
        for link in range(first, end):
            total = _spare_for(
                link, first, end, link_supplier, link_factor, link_switch, pipeline_indptr, spare,
                missing, age,
            )  # fmt: skip
            if total <= 0.0:
                continue
            moved = 0.0
            for other in range(first, end):
                if _takes(other, link, link_factor, link_switch, pipeline_indptr, age):
                    maker = link_supplier[other]
                    quantity = missing[link] * (spare[maker] / total)
                    if asked[maker] > spare[maker]:
                        quantity *= spare[maker] / asked[maker]
                    order[other] += quantity
                    moved += quantity
            order[link] = max(0.0, order[link] - moved)


@njit(cache=True, error_model="numpy")
def _spare_for(
    link, first, end, link_supplier, link_factor, link_switch, pipeline_indptr, spare, missing, age
):
    """Return the spare capacity of all that may take orders of a link; 0 if it misses nothing."""
    total = 0.0
    if missing[link] > 0.0:
        for other in range(first, end):
            if _takes(other, link, link_factor, link_switch, pipeline_indptr, age):
                total += spare[link_supplier[other]]
    return total


@njit(cache=True, error_model="numpy")
def _takes(other, link, link_factor, link_switch, pipeline_indptr, age):
    """Tell whether a link may take orders of another one by now."""
    has_lag = pipeline_indptr[other + 1] > pipeline_indptr[other]
    is_fine = age[other] < 0 and link_factor[other] >= 1.0
    return has_lag and is_fine and age[link] >= link_switch[other]
