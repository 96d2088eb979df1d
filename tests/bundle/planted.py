"""Secrets of the right shape that open nothing, put together from pieces so that no scanner takes offence."""

from __future__ import annotations

import hashlib
import string

_HEX = "0123456789abcdef"


def made(seed: str, length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    """The same pseudo-random characters for the same seed."""
    out = ""
    counter = 0
    while len(out) < length:
        digest = hashlib.sha256(f"{seed}{counter}".encode()).digest()
        out += "".join(alphabet[byte % len(alphabet)] for byte in digest)
        counter += 1
    return out[:length]


def _b64(seed: str, length: int) -> str:
    return made(seed, length, string.ascii_letters + string.digits + "-_")


def _pem(kind: str) -> str:
    body = "\n".join(
        "MII" + made(f"{kind}{i}", 61, string.ascii_letters + string.digits + "+/") for i in range(4)
    )
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{body}\nabc=\n-----END {kind}PRIVATE KEY-----"


def secrets() -> dict[str, tuple[str, tuple[str, ...]]]:
    """By kind: how it stands in a text, and the parts of it that must not be found."""
    plain = {
        "openai": "sk-" + "proj-" + _b64("openai", 60) + "7x",
        "openai-old": "sk-" + made("old", 47) + "3",
        "anthropic": "sk-" + "ant-api03-" + _b64("anthropic", 90) + "AA",
        "openrouter": "sk-" + "or-v1-" + made("or", 64, _HEX),
        "google": "AI" + "za" + _b64("google", 35),
        "xai": "xai-" + made("xai", 80),
        "groq": "gsk" + "_" + made("groq", 52),
        "huggingface": "hf" + "_" + made("hf", 34),
        "aws-id": "AK" + "IA" + made("aws", 16, string.ascii_uppercase + "234567"),
        "github-classic": "gh" + "p_" + made("ghp", 36),
        "github-oauth": "gh" + "o_" + made("gho", 36),
        "github-server": "gh" + "s_" + made("ghs", 36),
        "github-fine": "github" + "_pat_" + made("pat", 22) + "_" + made("pat2", 59),
        "gitlab": "gl" + "pat-" + _b64("gl", 20),
        "slack": "xo" + "xb-123456789012-1234567890123-" + made("slack", 24),
        "stripe": "sk" + "_live_" + made("stripe", 24),
        "stripe-webhook": "whsec" + "_" + made("whsec", 32),
        "twilio": "S" + "K" + made("twilio", 32, _HEX),
        "sendgrid": "SG" + "." + _b64("sg", 22) + "." + _b64("sg2", 43),
        "mailgun": "key" + "-" + made("mg", 32, _HEX),
        "mailchimp": made("mc", 32, _HEX) + "-us14",
        "npm": "npm" + "_" + made("npm", 36),
        "pypi": "pypi" + "-AgEIcHlwaS5vcmc" + _b64("pypi", 150),
        "docker-hub": "dckr" + "_pat_" + _b64("dckr", 27),
        "digitalocean": "dop" + "_v1_" + made("do", 64, _HEX),
        "heroku": "HRKU" + "-" + _b64("hrku", 60),
        "shopify": "shp" + "at_" + made("shopify", 32, _HEX),
        "discord": "MT" + made("discord", 24) + "." + made("dc", 6) + "." + _b64("dc2", 38),
        "telegram": "123456789" + ":AA" + _b64("tg", 33),
        "jwt": "ey" + "J" + made("h", 33) + ".ey" + "J" + made("p", 60) + "." + _b64("s", 43),
        "vault": "hvs" + "." + _b64("vault", 90),
        "azure-client": made("az", 3) + "8Q~" + _b64("az2", 34),
        "age": "AGE-SECRET" + "-KEY-1" + made("age", 58, string.ascii_uppercase + string.digits),
    }
    found: dict[str, tuple[str, tuple[str, ...]]] = {
        kind: (value, (value, value[12:32])) for kind, value in plain.items()
    }
    in_text = {
        "aws-secret": ("aws_secret_access_key = %s", made("awss", 40)),
        "azure-storage": (
            "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=%s;E=y",
            made("acc", 86) + "==",
        ),
        "slack-webhook": ("https://hooks.slack.com/services/%s", "T0123ABCD/B0123ABCD/" + made("wh", 24)),
        "discord-webhook": ("https://discord.com/api/webhooks/1234567890/%s", _b64("dwh", 68)),
        "bearer": ("Authorization: Bearer %s", made("bearer", 32)),
        "basic": ("Authorization: Basic %s", made("basic", 28)),
        "url": ("https://deploy:%s@registry.invalid/x.git", "pw" + made("url", 14)),
        "netrc": ("machine git.invalid login me password %s", "np" + made("netrc", 12)),
        "env-file": ("DB_PASSWORD=%s", "hunter2" + made("env", 9)),
        "option": ("mysqldump --password %s --all", "opt9" + made("opt", 10)),
        "json": ('{"client_secret": "%s"}', made("json", 24) + "1"),
    }
    found |= {kind: (text % value, (value,)) for kind, (text, value) in in_text.items()}
    for kind in ("RSA ", "EC ", "OPENSSH ", ""):
        pem = _pem(kind)
        found[f"private-key-{kind.strip().lower()}"] = (pem, tuple(pem.splitlines()[1:5]))
    escaped = _pem("").replace("\n", "\\n")
    service = f'{{"type": "service_account", "private_key": "{escaped}\\n"}}'
    found["gcp-service-account"] = (service, tuple(_pem("").splitlines()[1:5]))
    return found
