"""Runs in a venv of its own: what `microloop` 0.3.0 takes for each step of a made-up run, in ns."""

import sys
import time

from microloop import Monitor  # type: ignore[import-not-found]
from steps import made_up_steps

monitor = Monitor()
for step in made_up_steps(int(sys.argv[1])):
    began = time.perf_counter_ns()
    monitor.observe(step.command, step.output.decode())
    print(time.perf_counter_ns() - began)
