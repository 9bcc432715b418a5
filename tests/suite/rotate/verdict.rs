//! Every scenario of a rotation leads to its verdict: `cargo test rotate::verdict::rotation_cached` runs one.

use trustline::lab::World;

use super::{NEW, in_lab};
use crate::support::scenario;

test_each_scenario! { leads_to_its_verdict:
    healthy rotation_older_answers rotation_static_baked rotation_read_at_import rotation_cached
    rotation_cached_briefly rotation_newline rotation_crlf rotation_whole_json rotation_base64 rotation_other_region
    rotation_pinned rotation_pending_stuck rotation_variable_unset azure azure_rotation_static_baked
    azure_rotation_read_at_import azure_rotation_cached azure_rotation_newline azure_rotation_whole_json
    azure_rotation_other_vault azure_rotation_pinned
    gcp gcp_rotation_read_at_import gcp_rotation_cached gcp_rotation_newline
    gcp_rotation_whole_json gcp_rotation_other_secret gcp_rotation_pinned
    gcp_rotation_variable_unset
}

#[test]
fn every_scenario_of_a_rotation_has_its_test() {
    for scenario in World::list().unwrap().iter().filter(|scenario| scenario.rotation.is_some()) {
        assert!(TESTED.contains(&scenario.name.replace('-', "_").as_str()), "{}", scenario.name);
    }
}

fn leads_to_its_verdict(name: &str) {
    // Where nothing is wrong, the new value arrives.
    let verdict = scenario(name).rotation.unwrap_or_else(|| "propagated".to_owned());
    let (report, code) = match verdict.as_str() {
        // Nobody writes there: the rotation that was begun long ago stands in the way.
        "pending-stuck" => in_lab(name, &["--wait", "0"], ""),
        "propagated" => in_lab(name, &["--put", "--yes", "--kickoff", "--wait", "60"], NEW.0),
        _ => in_lab(name, &["--put", "--yes", "--kickoff"], NEW.0),
    };
    let wanted = match verdict.as_str() {
        "propagated" => 0,
        "inconclusive" => 3,
        _ => 1,
    };
    assert_eq!((report["verdict"].as_str(), code), (Some(verdict.as_str()), wanted), "{report:#}");
}
