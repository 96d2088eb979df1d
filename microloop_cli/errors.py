"""Every error microloop raises on purpose.

MicroloopError
├── UsageError            the caller asked for something that cannot be            exit 2
│   ├── PolicyError       a policy file is wrong (names file, key path, line)     exit 2
│   └── RunNotFound       no such run in this workspace                           exit 2
├── HostError             the host lacks something a run needs                    exit 125
│   ├── SandboxError      the sandbox could not be started or kept                exit 125
│   └── BundleError       a bundle cannot be written or read                      exit 125
├── CommandNotFound       the agent command is not in the sandbox                 exit 127
├── CommandNotExecutable  it is there but cannot be executed                      exit 126
└── ProtocolError         the guard or the channel spoke nonsense                 exit 125
"""

from __future__ import annotations


class MicroloopError(Exception):
    """What happened (message), what to do next (hint), and the exit code for the shell."""

    exit_code = 125

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(MicroloopError):
    exit_code = 2


class PolicyError(UsageError):
    pass


class RunNotFound(UsageError):
    pass


class HostError(MicroloopError):
    exit_code = 125


class SandboxError(HostError):
    pass


class BundleError(HostError):
    pass


class CommandNotFound(MicroloopError):
    exit_code = 127


class CommandNotExecutable(MicroloopError):
    exit_code = 126


class ProtocolError(MicroloopError):
    exit_code = 125
