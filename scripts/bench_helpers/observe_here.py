"""What our progress engine takes for each step of a made-up run, in ns; last its memory in MiB.

Normalising is measured on its own, in the same run: it streams, and what it takes grows with the output.
"""

import resource
import sys
import time

from steps import made_up_steps

from microloop_cli.core.progress.attempt import Attempt
from microloop_cli.core.progress.commands.meaning import meaning
from microloop_cli.core.progress.engine import Memory, attempted, finished
from microloop_cli.core.progress.normalise import Kept
from microloop_cli.core.progress.reader import OutputReader, Words
from microloop_cli.core.settings import Progress

rules, reader, memory = Progress(), OutputReader(), Memory()
before_kib = 0
for number, step in enumerate(made_up_steps(int(sys.argv[1])), 1):
    words = Words.of(Kept(step.output, b"", len(step.output)), None)
    epoch = f"epoch {step.epoch}"
    began = time.perf_counter_ns()
    attempt = Attempt(step=number, command=step.command, meaning=meaning(step.command), epoch=epoch)
    memory = attempted(memory, rules, attempt).memory
    signals = reader.signals(attempt.meaning, step.command, words, exit_code=step.exit_code)
    memory = finished(memory, rules, attempt, epoch=epoch, signals=signals, exit_code=step.exit_code).memory
    print(time.perf_counter_ns() - began)
    if number == 100:  # loaded and warm
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib) / 1024)
