"""Applying another spec: dry run, managers, conflicts, the question, and the way back; against a real API server."""

from __future__ import annotations

import json
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hpatui.clock import SystemClock
from hpatui.cluster.connect import Connection, connect
from hpatui.errors import ConflictError, HpatuiError, UsageError
from hpatui.model import Key
from hpatui.session.applying import Answer, Plan, carry_out, plan_change
from hpatui.session.managers import kept_by, looks_like_production
from hpatui.session.undo_book import UndoBook
from hpatui.settings import Settings
from tests.contract.conftest import ApiServer, needs_kubectl

KEY = Key("shop", "checkout")
PATH = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers"
YES = Answer(yes=True)


def _cpu(percent: int) -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def _hpa(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "checkout", "namespace": "shop"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout"},
            "minReplicas": 2,
            "maxReplicas": 4,
            "metrics": [_cpu(50)],
            **spec,
        },
    }


@pytest.fixture
async def connection(api: ApiServer) -> AsyncIterator[Connection]:
    found = await connect(Settings(kubeconfig=str(api.kubeconfig)), SystemClock())
    yield found
    await found.close()


async def _create(api: ApiServer, manager: str = "kubectl-create", **spec: Any) -> dict[str, Any]:
    answer = await api.request("POST", f"{PATH}?fieldManager={manager}", _hpa(**spec))
    assert answer.code == 201, answer.body
    return dict(answer.body)


async def _live(api: ApiServer) -> dict[str, Any]:
    return dict((await api.request("GET", f"{PATH}/checkout")).body)


async def _plan(connection: Connection, **spec: Any) -> Plan:
    return await plan_change(connection, KEY, _hpa(**spec)["spec"], read_only=False)


async def test_a_plan_changes_nothing_and_shows_the_servers_diff(api: ApiServer, connection: Connection) -> None:
    await _create(api)
    before = await _live(api)
    plan = await _plan(connection, maxReplicas=9)
    assert await _live(api) == before
    assert "-  maxReplicas: 4" in plan.diff
    assert "+  maxReplicas: 9" in plan.diff
    assert plan.after["maxReplicas"] == 9
    assert not (await _plan(connection)).changes


async def test_what_is_applied_is_the_least_and_has_our_name(
    api: ApiServer, connection: Connection, tmp_path: Path
) -> None:  # fmt: skip
    await _create(api)
    book = UndoBook(tmp_path)
    plan = await _plan(connection, maxReplicas=9)
    assert plan.conflicts  # kubectl-create wrote maxReplicas
    await carry_out(connection, plan, Answer(yes=True, force=True), book, SystemClock())
    live = await _live(api)
    assert live["spec"]["maxReplicas"] == 9
    ours = [entry for entry in live["metadata"]["managedFields"] if entry["manager"] == "hpatui"]
    assert [entry["operation"] for entry in ours] == ["Apply"]
    assert ours[0]["fieldsV1"] == {"f:spec": {"f:maxReplicas": {}}}
    # A second change keeps what the first one set: an apply removes what it no longer lists.
    plan = await _plan(connection, maxReplicas=9, minReplicas=3)
    await carry_out(connection, plan, Answer(yes=True, force=True), book, SystemClock())
    spec = (await _live(api))["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (3, 9)


@pytest.mark.parametrize("answer", [Answer(), Answer(typed="checkout"), Answer(force=True)])
async def test_nothing_is_applied_without_a_yes(
    api: ApiServer, connection: Connection, tmp_path: Path, answer: Answer
) -> None:
    await _create(api)
    before = await _live(api)
    plan = await _plan(connection, maxReplicas=9)
    with pytest.raises(UsageError, match="--yes"):
        await carry_out(connection, plan, answer, UndoBook(tmp_path), SystemClock())
    assert await _live(api) == before
    assert not UndoBook(tmp_path).changes(connection.server)


async def test_a_conflict_is_said_and_not_forced(api: ApiServer, connection: Connection, tmp_path: Path) -> None:
    await _create(api, "team-tool")
    plan = await _plan(connection, maxReplicas=9)
    assert plan.conflicts == (('"team-tool" using autoscaling/v2', ".spec.maxReplicas"),)
    assert "by force" in plan.question
    with pytest.raises(UsageError, match=r"team-tool.*--force-conflicts"):
        await carry_out(connection, plan, YES, UndoBook(tmp_path), SystemClock())
    assert (await _live(api))["spec"]["maxReplicas"] == 4


async def test_a_place_like_production_wants_the_name(api: ApiServer, connection: Connection, tmp_path: Path) -> None:
    await _create(api)
    text = api.kubeconfig.read_text().replace("hpatui-sandbox", "eu-prod-1")
    (tmp_path / "prod").write_text(text)
    there = await connect(Settings(kubeconfig=str(tmp_path / "prod")), SystemClock())
    try:
        plan = await _plan(there, maxReplicas=9)
        assert plan.type_name == "checkout"
        for answer in (Answer(yes=True, force=True), Answer(yes=True, typed="Checkout", force=True)):
            with pytest.raises(UsageError, match="production"):
                await carry_out(there, plan, answer, UndoBook(tmp_path), SystemClock())
        assert (await _live(api))["spec"]["maxReplicas"] == 4
        done = Answer(typed="checkout", force=True)
        await carry_out(there, plan, done, UndoBook(tmp_path), SystemClock())
        assert (await _live(api))["spec"]["maxReplicas"] == 9
    finally:
        await there.close()


@pytest.mark.parametrize(
    ("name", "is_it"),
    [
        ("prod", True), ("gke_acme_eu-west1_production", True), ("prod1", True), ("eks/PRD.eu", True), ("live-2", True),
        ("products", False), ("delivery", False), ("non-prod", False), ("nonprod-eu", False), ("staging", False),
    ],
)  # fmt: skip
def test_names_of_production(name: str, is_it: bool) -> None:
    assert looks_like_production("kind", name) is is_it


async def test_read_only_sends_nothing(connection: Connection) -> None:
    with pytest.raises(UsageError, match="read-only"):
        await plan_change(connection, Key("shop", "not-there"), {}, read_only=True)  # else: there is no HPA


async def test_gitops_is_warned_of(api: ApiServer, connection: Connection) -> None:
    await _create(api, "argocd-controller")
    plan = await _plan(connection, maxReplicas=9)
    assert any("argocd-controller manages its spec" in text and "GitOps" in text for text in plan.warnings)
    assert [(m.name, m.gitops) for m in plan.managers] == [("argocd-controller", True)]


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}}, "Flux"),
        ({"annotations": {"meta.helm.sh/release-name": "shop"}}, "Helm"),
        ({"ownerReferences": [{"kind": "ScaledObject", "name": "q", "controller": True}]}, "ScaledObject/q"),
        ({"managedFields": [{"manager": "kustomize-controller", "fieldsV1": {"f:spec": {"f:x": {}}}}]}, "kustomize"),
    ],
)
def test_who_sets_it_back(metadata: dict[str, Any], words: str) -> None:
    assert any(words in text for text in kept_by({"metadata": metadata}))


@pytest.mark.parametrize("metadata", [{}, {"labels": {"app": "x"}}, {"managedFields": [None, {"manager": "argocd"}]}])
def test_nobody_sets_it_back(metadata: dict[str, Any]) -> None:
    assert kept_by({"metadata": metadata}) == ()


async def test_a_spec_that_changed_meanwhile_is_not_overwritten(
    api: ApiServer, connection: Connection, tmp_path: Path
) -> None:
    await _create(api)
    plan = await _plan(connection, maxReplicas=9)
    patch = {"spec": {"maxReplicas": 7}}
    await api.request("PATCH", f"{PATH}/checkout", patch, media="application/merge-patch+json")
    with pytest.raises(ConflictError, match="changed meanwhile"):
        await carry_out(connection, plan, Answer(yes=True, force=True), UndoBook(tmp_path), SystemClock())
    assert (await _live(api))["spec"]["maxReplicas"] == 7


async def test_an_hpa_that_is_gone_is_not_made_anew(api: ApiServer, connection: Connection, tmp_path: Path) -> None:
    await _create(api)
    plan = await _plan(connection, maxReplicas=9)
    await api.request("DELETE", f"{PATH}/checkout")
    with pytest.raises(UsageError, match="there is no HPA"):
        await carry_out(connection, plan, Answer(yes=True, force=True), UndoBook(tmp_path), SystemClock())
    await _create(api)
    with pytest.raises(ConflictError):  # one of the same name is another
        await carry_out(connection, plan, Answer(yes=True, force=True), UndoBook(tmp_path), SystemClock())


async def test_what_cannot_be_taken_away_is_refused(api: ApiServer, connection: Connection) -> None:
    await _create(api, behavior={"scaleDown": {"stabilizationWindowSeconds": 0}})
    with pytest.raises(UsageError, match=r"spec\.behavior"):
        await _plan(connection)  # without behavior: its owner keeps it


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"maxReplicas": 1}, "maxReplicas"),
        ({"maxReplica": 5}, "unknown field"),
        ({"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "other"}}, "another target"),
    ],
)
async def test_a_bad_spec_is_one_line(
    api: ApiServer, connection: Connection, spec: dict[str, Any], words: str
) -> None:  # fmt: skip
    await _create(api)
    with pytest.raises(HpatuiError) as caught:
        await _plan(connection, **spec)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_the_old_spec_is_kept_before_anything_is_applied(
    api: ApiServer, connection: Connection, tmp_path: Path
) -> None:
    await _create(api)
    plan = await _plan(connection, maxReplicas=9)
    (tmp_path / "undo").write_text("a file where a folder should be")
    with pytest.raises(HpatuiError, match="nothing was applied"):
        await carry_out(connection, plan, Answer(yes=True, force=True), UndoBook(tmp_path), SystemClock())
    assert (await _live(api))["spec"]["maxReplicas"] == 4


async def test_the_book_of_undo(api: ApiServer, connection: Connection, tmp_path: Path) -> None:
    await _create(api)
    plan = await _plan(connection, maxReplicas=9, behavior={"scaleDown": {"stabilizationWindowSeconds": 60}})
    book = UndoBook(tmp_path)
    change = await carry_out(connection, plan, Answer(yes=True, force=True), book, SystemClock())
    assert book.changes(connection.server) == book.changes(connection.server, Key("", "checkout")) == [change]
    assert book.changes("https://another") == []
    (path,) = (tmp_path / "undo").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "token" not in path.read_text()
    back = await plan_change(connection, KEY, change.before, read_only=False)
    assert not back.conflicts  # they are ours
    await carry_out(connection, back, YES, book, SystemClock())
    spec = (await _live(api))["spec"]
    assert spec["maxReplicas"] == 4
    assert (spec.get("behavior") or {}).get("scaleDown", {}).get("stabilizationWindowSeconds") is None
    book.drop(change)
    path.write_text('[{"no": 1}, 7')
    assert book.changes(connection.server) == []


async def test_a_refused_apply_leaves_no_undo(api: ApiServer, connection: Connection, tmp_path: Path) -> None:
    await _create(api)
    plan = await _plan(connection, maxReplicas=9)
    bad = replace(plan, item={**plan.item, "spec": {"maxReplicas": -1}})
    with pytest.raises(HpatuiError):
        await carry_out(connection, bad, Answer(yes=True, force=True), UndoBook(tmp_path), SystemClock())
    assert UndoBook(tmp_path).changes(connection.server) == []


@needs_kubectl
async def test_kubectl_sees_us_as_any_manager(api: ApiServer, connection: Connection, tmp_path: Path) -> None:
    """Made with kubectl apply, changed by hpatui: kubectl's own server-side apply then names hpatui as the owner."""
    await api.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(_hpa()))
    plan = await _plan(connection, maxReplicas=9)
    assert any("applying the old file again" in text for text in plan.warnings)
    await carry_out(connection, plan, Answer(yes=True, force=True), UndoBook(tmp_path), SystemClock())
    assert (await api.kubectl("get", "hpa", "checkout", "-o", "jsonpath={.spec.maxReplicas}")) == "9"
    said = await api.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(_hpa()), check=False)
    assert 'conflict with "hpatui": .spec.maxReplicas' in said
