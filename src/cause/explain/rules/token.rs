//! What JWT and OIDC libraries say about tokens, keys and discovery: go-oidc, jose, PyJWT, jsonwebtoken, Nimbus, jjwt.

use crate::cause::Cause::*;
use crate::cause::explain::rule::rules;

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
        "unexpected \"iss\" claim value", "InvalidIssuerError", "iss claim does not match", "IDX10205",
        "invalid issuer"] without ["AADSTS", "AKV10032", "Expected one of https://sts.windows"] => [IssMismatch];
    _ Token Leading says ["none signing method", "alg\":\"none", "unsecured JWT"] => [MalformedToken, AlgUnsupported];
    // Discovery and keys.
    _ Issuer Conclusive says ["issuer did not match the issuer returned by provider", "discovered issuer mismatch",
        "issuer mismatch", "issuer URL provided to client"] with [["got", "expected", "did not match", "provider"]]
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
