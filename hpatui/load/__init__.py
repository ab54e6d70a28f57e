"""The load engine, in its own process. The only importer of `httpx`."""
