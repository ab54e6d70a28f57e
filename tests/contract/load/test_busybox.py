"""The wget loops of `--engine busybox`, run by a real busybox: they never go where they were not aimed."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from hpatui.errors import UsageError
from hpatui.load.jobs import Place, busybox_job

BUSYBOX = shutil.which("busybox")


class Server:
    """Counts the requests that came; answers `head`."""

    def __init__(self, head: str = "200 OK") -> None:
        self.head, self.requests = head, 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await reader.read(65536)
        if data:
            self.requests += 1
        writer.write(f"HTTP/1.1 {self.head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        writer.close()


@pytest.mark.skipif(BUSYBOX is None, reason="busybox is not installed")
@pytest.mark.parametrize(
    "redirect",
    ["302 Found\r\nLocation: http://127.0.0.1:{port}/", "301 Moved\r\nLocation: https://127.0.0.1:{port}/x",
     "307 Again\r\nLocation: //127.0.0.1:{port}/", "308 Again\r\nLocation: ftp://127.0.0.1:{port}/f"],
)  # fmt: skip
async def test_a_redirect_leads_nowhere_else(redirect: str, tmp_path: Path) -> None:
    other, target = Server(), Server()
    elsewhere = await asyncio.start_server(other, "127.0.0.1", 0)
    aimed = await asyncio.start_server(target, "127.0.0.1", 0)
    target.head = redirect.format(port=elsewhere.sockets[0].getsockname()[1])
    place = Place("hpatui-load-abcde", "shop", f"http://127.0.0.1:{aimed.sockets[0].getsockname()[1]}/path?q=1")
    container = busybox_job(place, 30)["spec"]["template"]["spec"]["containers"][0]
    for applet in ("wget", "sleep", "sh"):
        (tmp_path / applet).symlink_to(str(BUSYBOX))
    environment = {**{entry["name"]: entry["value"] for entry in container["env"]}, "PATH": str(tmp_path)}
    process = await asyncio.create_subprocess_exec(
        str(tmp_path / "sh"), *container["command"][1:], env=environment, cwd=tmp_path, start_new_session=True,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(20):
            while target.requests < 12:
                await asyncio.sleep(0.02)
    finally:
        os.killpg(process.pid, 9)
        await process.wait()
        elsewhere.close()
        aimed.close()
    assert other.requests == 0


def test_https_is_refused_where_redirects_cannot_be_held_back() -> None:
    with pytest.raises(UsageError, match="redirects"):
        busybox_job(Place("hpatui-load-abcde", "shop", "https://web.shop.svc/"), 30)
