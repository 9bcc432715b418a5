//! A whole account as an auditor reads it: its roles with their trust and all their policies, page by page, and its identity
//! providers; each answer as IAM's command line prints it.

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::signed::{Reader, Xml};
use super::{AwsTarget, Session};
use crate::check::facts::read::{Gathered, Told};
use crate::domain::iam::AwsRead;

/// So many providers are asked for at once.
const AT_ONCE: usize = 8;
/// What is asked for of an account: neither users nor groups, whom no token becomes.
const KINDS: [(&str, &str); 3] =
    [("Filter.member.1", "Role"), ("Filter.member.2", "LocalManagedPolicy"), ("Filter.member.3", "AWSManagedPolicy")];

impl AwsTarget {
    /// Reads the account, and tells of each answer as it comes. A call is made again while it is throttled, for `patience` at
    /// most.
    ///
    /// # Errors
    /// What was told could not be kept.
    pub async fn read_account(
        &self,
        session: &Session,
        patience: Duration,
        told: &mut Told<'_>,
    ) -> std::io::Result<Gathered> {
        let reader = || Reader { target: self, session, deadline: Instant::now() + patience };
        let mut gathered = Gathered::default();
        let mut marker: Option<String> = None;
        loop {
            let next = marker.as_deref().map(|marker| ("Marker", marker));
            let parameters: Vec<(&str, &str)> = KINDS.into_iter().chain(next).collect();
            let read = |result: &Xml| Some((json_of(result)?, following(result)));
            let page = reader().iam(AwsRead::AccountDetails, &parameters, read).await;
            gathered.add(&page);
            let Some((details, following)) = page.seen() else { break };
            told(details)?;
            match following {
                Some(following) if marker.as_ref() != Some(following) => marker = Some(following.clone()),
                _ => break,
            }
        }
        let listed = reader().iam(AwsRead::OidcProviders, &[], |result| Some((json_of(result)?, arns(result)))).await;
        gathered.add(&listed);
        let Some((list, arns)) = listed.seen() else { return Ok(gathered) };
        told(list)?;
        let asked = arns.iter().map(|arn| async move {
            let provider = |result: &Xml| {
                let mut provider = json_of(result)?;
                provider["Arn"] = arn.as_str().into();
                Some(provider)
            };
            reader().iam(AwsRead::OidcProvider, &[("OpenIDConnectProviderArn", arn)], provider).await
        });
        let mut answers = stream::iter(asked).buffered(AT_ONCE);
        while let Some(answer) = answers.next().await {
            gathered.add(&answer);
            if let Some(provider) = answer.seen() {
                told(provider)?;
            }
        }
        Ok(gathered)
    }
}

fn arns(result: &Xml) -> Vec<String> {
    let entries = result.members("OpenIDConnectProviderList");
    entries.filter_map(|entry| Some(entry.text_of("Arn")?.to_owned())).collect()
}

fn following(result: &Xml) -> Option<String> {
    let goes_on = result.text_of("IsTruncated") == Some("true");
    result.text_of("Marker").filter(|marker| goes_on && !marker.is_empty()).map(str::to_owned)
}

/// An answer as the command line prints it. What is empty is left out: nobody can tell an empty list from an empty text.
fn json_of(xml: &Xml) -> Option<Value> {
    let children = xml.children();
    if children.is_empty() {
        let text = xml.text();
        return match text {
            // Between the signs of an empty element stands what indents it.
            text if text.trim().is_empty() => None,
            "true" | "false" if xml.name().starts_with("Is") => Some((text == "true").into()),
            _ => Some(text.into()),
        };
    }
    if children.iter().all(|child| child.name() == "member") {
        return Some(children.iter().filter_map(json_of).collect());
    }
    let mut object = json!({});
    for child in children {
        if let Some(value) = json_of(child) {
            object[child.name()] = value;
        }
    }
    Some(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_as_the_command_line_prints_it() {
        let text = "<R><IsTruncated>true</IsTruncated><Marker>m</Marker><RoleDetailList><member><RoleName>true</RoleName>\
                    <RolePolicyList>\n  </RolePolicyList><AttachedManagedPolicies><member><PolicyArn>a</PolicyArn></member></AttachedManagedPolicies>\
                    </member></RoleDetailList><Policies/></R>";
        let result = Xml::parse(text).unwrap();
        let expected = json!({"IsTruncated": true, "Marker": "m", "RoleDetailList": [
            {"RoleName": "true", "AttachedManagedPolicies": [{"PolicyArn": "a"}]}]});
        assert_eq!(json_of(&result), Some(expected));
        assert_eq!(following(&result).as_deref(), Some("m"));
        assert_eq!(following(&Xml::parse("<R><Marker>m</Marker></R>").unwrap()), None);
    }
}
