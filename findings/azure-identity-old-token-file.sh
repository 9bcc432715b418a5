#!/usr/bin/env bash
# azure-identity for Python goes on sending a federated token after its file holds another one.
#
# What happens: WorkloadIdentityCredential reads the token file once and keeps what it read for ten minutes. When the file
# is replaced within that time, the next exchange, of another scope for instance, still sends the token that was there
# before; the file's time of change is not looked at.
# Seen with: azure-identity 1.27.0, 2026-11-30, Python 3.11.
# Why it matters: whoever corrects a wrong audience or subject and writes the new token into the file sees the same
# AADSTS700212 or AADSTS700213 for up to ten minutes, with the old value quoted, and takes the right correction for a wrong one.
# Start the process again (or make a new credential object) after the file has changed.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check azure-identity==1.27.0

cat >"$work/look.py" <<'PYTHON'
import json, pathlib, sys
from importlib.metadata import version
from urllib.parse import parse_qsl

from azure.core.pipeline.transport import HttpTransport
from azure.identity import WorkloadIdentityCredential

AUTHORITY = "https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111"
sent = []

class Response:
    """An answer of Entra, as the pipeline reads it."""
    status_code, reason, block_size, internal_response = 200, "OK", 4096, None
    headers = {"Content-Type": "application/json"}
    content_type = "application/json"

    def __init__(self, request, answer):
        self.request, self.answer = request, json.dumps(answer)

    def body(self):
        return self.answer.encode()

    def text(self, encoding=None):
        return self.answer

class Entra(HttpTransport):
    """Answers in the process; nothing leaves the machine."""
    def open(self): pass
    def close(self): pass
    def __exit__(self, *_): pass

    def send(self, request, **_):
        if request.method == "GET":
            return Response(request, {
                "issuer": f"{AUTHORITY}/v2.0",
                "authorization_endpoint": f"{AUTHORITY}/oauth2/v2.0/authorize",
                "token_endpoint": f"{AUTHORITY}/oauth2/v2.0/token",
            })
        form = request.data if isinstance(request.data, dict) else dict(parse_qsl(request.body))
        sent.append((form["scope"], form["client_assertion"]))
        return Response(request, {"access_token": "granted", "token_type": "Bearer", "expires_in": 3600})

file = pathlib.Path(sys.argv[1])
file.write_text("header.before.signature")
credential = WorkloadIdentityCredential(
    tenant_id=AUTHORITY.rsplit("/", 1)[1],
    client_id="22222222-2222-4222-8222-222222222222",
    token_file_path=str(file),
    transport=Entra(),
    disable_instance_discovery=True,
)
credential.get_token("https://vault.azure.net/.default")
file.write_text("header.after.signature")
credential.get_token("https://management.azure.com/.default")

print("azure-identity", version("azure-identity"))
for scope, assertion in sent:
    print(scope, "was asked for with", assertion)
print("the file now holds", file.read_text())
assert [assertion for _, assertion in sent] == ["header.before.signature"] * 2, "the file is read anew now"
print("Still so: the second exchange sent what the file no longer holds.")
PYTHON
"$work/venv/bin/python" "$work/look.py" "$work/token"
