//! What real clients do with a web identity: libraries and tools, each as one file of `assets/clients`.

pub mod aws_choice;
mod behaviour;
#[cfg(test)]
mod choice_tests;
pub mod entra_choice;
pub mod google;
mod prints;
mod surroundings;

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

pub use prints::Prints;

use super::ids::Cloud;
pub use behaviour::{
    Authority, AwsAttempts, AwsBehaviour, AzureAttempts, AzureBehaviour, EmptyKeys, EndpointForm, Next, NoRegion,
    Scope, SharedProfile, TokenPlace, TokenSent, UnknownProfile,
};
pub use google::GoogleBehaviour;
pub use surroundings::{ProfileKeys, Surroundings, TRUST_VARIABLES, TokenFile};

/// One client, in one version.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Client {
    /// The stable id: its file's name.
    #[serde(skip_deserializing)]
    pub id: &'static str,
    /// How a sentence calls it.
    pub name: String,
    /// What was looked at.
    pub version: String,
    /// The day that it was looked at.
    pub date: String,
    pub basis: Basis,
    /// The page that says so, where it is documented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// Other names of it, and programs that have it inside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Whether a warning is due where nobody said which client runs.
    #[serde(default)]
    pub common: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<AwsBehaviour>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azure: Option<AzureBehaviour>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub google: Option<GoogleBehaviour>,
    /// How its failures read; absent where nothing in them is its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prints: Option<Prints>,
}

/// How it is known what a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Basis {
    /// It was run, and what it sent was seen.
    Measured,
    /// Its documentation says so.
    Documented,
}

struct Entry {
    id: &'static str,
    text: &'static str,
    client: OnceLock<Result<Client, serde_json::Error>>,
}

macro_rules! clients {
    ($($id:literal)*) => {
        /// Read one at a time, when somebody asks for it.
        static CLIENTS: [Entry; [$($id),*].len()] = [$(Entry {
            id: $id,
            text: asset!(concat!("clients/", $id)),
            client: OnceLock::new(),
        },)*];
    };
}

clients! {
    "boto3" "aws-cli-v2" "aws-cli-v1" "js-v3" "js-v2" "go-v2" "rclone-1.60" "s5cmd" "java-v2" "java-v1" "dotnet" "rust"
    "pyarrow" "awscrt" "obstore" "opendal" "gdal" "rasterio" "deltalake" "polars" "polars-boto3" "s3fs" "smart-open"
    "tensorstore" "tiledb" "restic" "s3cmd" "aws-creds"
    "google-auth" "google-auth-library" "google-secret-manager" "google-secret-manager-rest" "google-secret-manager-js"
    "google-secret-manager-js-rest" "google-storage" "google-storage-js" "firebase-admin" "google-rust" "gcsfs" "rclone-1.75"
    "daft-google" "gsutil" "gcloud"
    "azure-python" "azure-python-workload" "azure-js" "azure-js-workload" "azure-rust" "msal-python" "az"
}

impl Entry {
    fn client(&'static self) -> Option<&'static Client> {
        let read = || serde_json::from_str(self.text).map(|client| Client { id: self.id, ..client });
        self.client.get_or_init(read).as_ref().ok()
    }
}

impl Client {
    /// Every client, the usual ones of each cloud first.
    pub fn all() -> impl Iterator<Item = &'static Client> {
        CLIENTS.iter().filter_map(Entry::client)
    }

    /// Those that a warning is due about where nobody said which client runs.
    pub fn common() -> impl Iterator<Item = &'static Client> {
        // Only those are read that say so.
        let says_so = |entry: &&Entry| entry.text.contains("\"common\":true");
        CLIENTS.iter().filter(says_so).filter_map(Entry::client)
    }

    /// The client of this id, or that people also call so.
    pub fn named(name: &str) -> Option<&'static Client> {
        let name = name.trim().to_ascii_lowercase();
        let by_id = CLIENTS.iter().find(|entry| entry.id == name).and_then(Entry::client);
        let quoted = format!("\"{name}\"");
        let mut mentions = CLIENTS.iter().filter(|entry| entry.text.contains(&quoted)).filter_map(Entry::client);
        by_id.or_else(|| mentions.find(|client| client.also.contains(&name)))
    }

    /// The words that clients' texts are known by, each with the client's id.
    pub fn marks() -> impl Iterator<Item = (&'static str, &'static str)> {
        CLIENTS.iter().flat_map(|entry| prints::marks_in(entry.text).into_iter().map(|mark| (mark, entry.id)))
    }

    /// Whether it is known what it does at this cloud.
    pub fn is_of(&self, cloud: Cloud) -> bool {
        match cloud {
            Cloud::Aws => self.aws.is_some(),
            Cloud::Azure => self.azure.is_some(),
            Cloud::Gcp => self.google.is_some(),
        }
    }

    /// The name of a session as it makes one, where it is told none: of a fixed time, for what is judged by its form.
    pub fn session_name(&self) -> Option<String> {
        Some(session_name(&self.aws.as_ref()?.session_name, 1_800_000_000_000_000_000))
    }

    /// How it sends the token to this cloud.
    pub fn sends_token(&self, cloud: Cloud) -> TokenSent {
        let sent = match cloud {
            Cloud::Aws => self.aws.as_ref().map(|aws| aws.token),
            Cloud::Azure => self.azure.as_ref().map(|azure| azure.token),
            Cloud::Gcp => self.google.as_ref().map(|google| google.token),
        };
        sent.unwrap_or_default()
    }

    /// Every id.
    pub fn ids() -> impl Iterator<Item = &'static str> {
        CLIENTS.iter().map(|entry| entry.id)
    }
}

/// A session's name from what it looks like, for a time in nanoseconds since 1970.
pub fn session_name(template: &str, nanos: u128) -> String {
    let bits = nanos ^ nanos.rotate_left(67);
    let uuid = format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        bits as u32,
        (bits >> 32) as u16,
        (bits >> 48) & 0xfff,
        (bits >> 60) & 0xfff,
        (bits >> 72) & 0xffff_ffff_ffff
    );
    template
        .replace("{seconds}", &(nanos / 1_000_000_000).to_string())
        .replace("{milliseconds}", &(nanos / 1_000_000).to_string())
        .replace("{nanoseconds}", &nanos.to_string())
        .replace("{uuid}", &uuid)
        .replace("{UUID}", &uuid.to_uppercase())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_file_is_a_client_and_every_client_has_a_file() {
        for entry in &CLIENTS {
            let read = entry.client.get_or_init(|| serde_json::from_str(entry.text));
            assert!(read.is_ok(), "{}: {read:?}", entry.id);
        }
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/clients");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        files.sort();
        let mut ids: Vec<&str> = Client::ids().collect();
        ids.sort_unstable();
        assert_eq!(files, ids);
    }

    #[test]
    fn a_name_means_one_client() {
        let mut named = BTreeMap::new();
        for client in Client::all() {
            for name in client.also.iter().map(String::as_str).chain([client.id]) {
                assert_eq!(named.insert(name, client.id), None, "{name}");
                assert_eq!(name, name.to_lowercase());
                assert_eq!(Client::named(name).unwrap().id, client.id);
            }
        }
        assert_eq!(Client::named(" Boto3 ").unwrap().id, "boto3");
        assert_eq!(Client::named("botocore4").map(|client| client.id), None);
    }

    #[test]
    fn what_is_documented_names_its_page_and_what_is_measured_its_day() {
        for client in Client::all() {
            assert_eq!(client.docs.is_some(), client.basis == Basis::Documented, "{}", client.id);
            assert!(client.date.starts_with("20") && client.date.len() == 10, "{}", client.id);
            assert!(client.aws.is_some() || client.azure.is_some() || client.google.is_some(), "{}", client.id);
        }
    }

    #[test]
    fn the_common_ones_are_those_whose_files_say_so() {
        let by_field: Vec<&str> = Client::all().filter(|client| client.common).map(|client| client.id).collect();
        assert_eq!(Client::common().map(|client| client.id).collect::<Vec<_>>(), by_field);
    }

    #[test]
    fn each_cloud_has_common_clients() {
        assert!(Client::common().filter(|client| client.aws.is_some()).count() >= 5);
        assert!(Client::common().filter(|client| client.azure.is_some()).count() >= 3);
        assert!(Client::common().filter(|client| client.google.is_some()).count() >= 4);
    }
}
