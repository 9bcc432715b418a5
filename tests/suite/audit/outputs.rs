//! The audit's forms for machines: SARIF by the rules of its published schema, JUnit, annotations, lines; thresholds,
//! suppressions, baselines and shares in each.

use std::fs;

use serde_json::{Value, json};

use super::{GITHUB, audit, by_subject, folder_with, json_of, role};

/// What the published schema of SARIF 2.1.0 says of an object: its name there, what it must have, and what it may have
/// besides, of what is written here. It takes no other members (`additionalProperties` is false) but in property bags.
const SCHEMA: [(&str, &[&str], &[&str]); 15] = [
    ("sarifLog", &["version", "runs"], &["$schema"]),
    ("run", &["tool"], &["invocations", "results", "properties"]),
    ("tool", &["driver"], &[]),
    ("toolComponent", &["name"], &["version", "informationUri", "rules"]),
    ("reportingDescriptor", &["id"], &["shortDescription", "fullDescription", "helpUri"]),
    ("multiformatMessageString", &["text"], &[]),
    ("invocation", &["executionSuccessful"], &["toolExecutionNotifications"]),
    ("notification", &["message"], &["level", "locations"]),
    ("result", &["message"], &["ruleId", "level", "partialFingerprints", "properties", "locations", "suppressions"]),
    ("message", &["text"], &[]),
    ("location", &[], &["physicalLocation", "logicalLocations"]),
    ("physicalLocation", &["artifactLocation"], &["region"]),
    ("artifactLocation", &[], &["uri"]),
    ("region", &[], &["startLine"]),
    ("suppression", &["kind"], &["status", "justification"]),
];

/// Which objects a member holds.
const HOLDS: [(&str, &str); 18] = [
    ("runs", "run"),
    ("tool", "tool"),
    ("driver", "toolComponent"),
    ("rules", "reportingDescriptor"),
    ("shortDescription", "multiformatMessageString"),
    ("fullDescription", "multiformatMessageString"),
    ("invocations", "invocation"),
    ("toolExecutionNotifications", "notification"),
    ("results", "result"),
    ("message", "message"),
    ("locations", "location"),
    ("physicalLocation", "physicalLocation"),
    ("artifactLocation", "artifactLocation"),
    ("region", "region"),
    ("suppressions", "suppression"),
    ("logicalLocations", ""),
    ("properties", ""),
    ("partialFingerprints", ""),
];

fn hold_to_schema(kind: &str, object: &Value, at: &str) {
    let (_, required, allowed) =
        SCHEMA.iter().find(|(name, ..)| *name == kind).unwrap_or_else(|| panic!("{at}: {kind}"));
    let members = object.as_object().unwrap_or_else(|| panic!("{at} is no object: {object}"));
    for name in *required {
        assert!(members.contains_key(*name), "{at} has no {name}: {object:#}");
    }
    for (name, value) in members {
        assert!(required.contains(&name.as_str()) || allowed.contains(&name.as_str()), "{at} has {name}: {object:#}");
        let at = format!("{at}.{name}");
        match HOLDS.iter().find(|(member, _)| member == name) {
            Some((_, "")) => {}
            Some((_, held)) => match value.as_array() {
                Some(items) => items.iter().for_each(|item| hold_to_schema(held, item, &at)),
                None => hold_to_schema(held, value, &at),
            },
            None => assert!(!value.is_object() && !value.is_array() && !value.is_null(), "{at}: {value}"),
        }
    }
    let one_of = |name: &str, all: &[&str]| {
        let value = members.get(name).and_then(Value::as_str);
        assert!(value.is_none_or(|value| all.contains(&value)), "{at}.{name}: {value:?}");
    };
    one_of("level", &["none", "note", "warning", "error"]);
    match kind {
        "sarifLog" => assert_eq!(object["version"], "2.1.0"),
        "region" => assert!(object["startLine"].as_u64() >= Some(1), "{at}: {object}"),
        "artifactLocation" => assert!(object["uri"].as_str().is_some_and(is_reference), "{at}: {object}"),
        "suppression" => {
            one_of("kind", &["inSource", "external"]);
            one_of("status", &["accepted", "underReview", "rejected"]);
        }
        _ => {}
    }
}

/// Whether a text is a reference as RFC 3986 has it: no signs but those that stand for themselves, and whole escapes.
fn is_reference(text: &str) -> bool {
    let is_sign = |sign: char| sign.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(sign);
    let escapes = text.split('%').skip(1);
    text.chars().all(is_sign)
        && escapes.into_iter().all(|rest| rest.get(..2).is_some_and(|hex| u8::from_str_radix(hex, 16).is_ok()))
}

fn fleet() -> tempfile::TempDir {
    let dead = role("dead", json!([by_subject(GITHUB, "StringEquals", "repo:<OWNER>/app:ref:refs/heads/main")]));
    let wide = role("wide", json!([by_subject(GITHUB, "StringLike", "repo:octo/*")]));
    let any_ref = role("any-ref", json!([by_subject(GITHUB, "StringLike", "repo:octo/app:*")]));
    let open = role("open", json!([by_subject(GITHUB, "StringLike", "*")]));
    let account = format!("{:#}", json!({"RoleDetailList": [dead, wide, any_ref, open]}));
    folder_with(&[("ä b%[1].json", account), ("broken.json", "{\"RoleDetailList\": [{".to_owned())])
}

const FILES: [&str; 2] = ["ä b%[1].json", "broken.json"];

fn printed(folder: &tempfile::TempDir, more: &[&str]) -> String {
    String::from_utf8(audit(folder.path(), &[&FILES[..], more].concat()).stdout).unwrap()
}

/// The id of each role's worst finding.
fn id_of(document: &Value, name: &str) -> String {
    let findings = document["findings"].as_array().unwrap();
    let of_role = findings.iter().find(|finding| finding["resource"].as_str().unwrap().ends_with(&format!("/{name}")));
    of_role.unwrap()["id"].as_str().unwrap().to_owned()
}

#[test]
fn sarif_holds_to_its_published_schema() {
    let folder = fleet();
    let document = json_of(folder.path(), &FILES);
    let suppression = |name: &str, day: &str| {
        format!("[[suppress]]\nid = \"{}\"\nreason = \"SEC-1\"\nexpires = \"{day}\"\n", id_of(&document, name))
    };
    let file = suppression("wide", "2999-01-01") + &suppression("open", "2020-01-01");
    fs::write(folder.path().join("accepted.toml"), file).unwrap();
    let sarif: Value =
        serde_json::from_str(&printed(&folder, &["--suppress", "accepted.toml", "--output", "sarif"])).unwrap();
    hold_to_schema("sarifLog", &sarif, "log");
    let run = &sarif["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 4, "{results:#?}");
    let rules: Vec<&Value> =
        run["tool"]["driver"]["rules"].as_array().unwrap().iter().map(|rule| &rule["id"]).collect();
    assert!(results.iter().all(|result| rules.contains(&&result["ruleId"])), "every result has its rule");
    let suppressed: Vec<&Value> = results.iter().filter(|result| result.get("suppressions").is_some()).collect();
    assert_eq!(suppressed.len(), 1, "what expired counts again");
    assert_eq!(suppressed[0]["suppressions"][0]["justification"], "SEC-1");
    let open = results
        .iter()
        .find(|result| result["partialFingerprints"]["trustline/v1"] == id_of(&document, "open").as_str());
    assert!(open.unwrap()["level"] == "error");
    assert!(run["invocations"][0]["toolExecutionNotifications"].to_string().contains("broken.json"));
}

#[test]
fn a_findings_fingerprint_stays_where_its_line_moves() {
    let folder = fleet();
    let fingerprints = |text: &str| {
        let sarif: Value = serde_json::from_str(text).unwrap();
        let results = sarif["runs"][0]["results"].as_array().unwrap().clone();
        let mut all: Vec<(String, u64)> = results
            .iter()
            .map(|result| {
                let id = result["partialFingerprints"]["trustline/v1"].as_str().unwrap().to_owned();
                (id, result["locations"][0]["physicalLocation"]["region"]["startLine"].as_u64().unwrap())
            })
            .collect();
        all.sort_unstable();
        all
    };
    let before = fingerprints(&printed(&folder, &["--output", "sarif"]));
    let path = folder.path().join(FILES[0]);
    fs::write(&path, format!("\n\n\n{}", fs::read_to_string(&path).unwrap())).unwrap();
    let after = fingerprints(&printed(&folder, &["--output", "sarif"]));
    let moved: Vec<(String, u64)> = before.into_iter().map(|(id, line)| (id, line + 3)).collect();
    assert_eq!(after, moved);
}

#[test]
fn every_threshold_counts_itself_and_what_is_worse() {
    let folder = fleet();
    for (name, severity) in [("open", 0), ("wide", 1), ("any-ref", 2), ("dead", 3)] {
        let account = fs::read_to_string(folder.path().join(FILES[0])).unwrap();
        let mut account: Value = serde_json::from_str(&account).unwrap();
        account["RoleDetailList"].as_array_mut().unwrap().retain(|role| role["RoleName"] == name);
        fs::write(folder.path().join("one.json"), account.to_string()).unwrap();
        for (at, threshold) in ["critical", "high", "medium", "low"].iter().enumerate() {
            let status = audit(folder.path(), &["one.json", "--fail-on", threshold]).status.code();
            assert_eq!(status, Some(i32::from(severity <= at)), "{name} with --fail-on {threshold}");
        }
    }
}

#[test]
fn junit_is_well_formed_and_its_counts_are_its_cases() {
    let xml = printed(&fleet(), &["--output", "junit"]);
    let (mut open, mut cases, mut failures, mut errors) = (Vec::new(), 0, 0, 0);
    for token in xmlparser::Tokenizer::from(xml.as_str()) {
        match token.unwrap_or_else(|error| panic!("{error}: {xml}")) {
            xmlparser::Token::ElementStart { local, .. } => {
                match local.as_str() {
                    "testcase" => cases += 1,
                    "failure" => failures += 1,
                    "error" => errors += 1,
                    _ => {}
                }
                open.push(local.as_str().to_owned());
            }
            xmlparser::Token::ElementEnd { end: xmlparser::ElementEnd::Close(_, local), .. } => {
                assert_eq!(open.pop().as_deref(), Some(local.as_str()), "{xml}");
            }
            xmlparser::Token::ElementEnd { end: xmlparser::ElementEnd::Empty, .. } => drop(open.pop()),
            _ => {}
        }
    }
    assert!(open.is_empty(), "{open:?} {xml}");
    assert_eq!((cases, failures, errors), (5, 4, 1), "{xml}");
    assert!(xml.contains("tests=\"5\" failures=\"4\" errors=\"1\""), "{xml}");
}

#[test]
fn an_annotation_is_one_line_and_names_its_place() {
    let printed = printed(&fleet(), &["--output", "github"]);
    for line in printed.lines() {
        let (command, _) =
            line.strip_prefix("::").and_then(|rest| rest.split_once("::")).unwrap_or_else(|| panic!("{line}"));
        let (level, properties) = command.split_once(' ').unwrap_or_else(|| panic!("{line}"));
        assert!(["error", "warning", "notice"].contains(&level), "{line}");
        assert!(properties.split(',').all(|property| property.split_once('=').is_some()), "{line}");
    }
    assert!(printed.contains("file=ä b%25[1].json,line="), "{printed}");
    assert!(
        printed.lines().any(|line| line.starts_with("::warning file=broken.json,line=1,title=not judged::")),
        "{printed}"
    );
}

#[test]
fn an_expired_suppression_says_so_in_every_form_and_a_baseline_is_read_from_lines() {
    let folder = fleet();
    let document = json_of(folder.path(), &FILES);
    let id = id_of(&document, "open");
    let expired = format!("[[suppress]]\nid = \"{id}\"\nreason = \"SEC-9\"\nexpires = \"2020-01-01\"\n");
    fs::write(folder.path().join("expired.toml"), expired).unwrap();
    for form in ["text", "json", "ndjson", "markdown", "sarif", "junit", "github"] {
        let printed = printed(&folder, &["--suppress", "expired.toml", "--output", form]);
        let said = printed.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("its suppression (SEC-9) expired on 2020-01-01"), "{form}: {printed}");
    }
    fs::write(folder.path().join("before.ndjson"), printed(&folder, &["--output", "ndjson"])).unwrap();
    let after = json_of(folder.path(), &[FILES[0], "--baseline", "before.ndjson"]);
    assert_eq!((&after["findings"], &after["read"]["in_baseline"]), (&json!([]), &json!(4)), "{after:#}");
}

#[test]
fn a_share_is_told_by_each_ci_and_together_they_are_all() {
    let names: Vec<String> = (0..5).map(|at| format!("{at}.json")).collect();
    let wide =
        |name: &str| json!({"RoleDetailList": [role(name, json!([by_subject(GITHUB, "StringLike", "repo:octo/*")]))]});
    let files: Vec<(&str, String)> = names.iter().map(|name| (name.as_str(), wide(name).to_string())).collect();
    let folder = folder_with(&files);
    for (index, first, total) in [
        ("JOB_COMPLETION_INDEX", 0, "TRUSTLINE_SHARDS"),
        ("CI_NODE_INDEX", 1, "CI_NODE_TOTAL"),
        ("CIRCLE_NODE_INDEX", 0, "CIRCLE_NODE_TOTAL"),
        ("BUILDKITE_PARALLEL_JOB", 0, "BUILDKITE_PARALLEL_JOB_COUNT"),
        ("TRUSTLINE_SHARD", 1, "TRUSTLINE_SHARDS"),
    ] {
        let mut found = 0;
        for machine in 0..2 {
            let output = crate::support::trustline()
                .args(["audit", ".", "--shard", "auto", "--output", "json"])
                .envs([(index, (machine + first).to_string()), (total, "2".to_owned())])
                .current_dir(folder.path())
                .output()
                .unwrap();
            let document: Value = serde_json::from_slice(&output.stdout).unwrap();
            let own = document["findings"].as_array().unwrap().len();
            assert!((2..=3).contains(&own), "{index}: {document:#}");
            found += own;
        }
        assert_eq!(found, 5, "{index}");
    }
    let output = audit(folder.path(), &[".", "--shard", "auto"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("JOB_COMPLETION_INDEX"));
}
