"""Addresses and proxies where loopback cannot show what Go does."""

from __future__ import annotations

import pytest

from hpatui.cluster.address import BadAddress, server_url
from hpatui.cluster.proxies import goes_straight, proxy_for

# golang.org/x/net/http/httpproxy, proxy_test.go: UseProxyTests and its NO_PROXY, all at port 80.
_GO = (
    "foobar.com, .barbaz.net, *.wildcard.io, 192.168.1.1, 192.168.1.2:81, 192.168.1.3:80, 10.0.0.0/30, 2001:db8::52:0:1, "
    "[2001:db8::52:0:2]:443, [2001:db8::52:0:3]:80, 2002:db8:a::45/64"
)


@pytest.mark.parametrize(
    ("host", "straight"),
    [
        ("localhost", True), ("127.0.0.1", True), ("127.0.0.2", True), ("::1", True), ("::2", False),
        ("192.168.1.1", True), ("192.168.1.2", False), ("192.168.1.3", True), ("192.168.1.4", False),
        ("10.0.0.2", True), ("10.0.0.4", False), ("2001:db8::52:0:1", True), ("2001:db8::52:0:2", False),
        ("2001:db8::52:0:3", True), ("2002:db8:a::123", True), ("fe80::424b:c8be:1643:a1b6", False),
        ("barbaz.net", False), ("www.barbaz.net", True), ("foobar.com", True), ("www.foobar.com", True),
        ("foofoobar.com", False), ("baz.com", False), ("localhost.net", False), ("local.localhost", False),
        ("barbarbaz.net", False), ("wildcard.io", False), ("nested.wildcard.io", True), ("awildcard.io", False),
    ],
)  # fmt: skip
def test_no_proxy_as_go_reads_it(host: str, straight: bool) -> None:
    assert goes_straight(host, 80, _GO) is straight


@pytest.mark.parametrize(
    ("url", "no_proxy", "straight"),
    [
        ("https://10.1.2.3:6443", "10.0.0.0/8", True),
        ("https://10.1.2.3:6443", "10.0.0.0/16", False),
        ("https://10.1.2.3:6443", "10.1.2.3:6443", True),
        ("https://10.1.2.3:6443", "10.1.2.3:443", False),
        ("https://10.1.2.3", "10.1.2.3:443", True),
        ("https://[2001:db8::1]:6443", "2001:db8::/32", True),
        ("https://[2001:db8::1]:6443", "[2001:db8::1]:6443", True),
        ("https://[2001:db8::1]:6443", "[2001:db8::1]:443", False),
        ("https://[2001:db8::1]:6443", "10.0.0.0/8,no/cidr,/,:,[", False),
        ("https://api.corp:6443", "corp:6443", True),
        ("https://api.corp:6443", ".corp:443", False),
    ],
)
def test_cidr_and_address_with_port(url: str, no_proxy: str, straight: bool) -> None:
    proxy = "http://proxy.corp:3128"
    assert proxy_for(url, {"HTTPS_PROXY": proxy, "NO_PROXY": no_proxy}) == (None if straight else proxy)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://2001:db8::1:8443", "https://[2001:db8::1]:8443"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]"),
        ("https://fe80::1", "https://[fe80::1]"),  # the last part would be no port
        ("https://::ffff:127.0.0.1:6443", "https://[::ffff:127.0.0.1]:6443"),
        ("2001:db8::1:8443", "http://[2001:db8::1]:8443"),
        ("https://user:p@::1:6443/a", "https://[::1]:6443/a"),
        ("https://h/k8s%2Fclusters%2f/", "https://h/k8s/clusters"),
        ("https://h/%2F%2F", "https://h"),
        ("https://h/a%252Fb", "https://h/a%252Fb"),
        ("https://h/../../a", "https://h/a"),
        ("https://h/a%0Ab%FF", "https://h/a%0Ab%FF"),
        ("https://h/a!*", "https://h/a%21%2A"),
    ],
)
def test_forms_of_the_server(text: str, url: str) -> None:
    assert server_url(text)[0] == url


@pytest.mark.parametrize(
    "text", ["https://[::1", "https://[::1]6443", "https://[::1]:x", "https://1:2:3:6443", "https://h/%2"]
)
def test_forms_that_are_none(text: str) -> None:
    with pytest.raises(BadAddress):
        server_url(text)
