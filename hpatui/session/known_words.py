"""Words that name nothing of a user's: those of Kubernetes' own messages, of its kinds and reasons, and of hpatui's texts.

What an anonymized export keeps of a sentence are these, numbers and quantities; every other word is replaced. A word that
is missing here costs some sense, a word too many might tell a name: so no word that people like to name things by.
"""

from __future__ import annotations

_SENTENCES = """
the HPA controller was able to get target's current scale update target recommended size matches desired count is
within acceptable range successfully calculate a replica from resource utilization percentage of request metric unable
did not receive metrics for targeted pods might be unready no returned API invalid out first error failed value
missing in container Pod less than minimum more maximum increasing faster rate decreasing recent recommendations were
higher lower one applying highest lowest recommendation HPA's scaling disabled since zero selector ambiguous multiple
by or HorizontalPodAutoscaler horizontal autoscaler New reason above below All memory cpu ephemeral storage external
object custom group kind version usage average raw fetch could find requested given name named server currently handle
this that those these which what when where while an and at as on it its into over under up down with without has have
had been before after again also other another each every any some none only already still Scaled set rollout Created
Started Killing Stopping image Successfully assigned pulled pulling Pulled Pulling present machine readiness liveness
startup probe errored Back off restarting exceeded quota limit limits requests used nodes available insufficient
didn't match tolerate taint preemption helpful scheduling deadline unhealthy statuscode code connection refused reset
timed timeout context canceled dial tcp lookup such host read write i/o EOF combined similar events user cannot list
watch scope forbidden unauthorized certificate expired valid unknown authority x509 signed trying connecting
reconnecting listing live stale lost answer answers answered does do will would must may nothing recorded seconds
second minutes minute hours hour days day ago steady ramp steps spike sine sawtooth load proxy port forward running
started stopped paused idle finished unserved status response errors bad internal gateway unavailable too many found
conflict gone accepted ok moved permanently temporary because cause causes waiting wait served subresource operation
apply patch delete create post put starting sandbox service services scales scaled
replicas minReplicas maxReplicas true false null yes
there are you wish them who whose if then so same different both between during outside
"""

_NAMES = """
HorizontalPodAutoscaler Deployment StatefulSet ReplicaSet ReplicationController DaemonSet Job CronJob Rollout Pod Node
Service Scale AbleToScale ScalingActive ScalingLimited Resource ContainerResource Pods Object External Utilization
AverageValue Value Max Min Disabled Percent SucceededRescale ReadyForNewScale ScaleDownStabilized ScaleUpStabilized
FailedGetScale SucceededGetScale FailedUpdateScale BackoffBoth BackoffDownscale BackoffUpscale ValidMetricFound
ScalingDisabled FailedGetResourceMetric FailedGetContainerResourceMetric FailedGetPodsMetric FailedGetObjectMetric
FailedGetExternalMetric InvalidMetricSourceType InvalidSelector AmbiguousSelector DesiredWithinRange TooFewReplicas
TooManyReplicas ScaleUpLimit ScaleDownLimit SuccessfulRescale FailedRescale FailedComputeMetricsReplicas
FailedConvertHPA SelectorRequired DesiredReplicasComputed ScalingReplicaSet SuccessfulCreate SuccessfulDelete
FailedCreate FailedDelete Scheduled FailedScheduling Preempted Unhealthy BackOff Killing Pulled Pulling Created
Started Failed FailedMount NodeNotReady Evicted TaintManagerEviction ProgressDeadlineExceeded ReplicaSetUpdated
NewReplicaSetAvailable MinimumReplicasAvailable MinimumReplicasUnavailable Progressing Available ReplicaFailure
Running Pending Succeeded Unknown Terminating Completed ContainerCreating PodInitializing CrashLoopBackOff
ImagePullBackOff ErrImagePull OOMKilled Error ContainerCannotRun CreateContainerConfigError Initialized Ready
ContainersReady PodScheduled PodReadyToStartContainers DisruptionTarget ContainersNotReady ContainersNotInitialized
PodCompleted Unschedulable SchedulingGated Normal Warning True False Update Apply apps/v1 autoscaling/v2
autoscaling/v1 autoscaling/v2beta2 autoscaling/v2beta1 batch/v1 v1 argoproj.io/v1alpha1 argoproj.io v1alpha1 v2 apps
autoscaling batch status metrics.k8s.io custom.metrics.k8s.io external.metrics.k8s.io metrics.k8s.io/v1beta1
custom.metrics.k8s.io/v1beta2 external.metrics.k8s.io/v1beta1 v1beta1 v1beta2 hpa_controller horizontal-pod-autoscaler
kubelet default-scheduler deployment-controller replicaset-controller statefulset-controller kube-controller-manager
deployments.apps statefulsets.apps replicasets.apps horizontalpodautoscalers.autoscaling pods.metrics.k8s.io
horizontalpodautoscalers deployments statefulsets replicasets hugepages-2Mi hugepages-1Gi ephemeral-storage m B avg
unset more MetricsNotAvailable Always OnFailure Never BestEffort Burstable Guaranteed IfNotPresent Stabilized Conflict
NotFound Forbidden Unauthorized idle starting stopping
"""

# Who writes to clusters everywhere: tools, not people's own names.
_MANAGERS = """
Go-http-client Helm OpenAPI-Generator Terraform argocd argocd-application-controller argocd-controller before-first-
apply fleet fleetagent flux helm helm-controller horizontal-pod-autoscaler hpatui keda keda-operator kube-controller-
manager kube-scheduler kubectl kubectl-client-side-apply kubectl-create kubectl-edit kubectl-label kubectl-last-
applied kubectl-patch kubectl-replace kubectl-rollout kubectl-scale kubelet kustomize-controller manager pulumi-
kubernetes rancher terraform unknown
"""

# Labels that say what kind of thing a value is, in every cluster.
_LABELS = """
app app.kubernetes.io/component app.kubernetes.io/created-by app.kubernetes.io/instance app.kubernetes.io/managed-by
app.kubernetes.io/name app.kubernetes.io/part-of app.kubernetes.io/version apps.kubernetes.io/pod-index
batch.kubernetes.io/job-name chart component controller-revision-hash env environment helm.sh/chart heritage instance
job-name k8s-app kubernetes.io/metadata.name name pod-template-hash queue release role rollouts-pod-template-hash run
statefulset.kubernetes.io/pod-name tier topic topology.kubernetes.io/region topology.kubernetes.io/zone track version
"""

MANAGERS = frozenset(_MANAGERS.split())
LABELS = frozenset(_LABELS.split())
WORDS = frozenset(word.strip(".,:;'").lower() for word in _SENTENCES.split())
NAMES = frozenset(_NAMES.split()) | MANAGERS
