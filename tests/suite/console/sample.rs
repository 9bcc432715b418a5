//! A run to look at: AWS workload identity whose trust policy expects another subject, with everything that shows.

use serde_json::{Map, Value, json};
use trustline::cause::{Cause, Certainty, Finding};
use trustline::check::{CheckId, Link, Outcome};
use trustline::domain::profile::Guide;
use trustline::domain::profile::key::Key;
use trustline::domain::profile::setting::{Origin, Setting, Value as SettingValue};
use trustline::run::event::{EventKind, FinishedCheck, PlannedCheck, RunEvent, RunVerdict};
use trustline::tui::inputs::{GuideFile, Inputs, Keeps, ProfileEntry, ScenarioEntry};

/// 2026-03-01T12:00:00Z in milliseconds.
pub const NOW_MS: i64 = 1_772_366_400_000;

const EXPECTED: &str = "organization:7f3e81c4-5a0d-4b1e-8c55-9d20c1a09a1b";
const ACTUAL: &str = "organization:7f3e81c4-5a0d-4b1e-8c55-9d20c1a09a1c";

pub fn inputs() -> Inputs {
    let scenario = |name: &str, title: &str, guide: &str, expects: Option<&str>, teaches: &str| ScenarioEntry {
        name: name.into(),
        title: title.into(),
        guide: guide.into(),
        expects: expects.map(str::to_owned),
        link: expects.map(|cause| match cause {
            "jwks-kid-missing" => Link::Keys,
            "token-expired" => Link::Token,
            "secret-arn-suffix" => Link::Secret,
            _ => Link::Trust,
        }),
        teaches: teaches.into(),
    };
    let aws = "aws-workload-identity";
    Inputs {
        scenarios: Some(vec![
            scenario(
                "sub-mismatch",
                "The trust policy expects another subject",
                aws,
                Some("sub-mismatch"),
                "The subject in the token and the one in the trust policy differ in one character.",
            ),
            scenario(
                "aud-not-registered",
                "The audience is not registered at the provider",
                aws,
                Some("aud-not-registered"),
                "STS looks at the provider's client ids before it looks at the trust policy.",
            ),
            scenario(
                "jwks-kid-missing",
                "The issuer rotated its key",
                aws,
                Some("jwks-kid-missing"),
                "The token names a key that the issuer no longer publishes.",
            ),
            scenario(
                "token-expired",
                "The token has expired",
                aws,
                Some("token-expired"),
                "A token is good for minutes; a file that keeps it gets old.",
            ),
            scenario(
                "secret-arn-suffix",
                "The permission misses the secret's suffix",
                aws,
                Some("secret-arn-suffix"),
                "Secrets Manager appends six characters to every ARN.",
            ),
            scenario(
                "fic-missing",
                "The app has no federated credential",
                "azure-workload-identity",
                Some("fic-missing"),
                "Entra accepts a foreign token only where a credential names its issuer and subject.",
            ),
            scenario("healthy", "Nothing is broken", aws, None, "What it looks like when the whole chain holds."),
        ]),
        profiles: vec![
            ProfileEntry {
                name: "prod-aws".into(),
                summary: Ok(aws.into()),
                path: "/home/ada/.config/trustline/profiles/prod-aws.toml".into(),
            },
            ProfileEntry {
                name: "old".into(),
                summary: Err("old.toml:3: aws.region: `us-esat-1` is no region".into()),
                path: "/home/ada/.config/trustline/profiles/old.toml".into(),
            },
        ],
        offers: vec![(
            Guide::AwsWorkloadIdentity,
            vec![Setting {
                key: Key::Region,
                value: SettingValue::Text("us-east-1".into()),
                origin: Origin::Variable("AWS_REGION".into()),
            }],
        )],
        utc_offset_s: Some(3600),
    }
}

pub fn claims() -> Value {
    json!({
        "iss": "https://app.example.com",
        "sub": ACTUAL,
        "aud": "sts.amazonaws.com",
        "exp": NOW_MS / 1000 + 2467,
        "iat": NOW_MS / 1000 - 1133,
        "nbf": NOW_MS / 1000 - 1133,
        "jti": "5e0a6a5c\u{1b}[2J\u{202e}\u{200b}",
        "organization_id": "7f3e81c4-5a0d-4b1e-8c55-9d20c1a09a1c",
    })
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn hops(start: f64) -> Value {
    json!([
        {"name": "resolve", "start_ms": 0.0, "duration_ms": 4.2},
        {"name": "connect", "start_ms": 4.2, "duration_ms": 11.3},
        {"name": "tls", "start_ms": 15.5, "duration_ms": 14.8 + start},
        {"name": "request", "start_ms": 30.3 + start, "duration_ms": 7.9},
        {"name": "body", "start_ms": 38.2 + start, "duration_ms": 0.3},
    ])
}

fn sub_mismatch() -> Finding {
    let mut finding = Finding::new(Cause::SubMismatch, CheckId::TrustPolicy, Certainty::Proven, "The role's trust policy does not accept this subject")
        .with_difference(EXPECTED, ACTUAL)
        .with_evidence(format!("Statement[0] requires app.example.com:sub = {EXPECTED}"))
        .with_evidence("the token's sub comes from https://app.example.com, whose signature is verified")
        .with_command(
            "Name the token's subject in the trust policy of the role",
            "aws iam update-assume-role-policy --role-name crewai-secrets-reader --policy-document file://trust-policy.json",
        );
    finding.fixes[0].verify = Some("trustline check --profile prod-aws --wait 60".into());
    finding.fixes[0].undo = Some(
        "aws iam update-assume-role-policy --role-name crewai-secrets-reader --policy-document file://before.json"
            .into(),
    );
    finding.guide = Some("aws-workload-identity".into());
    finding.step = Some(3);
    finding.docs = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html".into();
    finding
}

fn denied() -> Finding {
    let mut finding = Finding::new(
        Cause::SubMismatch,
        CheckId::AwsAssumeRoleWithWebIdentity,
        Certainty::Likely,
        "STS denies the role: a condition of its trust policy is not met",
    )
    .with_evidence("AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity");
    finding.guide = Some("aws-workload-identity".into());
    finding.step = Some(3);
    finding.docs = "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html".into();
    finding
}

fn expires_soon() -> Finding {
    Finding::new(Cause::TokenExpired, CheckId::TokenTime, Certainty::Possible, "The token expires within the hour")
        .with_fix("Fetch a new one before the exchange")
}

struct Script {
    events: Vec<RunEvent>,
    at_ms: u64,
}

impl Script {
    fn push(&mut self, kind: EventKind) {
        let seq = self.events.len() as u64;
        self.events.push(RunEvent { seq, at_ms: self.at_ms, kind });
    }

    fn check(
        &mut self,
        id: CheckId,
        outcome: Outcome,
        duration_ms: u64,
        facts: Value,
        findings: Vec<Finding>,
        reason: Option<&str>,
    ) {
        self.push(EventKind::Started { check: id });
        let started_ms = self.at_ms;
        self.at_ms += duration_ms;
        self.push(EventKind::Finished(Box::new(FinishedCheck {
            id,
            title: id.title().into(),
            outcome,
            reason: reason.map(str::to_owned),
            started_ms,
            duration_ms,
            facts: map(facts),
            docs: format!("docs/checks.md#{id}"),
            findings,
            blocked_by: None,
        })));
    }

    fn blocked(&mut self, id: CheckId, by: CheckId) {
        let finished = FinishedCheck {
            id,
            title: id.title().into(),
            outcome: Outcome::Skipped,
            reason: Some(format!("blocked: {} did not pass", by.id())),
            started_ms: self.at_ms,
            duration_ms: 0,
            facts: Map::new(),
            docs: String::new(),
            findings: Vec::new(),
            blocked_by: Some(by),
        };
        self.push(EventKind::Finished(Box::new(finished)));
    }
}

const PLAN: &[CheckId] = &[
    CheckId::IssuerReachable,
    CheckId::IssuerTls,
    CheckId::IssuerDiscovery,
    CheckId::IssuerJwks,
    CheckId::TokenPresent,
    CheckId::TokenShape,
    CheckId::TokenTime,
    CheckId::TokenSignature,
    CheckId::TokenClaims,
    CheckId::TrustPolicy,
    CheckId::AwsAssumeRoleWithWebIdentity,
    CheckId::AwsListSecrets,
    CheckId::AwsGetSecret,
    CheckId::DeploymentReachable,
];

fn opening() -> Script {
    let mut script = Script { events: Vec::new(), at_ms: 0 };
    let checks = PLAN.iter().map(|id| PlannedCheck { id: *id, title: id.title().into() }).collect();
    script.push(EventKind::Planned {
        profile: "prod-aws".into(),
        guide: "aws-workload-identity".into(),
        started: "2026-03-01T12:00:00Z".into(),
        checks,
    });
    let issuer = "https://app.example.com/.well-known/openid-configuration";
    script.check(
        CheckId::IssuerReachable,
        Outcome::Pass,
        38,
        json!({"url": issuer, "status": 200, "hops": hops(0.0), "address": "203.0.113.7"}),
        vec![],
        None,
    );
    script.check(
        CheckId::IssuerTls,
        Outcome::Pass,
        2,
        json!({"server_name": "app.example.com", "version": "TLS 1.3", "accepted": true}),
        vec![],
        None,
    );
    script.check(
        CheckId::IssuerDiscovery,
        Outcome::Pass,
        12,
        json!({"issuer": "https://app.example.com", "jwks_uri": "https://app.example.com/oauth2/jwks"}),
        vec![],
        None,
    );
    script.check(
        CheckId::IssuerJwks,
        Outcome::Pass,
        11,
        json!({"url": "https://app.example.com/oauth2/jwks", "keys": 2, "hops": hops(3.0)}),
        vec![],
        None,
    );
    let header = json!({"alg": "RS256", "kid": "2026-02", "typ": "JWT"});
    let token = json!({"parts": 3, "header": header, "claims": claims(), "signature": {"state": "present", "bytes": 256}, "kind": serde_json::to_value(trustline::domain::token::TokenKind::default()).unwrap(), "problems": []});
    script.check(
        CheckId::TokenPresent,
        Outcome::Pass,
        1,
        json!({"source": "file token.jwt", "cleaned": [], "length": 842, "token": token}),
        vec![],
        None,
    );
    script.check(CheckId::TokenShape, Outcome::Pass, 0, json!({"parts": 3}), vec![], None);
    script.check(
        CheckId::TokenTime,
        Outcome::Warn,
        0,
        json!({"expires_in_s": 2467}),
        vec![expires_soon()],
        Some("expires in 41 min"),
    );
    script.check(CheckId::TokenSignature, Outcome::Pass, 1, json!({"state": "verified", "sentence": "key `2026-02` (RSA) made it", "keys_from": "https://app.example.com/oauth2/jwks"}), vec![], None);
    script.check(CheckId::TokenClaims, Outcome::Pass, 0, json!({}), vec![], None);
    script
}

/// The run as it ends: the trust policy is the root cause.
pub fn failing() -> Vec<RunEvent> {
    let mut script = opening();
    script.check(
        CheckId::TrustPolicy,
        Outcome::Fail,
        1,
        json!({"decision": "deny", "statements": 1}),
        vec![sub_mismatch()],
        Some("no statement allows this token"),
    );
    script.check(
        CheckId::AwsAssumeRoleWithWebIdentity,
        Outcome::Fail,
        91,
        json!({"url": "https://sts.us-east-1.amazonaws.com/", "region": "us-east-1", "answer": "refused", "code": "AccessDenied", "hops": hops(40.0), "attempts": 1}),
        vec![denied()],
        Some("AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"),
    );
    script.blocked(CheckId::AwsListSecrets, CheckId::AwsAssumeRoleWithWebIdentity);
    script.blocked(CheckId::AwsGetSecret, CheckId::AwsAssumeRoleWithWebIdentity);
    script.check(
        CheckId::DeploymentReachable,
        Outcome::Skipped,
        0,
        json!({}),
        vec![],
        Some("the profile names no deployment"),
    );
    let duration_ms = script.at_ms;
    script.push(EventKind::Done {
        verdict: RunVerdict::Fail,
        duration_ms,
        findings: vec![sub_mismatch(), denied(), expires_soon()],
        undecided: None,
        cut_short: None,
    });
    script.events
}

/// The same run where nothing is wrong.
pub fn passing() -> Vec<RunEvent> {
    let mut script = opening();
    script.check(CheckId::TrustPolicy, Outcome::Pass, 1, json!({"decision": "allow"}), vec![], None);
    script.check(
        CheckId::AwsAssumeRoleWithWebIdentity,
        Outcome::Pass,
        240,
        json!({"region": "us-east-1", "answer": "granted"}),
        vec![],
        None,
    );
    script.check(CheckId::AwsListSecrets, Outcome::Pass, 35, json!({}), vec![], None);
    script.check(CheckId::AwsGetSecret, Outcome::Pass, 31, json!({}), vec![], None);
    script.check(
        CheckId::DeploymentReachable,
        Outcome::Skipped,
        0,
        json!({}),
        vec![],
        Some("the profile names no deployment"),
    );
    let duration_ms = script.at_ms;
    script.push(EventKind::Done {
        verdict: RunVerdict::Pass,
        duration_ms,
        findings: vec![expires_soon()],
        undecided: None,
        cut_short: None,
    });
    script.events
}

/// The failing run, stopped while STS is asked.
pub fn running() -> Vec<RunEvent> {
    let mut events = failing();
    let at = events
        .iter()
        .position(|e| matches!(&e.kind, EventKind::Started { check: CheckId::AwsAssumeRoleWithWebIdentity }));
    events.truncate(at.unwrap() + 1);
    let (seq, at_ms) = (events.len() as u64, 91);
    events.push(RunEvent {
        seq,
        at_ms,
        kind: EventKind::Retrying {
            check: CheckId::AwsAssumeRoleWithWebIdentity,
            attempt: 1,
            delay_ms: 500,
            reason: "AccessDenied may still be propagating".into(),
        },
    });
    events
}

/// The profile of [`failing`] as it is kept, with these values.
pub fn guide_file(values: &[(&str, &str)]) -> GuideFile {
    let setting = |(key, text): &(&str, &str)| Setting {
        key: Key::parse(key).expect("a key"),
        value: SettingValue::Text((*text).to_owned()),
        origin: Origin::File { path: "prod-aws.toml".into(), line: 1 },
    };
    GuideFile {
        guide: Guide::AwsWorkloadIdentity,
        settings: values.iter().map(setting).collect(),
        confirmations: vec![],
        shown: vec![],
        drafts: Default::default(),
        keeps: Keeps::File,
        problem: None,
    }
}

pub const VALUES: &[(&str, &str)] = &[
    ("issuer.url", "https://app.example.com"),
    ("platform.organization", "7f3e81c4-5a0d-4b1e-8c55-9d20c1a09a1b"),
    ("token.file", "/home/ada/token.jwt"),
    ("aws.role-arn", "arn:aws:iam::123456789012:role/crewai-secrets-reader"),
    ("aws.region", "us-east-1"),
    ("secret.name", "crewai-test-keyword"),
];

/// An answer of `aws iam get-role`, with a field that no guide asks for.
pub const TRUST_POLICY: &str = r#"{"Role": {"Arn": "arn:aws:iam::123456789012:role/other-reader", "AssumeRolePolicyDocument": {
  "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
  "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/app.example.com"},
  "Condition": {"StringEquals": {"app.example.com:aud": "sts.amazonaws.com",
    "app.example.com:sub": "organization:7f3e81c4-5a0d-4b1e-8c55-9d20c1a09a1b"}}}]},
  "PermissionsBoundary": {"PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/boundary"}}}"#;
