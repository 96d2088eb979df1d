"""What a run would do, as one document: nothing is started and nothing is written."""

from __future__ import annotations

from typing import Any

import msgspec

from microloop_cli.policy.explain import explain
from microloop_cli.run.assemble import Prepared
from microloop_cli.run.environment import masked

PLAN_SCHEMA = 1


def plan_document(prepared: Prepared) -> dict[str, Any]:
    """`--dry-run --json`: what would run where, what would be enforced, every setting with its source."""
    plan = prepared.plan
    document = {
        "schema": PLAN_SCHEMA,
        "argv": prepared.argv,
        "workspace": str(prepared.workspace),
        "cwd": str(prepared.cwd),
        "sandbox": {
            "backend": plan.backend,
            "enforced": plan.enforcement.enforced,
            "missing": plan.enforcement.missing,
        },
        "agent_profile": prepared.settings.agent.name,
        "variables": sorted(prepared.given),
        "doors": {"model": prepared.ways.model, "egress": prepared.ways.egress},
        "settings": explain(prepared.resolved),
        "notes": plan.notes,
        "launch": plan.launch_spec,
    }
    shown: dict[str, Any] = masked(msgspec.to_builtins(document, enc_hook=str), prepared.secrets)
    return shown
