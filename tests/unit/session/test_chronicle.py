"""The history of an HPA: who wrote the size of its target, versions of its spec, outages, rescales."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import pytest

from hpatui.clock import as_datetime, format_rfc3339
from hpatui.model import (
    Hpa,
    Key,
    Kind,
    Listed,
    Seen,
    SourceState,
    SourceStatus,
    StatusChanged,
    Upserted,
    Workload,
)
from hpatui.session.chronicle import Chronicle, Who, chronicle, who_is
from tests.factories import NOW, condition, event, hpa, workload

KEY = Key("heyongjia", "php-apache-hpa")
SCOPE = str(KEY)
CONTROLLER = "kube-controller-manager"


def target(replicas: int, writers: Sequence[tuple[str, float]] = ()) -> Workload:
    """The target with managedFields: (manager, when it wrote spec.replicas)."""
    fields = [
        {"manager": name, "operation": "Update", "time": format_rfc3339(as_datetime(time)),
         "fieldsV1": {"f:spec": {"f:replicas": {}}}}
        for name, time in writers
    ]  # fmt: skip
    raw = {"metadata": {"name": "php-apache", "managedFields": fields}, "spec": {"replicas": replicas}}
    return dataclasses.replace(workload(replicas), raw=json.dumps(raw).encode())


def spec(maximum: int, version: str, manager: str = "", at: float = NOW, **more: Any) -> Hpa:
    """The HPA with a maximum, written by a manager."""
    fields = [
        {"manager": manager, "operation": "Apply", "time": format_rfc3339(as_datetime(at)),
         "fieldsV1": {"f:spec": {"f:maxReplicas": {}}}}
    ] if manager else []  # fmt: skip
    raw = {
        "metadata": {"name": KEY.name, "generation": int(version), "managedFields": fields},
        "spec": {"minReplicas": 1, "maxReplicas": maximum},
        "status": {"currentReplicas": 1},
    }
    return hpa(high=maximum, version=version, raw=json.dumps(raw).encode(), **more)


def found(*facts: tuple[float, Any], until: float = 1000.0) -> Chronicle:
    """The chronicle of facts at seconds after NOW, after a first look at both objects."""
    begin = [
        Seen(NOW, Listed(Kind.HPA, (spec(3, "1"),))),
        Seen(NOW, Listed(Kind.WORKLOAD, (target(1, [(CONTROLLER, NOW - 500)]),), SCOPE)),
    ]
    seen = [Seen(NOW + at, what) for at, what in facts]
    return chronicle([*begin, *seen], KEY, NOW, NOW + until)


def wrote(replicas: int, *writers: tuple[str, float]) -> Upserted:
    return Upserted(Kind.WORKLOAD, target(replicas, [(name, NOW + at) for name, at in writers]), SCOPE)


@pytest.mark.parametrize(
    ("manager", "who"),
    [
        (CONTROLLER, Who.HPA),
        ("horizontal-pod-autoscaler", Who.HPA),
        ("argocd-controller", Who.GITOPS),
        ("argocd-application-controller", Who.GITOPS),
        ("kustomize-controller", Who.GITOPS),
        ("helm", Who.GITOPS),
        ("terraform", Who.GITOPS),
        ("kubectl-scale", Who.PERSON),
        ("kubectl-client-side-apply", Who.PERSON),
        ("kubectl", Who.PERSON),
        ("k9s", Who.PERSON),
        ("keda-operator", Who.KEDA),
        ("hpatui", Who.HPATUI),
        ("acme-operator", Who.OTHER),
        ("", Who.UNKNOWN),
    ],
)
def test_who_writes(manager: str, who: Who) -> None:
    assert who_is(manager) is who


def test_a_gitops_tool_that_sets_the_size_back() -> None:
    told = found((100, wrote(5, ("argocd-controller", 99))))
    (write,) = told.writes
    assert (write.before, write.after, write.who, write.manager) == (1, 5, Who.GITOPS, "argocd-controller")
    assert write.time == NOW + 99  # when it wrote, not when that was seen


def test_a_person_who_scales() -> None:
    told = found((100, wrote(5, ("kubectl-scale", 100))), (200, wrote(2, ("kubectl-scale", 200))))
    assert [(write.before, write.after, write.who) for write in told.writes] == [(1, 5, Who.PERSON), (5, 2, Who.PERSON)]


def test_the_hpa_itself_is_no_other_writer() -> None:
    told = found(
        (100, wrote(3, (CONTROLLER, 100))),
        (101, Upserted(Kind.HPA, spec(3, "2", current=1, desired=3, scaled=NOW + 100))),
    )
    assert told.writes == []
    assert [(rescale.from_size, rescale.to_size) for rescale in told.rescales] == [(1, 3)]


def test_without_managed_fields_a_change_that_goes_with_a_rescale_is_the_hpas_and_another_is_unknown() -> None:
    told = found(
        (100, Upserted(Kind.WORKLOAD, target(3), SCOPE)),
        (101, Upserted(Kind.HPA, spec(3, "2", current=1, desired=3, scaled=NOW + 100))),
        (200, Upserted(Kind.WORKLOAD, target(7), SCOPE)),
    )
    assert [(write.before, write.after, write.who, write.manager) for write in told.writes] == [(3, 7, Who.UNKNOWN, "")]


def test_a_foreign_write_beside_a_rescale_is_not_taken_for_it() -> None:
    told = found(
        (100, wrote(3, ("argocd-controller", 100))),
        (102, Upserted(Kind.HPA, spec(3, "2", current=1, desired=3, scaled=NOW + 102))),
    )
    assert [write.who for write in told.writes] == [Who.GITOPS]


def test_a_write_of_what_was_there_already_is_told_without_sizes() -> None:
    told = found((100, wrote(1, ("helm", 100))))
    assert [(write.after, write.who, write.seen) for write in told.writes] == [(None, Who.GITOPS, False)]


def test_writes_from_before_the_first_look_are_told_by_managed_fields() -> None:
    writers = [("kubectl-scale", NOW + 20), (CONTROLLER, NOW - 90)]
    first = [
        Seen(NOW, Listed(Kind.HPA, (spec(3, "1"),))),
        Seen(NOW + 50, Listed(Kind.WORKLOAD, (target(4, writers),), SCOPE)),
    ]
    told = chronicle(first, KEY, NOW, NOW + 60)
    assert [(write.before, write.after, write.who, write.seen) for write in told.writes] == [
        (None, 4, Who.PERSON, False)
    ]
    assert chronicle(first, KEY, NOW + 30, NOW + 60).writes == []


def test_another_object_under_the_same_name_is_no_write() -> None:
    other = dataclasses.replace(target(9), uid="another")
    assert found((100, Upserted(Kind.WORKLOAD, other, SCOPE))).writes == []


def test_versions_of_the_spec_with_a_diff_and_who_wrote() -> None:
    told = found(
        (100, Upserted(Kind.HPA, spec(3, "2"))),  # a status alone
        (200, Upserted(Kind.HPA, spec(10, "3", "argocd-controller", NOW + 199))),
        (300, Upserted(Kind.HPA, spec(8, "4", "kubectl-edit", NOW + 300))),
    )
    assert [(version.generation, version.who) for version in told.versions] == [
        (1, Who.UNKNOWN), (3, Who.GITOPS), (4, Who.PERSON),
    ]  # fmt: skip
    lines = [line for line in told.versions[1].diff if line[:1] in "+-"]
    assert lines == ["-maxReplicas: 3", "+maxReplicas: 10"]
    assert told.versions[1].time == NOW + 199


def test_who_changed_the_spec_is_not_guessed_from_an_older_write() -> None:
    told = found((200, Upserted(Kind.HPA, spec(10, "3", "argocd-controller", NOW - 400))))
    assert told.versions[1].who is Who.UNKNOWN


def test_outages_of_metrics_of_the_scale_and_of_the_recording() -> None:
    blind = (condition("ScalingActive", "False", "FailedGetResourceMetric", "no metrics", NOW + 100),)
    stuck = (condition("AbleToScale", "False", "FailedGetScale", "no scale", NOW + 300),)
    off = (condition("ScalingActive", "False", "ScalingDisabled", "at zero", NOW + 500),)
    told = found(
        (105, Upserted(Kind.HPA, spec(3, "2", conditions=blind))),
        (160, Upserted(Kind.HPA, spec(3, "3"))),
        (200, StatusChanged(Kind.HPA, SourceStatus(SourceState.RECONNECTING, NOW + 200, "gone"))),
        (230, StatusChanged(Kind.HPA, SourceStatus(SourceState.LIVE, NOW + 230))),
        (310, Upserted(Kind.HPA, spec(3, "4", conditions=stuck))),
        (400, Upserted(Kind.HPA, spec(3, "5"))),
        (510, Upserted(Kind.HPA, spec(3, "6", conditions=off))),
        (600, Upserted(Kind.HPA, spec(3, "7", conditions=blind))),
    )
    assert [(one.what, one.start - NOW, None if one.end is None else one.end - NOW) for one in told.outages] == [
        ("metrics", 100, 160), ("metrics", 100, None), ("recording", 200, 230), ("scale", 300, 400),
    ]  # fmt: skip


def test_reasons_come_from_events() -> None:
    message = "New size: 3; reason: cpu resource utilization (percentage of request) above target"
    told = found(
        (100, Upserted(Kind.HPA, spec(3, "2", current=1, desired=3, scaled=NOW + 100))),
        (101, Upserted(Kind.EVENT, event("SuccessfulRescale", message, at=NOW + 100), SCOPE)),
        (
            102,
            Upserted(Kind.EVENT, event("SuccessfulRescale", "New size: 9; reason: x", at=NOW - 900, uid="old"), SCOPE),
        ),
    )
    (rescale,) = told.rescales
    assert rescale.reason == "cpu resource utilization (percentage of request) above target"
    assert rescale.from_size == 1
