//! Worlds that no scenario describes, one a file of the folder `worlds`: each is fixed as printed and brought back.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::{Site, closes, first_cause, own_fix};
use crate::support::RunningLab;

/// A test for each file of the folder.
macro_rules! worlds {
    ($($name:ident),* $(,)?) => {
        mod world {
            $(
                #[test]
                #[ignore = "needs the AWS CLI (TRUSTLINE_TEST_AWS_CLI)"]
                fn $name() {
                    super::fixed_and_brought_back(stringify!($name));
                }
            )*
        }
        const WORLDS: &[&str] = &[$(stringify!($name)),*];
    };
}

worlds! {
    any_value_of_audiences,
    boundary_withholds_list,
    boundary_withholds_read,
    customer_key_without_copy,
    deny_all_but_another,
    deny_of_every_get,
    deny_of_insecure_and_ours,
    if_exists_on_subject,
    key_pending_deletion,
    list_and_read_of_another_region,
    managed_policy_with_copy,
    path_and_two_policies,
    read_of_a_version_stage_and_deny,
    resource_policy_denies,
    several_issuers,
    string_like_of_several,
    two_allows_half_right_each,
    user_reads_and_lists_not,
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/fixes/worlds"))
}

fn description(name: &str) -> String {
    std::fs::read_to_string(folder().join(format!("{}.toml", name.replace('_', "-")))).unwrap()
}

fn fixed_and_brought_back(name: &str) {
    let text = description(name);
    let site = Site::new(RunningLab::world(&text));
    let named = toml::from_str::<toml::Table>(&text).unwrap();
    assert_eq!(first_cause(&site.check()), named["expects"].as_str());
    assert_eq!(closes(&site), [""; 0]);
}

#[test]
fn every_file_of_the_folder_has_its_test() {
    let files = std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
    let files: BTreeSet<String> =
        files.map(|path| path.file_stem().unwrap().to_str().unwrap().replace('-', "_")).collect();
    assert_eq!(files, WORLDS.iter().map(|name| (*name).to_owned()).collect());
}

#[test]
#[ignore = "needs the AWS CLI (TRUSTLINE_TEST_AWS_CLI)"]
fn only_the_statement_that_is_wrong_is_touched() {
    let site = Site::new(RunningLab::world(&description("several-issuers")));
    let copy = || -> Value {
        serde_json::from_str(&std::fs::read_to_string(site.lab.file("trust-policy.json")).unwrap()).unwrap()
    };
    let before = copy();
    site.sh(own_fix(&site.check()).unwrap()["command"].as_str().unwrap());
    assert_eq!(site.check()["verdict"], "pass");
    let after = copy();
    for index in [0, 2] {
        assert_eq!(after["Statement"][index], before["Statement"][index]);
    }
    let actions = &after["Statement"][1]["Action"];
    assert_eq!(*actions, json!(["sts:AssumeRole", "sts:TagSession", "sts:AssumeRoleWithWebIdentity"]));
    let subjects = after["Statement"][1]["Condition"]["StringEquals"].as_object().unwrap().iter();
    let subjects = subjects.filter(|(key, _)| key.ends_with(":sub")).map(|(_, values)| values).next().unwrap();
    assert_eq!(subjects[0], "organization:0b1e5c77-2f43-4d7a-9c8e-51a3d9e60f24");
    assert!(!subjects[1].as_str().unwrap().contains('*'), "{subjects}");
}
