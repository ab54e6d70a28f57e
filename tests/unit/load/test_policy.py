"""Which addresses load may be connected to."""

from __future__ import annotations

import pytest

from hpatui.load.policy import ForbiddenAddress, Policy, refusal, resolved

_SERVER = Policy(api_servers=(("192.0.2.7", 6443), ("127.0.0.1", 8001)))


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%lo", "::ffff:169.254.169.254", "2002:a9fe:a9fe::1",
        "64:ff9b::a9fe:a9fe", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "[fe80::1]",
    ],
)  # fmt: skip
def test_link_local_and_metadata_addresses_are_refused_in_any_clothes(address: str) -> None:
    assert "load never goes there" in refusal(Policy(), address, 80)


@pytest.mark.parametrize(
    ("address", "port", "refused"),
    [
        ("192.0.2.7", 6443, True),
        ("::ffff:192.0.2.7", 6443, True),
        ("192.0.2.7", 443, False),
        ("192.0.2.8", 6443, False),
        ("127.0.0.1", 8001, True),
        ("127.9.9.9", 8001, True),  # what listens on all addresses is reached by each
        ("0.0.0.0", 8001, True),
        ("::1", 8001, True),
        ("127.0.0.1", 8002, False),
    ],
)
def test_the_api_server_is_refused_by_its_address(address: str, port: int, refused: bool) -> None:
    assert bool(refusal(_SERVER, address, port)) is refused


@pytest.mark.parametrize(
    ("address", "refused"),
    [
        ("127.0.0.1", False), ("127.255.0.1", False), ("::1", False), ("::ffff:127.0.0.1", False), ("0.0.0.0", False),
        ("192.0.2.1", True), ("10.0.0.1", True), ("2002:7f00:1::", True), ("64:ff9b::7f00:1", True), ("::2", True),
    ],
)  # fmt: skip
def test_unasked_load_stays_on_this_machine(address: str, refused: bool) -> None:
    assert bool(refusal(Policy(loopback_only=True), address, 80)) is refused
    assert not refusal(Policy(), address, 80)


@pytest.mark.parametrize("host", ["2852039166", "0xa9fea9fe", "169.254.43518", "[::ffff:a9fe:a9fe]"])
async def test_every_way_to_write_an_address_ends_at_the_same_judgement(host: str) -> None:
    with pytest.raises(ForbiddenAddress, match="load never goes there"):
        await resolved(Policy(), host, 80)


async def test_a_name_is_judged_by_where_it_leads() -> None:
    assert set(await resolved(Policy(loopback_only=True), "localhost", 80)) <= {"127.0.0.1", "::1"}
    with pytest.raises(ForbiddenAddress, match=r"localhost leads to .*API server"):
        await resolved(Policy(api_servers=(("127.0.0.1", 80),)), "localhost", 80)
