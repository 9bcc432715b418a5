//! What resolvers, sockets, proxies and TLS libraries say: Go, Java, Python, Node, .NET, Rust, curl, OpenSSL.

use crate::cause::Cause::*;
use crate::cause::explain::rule::rules;

/// Addresses that only instance metadata services have; silence there is not a network fault.
const METADATA: &[&str] = &["169.254.169.254", "169.254.170.2", "ec2imds", "IMDS", "metadata.google.internal"];

rules! {
    _ Network Leading says ["no such host", "Name or service not known", "Could not resolve host",
        "couldn't resolve host", "Temporary failure in name resolution", "nodename nor servname provided",
        "getaddrinfo ENOTFOUND", "getaddrinfo EAI_AGAIN", "|ENOTFOUND", "EAI_AGAIN", "EAI_NONAME",
        "UnknownHostException", "NXDOMAIN", "SERVFAIL", "server misbehaving", "Failed to resolve '",
        "failed to resolve host", "NameResolutionError", "NameResolutionFailure",
        "failed to lookup address information", "dns error", "No address associated with hostname",
        "remote name could not be resolved", "Name does not resolve", "gaierror", "DNS resolution failed",
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
    _ Network Leading says ["Could not connect to the endpoint URL", "EndpointConnectionError",
        "Failed to connect to", "Unable to connect to the remote server", "error sending request for url",
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
        without ["AADSTS", "openid-configuration", "<Code>"] => [Proxy, DiscoveryInvalid, IssuerNotConfigured];
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
    _ Trust Secondary says ["InternalFailure", "ServiceUnavailable", "InternalServiceError", "Internal Server Error",
        "Service Unavailable", "502 Bad Gateway", "Bad Gateway", "Gateway Timeout", "temporarily_unavailable",
        "server_error"] => [Transient, Proxy, Throttled];
}
