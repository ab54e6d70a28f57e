"""The shapes of the built-in types: what fields there are, of which type, and how lists are merged."""
