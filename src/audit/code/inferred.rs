//! What one part of a trust policy tells of another that code does not know: a statement's condition keys begin with the URL of its
//! provider, so either tells the other.

use super::declared::{THIS_ACCOUNT, Unknowns};
use crate::domain::iam::{Policy, ProviderArn, Statement};

/// Fills in the providers and the keys of a policy that are not known, where the statement tells them.
pub fn providers(policy: &mut Policy, unknowns: &Unknowns) {
    for statement in &mut policy.statements {
        let url = known_url(statement, unknowns);
        let Some(principal) = &mut statement.principal else { continue };
        let Some(url) = url else { continue };
        for provider in principal.federated.iter_mut().filter(|provider| !unknowns.in_text(provider).is_empty()) {
            *provider = format!("arn:aws:iam::{THIS_ACCOUNT}:oidc-provider/{url}");
        }
        for condition in &mut statement.conditions {
            let claim = condition.key.rsplit_once(':').filter(|(prefix, _)| !unknowns.in_text(prefix).is_empty());
            if let Some((_, claim)) = claim {
                condition.key = format!("{url}:{claim}");
            }
        }
    }
}

/// The URL of a statement's only provider: by its ARN, or by the keys of its conditions.
fn known_url(statement: &Statement, unknowns: &Unknowns) -> Option<String> {
    let [provider] = statement.principal.as_ref()?.federated.as_slice() else { return None };
    let is_known = |text: &&str| unknowns.in_text(text).is_empty();
    let keys = || statement.conditions.iter().filter_map(|condition| condition.key.rsplit_once(':'));
    let of_claims = || keys().filter(|(prefix, _)| !matches!(*prefix, "aws" | "sts") && !prefix.starts_with("aws:"));
    let named = ProviderArn::parse(provider).map(|arn| arn.url).filter(is_known);
    let by_key = || of_claims().map(|(prefix, _)| prefix).find(is_known);
    // Where neither is known, they are taken to agree.
    named.or_else(by_key).or_else(|| of_claims().next().map(|(prefix, _)| prefix)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GITHUB: &str = "token.actions.githubusercontent.com";

    fn filled(provider: &str, prefix: &str, unknowns: &Unknowns) -> (String, String) {
        let condition =
            json!({"StringEquals": {format!("{prefix}:sub"): "x"}, "Bool": {"aws:SecureTransport": "true"}});
        let document = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": provider}, "Condition": condition}]});
        let mut policy = Policy::parse(&document.to_string()).unwrap();
        providers(&mut policy, unknowns);
        let statement = &policy.statements[0];
        let key = statement.conditions.iter().find(|condition| condition.key.ends_with(":sub")).unwrap();
        (statement.principal.as_ref().unwrap().federated[0].clone(), key.key.clone())
    }

    #[test]
    fn either_tells_the_other_and_what_is_known_stays() {
        let unknowns = Unknowns::default();
        let arn = |url: &str| format!("arn:aws:iam::{THIS_ACCOUNT}:oidc-provider/{url}");
        let (one, other) = (unknowns.mark("var.arn"), unknowns.mark("var.url"));
        for (provider, prefix, filled_provider, filled_prefix) in [
            (one.clone(), GITHUB.to_owned(), arn(GITHUB), GITHUB.to_owned()),
            (arn(GITHUB), other.clone(), arn(GITHUB), GITHUB.to_owned()),
            (arn(&one), GITHUB.to_owned(), arn(GITHUB), GITHUB.to_owned()),
            (one.clone(), other.clone(), arn(&other), other.clone()),
            (arn("gitlab.com"), GITHUB.to_owned(), arn("gitlab.com"), GITHUB.to_owned()),
        ] {
            let found = filled(&provider, &prefix, &unknowns);
            assert_eq!(found, (filled_provider, format!("{filled_prefix}:sub")), "{provider} {prefix}");
        }
    }
}
