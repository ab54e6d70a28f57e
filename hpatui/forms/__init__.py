"""Kubernetes' own forms: one reader and one writer of each, used by every room."""
