#!/usr/bin/env bash
# AWS CLI v1 registers a web page's letters as the audiences of an OIDC provider.
#
# What happens: GitLab's usual audience is a URL (https://gitlab.com). Version 1 of the AWS CLI fetches what an argument
# that begins with http:// or https:// names and takes the answer for the value, also for `--client-id-list` and
# `--client-id`. A list is then split: `create-open-id-connect-provider --client-id-list https://host/` registers one
# client id for every character of the page. `--url` of the same command is exempt and stays as it is. Nothing is
# printed about the fetch, and IAM accepts such client ids.
# Seen with: awscli 1.46.3, 2026-11-30, Python 3.11. Version 2 of the CLI does not fetch.
# Why it matters: the provider exists, its URL is right, and every exchange is refused with "Incorrect token audience"
# (InvalidIdentityToken); nobody looks for single letters among the audiences. Pass such an audience by
# `--cli-input-json file://provider.json`, or set `cli_follow_urlparam = false` in the CLI's configuration.
set -euo pipefail

work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || :; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check awscli==1.46.3

# Stands for the audience's web site (GET) and for IAM (POST); writes down what IAM is asked.
cat >"$work/server.py" <<'PYTHON'
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl

class Handler(BaseHTTPRequestHandler):
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(b"<html>")

    def do_POST(self):
        form = parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode())
        with open(sys.argv[2], "a") as asked:
            for name, value in form:
                if name.startswith(("Url", "ClientID")):
                    print(name, value, file=asked)
        action = dict(form)["Action"]
        self.answer(f"<{action}Response><{action}Result/></{action}Response>".encode())

    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[1], "w") as port:
    print(server.server_port, file=port)
server.serve_forever()
PYTHON
python3 "$work/server.py" "$work/port" "$work/asked" &
server=$!
until [ -s "$work/port" ]; do sleep 0.1; done
site="http://127.0.0.1:$(cat "$work/port")"

export HOME="$work" AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE AWS_SECRET_ACCESS_KEY=example AWS_DEFAULT_REGION=us-east-1
aws="$work/venv/bin/aws"
"$aws" --version
"$aws" iam create-open-id-connect-provider --endpoint-url "$site" --url "$site/issuer" --client-id-list "$site/audience" >/dev/null
"$aws" iam add-client-id-to-open-id-connect-provider --endpoint-url "$site" \
  --open-id-connect-provider-arn arn:aws:iam::123456789012:oidc-provider/issuer.example --client-id "$site/audience"

printf '\nWhat IAM was asked:\n'
sed "s|$site|http://HOST|" "$work/asked" | tee "$work/seen"
cat >"$work/expected" <<'END'
Url http://HOST/issuer
ClientIDList.member.1 <
ClientIDList.member.2 h
ClientIDList.member.3 t
ClientIDList.member.4 m
ClientIDList.member.5 l
ClientIDList.member.6 >
ClientID <html>
END
diff "$work/expected" "$work/seen" && printf '\nStill so: the page was registered, a letter at a time.\n'
