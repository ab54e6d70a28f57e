"""The arithmetic of a rolling update, without objects: sizes in, sizes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class ReplicaCount(NamedTuple):
    """A ReplicaSet's spec.replicas, status.replicas and status.availableReplicas."""

    size: int
    pods: int
    available: int


class Step(NamedTuple):
    """The sizes to give the new ReplicaSet and the old ones, in the order they came in."""

    new: int
    old: tuple[int, ...]


def rolling_step(new: ReplicaCount, old: Sequence[ReplicaCount], desired: int, surge: int, unavailable: int) -> Step:
    """One step: scale the new set up as far as maxSurge allows, or else the old ones down as maxUnavailable allows.

    As pkg/controller/deployment/rolling.go: one direction a step; old sets lose their unhealthy pods first.
    """
    total = new.size + sum(rs.size for rs in old)
    if new.size > desired:
        return Step(desired, tuple(rs.size for rs in old))
    if new.size < desired and total < desired + surge:
        return Step(new.size + min(desired + surge - total, desired - new.size), tuple(rs.size for rs in old))
    sizes = [rs.size for rs in old]
    if not any(sizes):
        return Step(new.size, tuple(sizes))
    least = desired - unavailable
    removable = total - least - (new.size - new.available)
    if removable <= 0:
        return Step(new.size, tuple(sizes))
    for index, rs in enumerate(old):  # pods that are not available cost nothing
        unhealthy = min(max(0, sizes[index] - rs.available), removable)
        sizes[index] -= unhealthy
        removable -= unhealthy
    # Of the rest, as many as keep `least` pods available.
    available = new.available + sum(min(rs.available, size) for rs, size in zip(old, sizes, strict=True))
    spare = available - least
    for index in range(len(sizes)):
        gone = max(0, min(sizes[index], spare))
        sizes[index] -= gone
        spare -= gone
    return Step(new.size, tuple(sizes))


def proportions(sets: Sequence[tuple[int, int]], allowed: int, most: int) -> list[int]:
    """Spread a resize over the sets in proportion to their size; `sets` are (size, the max-replicas it was sized for).

    The sum of the result is `allowed`. The largest set takes what rounding leaves over.
    """
    sizes = [size for size, _ in sets]
    add = allowed - sum(sizes)
    if len(sizes) == 1:
        return [max(0, sizes[0] + add)]
    result = list(sizes)
    left = add
    order = sorted(range(len(sizes)), key=lambda index: -sizes[index])
    for index in order:
        size, sized_for = sets[index]
        if left == 0 or size == 0:
            continue
        share = round(size * most / sized_for) - size if sized_for else add
        share = max(0, min(share, left)) if add > 0 else min(0, max(share, left))
        result[index] = max(0, size + share)
        left -= result[index] - size
    if order:
        result[order[0]] = max(0, result[order[0]] + left)
    return result
