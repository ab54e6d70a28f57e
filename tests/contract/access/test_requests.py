"""What goes over the wire once a connection stands: as whom each kind of request acts, renewed certificates, patience."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest
import trustme

from hpatui.clock import SystemClock
from hpatui.cluster import auth
from hpatui.cluster import connect as module
from hpatui.cluster.connect import connect
from hpatui.cluster.forward import Forwarder
from hpatui.cluster.permissions import Action, Permissions
from hpatui.cluster.source import ClusterSource
from hpatui.cluster.target import route_to
from hpatui.cluster.watch import ListedRaw, Watch, WatchPace
from hpatui.cluster.writes import Writer
from hpatui.errors import TrustError, UnreachableError
from hpatui.model import SourceState, SourceStatus
from hpatui.plain.describe import describe
from hpatui.plain.explain import explain
from hpatui.sandbox.apiserver.access import Rule
from hpatui.session.live import Session
from hpatui.settings import Settings
from tests.contract.access.recorder import Recorder
from tests.contract.cluster.conftest import hpa_object
from tests.contract.conftest import TOKEN, VIEWER, ApiServer

_POD = {"template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}}
_WHO = [("Impersonate-Group", "dev"), ("Impersonate-Group", "ops"), ("Impersonate-User", "jane")]


async def test_every_kind_of_request_acts_as_the_impersonated_user(recorder: Recorder) -> None:
    user = {"token": "t", "as": "jane", "as-groups": ["ops", "dev"]}
    connection = await connect(Settings(kubeconfig=recorder.config(user)), SystemClock())
    assert connection.acting_as == "jane (groups ops, dev)"
    await connection.get("/healthz")
    await Permissions(connection).may(Action("get", "pods"))
    async with connection.lines("/api/v1/pods", {"watch": "1"}, inactivity=5) as lines:
        assert [line async for line in lines]
    job = {"kind": "Job", "apiVersion": "batch/v1", "metadata": {"name": "load", "namespace": "shop"}, "spec": _POD}
    await Writer(connection).create(job)
    await Writer(connection).delete(job)
    forwarder = Forwarder(connection, "shop")
    _, port = await forwarder.listen("pod", 80)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await reader.read() == b""
    writer.close()
    await forwarder.close()
    source = ClusterSource(connection, SystemClock(), "shop", WatchPace(first=0.05))
    events = source.events()
    async with asyncio.timeout(10):
        while not any("horizontalpodautoscalers" in path for _, path, _, _ in recorder.seen):
            await anext(events)
    await source.close()
    service = {"metadata": {"name": "s", "namespace": "shop"}, "spec": {"ports": [{"port": 80}]}}
    route = await route_to(connection, service)
    assert sorted(pair for pair in route.headers if pair[0].startswith("Impersonate")) == _WHO
    await connection.close()
    paths = " ".join(f"{method} {path}" for method, path, _, _ in recorder.seen)
    for part in ("GET /version", "GET /healthz", "POST /apis/auth", "GET /api/v1/pods", "POST /apis/batch",
                 "DELETE /apis/batch", "portforward", "horizontalpodautoscalers", "endpointslices"):  # fmt: skip
        assert part in paths
    for method, path, headers, _ in recorder.seen:
        sent = sorted((name.title(), value) for name, value in headers if name.lower().startswith("impersonate"))
        assert sent == _WHO, (method, path)


async def test_the_flags_reach_the_snapshot_for_the_header(recorder: Recorder) -> None:
    settings = Settings(kubeconfig=recorder.config({"token": "t"}), as_user="jane", as_groups=("ops",))
    session = Session(settings)
    await session.start()
    async with asyncio.timeout(10):
        while session.snapshot.status.state is not SourceState.LIVE:
            await asyncio.sleep(0.02)
    assert session.snapshot.acting_as == "jane (groups ops)"
    await session.stop()


async def test_a_certificate_that_a_plugin_renews_is_used(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first certificate has ended when it comes; the next request goes out with the next one."""
    monkeypatch.setattr(auth, "_AGAIN", 0.0)
    for name in ("one", "two"):
        cert = recorder.ca.issue_cert(f"{name}@example.org", common_name=name)
        status = {
            "clientCertificateData": cert.cert_chain_pems[0].bytes().decode(),
            "clientKeyData": cert.private_key_pem.bytes().decode(),
            "expirationTimestamp": "2020-01-01T00:00:00Z",
        }
        version = "client.authentication.k8s.io/v1"
        answer = {"kind": "ExecCredential", "apiVersion": version, "status": status}
        (recorder.folder / name).write_text(json.dumps(answer))
    script = "test -e ran && cat two || { touch ran; cat one; }"
    plugin = {"apiVersion": version, "interactiveMode": "Never", "command": "sh",
              "args": ["-c", f"cd '{recorder.folder}'; {script}"]}  # fmt: skip
    connection = await connect(Settings(kubeconfig=recorder.config({"exec": plugin})), SystemClock())
    await connection.get("/healthz")
    await connection.close()
    assert recorder.seen[-1][3] == "two"
    assert {name for *_, name in recorder.seen} <= {"one", "two"}


async def test_a_throttled_list_is_waited_for(recorder: Recorder) -> None:
    recorder.throttle = 2
    said: list[str] = []
    connection = await connect(Settings(kubeconfig=recorder.config({"token": "t"})), SystemClock(), say=said.append)
    found = await connection.get_json("/apis/autoscaling/v2/horizontalpodautoscalers")
    assert len(found["items"]) == 1
    assert said == [f"127.0.0.1:{recorder.port} answered 429: busy; asked to wait 0.05 s"] * 2
    await connection.close()


async def test_tls_done_and_no_answer_ends_and_names_the_host(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert module.FIRST_TIMEOUT <= 15
    monkeypatch.setattr(module, "FIRST_TIMEOUT", 0.2)
    recorder.hold = True
    with pytest.raises(UnreachableError, match=f"127.0.0.1:{recorder.port} does not answer"):
        await connect(Settings(kubeconfig=recorder.config({"token": "t"})), SystemClock())


async def test_what_cannot_heal_is_failed_at_the_first_contact(recorder: Recorder) -> None:
    other = recorder.folder / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    settings = Settings(kubeconfig=recorder.config({"token": "t"}, **{"certificate-authority": str(other)}))
    with pytest.raises(TrustError):
        await connect(settings, SystemClock())
    session = Session(settings)
    await session.start()
    async with asyncio.timeout(10):
        while session.snapshot.status.state is not SourceState.FAILED:
            await asyncio.sleep(0.02)
    assert "certificate-authority of context 'x'" in session.snapshot.status.message
    assert session.snapshot.context == "x"  # known before the first contact
    await session.stop()


async def test_one_hpa_by_name_needs_no_right_to_list(
    api: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await api.request("POST", "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers", hpa_object("a"))
    assert answer.code == 201
    api.viewer_rules[:] = [Rule(("get",), ("*",))]
    (tmp_path / "restricted").write_text(api.kubeconfig.read_text().replace(TOKEN, VIEWER))
    session = Session(Settings(kubeconfig=str(tmp_path / "restricted"), hpa="shop/a"))
    try:
        assert await describe(session) == 0
    finally:
        await session.stop()
    assert "Name:" in capsys.readouterr().out
    lister = Session(Settings(kubeconfig=str(tmp_path / "restricted"), namespace="shop"))
    await lister.start()
    async with asyncio.timeout(10):
        while lister.snapshot.status.state is not SourceState.FORBIDDEN:
            await asyncio.sleep(0.02)
    await lister.stop()


@pytest.mark.parametrize("gone", [1, 3])
async def test_a_list_whose_pages_expire_is_read_in_one_piece_and_never_in_a_row(recorder: Recorder, gone: int) -> None:
    """Where that is refused as well, it is said, and tried again after a pause."""
    recorder.gone = gone
    connection = await connect(Settings(kubeconfig=recorder.config({"token": "t"})), SystemClock())
    pace = WatchPace(first=0.02, longest=0.05)
    said: list[str] = []
    async with asyncio.timeout(10):
        async for event in Watch(
            connection, SystemClock(), "/apis/autoscaling/v2/horizontalpodautoscalers", None, pace
        ).events():
            if isinstance(event, ListedRaw):
                assert len(event.items) == 1
                assert b'"a"' in event.items[0]
                break
            if isinstance(event, SourceStatus) and event.state is SourceState.RECONNECTING:
                said.append(event.message)
    await connection.close()
    assert said == ["the list changes faster than it can be read"] * (gone - 1)


async def test_explain_of_one_hpa_needs_no_right_to_list(
    api: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pods cannot be listed either, which is said, and waited for no longer."""
    path = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers"
    assert (await api.request("POST", path, hpa_object("a"))).code == 201
    api.viewer_rules[:] = [Rule(("get",), ("*",))]
    (tmp_path / "restricted").write_text(api.kubeconfig.read_text().replace(TOKEN, VIEWER))
    session = Session(Settings(kubeconfig=str(tmp_path / "restricted"), hpa="shop/a"))
    try:
        assert await explain(session, as_json=False) == 0
    finally:
        await session.stop()
    assert capsys.readouterr().out.startswith("shop/a: ")


@pytest.mark.parametrize("more", [(), ("--json",)])
async def test_watch_once_waits_for_a_throttled_list(recorder: Recorder, more: tuple[str, ...]) -> None:
    recorder.throttle = 3
    config = recorder.config({"token": "t"})
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hpatui", "--kubeconfig", config, "watch", "--once", *more, "-A",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    out, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, errors
    assert recorder.throttle == 0
    assert b"shop" in out and b"a" in out
    assert b"Traceback" not in errors
