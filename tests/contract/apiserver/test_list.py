"""Lists: pages, selectors, versions, forms."""

from __future__ import annotations

from tests.contract.apiserver.objects import CONFIG_MAPS, HPAS, PODS, config_map, hpa, pod
from tests.contract.conftest import ApiServer


async def names(api: ApiServer, path: str) -> list[str]:
    answer = await api.request("GET", path)
    assert answer.code == 200, answer.body
    return [item["metadata"]["name"] for item in answer.body["items"]]


async def test_pages_show_the_list_as_it_was_at_the_first_one(api: ApiServer) -> None:
    api.seed(*(config_map(f"m{number:02}") for number in range(25)))
    first = (await api.request("GET", f"{CONFIG_MAPS}?limit=10")).body
    assert first["metadata"]["remainingItemCount"] == 15
    api.seed(config_map("a-newcomer"))
    await api.request("DELETE", f"{CONFIG_MAPS}/m11")
    seen = [item["metadata"]["name"] for item in first["items"]]
    token = first["metadata"]["continue"]
    while token:
        page = (await api.request("GET", f"{CONFIG_MAPS}?limit=10&continue={token}")).body
        assert page["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
        seen += [item["metadata"]["name"] for item in page["items"]]
        token = page["metadata"].get("continue")
    assert seen == [f"m{number:02}" for number in range(25)]


async def test_an_old_continue_token_is_gone_and_a_broken_one_refused(api: ApiServer) -> None:
    api.seed(*(config_map(f"m{number}") for number in range(3)))
    first = (await api.request("GET", f"{CONFIG_MAPS}?limit=1")).body["metadata"]["continue"]
    for _ in range(40):
        await api.request("GET", f"{CONFIG_MAPS}?limit=1")
    answer = await api.request("GET", f"{CONFIG_MAPS}?limit=1&continue={first}")
    assert (answer.code, answer.body["reason"]) == (410, "Expired")
    for broken in ("nonsense", "eyJhIjoxfQ", "%F0%9F%98%80"):
        answer = await api.request("GET", f"{CONFIG_MAPS}?limit=1&continue={broken}")
        assert (answer.code, answer.body["reason"]) == (400, "BadRequest")


async def test_label_and_field_selectors(api: ApiServer) -> None:
    api.seed(
        pod("a", labels={"app": "web", "tier": "front"}),
        pod("b", labels={"app": "api"}, node="n1", phase="Running"),
        pod("c", labels={"app": "db", "tier": "back"}, node="n2", phase="Running"),
    )
    cases = {
        "labelSelector=app=web": ["a"],
        "labelSelector=app!=web": ["b", "c"],
        "labelSelector=app in (web,db)": ["a", "c"],
        "labelSelector=app notin (web),tier": ["c"],
        "labelSelector=!tier": ["b"],
        "labelSelector=app==db": ["c"],
        "labelSelector=app in (,api)": ["b"],
        "fieldSelector=status.phase=Running": ["b", "c"],
        "fieldSelector=status.phase!=Running": ["a"],
        "fieldSelector=spec.nodeName=n1,status.phase=Running": ["b"],
        "fieldSelector=metadata.name=c": ["c"],
        "labelSelector=app=web&fieldSelector=metadata.name=c": [],
    }
    for query, expected in cases.items():
        assert await names(api, f"{PODS}?{query}") == expected, query


async def test_selectors_that_make_no_sense(api: ApiServer) -> None:
    for query in ("labelSelector=a in", "labelSelector=a=b,", "labelSelector=a=b=c", "labelSelector=-a=b",
                  "labelSelector=a in ()", "labelSelector=a=!", "labelSelector=x/y/z=1", "labelSelector=a>b",
                  "fieldSelector=spec.image=x", "fieldSelector=nonsense"):  # fmt: skip
        answer = await api.request("GET", f"{PODS}?{query}")
        assert (answer.code, answer.body["reason"]) == (400, "BadRequest"), query


async def test_resource_versions(api: ApiServer) -> None:
    api.seed(hpa())
    now = int((await api.request("GET", HPAS)).body["metadata"]["resourceVersion"])
    assert (await api.request("GET", f"{HPAS}?resourceVersion=0")).code == 200
    future = await api.request("GET", f"{HPAS}?resourceVersion={now + 1000}")
    assert (future.code, future.body["reason"]) == (504, "Timeout")
    assert future.body["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
    old = await api.request("GET", f"{HPAS}?resourceVersion={now - 1}&resourceVersionMatch=Exact")
    assert old.code == 410
    assert (await api.request("GET", f"{HPAS}?resourceVersion=abc")).code == 400


async def test_forms(api: ApiServer) -> None:
    api.seed(hpa())
    table = (await api.request("GET", HPAS, accept="application/json;as=Table;v=v1;g=meta.k8s.io")).body
    columns = [column["name"] for column in table["columnDefinitions"]]
    assert columns == ["Name", "Reference", "Targets", "MinPods", "MaxPods", "Replicas", "Age"]
    cells = dict(zip(columns, table["rows"][0]["cells"], strict=True))
    assert cells["Targets"] == "cpu: <unknown>/30%, memory: <unknown>/80Mi"
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    media = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
    partial = (await api.request("GET", HPAS, accept=media)).body
    assert partial["kind"] == "PartialObjectMetadataList"
    assert "spec" not in partial["items"][0]
    text = (await api.request("GET", f"{HPAS}/web", accept="application/yaml")).body
    assert text.startswith("apiVersion: autoscaling/v2")
