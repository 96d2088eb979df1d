"""What a policy can say: the sections and keys of the YAML, their types and bounds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

_YEAR_SECONDS = 366 * 86_400

Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Repeats = Annotated[int, Meta(ge=2, le=1_000_000)]
Seconds = Annotated[float, Meta(gt=0, le=_YEAR_SECONDS)]
Share = Annotated[float, Meta(gt=0, le=1)]
Text = Annotated[str, Meta(min_length=1, max_length=4096)]
EnvEntry = Annotated[str, Meta(pattern=r"\A[A-Za-z_][A-Za-z0-9_]*(=[^\x00]*)?\Z", max_length=131_072)]
Dollars = Annotated[float, Meta(gt=0, le=1_000_000)]
PerMillionTokens = Annotated[float, Meta(ge=0, le=1_000_000)]
UserId = Annotated[str, Meta(pattern=r"\A[0-9]{1,10}(:[0-9]{1,10})?\Z")]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of the sections: every key has a built-in default, so that any part of a policy is one."""


class Sandbox(Section, frozen=True, forbid_unknown_fields=True):
    """env: NAME takes the variable from microloop's own environment, NAME=VALUE sets it."""

    backend: Literal["auto", "bwrap", "docker", "none"] = "auto"
    image: Text | None = None
    network: Literal["none", "host"] = "none"
    env: tuple[EnvEntry, ...] = ()
    user: UserId | None = None
    memory_mib: Annotated[int, Meta(ge=16, le=1 << 30)] | None = None
    cpus: Annotated[float, Meta(gt=0, le=4096)] | None = None
    pids: Annotated[int, Meta(ge=8, le=4_194_304)] | None = None
    on_unenforced: Literal["refuse", "record"] = "record"


class Limits(Section, frozen=True, forbid_unknown_fields=True):
    """None means no limit. grace_seconds lies between TERM and KILL when a run is stopped."""

    steps: Count | None = None
    wall_seconds: Seconds | None = None
    idle_seconds: Seconds | None = None
    cost_usd: Dollars | None = None
    tokens: Count | None = None
    model_calls: Count | None = None
    warn_at: Share = 0.8
    grace_seconds: Annotated[float, Meta(ge=0, le=3600)] = 5.0


class Ladder(Section, frozen=True, forbid_unknown_fields=True):
    """At which count a finding is answered how; None switches an answer off."""

    nudge: Repeats | None
    refuse: Repeats | None
    stop: Repeats | None


class Progress(Section, frozen=True, forbid_unknown_fields=True):
    """See core.settings.Progress; ignore: gitignore patterns of files whose change is no progress.

    ignore_gitignored: nor of those in directories that the repository itself leaves out.
    """

    answers: Literal["act", "record"] = "act"
    repeat: Ladder = Ladder(3, 4, 6)
    poll: Ladder = Ladder(4, 6, 9)
    cycle: Ladder = Ladder(3, 4, 5)
    tests: Ladder = Ladder(3, 4, 6)
    tests_edited: Ladder = Ladder(4, 6, 8)
    failure: Ladder = Ladder(5, 8, 12)
    edit: Ladder = Ladder(3, 4, 6)
    edit_error: Ladder = Ladder(3, 5, 8)
    stale: Ladder = Ladder(12, 18, 24)
    regress: Ladder = Ladder(3, 5, 7)
    ignore_gitignored: bool = True
    ignore: tuple[Text, ...] = ()


class Agent(Section, frozen=True, forbid_unknown_fields=True):
    """profile: `auto`, a name or a file; processes: more programs that are the agent itself."""

    profile: Text = "auto"
    processes: tuple[Text, ...] = ()


class Upstreams(Section, frozen=True, forbid_unknown_fields=True):
    """Base URLs of model servers; None: as the user's environment says, else the provider's own."""

    openai: Text | None = None
    anthropic: Text | None = None
    google: Text | None = None


class Keys(Section, frozen=True, forbid_unknown_fields=True):
    """Where keys are read: `env:NAME`, `file:PATH`, `command:COMMAND`, `keyring:SERVICE/NAME`; None: the
    provider's own variables in the user's environment.
    """

    openai: Text | None = None
    anthropic: Text | None = None
    google: Text | None = None


class ModelPrice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An own price: `model` is a name or a glob, amounts are US dollars per million tokens."""

    model: Text
    input_usd_per_mtok: PerMillionTokens
    output_usd_per_mtok: PerMillionTokens
    cached_usd_per_mtok: PerMillionTokens | None = None
    cache_write_usd_per_mtok: PerMillionTokens | None = None
    cache_write_1h_usd_per_mtok: PerMillionTokens | None = None


class Model(Section, frozen=True, forbid_unknown_fields=True):
    """Model calls. gateway: whether there is a way to models at all. free: names or globs of models that cost
    nothing. unknown: what becomes of a model without a price. tight: what becomes of a call whose worst case
    does not fit into what is left. record: keep requests and answers in the bundle.
    """

    gateway: bool = True
    upstreams: Upstreams = Upstreams()
    keys: Keys = Keys()
    prices: tuple[ModelPrice, ...] = ()
    free: tuple[Text, ...] = ()
    unknown: Literal["error", "worst"] = "error"
    tight: Literal["admit", "refuse"] = "admit"
    record: bool = False


class Budgets(Section, frozen=True, forbid_unknown_fields=True):
    """Bounds beyond one run, over all runs of this user: of a day, of this workspace a day, or ever."""

    day_usd: Dollars | None = None
    project_day_usd: Dollars | None = None
    project_usd: Dollars | None = None


class Network(Section, frozen=True, forbid_unknown_fields=True):
    """What the egress proxy lets through; deny wins. Rules: see gateway.egress.rules. private: addresses or
    CIDRs that are private and may be reached all the same. proxy: the one to go through, where there is no
    other way out; it looks names up, so that only IP addresses can be checked.
    """

    allow: tuple[Text, ...] = ()
    deny: tuple[Text, ...] = ()
    private: tuple[Text, ...] = ()
    proxy: Text | None = None


class Policy(Section, frozen=True, forbid_unknown_fields=True):
    """A whole policy. `extends` is followed while loading; a resolved policy has none."""

    schema: Literal[1] = 1
    extends: Text | None = None
    sandbox: Sandbox = Sandbox()
    limits: Limits = Limits()
    progress: Progress = Progress()
    agent: Agent = Agent()
    model: Model = Model()
    budgets: Budgets = Budgets()
    network: Network = Network()


def key_types(model: type[msgspec.Struct] = Policy, prefix: str = "") -> dict[str, Any]:
    """Key path to type, for every key that holds a value: `limits.steps`, in the order of the model."""
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(model):
        if isinstance(field.type, type) and issubclass(field.type, Section):
            found |= key_types(field.type, f"{prefix}{field.name}.")
        else:
            found[prefix + field.name] = field.type
    return found
