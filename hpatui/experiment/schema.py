"""The form of an experiment in TOML, as msgspec checks it: which keys there are, their types and bounds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from hpatui.load.plan_schema import CHOICES, WORDS, Duration, PlanTable, Positive, RequestTable, StageTable, TlsTable

FAULTS = ("metrics-down", "node-gone", "slow-start", "pod-crash", "api-slow", "api-down")
Repeats = Annotated[int, Meta(ge=1, le=100)]


class SandboxTable(msgspec.Struct, forbid_unknown_fields=True):
    """[sandbox]: what the sandbox is, where the experiment runs on one."""

    scenario: str = "walkthrough"
    speed: Annotated[float, Meta(ge=0.1, le=100)] = 1.0
    kube_timings: bool = False
    kubernetes: str = ""


class PrepareTable(msgspec.Struct, forbid_unknown_fields=True):
    """[prepare]: for how long the HPA must not have changed before the load begins (at that size, if one is named), and how
    long to wait for that.
    """

    stable: Duration = "10s"
    within: Duration = "5m"
    replicas: Annotated[int, Meta(ge=0)] | None = None


class LoadTable(PlanTable, forbid_unknown_fields=True):
    """[load]: a plan (all that a plan file has), or the name of a plan file; and the way in."""

    plan: str = ""
    via: Literal["proxy", "port-forward", "cluster"] = "proxy"
    url: str = ""
    workers: Annotated[int, Meta(ge=1, le=64)] = 1
    max_rate: Positive | None = None


class FaultTable(msgspec.Struct, forbid_unknown_fields=True, rename={"lasting": "for"}):
    """[[fault]]: what breaks, when, for how long."""

    fault: Literal["metrics-down", "node-gone", "slow-start", "pod-crash", "api-slow", "api-down"]
    at: str
    lasting: Duration | None = None
    target: str = ""
    delay: Duration | None = None
    name: str = ""


class VariantTable(msgspec.Struct, forbid_unknown_fields=True):
    """[[variant]]: a merge patch of the HPA's spec."""

    name: str
    spec: dict[str, Any] = {}


class ExperimentTable(msgspec.Struct, forbid_unknown_fields=True):
    """The whole file."""

    name: str = ""
    about: str = ""
    hpa: str = ""
    namespace: str = ""
    objects: list[str] = []
    repeat: Repeats = 1
    seed: int | None = None
    duration: Duration | None = None
    observe: Duration = "0s"
    expect: list[str] = []
    sandbox: SandboxTable = msgspec.field(default_factory=SandboxTable)
    prepare: PrepareTable = msgspec.field(default_factory=PrepareTable)
    load: LoadTable | None = None
    fault: list[FaultTable] = []
    variant: list[VariantTable] = []


TABLES: dict[str, type[msgspec.Struct]] = {
    "": ExperimentTable, "sandbox": SandboxTable, "prepare": PrepareTable, "load": LoadTable, "fault": FaultTable,
    "variant": VariantTable, "load.stage": StageTable, "load.request": RequestTable, "load.tls": TlsTable,
}  # fmt: skip
ONE_OF = {**CHOICES, "via": "proxy, port-forward, cluster", "fault": ", ".join(FAULTS)}
KINDS = WORDS
