"""The checks, one file a family, in the order in which a metric travels."""
