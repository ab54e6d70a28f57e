"""Pictures of the real program on its sandbox, made by `make screenshots`."""
