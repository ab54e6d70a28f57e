"""The sandbox's control loops; each reads and writes through the store as Kubernetes' controllers do through the API."""
