//! What clients do with a web identity, as a page: one client whole, several on one behaviour, and what each would take here.

use serde_json::{Map, Value, json};

use super::context::RenderContext;
use super::line::{Line, Role};
use super::page::{Block, Cell, Column, ColumnKind, Page, Table};
use crate::domain::client::{Basis, Client};

/// The schema's name.
pub const SCHEMA: &str = "trustline.clients/1";

/// What people call a behaviour, by its key in the client's file.
const BEHAVIOURS: &[(&str, &str)] = &[
    ("token", "token in the file"),
    ("session-name", "session name"),
    ("duration-s", "duration asked for, seconds"),
    ("method", "method"),
    ("token-in", "token stands in the"),
    ("user-agent", "user agent begins"),
    ("region-variables", "region from"),
    ("without-region", "without a region"),
    ("sts", "STS"),
    ("china-host", "STS in China"),
    ("honours", "reads about endpoints"),
    ("endpoint-form", "an endpoint is a"),
    ("trust-variables", "authorities from"),
    ("system-store", "trusts the system's store"),
    ("profiles-first", "shared keys before the token"),
    ("empty-keys", "empty keys are"),
    ("unknown-profile", "a profile that is not there"),
    ("without-role", "without AWS_ROLE_ARN"),
    ("file-missing", "without the token's file"),
    ("file-empty", "an empty token's file"),
    ("refused", "after a refusal"),
    ("without-any", "without any credentials"),
    ("refreshes-s", "exchanges again before the end, seconds"),
    ("caches", "keeps sessions in"),
    ("attempts", "requests for each answer"),
    ("workload-identity", "exchanges federated tokens"),
    ("before", "goes before the token"),
    ("reads-variables", "reads the variables of workload identity"),
    ("reads-token-credentials", "reads AZURE_TOKEN_CREDENTIALS"),
    ("tenant-in-authority", "a tenant in AZURE_AUTHORITY_HOST"),
    ("http-authority", "a plain http authority"),
    ("bare-authority", "an authority without a scheme"),
    ("needs-authority", "needs AZURE_AUTHORITY_HOST"),
    ("asks-first", "asks before a private authority"),
    ("china-authority", "authority in China"),
    ("keeps-file-s", "keeps what the file held, seconds"),
    ("reads-variable", "reads GOOGLE_APPLICATION_CREDENTIALS"),
    ("external-account", "knows files of the kind external_account"),
    ("otherwise", "where it does not"),
    ("credential-file-missing", "without the credential file"),
    ("needs-project", "needs GOOGLE_CLOUD_PROJECT"),
];

/// What a client would take here, in words and for programs.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    pub client: &'static Client,
    /// `aws`, `azure` or `gcp`.
    pub cloud: &'static str,
    pub source: String,
    /// Where the token would go.
    pub asks: String,
}

/// The behaviours' keys, as they are asked for.
pub fn behaviours() -> impl Iterator<Item = &'static str> {
    BEHAVIOURS.iter().map(|(key, _)| *key)
}

/// A client's tables, by cloud.
fn tables(client: &Client) -> Vec<(&'static str, Map<String, Value>)> {
    let aws = client.aws.as_ref().map(|aws| ("aws", json!(aws)));
    let azure = client.azure.as_ref().map(|azure| ("azure", json!(azure)));
    let google = client.google.as_ref().map(|google| ("gcp", json!(google)));
    let whole = |(cloud, table): (&'static str, Value)| match table {
        Value::Object(columns) => Some((cloud, columns)),
        _ => None,
    };
    aws.into_iter().chain(azure).chain(google).filter_map(whole).collect()
}

/// A column's value, as a person reads it.
fn in_words(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "nothing".to_owned(),
        Value::Array(items) => items.iter().map(in_words).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            members.iter().map(|(name, value)| format!("{name} {}", in_words(value))).collect::<Vec<_>>().join(", ")
        }
        Value::Number(number) => number.to_string(),
    }
}

fn basis(client: &Client) -> String {
    match client.basis {
        Basis::Measured => format!("measured {}", client.date),
        Basis::Documented => format!("documented, read {}", client.date),
    }
}

fn cell(role: Role, text: &str, ctx: RenderContext) -> Cell {
    Line::of(role, ctx.value(text)).into()
}

/// All of them.
pub fn list(clients: &[&'static Client], ctx: RenderContext) -> Page {
    let mut page = Page::titled(Line::of(Role::Strong, format!("{} clients", clients.len())));
    let rows = clients.iter().map(|client| {
        let clouds: Vec<&str> = tables(client).into_iter().map(|(cloud, _)| cloud).collect();
        let plain = |text: &str| cell(Role::Plain, text, ctx);
        vec![
            cell(Role::Accent, client.id, ctx),
            plain(&clouds.join(", ")),
            cell(Role::Muted, &basis(client), ctx),
            plain(&client.version),
        ]
    });
    const COLUMNS: [Column; 4] = [
        Column::of("client", ColumnKind::Upto(20)),
        Column::of("cloud", ColumnKind::Upto(10)),
        Column::of("known", ColumnKind::Upto(19)),
        Column::new("version"),
    ];
    let columns = COLUMNS.to_vec();
    page.push(Block::Table(Table { columns, headed: true, rows: rows.collect() }));
    page.gap();
    page.text(
        Role::Muted,
        "`trustline clients CLIENT` says all of one; --on BEHAVIOUR compares; --env says what each takes here.",
    );
    page
}

/// Everything about one.
pub fn one(client: &Client, ctx: RenderContext) -> Page {
    let title =
        Line::of(Role::Strong, ctx.value(&client.name)).with(Role::Muted, format!("  {}", ctx.value(&client.version)));
    let mut page = Page::titled(title);
    page.field("known", Line::of(Role::Plain, basis(client)));
    if let Some(docs) = &client.docs {
        page.value("documentation", docs, ctx);
    }
    if !client.also.is_empty() {
        page.value("also", &client.also.join(", "), ctx);
    }
    for (cloud, columns) in tables(client) {
        page.gap();
        page.heading(match cloud {
            "aws" => "AWS",
            "azure" => "Azure",
            _ => "Google",
        });
        for (key, label) in BEHAVIOURS {
            if let Some(value) = columns.get(*key) {
                page.value(label, &in_words(value), ctx);
            }
        }
    }
    page
}

/// Several on one behaviour. A client that has no such column at a cloud is left out.
pub fn comparison(clients: &[&'static Client], behaviour: &str, ctx: RenderContext) -> Page {
    let label = BEHAVIOURS.iter().find(|(key, _)| *key == behaviour).map_or(behaviour, |(_, label)| label);
    let mut page = Page::titled(Line::of(Role::Strong, ctx.value(label)));
    let rows = clients.iter().flat_map(|client| {
        let found = tables(client)
            .into_iter()
            .filter_map(move |(cloud, columns)| Some((cloud, columns.get(behaviour)?.clone())));
        found.map(|(cloud, value)| {
            vec![
                cell(Role::Accent, client.id, ctx),
                cell(Role::Muted, cloud, ctx),
                cell(Role::Plain, &in_words(&value), ctx),
            ]
        })
    });
    let columns = ["client", "cloud", "behaviour"].map(Column::new).to_vec();
    page.push(Block::Table(Table { columns, headed: true, rows: rows.collect() }));
    page
}

/// What each would take here.
pub fn here(taken: &[Taken], ctx: RenderContext) -> Page {
    let mut page = Page::titled(Line::of(Role::Strong, "what each client takes here"));
    let rows = taken.iter().map(|taken| {
        let plain = |text: &str| cell(Role::Plain, text, ctx);
        vec![
            cell(Role::Accent, taken.client.id, ctx),
            cell(Role::Muted, taken.cloud, ctx),
            plain(&taken.source),
            plain(&taken.asks),
        ]
    });
    let columns = ["client", "cloud", "takes", "asks"].map(Column::new).to_vec();
    page.push(Block::Table(Table { columns, headed: true, rows: rows.collect() }));
    page
}

/// For programs.
pub fn json(clients: &[&'static Client], taken: Option<&[Taken]>) -> Value {
    let one = |client: &&'static Client| {
        let behaviours: Map<String, Value> =
            tables(client).into_iter().map(|(cloud, columns)| (cloud.to_owned(), Value::Object(columns))).collect();
        json!({
            "id": client.id,
            "name": client.name,
            "version": client.version,
            "measured": client.basis == Basis::Measured,
            "date": client.date,
            "docs": client.docs,
            "also": client.also,
            "behaviours": behaviours,
        })
    };
    let mut document = json!({ "schema": SCHEMA, "clients": clients.iter().map(one).collect::<Vec<_>>() });
    if let (Some(taken), Some(members)) = (taken, document.as_object_mut()) {
        let mut choice: Map<String, Value> = Map::new();
        for taken in taken {
            let of_client = choice.entry(taken.client.id).or_insert_with(|| json!({}));
            if let Some(clouds) = of_client.as_object_mut() {
                clouds.insert(taken.cloud.to_owned(), json!({ "source": taken.source, "asks": taken.asks }));
            }
        }
        members.insert("choice".to_owned(), Value::Object(choice));
    }
    document
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_column_has_a_name_for_people() {
        let known: BTreeSet<&str> = behaviours().collect();
        for client in Client::all() {
            for (cloud, columns) in tables(client) {
                for key in columns.keys() {
                    assert!(known.contains(key.as_str()), "{}: {cloud}: {key}", client.id);
                }
            }
        }
        let used: BTreeSet<String> = Client::all()
            .flat_map(|client| {
                tables(client).into_iter().flat_map(|(_, columns)| columns.into_iter().map(|(key, _)| key))
            })
            .collect();
        assert_eq!(known.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), used);
    }

    /// A column that is only shown helps nobody: something has to come of it.
    #[test]
    fn every_column_is_read_by_a_check_by_an_exchange_as_the_client_or_by_an_explanation() {
        const READERS: &[&str] = &[
            include_str!("../check/client/afterwards.rs"),
            include_str!("../check/client/credentials.rs"),
            include_str!("../check/client/endpoint.rs"),
            include_str!("../check/client/token_file.rs"),
            include_str!("../cli/clients/acting.rs"),
            include_str!("../cause/explain/requests.rs"),
            include_str!("../domain/client/aws_choice.rs"),
            include_str!("../domain/client/entra_choice.rs"),
            include_str!("../domain/client/google.rs"),
            include_str!("../check/client/google.rs"),
        ];
        let owned = ["aws", "azure", "client", "own"];
        let is_read = |key: &str| {
            let field = key.replace('-', "_");
            let reads = |code: &str| {
                owned.iter().any(|owner| {
                    let read = format!("{owner}.{field}");
                    code.match_indices(&read).any(|(at, _)| {
                        !code[at + read.len()..]
                            .starts_with(|next: char| next.is_alphanumeric() || next == '_' || next == '(')
                    })
                })
            };
            READERS.iter().any(|code| reads(code.split("#[cfg(test)]").next().unwrap_or_default()))
        };
        // How a token is sent is asked of the client, for either cloud.
        let unread: Vec<&str> = behaviours().filter(|key| *key != "token" && !is_read(key)).collect();
        assert!(unread.is_empty(), "{unread:?}");
        assert!(READERS.iter().any(|code| code.contains(".sends_token(")));
        assert!(!is_read("invented"));
    }

    #[test]
    fn a_program_gets_what_is_known_and_what_is_taken() {
        let boto3 = Client::named("boto3").unwrap();
        let taken = [Taken { client: boto3, cloud: "aws", source: "s".to_owned(), asks: "a".to_owned() }];
        let document = json(&[boto3], Some(&taken));
        assert_eq!(document["schema"], "trustline.clients/1");
        assert_eq!(document["clients"][0]["measured"], true);
        assert_eq!(document["clients"][0]["behaviours"]["aws"]["region-variables"], json!(["AWS_DEFAULT_REGION"]));
        assert_eq!(document["choice"]["boto3"]["aws"]["source"], "s");
        assert_eq!(json(&[boto3], None).get("choice"), None);
    }
}
