"""What a Prometheus remembers of HPAs, as the same facts that a recording has.

where -> door (HTTP) -> api (queries, series) -> merged -> scene (one moment as Kubernetes objects) -> translate (facts)
"""
