"""Bodies in Kubernetes' protobuf form, which kubectl's typed commands (create, autoscale, auth can-i) send.

Only what those commands write is known here; other fields are skipped. Numbers are those of the published .proto files.
The envelope is the magic `k8s\\0` and a runtime.Unknown {typeMeta = 1 {apiVersion = 1, kind = 2}, raw = 2}.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from hpatui.clock import as_datetime, format_rfc3339
from hpatui.sandbox.apiserver.status import StatusError, bad_request

MEDIA = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\0"
Table = dict[int, tuple[str, Any]]
JsonObject = dict[str, Any]

# A field is (name, type): "str", "int", "bool", "bytes", "quantity", "intstr", "time", a Table for a message, [type] for
# a list, {"": type} for a map with text keys.
_S, _I, _B, _Q = "str", "int", "bool", "quantity"
_MAP, _AMOUNTS = {"": _S}, {"": _Q}


def _names(*names: str, **types: Any) -> Table:
    """A table of fields numbered from 1; text where no type is given, "" skips a number."""
    return {number: (name, types.get(name, _S)) for number, name in enumerate(names, 1) if name}


_OWNER: Table = {1: ("kind", _S), 3: ("name", _S), 4: ("uid", _S), 5: ("apiVersion", _S), 6: ("controller", _B),
                 7: ("blockOwnerDeletion", _B)}  # fmt: skip
_META: Table = _names(
    "name", "generateName", "namespace", "", "uid", "resourceVersion", "generation", "creationTimestamp",
    "deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers",
    generation=_I, creationTimestamp="time", deletionTimestamp="time", deletionGracePeriodSeconds=_I, labels=_MAP,
    annotations=_MAP, ownerReferences=[_OWNER], finalizers=[_S],
)  # fmt: skip
_SELECTOR = _names(
    "matchLabels", "matchExpressions", matchLabels=_MAP,
    matchExpressions=[_names("key", "operator", "values", values=[_S])],
)  # fmt: skip
_NEEDS = _names("limits", "requests", limits=_AMOUNTS, requests=_AMOUNTS)
_PORT = _names("name", "hostPort", "containerPort", "protocol", "hostIP", hostPort=_I, containerPort=_I)
_CONTAINER = _names(
    "name", "image", "command", "args", "workingDir", "ports", "env", "resources", "", "", "", "",
    "terminationMessagePath", "imagePullPolicy", "", "stdin", "stdinOnce", "tty", "", "terminationMessagePolicy",
    command=[_S], args=[_S], ports=[_PORT], env=[_names("name", "value")], resources=_NEEDS, stdin=_B, stdinOnce=_B,
    tty=_B,
)  # fmt: skip
_POD_SPEC = _names(
    "", "containers", "restartPolicy", "terminationGracePeriodSeconds", "activeDeadlineSeconds", "dnsPolicy",
    "nodeSelector", "serviceAccountName", "serviceAccount", "nodeName", "hostNetwork",
    containers=[_CONTAINER], terminationGracePeriodSeconds=_I, activeDeadlineSeconds=_I, nodeSelector=_MAP,
    hostNetwork=_B,
)  # fmt: skip
_TEMPLATE = _names("metadata", "spec", metadata=_META, spec=_POD_SPEC)


def _object(spec: Table | None = None, **more: tuple[int, Any]) -> Table:
    """A top-level object: metadata, perhaps a spec, further fields by number."""
    table: Table = {1: ("metadata", _META)}
    if spec is not None:
        table[2] = ("spec", spec)
    return table | {number: (name, kind) for name, (number, kind) in more.items()}


_ROLLING = _names("maxUnavailable", "maxSurge", maxUnavailable="intstr", maxSurge="intstr")
_DEPLOYMENT: Table = {
    **_names("replicas", "selector", "template", "strategy", "minReadySeconds", "revisionHistoryLimit", "paused",
             replicas=_I, selector=_SELECTOR, template=_TEMPLATE,
             strategy=_names("type", "rollingUpdate", rollingUpdate=_ROLLING), minReadySeconds=_I,
             revisionHistoryLimit=_I, paused=_B),
    9: ("progressDeadlineSeconds", _I),
}  # fmt: skip
_JOB = _names(
    "parallelism", "completions", "activeDeadlineSeconds", "selector", "manualSelector", "template", "backoffLimit",
    "ttlSecondsAfterFinished", "completionMode", "suspend", parallelism=_I, completions=_I, activeDeadlineSeconds=_I,
    selector=_SELECTOR, manualSelector=_B, template=_TEMPLATE, backoffLimit=_I, ttlSecondsAfterFinished=_I, suspend=_B,
)  # fmt: skip
_CRON = _names(
    "schedule", "startingDeadlineSeconds", "concurrencyPolicy", "suspend", "jobTemplate", "successfulJobsHistoryLimit",
    "failedJobsHistoryLimit", "timeZone", startingDeadlineSeconds=_I, suspend=_B,
    jobTemplate=_names("metadata", "spec", metadata=_META, spec=_JOB), successfulJobsHistoryLimit=_I,
    failedJobsHistoryLimit=_I,
)  # fmt: skip
_SERVICE = _names(
    "ports", "selector", "clusterIP", "type", "externalIPs", "", "sessionAffinity", "loadBalancerIP", "",
    "externalName", ports=[_names("name", "protocol", "port", "targetPort", "nodePort", port=_I, targetPort="intstr",
                                  nodePort=_I)],
    selector=_MAP, externalIPs=[_S],
)  # fmt: skip
_TARGET = _names(
    "type", "value", "averageValue", "averageUtilization", value=_Q, averageValue=_Q, averageUtilization=_I
)
_RESOURCE = _names("name", "target", target=_TARGET)
_REFERENCE = _names("kind", "name", "apiVersion")
_HPA_V2 = _names(
    "scaleTargetRef", "minReplicas", "maxReplicas", "metrics", scaleTargetRef=_REFERENCE, minReplicas=_I,
    maxReplicas=_I, metrics=[{1: ("type", _S), 4: ("resource", _RESOURCE)}],
)  # fmt: skip
_HPA_V1 = _names(
    "scaleTargetRef", "minReplicas", "maxReplicas", "targetCPUUtilizationPercentage", scaleTargetRef=_REFERENCE,
    minReplicas=_I, maxReplicas=_I, targetCPUUtilizationPercentage=_I,
)  # fmt: skip
_ATTRIBUTES = _names("namespace", "verb", "group", "version", "resource", "subresource", "name")
_ACCESS = _names(
    "resourceAttributes", "nonResourceAttributes", resourceAttributes=_ATTRIBUTES,
    nonResourceAttributes=_names("path", "verb"),
)  # fmt: skip
_OPTIONS = _names(
    "gracePeriodSeconds", "preconditions", "orphanDependents", "propagationPolicy", "dryRun", gracePeriodSeconds=_I,
    preconditions=_names("uid", "resourceVersion"), orphanDependents=_B, dryRun=[_S],
)  # fmt: skip
_BUDGET = _names(
    "minAvailable", "selector", "maxUnavailable", minAvailable="intstr", selector=_SELECTOR, maxUnavailable="intstr"
)

_KINDS: dict[tuple[str, str], Table] = {
    ("v1", "ConfigMap"): _object(data=(2, _MAP), immutable=(4, _B)),
    ("v1", "Secret"): _object(data=(2, {"": "bytes"}), type=(3, _S), stringData=(4, _MAP), immutable=(5, _B)),
    ("v1", "Namespace"): _object(_names("finalizers", finalizers=[_S])),
    ("v1", "ServiceAccount"): _object(),
    ("v1", "ResourceQuota"): _object(_names("hard", "scopes", hard=_AMOUNTS, scopes=[_S])),
    ("v1", "Service"): _object(_SERVICE),
    ("v1", "Pod"): _object(_POD_SPEC),
    ("v1", "DeleteOptions"): _OPTIONS,
    ("apps/v1", "Deployment"): _object(_DEPLOYMENT),
    ("batch/v1", "Job"): _object(_JOB),
    ("batch/v1", "CronJob"): _object(_CRON),
    ("autoscaling/v1", "HorizontalPodAutoscaler"): _object(_HPA_V1),
    ("autoscaling/v2", "HorizontalPodAutoscaler"): _object(_HPA_V2),
    ("autoscaling/v1", "Scale"): _object(_names("replicas", replicas=_I)),
    ("policy/v1", "PodDisruptionBudget"): _object(_BUDGET),
    ("policy/v1", "Eviction"): _object(deleteOptions=(2, _OPTIONS)),
    ("authorization.k8s.io/v1", "SelfSubjectAccessReview"): _object(_ACCESS),
    ("authorization.k8s.io/v1", "SelfSubjectRulesReview"): _object(_names("namespace")),
    ("authentication.k8s.io/v1", "SelfSubjectReview"): _object(),
}
# Pointers in Go: 0 is a value. Elsewhere 0 means that the field was not set.
_ZERO_COUNTS = frozenset({
    "replicas", "minReplicas", "parallelism", "completions", "backoffLimit", "gracePeriodSeconds",
    "terminationGracePeriodSeconds", "ttlSecondsAfterFinished", "successfulJobsHistoryLimit",
    "failedJobsHistoryLimit", "revisionHistoryLimit",
})  # fmt: skip


def decode_protobuf(body: bytes) -> JsonObject:
    """The object in a protobuf body. StatusError 400 for broken ones, 415 for kinds that are not known here."""
    if not body.startswith(_MAGIC):
        raise bad_request("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    try:
        unknown = dict(_fields(body[len(_MAGIC) :]))
        meta = _message(_bytes(unknown.get(1, b"")), _names("apiVersion", "kind"))
        api_version, kind = meta.get("apiVersion", ""), meta.get("kind", "")
        known = _OPTIONS if kind == "DeleteOptions" else _KINDS.get((api_version, kind))
        if known is None:
            text = (
                f"the body of the request was in an unknown format - {api_version} {kind} is accepted as JSON or YAML"
            )
            raise StatusError(415, "UnsupportedMediaType", text)
        return {"apiVersion": api_version, "kind": kind, **_message(_bytes(unknown.get(2, b"")), known)}
    except (IndexError, UnicodeDecodeError, ValueError, OverflowError) as error:
        raise bad_request(f"unable to parse the body as protobuf: {error}") from error


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where a message belongs")
    return value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, at
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers and values: numbers for varints, bytes for what has a length."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value
        elif wire == 2:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise ValueError("the body ends within a field")
            yield number, data[at : at + size]
            at += size
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")


def _message(data: bytes, table: Table) -> JsonObject:
    result: JsonObject = {}
    for number, raw in _fields(data):
        known = table.get(number)
        if known is None:
            continue
        name, kind = known
        if isinstance(kind, list):
            result.setdefault(name, []).append(_value(raw, kind[0]))
        elif isinstance(kind, dict) and "" in kind:
            pair = dict(_fields(_bytes(raw)))
            key = _bytes(pair.get(1, b"")).decode()
            result.setdefault(name, {})[key] = _value(pair.get(2, b""), kind[""])
        else:
            value = _value(raw, kind)
            if value in ("", None, {}) or value is False or (value == 0 and name not in _ZERO_COUNTS):
                continue
            result[name] = value
    return result


def _value(raw: int | bytes, kind: Any) -> Any:
    if isinstance(kind, dict):
        return _message(_bytes(raw), kind)
    if kind == "int":
        number = int(raw) if isinstance(raw, int) else 0
        return number - (1 << 64) if number >= 1 << 63 else number
    if kind == "bool":
        return bool(raw)
    data = _bytes(raw)
    if kind == "bytes":
        return base64.b64encode(data).decode()
    if kind == "str":
        return data.decode()
    inner = dict(_fields(data))
    if kind == "quantity":
        return _bytes(inner.get(1, b"0")).decode()
    if kind == "intstr":
        return _bytes(inner.get(3, b"")).decode() if inner.get(1) == 1 else inner.get(2, 0)
    seconds = inner.get(1)  # a time; the zero one is before the epoch and encoded as nothing
    return format_rfc3339(as_datetime(float(seconds))) if isinstance(seconds, int) and seconds < 1 << 40 else None
