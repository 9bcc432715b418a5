//! Every lab scenario names its cause first: `cargo test scenario::sub_mismatch` runs one.

use serde_json::Value;
use trustline::check::CheckId;
use trustline::lab::World;

use super::pages::assert_findings_say_the_same;
use super::support::{scenario, trustline};

test_each_scenario! { names_its_cause_first:
    healthy issuer_not_configured discovery_invalid issuer_differs issuer_redirect issuer_slow jwks_unreachable
    jwks_invalid jwks_too_many jwks_key_ops jwks_kid_missing tls_expired tls_name tls_untrusted token_expired
    clock_skew signature_invalid malformed_token opaque_token alg_unsupported aud_multi_without_azp roles_claim
    provider_missing provider_other_issuer aud_not_registered principal_arn_wrong wrong_account role_missing
    role_propagation session_duration action_missing sub_mismatch sub_case_mismatch aud_mismatch condition_key_wrong
    operator_wrong explicit_deny policy_drift trust_not_applied missing_list list_resource_scoped missing_get explicit_deny_read secret_arn_suffix
    versionstage_condition missing_kms kms_key_policy kms_key_state secret_wrong_region secret_not_found secret_empty
    secret_pending_deletion json_key_missing deployment_unreachable deployment_token_wrong deployment_inputs_missing
    rotation_older_answers rotation_static_baked rotation_read_at_import rotation_cached rotation_cached_briefly
    rotation_newline rotation_crlf rotation_whole_json rotation_base64 rotation_other_region rotation_pinned
    rotation_pending_stuck rotation_variable_unset
    r#static static_key_missing static_key_temporary static_key_wrong static_key_deleted static_missing_list
    static_secret_not_found
    assume_role assume_role_denied assume_role_untrusted external_id
    gitlab
    circleci circleci_hop_denied circleci_sub_account circleci_sub_account_caller circleci_sub_account_trust
    azure azure_issuer_not_configured azure_jwks_unreachable azure_jwks_kid_missing azure_signature_invalid
    azure_token_expired azure_clock_ahead azure_token_lifetime azure_iss_mismatch azure_sub_mismatch
    azure_sub_case_mismatch azure_immutable_sub azure_aud_mismatch azure_old_code azure_fic_missing
    azure_fic_propagation azure_tenant_wrong azure_client_wrong azure_sp_missing azure_app_disabled azure_app_multitenant
    azure_conditional_access azure_tenant_policy azure_throttled azure_wrong_scope azure_wrong_resource
    azure_wrong_audience azure_client_secret_wrong azure_client_secret_expired azure_vault_url_missing
    azure_vault_dns azure_vault_tenant azure_challenge_mismatch azure_firewall azure_private_endpoint
    azure_vault_throttled azure_rbac_missing azure_rbac_wrong_role azure_rbac_wrong_principal
    azure_rbac_single_secret azure_rbac_other_secret azure_access_policy_model azure_access_policy_missing azure_access_policy_no_list
    azure_access_policy_compound azure_secret_not_found azure_secret_soft_deleted azure_secret_disabled
    azure_secret_name_invalid azure_name_underscore azure_json_key_missing azure_rotation_static_baked
    azure_rotation_read_at_import azure_rotation_cached azure_rotation_newline azure_rotation_whole_json
    azure_rotation_other_vault azure_rotation_pinned
    gcp gcp_issuer_not_configured gcp_jwks_unreachable gcp_jwks_kid_missing gcp_uploaded_keys_stale
    gcp_signature_invalid gcp_key_p384 gcp_alg_unsupported gcp_malformed_token gcp_token_expired gcp_clock_ahead
    gcp_iss_mismatch gcp_aud_mismatch gcp_aud_list gcp_aud_empty gcp_condition_false gcp_condition_fails
    gcp_mapping_missing gcp_mapping_type gcp_subject_too_long gcp_provider_disabled gcp_provider_deleted
    gcp_pool_disabled gcp_wrong_number gcp_throttled gcp_member_other_organization gcp_member_unmapped
    gcp_accessor_missing gcp_viewer_missing gcp_viewer_on_secret gcp_impersonation_missing
    gcp_service_account_missing
    gcp_folder_binding gcp_organization_binding gcp_deny_project gcp_deny_folder gcp_deny_impersonation
    gcp_api_disabled gcp_latest_disabled gcp_secret_empty gcp_secret_not_found gcp_regional_secret
    gcp_json_key_missing gcp_rotation_read_at_import gcp_rotation_cached gcp_rotation_newline
    gcp_rotation_whole_json gcp_rotation_other_secret gcp_rotation_pinned
    gcp_rotation_variable_unset
    github_aws github_aws_immutable_sub github_aws_environment github_aws_pull_request
    github_aws_reusable_workflow github_aws_audience github_aws_id_token_missing github_aws_enterprise_issuer
    github_aws_case github_azure github_azure_immutable_sub github_azure_environment github_azure_pull_request
    github_azure_reusable_workflow github_azure_audience github_azure_id_token_missing
    github_azure_enterprise_issuer github_gcp github_gcp_immutable_sub github_gcp_environment
    github_gcp_pull_request github_gcp_reusable_workflow github_gcp_audience github_gcp_id_token_missing
    github_gcp_other_repository kubernetes_aws kubernetes_aws_swapped kubernetes_aws_cluster_audience
    kubernetes_aws_token_kept kubernetes_aws_webhook_missing kubernetes_aws_new_cluster
    kubernetes_aws_condition_key kubernetes_azure kubernetes_azure_swapped kubernetes_azure_cluster_audience
    kubernetes_azure_token_kept kubernetes_azure_webhook_missing kubernetes_azure_issuer_slash
    kubernetes_azure_token_lifetime kubernetes_azure_proxy_audience kubernetes_azure_rbac_missing kubernetes_gcp
    kubernetes_gcp_swapped kubernetes_gcp_cluster_audience kubernetes_gcp_token_kept
    kubernetes_gcp_webhook_missing kubernetes_gcp_keys_changed kubernetes_gcp_accessor_missing
    azure_static azure_static_secret_id azure_static_secret_expired azure_static_secret_missing azure_static_tenant_wrong
    azure_static_client_wrong azure_static_contributor azure_static_access_policies azure_static_private_endpoint
    gcp_static gcp_static_key_deleted gcp_static_key_disabled gcp_static_key_missing gcp_static_federation_file gcp_static_account_disabled
    gcp_static_account_deleted gcp_static_clock gcp_static_viewer_missing gcp_static_accessor_missing
    blank
    azure_blank
    gcp_blank
    github_aws_blank
    kubernetes_azure_blank
}

#[test]
fn every_scenario_of_the_lab_has_its_test() {
    let listed = World::list().unwrap();
    assert_eq!(TESTED, listed.iter().map(|scenario| scenario.name.replace('-', "_")).collect::<Vec<_>>());
}

fn names_its_cause_first(name: &str) {
    let about = scenario(name);
    let mut report = named_first(name, &[], about.expects.as_deref());
    if let Some(expected) = about.expects_by_operator {
        let by_operator = named_first(name, &["--operator"], Some(&expected));
        report = if about.expects.is_some() { report } else { by_operator };
    }
    // The console lists it under the link that breaks.
    if let Some(check) = report["findings"][0]["check"].as_str() {
        let check: CheckId = check.parse().unwrap();
        assert_eq!(about.link, Some(check.check().link.name()), "{check}");
    }
}

fn named_first(name: &str, arguments: &[&str], expected: Option<&str>) -> Value {
    let output = trustline().args(["check", "--output", "json", "--lab", name]).args(arguments).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_findings_say_the_same(&report);
    let code = output.status.code();
    // What only warns passes, unless warnings are asked to count.
    let warned = report["checks"].as_array().unwrap().iter().any(|check| check["outcome"] == "warn");
    let Some(expected) = expected else {
        assert_eq!(code, Some(0), "{report:#}");
        assert!(report["verdict"] == "pass" || warned, "{report:#}");
        return report;
    };
    assert_eq!(report["findings"][0]["cause"], expected, "{report:#}");
    assert!(code != Some(0) || warned, "{report:#}");
    report
}

#[test]
fn with_an_operator_a_role_of_another_account_is_not_judged_by_the_first_ones_copy() {
    // What decides is the trust of an account that the operator is not of: nothing is proven, and nothing wrong is said.
    named_first("circleci-sub-account-trust", &["--operator"], Some("assume-role-denied"));
}

#[test]
fn every_check_that_passes_shows_what_it_saw() {
    for name in ["healthy", "static", "assume-role", "circleci-sub-account", "azure"] {
        let output = trustline().args(["check", "--output", "json", "--lab", name]).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let checks = report["checks"].as_array().unwrap();
        assert!(checks.iter().filter(|check| check["outcome"] == "pass").count() > 4, "{name}: {report}");
        for check in checks.iter().filter(|check| check["outcome"] != "skipped") {
            assert!(!check["facts"].as_object().unwrap().is_empty(), "{name}: {} shows nothing", check["id"]);
        }
    }
}
