"""Test runs, read off what their runners print. One file a runner; `read.py` has the registry."""
