"""The screen. The only importer of textual and rich; plotext only in `charts`."""
