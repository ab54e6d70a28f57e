"""A small Kubernetes over real HTTP on loopback, in its own process: API server, controllers, kubelet, workloads."""
