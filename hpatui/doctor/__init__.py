"""Checks of the whole autoscaling pipeline, one file a family; each names its evidence."""
