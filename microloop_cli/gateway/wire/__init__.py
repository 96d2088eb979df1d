"""The wire formats of model calls: what a request asks, what an answer used, how errors look. Pure."""
