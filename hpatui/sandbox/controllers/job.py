"""Jobs: pods until enough have succeeded, too many have failed, or time is up."""

from __future__ import annotations

from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.controllers.context import PODS, Context
from hpatui.sandbox.controllers.objects import (
    Key,
    Object,
    condition,
    controller_of,
    key_of,
    owner_reference,
    pod_active,
    pod_ready,
    seconds_of,
    stamp,
)

JOBS = RESOURCES["batch", "jobs"]
_SOURCE = "job-controller"
_BACKOFF_FIRST = 10.0  # seconds before a failed pod is replaced; doubles
_BACKOFF_MOST = 360.0


class Jobs:
    """Creates pods up to `parallelism` until `completions` have succeeded."""

    def __init__(self, context: Context) -> None:
        self._c = context
        context.store.add_listener(JOBS, self._changed)
        context.store.add_listener(PODS, self._pod_changed)

    def _changed(self, type_: str, obj: Object, old: Object | None) -> None:
        if type_ != "DELETED":
            self._c.engine.enqueue(self, key_of(obj))
        else:
            self._c.engine.forget(self, key_of(obj))

    def _pod_changed(self, type_: str, pod: Object, old: Object | None) -> None:
        owner = controller_of(pod)
        if owner is not None and owner["kind"] == "Job":
            self._c.engine.enqueue(self, (pod["metadata"]["namespace"], owner["name"]))

    def reconcile(self, key: Key, now: float) -> None:
        """One step of a Job."""
        job = self._c.find(JOBS, *key)
        if job is None or job["metadata"].get("deletionTimestamp"):
            return
        status, spec = job.get("status") or {}, job["spec"]
        if any(condition(status.get("conditions"), kind) for kind in ("Complete", "Failed")):
            self._expire(job, key, now)
            return
        pods = self._c.pods_of.owned_by(job["metadata"]["uid"])
        active = [pod for pod in pods if pod_active(pod)]
        done = [pod for pod in pods if (pod.get("status") or {}).get("phase") == "Succeeded"]
        failed = [pod for pod in pods if (pod.get("status") or {}).get("phase") == "Failed"]
        if spec.get("suspend"):
            self._delete(job, active)
            self._write(key, status, job, [], done, failed, now, None)
            return
        verdict = self._verdict(job, done, failed, now)
        if verdict is not None:
            self._delete(job, active)
            active = []
            self._c.recorder.event(
                job, "batch/v1", "Job", verdict["event"], verdict["reason"], verdict["message"], _SOURCE
            )
        else:
            active = active + self._fill(job, key, active, done, failed, now)
        self._write(key, status, job, active, done, failed, now, verdict)

    def _verdict(self, job: Object, done: list[Object], failed: list[Object], now: float) -> Object | None:
        """The condition that ends the Job, if it has ended."""
        spec = job["spec"]
        if len(done) >= spec.get("completions", 1) and (spec.get("completions") is not None or done):
            return {"type": "Complete", "event": "Normal", "reason": "Completed", "message": "Job completed"}
        if len(failed) > spec.get("backoffLimit", 6):
            message = "Job has reached the specified backoff limit"
            return {"type": "Failed", "event": "Warning", "reason": "BackoffLimitExceeded", "message": message}
        start = seconds_of((job.get("status") or {}).get("startTime"))
        deadline = spec.get("activeDeadlineSeconds")
        if deadline is not None and start is not None and start + deadline <= now:
            message = "Job was active longer than specified deadline"
            return {"type": "Failed", "event": "Warning", "reason": "DeadlineExceeded", "message": message}
        return None

    def _fill(
        self, job: Object, key: Key, active: list[Object], done: list[Object], failed: list[Object], now: float
    ) -> list[Object]:
        """Create the pods that are missing, or come back when a failed one may be replaced."""
        spec = job["spec"]
        wanted = min(spec.get("parallelism", 1), max(0, spec.get("completions", 1) - len(done)))
        missing = wanted - len(active)
        deadline = spec.get("activeDeadlineSeconds")
        if deadline is not None:
            start = seconds_of((job.get("status") or {}).get("startTime")) or now
            self._c.engine.enqueue_at(self, key, start + deadline)
        if missing <= 0:
            return []
        if failed:
            last = max(_finished(pod) for pod in failed)
            again = last + min(_BACKOFF_MOST, _BACKOFF_FIRST * 2 ** (len(failed) - 1))
            if again > now:
                self._c.engine.enqueue_at(self, key, again)
                return []
        return [pod for _ in range(missing) if (pod := self._create(job)) is not None]

    def _create(self, job: Object) -> Object | None:
        template, meta = job["spec"]["template"], job["metadata"]
        labels = {
            **((template.get("metadata") or {}).get("labels") or {}),
            "batch.kubernetes.io/controller-uid": meta["uid"], "batch.kubernetes.io/job-name": meta["name"],
            "controller-uid": meta["uid"], "job-name": meta["name"],
        }  # fmt: skip
        pod = {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "generateName": f"{meta['name']}-", "namespace": meta["namespace"], "labels": labels,
                "annotations": dict((template.get("metadata") or {}).get("annotations") or {}),
                "ownerReferences": [owner_reference(job, "batch/v1", "Job")],
            },
            "spec": template["spec"],
        }  # fmt: skip
        try:
            created = self._c.create_pod(pod)
        except StatusError as refused:
            message = f"Error creating: {refused.message}"
            self._c.recorder.event(job, "batch/v1", "Job", "Warning", "FailedCreate", message, _SOURCE)
            return None
        message = f"Created pod: {created['metadata']['name']}"
        self._c.recorder.event(job, "batch/v1", "Job", "Normal", "SuccessfulCreate", message, _SOURCE)
        return created

    def _delete(self, job: Object, pods: list[Object]) -> None:
        for pod in pods:
            try:
                self._c.store.delete(PODS, *key_of(pod))
            except StatusError as refused:
                if refused.code != 404:
                    raise
                continue
            message = f"Deleted pod: {pod['metadata']['name']}"
            self._c.recorder.event(job, "batch/v1", "Job", "Normal", "SuccessfulDelete", message, _SOURCE)

    def _write(
        self, key: Key, status: Object, job: Object, active: list[Object], done: list[Object], failed: list[Object],
        now: float, verdict: Object | None,
    ) -> None:  # fmt: skip
        counts: Object = {"active": len(active), "succeeded": len(done), "failed": len(failed)}
        new: Object = {
            **{name: value for name, value in counts.items() if value},
            "ready": sum(1 for pod in active if pod_ready(pod)),
            "startTime": status.get("startTime") or stamp(now),
        }
        if status.get("conditions"):
            new["conditions"] = status["conditions"]
        if verdict is not None:
            entry = {
                "type": verdict["type"], "status": "True", "reason": verdict["reason"], "message": verdict["message"],
                "lastProbeTime": stamp(now), "lastTransitionTime": stamp(now),
            }  # fmt: skip
            new["conditions"] = [*(status.get("conditions") or []), entry]
            if verdict["type"] == "Complete":
                new["completionTime"] = stamp(now)
        self._c.set_status(JOBS, *key, lambda _: new)
        if verdict is not None:
            self._c.engine.enqueue(self, key)

    def _expire(self, job: Object, key: Key, now: float) -> None:
        """Delete an ended Job when its ttlSecondsAfterFinished is over."""
        ttl = job["spec"].get("ttlSecondsAfterFinished")
        if ttl is None:
            return
        ends = [entry["lastTransitionTime"] for entry in job["status"]["conditions"] if entry["status"] == "True"]
        when = max(seconds_of(text) or now for text in ends) + ttl
        if when > now:
            self._c.engine.enqueue_at(self, key, when)
        else:
            self._c.store.delete(JOBS, *key, propagation="Background")


def _finished(pod: Object) -> float:
    """When the last container of an ended pod ended."""
    times = [
        seconds_of(((entry.get("state") or {}).get("terminated") or {}).get("finishedAt"))
        for entry in (pod.get("status") or {}).get("containerStatuses") or ()
    ]
    return max((time for time in times if time is not None), default=0.0)
