//! The condition keys of an `AssumeRoleWithWebIdentity` request: which claim becomes which key, as STS does it.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html>

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::open_text::is_open;
use super::pattern::Effort;
use super::policy::ProviderArn;
use super::provider::NO_ACCOUNT;
use crate::domain::issuer::{DEFAULT_KEYS, IssuerKind, condition_key_prefix};
use crate::domain::roles_claim::RolesClaim;
use crate::domain::timestamp::{UnixSeconds, rfc3339};

/// What a request brings for a condition key.
#[derive(Clone, Debug, PartialEq)]
pub enum Actual<'a> {
    /// The key is not in the request.
    Missing,
    /// One value.
    One(Cow<'a, str>),
    /// Several values.
    Many(Vec<Cow<'a, str>>),
    /// The request has it or has it not; that depends on something that is not at hand, named here.
    Unknown(&'static str),
}

/// Where conditions find the values of their keys.
pub trait Context {
    /// The value of `key`, whose letter case does not count.
    fn lookup(&self, key: &str) -> Actual<'_>;
    /// What is left to spend on comparing.
    fn effort(&self) -> &Effort;
}

/// A web identity request: who asks for what, with which token.
#[derive(Clone, Copy, Debug)]
pub struct TrustRequest<'a> {
    /// The token's claims.
    pub claims: &'a Map<String, Value>,
    /// What the token may have beside them.
    pub unseen: Unseen<'a>,
    /// The identity provider that STS finds for the token's issuer: its ARN, or the host of a built-in one.
    pub provider_arn: &'a str,
    /// `sts:AssumeRoleWithWebIdentity`, unless another action is asked for.
    pub action: &'a str,
    /// The role that is asked for, where it is known.
    pub role_arn: Option<&'a str>,
    /// The session name that is asked for, where it is known.
    pub session_name: Option<&'a str>,
    /// The region of the STS endpoint, where it is known.
    pub region: Option<&'a str>,
    /// How the client's user agent begins, where it is known which client asks.
    pub user_agent: Option<&'a str>,
    /// The time of the request, where a clock is at hand.
    pub now: Option<UnixSeconds>,
}

/// What a token may have beside the claims at hand.
#[derive(Clone, Copy, Debug)]
pub enum Unseen<'a> {
    /// Nothing: the claims are the whole token's.
    Nothing,
    /// These claims, whose values a profile does not tell.
    Claims(&'a [String]),
    /// Any claim but issuer, subject and audience, which are all that a cloud's log keeps of a token.
    AllElse,
}

/// What a cloud's log leaves out.
const NOT_LOGGED: &str = "a claim of the token that the event does not hold";

/// What an untold variable is worth.
const NOT_TOLD: &str = "what the code that declares the policy does not tell";

/// The action of a web identity exchange.
pub const WEB_IDENTITY: &str = "sts:AssumeRoleWithWebIdentity";

/// How the claims that are meant for AWS start.
const AWS_CLAIMS: &str = "https://aws.amazon.com/";

const TAGS_CLAIM: &str = "https://aws.amazon.com/tags";
const FLAT_TAG_PREFIX: &str = "https://aws.amazon.com/tags/principal_tags/";
const FLAT_TRANSITIVE: &str = "https://aws.amazon.com/tags/transitive_tag_keys";
const SOURCE_IDENTITY_CLAIM: &str = "https://aws.amazon.com/source_identity";

impl<'a> TrustRequest<'a> {
    /// A request of which nothing but the token and its provider is known.
    pub const fn new(claims: &'a Map<String, Value>, provider_arn: &'a str) -> Self {
        TrustRequest {
            claims,
            unseen: Unseen::Nothing,
            provider_arn,
            action: WEB_IDENTITY,
            role_arn: None,
            session_name: None,
            region: None,
            user_agent: None,
            now: None,
        }
    }

    /// The token's issuer.
    pub fn issuer(&self) -> &'a str {
        self.claims.get("iss").and_then(Value::as_str).unwrap_or("")
    }

    /// The actions beside [`TrustRequest::action`] that the token's own claims make STS ask for.
    pub fn implied_actions(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let exchange = self.action == WEB_IDENTITY && has_aws_claims(self.claims);
        let tags = (exchange && has_tags(self.claims)).then_some("sts:TagSession");
        let identity = exchange && self.claims.get(SOURCE_IDENTITY_CLAIM).is_some_and(|claim| !claim.is_null());
        let identity = identity.then_some("sts:SetSourceIdentity");
        tags.into_iter().chain(identity)
    }
}

/// Whether the token has any claim that is meant for AWS. Most have none, and one look at all of them tells.
fn has_aws_claims(claims: &Map<String, Value>) -> bool {
    claims.keys().any(|name| name.starts_with(AWS_CLAIMS))
}

/// Who the token was issued to, where it says so: `null` says nothing.
pub(super) fn authorized_party(claims: &Map<String, Value>) -> Option<&Value> {
    claims.get("azp").filter(|party| !party.is_null())
}

/// The audience that STS looks up among the provider's client ids: the party that the token was issued to, else its one
/// audience.
pub fn audience_at_sts(claims: &Map<String, Value>) -> Option<String> {
    let audience = match (authorized_party(claims), claims.get("aud")?) {
        (Some(party), _) => party,
        (None, Value::Array(audiences)) => audiences.first().filter(|_| audiences.len() == 1)?,
        (None, single) => single,
    };
    audience.as_str().map(str::to_owned)
}

/// Whether the token carries session tags.
fn has_tags(claims: &Map<String, Value>) -> bool {
    claims.keys().any(|name| name.starts_with(TAGS_CLAIM))
}

/// The condition keys of one request.
pub struct TrustContext<'a> {
    request: TrustRequest<'a>,
    prefix: &'a str,
    /// The issuer as its URL tells it, which is all that STS goes by.
    by_url: IssuerKind,
    effort: Effort,
}

impl<'a> TrustContext<'a> {
    pub fn new(request: TrustRequest<'a>) -> Self {
        let issuer = request.issuer();
        TrustContext {
            request,
            prefix: condition_key_prefix(issuer),
            by_url: IssuerKind::of(issuer, None),
            effort: Effort::full(),
        }
    }

    /// What stands before the `:` of the issuer's keys.
    pub const fn prefix(&self) -> &'a str {
        self.prefix
    }

    /// The token's claims.
    pub const fn claims(&self) -> &'a Map<String, Value> {
        self.request.claims
    }

    /// The issuer as its URL tells it, or else the shape of the token's subject.
    pub fn kind(&self) -> IssuerKind {
        IssuerKind::of(self.request.issuer(), self.request.claims.get("sub").and_then(Value::as_str))
    }

    /// The claim as a key of its own, for the claims that STS turns into keys.
    fn claim(&self, name: &str) -> Actual<'a> {
        let claims = self.request.claims;
        let Some(claim) = canonical(name, self.by_url) else { return Actual::Missing };
        match claim {
            // The authorized party replaces the audience altogether.
            "aud" => values_of(authorized_party(claims).or_else(|| claims.get("aud"))),
            // A log has what the key `aud` had, which need not be the claim.
            "oaud" => self.unless_unseen(values_of(claims.get("aud"))),
            claim => match (claims.get(claim).or_else(|| nested(claims, claim)), self.request.unseen) {
                (None, Unseen::Claims(unknown)) if unknown.iter().any(|unknown| unknown == claim) => {
                    Actual::Unknown("the claim's value, which the profile does not tell")
                }
                (None, Unseen::AllElse) => Actual::Unknown(NOT_LOGGED),
                (value, _) => values_of(value),
            },
        }
    }

    /// What follows from the whole token, where the whole token is at hand.
    fn unless_unseen<'v>(&self, known: Actual<'v>) -> Actual<'v> {
        match self.request.unseen {
            Unseen::AllElse => Actual::Unknown(NOT_LOGGED),
            Unseen::Nothing | Unseen::Claims(_) => known,
        }
    }

    fn sts_key(&self, name: &str) -> Actual<'a> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("RoleSessionName") {
            self.request.session_name.map_or(Actual::Unknown("the session name that the caller asks for"), one)
        } else if is("RoleAuthorizedByIdp") {
            // A list that leaves the role out is refused before anybody reads a condition.
            let is_absent = RolesClaim::of(self.request.claims) == RolesClaim::Absent;
            self.unless_unseen(one(if is_absent { "false" } else { "true" }))
        } else if is("SourceIdentity") {
            self.unless_unseen(values_of(self.request.claims.get(SOURCE_IDENTITY_CLAIM)))
        } else if is("TransitiveTagKeys") {
            let nested = self.request.claims.get(TAGS_CLAIM).and_then(|tags| tags.get("transitive_tag_keys"));
            self.unless_unseen(values_of(nested.or_else(|| self.request.claims.get(FLAT_TRANSITIVE))))
        } else if is("ExternalId") || is("AWSServiceName") {
            Actual::Missing
        } else {
            Actual::Unknown("how STS fills this key for a web identity")
        }
    }

    fn global_key(&self, name: &str) -> Actual<'a> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if let Some((group, tag)) = name.split_once('/') {
            return if group.eq_ignore_ascii_case("RequestTag") {
                self.unless_unseen(self.tag(tag))
            } else if group.eq_ignore_ascii_case("OriginIdentity") || group.eq_ignore_ascii_case("TransactionContext") {
                Actual::Unknown("what the provider's context provider maps out of the token (since November 2026)")
            } else {
                Actual::Unknown("tags of the principal or the role")
            };
        }
        if is("TagKeys") {
            self.unless_unseen(many(self.tag_keys()))
        } else if is("CurrentTime") {
            let text = self.request.now.and_then(rfc3339);
            text.map_or(Actual::Unknown("the time of the call"), |text| Actual::One(Cow::Owned(text)))
        } else if is("EpochTime") {
            let text = self.request.now.map(|now| now.to_string());
            text.map_or(Actual::Unknown("the time of the call"), |text| Actual::One(Cow::Owned(text)))
        } else if is("RequestedRegion") {
            self.request.region.map_or(Actual::Unknown("the region of the STS endpoint"), one)
        } else if is("SecureTransport") {
            // STS takes the call over TLS only.
            one("true")
        } else if is("SourceIp") || is("VpcSourceIp") || is("SourceVpc") || is("SourceVpce") {
            Actual::Unknown("the network the call comes from")
        } else if is("PrincipalAccount") {
            self.provider().filter(|arn| arn.account != NO_ACCOUNT).map_or(CALLER, |arn| one(arn.account))
        } else if is("PrincipalType") {
            self.provider().map_or(CALLER, |_| one("User"))
        } else if is("userid") {
            self.provider().filter(|arn| arn.account != NO_ACCOUNT).map_or(CALLER, |_| one(self.request.provider_arn))
        } else if NEVER_WITH_WEB_IDENTITY.iter().any(|known| is(known)) {
            Actual::Missing
        } else if is("UserAgent") {
            self.request.user_agent.map_or(Actual::Unknown("the client that makes the call"), one)
        } else if is("Referer") {
            Actual::Unknown("the client that makes the call")
        } else {
            Actual::Unknown("the account and organization that the call is made in")
        }
    }

    /// The provider, unless it is a built-in one: STS takes it for the caller.
    fn provider(&self) -> Option<ProviderArn<'a>> {
        ProviderArn::parse(self.request.provider_arn)
    }

    fn tag(&self, name: &str) -> Actual<'a> {
        let nested = self.request.claims.get(TAGS_CLAIM).and_then(|tags| tags.get("principal_tags"));
        let nested = nested
            .and_then(Value::as_object)
            .and_then(|tags| tags.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value));
        let flat = || {
            self.request.claims.iter().find_map(|(claim, value)| {
                claim.strip_prefix(FLAT_TAG_PREFIX).filter(|key| key.eq_ignore_ascii_case(name)).map(|_| value)
            })
        };
        values_of(nested.or_else(flat))
    }

    fn tag_keys(&self) -> Vec<Cow<'a, str>> {
        let nested = self.request.claims.get(TAGS_CLAIM).and_then(|tags| tags.get("principal_tags"));
        let nested = nested.and_then(Value::as_object).into_iter().flat_map(Map::keys).map(String::as_str);
        let flat = self.request.claims.keys().filter_map(|claim| claim.strip_prefix(FLAT_TAG_PREFIX));
        nested.chain(flat).map(Cow::Borrowed).collect()
    }
}

const CALLER: Actual<'_> = Actual::Unknown("what STS takes the caller for");

/// Global keys about a signed caller: the call of a web identity is not signed.
pub const NEVER_WITH_WEB_IDENTITY: [&str; 5] =
    ["username", "PrincipalArn", "MultiFactorAuthPresent", "MultiFactorAuthAge", "TokenIssueTime"];

impl Context for TrustContext<'_> {
    fn lookup(&self, key: &str) -> Actual<'_> {
        if let Some(name) = claim_name(key, self.prefix) {
            return self.claim(name);
        }
        if is_open(key) {
            return Actual::Unknown(NOT_TOLD);
        }
        match key.split_once(':') {
            Some(("unknown", _)) => Actual::Unknown(NOT_TOLD),
            Some((service, name)) if service.eq_ignore_ascii_case("sts") => self.sts_key(name),
            Some((service, name)) if service.eq_ignore_ascii_case("aws") => self.global_key(name),
            _ => Actual::Missing,
        }
    }

    fn effort(&self) -> &Effort {
        &self.effort
    }
}

/// The claim that a key names, in the issuer's own letter case; `None` where STS makes no key of it.
fn canonical(name: &str, kind: IssuerKind) -> Option<&'static str> {
    let known = || DEFAULT_KEYS.iter().chain(kind.extra_keys());
    // Nearly every policy writes the name as it is.
    known().find(|claim| **claim == name).or_else(|| known().find(|claim| claim.eq_ignore_ascii_case(name))).copied()
}

/// A claim inside another, as Google's keys name it: `google/organization_number`.
fn nested<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let (outer, inner) = path.split_once('/')?;
    claims.get(outer)?.get(inner)
}

/// The part of `key` after an issuer's prefix and the colon.
pub fn claim_name<'k>(key: &'k str, prefix: &str) -> Option<&'k str> {
    let (head, rest) = key.split_at_checked(prefix.len())?;
    (!prefix.is_empty() && (head == prefix || head.eq_ignore_ascii_case(prefix))).then(|| rest.strip_prefix(':'))?
}

const fn one(text: &str) -> Actual<'_> {
    Actual::One(Cow::Borrowed(text))
}

/// The values of a key; none at all is the same as no key.
fn many(mut values: Vec<Cow<'_, str>>) -> Actual<'_> {
    match values.len() {
        0 => Actual::Missing,
        1 => values.pop().map_or(Actual::Missing, Actual::One),
        _ => Actual::Many(values),
    }
}

/// A claim's value as condition values: numbers and truth values as text, a list as several.
pub fn values_of(claim: Option<&Value>) -> Actual<'_> {
    match claim {
        None => Actual::Missing,
        Some(Value::Array(list)) => many(list.iter().filter_map(scalar).collect()),
        Some(value) => scalar(value).map_or(Actual::Missing, Actual::One),
    }
}

fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(true) => Some(Cow::Borrowed("true")),
        Value::Bool(false) => Some(Cow::Borrowed("false")),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
