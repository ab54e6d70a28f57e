"""hpatui: watch HorizontalPodAutoscalers scale, and why, while you drive the load."""

__version__ = "0.2.0.dev0"
