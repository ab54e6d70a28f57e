"""Locust's processes as they run in a cluster: they hold still while hpatui is silent, long before the lease ends them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sys
from pathlib import Path

from hpatui.load import locust
from hpatui.load.jobs import Place, locust_plan
from hpatui.load.messages import Heartbeat, to_line
from hpatui.load.plan import LoadPlan, Stage
from tests.contract.load.servers import OK

BEAT = to_line(Heartbeat())


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def test_a_silent_hpatui_holds_the_workers_and_a_word_lets_them_go_on(tmp_path: Path) -> None:
    count = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        while await reader.readuntil(b"\r\n\r\n"):
            count += 1
            writer.write(OK)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    place = Place("hpatui-load-abcde", "shop", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    plan = locust_plan(LoadPlan(stages=(Stage(40, 40, None),)), place, leased=True)
    for name in ("locustfile.py", "run_state.py"):
        shutil.copy(Path(next(iter(locust.__path__))) / name, tmp_path)
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    control, bus = _free_port(), str(_free_port())
    environment = {**os.environ, "HPATUI_CONTROL_PORT": str(control)}
    command = [sys.executable, "-m", "locust", "-f", str(tmp_path / "locustfile.py")]
    roles = (
        ["--master", "--headless", "--expect-workers", "1", "--master-bind-port", bus],
        ["--worker", "--master-host", "127.0.0.1", "--master-port", bus],
    )
    quiet = asyncio.subprocess.DEVNULL
    processes = [
        await asyncio.create_subprocess_exec(
            *command, *role, env=environment, cwd=tmp_path, stdin=quiet, stdout=quiet, stderr=quiet
        )
        for role in roles
    ]
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(90):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", control)
                    break
                except OSError:
                    await asyncio.sleep(0.1)

            async def beat_until(enough: int) -> None:
                while count < enough:
                    writer.write(BEAT)
                    await asyncio.sleep(0.1)

            await beat_until(60)
            last, seen, since = loop.time(), count, loop.time()
            while loop.time() - since < 1.5:  # until it has been quiet for so long
                if count != seen:
                    seen, since = count, loop.time()
                await asyncio.sleep(0.02)
            assert since - last < plan["lease"] / 2
            assert all(process.returncode is None for process in processes), "it is held, not ended"
            await beat_until(seen + 60)
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
            await process.wait()
        server.close()
