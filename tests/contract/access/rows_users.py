"""Rows about who we are: tokens, passwords, certificates, plugins, impersonation."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.contract.access.rows import Row, bad, good, stricter
from tests.contract.access.world import TOKEN, World

V1, V1BETA1 = "client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"


def _user(**fields: Any) -> dict[str, Any]:
    named = {name.replace("__", "-"): value for name, value in fields.items()}
    return {"user": lambda _w: named}


def _files(**fields: str) -> dict[str, Any]:
    named = {name.replace("__", "-"): value for name, value in fields.items()}
    return {"user": lambda w: {name: w.file(value) for name, value in named.items()}}


def _data(world: World, name: str) -> str:
    with open(world.file(name), "rb") as file:  # noqa: PTH123
        return base64.b64encode(file.read()).decode()


_TOKENS = (
    good("token"),
    good("basic", **_user(username="me", password="hidden-pw")),
    good("basic without a password", **_user(username="me")),
    good("basic beyond ascii", **_user(username="mé", password="ü")),
    good("token file", **_files(tokenFile="token")),
    good("token beside its file", user=lambda w: {"token": "stale", "tokenFile": w.file("token")}),
    good("token beside a file that is not there", **_user(token="mine", tokenFile="nowhere")),
    bad("token file that is not there", "cannot read the token file .*nowhere", **_user(tokenFile="nowhere")),
    bad("token file that is a folder", "cannot read the token file", user=lambda w: {"tokenFile": str(w.folder)}),
    bad("token file of two lines", "holds a line break", **_files(tokenFile="two-lines")),
    bad("token file that is no text", "it is no text", **_files(tokenFile="binary")),
    bad("empty token file", "is empty", **_files(tokenFile="empty")),
    bad("blank token file", "is empty", **_files(tokenFile="blank")),
    bad("token with a line break", "token has a line break", **_user(token="hidden\nhidden")),
    bad("token with a final line break", "token has a line break", **_user(token="hidden\n")),
    bad("token with a NUL", "token has a line break or another control", **_user(token="hidden\0x")),
    bad("token and password", "two ways to log in", **_user(token="hidden", username="u", password="hidden")),
    bad("no credentials", "has no credentials", **_user()),
    good("token over http is not sent", server="plain"),
    good("password over http is not sent", server="plain", **_user(username="u", password="hidden")),
    bad("token that is refused", "does not accept the credentials of context 'x'", path="/refuse"),
    bad("token over http that is asked for", "sends none over plain http", server="plain", path="/refuse"),
)  # fmt: skip

_CERTIFICATES = (
    good("certificate in files", server="mutual", **_files(client__certificate="client.pem", client__key="client.key")),
    good("certificate as data", server="mutual", user=lambda w: {
        "client-certificate-data": _data(w, "client.pem"), "client-key-data": _data(w, "client.key")}),
    good("certificate as data, key in a file", server="mutual", user=lambda w: {
        "client-certificate-data": _data(w, "client.pem"), "client-key": w.file("client.key")}),
    good("certificate in a file, key as data", server="mutual", user=lambda w: {
        "client-certificate": w.file("client.pem"), "client-key-data": _data(w, "client.key")}),
    good("certificate and token", server="mutual", user=lambda w: {"token": TOKEN,
        "client-certificate": w.file("client.pem"), "client-key": w.file("client.key")}),
    bad("certificate twice", "client-certificate and client-certificate-data", user=lambda w: {
        "client-certificate": w.file("client.pem"), "client-certificate-data": _data(w, "client.pem"),
        "client-key": w.file("client.key")}),
    bad("key twice", "client-key and client-key-data", user=lambda w: {
        "client-certificate": w.file("client.pem"), "client-key-data": _data(w, "client.key"),
        "client-key": w.file("client.key")}),
    bad("certificate without a key", "without client-key", **_files(client__certificate="client.pem")),
    stricter("token and a key without a certificate", "client key without client-certificate",
             "a field that does nothing is not passed over", user=lambda w: {"token": "a", "client-key": w.file("client.key")}),
    bad("certificate file that is not there", "cannot read .*nowhere.pem", user=lambda w: {
        "client-certificate": "nowhere.pem", "client-key": w.file("client.key")}),
    bad("key file that is not there", "client-key of context 'x': cannot read .*nowhere.key", user=lambda w: {
        "client-certificate": w.file("client.pem"), "client-key": "nowhere.key"}),
    bad("key of another certificate", "the key belongs to another certificate",
        server="mutual", **_files(client__certificate="client.pem", client__key="other.key")),
    bad("certificate that is none", "cannot be used", server="mutual", **_files(client__certificate="garbage.pem", client__key="client.key")),
    bad("key that is none", "cannot be used", server="mutual", **_files(client__certificate="client.pem", client__key="garbage.pem")),
    bad("encrypted key (PKCS 8)", "the client key of context 'x' is encrypted",
        server="mutual", **_files(client__certificate="client.pem", client__key="pkcs8.key")),
    bad("encrypted key (traditional)", "the client key of context 'x' is encrypted",
        server="mutual", **_files(client__certificate="client.pem", client__key="traditional.key")),
    bad("certificate data that is no base64", "client-certificate-data is no base64", user=lambda w: {
        "client-certificate-data": "!!", "client-key": w.file("client.key")}),
    bad("certificate that has ended", "your client certificate expired on 2020-01-10", server="mutual",
        **_files(client__certificate="old-client.pem", client__key="old-client.key")),
    bad("no certificate where one is asked for", "asks for a client certificate|broke", server="mutual"),
)  # fmt: skip

_ACTING = (
    good("as", **_user(token=TOKEN, **{"as": "jane"})),
    good("as with groups", **_user(token=TOKEN, **{"as": "jane", "as-groups": ["a", "b c"]})),
    good("as with uid", **_user(token=TOKEN, **{"as": "jane", "as-uid": "42"})),
    good("as with extra", **_user(token=TOKEN, **{"as": "jane", "as-user-extra": {"Scopes/a b%": ["v", "w"], "acme.com/p": ["1"]}})),
    good("as over http", server="plain", **_user(token=TOKEN, **{"as": "jane", "as-groups": ["a"]})),
    good("as by a certificate", server="mutual", user=lambda w: {"as": "jane",
        "client-certificate": w.file("client.pem"), "client-key": w.file("client.key")}),
    bad("groups without as", "without as", **_user(token=TOKEN, **{"as-groups": ["a"]})),
    bad("uid without as", "without as", **_user(token=TOKEN, **{"as-uid": "a"})),
    bad("extra without as", "without as", **_user(token=TOKEN, **{"as-user-extra": {"a": ["b"]}})),
    bad("as with a line break", "Impersonate-User cannot be sent", **_user(token=TOKEN, **{"as": "a\nb"})),
    good("flag --as", flags=("--as", "jane")),
    good("flags --as and --as-group", flags=("--as", "jane", "--as-group", "a", "--as-group", "b")),
    good("flag --as over the file's", flags=("--as", "flag"), **_user(token=TOKEN, **{"as": "file", "as-groups": ["g"]})),
    good("flag --as-group over the file's", flags=("--as", "flag", "--as-group", "h"),
         **_user(token=TOKEN, **{"as": "file", "as-groups": ["g"]})),
    good("flag --as-group for the file's user", flags=("--as-group", "h"), **_user(token=TOKEN, **{"as": "file"})),
    bad("flag --as-group alone", "--as-group needs --as", flags=("--as-group", "b")),
)  # fmt: skip


def _exec(
    script: str, version: str = V1, mode: str | None = "Never", beside: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    entry: dict[str, Any] = {"command": "sh", "args": ["-c", script], "apiVersion": version, **more}
    if mode is not None:
        entry["interactiveMode"] = mode
    return {"user": lambda _w: {"exec": {k: v for k, v in entry.items() if v is not None}, **(beside or {})}}


def _gives(version: str = V1, kind: str = "ExecCredential", **status: Any) -> str:
    return f"echo '{json.dumps({'apiVersion': version, 'kind': kind, 'status': status})}'"


_PLUGINS = (
    good("plugin v1", **_exec(_gives(token=TOKEN))),
    good("plugin v1beta1 without a mode", **_exec(_gives(V1BETA1, token=TOKEN), V1BETA1, None)),
    good("plugin, if available", **_exec(_gives(token=TOKEN), mode="IfAvailable")),
    good("plugin that expires", **_exec(_gives(token=TOKEN, expirationTimestamp="2099-01-01T00:00:00Z"))),
    good("plugin with variables", **_exec('echo "$ANSWER"', env=[{"name": "ANSWER", "value": json.dumps(
        {"apiVersion": V1, "kind": "ExecCredential", "status": {"token": TOKEN}})}])),
    good("plugin beside a token", **_exec("exit 3", beside={"token": TOKEN})),
    good("plugin beside a password", **_exec("exit 3", beside={"username": "u", "password": "p"})),
    good("plugin that gives a certificate", server="mutual", user=lambda w: {"exec": {
        "apiVersion": V1, "interactiveMode": "Never", "command": "python3", "args": ["-c", (
            "import json,sys;print(json.dumps({'apiVersion':sys.argv[1],'kind':'ExecCredential','status':"
            "{'clientCertificateData':open(sys.argv[2]).read(),'clientKeyData':open(sys.argv[3]).read()}}))"),
            V1, w.file("client.pem"), w.file("client.key")]}}),
    good("plugin that talks on standard error", **_exec("echo hello >&2; " + _gives(token=TOKEN))),
    bad("plugin without apiVersion", "exec has no apiVersion", **_exec(_gives(token=TOKEN), None)),  # type: ignore[arg-type]
    bad("plugin v1alpha1", "exec has the apiVersion", **_exec(_gives(token=TOKEN), "client.authentication.k8s.io/v1alpha1")),
    bad("plugin v1 without a mode", "exec has no interactiveMode", **_exec(_gives(token=TOKEN), mode=None)),
    bad("plugin with another mode", "exec has the interactiveMode 'Sometimes'", **_exec(_gives(token=TOKEN), mode="Sometimes")),
    bad("plugin without a command", "exec has no command", user=lambda _w: {"exec": {"apiVersion": V1, "interactiveMode": "Never"}}),
    bad("plugin with a nameless variable", "env entry without", **_exec(_gives(token=TOKEN), env=[{"value": "a"}])),
    bad("plugin and auth-provider", "has exec and auth-provider", **_exec(_gives(token=TOKEN), beside={
        "auth-provider": {"name": "oidc", "config": {"client-id": "a", "idp-issuer-url": "https://idp.test"}}})),
    bad("plugin that is not there", "cannot run the login plugin no-such-plugin.*brew install it now", user=lambda _w: {"exec": {
        "apiVersion": V1, "interactiveMode": "Never", "command": "no-such-plugin", "installHint": "brew install it\nnow"}}),
    bad("plugin that fails", r"failed \(exit code 7\): .*session expired", **_exec("echo session expired >&2; exit 7")),
    bad("plugin that prints nothing", "printed no ExecCredential", **_exec("true")),
    bad("plugin that prints no json", "printed no ExecCredential", **_exec("echo hidden")),
    bad("plugin that answers with another version", "answered with .*v1beta1", **_exec(_gives(V1BETA1, token="hidden"))),
    bad("plugin that answers with another kind", "answered with .* Pod", **_exec(_gives(kind="Pod", token="hidden"))),
    bad("plugin without a status", "without status", **_exec(f"echo '{json.dumps({'apiVersion': V1, 'kind': 'ExecCredential'})}'")),
    bad("plugin without a credential", "neither a token nor a certificate", **_exec(_gives())),
    bad("plugin with half a certificate", "only one of certificate and key", **_exec(_gives(token="t", clientKeyData="hidden"))),
    bad("plugin with a certificate that is none", "no PEM", **_exec(_gives(clientCertificateData="a", clientKeyData="hidden"))),
    bad("plugin with a token of a wrong type", "wrong type", **_exec(_gives(token=5))),
    bad("plugin with a strange end", "expirationTimestamp", **_exec(_gives(token="hidden", expirationTimestamp="soon"))),
    bad("plugin that has to ask", "press L|terminal", **_exec(_gives(token=TOKEN), mode="Always")),
)  # fmt: skip

_PROVIDERS = (
    bad("oidc without client-id", "auth-provider has no client-id", **_user(**{"auth-provider": {
        "name": "oidc", "config": {"idp-issuer-url": "https://idp.test", "id-token": "a.b.c"}}})),
    bad("oidc without an issuer", "auth-provider has no idp-issuer-url", **_user(**{"auth-provider": {
        "name": "oidc", "config": {"client-id": "a"}}})),
    bad("oidc whose token ended", "has ended and there is no refresh token", **_user(**{"auth-provider": {
        "name": "oidc", "config": {"client-id": "a", "idp-issuer-url": "https://127.0.0.1:1", "id-token": "hidden"}}})),
    bad("auth provider gcp", "'gcp' is no longer supported", **_user(**{"auth-provider": {"name": "gcp"}})),
    bad("auth provider without a name", "is no longer supported", **_user(**{"auth-provider": {"config": {}}})),
)  # fmt: skip

USERS: tuple[Row, ...] = (*_TOKENS, *_CERTIFICATES, *_ACTING, *_PLUGINS, *_PROVIDERS)
