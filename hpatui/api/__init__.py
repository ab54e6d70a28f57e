"""The Python interface of hpatui, and the forms of what it tells."""
