"""Whether a request can cost anything, where it is no conversation on a known path. Pure.

No list of paths is complete, so a request that names a model is a model call wherever it goes, but for the
few paths known to be free; and what starts work whose bill nobody could see is not let through at all.
"""

from __future__ import annotations

import re

from microloop_cli.gateway.model import Billing

_READING = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
_FREE = re.compile(
    r"(/count_tokens|:counttokens|/input_tokens|/(de)?tokenize|/apply-template|/moderations"
    r"|/api/(show|pull|push|create|copy|delete|tags|ps))$"
)
# Work that goes on after the answer, or whose answer is told to somebody else.
_UNCOUNTABLE = re.compile(
    r"/(batches|batch|realtime|fine_tuning|fine-tunes|videos|batch_jobs|batchpredictionjobs|async-invoke)(/|$)"
    r"|/(threads|evals)(/[^/]+)?/runs(/|$)"
    r"|:(batchgeneratecontent|asyncbatchembedcontent|predictlongrunning|bidigeneratecontent)$"
)
# They have a model even when the request names none.
_MODELS_OF_THEIR_OWN = re.compile(r"/(images|audio)/|/embeddings$|/rerank$|/(generate|infill|embed|chat)$")
_BEDROCK = re.compile(r"/model/([^/]+)/(invoke|converse)[a-z-]*$", re.IGNORECASE)
_FORM_MODEL = re.compile(rb'name="model"[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n([^\r\n]{1,256})\r\n')


def billing(method: str, path: str, has_body: bool, model: str) -> Billing:
    """`path` as `plain_path` gives it; `model` as path or body name it, "" when neither does."""
    low = path.lower()
    if not has_body and method.upper() in _READING:
        return "free"
    if _UNCOUNTABLE.search(low):
        return "uncountable"
    if _FREE.search(low):
        return "free"
    if not has_body and not model:
        return "free"
    return "metered" if model or _MODELS_OF_THEIR_OWN.search(low) else "free"


def model_in_path(path: str) -> str:
    """Bedrock names it there."""
    found = _BEDROCK.search(path)
    return found.group(1) if found else ""


def model_in_form(body: bytes) -> str:
    """The member `model` of a multipart form, as audio and images are sent."""
    found = _FORM_MODEL.search(body) if body.startswith(b"--") else None
    return found.group(1).decode("utf-8", "replace").strip() if found else ""
