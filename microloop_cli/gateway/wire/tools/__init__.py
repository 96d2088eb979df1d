"""Tool calls and their results, as the wire formats carry them. Pure."""
