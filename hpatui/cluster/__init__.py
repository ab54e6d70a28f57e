"""The way in: everything that talks to an API server. The only importer of `kubernetes`."""
