"""Validation with Kubernetes' field errors: what a well-formed object must hold to be accepted."""
