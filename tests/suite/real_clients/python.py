"""Plays rows of Python clients at a lab: a row is an environment and what is asked of which client; an answer is what came of it."""

import http.server
import json
import os
import re
import subprocess
import sys
import threading
import warnings

warnings.simplefilter("ignore")
OWN = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


class Recorder(http.server.BaseHTTPRequestHandler):
    """A proxy and a store that do nothing but keep which host is asked for, and whose key signs."""

    hosts, signers = [], []

    def do_CONNECT(self):
        self.hosts.append(self.path.rsplit(":", 1)[0])
        self.send_error(502)

    def do_GET(self):
        found = re.search("Credential=([^/]*)/", self.headers.get("Authorization", ""))
        self.signers.append(found.group(1) if found else "anonymous")
        self.send_error(403)

    do_HEAD = do_PUT = do_POST = do_GET

    def log_message(self, *_):
        pass


recorder = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
threading.Thread(target=recorder.serve_forever, daemon=True).start()
HERE = f"127.0.0.1:{recorder.server_port}"


def dialled(ask):
    """The first host that is asked for through the proxy; how the client ends without an answer is another row's."""
    os.environ["HTTPS_PROXY"] = f"http://{HERE}"
    Recorder.hosts.clear()
    try:
        ask()
    except BaseException:
        pass
    return Recorder.hosts[0] if Recorder.hosts else "nobody"


def signed(ask):
    """Whose key signs the first request to a store; "nobody" where none is sent."""
    Recorder.signers.clear()
    try:
        ask()
    except BaseException:
        pass
    return Recorder.signers[0] if Recorder.signers else "nobody"


def boto3_dials():
    return dialled(boto3_identity)


def cli(*arguments):
    aws = os.path.join(os.path.dirname(sys.executable), "aws")
    ran = subprocess.run([aws, *arguments, "--output", "json"], capture_output=True, text=True)
    if ran.returncode:
        raise RuntimeError(ran.stderr)
    return json.loads(ran.stdout)


def cli_identity():
    return cli("sts", "get-caller-identity")["Arn"]


def cli_keeps():
    """The second command finds the session on disk: it reads the secret although no STS can be reached."""
    cli_identity()
    os.environ["AWS_ENDPOINT_URL_STS"] = os.environ["NOBODY"]
    return str(bool(cli("secretsmanager", "get-secret-value", "--secret-id", os.environ["SECRET"])["SecretString"]))


def cli_dials():
    return dialled(cli_identity)


def obstore_dials():
    return dialled(obstore_object)


def opendal_object():
    import opendal

    store = opendal.Operator("s3", bucket="bucket", endpoint=f"http://{HERE}", disable_ec2_metadata="true")
    return str(store.stat("key"))


def opendal_dials():
    return dialled(opendal_object)


def opendal_signs():
    return signed(opendal_object)


def pyarrow_signs():
    from pyarrow import fs

    def look():
        store = fs.S3FileSystem(endpoint_override=HERE, scheme="http", retry_strategy=fs.AwsStandardS3RetryStrategy(1))
        store.get_file_info("bucket/key")

    return signed(look)


def boto3_identity():
    import boto3

    return boto3.Session().client("sts").get_caller_identity()["Arn"]


def boto3_secret():
    import boto3

    secrets = boto3.Session().client("secretsmanager")
    return str(bool(secrets.get_secret_value(SecretId=os.environ["SECRET"])["SecretString"]))


def obstore_object():
    import obstore
    from obstore.store import S3Store

    store = S3Store("bucket", endpoint=os.environ["NOBODY"], retry_config={"max_retries": 0})
    return str(obstore.head(store, "key"))


def azure_token():
    from azure.identity import WorkloadIdentityCredential

    return str(bool(WorkloadIdentityCredential().get_token("https://vault.azure.net/.default").token))


def azure_default_token():
    from azure.identity import DefaultAzureCredential

    return str(bool(DefaultAzureCredential().get_token("https://vault.azure.net/.default").token))


def azure_secret():
    from azure.identity import WorkloadIdentityCredential
    from azure.keyvault.secrets import SecretClient

    client = SecretClient(os.environ["VAULT"], WorkloadIdentityCredential(), verify_challenge_resource=False)
    return str(bool(client.get_secret(os.environ["SECRET"]).value))


def played(row):
    os.environ.clear()
    os.environ.update(OWN)
    os.environ.update(row["set"])
    try:
        return {"name": row["name"], "done": globals()[row["ask"]]()}
    except BaseException as error:  # One client ends the process's own way (`pyo3_runtime.PanicException`).
        return {"name": row["name"], "error": f"{type(error).__name__}: {error}"}


print(json.dumps([played(row) for row in json.load(sys.stdin)]), flush=True)
# What a library keeps open does not hold the process back.
os._exit(0)
