"""Runs all checks over one World and puts them into a Report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hpatui.autoscaler.which_rules import Choice
from hpatui.clock import Clock
from hpatui.doctor.checks.fights import check_fights
from hpatui.doctor.checks.hpa import check_hpas
from hpatui.doctor.checks.keda import check_keda
from hpatui.doctor.checks.limits import check_limits
from hpatui.doctor.checks.metrics import check_metrics
from hpatui.doctor.checks.pods import check_pods
from hpatui.doctor.checks.version import check_version
from hpatui.doctor.fields import Json
from hpatui.doctor.look import Look
from hpatui.doctor.report import Outcome, Report
from hpatui.doctor.world import World, by_version, same_shape
from hpatui.model import Key


async def run_checks(
    look: Look,
    clock: Clock,
    namespace: str | None,
    hpa: Key | None = None,
    older: Callable[[str, dict[str, Any]], dict[str, Any]] = same_shape,
    choose: Callable[[Json], Choice] = by_version,
) -> Report:
    """Look at the HPAs of a namespace (None: of all), or at one, and at all they depend on. `older` makes an
    autoscaling/v2 object of an HPA of another version: (version, object) -> object. `choose` takes the answer of /version to
    the controller's rules.

    An HPA that is not there is reported as a failed check. Raises nothing of its own: what cannot be looked at is said
    in the report.
    """
    world = World(look, clock.time(), namespace, hpa, older, choose)
    await world.load()
    metrics = await check_metrics(world)
    broken = {check.id for check in metrics.checks if check.outcome is Outcome.FAILED}
    hpas = await check_hpas(world, broken)
    pods = await check_pods(world)
    stuck = {check.about: check.id for check in pods.checks if check.outcome is Outcome.FAILED}
    stuck |= {
        check.about: check.id for check in hpas.checks if check.outcome is Outcome.FAILED and check.id == "target"
    }
    families = [metrics, hpas, check_limits(world, stuck), check_version(world), pods, await check_fights(world)]
    families.append(await check_keda(world))
    return Report(world.now, world.scope, tuple(check for family in families for check in family.checks))
