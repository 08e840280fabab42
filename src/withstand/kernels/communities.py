"""Communities of a weighted graph: the two inner loops of the Leiden method.

A graph is held as CSR with both directions added (W = A + A', no node with itself), beside what
each node sends out and takes in. Of two nodes in one community the quality counts

    W_ij - resolution (out_i in_j + out_j in_i) / total

which, summed over pairs and divided by the total, is directed modularity.

Source: Traag, Waltman and van Eck (2019), From Louvain to Leiden, Scientific Reports 9:5233,
algorithm A.2; without its random choice among the gains in the refinement (theta towards 0).
"""

from __future__ import annotations

from numba import njit

_EPSILON = 1e-12  # gains below this share of the total are rounding


@njit(cache=True, nogil=True, error_model="numpy")
def move_nodes(  # noqa: C901 - one pass over the queue, as the method tells it
    indptr, indices, weights, sent, taken, resolution, total, order, community, sent_sum, taken_sum,
    members, queue, is_queued, to_community, touched, free,
):  # fmt: skip
    """Move nodes to the community where each gains most, until none gains; return the moves.

    Parameters
    ----------
    indptr, indices : ndarray of int64
    weights : ndarray of float64
    sent, taken : ndarray of float64, shape (n,)
    resolution, total : float
    order : ndarray of int64, shape (n,)
        In which nodes are looked at first. Later those whose neighbour has left them.
    community : ndarray of int64, shape (n,), modified
    sent_sum, taken_sum : ndarray of float64, shape (n,), modified
        Of each community.
    members : ndarray of int64, shape (n,), modified
    queue, touched, free : ndarray of int64, shape (n,), workspace
    is_queued : ndarray of bool, shape (n,), workspace
    to_community : ndarray of float64, shape (n,), workspace, zeros
    """
    n = len(order)
    n_free = 0
    for c in range(n - 1, -1, -1):
        if members[c] == 0:
            free[n_free] = c
            n_free += 1
    for k in range(n):
        queue[k] = order[k]
        is_queued[k] = True
    head, waiting, moves = 0, n, 0
    least = _EPSILON * total
    while waiting > 0:
        i = queue[head]
        head = (head + 1) % n
        waiting -= 1
        is_queued[i] = False
        old = community[i]
        n_touched = 0
        for k in range(indptr[i], indptr[i + 1]):
            c = community[indices[k]]
            if to_community[c] == 0.0:
                touched[n_touched] = c
                n_touched += 1
            to_community[c] += weights[k]
        sent_sum[old] -= sent[i]
        taken_sum[old] -= taken[i]
        members[old] -= 1
        if members[old] == 0:  # alone: what rounding has left over
            sent_sum[old] = 0.0
            taken_sum[old] = 0.0
        expected = sent[i] * taken_sum[old] + taken[i] * sent_sum[old]
        best, most = old, to_community[old] - resolution * expected / total
        for k in range(n_touched):
            c = touched[k]
            expected = sent[i] * taken_sum[c] + taken[i] * sent_sum[c]
            gain = to_community[c] - resolution * expected / total
            if gain > most + least:
                best, most = c, gain
        for k in range(n_touched):
            to_community[touched[k]] = 0.0
        if most < -least and n_free > 0:
            n_free -= 1
            best = free[n_free]
        if members[old] == 0 and best != old:
            free[n_free] = old
            n_free += 1
        community[i] = best
        sent_sum[best] += sent[i]
        taken_sum[best] += taken[i]
        members[best] += 1
        if best != old:
            moves += 1
            for k in range(indptr[i], indptr[i + 1]):
                j = indices[k]
                if community[j] != best and not is_queued[j]:
                    queue[(head + waiting) % n] = j
                    waiting += 1
                    is_queued[j] = True
    return moves


@njit(cache=True, nogil=True, error_model="numpy")
def refine_communities(  # noqa: C901 - one pass over the nodes
    indptr, indices, weights, sent, taken, resolution, total, order, community, sent_sum, taken_sum,
    refined, part_sent, part_taken, part_size, part_cut, to_part, touched,
):  # fmt: skip
    """Split communities into parts that hang together well; return the number of merges.

    Each node begins alone. In the order given, a node that is still alone and well tied to its
    community joins the part of it where it gains most, among parts that are well tied to it too.

    Parameters
    ----------
    indptr, indices, weights, sent, taken, resolution, total, order
        As in `move_nodes`.
    community : ndarray of int64, shape (n,)
    sent_sum, taken_sum : ndarray of float64, shape (n,)
        Of each community.
    refined : ndarray of int64, shape (n,), output
        The part of each node; a part is named after its first node.
    part_sent, part_taken, part_cut : ndarray of float64, shape (n,), output
        Sums of each part, and the weight between it and the rest of its community.
    part_size : ndarray of int64, shape (n,), output
    to_part : ndarray of float64, shape (n,), workspace, zeros
    touched : ndarray of int64, shape (n,), workspace
    """
    n = len(order)
    for i in range(n):
        refined[i] = i
        part_sent[i] = sent[i]
        part_taken[i] = taken[i]
        part_size[i] = 1
        cut = 0.0
        for k in range(indptr[i], indptr[i + 1]):
            if community[indices[k]] == community[i]:
                cut += weights[k]
        part_cut[i] = cut
    merges = 0
    least = _EPSILON * total
    for step in range(n):
        i = order[step]
        if refined[i] != i or part_size[i] != 1:
            continue
        c = community[i]
        rest_sent, rest_taken = sent_sum[c] - sent[i], taken_sum[c] - taken[i]
        own_cut = part_cut[i]
        expected = sent[i] * rest_taken + taken[i] * rest_sent
        if own_cut < resolution * expected / total - least:
            continue
        n_touched = 0
        for k in range(indptr[i], indptr[i + 1]):
            j = indices[k]
            if community[j] != c:
                continue
            if to_part[refined[j]] == 0.0:
                touched[n_touched] = refined[j]
                n_touched += 1
            to_part[refined[j]] += weights[k]
        best, most = i, least
        for k in range(n_touched):
            p = touched[k]
            expected = part_sent[p] * (taken_sum[c] - part_taken[p])
            expected += part_taken[p] * (sent_sum[c] - part_sent[p])
            if part_cut[p] < resolution * expected / total - least:
                continue
            expected = sent[i] * part_taken[p] + taken[i] * part_sent[p]
            gain = to_part[p] - resolution * expected / total
            if gain > most:
                best, most = p, gain
        if best != i:
            refined[i] = best
            part_sent[best] += sent[i]
            part_taken[best] += taken[i]
            part_size[best] += 1
            part_size[i] = 0
            part_cut[best] += own_cut - 2.0 * to_part[best]
            merges += 1
        for k in range(n_touched):
            to_part[touched[k]] = 0.0
    return merges
