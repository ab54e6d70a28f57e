"""The rows of Services, endpoints, nodes, namespaces, events and what has only few columns."""

from __future__ import annotations

from typing import Any

from hpatui.sandbox.apiserver.tables.columns import Cells, Column, JsonObject, age, columns, count, dig, entries, since
from hpatui.sandbox.apiserver.tables.columns import labels_text as labels

SERVICE_COLUMNS = columns("Name|Type|Cluster-IP|External-IP|Port(s)|Age", "Selector")
ENDPOINTS_COLUMNS = columns("Name|Endpoints|Age")
SLICE_COLUMNS = columns("Name|AddressType|Ports|Endpoints|Age")
NAMESPACE_COLUMNS = columns("Name|Status|Age")
NODE_COLUMNS = columns("Name|Status|Roles|Age|Version",
                       "Internal-IP|External-IP|OS-Image|Kernel-Version|Container-Runtime")  # fmt: skip
QUOTA_COLUMNS = columns("Name|Request|Limit|Age")
SECRET_COLUMNS = columns("Name|Type|Data|Age", "", ("Data",))
CONFIG_COLUMNS = columns("Name|Data|Age", "", ("Data",))
ACCOUNT_COLUMNS = columns("Name|Secrets|Age", "", ("Secrets",))
LEASE_COLUMNS = columns("Name|Holder|Age")
BUDGET_COLUMNS = columns("Name|Min Available|Max Unavailable|Allowed Disruptions|Age", "", ("Allowed Disruptions",))
API_COLUMNS = columns("Name|Service|Available|Age")
PLAIN_COLUMNS = columns("Name|Created At")


def print_service(obj: JsonObject, now: float) -> Cells:
    """The cells of one Service."""
    spec = obj.get("spec") or {}
    kind = spec.get("type") or "ClusterIP"
    addresses = [str(entry.get("ip") or entry.get("hostname")) for entry in
                 entries(dig(obj, "status", "loadBalancer", "ingress"))]  # fmt: skip
    external = {"LoadBalancer": ",".join(addresses) or "<pending>", "ExternalName": str(spec.get("externalName"))}
    return [
        obj["metadata"]["name"], kind, spec.get("clusterIP") or "<none>",
        ",".join(spec.get("externalIPs") or ()) or external.get(kind, "<none>"),
        ",".join(_port(entry) for entry in entries(spec.get("ports"))) or "<none>", age(obj, now),
        labels(spec.get("selector")),
    ]  # fmt: skip


def _port(entry: JsonObject) -> str:
    node = f":{entry['nodePort']}" if entry.get("nodePort") else ""
    return f"{entry.get('port')}{node}/{entry.get('protocol', 'TCP')}"


def print_endpoints(obj: JsonObject, now: float) -> Cells:
    """The cells of one Endpoints object."""
    found = []
    for subset in entries(obj.get("subsets")):
        ports = entries(subset.get("ports"))
        for address in entries(subset.get("addresses")):
            found += [f"{address.get('ip')}:{port.get('port')}" for port in ports] or [str(address.get("ip"))]
    more = f" + {len(found) - 3} more..." if len(found) > 3 else ""
    return [obj["metadata"]["name"], ",".join(found[:3]) + more or "<none>", age(obj, now)]


def print_slice(obj: JsonObject, now: float) -> Cells:
    """The cells of one EndpointSlice."""
    ports = [str(port.get("port", "*")) for port in entries(obj.get("ports"))]
    found = [str(a) for endpoint in entries(obj.get("endpoints")) for a in endpoint.get("addresses") or ()]
    return [
        obj["metadata"]["name"], obj.get("addressType", ""), _first(ports, "<unset>"), _first(found, "<unset>"),
        age(obj, now),
    ]  # fmt: skip


def _first(texts: list[str], nothing: str) -> str:
    more = f" + {len(texts) - 3} more..." if len(texts) > 3 else ""
    return ",".join(texts[:3]) + more or nothing


def print_namespace(obj: JsonObject, now: float) -> Cells:
    """The cells of one Namespace."""
    return [obj["metadata"]["name"], dig(obj, "status", "phase") or "Active", age(obj, now)]


def print_node(obj: JsonObject, now: float) -> Cells:
    """The cells of one Node."""
    conditions = entries(dig(obj, "status", "conditions"))
    ready = [entry for entry in conditions if entry.get("type") == "Ready"]
    texts = ["Ready" if entry.get("status") == "True" else "NotReady" for entry in ready] or ["Unknown"]
    if dig(obj, "spec", "unschedulable"):
        texts.append("SchedulingDisabled")
    prefix = "node-role.kubernetes.io/"
    roles = sorted(key.removeprefix(prefix) for key in obj["metadata"].get("labels") or () if key.startswith(prefix))
    info = dig(obj, "status", "nodeInfo") or {}
    addresses = {entry.get("type"): entry.get("address") for entry in entries(dig(obj, "status", "addresses"))}
    return [
        obj["metadata"]["name"], ",".join(texts), ",".join(roles) or "<none>", age(obj, now),
        info.get("kubeletVersion", ""), addresses.get("InternalIP") or "<none>",
        addresses.get("ExternalIP") or "<none>", info.get("osImage") or "<unknown>",
        info.get("kernelVersion") or "<unknown>", info.get("containerRuntimeVersion") or "<unknown>",
    ]  # fmt: skip


EVENT_COLUMNS = [
    Column("Last Seen"), Column("Type"), Column("Reason"), Column("Object"), Column("Subobject", 1),
    Column("Source", 1), Column("Message"), Column("First Seen", 1), Column("Count", 1, "integer"),
    Column("Name", 1, "string", "name"),
]  # fmt: skip


def print_event(obj: JsonObject, now: float) -> Cells:
    """The cells of one Event (as stored: core/v1)."""
    about = obj.get("involvedObject") or {}
    first = since(obj.get("firstTimestamp") or obj.get("eventTime"), now)
    last_time = obj.get("lastTimestamp") or dig(obj, "series", "lastObservedTime")
    last = since(last_time, now) if last_time else first
    count_ = count(obj, "series", "count") or count(obj, "count") or 1
    source = obj.get("source") or {}
    component = source.get("component") or obj.get("reportingComponent") or ""
    where = f"{component}, {source['host']}" if source.get("host") else component
    return [
        last, obj.get("type", ""), obj.get("reason", ""), f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}",
        about.get("fieldPath", ""), where, str(obj.get("message", "")).strip(), first, count_, obj["metadata"]["name"],
    ]  # fmt: skip


def print_quota(obj: JsonObject, now: float) -> Cells:
    """The cells of one ResourceQuota."""
    requests: list[str] = []
    limits: list[str] = []
    hard, used = dig(obj, "status", "hard") or {}, dig(obj, "status", "used") or {}
    for name in sorted(hard):
        (limits if name.startswith("limits") else requests).append(f"{name}: {used.get(name, '0')}/{hard[name]}")
    return [obj["metadata"]["name"], ", ".join(requests), ", ".join(limits), age(obj, now)]


def print_secret(obj: JsonObject, now: float) -> Cells:
    """The cells of one Secret."""
    return [obj["metadata"]["name"], obj.get("type", ""), len(obj.get("data") or ()), age(obj, now)]


def print_config(obj: JsonObject, now: float) -> Cells:
    """The cells of one ConfigMap."""
    return [obj["metadata"]["name"], len(obj.get("data") or ()) + len(obj.get("binaryData") or ()), age(obj, now)]


def print_account(obj: JsonObject, now: float) -> Cells:
    """The cells of one ServiceAccount."""
    return [obj["metadata"]["name"], len(obj.get("secrets") or ()), age(obj, now)]


def print_lease(obj: JsonObject, now: float) -> Cells:
    """The cells of one Lease."""
    return [obj["metadata"]["name"], dig(obj, "spec", "holderIdentity") or "", age(obj, now)]


def print_budget(obj: JsonObject, now: float) -> Cells:
    """The cells of one PodDisruptionBudget."""
    spec: dict[str, Any] = dict(obj.get("spec") or {})
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    allowed = count(obj, "status", "disruptionsAllowed")
    texts = ["N/A" if value is None else str(value) for value in (least, most)]
    return [obj["metadata"]["name"], *texts, allowed, age(obj, now)]


def print_api(obj: JsonObject, now: float) -> Cells:
    """The cells of one APIService."""
    service = dig(obj, "spec", "service")
    where = f"{service.get('namespace')}/{service.get('name')}" if service else "Local"
    text = "Unknown"
    for entry in entries(dig(obj, "status", "conditions")):
        if entry.get("type") == "Available":
            text = str(entry.get("status"))
            if text != "True":
                text += f" ({entry.get('reason', '')})"
    return [obj["metadata"]["name"], where, text, age(obj, now)]


def print_plain(obj: JsonObject, now: float) -> Cells:
    """The cells of an object without columns of its own."""
    return [obj["metadata"]["name"], obj["metadata"].get("creationTimestamp", "")]
