"""The second front end: the same session as lines or JSON, for pipes, scripts, screen readers and terminals that cannot
show the screen.
"""
