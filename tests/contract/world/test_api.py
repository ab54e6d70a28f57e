"""`hpatui.api` as a program uses it, on a real sandbox."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hpatui import api
from hpatui.errors import HpatuiError, LoadError, UsageError
from hpatui.model import LoadSample
from tests.schemas import check

NAME = "heyongjia/php-apache-hpa"


async def test_watch_wait_explain_and_load(kubeconfig: str) -> None:
    async with api.open_session(kubeconfig=kubeconfig, all_namespaces=True) as client:
        check("watch", client.snapshot())
        (hpa,) = client.hpas()
        assert client.hpa("php-apache-hpa") == hpa and hpa["name"] == "php-apache-hpa"
        seconds: list[LoadSample] = []
        loading = asyncio.create_task(client.load(NAME, 60, 4, on_second=seconds.append))
        scaled = await client.wait(NAME, api.replicas_at_least(2), timeout=60)
        assert scaled["current"] >= 2
        check("explain", await client.explain(NAME))
        result = await loading
        check("load", result)
        assert result["requests"] == 240 and len(result["per_second"]) == len(seconds) >= 4
        with pytest.raises(HpatuiError, match="is not as waited for after 0"):
            await client.wait(NAME, lambda hpa: hpa["current"] > 99, timeout=0.1)
        with pytest.raises(HpatuiError, match="there is no HPA nope"):
            await client.wait("nope", api.state_is("steady"), timeout=1)
        with pytest.raises(LoadError, match="at most 200"):
            await client.load(NAME, 201, 1)


async def test_a_read_only_session_sends_nothing(kubeconfig: str) -> None:
    async with api.open_session(kubeconfig=kubeconfig, all_namespaces=True, read_only=True) as client:
        with pytest.raises(LoadError, match="read-only"):
            await client.load(NAME, 1, 1)


async def test_a_url_elsewhere_is_asked_about(kubeconfig: str) -> None:
    where = "http://127.0.0.1:9/"
    async with api.open_session(kubeconfig=kubeconfig, all_namespaces=True, load_url=where) as client:
        with pytest.raises(LoadError, match=r"Send .* to .*confirmed=True"):
            await client.load(NAME, 1, 1)


def test_what_cannot_be_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown setting 'kubeconf'"):
        api.open_session(kubeconf="x")
    with pytest.raises(UsageError, match="no scenario"):
        api.open_session(sandbox="nope")


async def test_a_cluster_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(HpatuiError, match=r"no kubeconfig|not there|cannot read"):
        async with api.open_session(kubeconfig=str(tmp_path / "none")):
            pass
