#!/usr/bin/env bash
# botocore passes over `duration_seconds` of a profile that federates with a token file.
#
# What happens: a shared-configuration profile may set `duration_seconds`. With `source_profile` (AssumeRole) botocore
# sends it as DurationSeconds. With `web_identity_token_file` (AssumeRoleWithWebIdentity) the same key in the same kind
# of profile is read by nobody: the request has no DurationSeconds, without a warning, and the session lasts the
# hour that STS gives by itself.
# Seen with: botocore 1.44.8 (boto3 1.44.8), 2026-11-30, Python 3.11.
# Why it matters: whoever shortens sessions to the 15 minutes that a policy asks for, or raises a role's maximum for a
# long job and sets the duration beside it, gets one hour all the same; sessions "too long" or "expired too early" are
# then looked for in the role, where nothing is wrong. To have another duration, call AssumeRoleWithWebIdentity yourself
# and pass DurationSeconds.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check boto3==1.44.8 botocore==1.44.8

printf 'header.claims.signature' >"$work/token"
cat >"$work/config" <<END
[profile by-token]
region = us-east-1
role_arn = arn:aws:iam::123456789012:role/reader
web_identity_token_file = $work/token
duration_seconds = 900

[profile by-key]
region = us-east-1
role_arn = arn:aws:iam::123456789012:role/reader
source_profile = keys
duration_seconds = 900

[profile keys]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = example
END

cat >"$work/look.py" <<'PYTHON'
import os, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import boto3, botocore

asked = {}

class Sts(BaseHTTPRequestHandler):
    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        asked.setdefault(form["Action"][0], form.get("DurationSeconds", ["(not sent)"])[0])
        body = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

sts = HTTPServer(("127.0.0.1", 0), Sts)
threading.Thread(target=sts.serve_forever, daemon=True).start()
os.environ["AWS_ENDPOINT_URL_STS"] = f"http://127.0.0.1:{sts.server_port}"
print("botocore", botocore.__version__)
for profile in ("by-key", "by-token"):
    try:
        boto3.Session(profile_name=profile).client("sts").get_caller_identity()
    except Exception as refused:
        print(profile, "->", type(refused).__name__)
for action, duration in asked.items():
    print(action, "DurationSeconds:", duration)
assert asked.get("AssumeRole") == "900", "AssumeRole no longer sends the profile's duration"
assert asked.get("AssumeRoleWithWebIdentity") == "(not sent)", "web identity sends a duration now"
print("Still so: with a token file the profile's duration_seconds goes nowhere.")
PYTHON
env -u AWS_PROFILE -u AWS_ENDPOINT_URL AWS_CONFIG_FILE="$work/config" AWS_SHARED_CREDENTIALS_FILE="$work/none" \
  AWS_EC2_METADATA_DISABLED=true HOME="$work" "$work/venv/bin/python" "$work/look.py"
