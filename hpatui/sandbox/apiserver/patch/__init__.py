"""Patches: JSON patch, merge patch, strategic merge patch and server-side apply. None changes what it is given."""
