"""meta.k8s.io Tables: columns and rows for a list of objects."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from hpatui.autoscaler.rules import RECORDED, Rules
from hpatui.sandbox.apiserver.resources import Resource
from hpatui.sandbox.apiserver.tables import others, pods, workloads
from hpatui.sandbox.apiserver.tables.columns import Column, JsonObject, Printer

_TABLES: dict[tuple[str, str], tuple[list[Column], Printer]] = {
    ("", "pods"): (pods.POD_COLUMNS, pods.print_pod),
    ("", "services"): (others.SERVICE_COLUMNS, others.print_service),
    ("", "endpoints"): (others.ENDPOINTS_COLUMNS, others.print_endpoints),
    ("", "namespaces"): (others.NAMESPACE_COLUMNS, others.print_namespace),
    ("", "nodes"): (others.NODE_COLUMNS, others.print_node),
    ("", "events"): (others.EVENT_COLUMNS, others.print_event),
    ("events.k8s.io", "events"): (others.EVENT_COLUMNS, others.print_event),
    ("", "configmaps"): (others.CONFIG_COLUMNS, others.print_config),
    ("", "secrets"): (others.SECRET_COLUMNS, others.print_secret),
    ("", "serviceaccounts"): (others.ACCOUNT_COLUMNS, others.print_account),
    ("", "resourcequotas"): (others.QUOTA_COLUMNS, others.print_quota),
    ("", "replicationcontrollers"): (workloads.SET_COLUMNS, workloads.print_set),
    ("apps", "deployments"): (workloads.DEPLOYMENT_COLUMNS, workloads.print_deployment),
    ("apps", "replicasets"): (workloads.SET_COLUMNS, workloads.print_set),
    ("apps", "statefulsets"): (workloads.STATEFUL_COLUMNS, workloads.print_stateful),
    ("apps", "daemonsets"): (workloads.DAEMON_COLUMNS, workloads.print_daemon),
    ("apps", "controllerrevisions"): (workloads.REVISION_COLUMNS, workloads.print_revision),
    ("batch", "jobs"): (workloads.JOB_COLUMNS, workloads.print_job),
    ("batch", "cronjobs"): (workloads.CRON_COLUMNS, workloads.print_cron),
    ("autoscaling", "horizontalpodautoscalers"): (workloads.HPA_COLUMNS, workloads.print_hpa),
    ("argoproj.io", "rollouts"): (workloads.ROLLOUT_COLUMNS, workloads.print_rollout),
    ("policy", "poddisruptionbudgets"): (others.BUDGET_COLUMNS, others.print_budget),
    ("coordination.k8s.io", "leases"): (others.LEASE_COLUMNS, others.print_lease),
    ("discovery.k8s.io", "endpointslices"): (others.SLICE_COLUMNS, others.print_slice),
    ("apiregistration.k8s.io", "apiservices"): (others.API_COLUMNS, others.print_api),
}
log = logging.getLogger(__name__)
_PLAIN = (others.PLAIN_COLUMNS, others.print_plain)


def _cells(printer: Printer, stored: JsonObject, now: float, width: int) -> list[Any]:
    """The cells of one row. Statuses hold what their writers like: one that cannot be read shall not hide the others."""
    try:
        return printer(stored, now)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        log.debug("no row for %s: %r", stored["metadata"]["name"], error)
        return [stored["metadata"]["name"], *["<invalid>"] * (width - 1)]


def table_of(
    resource: Resource,
    objects: Iterable[tuple[JsonObject, JsonObject]],
    now: float,
    query: Mapping[str, str],
    version: str = "v1",
    rules: Rules = RECORDED,
) -> dict[str, Any]:
    """The Table of (stored object, object as asked for) pairs. `query` says with includeObject what rows carry."""
    columns, printer = _TABLES.get((resource.group, resource.plural), _PLAIN)
    if printer is workloads.print_hpa:
        printer = partial(workloads.print_hpa, rules=rules)
    include = query.get("includeObject") or "Metadata"
    rows = []
    for stored, shown in objects:
        row: dict[str, Any] = {"cells": _cells(printer, stored, now, len(columns))}
        if include == "Object":
            row["object"] = shown
        elif include == "Metadata":
            row["object"] = {
                "kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{version}", "metadata": shown["metadata"],
            }  # fmt: skip
        rows.append(row)
    definitions = [
        {"name": column.name, "type": column.type, "format": column.format, "description": "",
         "priority": column.priority}
        for column in columns
    ]  # fmt: skip
    return {
        "kind": "Table", "apiVersion": f"meta.k8s.io/{version}", "metadata": {}, "columnDefinitions": definitions,
        "rows": rows,
    }  # fmt: skip
