"""Addresses as Go reads them: the server of a kubeconfig (client-go's DefaultServerURL), and URLs without their passwords."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from posixpath import normpath
from urllib.parse import quote_from_bytes, unquote, unquote_to_bytes, urlsplit

from hpatui.masking import remember_secret
from hpatui.text import printable

_LABEL = re.compile(r"[^.]{1,63}(?:\.[^.]{1,63})*\.?\Z")
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)://")
_BAD_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")


class BadAddress(ValueError):
    """The address cannot be used; the message says why, without a password."""


def without_login(url: str) -> str:
    """The URL for people: without user and password."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        scheme, rest = "", url
    # Up to the last @, wherever it stands: in what is no URL, a password may hold anything.
    return printable(f"{scheme}{mark}{rest.rpartition('@')[2]}", 300)


def split_login(host: str) -> tuple[str, tuple[str, str] | None]:
    """`user:password@host` -> host and (user, password)."""
    login, mark, rest = host.rpartition("@")
    if not mark:
        return host, None
    user, _, password = login.partition(":")
    remember_secret(unquote(password))
    remember_secret(password)
    return rest, (unquote(user), unquote(password))


def server_url(text: str) -> tuple[str, tuple[str, str] | None]:
    """(scheme://host:port/path without query and final slash, user and password or None). BadAddress where it is none.

    `host:port` is plain http, as in client-go; IPv6 addresses may lack their brackets.
    """
    if not text:
        raise BadAddress("is empty")
    if any(char <= " " or char == "\x7f" for char in text):
        raise BadAddress("has a space or a control character in it")
    match = _SCHEME.match(text)
    scheme = match.group(1).lower() if match else "http"
    rest = text[match.end() :] if match else text
    if scheme not in ("http", "https"):
        raise BadAddress(f"has the scheme {printable(scheme, 20)!r}, not http or https")
    rest = re.split(r"[?#]", rest, maxsplit=1)[0]
    host, slash, path = rest.partition("/")
    if not match and path:
        raise BadAddress("is neither a URL nor host:port")
    host, login = split_login(host)
    if _BAD_PERCENT.search(path):
        raise BadAddress("has a % in its path that is no escape")
    return f"{scheme}://{_host(host)}{_path(slash + path)}", login


def _path(text: str) -> str:
    """As client-go sends it: taken out of its escapes (`%2F` is a slash), cleaned of `//` and `..`, escaped anew; no final
    slash.
    """
    plain = unquote_to_bytes(text).decode("utf-8", "surrogateescape")
    clean = "/" + normpath(plain).lstrip("/") if plain else ""
    return quote_from_bytes(clean.encode("utf-8", "surrogateescape"), safe="/$&+,:;=@").rstrip("/")


def _host(text: str) -> str:
    """host[:port], with brackets around IPv6."""
    if text.startswith("["):
        inner, bracket, after = text[1:].partition("]")
        if not bracket or (after and not after.startswith(":")):
            raise BadAddress("has a bracket that is not closed")
        name, port = inner, after[1:]
    else:
        name, _, port = text.rpartition(":")
        if ":" not in text:
            name, port = text, ""
        elif ":" in name and _is_ipv6(text):
            try:
                IPv6Address(name)
                if not port.isdecimal() or len(port) < 3:  # `fe80::1` is an address, `::1:6443` has a port
                    name, port = text, ""
            except ValueError:
                name, port = text, ""
    if not name:
        raise BadAddress("has no host")
    if port and (not port.isascii() or not port.isdecimal() or not 0 < int(port[:6]) < 65536):
        raise BadAddress("has no valid port")
    if _is_ipv6(name):
        name = f"[{name}]"
    else:
        _check_name(name)
    return f"{name}:{port}" if port else name


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def _check_name(name: str) -> None:
    if ":" in name or "[" in name:
        raise BadAddress("has a host that is no name and no address")
    if not _LABEL.match(name) or len(name) > 253:
        raise BadAddress("has a host name with an empty part or one of more than 63 characters")
    try:
        name.encode("idna")
    except UnicodeError:
        raise BadAddress("has a host name that DNS cannot have") from None


def host_of(url: str) -> str:
    """Host and port of a URL, for messages."""
    return printable(urlsplit(url).netloc.rpartition("@")[2], 300)
