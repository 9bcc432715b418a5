//! From a vault's refusals to causes: role, scope, principal and permission model told apart.

use super::entra::put_first;
use super::{Cause, Certainty, Finding};
use crate::domain::ids::FoundBy;
use crate::domain::keyvault::VaultError;

/// What was asked of the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    List,
    Get,
}

/// How the other of the two calls ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Other {
    Granted,
    /// For lack of a right.
    Denied,
    /// It was not made, or brought no decision.
    #[default]
    NotKnown,
}

/// What was seen beside the vault's refusal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen<'a> {
    /// The client id of the profile.
    pub client_id: Option<&'a str>,
    /// The object id that the access token names.
    pub object_id: Option<&'a str>,
    /// The directory of the access token, and the one that the vault's challenge names.
    pub token_tenant: Option<&'a str>,
    pub vault_tenant: Option<&'a str>,
    /// The vault's name.
    pub vault: Option<&'a str>,
    pub other: Other,
    /// Whether the vault can still recover a deleted secret of this name.
    pub recoverable: Option<bool>,
}

/// Whether the vault refused for lack of a right, under either permission model.
pub fn is_denial(error: &VaultError) -> bool {
    matches!(error.best_code(), Some("ForbiddenByRbac" | "AccessDenied"))
}

/// Sharpens the causes that the vault's words allow with everything else that was seen.
pub fn narrow(findings: &mut Vec<Finding>, error: &VaultError, check: FoundBy, asked: Asked, seen: &Seen<'_>) {
    match error.best_code() {
        Some("ForbiddenByRbac") => narrow_roles(findings, error, check, asked, seen),
        Some("AccessDenied") => narrow_policies(findings, check, asked, seen),
        Some("SecretNotFound") => narrow_missing(findings, check, seen),
        _ => {}
    }
    narrow_token(findings, error, seen);
    if let Some(first) = findings.first_mut() {
        first.evidence.extend(who(error));
    }
}

/// The vault decides by roles.
fn narrow_roles(findings: &mut Vec<Finding>, error: &VaultError, check: FoundBy, asked: Asked, seen: &Seen<'_>) {
    if let Some(assignment) = &error.deny_assignment {
        let summary = "a deny assignment forbids it, whatever the roles allow";
        let finding = Finding::new(Cause::ExplicitDeny, check, Certainty::Proven, summary)
            .with_evidence(format!("the answer names the deny assignment {assignment}"));
        put_first(findings, finding);
        return;
    }
    let caller = error.caller.as_ref().and_then(|c| c.object_id.as_deref()).or(seen.object_id);
    let finding = match (asked, seen.other) {
        (Asked::List, Other::Granted) => Finding::new(
            Cause::RbacScopeSingleSecret,
            check,
            Certainty::Likely,
            "the secret can be read and the vault cannot be listed: the role is assigned on the secret alone",
        )
        .with_evidence("reading the secret was allowed with the same token"),
        (Asked::List, _) => Finding::new(
            Cause::RbacMissing,
            check,
            Certainty::Likely,
            "the application has no role that lets it list this vault's secrets",
        ),
        (Asked::Get, Other::Granted) => Finding::new(
            Cause::RbacWrongRole,
            check,
            Certainty::Likely,
            "the vault can be listed and the secret cannot be read: the role shows metadata and no values",
        )
        .with_evidence("listing the vault's secrets was allowed with the same token"),
        (Asked::Get, _) => Finding::new(
            Cause::RbacMissing,
            check,
            Certainty::Likely,
            "the application has no role that lets it read this secret",
        ),
    };
    put_first(findings, looked_up(finding, caller));
    if let (Some(caller), Some(app)) = (error.caller.as_ref().and_then(|c| c.app_id.as_deref()), seen.client_id)
        && !caller.eq_ignore_ascii_case(app)
    {
        let summary = "the vault saw another application than the profile names";
        let finding =
            Finding::new(Cause::RbacWrongPrincipal, check, Certainty::Likely, summary).with_difference(app, caller);
        put_first(findings, finding);
    }
}

/// The vault decides by access policies: that it does is told by the answer itself.
fn narrow_policies(findings: &mut Vec<Finding>, check: FoundBy, asked: Asked, seen: &Seen<'_>) {
    if asked == Asked::List && seen.other == Other::Granted {
        let summary = "the access policy lets the application get secrets and not list them";
        let finding = Finding::new(Cause::MissingList, check, Certainty::Proven, summary)
            .with_evidence("reading the secret was allowed with the same token");
        put_first(findings, finding);
        return;
    }
    let summary = "the vault decides by access policies, so role assignments do nothing there";
    let finding = Finding::new(Cause::AccessPolicyModel, check, Certainty::Likely, summary)
        .with_evidence("this form of refusal is that of a vault in access-policy mode");
    put_first(findings, finding);
}

/// "Not found" comes only after the right was granted; a deleted secret of the name may still be there.
fn narrow_missing(findings: &mut Vec<Finding>, check: FoundBy, seen: &Seen<'_>) {
    let proof = "the answer came after the right to read was checked, so that right exists";
    match seen.recoverable {
        Some(true) => put_first(
            findings,
            Finding::new(
                Cause::SecretSoftDeleted,
                check,
                Certainty::Proven,
                "the secret was deleted and can still be recovered",
            )
            .with_evidence(proof),
        ),
        Some(false) => {
            findings.retain(|f| f.cause != Cause::SecretSoftDeleted);
            let summary = "the vault has no secret of this name";
            let finding = Finding::new(Cause::SecretNotFound, check, Certainty::Proven, summary)
                .with_evidence(proof)
                .with_evidence("it has no deleted one of this name either");
            put_first(findings, names_listed(finding, seen.vault));
        }
        None => {}
    }
}

/// A token of another directory, or for another audience.
fn narrow_token(findings: &mut [Finding], error: &VaultError, seen: &Seen<'_>) {
    let cause = match error.akv {
        Some(10022) => Cause::WrongVaultAudience,
        Some(10032) => Cause::TenantWrong,
        _ => return,
    };
    for finding in findings.iter_mut().filter(|f| f.cause == cause) {
        finding.certainty = Certainty::Proven;
        finding.expected = error.expected.clone();
        finding.actual = error.found.clone();
        if let (Some(token), Some(vault)) = (seen.token_tenant, seen.vault_tenant)
            && cause == Cause::TenantWrong
        {
            finding.evidence.push(format!("the token is of the directory {token}, and the vault asks for {vault}"));
        }
    }
    findings.sort_by_key(|f| f.certainty);
}

/// Whom and what the vault's answer names.
fn who(error: &VaultError) -> Vec<String> {
    let mut facts = Vec::new();
    if let Some(caller) = &error.caller {
        let app = caller.app_id.as_deref().unwrap_or("?");
        let object = caller.object_id.as_deref().unwrap_or("?");
        facts.push(format!("the vault saw the application {app} with the object id {object}"));
    }
    if let Some(action) = &error.action {
        facts.push(format!("the right needed is {action}"));
    }
    if let Some(resource) = &error.resource {
        facts.push(format!("on {resource}"));
    }
    if let Some(address) = &error.client_address {
        facts.push(format!("the vault saw the address {address}"));
    }
    facts
}

/// With the command that shows the roles of the identity.
fn looked_up(finding: Finding, caller: Option<&str>) -> Finding {
    match caller.filter(|id| is_one_word(id)) {
        Some(id) => finding.with_look(
            "The roles that it has, and where.",
            format!("az role assignment list --all --assignee {id} --output table"),
        ),
        None => finding,
    }
}

/// With the command that shows the vault's secrets.
fn names_listed(finding: Finding, vault: Option<&str>) -> Finding {
    match vault.filter(|vault| is_one_word(vault)) {
        Some(vault) => finding.with_look(
            "The names that the vault has.",
            format!("az keyvault secret list --vault-name {vault} --query '[].name' --output tsv"),
        ),
        None => finding,
    }
}

/// Whether a shell takes an id or a name from outside as it is.
fn is_one_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::explain::candidates;
    use crate::domain::ids::{CheckId, Cloud};

    const RBAC: &str = "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\nCaller: appid=app-1;oid=object-1;iss=https://sts.windows.net/t/\r\nAction: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'\r\nResource: '/subscriptions/s'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null \r\nVault: v;location=l\r\n";
    const POLICY: &str = "The user, group or application 'appid=a;oid=o;iss=i' does not have secrets get permission on key vault 'v;location=l'.";

    fn causes(
        code: &str,
        inner: Option<&str>,
        message: &str,
        asked: Asked,
        seen: &Seen<'_>,
    ) -> Vec<(Cause, Certainty)> {
        let error = VaultError {
            code: Some(code.into()),
            inner_code: inner.map(str::to_owned),
            ..VaultError::of_message(message)
        };
        let mut findings: Vec<Finding> = candidates(Cloud::Azure, error.best_code().unwrap(), message)
            .into_iter()
            .map(|c| Finding::new(c.cause, CheckId::AzureGetSecret, c.certainty, "x"))
            .collect();
        narrow(&mut findings, &error, CheckId::AzureGetSecret.into(), asked, seen);
        findings.iter().map(|f| (f.cause, f.certainty)).collect()
    }

    #[test]
    fn the_other_call_tells_role_from_scope() {
        for (asked, other, cause) in [
            (Asked::List, Other::Granted, Cause::RbacScopeSingleSecret),
            (Asked::List, Other::Denied, Cause::RbacMissing),
            (Asked::Get, Other::Granted, Cause::RbacWrongRole),
            (Asked::Get, Other::Denied, Cause::RbacMissing),
            (Asked::Get, Other::NotKnown, Cause::RbacMissing),
        ] {
            let seen = Seen { client_id: Some("app-1"), other, ..Seen::default() };
            let got = causes("Forbidden", Some("ForbiddenByRbac"), RBAC, asked, &seen);
            assert_eq!(got[0], (cause, Certainty::Likely), "{asked:?} {other:?}");
            assert!(got.iter().any(|(c, _)| *c == Cause::PropagationDelay), "{got:?}");
        }
        let other_app = Seen { client_id: Some("app-2"), ..Seen::default() };
        let got = causes("Forbidden", Some("ForbiddenByRbac"), RBAC, Asked::Get, &other_app);
        assert_eq!(got[0].0, Cause::RbacWrongPrincipal);
        let denied = RBAC.replace("DenyAssignmentId: null", "DenyAssignmentId: '12'");
        let got = causes("Forbidden", Some("ForbiddenByRbac"), &denied, Asked::Get, &Seen::default());
        assert_eq!(got[0], (Cause::ExplicitDeny, Certainty::Proven));
    }

    #[test]
    fn access_policies_are_told_by_the_answer() {
        let got = causes("Forbidden", Some("AccessDenied"), POLICY, Asked::Get, &Seen::default());
        assert_eq!(got[0], (Cause::AccessPolicyModel, Certainty::Likely));
        let list = POLICY.replace("secrets get", "secrets list");
        let seen = Seen { other: Other::Granted, ..Seen::default() };
        let got = causes("Forbidden", Some("AccessDenied"), &list, Asked::List, &seen);
        assert_eq!(got[0], (Cause::MissingList, Certainty::Proven));
    }

    #[test]
    fn each_other_answer_has_its_cause() {
        for (code, inner, message, cause) in [
            (
                "Unauthorized",
                None,
                "AKV10022: Invalid audience. Expected https://vault.azure.net, found: x.",
                Cause::WrongVaultAudience,
            ),
            ("Unauthorized", None, "AKV10032: Invalid issuer. Expected one of a, found b.", Cause::TenantWrong),
            (
                "Forbidden",
                Some("ForbiddenByFirewall"),
                "Client address is not authorized and caller is not a trusted service.",
                Cause::Firewall,
            ),
            (
                "Forbidden",
                Some("ForbiddenByConnection"),
                "Public network access is disabled and request is not from a trusted service nor via an approved private link.",
                Cause::PrivateEndpoint,
            ),
            (
                "Forbidden",
                Some("ForbiddenByPolicy"),
                "The policy requires the caller 'x' to use on-behalf-of (OBO) flow.",
                Cause::AccessPolicyCompound,
            ),
            (
                "Forbidden",
                Some("SecretDisabled"),
                "Operation get is not allowed on a disabled secret.",
                Cause::SecretDisabled,
            ),
            ("BadParameter", None, "The request URI contains an invalid name: a_b", Cause::SecretNameInvalid),
        ] {
            let got = causes(code, inner, message, Asked::Get, &Seen::default());
            assert_eq!(got[0].0, cause, "{message} {got:?}");
        }
        let missing = "A secret with (name/id) n was not found in this key vault.";
        let of = |recoverable| {
            causes("SecretNotFound", None, missing, Asked::Get, &Seen { recoverable, ..Seen::default() })[0]
        };
        assert_eq!(of(Some(true)), (Cause::SecretSoftDeleted, Certainty::Proven));
        assert_eq!(of(Some(false)), (Cause::SecretNotFound, Certainty::Proven));
        assert_eq!(of(None).0, Cause::SecretNotFound);
    }
}
