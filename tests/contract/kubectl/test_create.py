"""kubectl create, run, expose and autoscale: bodies in protobuf from typed commands."""

from __future__ import annotations

from tests.contract.kubectl.conftest import WEB, Kubectl


def test_from_a_file(kubectl: Kubectl) -> None:
    assert kubectl("create", "-f", "-", stdin=WEB) == "deployment.apps/web created\nservice/web created\n"
    message = kubectl.fails("create", "-f", "-", stdin=WEB)
    assert (
        'Error from server (AlreadyExists): error when creating "STDIN": deployments.apps "web" already exists'
        in message
    )


def test_typed(kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "api", "--image=nginx", "--replicas=2", "--port=8080")
    spec = kubectl.json("deployment", "api")["spec"]
    assert (spec["replicas"], spec["selector"]) == (2, {"matchLabels": {"app": "api"}})
    assert spec["template"]["spec"]["containers"][0]["ports"] == [{"containerPort": 8080, "protocol": "TCP"}]
    kubectl("create", "configmap", "settings", "--from-literal=a=b")
    kubectl("create", "secret", "generic", "keys", "--from-literal=a=b")
    kubectl("create", "quota", "q", "--hard=pods=3,cpu=2")
    kubectl("create", "serviceaccount", "robot")
    assert kubectl.json("configmap", "settings")["data"] == {"a": "b"}
    assert kubectl.json("secret", "keys")["data"] == {"a": "Yg=="}
    assert kubectl.json("quota", "q")["spec"]["hard"] == {"pods": "3", "cpu": "2"}
    kubectl("expose", "deployment", "api", "--port=80")
    assert kubectl.json("service", "api")["spec"]["ports"][0]["targetPort"] == 80


def test_refused_names(kubectl: Kubectl) -> None:
    message = kubectl.fails("create", "deployment", "Not_A_Name", "--image=nginx")
    assert (
        'Deployment.apps "Not_A_Name" is invalid: metadata.name: Invalid value: "Not_A_Name": a lowercase RFC'
        in message
    )


def test_jobs_and_run(kubectl: Kubectl) -> None:
    kubectl("create", "job", "once", "--image=busybox", "--", "true")
    assert kubectl.json("job", "once")["spec"]["completions"] == 1
    assert kubectl.rows("get", "jobs")[0] == ["NAME", "STATUS", "COMPLETIONS", "DURATION", "AGE"]
    kubectl("run", "alone", "--image=nginx", "--restart=Never")
    assert kubectl.json("pod", "alone")["spec"]["restartPolicy"] == "Never"


def test_autoscale(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=WEB)
    kubectl("autoscale", "deployment", "web", "--min=2", "--max=5", "--cpu-percent=60")
    spec = kubectl.json("hpa", "web")["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 5)
    assert spec["metrics"][0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 60}
