"""The kubelet of all nodes: pods start after a while, become ready, crash, restart, end and stop.

    bound to a node -> Pending (ContainerCreating) -> Running -> Ready
    deleted -> drained by the data plane -> gone when the application has stopped or the grace period is over
    exit -> restarted after a back-off that doubles (CrashLoopBackOff), or Succeeded / Failed

Each step is a deadline of the engine; a pod without one costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.controllers.context import PODS, Context
from hpatui.sandbox.controllers.objects import Key, Object, key_of, pod_ready, seconds_of
from hpatui.sandbox.controllers.scheduler import amount
from hpatui.sandbox.dataplane.messages import Order, SetCallers, StartPod, StopPod
from hpatui.sandbox.pod_init import finished, init_containers, is_sidecar, outcome
from hpatui.sandbox.pod_needs import missing_value, missing_volume
from hpatui.sandbox.pod_run import NoProcesses, NotMountedError, PodRun, Processes
from hpatui.sandbox.pod_status import config_missing, creating, ended, image_missing, pod_ip, running, waiting
from hpatui.sandbox.workload import called_service, profile_of

_UNLIMITED = 4.0  # cores that a container without a CPU limit may use
_OOM_KILLED = 137  # 128 + SIGKILL
_MOUNT_AGAIN, _MOUNT_AT_MOST = 0.5, 122.0  # seconds until a volume is tried again: twice as long each time
_CONFIG_AGAIN = 10.0  # seconds between looks for what a variable needs


class Kubelet:
    """Runs pods. `order` tells the data plane, `processes` are its real containers; `runs` and `by_uid` are what runs."""

    def __init__(self, context: Context, order: Callable[[Order], None]) -> None:
        self._c = context
        self._order = order
        self.runs: dict[Key, PodRun] = {}
        self.slow_start = 0.0  # seconds that pods which start now need beyond their own (a fault)
        self.by_uid: dict[str, PodRun] = {}
        self.memory_of: Callable[[PodRun, float], float] = lambda run, now: 0.0
        self.on_stop: Callable[[PodRun], None] = lambda run: None
        self.processes: Processes = NoProcesses()
        self._addresses = 0
        context.store.add_listener(PODS, self._changed)

    def _changed(self, type_: str, pod: Object, old: Object | None) -> None:
        key = key_of(pod)
        if type_ == "DELETED":
            run = self.runs.pop(key, None)
            if run is not None:
                self.by_uid.pop(run.uid, None)
                self._silence(run)
                self.on_stop(run)
            self._c.engine.forget(self, key)
        elif pod["spec"].get("readinessGates") and pod["spec"].get("nodeName"):
            self._c.engine.enqueue(self, key)  # somebody may have set the gate's condition
        elif pod["spec"].get("nodeName") and (
            key not in self.runs or (pod["metadata"].get("deletionTimestamp") and self.runs[key].stage != "stopping")
        ):
            self._c.engine.enqueue(self, key)

    # Steps

    def reconcile(self, key: Key, now: float) -> None:
        """The next step of one pod's life, if its time has come."""
        pod = self._c.find(PODS, *key)
        if pod is None or not pod["spec"].get("nodeName"):
            return
        run = self.runs.get(key)
        if run is not None and run.uid != pod["metadata"]["uid"]:
            run = None
        if pod["metadata"].get("deletionTimestamp") and (run is None or run.stage != "stopping"):
            self._begin_stop(pod, run or self._adopt(pod), now)
        elif run is None:
            run = self._adopt(pod)
            if run.stage == "creating":
                self._begin_create(pod, run, now)
        elif run.due and now >= run.due:
            run.due = 0.0
            {
                "creating": self._begin_init,
                "init": self._end_init,
                "initbackoff": self._begin_init,
                "running": self._begin_ready,
                "ready": self._look_after,
                "backoff": self._begin_run,
                "image": self._begin_run,
                "config": self._begin_run,
                "stopping": self._end_stop,
            }.get(run.stage, self._nothing)(pod, run, now)
        elif run.stage == "ready" and pod["spec"].get("readinessGates"):
            self._status(run, lambda old: running(pod, old, run.ip, run.restarts, now, ready=True))

    def crash(self, key: Key, *, exit_code: int = 1) -> bool:
        """The container exits now; False if it does not run."""
        run = self.runs.get(key)
        pod = self._c.find(PODS, *key)
        if run is None or pod is None or run.stage not in ("running", "ready"):
            return False
        run.exit_code = exit_code
        self._exit(pod, run, self._c.engine.clock.time())
        return True

    def exited(self, run: PodRun, code: int) -> None:
        """A pod's process has ended by itself."""
        pod = self._c.find(PODS, *run.key)
        if pod is not None and run.stage in ("running", "ready"):
            run.exit_code = code
            self._exit(pod, run, self._c.engine.clock.time())

    def lose(self, key: Key) -> None:
        """The pod's node is gone: nothing answers any more, and nobody reports it."""
        run = self.runs.get(key)
        if run is not None:
            self._silence(run)
            run.stage, run.due = "ended", 0.0

    def _adopt(self, pod: Object) -> PodRun:
        """Take over a pod: one that is already Running goes on, others start from the beginning."""
        meta, status = pod["metadata"], pod.get("status") or {}
        owners = meta.get("ownerReferences") or [{}]
        stage = {"Running": "ready" if pod_ready(pod) else "running", "Succeeded": "ended", "Failed": "ended"}.get(
            status.get("phase", ""), "creating"
        )
        self._addresses += 1
        run = PodRun(
            key_of(pod), meta["uid"], pod["spec"]["nodeName"], owners[0].get("uid", ""), profile_of(pod), stage,
            status.get("podIP") or pod_ip(self._addresses),
        )  # fmt: skip
        if stage in ("running", "ready"):
            run.started = seconds_of(status.get("startTime")) or self._c.engine.clock.time()
            run.init = len(init_containers(pod))
            self._serve(pod, run)
        self.runs[run.key] = self.by_uid[run.uid] = run
        return run

    def _begin_create(self, pod: Object, run: PodRun, now: float) -> None:
        run.stage = "creating"
        self._status(run, lambda old: creating(pod, old, run.ip, now))
        self._later(run, now + self._c.timings.pod_start)

    def _begin_init(self, pod: Object, run: PodRun, now: float) -> None:
        """Start the next init container; the containers once there is none left."""
        if run.stage == "creating" and run.init == 0 and (missing := missing_volume(pod, self._find)):
            self._event(pod, "Warning", "FailedMount", missing)
            run.pause = min(max(_MOUNT_AGAIN, run.pause * 2), _MOUNT_AT_MOST)
            self._later(run, now + run.pause)
            return
        containers = init_containers(pod)
        while run.init < len(containers) and is_sidecar(containers[run.init]):
            self._started(pod, containers[run.init], "initContainers")
            run.init += 1
        if run.init >= len(containers):
            run.stage = "creating"
            self._begin_run(pod, run, now)
            return
        self._started(pod, containers[run.init], "initContainers")
        run.stage, run.init_since = "init", now
        self._status(run, lambda old: creating(pod, old, run.ip, now))
        self._later(run, now + outcome(containers[run.init], run)[0])

    def _end_init(self, pod: Object, run: PodRun, now: float) -> None:
        container = init_containers(pod)[run.init]
        _, run.init_code = outcome(container, run)
        if not run.init_code:
            run.init += 1
            self._begin_init(pod, run, now)
            return
        if pod["spec"].get("restartPolicy", "Always") == "Never":
            run.stage = "ended"
            self._status(run, lambda old: {**creating(pod, old, run.ip, now), "phase": "Failed"})
            return
        first, restarts = self._c.timings.crash_backoff, run.init_restarts.get(run.init, 0)
        run.stage, run.pause = "initbackoff", min(first * 2 ** min(restarts, 10), first * 30)
        self._status(run, lambda old: creating(pod, old, run.ip, now))
        run.init_restarts[run.init] = restarts + 1
        where = f"{run.key[1]}_{run.key[0]}({run.uid})"
        text = f"Back-off restarting failed container {container['name']} in pod {where}"
        self._event(pod, "Warning", "BackOff", text, container["name"], "initContainers")
        self._later(run, now + run.pause)

    def _started(self, pod: Object, container: Object, kind: str = "containers") -> None:
        name = container["name"]
        pulled = f'Container image "{container.get("image", "")}" already present on machine'
        self._event(pod, "Normal", "Pulled", pulled, name, kind)
        self._event(pod, "Normal", "Created", f"Created container: {name}", name, kind)
        self._event(pod, "Normal", "Started", f"Started container {name}", name, kind)

    def _begin_run(self, pod: Object, run: PodRun, now: float) -> None:
        if run.profile.pull_error or (run.profile.process and not self.processes.available()):
            self._image_missing(pod, run, now)
            return
        for container in pod["spec"]["containers"]:
            if missing := missing_value(pod, container, self._find):
                self._config_missing(pod, run, container["name"], missing, now)
                return
        if run.profile.process:
            try:
                self.processes.start(pod, run)
            except NotMountedError as missing:
                self._event(pod, "Warning", "FailedMount", f"MountVolume.SetUp failed for volume: {missing}")
                self._later(run, now + _MOUNT_AGAIN)
                return
        for container in pod["spec"]["containers"]:
            self._started(pod, container)
        run.stage, run.started = "running", now
        run.log.begin()
        run.log.write(run.profile.log, now)
        self._serve(pod, run)
        self._status(run, lambda old: running(pod, old, run.ip, run.restarts, now, ready=False))
        probe = max((c.get("readinessProbe") or {}).get("initialDelaySeconds", 0) for c in pod["spec"]["containers"])
        ready = now + max(probe, run.profile.ready_after or self._c.timings.pod_ready) + self.slow_start
        end = self._end(run)
        self._later(run, ready if end is None else min(ready, end))

    def _begin_ready(self, pod: Object, run: PodRun, now: float) -> None:
        end = self._end(run)
        if end is not None and end <= now:
            self._exit(pod, run, now)
            return
        run.stage = "ready"
        self._status(run, lambda old: running(pod, old, run.ip, run.restarts, now, ready=True))
        self._look_again(pod, run, now)

    def _look_after(self, pod: Object, run: PodRun, now: float) -> None:
        """A running container: has it ended, or used more memory than it may?"""
        end = self._end(run)
        limit = memory_limit(pod)
        if limit and self.memory_of(run, now) > limit:
            run.exit_code = _OOM_KILLED
            self._exit(pod, run, now)
        elif end is not None and end <= now:
            self._exit(pod, run, now)
        else:
            self._look_again(pod, run, now)

    def _look_again(self, pod: Object, run: PodRun, now: float) -> None:
        """Come back at its end; sooner if its memory grows."""
        times = [end] if (end := self._end(run)) is not None else []
        if memory_limit(pod) and (run.profile.leak or run.profile.leak_per_second or run.profile.held):
            times.append(now + self._c.timings.metrics_resolution)
        if times:
            self._later(run, min(times))

    def _exit(self, pod: Object, run: PodRun, now: float) -> None:
        """The container ends: for good, or until its back-off is over."""
        profile = run.profile
        code = 0 if profile.run_for and run.exit_code == 1 else run.exit_code
        self._silence(run)
        self.on_stop(run)
        policy = pod["spec"].get("restartPolicy", "Always")
        if policy == "Never" or (policy == "OnFailure" and code == 0):
            run.stage = "ended"
            self._status(run, lambda old: ended(pod, old, code, run.started, run.restarts, now))
            return
        run.stage = "backoff"
        first = self._c.timings.crash_backoff
        pause = min(first * 2 ** min(run.restarts, 10), first * 30)
        run.restarts += 1
        reason = "OOMKilled" if code == _OOM_KILLED else ("Error" if code else "Completed")
        self._status(run, lambda old: waiting(pod, old, reason, code, run, pause, now))
        name = pod["spec"]["containers"][0]["name"]
        where = f"{run.key[1]}_{run.key[0]}({run.uid})"
        self._event(pod, "Warning", "BackOff", f"Back-off restarting failed container {name} in pod {where}", name)
        run.exit_code = 1
        self._later(run, now + pause)

    def _image_missing(self, pod: Object, run: PodRun, now: float) -> None:
        first = run.stage == "creating" and run.restarts == 0
        run.stage = "image"
        image = pod["spec"]["containers"][0].get("image", "")
        name = pod["spec"]["containers"][0]["name"]
        why = (
            "the sandbox has it where Locust is installed" if run.profile.process else "failed to pull and unpack image"
        )
        message = f'Failed to pull image "{image}": rpc error: code = NotFound desc = {why}'
        self._event(pod, "Normal", "Pulling", f'Pulling image "{image}"', name)
        self._event(pod, "Warning", "Failed", message, name)
        self._event(pod, "Warning", "Failed", "Error: ErrImagePull" if first else "Error: ImagePullBackOff", name)
        self._status(run, lambda old: image_missing(pod, old, image, run.ip, now, first=first))
        self._later(run, now + self._c.timings.crash_backoff * 4)

    def _config_missing(self, pod: Object, run: PodRun, container: str, missing: str, now: float) -> None:
        run.stage = "config"
        self._event(pod, "Warning", "Failed", f"Error: {missing}", container)
        self._status(run, lambda old: config_missing(pod, old, container, missing, now))
        self._later(run, now + _CONFIG_AGAIN)

    def _begin_stop(self, pod: Object, run: PodRun, now: float) -> None:
        was, run.stage = run.stage, "stopping"
        grace = float(pod["metadata"].get("deletionGracePeriodSeconds", 30) or 0)
        if was in ("running", "ready"):
            for container in pod["spec"]["containers"]:
                self._event(pod, "Normal", "Killing", f"Stopping container {container['name']}", container["name"])
            self._silence(run, drain=True)
            self._later(run, now + min(grace, self._c.timings.pod_stop))
        else:
            self._later(run, now)

    def _end_stop(self, pod: Object, run: PodRun, now: float) -> None:
        try:
            self._c.store.delete(PODS, *run.key, uid=run.uid, grace=0)
        except StatusError as refused:
            if refused.code not in (404, 409):
                raise

    def _nothing(self, pod: Object, run: PodRun, now: float) -> None:
        """No step leads out of this stage."""

    def _silence(self, run: PodRun, *, drain: bool = False) -> None:
        """The containers answer no more, and send nothing."""
        self.processes.stop(run)
        self._order(StopPod(run.uid, drain=drain))
        self._order(SetCallers(run.uid, "", 0))

    # Helpers

    def _find(self, plural: str, namespace: str, name: str) -> Object | None:
        return self._c.find(RESOURCES["", plural], namespace, name)

    def _serve(self, pod: Object, run: PodRun) -> None:
        """Start the pod's server in the data plane, or the requests that it sends."""
        profile = run.profile
        called = called_service(pod)
        if called:
            self._order(SetCallers(run.uid, called, 1))
        if not profile.serves and not profile.startup_cpu:
            return
        rate = cpu_limit(pod) or _UNLIMITED
        order = StartPod(
            run.uid, run.key[1], rate, profile.cost, profile.backlog, profile.body, startup=profile.startup_cpu
        )
        self._order(order)

    @staticmethod
    def _end(run: PodRun) -> float | None:
        """When this run of the container will end by itself."""
        seconds = run.profile.run_for or run.profile.crash_after
        return run.started + seconds if seconds else None

    def _later(self, run: PodRun, when: float) -> None:
        run.due = when
        self._c.engine.forget(self, run.key)
        self._c.engine.enqueue_at(self, run.key, when)

    def _status(self, run: PodRun, change: Callable[[Object], Object]) -> None:
        pod, now = self._c.find(PODS, *run.key), self._c.engine.clock.time()
        if pod is not None:
            self._c.set_status(PODS, *run.key, lambda old: finished(pod, old, change(old), run, now))

    def _event(
        self, pod: Object, type_: str, reason: str, message: str, container: str = "", kind: str = "containers"
    ) -> None:
        field = f"spec.{kind}{{{container}}}" if container else ""
        host = pod["spec"]["nodeName"]
        self._c.recorder.event(pod, "v1", "Pod", type_, reason, message, "kubelet", host=host, field_path=field)


def cpu_limit(pod: Object) -> float:
    """Cores that the containers may use together; 0 if one of them has no limit."""
    total = 0.0
    for container in pod["spec"]["containers"]:
        limit = amount(((container.get("resources") or {}).get("limits") or {}).get("cpu"))
        if not limit:
            return 0.0
        total += limit
    return total


def memory_limit(pod: Object) -> float:
    """Bytes that the containers may use together; 0 if one of them has no limit."""
    total = 0.0
    for container in pod["spec"]["containers"]:
        limit = amount(((container.get("resources") or {}).get("limits") or {}).get("memory"))
        if not limit:
            return 0.0
        total += limit
    return total
