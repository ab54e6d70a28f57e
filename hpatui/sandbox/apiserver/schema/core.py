"""Shapes of metadata, pods, Services and other core types."""

from __future__ import annotations

from hpatui.sandbox.apiserver.schema.shape import (
    ANY,
    BOOL,
    INT,
    INT64,
    INTSTR,
    QUANTITIES,
    STR,
    STR_MAP,
    STRS,
    TIME,
    Shape,
    listed,
    obj,
    one,
    whole,
)

OWNER = obj("OwnerReference", apiVersion=STR, kind=STR, name=STR, uid=STR, controller=BOOL, blockOwnerDeletion=BOOL)
META = obj(
    "ObjectMeta", name=STR, generateName=STR, namespace=STR, selfLink=STR, uid=STR, resourceVersion=STR,
    generation=INT64, creationTimestamp=TIME, deletionTimestamp=TIME, deletionGracePeriodSeconds=INT64, labels=STR_MAP,
    annotations=STR_MAP, ownerReferences=listed(OWNER, "uid"), managedFields=whole(ANY),
    finalizers=Shape("list", item=STR, as_set=True, merge="$set"),
)  # fmt: skip
SELECTOR = one(
    "LabelSelector", matchLabels=STR_MAP, matchExpressions=whole(obj("Requirement", key=STR, operator=STR, values=STRS))
)
CONDITIONS = listed(
    obj("Condition", type=STR, status=STR, reason=STR, message=STR, lastTransitionTime=TIME, lastUpdateTime=TIME,
        lastProbeTime=TIME, observedGeneration=INT64),
    "type",
)  # fmt: skip

RESOURCE_NEEDS = obj(
    "ResourceRequirements",
    limits=QUANTITIES,
    requests=QUANTITIES,
    claims=listed(obj("Claim", name=STR, request=STR), "name"),
)
_GET = obj(
    "HTTPGetAction", path=STR, port=INTSTR, host=STR, scheme=STR,
    httpHeaders=whole(obj("HTTPHeader", name=STR, value=STR)),
)  # fmt: skip
_EXEC = obj("ExecAction", command=STRS)
_TCP = obj("TCPSocketAction", port=INTSTR, host=STR)
PROBE = obj(
    "Probe", httpGet=_GET, exec=_EXEC, tcpSocket=_TCP, grpc=obj("GRPCAction", port=INT, service=STR),
    initialDelaySeconds=INT, timeoutSeconds=INT, periodSeconds=INT, successThreshold=INT, failureThreshold=INT,
    terminationGracePeriodSeconds=INT64,
)  # fmt: skip
_HANDLER = obj("LifecycleHandler", exec=_EXEC, httpGet=_GET, tcpSocket=_TCP, sleep=obj("SleepAction", seconds=INT64))
CONTAINER = obj(
    "Container", name=STR, image=STR, command=STRS, args=STRS, workingDir=STR,
    ports=listed(
        obj("ContainerPort", name=STR, containerPort=INT, hostPort=INT, protocol=STR, hostIP=STR),
        "containerPort", "protocol",
    ),
    env=listed(obj("EnvVar", name=STR, value=STR, valueFrom=ANY), "name"), envFrom=whole(ANY),
    resources=RESOURCE_NEEDS, resizePolicy=whole(ANY), restartPolicy=STR, restartPolicyRules=whole(ANY),
    volumeMounts=listed(
        obj("VolumeMount", name=STR, mountPath=STR, readOnly=BOOL, subPath=STR, subPathExpr=STR, mountPropagation=STR,
            recursiveReadOnly=STR),
        "mountPath",
    ),
    volumeDevices=whole(ANY), livenessProbe=PROBE, readinessProbe=PROBE, startupProbe=PROBE,
    lifecycle=obj("Lifecycle", postStart=_HANDLER, preStop=_HANDLER, stopSignal=STR), terminationMessagePath=STR,
    terminationMessagePolicy=STR, imagePullPolicy=STR, securityContext=ANY, stdin=BOOL, stdinOnce=BOOL, tty=BOOL,
)  # fmt: skip
_TOLERATION = obj("Toleration", key=STR, operator=STR, value=STR, effect=STR, tolerationSeconds=INT64)
_NEED = obj("NodeSelectorRequirement", key=STR, operator=STR, values=STRS)
_NODE_TERM = obj("NodeSelectorTerm", matchExpressions=whole(_NEED), matchFields=whole(_NEED))
_AFFINITY = obj(
    "Affinity", podAffinity=ANY, podAntiAffinity=ANY,
    nodeAffinity=obj(
        "NodeAffinity", preferredDuringSchedulingIgnoredDuringExecution=whole(ANY),
        requiredDuringSchedulingIgnoredDuringExecution=one("NodeSelector", nodeSelectorTerms=whole(_NODE_TERM)),
    ),
)  # fmt: skip
POD_SPEC = obj(
    "PodSpec", containers=listed(CONTAINER, "name"), initContainers=listed(CONTAINER, "name"),
    ephemeralContainers=listed(ANY, "name"), volumes=listed(ANY, "name"), restartPolicy=STR,
    terminationGracePeriodSeconds=INT64, activeDeadlineSeconds=INT64, dnsPolicy=STR, nodeSelector=STR_MAP,
    serviceAccountName=STR, serviceAccount=STR, automountServiceAccountToken=BOOL, nodeName=STR, hostNetwork=BOOL,
    hostPID=BOOL, hostIPC=BOOL, hostUsers=BOOL, shareProcessNamespace=BOOL, securityContext=ANY,
    imagePullSecrets=listed(obj("LocalObjectReference", name=STR), "name"), hostname=STR, subdomain=STR, affinity=_AFFINITY,
    schedulerName=STR, tolerations=whole(_TOLERATION), hostAliases=listed(ANY, "ip"), priorityClassName=STR, priority=INT,
    dnsConfig=ANY, readinessGates=whole(obj("PodReadinessGate", conditionType=STR)), runtimeClassName=STR,
    enableServiceLinks=BOOL, preemptionPolicy=STR, overhead=QUANTITIES, topologySpreadConstraints=whole(ANY),
    setHostnameAsFQDN=BOOL, hostnameOverride=STR, os=ANY, schedulingGates=listed(ANY, "name"),
    resourceClaims=listed(ANY, "name"), resources=RESOURCE_NEEDS, workloadRef=ANY, schedulingGroup=ANY,
)  # fmt: skip
TEMPLATE = obj("PodTemplateSpec", metadata=META, spec=POD_SPEC)
_PORT = obj(
    "ServicePort", name=STR, protocol=STR, appProtocol=STR, port=INT, targetPort=INTSTR, nodePort=INT
)  # fmt: skip
_SERVICE = obj(
    "ServiceSpec", ports=listed(_PORT, "port", "protocol"), selector=Shape("map", item=STR, atomic=True), clusterIP=STR,
    clusterIPs=STRS, type=STR, externalIPs=STRS, sessionAffinity=STR, loadBalancerIP=STR, loadBalancerSourceRanges=STRS,
    externalName=STR, externalTrafficPolicy=STR, healthCheckNodePort=INT, publishNotReadyAddresses=BOOL,
    sessionAffinityConfig=ANY, ipFamilies=STRS, ipFamilyPolicy=STR, allocateLoadBalancerNodePorts=BOOL,
    loadBalancerClass=STR, internalTrafficPolicy=STR, trafficDistribution=STR,
)  # fmt: skip

REFERENCE = obj(
    "ObjectReference", kind=STR, namespace=STR, name=STR, uid=STR, apiVersion=STR, resourceVersion=STR, fieldPath=STR
)
_STATUS = obj("Status", conditions=CONDITIONS, phase=STR)


def _loose(**known: Shape) -> Shape:
    """A status: the known fields have a shape, others are taken as they are."""
    return Shape("object", {**known, "*": ANY}, go="Status")


STATUS = _loose(conditions=CONDITIONS, replicas=INT, readyReplicas=INT, availableReplicas=INT, updatedReplicas=INT,
                observedGeneration=Shape("any"))  # fmt: skip
CORE: dict[str, dict[str, Shape]] = {
    "pods": {"spec": POD_SPEC, "status": STATUS},
    "services": {"spec": _SERVICE, "status": STATUS},
    "namespaces": {"spec": obj("NamespaceSpec", finalizers=STRS), "status": STATUS},
    "nodes": {
        "spec": obj("NodeSpec", podCIDR=STR, podCIDRs=STRS, providerID=STR, unschedulable=BOOL,
                    taints=listed(obj("Taint", key=STR, value=STR, effect=STR, timeAdded=TIME), "key"),
                    configSource=ANY, externalID=STR),
        "status": STATUS,
    },
    "configmaps": {"data": STR_MAP, "binaryData": STR_MAP, "immutable": BOOL},
    "secrets": {"data": STR_MAP, "stringData": STR_MAP, "immutable": BOOL, "type": STR},
    "serviceaccounts": {
        "secrets": listed(REFERENCE, "name"), "automountServiceAccountToken": BOOL,
        "imagePullSecrets": whole(obj("LocalObjectReference", name=STR)),
    },
    "endpoints": {"subsets": whole(ANY)},
    "events": {
        "involvedObject": REFERENCE, "reason": STR, "message": STR, "source": obj("EventSource", component=STR, host=STR),
        "firstTimestamp": TIME, "lastTimestamp": TIME, "count": INT, "type": STR, "eventTime": TIME, "series": ANY,
        "action": STR, "related": REFERENCE, "reportingComponent": STR, "reportingInstance": STR,
    },
    "resourcequotas": {
        "spec": obj("ResourceQuotaSpec", hard=QUANTITIES, scopes=STRS, scopeSelector=ANY),
        "status": _loose(hard=QUANTITIES, used=QUANTITIES),
    },
    "limitranges": {"spec": obj("LimitRangeSpec", limits=whole(ANY))},
    "persistentvolumeclaims": {"spec": Shape("any"), "status": STATUS},
    "replicationcontrollers": {
        "spec": obj("ReplicationControllerSpec", replicas=INT, minReadySeconds=INT, selector=STR_MAP, template=TEMPLATE),
        "status": STATUS,
    },
}  # fmt: skip
