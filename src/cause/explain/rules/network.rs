//! What resolvers, sockets, proxies and TLS libraries (Go, Java, Python, Node, .NET, Rust, curl, OpenSSL), and token libraries say.

use crate::cause::Cause::*;
use crate::cause::explain::rule::rules;

/// Addresses that only instance metadata services have; silence there is not a network fault.
const METADATA: &[&str] = &["169.254.169.254", "169.254.170.2", "ec2imds", "IMDS", "metadata.google.internal"];

/// Where a sentence of this kind is about something else.
const CLOUDS: &[&str] = &[
    "AADSTS",
    "sts:",
    "SignatureDoesNotMatch",
    "Signature expired:",
    "InvalidIdentityToken",
    "ExpiredToken",
    "AKV100",
];

rules! {
    _ Network Leading says ["no such host", "Name or service not known", "Could not resolve host",
        "couldn't resolve host", "Temporary failure in name resolution", "nodename nor servname provided",
        "getaddrinfo ENOTFOUND", "getaddrinfo EAI_AGAIN", "|ENOTFOUND", "EAI_AGAIN", "EAI_NONAME",
        "UnknownHostException", "NXDOMAIN", "SERVFAIL", "server misbehaving", "Failed to resolve '",
        "failed to resolve host", "NameResolutionError", "NameResolutionFailure",
        "failed to lookup address information", "dns error", "No address associated with hostname",
        "remote name could not be resolved", "Name does not resolve", "gaierror", "getaddrinfo failed", "WSAHOST_NOT_FOUND",
        "DNS resolution failed",
        "does not resolve"] without METADATA => [Dns, Proxy];
    _ Network Leading says ["connection refused", "ECONNREFUSED", "actively refused it",
        "Verbindungsaufbau abgelehnt", "ConnectionRefusedError"] without METADATA => [ConnectRefused, Proxy];
    _ Network Leading says ["i/o timeout", "connect timed out", "connection timed out", "ETIMEDOUT",
        "ESOCKETTIMEDOUT", "Connect timeout on endpoint", "Read timeout on endpoint", "ConnectTimeoutError",
        "ConnectTimeoutException", "HttpConnectTimeoutException", "UND_ERR_CONNECT_TIMEOUT", "ConnectTimeout|",
        "SocketTimeoutException", "Client.Timeout exceeded", "TLS handshake timeout", "operation timed out",
        "Read timed out", "no route to host", "network is unreachable", "EHOSTUNREACH", "ENETUNREACH",
        "Connect Timeout Error", "HTTP connect timeout occurred", "deadline has elapsed",
        "error trying to connect: deadline"] without METADATA => [ConnectTimeout, Proxy, Firewall];
    _ Network Leading says ["connection reset by peer", "ECONNRESET", "socket hang up", "Empty reply from server",
        "Connection aborted", "RemoteDisconnected", "Remote end closed connection without response",
        "connection closed before message completed", "forcibly closed by the remote host",
        "unexpected eof while reading", "EPIPE"] without METADATA => [Proxy, ConnectRefused, Transient];
    // botocore has other words for a connection that times out.
    _ Network Leading says ["Could not connect to the endpoint URL", "EndpointConnectionError"]
        without ["169.254.169.254", "Connection refused", "Name or service not known", "timed out", "reset by peer"]
        => [Dns, ConnectRefused, Proxy, ConnectTimeout];
    _ Network Leading says ["Failed to connect to", "Unable to connect to the remote server", "error sending request for url",
        "Unable to execute HTTP request", "fetch failed", "dispatch failure"] without ["169.254.169.254",
        "no such host", "Connection refused", "timed out", "i/o timeout", "certificate", "PKIX", "UnknownIssuer",
        "reset by peer", "|ENOTFOUND", "ECONNREFUSED", "dns error"] => [Dns, ConnectTimeout, ConnectRefused, Proxy];
    _ Network Conclusive says ["407 Proxy Authentication Required", "Proxy Authentication Required",
        "proxyconnect tcp", "Tunnel connection failed", "Unable to connect to proxy", "Cannot connect to proxy",
        "Could not resolve proxy", "CONNECT tunnel failed", "from proxy after CONNECT", "response code for CONNECT",
        "CONNECT response", "tunneling socket could not be established", "Unable to tunnel through proxy",
        "Proxy CONNECT aborted", "ProxyError", "bad response code 403 from proxy", "X-Squid-Error", "squid/",
        "(squid)", "Zscaler", "Blue Coat", "BlueCoat", "Forcepoint", "Netskope", "FortiGuard", "McAfee Web Gateway",
        "requested URL could not be retrieved", "unsuccessful tunnel", "proxy: unsuccessful", "HTTP CONNECT proxy",
        "proxy authorization required"] => [Proxy];
    _ Network Leading says ["invalid character '<' looking for beginning of value", "Unexpected token '<'",
        "Unexpected token < in JSON", "expected value at line 1 column 1", "<!DOCTYPE html", "<html"]
        without ["AADSTS", "openid-configuration", "<Code>", "503|", "502|"]
        => [Proxy, DiscoveryInvalid, IssuerNotConfigured];
    // Python's words for a page where JSON was wanted.
    _ Network Leading says ["Expecting value: line 1 column 1 (char 0)"]
        with [["oauth2", "oauthlib", "identity", "botocore", "token", "googleapis"]] without ["AADSTS", "503|", "502|"]
        => [Proxy, DiscoveryInvalid];
    _ Network Leading says ["wrong version number", "server gave HTTP response to HTTPS client", "EPROTO",
        "first record does not look like a TLS handshake"] => [Proxy, ConnectRefused];
    _ Network Conclusive says ["certificate has expired", "has expired or is not yet valid", "CERT_HAS_EXPIRED",
        "CertificateExpiredException", "invalid peer certificate: Expired", "certificate is not yet valid",
        "CERT_NOT_YET_VALID", "NotValidYet", "CertificateNotYetValidException", "NotTimeValid", "certificate expired"]
        => [TlsExpired, ClockSkew];
    _ Network Conclusive says ["x509: certificate is valid for", "certificate is not valid for",
        "certificate is valid for", "ERR_TLS_CERT_ALTNAME_INVALID", "does not match certificate's altnames",
        "NotValidForName", "hostname mismatch", "Hostname mismatch",
        "no alternative certificate subject name matches", "No subject alternative DNS name",
        "No subject alternative names", "RemoteCertificateNameMismatch", "IP address mismatch",
        "doesn't contain any IP SANs", "doesn't match either of", "certificate name does not match"]
        => [TlsName, Proxy];
    _ Network Leading says ["certificate signed by unknown authority", "unable to get local issuer certificate",
        "unable to get issuer certificate", "self signed certificate", "self-signed certificate",
        "CERTIFICATE_VERIFY_FAILED", "UNABLE_TO_VERIFY_LEAF_SIGNATURE", "SELF_SIGNED_CERT_IN_CHAIN",
        "DEPTH_ZERO_SELF_SIGNED_CERT", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "unable to verify the first certificate",
        "PKIX path building failed", "unable to find valid certification path", "SunCertPathBuilderException",
        "UnknownIssuer", "certificate is not trusted", "remote certificate is invalid",
        "RemoteCertificateChainErrors", "UntrustedRoot", "PartialChain", "SSL certificate problem",
        "SEC_E_UNTRUSTED_ROOT", "unknown ca|", "SSLHandshakeException", "failed to verify certificate",
        "certificate verify failed"] without ["thumbprint"] => [TlsUntrusted, Proxy];
    _ Network Leading
        says ["handshake_failure", "protocol_version", "handshake failure", "SSL_ERROR_SYSCALL", "SSL routines"]
        without ["certificate", "CERTIFICATE_VERIFY_FAILED", "wrong version number"] => [Proxy, TlsUntrusted];
    _ Network Secondary says ["context deadline exceeded", "Max retries exceeded with url", "timed out", "timeout"]
        => [ConnectTimeout, Proxy, IssuerSlow, Firewall];
    _ Trust Leading says ["ThrottlingException", "Throttling:", "(Throttling)", "Rate exceeded",
        "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"] => [Throttled];
    _ Trust Secondary says ["too many requests", "429|", "rate limit"] => [Throttled];
    // The cloud's own answer that it cannot answer.
    _ Trust Leading says ["httpStatusCode: 503", "StatusCode: 503", "status code: 503", "status code 503",
        "HTTP 503", "503 Service Unavailable", "Error 503", "\"code\": 503", "code: 503", "Status(503",
        "service is currently unavailable", "service is unavailable", "ServiceUnavailableException"]
        without ["kickoff", "openid-configuration", "/jwks", "169.254.", "instance profile"] => [Transient, Throttled, Proxy];
    _ Trust Secondary says ["InternalFailure", "ServiceUnavailable", "InternalServiceError", "Internal Server Error",
        "Service Unavailable", "502 Bad Gateway", "Bad Gateway", "Gateway Timeout", "temporarily_unavailable",
        "server_error"] => [Transient, Proxy, Throttled];

    _ Token Conclusive says ["jwt expired", "Signature has expired", "token is expired by", "token has expired",
        "TokenExpiredError", "ExpiredSignatureError", "ExpiredJwtException", "token is expired", "JWT is expired",
        "'exp' claim timestamp check failed", "ID token expired"] without CLOUDS => [TokenExpired, ClockSkew];
    _ Token Conclusive says ["token used before issued", "token is not valid yet", "not yet valid (iat)",
        "not yet valid (nbf)", "jwt not active", "ImmatureSignatureError", "\"nbf\" claim timestamp check failed",
        "'nbf' claim timestamp check failed", "before the nbf", "token is not yet valid"] without CLOUDS
        => [ClockSkew];
    _ Token Leading says ["jwt malformed", "Not enough segments", "invalid number of segments",
        "compact JWS format must have three parts", "Invalid Compact JWS", "malformed jwt", "oidc: malformed jwt",
        "Invalid JWT serialization", "token is malformed:", "JWT strings must contain exactly 2 period",
        "Invalid token specified"] without CLOUDS => [MalformedToken, WrongTokenKind, EnvNotSet];
    _ Token Leading says ["failed to verify signature", "signature verification failed",
        "Signature verification raised", "crypto/rsa: verification error", "JWSSignatureVerificationFailed",
        "invalid signature", "JWT signature does not match", "signature is invalid", "InvalidSignature",
        "Signed JWT rejected: Invalid signature"] without ["AADSTS", "SignatureDoesNotMatch",
        "InvalidSignatureException", "Signature expired:", "AWSSecretsManager", "certificate"]
        => [SignatureInvalid, JwksKidMissing];
    _ Issuer Leading says ["Unable to find a signing key that matches",
        "no applicable key found in the JSON Web Key Set", "JWKSNoMatchingKey",
        "Signed JWT rejected: Another algorithm expected, or no matching key", "no matching key", "key ID not found",
        "unable to find key with kid", "unable to find appropriate key", "kid not found",
        "Unable to find key with kid", "SigningKeyNotFoundError", "Unable to find a signing key",
        "failed to find key with key ID", "IDX10503", "IDX10501"] without ["AADSTS"]
        => [JwksKidMissing, JwksUnreachable];
    _ Token Leading says ["unexpected signing method", "unsupported algorithm", "alg not allowed",
        "invalid algorithm", "\"alg\" (Algorithm) Header Parameter value not allowed",
        "The specified alg value is not allowed", "signed with unsupported algorithm"] without ["AADSTS"]
        => [AlgUnsupported];
    _ Trust Leading says ["oidc: expected audience", "jwt audience invalid", "unexpected \"aud\" claim value",
        "Invalid audience", "aud claim does not match", "audience claim does not match", "InvalidAudienceError",
        "invalid audience", "Audience doesn't match", "IDX10214"]
        without ["AADSTS", "AKV10022", "Expected https://vault", "AKV100"] => [AudMismatch];
    _ Trust Leading says ["id token issued by a different provider", "jwt issuer invalid",
        "unexpected \"iss\" claim value", "unexpected iss value", "unexpected 'iss'", "InvalidIssuerError", "iss claim does not match", "IDX10205",
        "invalid issuer"] without ["AADSTS", "AKV10032", "Expected one of https://sts.windows"] => [IssMismatch];
    _ Token Leading says ["none signing method", "alg\":\"none", "unsecured JWT"] => [MalformedToken, AlgUnsupported];
    // Discovery and keys.
    _ Issuer Conclusive says ["issuer did not match the issuer returned by provider", "discovered issuer mismatch",
        "issuer mismatch", "issuer URL provided to client", "issuer does not match the configured issuer",
        "issuer in discovery document does not match", "document's issuer does not match"]
        with [["got", "expected", "did not match", "does not match", "provider"]]
        without ["AADSTS", "AKV"] => [IssuerDiffers];
    _ Issuer Leading says ["openid-configuration", "discovery document", "discovery endpoint"]
        with [["404", "503", "Not Found", "Service Unavailable"]] without ["AADSTS", "certificate"]
        => [IssuerNotConfigured, JwksUnreachable];
    _ Issuer Leading says ["openid-configuration", "oauth2/jwks", "jwks_uri", "/jwks"]
        with [["301", "302", "307", "308", "redirect"]] => [IssuerRedirect];
    _ Issuer Leading says ["openid-configuration", "discovery document", "provider json", "decode provider discovery"]
        with [["invalid character", "Unexpected token", "not valid JSON", "failed to decode", "parse",
        "missing field", "missing required", "invalid json", "text/html"]] without ["AADSTS"]
        => [DiscoveryInvalid, Proxy];
    _ Issuer Leading says ["openid-configuration", "jwks", "JWKS"] with [["could not fetch", "failed to fetch",
        "unreachable", "unable to fetch", "cannot fetch", "failed to get", "failed to retrieve",
        "could not be retrieved", "not reachable", "403 Forbidden", "401 Unauthorized",
        "Unable to obtain configuration", "timed out", "timeout"]] without ["AADSTS", "retrieve verification key"]
        => [JwksUnreachable, ConnectTimeout, Dns, Firewall];
    _ Issuer Leading says ["jwks", "JWKS", "JSON Web Key Set", "key set"]
        with [["invalid", "malformed", "no keys", "empty", "no usable", "too many", "unsupported key"]]
        without ["AADSTS", "no applicable key", "retrieve verification key", "Failed to fetch", "unreachable"]
        => [JwksInvalid];
}
