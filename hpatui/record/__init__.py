"""Memory: the facts that entered the store, kept in a file, and given back later as if they came now.

Only this room imports sqlite3.
"""
