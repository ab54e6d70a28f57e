"""Random requests over all paths, verbs, media types and patches: no 500, no crash, and the sandbox is well afterwards.

HPATUI_FUZZ says how many requests (default: few), HPATUI_FUZZ_SEED which ones.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.process import READY

REQUESTS = int(os.environ.get("HPATUI_FUZZ", "1500"))
SEED = os.environ.get("HPATUI_FUZZ_SEED", "1")
MEDIA = (
    "application/json", "application/yaml", "application/json-patch+json", "application/merge-patch+json",
    "application/strategic-merge-patch+json", "application/apply-patch+yaml", "text/plain", "",
    "application/vnd.kubernetes.protobuf",
)  # fmt: skip
QUERIES = (
    "", "", "", "?dryRun=All", "?fieldManager=f&force=true", "?fieldManager=f", "?limit=1", "?labelSelector=a=b",
    "?labelSelector=,,", "?fieldSelector=x", "?continue=x", "?resourceVersion=x", "?fieldValidation=Strict",
    "?timeoutSeconds=x", "?gracePeriodSeconds=0", "?propagationPolicy=Foreground", "?limit=-1", "?pretty=true",
)  # fmt: skip
KEYS = (
    "apiVersion", "kind", "metadata", "spec", "status", "name", "namespace", "labels", "annotations", "ownerReferences",
    "finalizers", "replicas", "selector", "matchLabels", "matchExpressions", "template", "containers", "image", "ports",
    "resources", "requests", "limits", "cpu", "memory", "metrics", "type", "resource", "target", "averageUtilization",
    "behavior", "scaleUp", "policies", "scaleTargetRef", "minReplicas", "maxReplicas", "data", "conditions", "group",
    "version", "service", "op", "path", "value", "uid", "deletionTimestamp", "generation", "managedFields", "$patch",
    "strategy", "rollingUpdate", "maxSurge", "parallelism", "schedule", "jobTemplate", "hard", "taints", "capacity",
    "allocatable", "nodeName", "phase", "containerStatuses", "subsets", "endpoints", "clusterIP", "controller",
)  # fmt: skip
LEAVES: tuple[Any, ...] = (
    None, True, 0, 1, -1, 2**31, 2**63, 1.5, "", "a", "1", "50%", "100m", "1Ki", "x/y", "é", "0" * 300, "/spec", "/", [], {},
    "2026-01-01T00:00:00Z", "Deployment", "apps/v1", "web", "Utilization", "RollingUpdate", "10P", "\u0000", "replace",
)  # fmt: skip
SUBS = (
    "",
    "",
    "",
    "",
    "/status",
    "/scale",
    "/log",
    "/proxy/",
    "/eviction",
    "/binding",
    "/finalize",
    "/nope",
    "/portforward",
)
NAMES = (
    "web",
    "php-apache",
    "php-apache-hpa",
    "default",
    "a",
    "v1.apps",
    "v1beta1.metrics.k8s.io",
    "%2e",
    "a%2Fb",
    "%ff",
)
SPACES = ("heyongjia", "default", "fuzz", "kube-system", "nope")
FIXED = (
    "/", "/version", "/api", "/apis", "/apis/apps", "/openapi/v2", "/openapi/v3", "/openapi/v3/apis/apps/v1", "/livez",
    "/healthz", "/sandbox/v1/faults", "/sandbox/v1/x", "/api/v1/", "/apis/x/y/z", "//", "/api/v1/namespaces/", "/%", "/%zz",
    "/apis/metrics.k8s.io/v1beta1/pods", "/apis/metrics.k8s.io/v1beta1/nodes/x", "/apis/external.metrics.k8s.io/v1beta1",
    "/apis/custom.metrics.k8s.io/v1beta2/namespaces/heyongjia/pods/*/x",
    "/apis/external.metrics.k8s.io/v1beta1/namespaces/x/y",
)  # fmt: skip


class Fuzz:
    """What to ask next; the same for the same seed. `seen` are objects that the server answered with."""

    def __init__(self, seed: str) -> None:
        self.chance = random.Random(seed)
        self.seen: list[dict[str, Any]] = []

    def value(self, depth: int = 0) -> Any:
        """Random JSON with Kubernetes' names."""
        roll = self.chance.random()
        if depth > 5 or roll < 0.4:
            return self.chance.choice(LEAVES)
        if roll < 0.55:
            return [self.value(depth + 1) for _ in range(self.chance.randint(0, 3))]
        return {self.chance.choice(KEYS): self.value(depth + 1) for _ in range(self.chance.randint(0, 5))}

    def mutated(self, value: Any) -> Any:
        """JSON with some parts replaced, left out or doubled."""
        if self.chance.random() < 0.04:
            return self.value(3)
        if isinstance(value, dict):
            kept = {key: self.mutated(each) for key, each in value.items() if self.chance.random() > 0.03}
            if self.chance.random() < 0.05:
                kept[self.chance.choice(KEYS)] = self.value(3)
            return kept
        return [self.mutated(each) for each in value] if isinstance(value, list) else value

    def body(self, media: str) -> bytes:
        """A body: an object that was seen, changed; a patch; or nonsense."""
        roll = self.chance.random()
        if roll < 0.05:
            return self.chance.randbytes(20)
        if "json-patch" in media:
            ops = ("add", "remove", "replace", "test", "move", "copy", "x")
            path = "/" + "/".join(
                self.chance.choice((*KEYS, "0", "-", "~1", "~")) for _ in range(self.chance.randint(0, 3))
            )
            change: Any = [{"op": self.chance.choice(ops), "path": path, "from": path, "value": self.value(3)}]
        elif self.seen and roll < 0.75:
            change = self.mutated(self.chance.choice(self.seen))
            if isinstance(change, dict) and isinstance(change.get("metadata"), dict) and self.chance.random() < 0.8:
                for name in ("resourceVersion", "uid", "managedFields"):
                    change["metadata"].pop(name, None)
                if self.chance.random() < 0.5:
                    change["metadata"]["name"] = self.chance.choice(NAMES)
        else:
            change = self.value()
        return json.dumps(change).encode()

    def request(self) -> tuple[str, str, str, bytes | None]:
        """Method, path, media type, body."""
        media = self.chance.choice(MEDIA)
        method = self.chance.choice(
            ("GET", "GET", "POST", "POST", "PUT", "PATCH", "PATCH", "DELETE", "OPTIONS", "HEAD")
        )
        if self.chance.random() < 0.15:
            path = self.chance.choice(FIXED)
        else:
            resource = self.chance.choice(list(RESOURCES.values()))
            base = f"/apis/{resource.group}" if resource.group else "/api"
            path = f"{base}/{self.chance.choice(resource.versions)}"
            if resource.namespaced and self.chance.random() < 0.95:
                path += f"/namespaces/{self.chance.choice(SPACES)}"
            path += f"/{resource.plural}"
            if self.chance.random() < 0.7 and method != "POST":
                known = [each["metadata"]["name"] for each in self.seen if each.get("kind") == resource.kind]
                path += f"/{self.chance.choice(known or NAMES)}{self.chance.choice(SUBS)}"
        query = self.chance.choice(QUERIES)
        return method, path + query, media, None if method in ("GET", "HEAD") else self.body(media)

    def learn(self, answer: bytes) -> None:
        """Remember what may be changed and sent back."""
        try:
            found = json.loads(answer)
        except ValueError:
            return
        items = found.get("items") if isinstance(found, dict) else None
        for each in items if isinstance(items, list) else [found]:
            if isinstance(each, dict) and isinstance(each.get("metadata"), dict) and each["metadata"].get("name"):
                kind = str(found.get("kind", "")).removesuffix("List")
                self.seen.append({"kind": kind, **each} if items is not None else each)
        if len(self.seen) > 300:
            self.seen = self.chance.sample(self.seen, 200)


def test_never_a_500(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    command = [sys.executable, "-m", "hpatui", "sandbox", "--speed", "10", "--kubeconfig-out", str(kubeconfig)]
    errors = (tmp_path / "errors").open("w+")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith(READY)
            token = yaml.safe_load(kubeconfig.read_text())["users"][0]["user"]["token"]
            _attack(line.split()[2].removeprefix("http://"), token)
            assert process.poll() is None
            environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}
            for arguments in (["get", "--raw", "/livez"], ["version"], ["get", "hpa", "-A"], ["get", "apiservices"]):
                done = subprocess.run(
                    ["kubectl", *arguments], capture_output=True, text=True, timeout=60, env=environment, check=False
                )
                assert done.returncode == 0, done.stderr
        finally:
            process.terminate()
            process.wait(20)
    errors.seek(0)
    said = errors.read()
    assert "Traceback" not in said, said[-6000:]


def _attack(address: str, token: str) -> None:
    fuzz = Fuzz(SEED)
    connection = http.client.HTTPConnection(address, timeout=20)

    def ask(method: str, path: str, media: str, body: bytes | None) -> tuple[int, bytes]:
        connection.request(method, path, body, {"Authorization": f"Bearer {token}", "Content-Type": media})
        answer = connection.getresponse()
        return answer.status, answer.read()

    for path in ("/apis/autoscaling/v2/horizontalpodautoscalers", "/apis/apps/v1/deployments", "/api/v1/pods",
                 "/api/v1/nodes", "/api/v1/services", "/apis/apiregistration.k8s.io/v1/apiservices",
                 "/apis/apps/v1/replicasets", "/api/v1/namespaces"):  # fmt: skip
        fuzz.learn(ask("GET", path, "", None)[1])
    for number in range(REQUESTS):
        method, path, media, body = fuzz.request()
        if method == "POST" and "/sandbox/" in path:
            continue  # faults close connections: that is what they are for
        status, answer = ask(method, path, media, body)
        assert status != 500 and b"cannot be handled: " not in answer[:300].replace(b"handled as", b""), (
            f"request {number} (seed {SEED}): {method} {path} {media} {body!r}: {status} {answer[:500]!r}"
        )
        fuzz.learn(answer)
