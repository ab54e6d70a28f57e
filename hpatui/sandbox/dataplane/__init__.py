"""The sandbox's data plane: the pods' HTTP servers and the Services in front of them, in a process of their own.

    controllers --StartPod, SetEndpoints, ...--> dataplane process --PodListening, Usage--> metrics
    clients     --TCP--> a Service's port: each connection goes to one ready pod and stays there, as through kube-proxy

Its process is apart so that a saturated workload never slows the API server.
"""
