"""The sandbox's API server: store, discovery, verbs, tables, patches, proxies."""
