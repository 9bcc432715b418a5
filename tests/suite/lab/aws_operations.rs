//! What a guide's AWS commands do, done in the lab: a blank account becomes one in which the exchange and the read work.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::client::{Credentials, Signing, Site, StsAnswer, leaves};

const SECRET: &str = "crewai-new";

impl Site {
    /// Calls IAM as `who`.
    pub async fn iam(&self, who: &Credentials, form: &[(&str, &str)]) -> StsAnswer {
        let mut parameters = vec![("Version", "2010-05-08")];
        parameters.extend(form);
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let headers = [("content-type", "application/x-www-form-urlencoded".to_owned())];
        let signing = Signing { service: "iam", region: "us-east-1", time: SystemTime::now() };
        let (status, text) = self.signed(&self.lab.endpoints.iam, who, &signing, &headers, &body).await;
        StsAnswer { status, fields: leaves(&text) }
    }

    pub fn trust_policy(&self) -> String {
        self.trust_policy_for(&format!("organization:{}", self.lab.profile.organization))
    }

    /// The same for another subject.
    pub fn trust_policy_for(&self, subject: &str) -> String {
        let host = self.lab.endpoints.issuer.strip_prefix("https://").unwrap();
        json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": { "Federated": format!("arn:aws:iam::123456789012:oidc-provider/{host}") },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": { "StringEquals": {
                format!("{host}:aud"): "sts.amazonaws.com",
                format!("{host}:sub"): subject,
            } },
        }] })
        .to_string()
    }

    fn provider_arn(&self) -> String {
        let host = self.lab.endpoints.issuer.strip_prefix("https://").unwrap();
        format!("arn:aws:iam::123456789012:oidc-provider/{host}")
    }

    fn exchange_verdict(&self, answer: &StsAnswer) -> String {
        answer.verdict().1.split(": ").next().unwrap().to_owned()
    }
}

pub fn operator() -> Credentials {
    Credentials {
        key_id: "AKIALABOPERATOR00000".into(),
        secret: "lab/only/secret/access/key/of/operator00".into(),
        token: String::new(),
    }
}

pub fn permissions() -> String {
    json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "secretsmanager:ListSecrets", "Resource": "*" },
        { "Effect": "Allow", "Action": "secretsmanager:GetSecretValue",
          "Resource": "arn:aws:secretsmanager:us-east-1:123456789012:secret:crewai-*" },
    ] })
    .to_string()
}

#[tokio::test]
async fn a_blank_account_is_set_up_by_its_operations() {
    let site = Site::scenario("blank");
    let who = operator();
    let (issuer, trust, permissions) = (site.lab.endpoints.issuer.clone(), site.trust_policy(), permissions());
    let mut seen = Vec::new();
    let token = site.workload_token();
    seen.push(site.exchange_verdict(&site.exchange(&token, &[]).await));
    let provider = [("Action", "CreateOpenIDConnectProvider"), ("Url", &issuer), ("ClientIDList.member.1", "other")];
    let made = site.iam(&who, &provider).await;
    assert_eq!(made.field("OpenIDConnectProviderArn"), site.provider_arn(), "{made:?}");
    seen.push(site.exchange_verdict(&site.exchange(&token, &[]).await));
    let arn = site.provider_arn();
    let of_provider = ("OpenIDConnectProviderArn", arn.as_str());
    let add = [("Action", "AddClientIDToOpenIDConnectProvider"), of_provider, ("ClientID", "sts.amazonaws.com")];
    assert_eq!(site.iam(&who, &add).await.status, 200);
    seen.push(site.exchange_verdict(&site.exchange(&token, &[]).await));
    let role = ("RoleName", "crewai-secrets-reader");
    let made = site.iam(&who, &[("Action", "CreateRole"), role, ("AssumeRolePolicyDocument", &trust)]).await;
    assert_eq!(made.field("Arn"), "arn:aws:iam::123456789012:role/crewai-secrets-reader", "{made:?}");
    seen.push(site.exchange_verdict(&site.exchange(&token, &[]).await));
    assert_eq!(seen, ["InvalidIdentityToken", "InvalidIdentityToken", "AccessDenied", "ok"]);

    let session = site.session(&[]).await;
    let (_, denied) = site.secrets(&session, "ListSecrets", json!({})).await;
    assert_eq!(denied["__type"], "AccessDeniedException");
    let policy = ("PolicyName", "SecretsManagerRead");
    let put = [("Action", "PutRolePolicy"), role, policy, ("PolicyDocument", permissions.as_str())];
    assert_eq!(site.iam(&who, &put).await.status, 200);
    // The session is the same; its role may more.
    let (status, _) = site.secrets(&session, "ListSecrets", json!({})).await;
    assert_eq!(status, 200);
    let secret =
        json!({ "Name": SECRET, "SecretString": "x", "ClientRequestToken": "0123456789abcdef0123456789abcdef" });
    assert_eq!(site.secrets(&who, "CreateSecret", secret).await.0, 200);
    let (_, read) = site.secrets(&session, "GetSecretValue", json!({ "SecretId": SECRET })).await;
    assert_eq!(read["SecretString"], "x", "{read}");

    let inline = site.iam(&who, &[("Action", "GetRolePolicy"), role, policy]).await;
    let document = percent_decoded(inline.field("PolicyDocument"));
    assert_eq!(serde_json::from_str::<Value>(&document).unwrap(), serde_json::from_str::<Value>(&permissions).unwrap());
    let known = site.iam(&who, &[("Action", "GetOpenIDConnectProvider"), of_provider]).await;
    assert_eq!(format!("https://{}", known.field("Url")), issuer, "{known:?}");
    let update =
        [("Action", "UpdateAssumeRolePolicy"), role, ("PolicyDocument", &trust.replace("organization:", "tenant:"))];
    assert_eq!(site.iam(&who, &update).await.status, 200);
    assert_eq!(site.exchange(&token, &[]).await.field("Code"), "AccessDenied");
}

#[tokio::test]
async fn a_user_gets_a_key_and_a_managed_policy() {
    let site = Site::scenario("blank");
    let who = operator();
    let user = ("UserName", "crewai-secrets-reader");
    assert_eq!(site.iam(&who, &[("Action", "CreateUser"), user]).await.status, 200);
    let key = Credentials::of(&site.iam(&who, &[("Action", "CreateAccessKey"), user]).await);
    assert!(key.key_id.starts_with("AKIA") && key.token.is_empty());
    let (_, denied) = site.secrets(&key, "ListSecrets", json!({})).await;
    assert_eq!(denied["__type"], "AccessDeniedException");
    let create = [("Action", "CreatePolicy"), ("PolicyName", "Read"), ("PolicyDocument", &permissions())];
    let made = site.iam(&who, &create).await;
    let arn = made.field("Arn");
    assert_eq!(arn, "arn:aws:iam::123456789012:policy/Read", "{made:?}");
    assert_eq!(site.iam(&who, &[("Action", "AttachUserPolicy"), user, ("PolicyArn", arn)]).await.status, 200);
    assert_eq!(site.secrets(&key, "ListSecrets", json!({})).await.0, 200);
    assert_eq!(site.iam(&who, &[("Action", "CreateAccessKey"), user]).await.status, 200);
    let third = site.iam(&who, &[("Action", "CreateAccessKey"), user]).await;
    assert_eq!(third.verdict(), (409, "LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 2".to_owned()));
}

/// A form, and the status and words that it is refused with.
type Case<'a> = (&'a [(&'a str, &'a str)], u16, &'a str);

#[tokio::test]
async fn refusals_are_worded_as_iam_words_them() {
    let site = Site::scenario("healthy");
    let who = operator();
    let (issuer, trust) = (site.lab.endpoints.issuer.clone(), site.trust_policy());
    let role = ("RoleName", "crewai-secrets-reader");
    let nobody = ("RoleName", "nobody");
    let policy = ("PolicyDocument", "{");
    let cases: &[Case<'_>] = &[
        (
            &[("Action", "CreateOpenIDConnectProvider"), ("Url", &issuer)],
            409,
            &format!("EntityAlreadyExists: Provider with url {issuer} already exists."),
        ),
        (
            &[("Action", "CreateOpenIDConnectProvider"), ("Url", "http://app.example.com")],
            400,
            "ValidationError: Invalid Open ID Connect Provider URL",
        ),
        (
            &[("Action", "CreateOpenIDConnectProvider"), ("Url", "https://127.0.0.1:1")],
            400,
            "OpenIdIdpCommunicationError: The request failed because IAM cannot connect to the OpenID Connect identity provider URL.",
        ),
        (
            &[
                ("Action", "GetOpenIDConnectProvider"),
                ("OpenIDConnectProviderArn", "arn:aws:iam::123456789012:oidc-provider/x"),
            ],
            404,
            "NoSuchEntity: OpenIDConnect Provider not found for arn arn:aws:iam::123456789012:oidc-provider/x",
        ),
        (
            &[("Action", "CreateRole"), role, ("AssumeRolePolicyDocument", &trust)],
            409,
            "EntityAlreadyExists: Role with name crewai-secrets-reader already exists.",
        ),
        (
            &[("Action", "CreateRole"), nobody, ("AssumeRolePolicyDocument", "{")],
            400,
            "MalformedPolicyDocument: This policy contains invalid Json",
        ),
        (&[("Action", "GetRole"), nobody], 404, "NoSuchEntity: The role with name nobody cannot be found."),
        (
            &[("Action", "PutRolePolicy"), role, ("PolicyName", "p"), policy],
            400,
            "MalformedPolicyDocument: Syntax errors in policy.",
        ),
        (
            &[("Action", "AttachRolePolicy"), role, ("PolicyArn", "arn:aws:iam::123456789012:policy/x")],
            404,
            "NoSuchEntity: Policy arn:aws:iam::123456789012:policy/x does not exist or is not attachable.",
        ),
        (
            &[("Action", "DanceAround")],
            400,
            "InvalidAction: Could not find operation DanceAround for version 2010-05-08",
        ),
    ];
    for (form, status, message) in cases {
        assert_eq!(site.iam(&who, form).await.verdict(), (*status, (*message).to_owned()), "{form:?}");
    }
    let denied = site.iam(&Credentials::admin(), &[("Action", "GetRole"), role]).await;
    let message = "AccessDenied: User: arn:aws:iam::123456789012:user/secrets-admin is not authorized to perform: \
                   iam:GetRole on resource: arn:aws:iam::123456789012:role/crewai-secrets-reader because no \
                   identity-based policy allows the iam:GetRole action";
    assert_eq!(denied.verdict(), (403, message.to_owned()));
    let wrong = Credentials { secret: "x".repeat(40), ..who };
    assert_eq!(site.iam(&wrong, &[("Action", "GetRole"), role]).await.field("Code"), "SignatureDoesNotMatch");
}

fn percent_decoded(text: &str) -> String {
    url::form_urlencoded::parse(format!("v={text}").as_bytes()).next().unwrap().1.into_owned()
}
