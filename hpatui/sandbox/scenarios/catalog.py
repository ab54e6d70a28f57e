"""The scenarios by name: what each shows in two lines, and the function that builds it. Imports nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """`module` and `function` within hpatui.sandbox.scenarios; `namespace` of its objects; `look_at`: two lines."""

    module: str
    function: str
    namespace: str
    look_at: str


CATALOG: dict[str, Entry] = {
    "walkthrough": Entry(
        "walkthrough", "build", "heyongjia",
        "php-apache with targets cpu 30 % and memory 80Mi, 1 to 3 replicas. Start the load: it goes to 3.\n"
        "Stop it and watch the countdown until it comes back to 1.",
    ),
    "flapping": Entry(
        "behavior", "flapping", "shop",
        "The load swings and the scale-down window is 0 s: replicas go up and down with every swing.\n"
        "Count the rescale marks; which window would have stopped it?",
    ),
    "held-down": Entry(
        "behavior", "held_down", "shop",
        "A burst, then quiet: the HPA wants 1 replica and stays at 5 (ScaleDownStabilized).\n"
        "Look at the countdown: the window is 300 s and every burst starts it again.",
    ),
    "rate-limited": Entry(
        "behavior", "rate_limited", "shop",
        "Seventeen times the load at once, but the policy allows one more pod every 15 s (ScaleUpLimit).\n"
        "Latency stays bad until the last pod is there.",
    ),
    "at-max": Entry(
        "behavior", "at_max", "shop",
        "CPU far above its target with all replicas that maxReplicas allows (TooManyReplicas).\n"
        "How many it would take stands in the explanation.",
    ),
    "no-metrics": Entry(
        "metrics", "no_metrics", "shop",
        "The metrics API is not available: TARGETS shows <unknown> and nothing scales.\n"
        "Look at the condition ScalingActive and at FailedGetResourceMetric in the events.",
    ),
    "crash-loop": Entry(
        "metrics", "crash_loop", "shop",
        "metrics-server is in CrashLoopBackOff: it cannot reach 10.233.0.1:443.\n"
        "Its log says so; the HPA only says that it has no metrics.",
    ),
    "missing-requests": Entry(
        "metrics", "missing_requests", "shop",
        "The sidecar of one Deployment has no CPU request, so utilization cannot be computed.\n"
        "The HPA beside it works: only one TARGETS is <unknown>.",
    ),
    "ambiguous": Entry(
        "metrics", "ambiguous", "shop",
        "Two HPAs select the pods of one Deployment: AmbiguousSelector, and neither of them scales.\n"
        "Both names stand in the message.",
    ),
    "target-missing": Entry(
        "metrics", "target_missing", "shop",
        "The scale target does not exist (FailedGetScale), and another one is scaled to 0 (ScalingDisabled).\n"
        "Neither HPA can do anything.",
    ),
    "unschedulable": Entry(
        "pods", "unschedulable", "shop",
        "The HPA wants 5 pods and the node has room for 2: the others stay Pending.\n"
        "Look at the pods and at FailedScheduling in the events.",
    ),
    "quota": Entry(
        "pods", "quota", "shop",
        "The HPA wants 5 pods and the ResourceQuota allows 2: the ReplicaSet cannot create the others.\n"
        "Look at FailedCreate in the events.",
    ),
    "slow-start": Entry(
        "pods", "slow_start", "shop",
        "New pods burn CPU for a while and are ready only after 12 s: help comes late.\n"
        "Look at the pods that are not ready and at what the HPA makes of their CPU.",
    ),
    "broken-image": Entry(
        "pods", "broken_image", "shop",
        "The new version's image does not exist: scaled-up pods never become ready.\n"
        "The HPA counts them as if they used nothing.",
    ),
    "leaky": Entry(
        "pods", "leaky", "shop",
        "Memory grows and is never given back: the memory target only ever scales up.\n"
        "In the end a container is OOMKilled and starts again.",
    ),
    "memory": Entry(
        "pods", "memory", "shop",
        "Memory follows the load and stays for half a minute after it is gone.\n"
        "The memory target keeps replicas that CPU no longer needs.",
    ),
    "queue": Entry(
        "queue", "build", "shop",
        "Workers take messages from a queue; the HPA scales them on its length (External metric).\n"
        "Every minute or so a wave of messages comes in.",
    ),
    "scale-to-zero": Entry(
        "queue", "scale_to_zero", "shop",
        "A worker on a queue sleeps at 0 replicas while nothing comes in, and wakes again (1.37 and later).\n"
        "Look at ScaledToZero among the conditions, and at what the next message does.",
    ),
    "stale-metrics": Entry(
        "trouble", "stale_metrics", "shop",
        "The metrics API answers, but with samples that never get newer: the HPA decides on the past.\n"
        "Look at the age of the metrics; the HPA's conditions all say that it is well.",
    ),
    "unknown-metric": Entry(
        "trouble", "unknown_metric", "shop",
        "The HPA asks for a custom metric that the adapter does not know (a wrong name).\n"
        "Look at ScalingActive: FailedGetPodsMetric.",
    ),
    "no-adapter": Entry(
        "trouble", "no_adapter", "shop",
        "The HPA asks for an external metric, and nobody serves external.metrics.k8s.io.\n"
        "Look at ScalingActive: FailedGetExternalMetric.",
    ),
    "no-controller": Entry(
        "trouble", "no_controller", "shop",
        "Nobody works on HPAs: the status stays empty, TARGETS is unknown, and there are no events.\n"
        "That is what a cluster without kube-controller-manager looks like.",
    ),
    "second-writer": Entry(
        "trouble", "second_writer", "shop",
        "A GitOps tool applies spec.replicas again and again, and the HPA sets it back each time.\n"
        "Look at the events: the same size, over and over.",
    ),
    "high-floor": Entry(
        "trouble", "high_floor", "shop",
        "minReplicas is 4 and the load needs one pod: TooFewReplicas for more than half an hour.\n"
        "Look at the CPU: three pods are paid for nothing.",
    ),
    "rollout": Entry(
        "trouble", "rollout", "shop",
        "A new version comes in while the HPA works: surge pods start up and are not ready yet.\n"
        "What the HPA wants now says little about the load.",
    ),
    "fleet": Entry(
        "fleet", "build", "fleet-0",
        "Two hundred HPAs in many namespaces, a few of them in trouble.\n"
        "Sort the problems first, filter, and find the one that needs you.",
    ),
}  # fmt: skip
