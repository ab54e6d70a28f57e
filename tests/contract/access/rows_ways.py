"""Rows about the way: addresses, proxies, redirects, servers that answer oddly."""

from __future__ import annotations

from typing import Any

from tests.contract.access.rows import Row, bad, good, wider
from tests.contract.access.world import IPV6, World


def _server(form: str, name: str = "tls") -> dict[str, Any]:
    """The server's address in a form; {p} is the port."""
    return {"cluster": lambda w: {"server": form.format(p=w.ports[name])}}


def _proxy(form: str, name: str, server: str = "https://127.0.0.1:{p}") -> dict[str, Any]:
    def made(world: World) -> dict[str, str]:
        return {"server": server.format(p=world.ports["tls"]), "proxy-url": form.format(p=world.ports[name])}

    return {"cluster": made}


def _env(proxy: str, name: str = "http-proxy", variable: str = "HTTPS_PROXY", **more: str) -> dict[str, Any]:
    return {"env": lambda w: {variable: proxy.format(p=w.ports[name]), **more},
            "cluster": lambda w: {"server": f"https://api.test:{w.ports['tls']}"}}  # fmt: skip


def _far(no_proxy: str) -> dict[str, Any]:
    """An address that only the proxy leads to."""
    return {"env": lambda w: {"HTTPS_PROXY": w.url("http-proxy").replace("https", "http"), "NO_PROXY": no_proxy},
            "cluster": lambda w: {"server": f"https://192.0.2.7:{w.ports['tls']}"}}  # fmt: skip


_ADDRESSES = (
    good("a final slash", **_server("https://127.0.0.1:{p}/")),
    good("a path", path="/k8s/clusters/c-m-1"),
    good("a path with a final slash", path="/k8s/clusters/c-m-1/"),
    good("a path with an escape", path="/a%20b"),
    good("an escaped slash in the path", path="/k8s%2Fclusters/a%2fb%2F/"),
    good("letters in the path that need no escape", path="/%61%7Eb/$&+,:;=@"),
    good("letters in the path that need one", path="/a!'()*b%3Fc%23d"),
    good("a path in UTF-8", path="/m%C3%BCller"),
    good("slashes and dots in the path", path="/a//b/./c/../d"),
    good("a query is left out", path="/prefix?x=y#z"),
    good("HTTPS in capitals", **_server("HTTPS://127.0.0.1:{p}")),
    good("HTTP in capitals", server="plain", **_server("HTTP://127.0.0.1:{p}", "plain")),
    good("a name", **_server("https://localhost:{p}")),
    good("host:port is plain http", **_server("127.0.0.1:{p}", "plain")),
    good("localhost:port is plain http", **_server("localhost:{p}", "plain")),
    bad("no server", "has no server", cluster=lambda _w: {"server": ""}),
    bad("another scheme", "has the scheme 'ftp'", **_server("ftp://127.0.0.1:{p}")),
    bad("a space", "has a space", **_server("https://127.0.0.1 :{p}")),
    bad("a port that is none", "has no valid port", **_server("https://127.0.0.1:no")),
    bad("a port beyond all", "has no valid port", **_server("https://127.0.0.1:70000")),
    bad("no host", "has no host", **_server("https://:{p}")),
    bad("a label of 64 characters", "more than 63 characters", **_server("https://" + "a" * 64 + ".test:{p}")),
    bad("an empty label", "empty part", **_server("https://a..test:{p}")),
    bad("a name that nobody knows", "cannot be resolved", **_server("https://nobody.invalid:{p}")),
    bad("a closed port", "cannot connect to 127.0.0.1", **_server("https://127.0.0.1:{p}", "closed")),
    bad("an escape that is none", "is no escape", path="/a%zz"),
    wider("a user and a password in the server's address, nobody else", "kubectl asks for a user name first; the address has one",
          user=lambda _w: {}, **_server("https://user:hidden-pw@127.0.0.1:{p}")),
    good("a user in the server's address beats a token, as in Go", **_server("https://user:hidden-pw@127.0.0.1:{p}")),
    Row("a user in the server's address over http", "refused", "refused", "has no credentials|sends none", user=lambda _w: {},
        **_server("http://user:hidden-pw@127.0.0.1:{p}/refuse", "plain")),
    bad("a user in an address that is closed", "cannot connect to 127.0.0.1", **_server("https://user:hidden-pw@127.0.0.1:{p}", "closed")),
)  # fmt: skip

# Loopback has an IPv6 address on most machines, not on all.
_IPV6 = (
    good("IPv6 in brackets", **_server("https://[::1]:{p}")),
    good("IPv6 without brackets", **_server("https://::1:{p}")),
    good("IPv6 without brackets, with a path", path="", **_server("https://::1:{p}/k8s%2Fa/")),
    good("IPv6 without brackets, plain http", **_server("::1:{p}", "plain")),
    good("IPv6 is loopback, never proxied", way="", env=lambda w: {"HTTPS_PROXY": w.url("closed")}, **_server("https://::1:{p}")),
    bad("IPv6 whose bracket is open", "has a bracket that is not closed", **_server("https://[::1:{p}")),
) if IPV6 else ()  # fmt: skip

_PROXY_URLS = (
    good("proxy-url http", way="connect 127.0.0.1", **_proxy("http://127.0.0.1:{p}", "http-proxy")),
    good("proxy-url http with a login", way="connect 127.0.0.1", **_proxy("http://user:hidden-pw@127.0.0.1:{p}", "auth-proxy")),
    good("proxy-url https", way="connect 127.0.0.1", **_proxy("https://127.0.0.1:{p}", "https-proxy")),
    good("proxy-url socks5", way="socks 127.0.0.1", **_proxy("socks5://127.0.0.1:{p}", "socks")),
    good("proxy-url socks5 leaves names to the proxy", way="socks api.test",
         **_proxy("socks5://127.0.0.1:{p}", "socks", "https://api.test:{p}")),
    good("proxy-url http leaves names to the proxy", way="connect api.test",
         **_proxy("http://127.0.0.1:{p}", "http-proxy", "https://api.test:{p}")),
    good("proxy-url socks5 with a login", way="socks 127.0.0.1", **_proxy("socks5://user:hidden-pw@127.0.0.1:{p}", "socks-auth")),
    wider("proxy-url socks5h", "the same as socks5, by its other name", way="socks 127.0.0.1",
          **_proxy("socks5h://127.0.0.1:{p}", "socks")),
    good("proxy-url beats the environment", way="socks 127.0.0.1", env=lambda w: {"HTTPS_PROXY": w.url("closed")},
         **_proxy("socks5://127.0.0.1:{p}", "socks")),
    good("proxy-url and tls-server-name", way="connect 127.0.0.1", cluster=lambda w: {
        "server": w.url("named"), "proxy-url": f"http://127.0.0.1:{w.ports['http-proxy']}", "tls-server-name": "inner.name.test"}),
    good("proxy-url socks5 and tls-server-name", way="socks 127.0.0.1", cluster=lambda w: {
        "server": w.url("named"), "proxy-url": f"socks5://127.0.0.1:{w.ports['socks']}", "tls-server-name": "inner.name.test"}),
    bad("proxy-url without a scheme", "proxy-url .* is no proxy's URL", **_proxy("127.0.0.1:{p}", "http-proxy")),
    bad("proxy-url ftp", "is no proxy's URL", **_proxy("ftp://user:hidden@127.0.0.1:{p}", "http-proxy")),
    bad("proxy-url without its login", "wants another user and password .407", **_proxy("http://127.0.0.1:{p}", "auth-proxy")),
    bad("proxy-url with another login", "wants another user and password .407",
        **_proxy("http://user:hidden-no@127.0.0.1:{p}", "auth-proxy")),
    bad("proxy-url socks5 with another login", "the proxy .* does not lead", **_proxy("socks5://user:hidden-no@127.0.0.1:{p}", "socks-auth")),
    bad("proxy-url closed", "cannot connect to the proxy 127.0.0.1", **_proxy("http://user:hidden@127.0.0.1:{p}", "closed")),
    bad("proxy-url socks5 closed", "the proxy 127.0.0.1.* does not lead", **_proxy("socks5://127.0.0.1:{p}", "closed")),
    bad("proxy-url that finds nothing", "the proxy .* answered 502", cluster=lambda w: {
        "server": f"https://127.0.0.1:{w.ports['closed']}", "proxy-url": f"http://127.0.0.1:{w.ports['http-proxy']}"}),
)  # fmt: skip

_ENVIRONMENT = (
    good("HTTPS_PROXY", way="connect api.test", **_env("http://127.0.0.1:{p}")),
    good("https_proxy", way="connect api.test", **_env("http://127.0.0.1:{p}", variable="https_proxy")),
    good("HTTPS_PROXY without a scheme", way="connect api.test", **_env("127.0.0.1:{p}")),
    good("HTTPS_PROXY with a login", way="connect api.test", **_env("http://user:hidden-pw@127.0.0.1:{p}", "auth-proxy")),
    good("HTTPS_PROXY https", way="connect api.test", **_env("https://127.0.0.1:{p}", "https-proxy")),
    good("HTTPS_PROXY socks5", way="socks api.test", **_env("socks5://127.0.0.1:{p}", "socks")),
    good("HTTPS_PROXY socks5h", way="socks api.test", **_env("socks5h://127.0.0.1:{p}", "socks")),
    good("capitals beat small letters", way="connect api.test", **_env("http://127.0.0.1:{p}", https_proxy="http://127.0.0.1:1")),
    good("loopback is never proxied", way="", env=lambda w: {"HTTPS_PROXY": w.url("closed")}),
    good("localhost is never proxied", way="", env=lambda w: {"HTTPS_PROXY": w.url("closed")}, **_server("https://localhost:{p}")),
    good("HTTP_PROXY is not for https", way="", env=lambda w: {"HTTP_PROXY": w.url("closed"), "ALL_PROXY": w.url("closed")}),
    bad("ALL_PROXY is not read", "cannot be resolved", **_env("http://127.0.0.1:{p}", variable="ALL_PROXY")),
    bad("NO_PROXY names it", "cannot be resolved", **_env("http://127.0.0.1:{p}", NO_PROXY="api.test")),
    bad("NO_PROXY *", "cannot be resolved", **_env("http://127.0.0.1:{p}", NO_PROXY="*")),
    bad("NO_PROXY .test", "cannot be resolved", **_env("http://127.0.0.1:{p}", NO_PROXY="a, .test")),
    bad("NO_PROXY *.test", "cannot be resolved", **_env("http://127.0.0.1:{p}", NO_PROXY="*.test")),
    bad("NO_PROXY test", "cannot be resolved", **_env("http://127.0.0.1:{p}", NO_PROXY="TEST")),
    bad("no_proxy", "cannot be resolved", **_env("http://127.0.0.1:{p}", no_proxy="api.test")),
    good("NO_PROXY another", way="connect api.test", **_env("http://127.0.0.1:{p}", NO_PROXY="pi.test,other")),
    good("NO_PROXY its port only", way="connect api.test", **_env("http://127.0.0.1:{p}", NO_PROXY="api.test:1")),
    good("NO_PROXY .api.test", way="connect api.test", **_env("http://127.0.0.1:{p}", NO_PROXY=".api.test")),
    good("NO_PROXY another CIDR", way="connect 192.0.2.7", **_far("198.51.100.0/24,192.0.2.8/29x,192.0.2.0/30")),
    good("NO_PROXY its address with another port", way="connect 192.0.2.7", **_far("192.0.2.7:1")),
    good("NO_PROXY a suffix is none of an address", way="connect 192.0.2.7", **_far(".2.7,2.7,*.0.2.7")),
    good("NO_PROXY in IPv6", way="connect 192.0.2.7", **_far("::/0,[::1]:443")),
    bad("HTTPS_PROXY that is none", "HTTPS_PROXY is no proxy's URL|cannot", **_env("://")),
    good("a .netrc is not obeyed"),
)  # fmt: skip

_ANSWERS = (
    good("a redirect of the same server", path="/moved"),
    bad("a redirect elsewhere", "points to https://elsewhere.test", path="/away"),
    bad("a redirect without end", "answered 302", path="/round"),
    bad("a page with 503", "answered 503: a page", path="/html"),
    bad("a page with 404", "answered 404: a page", path="/page"),
    good("a server that asks to come again", path="/busy"),
)  # fmt: skip

WAYS: tuple[Row, ...] = (*_ADDRESSES, *_IPV6, *_PROXY_URLS, *_ENVIRONMENT, *_ANSWERS)
