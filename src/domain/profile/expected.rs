//! What the tokens of a profile must look like: the claims that follow from it while no token is at hand.

use serde::Serialize;
use serde_json::{Map, Value};

use super::key::Key;
use super::{Guide, Profile};
use crate::domain::guide::Workload;
use crate::domain::ids::Cloud;
use crate::domain::issuer::{Description, IssuerKind, fill};
use crate::domain::national_cloud::{self, NationalCloud};

/// The audience of a token for AWS where nothing says otherwise.
const AWS: &str = "sts.amazonaws.com";
/// The same in the China partition, where the service has a name of its own.
const AWS_CHINA: &str = "sts.amazonaws.com.cn";

/// What stands for a part of a subject that nothing tells.
const ANY: char = '*';
/// A value for such a part, that no policy is likely to name.
const STAND_IN: &str = "any-value";

/// The claims of a token as the profile makes them expected. A prediction proves nothing: a token may differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PredictedClaims {
    /// Who issues such tokens, such as `GitHub Actions`.
    pub issuer: &'static str,
    /// `iss`, `sub`, `aud` and what else follows from the profile. Of an open subject one example stands here.
    pub claims: Map<String, Value>,
    /// The subject's pattern, where a part of it follows from nothing: `*` stands for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_subject: Option<String>,
    /// Claims that such tokens may have, and whose values nothing tells.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
    /// Where the issuer says what its tokens have.
    pub docs: &'static str,
}

/// What was decided on expected claims.
#[derive(Clone, Debug, PartialEq)]
pub struct Predicted<E> {
    pub evaluation: E,
    /// The one subject that is known to be accepted, where the profile leaves others possible that are not.
    pub accepts_only: Option<String>,
}

/// Whether such tokens may have the claim: it is among those that nothing tells, or of a family of them, as `repo_property_*`.
pub fn may_have(unknown: &[String], claim: &str) -> bool {
    let is_of = |family: &str| claim.len() > family.len() && claim.starts_with(family);
    unknown.iter().any(|one| one == claim || one.strip_suffix(ANY).is_some_and(is_of))
}

impl PredictedClaims {
    /// The expected subject, or the pattern of it.
    pub fn subject(&self) -> &str {
        let example = || self.claims.get("sub").and_then(Value::as_str).unwrap_or_default();
        self.open_subject.as_deref().unwrap_or_else(example)
    }

    /// The same claims with another subject that the profile leaves possible.
    #[must_use]
    pub fn with_subject(&self, subject: &str) -> Map<String, Value> {
        let mut claims = self.claims.clone();
        claims.insert("sub".to_owned(), subject.into());
        claims
    }
}

/// The claims of the tokens that `profile` is about, where it says enough: who issues them and for whom.
pub fn predicted_claims(profile: &Profile) -> Option<PredictedClaims> {
    if profile.guide.is_aws_access_key() {
        return None;
    }
    let known = |key| known(profile, key);
    let (kind, description) = described(profile.guide, &known)?;
    let issuer = issuer_of(profile.guide, &known)?;
    let pattern = subject(profile)?;
    let mut claims: Map<String, Value> = description
        .claims
        .iter()
        .filter_map(|(name, template)| Some((name.clone(), fill_with(template, &known)?.into())))
        .collect();
    if matches!(kind, IssuerKind::GithubActions | IssuerKind::GithubEnterpriseServer) {
        claims.extend(known(Key::GithubRepository).into_iter().flat_map(|repository| github_claims(&repository)));
    }
    let unsaid = description.unknown.iter().chain(description.claims.keys());
    let unknown = unsaid.filter(|name| !claims.contains_key(*name)).cloned().collect();
    claims.insert("iss".to_owned(), issuer.into());
    claims.insert("sub".to_owned(), example(&pattern).into());
    claims.insert("aud".to_owned(), audience(profile)?.into());
    Some(PredictedClaims {
        issuer: kind.name(),
        claims,
        open_subject: pattern.contains(ANY).then_some(pattern),
        unknown,
        docs: &description.docs,
    })
}

/// What a repository's name says of the claims beside the subject, which may have GitHub's ids in it where these have not.
fn github_claims(repository: &str) -> Vec<(String, Value)> {
    let Some((owner, name)) = repository.split_once('/') else { return Vec::new() };
    let part = |text: &str| {
        text.split_once('@').map_or((text.to_owned(), None), |(n, id)| (n.to_owned(), Some(id.to_owned())))
    };
    let ((owner, owner_id), (name, id)) = (part(owner), part(name));
    let ids = [("repository_owner_id", owner_id), ("repository_id", id)];
    let named = ids.into_iter().filter_map(|(claim, id)| Some((claim.to_owned(), id?.into())));
    std::iter::once(("repository".to_owned(), format!("{owner}/{name}").into())).chain(named).collect()
}

/// A subject that fits `pattern`.
pub fn example(pattern: &str) -> String {
    pattern.replace(ANY, STAND_IN)
}

/// The subject of a profile's tokens; `*` stands for what the profile leaves open.
pub fn subject(profile: &Profile) -> Option<String> {
    let known = |key| known(profile, key);
    subject_of(profile.guide, &known)
}

/// The same from loose values.
pub fn subject_of(guide: Guide, known: &dyn Fn(Key) -> Option<String>) -> Option<String> {
    let (_, description) = described(guide, known)?;
    description.subjects.iter().find_map(|form| fill_with(form, known))
}

/// The keys that say whose tokens are meant: an artifact shows a gap for each that is not known.
pub fn owner_keys(guide: Guide, known: &dyn Fn(Key) -> Option<String>) -> Vec<Key> {
    let owner = described(guide, known).map(|(_, description)| description.owner.as_slice()).unwrap_or_default();
    owner.iter().filter_map(|name| Key::parse(name)).collect()
}

/// The form of the issuer's URL, where it follows from the profile.
pub fn issuer_form(guide: Guide, known: &dyn Fn(Key) -> Option<String>) -> Option<&'static str> {
    described(guide, known)?.1.issuer.as_deref()
}

/// The form of the audience of tokens for AWS, where it is not AWS's own name.
pub fn audience_form(guide: Guide, known: &dyn Fn(Key) -> Option<String>) -> Option<&'static str> {
    described(guide, known)?.1.audience.as_deref()
}

/// The issuer's URL: the one that is named, else the one that all such tokens have.
pub fn issuer_of(guide: Guide, known: &dyn Fn(Key) -> Option<String>) -> Option<String> {
    known(Key::IssuerUrl).or_else(|| fill_with(described(guide, known)?.1.issuer.as_deref()?, known))
}

/// The audience of a profile's tokens.
pub fn audience(profile: &Profile) -> Option<String> {
    let partition = profile.aws.role_arn.as_ref().map(|role| role.partition.as_str());
    match profile.guide.cloud() {
        Cloud::Azure => Some(national_cloud(profile).credential_audience.to_owned()),
        Cloud::Gcp => profile.gcp.token_audience(),
        Cloud::Aws if !profile.guide.takes_usual_aws_audience() => profile.aws.audience.clone(),
        // A plain default must not hide that China has a name of its own.
        Cloud::Aws if partition == Some("aws-cn") => match profile.aws.audience.as_deref() {
            None | Some(AWS) => Some(AWS_CHINA.to_owned()),
            Some(other) => Some(other.to_owned()),
        },
        Cloud::Aws => Some(profile.aws.audience.clone().unwrap_or_else(|| AWS.to_owned())),
    }
}

/// The audience of tokens for AWS where nothing names one.
pub fn default_audience(guide: Guide, known: &dyn Fn(Key) -> Option<String>) -> String {
    let of_issuer = || fill_with(described(guide, known)?.1.audience.as_deref()?, known);
    of_issuer().unwrap_or_else(|| AWS.to_owned())
}

/// The national cloud of a profile: that of its authority, else of its vault, else the public one.
fn national_cloud(profile: &Profile) -> &'static NationalCloud {
    let authority = profile.azure.authority_host.as_deref().and_then(national_cloud::of_authority);
    authority
        .or_else(|| profile.azure.vault_url.as_deref().and_then(national_cloud::of_vault))
        .unwrap_or(national_cloud::PUBLIC)
}

/// The issuer that is meant: the one that the URL names, else the one that the keys are about, else the guide's.
fn described(guide: Guide, known: &dyn Fn(Key) -> Option<String>) -> Option<(IssuerKind, &'static Description)> {
    let by_url = known(Key::IssuerUrl).map(|url| IssuerKind::of(&url, None));
    if let Some(found) = by_url.and_then(|kind| Some((kind, Description::of(kind)?))) {
        return Some(found);
    }
    // A well-known issuer without a description is not one of those that the keys and guides are about.
    if by_url.is_some_and(|kind| kind != IssuerKind::Generic) {
        return None;
    }
    // A guide for jobs or pods is about theirs; the platform's are about whatever their keys name.
    let by_guide = || Description::of_workload(guide.workload());
    let own = || by_guide().filter(|_| guide.workload() != Workload::Platform);
    let is_said = |table: &str| Key::ALL.iter().any(|key| key.table() == table && known(*key).is_some());
    let by_keys = || Description::all().find(|one| one.tables.iter().any(|table| is_said(table)));
    let description = own().or_else(by_keys).or_else(by_guide)?;
    Some((*description.kinds.last()?, description))
}

fn fill_with(template: &str, known: &dyn Fn(Key) -> Option<String>) -> Option<String> {
    fill(template, |name| known(Key::parse(name)?))
}

fn known(profile: &Profile, key: Key) -> Option<String> {
    match key {
        Key::IssuerUrl => profile.issuer_url.clone(),
        Key::Organization => profile.organization.clone(),
        key => profile.workload.get(&key).cloned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ORGANIZATION: &str = "7f3e81c4-1111-4222-8333-9d20c1a09a1c";

    fn profile(guide: Guide, issuer: Option<&str>, workload: &[(Key, &str)]) -> Profile {
        let workload = workload.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        Profile { issuer_url: issuer.map(str::to_owned), workload, ..Profile::bare("p", guide) }
    }

    fn claims(profile: &Profile) -> Option<Value> {
        predicted_claims(profile).map(|predicted| Value::Object(predicted.claims))
    }

    #[test]
    fn the_platforms_claims_follow_from_the_organization() {
        let mut profile = profile(Guide::AwsWorkloadIdentity, Some("https://app.example.com"), &[]);
        assert_eq!(predicted_claims(&profile), None, "the organization is not known");
        profile.organization = Some(ORGANIZATION.to_owned());
        let predicted = json!({
            "iss": "https://app.example.com", "sub": format!("organization:{ORGANIZATION}"),
            "organization_id": ORGANIZATION, "aud": "sts.amazonaws.com"});
        assert_eq!(claims(&profile), Some(predicted));
        let found = predicted_claims(&profile).unwrap();
        assert_eq!((found.issuer, found.open_subject, found.unknown), ("the agent platform", None, Vec::new()));
        profile.guide = Guide::AzureWorkloadIdentity;
        assert_eq!(claims(&profile).unwrap()["aud"], "api://AzureADTokenExchange");
        profile.issuer_url = None;
        assert_eq!(predicted_claims(&profile), None, "the issuer is not known");
    }

    #[test]
    fn each_issuers_subject_follows_from_its_keys() {
        use Guide::{AwsWorkloadIdentity as Aws, CircleciAws, GitlabAws};
        let github = Some("https://token.actions.githubusercontent.com");
        let cluster = Some("https://oidc.eks.us-east-1.amazonaws.com/id/ABC");
        let repository = (Key::GithubRepository, "o/r");
        let workspace = [
            (Key::TerraformOrganization, "o"),
            (Key::TerraformProject, "Default Project"),
            (Key::TerraformWorkspace, "w"),
        ];
        let pod = [(Key::KubernetesNamespace, "ns"), (Key::KubernetesServiceAccount, "reader")];
        for (guide, issuer, workload, subject) in [
            (Aws, github, &[repository, (Key::GithubRef, "refs/heads/main")][..], "repo:o/r:ref:refs/heads/main"),
            (Aws, github, &[repository, (Key::GithubEnvironment, "prod")], "repo:o/r:environment:prod"),
            (Aws, None, &[repository], "repo:o/r:*"),
            (Aws, None, &workspace, "organization:o:project:Default Project:workspace:w:run_phase:*"),
            (Aws, cluster, &pod, "system:serviceaccount:ns:reader"),
            (
                GitlabAws,
                Some("https://gitlab.example.com"),
                &[(Key::GitlabProject, "g/p"), (Key::GitlabRef, "main")],
                "project_path:g/p:ref_type:branch:ref:main",
            ),
            (
                GitlabAws,
                Some("https://gitlab.com"),
                &[(Key::GitlabProject, "g/p"), (Key::GitlabRefType, "tag")],
                "project_path:g/p:ref_type:tag:ref:*",
            ),
            (CircleciAws, Some("https://127.0.0.1:9"), &[(Key::CircleciProject, "p")], "org/*/project/p/user/*"),
        ] {
            let mut profile = profile(guide, issuer, workload);
            profile.aws.audience = Some("a".into());
            let found = predicted_claims(&profile).unwrap_or_else(|| panic!("{subject}"));
            assert_eq!(found.subject(), subject);
            assert_eq!(found.open_subject.is_some(), subject.contains('*'));
        }
        // A cluster's service account says nothing of who issues for it.
        assert_eq!(predicted_claims(&profile(Aws, None, &pod)), None);
    }

    #[test]
    fn what_no_profile_tells_is_unknown_and_not_absent() {
        let profile = profile(Guide::AwsWorkloadIdentity, None, &[(Key::GithubRepository, "o/r")]);
        let found = predicted_claims(&profile).unwrap();
        assert_eq!(found.claims["repository"], "o/r");
        for claim in ["environment", "ref", "repository_id", "job_workflow_ref"] {
            assert!(found.unknown.iter().any(|unknown| unknown == claim), "{claim}");
        }
        assert!(!found.unknown.iter().any(|unknown| unknown == "repository"));
        let with_ids = self::profile(Guide::GithubAws, None, &[(Key::GithubRepository, "o@1/r@2")]);
        let found_ids = predicted_claims(&with_ids).unwrap();
        assert_eq!(found_ids.subject(), "repo:o@1/r@2:*");
        let claims = &found_ids.claims;
        assert_eq!((&claims["repository"], &claims["repository_id"]), (&json!("o/r"), &json!("2")));
        // What an organization calls its repositories' properties is its own affair.
        assert!(may_have(&found.unknown, "repo_property_team") && may_have(&found.unknown, "sha"));
        assert!(!may_have(&found.unknown, "repo_property_") && !may_have(&found.unknown, "repository"));
    }

    #[test]
    fn nobody_predicts_for_an_issuer_that_is_not_described() {
        let mut profile = profile(Guide::AwsWorkloadIdentity, Some("https://accounts.google.com"), &[]);
        profile.organization = Some(ORGANIZATION.to_owned());
        assert_eq!(predicted_claims(&profile), None);
        let profile = self::profile(Guide::AwsStatic, Some("https://app.example.com"), &[]);
        assert_eq!(predicted_claims(&profile), None);
    }

    #[test]
    fn audiences_follow_the_issuers_custom() {
        for (guide, key, value, audience) in [
            (Guide::AwsWorkloadIdentity, Key::IssuerUrl, "https://app.terraform.io", "aws.workload.identity"),
            (Guide::GitlabAws, Key::IssuerUrl, "https://gitlab.example.com", "https://gitlab.example.com"),
            (Guide::CircleciAws, Key::Organization, ORGANIZATION, ORGANIZATION),
            (Guide::AwsWorkloadIdentity, Key::Organization, ORGANIZATION, "sts.amazonaws.com"),
            (Guide::CircleciAws, Key::CircleciProject, ORGANIZATION, "sts.amazonaws.com"),
        ] {
            assert_eq!(default_audience(guide, &|asked| (asked == key).then(|| value.to_owned())), audience);
        }
    }
}
