"""Watches: from a version, through selectors, bookmarks, 410, timeouts, forms."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from hpatui.sandbox.apiserver.resources import RESOURCES
from tests.contract.apiserver.objects import CONFIG_MAPS, config_map
from tests.contract.conftest import TOKEN, ApiServer

MAPS = RESOURCES["", "configmaps"]
Event = dict[str, Any]


class Lines:
    """The events of an open watch."""

    def __init__(self, content: Any) -> None:
        self._content = content

    async def next(self) -> Event:
        """The next event; {} at the end."""
        line = await asyncio.wait_for(self._content.readline(), 20)
        return msgspec.json.decode(line) if line else {}

    async def next_change(self) -> Event:
        """The next event that is no bookmark."""
        while (event := await self.next()).get("type") == "BOOKMARK":
            pass
        return event


@asynccontextmanager
async def watching(api: ApiServer, query: str, accept: str = "") -> AsyncIterator[Lines]:
    headers = {"Authorization": f"Bearer {TOKEN}", **({"Accept": accept} if accept else {})}
    async with api.session.get(f"{api.url}{CONFIG_MAPS}?watch=true&{query}", headers=headers) as answer:
        assert answer.status == 200
        yield Lines(answer.content)


def put(api: ApiServer, name: str, **data: str) -> None:
    api.store.modify(MAPS, "shop", name, lambda obj: {**obj, "data": data})


def kind_and_name(event: Event) -> tuple[str, str]:
    return event["type"], event["object"]["metadata"]["name"]


async def test_changes_since_a_version_and_live_ones(api: ApiServer) -> None:
    api.seed(config_map("a"))
    version = (await api.request("GET", CONFIG_MAPS)).body["metadata"]["resourceVersion"]
    api.seed(config_map("b"))
    async with watching(api, f"resourceVersion={version}") as lines:
        assert kind_and_name(await lines.next()) == ("ADDED", "b")
        put(api, "a", x="1")
        assert kind_and_name(await lines.next()) == ("MODIFIED", "a")
        last = api.store.delete(MAPS, "shop", "a")
        gone = await lines.next()
        assert kind_and_name(gone) == ("DELETED", "a")
        assert gone["object"]["metadata"]["resourceVersion"] == last["metadata"]["resourceVersion"]


async def test_without_a_version_it_begins_with_what_is_there(api: ApiServer) -> None:
    api.seed(config_map("a"), config_map("b"))
    async with watching(api, "") as lines:
        assert {kind_and_name(await lines.next()) for _ in range(2)} == {("ADDED", "a"), ("ADDED", "b")}


async def test_objects_come_into_a_selection_and_leave_it(api: ApiServer) -> None:
    api.seed(config_map("a"))
    version = api.store.version
    async with watching(api, f"resourceVersion={version}&labelSelector=on=yes") as lines:
        for labels in ({"on": "yes"}, {"on": "yes", "more": "1"}, {"on": "no"}):
            api.store.modify(
                MAPS,
                "shop",
                "a",
                lambda obj, labels=labels: {**obj, "metadata": {**obj["metadata"], "labels": labels}},  # type: ignore[misc]  # a default binds the loop's value
            )
        assert [kind_and_name(await lines.next())[0] for _ in range(3)] == ["ADDED", "MODIFIED", "DELETED"]


async def test_bookmarks_carry_the_version_on(api: ApiServer) -> None:
    version = api.store.version
    async with watching(api, f"resourceVersion={version}&allowWatchBookmarks=true") as lines:
        api.store.create(RESOURCES["", "namespaces"], {"metadata": {"name": "elsewhere"}})
        event = await lines.next()
        while int(event["object"]["metadata"]["resourceVersion"]) < api.store.version:
            event = await lines.next()
        assert event["type"] == "BOOKMARK"
        assert event["object"]["kind"] == "ConfigMap"


async def test_streaming_lists_end_with_a_bookmark(api: ApiServer) -> None:
    api.seed(config_map("a"))
    query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    async with watching(api, query) as lines:
        assert kind_and_name(await lines.next()) == ("ADDED", "a")
        mark = await lines.next()
        assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_a_version_that_is_too_old(api: ApiServer) -> None:
    api.seed(config_map("a"))
    version = api.store.version
    put(api, "a", x="1")
    api.store.compact()
    async with watching(api, f"resourceVersion={version}") as lines:
        event = await lines.next()
        assert event["type"] == "ERROR"
        assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")
        assert await lines.next() == {}, "the watch ends"


async def test_it_ends_in_time_and_while_it_waits_nothing_is_lost(api: ApiServer) -> None:
    async with watching(api, "timeoutSeconds=1") as lines:
        assert await lines.next_change() == {}
    api.seed(config_map("a"))
    async with watching(api, f"resourceVersion={api.store.version}") as lines:
        for number in range(50):
            put(api, "a", x=str(number))
            if number % 7 == 0:
                await asyncio.sleep(0)
        values = [(await lines.next())["object"]["data"]["x"] for _ in range(50)]
        assert values == [str(number) for number in range(50)]


async def test_tables_of_a_watch_have_their_columns_once(api: ApiServer) -> None:
    api.seed(config_map("a"), config_map("b"))
    async with watching(api, "", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json") as lines:
        first, second = await lines.next(), await lines.next()
        assert first["object"]["columnDefinitions"][0]["name"] == "Name"
        assert second["object"]["columnDefinitions"] is None
        assert second["object"]["rows"][0]["cells"][:2] == ["b", 0]


async def test_two_hundred_watchers_see_the_same(api: ApiServer) -> None:
    api.seed(config_map("a"))
    version = api.store.version
    watchers = [api.store.watch(MAPS, "shop", version) for _ in range(200)]
    waiting = [asyncio.create_task(watcher.batch(20)) for watcher in watchers]
    await asyncio.sleep(0)
    put(api, "a", x="1")
    seen = await asyncio.gather(*waiting)
    assert all([event.item.obj["data"] for event in events] == [{"x": "1"}] for events in seen)
    assert api.store.log(MAPS)._waiting == []
