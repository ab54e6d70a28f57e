"""Tokens: who may do what, in the words of Kubernetes, and the reviews that say so beforehand."""

from __future__ import annotations

import aiohttp
import pytest

from hpatui.sandbox.apiserver.access import Access, Attributes, Rule, User
from hpatui.sandbox.apiserver.status import StatusError
from tests.contract.apiserver.objects import CONFIG_MAPS, HPAS, config_map
from tests.contract.conftest import VIEWER, ApiServer

REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


async def test_a_wrong_token_is_nobody(api: ApiServer) -> None:
    answer = await api.request("GET", HPAS, token="wrong")
    assert (answer.code, answer.body["reason"], answer.body["message"]) == (401, "Unauthorized", "Unauthorized")
    assert (await api.request("GET", HPAS, token=None)).code == 401


def test_a_token_is_needed() -> None:
    access = Access("secret", {"other": (Rule(("get",), ("pods",)),)})
    for header in ("", "Bearer", "Bearer ", "Basic secret", "Bearer Secret"):
        with pytest.raises(StatusError) as refused:
            access.user(header)
        assert refused.value.code == 401
    assert access.user("bearer secret").rules is None
    assert "secret" not in repr(access)


async def test_what_a_token_may_not_do(api: ApiServer) -> None:
    assert (await api.request("GET", HPAS, token=VIEWER)).code == 200
    answer = await api.request("POST", CONFIG_MAPS, config_map(), token=VIEWER)
    assert (answer.code, answer.body["reason"]) == (403, "Forbidden")
    assert answer.body["message"] == (
        'configmaps is forbidden: User "restricted-1" cannot create resource "configmaps" in API group "" '
        'in the namespace "shop"'
    )
    path = "/apis/apps/v1/namespaces/shop/deployments/web/scale"
    answer = await api.request("PUT", path, {}, token=VIEWER)
    assert 'deployments.apps "web" is forbidden' in answer.body["message"]
    assert 'cannot update resource "deployments/scale" in API group "apps"' in answer.body["message"]
    assert (await api.request("POST", "/sandbox/v1/faults", {}, token=VIEWER)).code == 403


async def test_reviews(api: ApiServer) -> None:
    for verb, allowed in (("list", True), ("delete", False)):
        wanted = {"verb": verb, "group": "autoscaling", "resource": "horizontalpodautoscalers", "namespace": "shop"}
        answer = await api.request("POST", REVIEW, {"spec": {"resourceAttributes": wanted}}, token=VIEWER)
        assert (answer.code, answer.body["status"]["allowed"]) == (201, allowed)
    answer = await api.request("POST", REVIEW, {"spec": {}}, token=VIEWER)
    assert answer.code == 422
    rules = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    answer = await api.request("POST", rules, {"spec": {"namespace": "shop"}}, token=VIEWER)
    expected = [{"verbs": ["get", "list", "watch"], "apiGroups": ["*"], "resources": ["*"]}]
    assert answer.body["status"]["resourceRules"] == expected
    me = await api.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, token=VIEWER)
    assert me.body["status"]["userInfo"]["username"] == "restricted-1"


def test_rules() -> None:
    user = User("u", (Rule(("get",), ("pods", "*/scale"), ("", "apps"), ("shop",), ("web-1",)),))
    cases = {
        Attributes("get", "", "pods", "", "shop", "web-1"): True,
        Attributes("get", "apps", "deployments", "scale", "shop", "web-1"): True,
        Attributes("get", "", "pods", "", "shop", "web-2"): False,
        Attributes("get", "", "pods", "", "other", "web-1"): False,
        Attributes("list", "", "pods", "", "shop", "web-1"): False,
        Attributes("get", "", "pods", "log", "shop", "web-1"): False,
        Attributes("get", "batch", "pods", "", "shop", "web-1"): False,
    }
    assert {asked: user.may(asked) for asked in cases} == cases


async def test_faults_of_the_server(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    down = [True]
    monkeypatch.setattr(api.runtime, "api_down", lambda: down[0])
    with pytest.raises(aiohttp.ClientError):
        await api.request("GET", HPAS)
    assert (await api.request("GET", "/sandbox/v1/faults")).code == 200, "the fault can be ended"
    down[0] = False
    assert (await api.request("GET", HPAS)).code == 200


async def test_a_watch_ends_when_the_api_goes_down(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async with api.session.get(
        f"{api.url}{HPAS}?watch=1", headers=api.who, timeout=aiohttp.ClientTimeout(total=20)
    ) as answer:
        monkeypatch.setattr(api.runtime, "api_down", lambda: True)
        with pytest.raises(aiohttp.ClientError):
            await answer.read()
