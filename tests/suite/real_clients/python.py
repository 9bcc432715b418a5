"""Plays rows of Python clients at a lab: a row is an environment and what is asked of which client; an answer is what came of it."""

import json
import os
import sys
import warnings

warnings.simplefilter("ignore")
OWN = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


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


print(json.dumps([played(row) for row in json.load(sys.stdin)]))
