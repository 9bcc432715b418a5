//! The built-in roles that can be assigned
//! (<https://learn.microsoft.com/azure/role-based-access-control/built-in-roles>).

use serde_json::{Value, json};

const ROLES: &[(&str, &str)] = &[
    ("Owner", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"),
    ("Contributor", "b24988ac-6180-42a0-ab88-20f7382dd24c"),
    ("Reader", "acdd72a7-3385-48ef-bd42-f606fba81ae7"),
    ("User Access Administrator", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"),
    ("Key Vault Administrator", "00482a5a-887f-4fb3-b363-3b7fe8e74483"),
    ("Key Vault Contributor", "f25e0fa2-a7c8-4377-a976-54943a77a395"),
    ("Key Vault Reader", "21090545-7ca7-4776-b22c-e363652d74d2"),
    ("Key Vault Secrets Officer", "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"),
    ("Key Vault Secrets User", "4633458b-17de-408a-b874-0445c86b69e6"),
];

/// The role of this definition id, with or without the path before it.
pub(super) fn named(id: &str) -> Option<&'static str> {
    let last = id.rsplit('/').next().unwrap_or_default();
    ROLES.iter().find(|(_, known)| last.eq_ignore_ascii_case(known)).map(|(name, _)| *name)
}

/// The definition id of this role, as it is written within a subscription.
pub(super) fn id(subscription: &str, role: &str) -> String {
    written(subscription, ROLES.iter().find(|(name, _)| *name == role).map_or("", |(_, id)| *id))
}

fn written(subscription: &str, id: &str) -> String {
    format!("/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{id}")
}

/// The definitions, or the one that `$filter=roleName eq '…'` names.
pub(super) fn list(subscription: &str, filter: Option<&str>) -> Value {
    let wanted = filter.and_then(|text| text.split('\'').nth(1));
    let definition = |(name, id): &(&str, &str)| {
        json!({
            "id": written(subscription, id),
            "name": id,
            "type": "Microsoft.Authorization/roleDefinitions",
            "properties": { "roleName": name, "type": "BuiltInRole" },
        })
    };
    let fits = |(name, _): &&(&str, &str)| wanted.is_none_or(|wanted| name.eq_ignore_ascii_case(wanted));
    json!({ "value": ROLES.iter().filter(fits).map(definition).collect::<Vec<_>>() })
}
