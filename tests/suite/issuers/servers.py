"""Issuers from PyPI, as shipped and with the one setting each. Prints a line of JSON: for each host its port and its tokens."""

import base64, hashlib, json, sys, threading, urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from wsgiref.simple_server import WSGIRequestHandler, make_server

from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from authlib.oidc.core.grants.util import generate_id_token
from joserfc.jwk import KeySet, RSAKey

AUDIENCE = "https://sts.amazonaws.com"


class Generator(JWTBearerTokenGenerator):
    """The generator of the manual, with the keys that a deployment returns."""

    def __init__(self, host, keys):
        super().__init__(f"https://{host}")
        self.keys = keys

    def get_jwks(self):
        return self.keys

    def get_audiences(self, client, user, scope):
        return AUDIENCE


class Client:
    client_id = "workload"

    def get_client_id(self):
        return self.client_id

    def get_allowed_scope(self, scope):
        return scope


def authlib(host, key, keys):
    """A small server around Authlib's own classes, as its manual has it: the issuer's documents, and tokens made beforehand."""
    document = {
        "issuer": f"https://{host}", "jwks_uri": f"https://{host}/jwks", "authorization_endpoint": f"https://{host}/authorize",
        "token_endpoint": f"https://{host}/token", "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }
    answers = {"/.well-known/openid-configuration": document, "/jwks": {"keys": [{**key.as_dict(private=False), "kid": key.thumbprint(), "use": "sig", "alg": "RS256"}]}}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps(answers.get(self.path, {})).encode()
            self.send_response(200 if self.path in answers else 404)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    id_token = generate_id_token({}, {"sub": "workload-1"}, key=keys, iss=f"https://{host}", aud=[AUDIENCE], alg="RS256", exp=3600)
    access = Generator(host, keys)(grant_type="client_credentials", client=Client(), scope="read")["access_token"]
    return {"port": server.server_address[1], "tokens": {"id": id_token, "cc": access}}


def django(host):
    """django-oauth-toolkit: the code flow of one user, before and behind the setting that believes the proxy."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from django.conf import settings

    pem = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    settings.configure(
        SECRET_KEY="of nobody", ALLOWED_HOSTS=[host], ROOT_URLCONF="issuer_urls", USE_TZ=True,
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauth2_provider"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "file:issuer?mode=memory&cache=shared", "OPTIONS": {"uri": True}}},
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware"],
        OAUTH2_PROVIDER={"OIDC_ENABLED": True, "OIDC_RSA_PRIVATE_KEY": pem, "SCOPES": {"openid": "OpenID"}, "PKCE_REQUIRED": False},
    )
    import types
    import django as package
    package.setup()
    from django.urls import include, path
    urls = types.ModuleType("issuer_urls")
    urls.urlpatterns = [path("o/", include("oauth2_provider.urls", namespace="oauth2_provider"))]
    sys.modules["issuer_urls"] = urls
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    from django.test import Client as Browser
    from oauth2_provider.models import get_application_model
    call_command("migrate", verbosity=0)
    user = get_user_model().objects.create_user("workload", password="of nobody")

    def id_token(algorithm, more):
        client_id = f"client-{algorithm}-{len(more)}"
        get_application_model().objects.create(
            client_id=client_id, client_secret="of nobody in particular, and long enough to sign with", hash_client_secret=False, client_type="confidential",
            authorization_grant_type="authorization-code", redirect_uris="https://rp.example.com/back", skip_authorization=True,
            algorithm=algorithm)
        browser = Browser(HTTP_HOST=host, **more)
        browser.force_login(user)
        query = {"response_type": "code", "client_id": client_id, "redirect_uri": "https://rp.example.com/back", "scope": "openid"}
        back = browser.get("/o/authorize/", query)["location"]
        code = urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)["code"][0]
        answer = browser.post("/o/token/", {
            "grant_type": "authorization_code", "code": code, "redirect_uri": "https://rp.example.com/back",
            "client_id": client_id, "client_secret": "of nobody in particular, and long enough to sign with"})
        return answer.json()["id_token"]

    class Silent(WSGIRequestHandler):
        def log_message(self, *_):
            pass

    shipped = {"port": 0, "tokens": {"id": id_token("RS256", {})}}
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    behind = {"HTTP_X_FORWARDED_PROTO": "https"}
    tokens = {"id": id_token("RS256", behind), "shared": id_token("HS256", behind)}
    server = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Silent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return shipped, {"port": server.server_address[1], "tokens": tokens}


def main():
    single = RSAKey.generate_key(2048)
    several = RSAKey.generate_key(2048)
    several.ensure_kid()
    shipped, proxied = django("dot.example.com")
    print(json.dumps({
        "authlib-single.example.com": authlib("authlib-single.example.com", single, single),
        "authlib-set.example.com": authlib("authlib-set.example.com", several, KeySet([several])),
        "dot-shipped.example.com": shipped,
        "dot.example.com": proxied,
    }), flush=True)
    sys.stdin.read()


main()
