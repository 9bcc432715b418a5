//! One profile out of its layers: `--set` before variables before the file before defaults, validated as a whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::credential_file::CredentialFile;
use super::environment::{self, Variables};
use super::expected;
use super::key::{Key, Kind};
use super::setting::{Fault, Origin, Problem, Setting, Value};
use super::value::{command_fault, region_fault, text_fault};
use super::{AwsSettings, AzureSettings, DeploymentSettings, GcpSettings, Guide, Profile, SecretSource, TokenSource};
use crate::domain::arn::RoleArn;
use crate::domain::client::Client;
use crate::domain::ids::Cloud;
use crate::domain::pool_name::ProviderName;
use crate::domain::region;
use crate::domain::secret_ref::SecretRef;

/// A profile, and the settings that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    pub profile: Profile,
    /// The values in effect, defaults included, in the order of [`Key::ALL`]; paths as they will be opened.
    pub settings: Vec<Setting>,
}

/// Merges and validates. Only values in effect are judged: one that a higher layer overrides may be wrong.
///
/// `flags` are those of `--set`, of which the last for a key counts; `file` those of the profile's file.
///
/// # Errors
/// Everything that is wrong, not only the first.
pub fn resolve(
    name: &str,
    flags: &[Setting],
    file: &[Setting],
    variables: Variables<'_>,
) -> Result<Resolved, Vec<Problem>> {
    resolve_with_credentials(name, flags, file, variables, &|| None)
}

/// As [`resolve`], with what the file says that Google's variable names: it goes where the variables do. It is read for
/// Google's guides alone.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_with_credentials(
    name: &str,
    flags: &[Setting],
    file: &[Setting],
    variables: Variables<'_>,
    credentials: &dyn Fn() -> Option<Result<CredentialFile, Problem>>,
) -> Result<Resolved, Vec<Problem>> {
    let mut problems = Vec::new();
    let (guide, guide_origin) = guide(flags, file, variables).unwrap_or_else(|problem| {
        problems.push(problem);
        (environment::guide(variables), Origin::Default)
    });
    let flags: Vec<Setting> = flags.iter().rev().cloned().collect();
    let is_federation = guide.cloud() == Cloud::Gcp && !guide.is_key_beside_aws();
    let credentials = if is_federation { credentials() } else { None };
    let mut around = environment::settings(guide, variables);
    match &credentials {
        Some(Ok(credentials)) => around.extend(credentials.settings(&around)),
        Some(Err(problem)) => problems.push(problem.clone()),
        None => {}
    }
    let layers = [flags, around, file.to_vec(), environment::offers(guide, variables)];
    let mut effective = merge(&layers, &mut problems);
    if let Some(Ok(credentials)) = credentials
        && !effective.keys().any(|key| key.is_token_source())
    {
        problems.extend(credentials.unread_token.clone());
    }
    for setting in effective.values_mut() {
        make_absolute(setting);
        if let Some(fault) = fault(setting) {
            problems.push(Problem::of(setting.key, &setting.origin, fault));
        }
    }
    let judged = |key: &str| problems.iter().any(|problem| problem.key == key);
    let contradictions: Vec<_> = contradictions(guide, &effective).into_iter().filter(|p| !judged(&p.key)).collect();
    problems.extend(contradictions);
    if !problems.is_empty() {
        return Err(problems);
    }
    let id = Value::Text(guide.id().to_owned());
    effective.insert(Key::Guide, Setting { key: Key::Guide, value: id, origin: guide_origin });
    add_defaults(guide, &mut effective);
    let mut profile = build(name, guide, &effective);
    profile.settings = effective.values().cloned().collect();
    Ok(Resolved { profile, settings: effective.into_values().collect() })
}

/// The guide that settings name by themselves.
pub fn guide_of(settings: &[Setting]) -> Option<Guide> {
    let named = settings.iter().rev().find(|setting| setting.key == Key::Guide)?;
    Guide::ALL.iter().copied().find(|guide| named.value == Value::Text(guide.id().to_owned()))
}

type Effective = BTreeMap<Key, Setting>;

/// The guide that is named, else the one that the named cloud and the variables fit.
fn guide(flags: &[Setting], file: &[Setting], variables: Variables<'_>) -> Result<(Guide, Origin), Problem> {
    let named = flags.iter().rev().chain(file).find(|setting| setting.key == Key::Guide);
    if let Some(Setting { value: Value::Text(id), origin, key }) = named {
        if let Some(guide) = Guide::ALL.iter().find(|guide| guide.id() == id) {
            return Ok((*guide, origin.clone()));
        }
        if let Some(fault) = text_fault(*key, id) {
            return Err(Problem::of(*key, origin, fault));
        }
    }
    let names = |table: &str| flags.iter().chain(file).any(|setting| setting.key.table() == table);
    let by_variables = environment::guide(variables);
    let fitting = match Cloud::ALL.iter().find(|cloud| names(cloud.id())) {
        Some(cloud) if *cloud != by_variables.cloud() => {
            Guide::for_tokens(by_variables.workload(), *cloud).unwrap_or_else(|| cloud.workload_identity())
        }
        _ => by_variables,
    };
    Ok((fitting, Origin::Default))
}

/// Keys for one thing: the first one, in a higher layer, goes before the second one in a lower layer.
const MUTUALLY_EXCLUSIVE: &[(Key, Key)] = &[
    (Key::DeploymentTokenEnv, Key::DeploymentTokenFile),
    (Key::DeploymentTokenFile, Key::DeploymentTokenEnv),
    (Key::ClientSecretEnv, Key::ClientSecretFile),
    (Key::ClientSecretFile, Key::ClientSecretEnv),
];

/// Whether a setting of a higher layer stands for the same thing as `below`. A profile of AWS's shared files that a
/// variable names is anybody's, so only a flag goes before the profile's own file with the key.
fn displaces(above: Key, origin: &Origin, below: Key) -> bool {
    let by_flag = (above, below) == (Key::ConfigProfile, Key::AccessKeysCsv) && *origin == Origin::Flag;
    by_flag || MUTUALLY_EXCLUSIVE.contains(&(above, below))
}

/// For every key the setting of the highest layer that has it; of the token's sources only the highest layer's.
fn merge(layers: &[Vec<Setting>], problems: &mut Vec<Problem>) -> Effective {
    let mut effective = Effective::new();
    for layer in layers {
        let token_is_set = effective.keys().any(|key| key.is_token_source());
        let higher: Vec<(Key, Origin)> = effective.values().map(|above| (above.key, above.origin.clone())).collect();
        for setting in layer.iter().filter(|setting| setting.key != Key::Guide && setting.value != Value::Flag(false)) {
            let displaced = higher.iter().any(|(key, origin)| displaces(*key, origin, setting.key));
            if !(displaced || setting.key.is_token_source() && token_is_set) {
                effective.entry(setting.key).or_insert_with(|| setting.clone());
            }
        }
        let sources: Vec<&Setting> = effective.values().filter(|setting| setting.key.is_token_source()).collect();
        if !token_is_set && let [first, .., last] = sources[..] {
            let wrong = format!("is a second source of the token, beside {} ({})", first.key.path(), first.origin);
            problems.push(Problem::of(last.key, &last.origin, Fault::new(wrong, "keep one of the two")));
        }
    }
    // A service's own endpoint goes before the general one of its layer, not before one of a higher layer
    // (AWS SDKs and Tools reference guide, "Service-specific endpoints").
    if let Some(general) = effective.get(&Key::EndpointUrl).map(|setting| rank(&setting.origin)) {
        effective.retain(|key, setting| !key.is_endpoint_of_one_service() || rank(&setting.origin) <= general);
    }
    effective
}

/// How far down a setting's layer is.
fn rank(origin: &Origin) -> u8 {
    match origin {
        Origin::Flag => 0,
        Origin::Variable(_) => 1,
        Origin::File { .. } => 2,
        Origin::Default => 3,
    }
}

/// Makes a relative path of the profile's file start at that file's folder.
fn make_absolute(setting: &mut Setting) {
    if let (Kind::Path, Value::Text(path), Origin::File { path: file, .. }) =
        (setting.key.kind(), &setting.value, &setting.origin)
        && !path.is_empty()
        && !path.starts_with('~')
        && let Some(anchored) = file.parent().unwrap_or(Path::new("")).join(path).to_str()
    {
        setting.value = Value::Text(anchored.to_owned());
    }
}

fn fault(setting: &Setting) -> Option<Fault> {
    match &setting.value {
        Value::Text(text) => text_fault(setting.key, text),
        Value::List(command) => command_fault(command),
        Value::Flag(_) => None,
    }
}

fn add_defaults(guide: Guide, effective: &mut Effective) {
    if !guide.is_aws_web_identity() {
        return;
    }
    let audience = expected::default_audience(guide, &|key| text(effective, key).map(str::to_owned));
    // The name that the client would make is the one that a trust is judged by.
    let client = text(effective, Key::ClientName).map(named_clients).unwrap_or_default().into_iter().next();
    let session = client.and_then(Client::session_name).unwrap_or_else(|| "trustline".to_owned());
    for (key, value) in [(Key::AwsAudience, audience), (Key::SessionName, session)] {
        let setting = Setting { key, value: Value::Text(value), origin: Origin::Default };
        effective.entry(key).or_insert(setting);
    }
}

/// What is wrong with values that are right each by itself.
fn contradictions(guide: Guide, effective: &Effective) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut refuse = |key: Key, fault: Fault| {
        problems.extend(effective.get(&key).map(|setting| Problem::of(key, &setting.origin, fault)));
    };
    let clients = text(effective, Key::ClientName).map(named_clients).unwrap_or_default();
    if let Some(stranger) = clients.iter().find(|client| !client.is_of(guide.cloud())) {
        let cloud = guide.cloud().name();
        let fitting: Vec<&str> = Client::common().filter(|c| c.is_of(guide.cloud())).map(|c| c.id).collect();
        let wrong = format!("names {}, of which nothing is known at {cloud}", stranger.id);
        refuse(
            Key::ClientName,
            Fault::new(wrong, format!("write a client of {cloud}, such as {}", fitting.join(", "))),
        );
    }
    let role = text(effective, Key::RoleArn).and_then(|arn| RoleArn::parse(arn).ok());
    if let Some(region) = text(effective, Key::Region) {
        // Local stacks and regions newer than this program are reached by their own endpoint.
        let own_endpoint = effective.contains_key(&Key::EndpointUrl);
        match (region::partition_of(region), role) {
            (Ok(partition), Some(role)) if partition.id != role.partition => {
                let wrong =
                    format!("`{region}` is of the partition `{}`, and the role of `{}`", partition.id, role.partition);
                let roles_regions = region::partition(&role.partition).and_then(|p| p.regions.first());
                let instead = match roles_regions {
                    Some(first) => {
                        format!("write a region of `{}`, such as `{first}`, or the right role", role.partition)
                    }
                    None => "write the role's region".to_owned(),
                };
                refuse(Key::Region, Fault::new(wrong, instead));
            }
            (Err(_), _) if !own_endpoint => {
                if let Some(fault) = region_fault(region) {
                    refuse(Key::Region, fault);
                }
            }
            _ => {}
        }
    }
    if guide.cloud() != Cloud::Gcp {
        let wrong = format!("names a version, and of {} the current one is read", guide.cloud().name());
        refuse(Key::SecretVersion, Fault::new(wrong, "remove it"));
    }
    if let (Some(tenant), Some(client)) = (text(effective, Key::TenantId), text(effective, Key::ClientId))
        && tenant.eq_ignore_ascii_case(client)
    {
        let wrong = "is the same UUID as azure.tenant-id, and one of the two is the other's";
        refuse(Key::ClientId, Fault::new(wrong, "write the application (client) ID, not the directory (tenant) ID"));
    }
    problems
}

fn text(effective: &Effective, key: Key) -> Option<&str> {
    match &effective.get(&key)?.value {
        Value::Text(text) => Some(text),
        Value::List(_) | Value::Flag(_) => None,
    }
}

fn build(name: &str, guide: Guide, effective: &Effective) -> Profile {
    let text = |key| text(effective, key).map(str::to_owned);
    let path = |key| text(key).map(PathBuf::from);
    let clients = text(Key::ClientName).map(|names| named_clients(&names)).unwrap_or_default();
    let held = |file, env| path(file).map(SecretSource::File).or_else(|| text(env).map(SecretSource::Env));
    Profile {
        name: name.to_owned(),
        selector: String::new(),
        chosen_by: None,
        ending_lab: None,
        operator: None,
        settings: Vec::new(),
        guide,
        issuer_url: text(Key::IssuerUrl),
        organization: text(Key::Organization),
        token: token_source(effective),
        workload: Key::ALL.iter().filter(|key| key.is_workload()).filter_map(|key| Some((*key, text(*key)?))).collect(),
        aws: AwsSettings {
            role_arn: text(Key::RoleArn).and_then(|arn| RoleArn::parse(&arn).ok()),
            region: text(Key::Region),
            trust_policy: path(Key::TrustPolicy),
            identity_policy: path(Key::IdentityPolicy),
            session_name: text(Key::SessionName),
            user_agent: None,
            session_duration_s: text(Key::SessionDuration)
                .and_then(|seconds| seconds.parse().ok())
                .or_else(|| clients.first().and_then(|client| client.aws.as_ref()?.duration_s?.try_into().ok())),
            audience: text(Key::AwsAudience),
            endpoint_url: text(Key::EndpointUrl),
            sts_endpoint_url: text(Key::StsEndpointUrl),
            secretsmanager_endpoint_url: text(Key::SecretsmanagerEndpointUrl),
            iam_endpoint_url: text(Key::IamEndpointUrl),
            kms_endpoint_url: text(Key::KmsEndpointUrl),
            cloudtrail_endpoint_url: text(Key::CloudtrailEndpointUrl),
            iam_toolbox_endpoint_url: text(Key::IamToolboxEndpointUrl),
            config_profile: text(Key::ConfigProfile),
            access_keys_csv: path(Key::AccessKeysCsv),
            external_id: text(Key::ExternalId),
            account_id: text(Key::AccountId),
            secret_prefix: text(Key::SecretPrefix),
            kms_key_arn: text(Key::KmsKeyArn),
            target_role_arn: text(Key::TargetRoleArn).and_then(|arn| RoleArn::parse(&arn).ok()),
        },
        azure: AzureSettings {
            tenant_id: text(Key::TenantId),
            client_id: text(Key::ClientId),
            vault_url: text(Key::VaultUrl),
            vault_name: text(Key::VaultName),
            subscription_id: text(Key::SubscriptionId),
            resource_group: text(Key::ResourceGroup),
            resource_manager_url: text(Key::ResourceManagerUrl),
            federated_credential: path(Key::FederatedCredential),
            authority_host: text(Key::AuthorityHost),
            scope: text(Key::AzureScope),
            client_secret: held(Key::ClientSecretFile, Key::ClientSecretEnv),
        },
        gcp: GcpSettings {
            project_id: text(Key::GcpProject),
            provider: text(Key::GcpProvider).and_then(|name| ProviderName::parse(&name)),
            audience: text(Key::GcpAudience),
            location: text(Key::GcpLocation),
            universe_domain: text(Key::UniverseDomain),
            service_account: text(Key::GcpServiceAccount),
            key_file: path(Key::GcpKeyFile),
            provider_file: path(Key::ProviderFile),
            iam_policy: path(Key::IamPolicy),
            secret_version: text(Key::SecretVersion),
            sts_endpoint_url: text(Key::GcpStsEndpointUrl),
            iamcredentials_endpoint_url: text(Key::GcpIamcredentialsEndpointUrl),
            secretmanager_endpoint_url: text(Key::GcpSecretmanagerEndpointUrl),
            iam_endpoint_url: text(Key::GcpIamEndpointUrl),
            cloudresourcemanager_endpoint_url: text(Key::GcpResourcemanagerEndpointUrl),
            logging_endpoint_url: text(Key::GcpLoggingEndpointUrl),
        },
        secret: text(Key::SecretName).and_then(|name| SecretRef::parse(&name).ok()),
        deployment: DeploymentSettings {
            url: text(Key::DeploymentUrl),
            token: held(Key::DeploymentTokenFile, Key::DeploymentTokenEnv),
            inputs: path(Key::DeploymentInputs),
            variable: text(Key::DeploymentVariable),
        },
        clients,
        acts_as: None,
    }
}

fn named_clients(names: &str) -> Vec<&'static Client> {
    let mut clients: Vec<&Client> = names.split(',').filter_map(Client::named).collect();
    clients.dedup();
    clients
}

fn token_source(effective: &Effective) -> Option<TokenSource> {
    let setting = effective.values().find(|setting| setting.key.is_token_source())?;
    match (setting.key, &setting.value) {
        (Key::TokenFile, Value::Text(path)) => Some(TokenSource::File(PathBuf::from(path))),
        (Key::TokenEnv, Value::Text(name)) => Some(TokenSource::Env(name.clone())),
        (Key::TokenCommand, Value::List(command)) => Some(TokenSource::Command(command.clone())),
        (Key::TokenGithubActions, _) => Some(TokenSource::GithubActions),
        (Key::TokenStdin, _) => Some(TokenSource::Stdin),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::profile::document;

    const ROLE: &str = "arn:aws:iam::123456789012:role/r";

    fn try_with(flags: &[&str], file: &str, set: &[(&str, &str)]) -> Result<Resolved, Vec<Problem>> {
        let flags: Vec<Setting> = flags.iter().map(|flag| document::parse_flag(flag).unwrap()).collect();
        let (file, problems) = document::parse(file, Path::new("/p/p.toml"));
        assert_eq!(problems, []);
        resolve("p", &flags, &file, &|name| set.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    }

    fn with(flags: &[&str], file: &str, set: &[(&str, &str)]) -> Resolved {
        try_with(flags, file, set).unwrap_or_else(|problems| panic!("{problems:#?}"))
    }

    fn origin(resolved: &Resolved, key: Key) -> String {
        resolved.settings.iter().find(|s| s.key == key).map_or("absent".into(), |s| s.origin.to_string())
    }

    #[test]
    fn flags_go_before_variables_before_the_file_before_defaults() {
        let file = "[aws]\nregion = \"us-east-1\"\nsession-name = \"of-file\"";
        let env = [("AWS_REGION", "us-east-2")];
        let all = with(&["aws.region=us-west-1", "aws.region=us-west-2"], file, &env);
        assert_eq!(
            (all.profile.aws.region.as_deref(), origin(&all, Key::Region).as_str()),
            (Some("us-west-2"), "--set")
        );
        let two = with(&[], file, &env);
        assert_eq!(
            (two.profile.aws.region.as_deref(), origin(&two, Key::Region).as_str()),
            (Some("us-east-2"), "AWS_REGION")
        );
        let one = with(&[], file, &[("AWS_REGION", "")]);
        assert_eq!(
            (one.profile.aws.region.as_deref(), origin(&one, Key::Region).as_str()),
            (Some("us-east-1"), "/p/p.toml:2")
        );
        assert_eq!(origin(&one, Key::SessionName), "/p/p.toml:3");
        let none = with(&[], "", &[]);
        assert_eq!(none.profile.aws.session_name.as_deref(), Some("trustline"));
        assert_eq!(origin(&none, Key::SessionName), "default");
    }

    #[test]
    fn the_highest_layers_token_source_counts_alone() {
        let file = "[token]\nenv = \"T\"";
        assert_eq!(with(&[], file, &[]).profile.token, Some(TokenSource::Env("T".into())));
        let env = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/t")];
        assert_eq!(with(&[], file, &env).profile.token, Some(TokenSource::File("/t".into())));
        assert_eq!(with(&["token.stdin=true"], file, &env).profile.token, Some(TokenSource::Stdin));
        // What a CI system merely offers goes behind the file.
        let offered = [("GITHUB_ACTIONS", "true"), ("CIRCLECI", "true"), ("CIRCLE_OIDC_TOKEN", "t")];
        assert_eq!(with(&[], file, &offered).profile.token, Some(TokenSource::Env("T".into())));
        assert_eq!(with(&[], "", &offered).profile.token, Some(TokenSource::Env("CIRCLE_OIDC_TOKEN".into())));
        assert_eq!(with(&[], "", &offered[..1]).profile.token, Some(TokenSource::GithubActions));
    }

    #[test]
    fn a_files_paths_start_at_its_folder_and_others_stay() {
        let made = with(
            &["aws.identity-policy=i.json"],
            "[token]\nfile = \"t.jwt\"\n[aws]\ntrust-policy = \"/abs/t.json\"",
            &[],
        );
        assert_eq!(made.profile.token, Some(TokenSource::File("/p/t.jwt".into())));
        assert_eq!(made.profile.aws.trust_policy, Some("/abs/t.json".into()));
        assert_eq!(made.profile.aws.identity_policy, Some("i.json".into()));
    }

    #[test]
    fn the_guide_follows_what_is_named() {
        for (flags, file, set, guide) in [
            (&[][..], "guide = \"aws-static\"", &[][..], Guide::AwsStatic),
            (&["guide=gitlab-aws"], "guide = \"aws-static\"", &[], Guide::GitlabAws),
            (&[], "[azure]\nvault-url = \"https://my-vault.vault.azure.net\"", &[], Guide::AzureWorkloadIdentity),
            (&["aws.region=us-east-1"], "", &[("AZURE_CLIENT_ID", "x")], Guide::AwsWorkloadIdentity),
            (&[], "[gcp]\nproject-id = \"my-project\"", &[("CIRCLECI", "true")], Guide::GcpWorkloadIdentity),
            (&["aws.region=us-east-1"], "", &[("CIRCLECI", "true")], Guide::CircleciAws),
        ] {
            assert_eq!(with(flags, file, set).profile.guide, guide, "{flags:?} {file} {set:?}");
        }
    }

    #[test]
    fn ci_audiences_follow_the_system() {
        let org = "5b1f2c9e-0000-4000-8000-0123456789ab";
        let circle = with(&[], "", &[("CIRCLECI", "true"), ("CIRCLE_ORGANIZATION_ID", org)]).profile;
        assert_eq!(circle.aws.audience.as_deref(), Some(org));
        assert_eq!(circle.issuer_url, Some(format!("https://oidc.circleci.com/org/{org}")));
        let gitlab = with(&[], "", &[("GITLAB_CI", "true"), ("CI_SERVER_URL", "https://gitlab.example.com")]).profile;
        assert_eq!(gitlab.aws.audience.as_deref(), Some("https://gitlab.example.com"));
        assert_eq!(with(&[], "", &[]).profile.aws.audience.as_deref(), Some("sts.amazonaws.com"));
    }

    #[test]
    fn a_higher_layers_general_endpoint_goes_before_a_lower_ones_own() {
        let own = [("AWS_ENDPOINT_URL_STS", "https://own:1")];
        let made = with(&["aws.endpoint-url=https://general:1"], "", &own).profile.aws;
        assert_eq!((made.endpoint_url.is_some(), made.sts_endpoint_url), (true, None));
        let made = with(&[], "[aws]\nendpoint-url = \"https://general:1\"", &own).profile.aws;
        assert_eq!(made.sts_endpoint_url.as_deref(), Some("https://own:1"));
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let file =
            "guide = \"gcp\"\n[aws]\nrole-arn = \"{role}\"\nregion = \"nowhere\"\n[platform]\norganization = \"x\"";
        let problems = try_with(&[], file, &[("AWS_ROLE_SESSION_NAME", "x y")]).expect_err("wrong");
        let told: Vec<String> = problems.iter().map(|p| format!("{}", p.origin.as_ref().unwrap())).collect();
        let all = ["/p/p.toml:1", "/p/p.toml:6", "/p/p.toml:3", "AWS_ROLE_SESSION_NAME", "/p/p.toml:4"];
        assert_eq!(told, all, "{problems:#?}");
    }

    #[test]
    fn an_overridden_value_is_not_judged() {
        let file = "[aws]\nrole-arn = \"<ROLE_ARN>\"";
        assert!(try_with(&[], file, &[]).is_err());
        assert!(try_with(&[&format!("aws.role-arn={ROLE}")], file, &[]).is_ok());
    }

    #[test]
    fn contradictions_are_refused() {
        let id = "5b1f2c9e-0000-4000-8000-0123456789ab";
        for (file, wrong, instead) in [
            (format!("[aws]\nrole-arn = \"{ROLE}\"\nregion = \"cn-north-1\""), "partition `aws-cn`", "`us-east-1`"),
            ("[aws]\nregion = \"eu-wset-1\"".to_owned(), "not a region", "`eu-west-1`"),
            (format!("[azure]\ntenant-id = \"{id}\"\nclient-id = \"{id}\""), "same UUID", "application (client) ID"),
            ("[token]\nenv = \"A\"\nstdin = true".to_owned(), "second source", "keep one"),
        ] {
            let problems = try_with(&[], &file, &[]).expect_err(&file);
            assert_eq!(problems.len(), 1, "{problems:#?}");
            assert!(problems[0].wrong.contains(wrong), "{}", problems[0]);
            assert!(problems[0].instead.contains(instead), "{}", problems[0].instead);
        }
    }

    #[test]
    fn a_client_is_one_of_the_profiles_cloud_and_brings_its_sessions_name() {
        let named = with(&["client.name=boto3, js-v3"], "", &[]).profile;
        assert_eq!(named.clients.iter().map(|client| client.id).collect::<Vec<_>>(), ["boto3", "js-v3"]);
        assert_eq!(named.aws.session_name.as_deref(), Some("botocore-session-1800000000"));
        let own = with(&["client.name=obstore"], "", &[("AWS_ROLE_SESSION_NAME", "own")]).profile;
        assert_eq!((own.aws.session_name.as_deref(), own.aws.session_duration_s), (Some("own"), Some(3600)));
        for (flag, wrong, instead) in [
            ("client.name=boto4", "`boto4`", "did you mean `boto3`"),
            ("client.name=azure-js", "nothing is known at AWS", "boto3"),
        ] {
            let problems = try_with(&[flag], "", &[]).expect_err(flag);
            assert!(problems[0].wrong.contains(wrong), "{}", problems[0].wrong);
            assert!(problems[0].instead.contains(instead), "{}", problems[0].instead);
        }
    }

    #[test]
    fn local_stacks_may_name_any_region() {
        let file = "[aws]\nregion = \"eu-lab-1\"";
        assert!(try_with(&[], file, &[]).is_err());
        assert!(try_with(&["aws.endpoint-url=http://127.0.0.1:4566"], file, &[]).is_ok());
    }
}
