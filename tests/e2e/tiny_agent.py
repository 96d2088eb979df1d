"""A coding agent in a few lines: asks a model over Chat Completions, runs what it wants, shows it the results.

It has a shell tool, whose commands are processes, and a Read tool, which is none. Run as a script in a sandbox,
so it needs nothing but Python's own library. `--retry` asks on after an error, as many agents do.
"""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request

BASE = os.environ["OPENAI_BASE_URL"]
COMMAND = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}
PATH = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
TOOLS = [
    {"type": "function", "function": {"name": "bash", "parameters": COMMAND}},
    {"type": "function", "function": {"name": "Read", "parameters": PATH}},
]


def ask(messages: list) -> dict:  # type: ignore[type-arg]
    body = {"model": "gpt-4o", "messages": messages, "tools": TOOLS, "max_tokens": 1000}
    request = urllib.request.Request(f"{BASE}/chat/completions", json.dumps(body).encode())
    request.add_header("Authorization", f"Bearer {os.environ.get('OPENAI_API_KEY', '')}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["choices"][0]["message"]  # type: ignore[no-any-return]


def use(name: str, arguments: dict) -> str:  # type: ignore[type-arg]
    if name == "bash":
        done = subprocess.run(["sh", "-c", arguments["command"]], capture_output=True, text=True, check=False)
        return f"{done.stdout}{done.stderr}exit {done.returncode}"
    try:
        with open(arguments["path"]) as file:
            return file.read()
    except OSError as error:
        return f"Error: {error}"


def main() -> int:
    messages: list = [{"role": "user", "content": "Fix it"}]  # type: ignore[type-arg]
    while True:
        try:
            said = ask(messages)
        except urllib.error.HTTPError as error:
            print(error.code, error.read().decode(), flush=True)
            if "--retry" in sys.argv:
                continue
            return 1
        messages.append(said)
        if not said.get("tool_calls"):
            print(said["content"], flush=True)
            return 0
        for call in said["tool_calls"]:
            result = use(call["function"]["name"], json.loads(call["function"]["arguments"]))
            print(result, flush=True)
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})


if __name__ == "__main__":
    sys.exit(main())
