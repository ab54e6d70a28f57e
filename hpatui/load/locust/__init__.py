"""What Locust runs in the cluster: these files go there as they are, and import nothing of hpatui."""
