"""hpatui: watch HorizontalPodAutoscalers scale, and why, while you drive the load."""

__version__ = "0.1.0"
