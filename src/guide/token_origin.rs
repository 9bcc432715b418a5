//! Where a token of the profile's issuer comes from: told in the step that first needs one.

use super::fill::fill;
use super::text::Step;
use super::values::{Missing, TemplateContext, Values};
use crate::check::CheckId;
use crate::domain::issuer::{Description, IssuerKind};
use crate::domain::profile::key::Key;

/// How a token is obtained, with the profile's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenOrigin {
    pub how: Vec<String>,
    /// A part of a job, or commands.
    pub script: Option<String>,
    /// The placeholders that stand in it.
    pub missing: Vec<Missing>,
}

/// Where a token comes from, if the step is the one that needs it and the issuer is known: by its URL, else as the one
/// that the guide is about.
pub fn token_origin(step: &Step, values: &Values) -> Option<TokenOrigin> {
    if !step.supporting.contains(&CheckId::TokenPresent) {
        return None;
    }
    let by_url = values.text(Key::IssuerUrl).and_then(|url| Description::of(IssuerKind::of(url, None)));
    let of_guide = || Description::all().iter().find(|d| d.guides.iter().any(|guide| guide == values.guide.id()));
    let token = by_url.or_else(of_guide)?.token.as_ref()?;
    let mut filling = TemplateContext::new(values);
    let how = token.how.iter().map(|line| fill(line, &mut filling)).collect();
    let script = token.script.as_ref().map(|script| fill(script.trim_start(), &mut filling));
    let (missing, _) = filling.finish();
    Some(TokenOrigin { how, script, missing })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::profile::Guide;
    use crate::domain::profile::document::parse_flag;
    use crate::guide::text::setup_guide;

    fn origin(guide: Guide, settings: &[&str]) -> Vec<TokenOrigin> {
        let settings: Vec<_> = settings.iter().map(|text| parse_flag(text).unwrap()).collect();
        let values = Values::of(guide, &settings);
        setup_guide(guide).steps.iter().filter_map(|step| token_origin(step, &values)).collect()
    }

    #[test]
    fn every_guide_with_tokens_tells_once_where_they_come_from() {
        for &guide in Guide::ALL {
            let told = origin(guide, &[]);
            let has_tokens = !guide.is_aws_access_key();
            assert_eq!(told.len(), usize::from(has_tokens), "{}", guide.id());
            assert!(told.iter().all(|origin| !origin.how.is_empty()), "{}", guide.id());
        }
    }

    #[test]
    fn the_issuers_own_way_is_told_with_the_profiles_values() {
        let gitlab = &origin(Guide::GitlabAws, &["issuer.url=https://gitlab.com"])[0];
        assert!(gitlab.script.as_ref().unwrap().contains("aud: https://gitlab.com"), "{gitlab:?}");
        // The URL says more than the guide.
        let github =
            &origin(Guide::AwsWorkloadIdentity, &["issuer.url=https://token.actions.githubusercontent.com"])[0];
        assert!(github.script.as_ref().unwrap().contains("id-token: write"), "{github:?}");
        let eks = "issuer.url=https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF";
        let named = ["kubernetes.namespace=team", "kubernetes.service-account=reader"];
        let eks = &origin(Guide::AwsWorkloadIdentity, &[eks, named[0], named[1]])[0];
        let command = "kubectl create token reader --namespace team --audience sts.amazonaws.com";
        assert!(eks.script.as_ref().unwrap().contains(command) && eks.missing.is_empty(), "{eks:?}");
    }
}
