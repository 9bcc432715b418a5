//! The policy of a VPC endpoint of STS, and what it says to an exchange on its way through
//! (<https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html>).
//!
//! An exchange is not signed, so a statement is about it only where everybody is meant.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::access::{AccessEvaluation, AccessRequest, OtherKeys, evaluate_access};
use super::context::WEB_IDENTITY;
use super::policy::{Policy, PolicyError, PrincipalElement, Statement};

/// An endpoint with its policy.
#[derive(Clone, Debug, PartialEq)]
pub struct StsEndpoint {
    /// `vpce-…`, where that is known.
    pub id: Option<String>,
    /// The network that it belongs to.
    pub vpc: Option<String>,
    /// The region whose STS it leads to.
    pub region: Option<String>,
    pub policy: Policy,
}

/// As `aws ec2 describe-vpc-endpoints` tells of one.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    vpc_endpoint_id: Option<String>,
    vpc_id: Option<String>,
    service_name: Option<String>,
    policy_document: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    vpc_endpoints: Vec<Described>,
}

impl StsEndpoint {
    /// The endpoint of STS in the answer of `aws ec2 describe-vpc-endpoints`, or the policy alone; none where the answer has
    /// no endpoint of STS.
    ///
    /// # Errors
    /// The policy is none.
    pub fn read(text: &str) -> Result<Option<StsEndpoint>, PolicyError> {
        let Ok(answer) = serde_json::from_str::<Answer>(text) else {
            let policy = Policy::parse(text)?;
            return Ok(Some(StsEndpoint { id: None, vpc: None, region: None, policy }));
        };
        let region_of = |one: &Described| {
            let name = one.service_name.as_deref()?.strip_suffix(".sts")?;
            name.rsplit('.').next().map(str::to_owned)
        };
        let found = answer.vpc_endpoints.into_iter().find_map(|one| Some((region_of(&one)?, one)));
        let read = |(region, one): (String, Described)| {
            let policy = Policy::parse(&one.policy_document)?;
            Ok(StsEndpoint { id: one.vpc_endpoint_id, vpc: one.vpc_id, region: Some(region), policy })
        };
        found.map(read).transpose()
    }

    /// What the policy says to an exchange for this role, by a client whose user agent begins so.
    pub fn evaluate(&self, role: &str, user_agent: Option<&str>) -> AccessEvaluation {
        let known = [
            ("aws:sourcevpce", self.id.as_deref()),
            ("aws:sourcevpc", self.vpc.as_deref()),
            ("aws:requestedregion", self.region.as_deref()),
            ("aws:useragent", user_agent),
        ];
        let known = known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())));
        let context: BTreeMap<String, String> = known.collect();
        let statements = self.policy.statements.iter().filter(|statement| is_about_everybody(statement)).cloned();
        let policy = Policy { statements: statements.collect(), ..self.policy.clone() };
        let request =
            AccessRequest { action: WEB_IDENTITY, resource: role, context: &context, others: OtherKeys::Unknown };
        evaluate_access(&[policy], &request)
    }

    /// Whether a statement would allow the exchange if it did not name who may.
    pub fn names_callers(&self) -> bool {
        self.policy.statements.iter().any(|statement| !is_about_everybody(statement))
    }

    /// What a person calls it.
    pub fn name(&self) -> String {
        self.id.as_ref().map_or_else(|| "the VPC endpoint".to_owned(), |id| format!("the VPC endpoint {id}"))
    }
}

fn is_about_everybody(statement: &Statement) -> bool {
    let about = |principal: &PrincipalElement| principal.everybody != principal.negated;
    statement.principal.as_ref().is_none_or(about)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Decision;
    use super::*;

    const ROLE: &str = "arn:aws:iam::123456789012:role/reader";

    fn endpoint(statements: &Value) -> StsEndpoint {
        let document = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        let answer = json!({ "VpcEndpoints": [
            { "VpcEndpointId": "vpce-1", "VpcId": "vpc-1", "ServiceName": "com.amazonaws.eu-west-1.s3",
              "PolicyDocument": "{}" },
            { "VpcEndpointId": "vpce-2", "VpcId": "vpc-1", "ServiceName": "com.amazonaws.eu-west-1.sts",
              "PolicyDocument": document },
        ] });
        StsEndpoint::read(&answer.to_string()).unwrap().unwrap()
    }

    fn decision(statements: &Value, agent: Option<&str>) -> Decision {
        endpoint(statements).evaluate(ROLE, agent).decision
    }

    #[test]
    fn only_what_is_about_everybody_allows_a_request_that_nobody_signed() {
        let allow = |more: Value| {
            let mut one = json!({ "Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRoleWithWebIdentity", "Resource": "*" });
            one.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            one
        };
        let when = |operator: &str, key: &str, value: &str| json!({ "Condition": { operator: { key: value } } });
        for (statement, expected) in [
            (allow(json!({})), Decision::Allow),
            (allow(json!({ "Principal": { "AWS": "*" } })), Decision::Allow),
            (allow(json!({ "Principal": { "AWS": "arn:aws:iam::123456789012:root" } })), Decision::Deny),
            (allow(json!({ "Action": "sts:AssumeRole" })), Decision::Deny),
            (allow(json!({ "Resource": ROLE })), Decision::Allow),
            (allow(json!({ "Resource": "arn:aws:iam::999999999999:role/*" })), Decision::Deny),
            (allow(when("StringEquals", "aws:SourceVpce", "vpce-2")), Decision::Allow),
            (allow(when("StringEquals", "aws:SourceVpc", "vpc-9")), Decision::Deny),
            (allow(when("StringEquals", "aws:RequestedRegion", "eu-west-1")), Decision::Allow),
            (allow(when("StringEquals", "aws:PrincipalOrgID", "o-1")), Decision::Unknown),
            (allow(when("StringLike", "aws:UserAgent", "Boto3/*")), Decision::Allow),
        ] {
            assert_eq!(decision(&json!([statement]), Some("Boto3/1.44.5")), expected, "{statement}");
        }
        let denied = json!([allow(json!({})), { "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*",
            "Condition": { "StringNotEquals": { "aws:SourceVpce": "vpce-1" } } }]);
        assert_eq!(decision(&denied, None), Decision::Deny);
        assert!(endpoint(&json!([allow(json!({ "Principal": { "AWS": "123456789012" } }))])).names_callers());
    }

    #[test]
    fn a_policy_alone_says_nothing_of_its_endpoint_and_an_answer_may_have_none_of_sts() {
        let alone = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:*",
            "Resource": "*", "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-2"}}}]}"#;
        let endpoint = StsEndpoint::read(alone).unwrap().unwrap();
        assert_eq!((endpoint.region.clone(), endpoint.name()), (None, "the VPC endpoint".to_owned()));
        assert_eq!(endpoint.evaluate(ROLE, None).decision, Decision::Unknown);
        assert_eq!(StsEndpoint::read(r#"{"VpcEndpoints": []}"#), Ok(None));
        assert!(StsEndpoint::read("no policy").is_err());
    }
}
