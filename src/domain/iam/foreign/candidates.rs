//! The strangers of each issuer, furthest first: subjects made from the token's own and from the policy's patterns.

use super::{Candidate, Distance};
use crate::domain::issuer::{Apart, GithubSubject, IssuerKind, Platform, segments};

/// The name of whoever must not get in.
const STRANGER: &str = "someone-else";
const STRANGERS_THING: &str = "someone-elses";
/// Ids that nobody has: one for owners, one for projects.
const OWNER_ID: &str = "999999991";
const PROJECT_ID: &str = "999999992";
const UUID: &str = "00000000-0000-4000-8000-000000000000";

/// Whether a tenant's subject has nothing of the owner's or the policy's own names in it.
pub(super) fn has_nobodys_name(subject: &str) -> bool {
    match subject.split([':', '/']).find(|part| part.contains(STRANGER)) {
        Some(name) => name.split('@').next() == Some(STRANGER),
        // Without a name of the stranger's there are the ids that nobody has.
        None => [UUID, OWNER_ID].iter().any(|id| subject.contains(id)),
    }
}

/// Every stranger worth trying. `subject` is the owner's, `patterns` are what the policy accepts as subjects.
pub(super) fn all(kind: IssuerKind, subject: &str, patterns: &[&str]) -> Vec<Candidate> {
    match kind {
        IssuerKind::GithubActions | IssuerKind::GithubEnterpriseServer => github(subject, patterns),
        IssuerKind::GitlabCom | IssuerKind::GitlabSelfManaged => gitlab(subject, patterns),
        IssuerKind::CircleCi => circleci(subject),
        IssuerKind::TerraformCloud => terraform(subject, patterns),
        IssuerKind::Buildkite => buildkite(subject, patterns),
        IssuerKind::Bitbucket => {
            vec![candidate(Distance::Project, "another repository of the workspace", format!("{{{UUID}}}:{{{UUID}}}"))]
        }
        IssuerKind::Eks | IssuerKind::Kubernetes => kubernetes(subject, patterns),
        IssuerKind::AgentPlatform => {
            vec![candidate(Distance::Tenant, "another organization of the platform", format!("organization:{UUID}"))]
        }
        IssuerKind::Cognito => {
            let mut pool = candidate(Distance::Tenant, "a user of another identity pool", format!("us-east-1:{UUID}"));
            pool.changes.push(("aud", format!("us-east-1:{UUID}")));
            vec![pool]
        }
        // The issuer is one account's, so strangers are its other principals.
        IssuerKind::Aws => {
            let role = subject.split(":role/").next().unwrap_or(subject);
            vec![candidate(Distance::Project, "another role of the account", format!("{role}:role/{STRANGER}"))]
        }
        IssuerKind::Platform(id) => {
            id.platform().map_or_else(Vec::new, |platform| of_platform(platform, subject, patterns))
        }
        IssuerKind::Google => vec![candidate(Distance::Tenant, "another Google account", OWNER_ID.to_owned())],
        IssuerKind::OracleCloud | IssuerKind::Generic => {
            vec![candidate(Distance::Tenant, "another subject of the issuer", STRANGER.to_owned())]
        }
    }
}

/// The strangers that an issuer's file names, each with the names that a pattern may take for the owner's.
fn of_platform(platform: &'static Platform, subject: &str, patterns: &[&str]) -> Vec<Candidate> {
    let own = platform.first_part(subject);
    let owners = stranger_names(patterns.iter().filter_map(|pattern| platform.first_part(pattern)).chain(own));
    let others = [STRANGERS_THING.to_owned()];
    let mut found = Vec::new();
    for stranger in &platform.strangers {
        let (distance, names) = match stranger.distance {
            Apart::Tenant => (Distance::Tenant, owners.as_slice()),
            Apart::Project => (Distance::Project, &others[..]),
            Apart::PullRequest => (Distance::PullRequest, &others[..]),
            Apart::Branch => (Distance::Branch, &others[..]),
        };
        let subjects = platform.subjects_of(stranger, subject, names);
        found.extend(subjects.into_iter().map(|subject| candidate(distance, &stranger.who, subject)));
    }
    found
}

fn candidate(distance: Distance, who: &'static str, subject: String) -> Candidate {
    Candidate { distance, who, subject, changes: Vec::new() }
}

fn github(subject: &str, patterns: &[&str]) -> Vec<Candidate> {
    let own = GithubSubject::parse(subject);
    let owner = own.map_or("", |s| s.owner);
    let repository = own.map_or("app", |s| s.repository);
    let contexts = contexts(own.map_or("ref:refs/heads/main", |s| s.context), patterns);
    let mut repositories = vec![repository.to_owned(), STRANGERS_THING.to_owned()];
    repositories.extend(parts_of(patterns, "repo:", '/', ':').into_iter().map(|(_, r)| filled(r, STRANGERS_THING)));
    let mut found = Vec::new();
    for stranger in stranger_names(parts_of(patterns, "repo:", '/', ':').into_iter().map(|(o, _)| o).chain([owner])) {
        for name in unique(&repositories) {
            for context in &contexts {
                found.extend(github_run(
                    Distance::Tenant,
                    "a repository of another owner",
                    (&stranger, OWNER_ID),
                    name,
                    context,
                ));
            }
        }
    }
    let wide = parts_of(patterns, "repo:", '/', ':').into_iter().map(|(_, r)| r).filter(|r| r.contains(['*', '?']));
    let others: Vec<String> =
        [STRANGERS_THING.to_owned()].into_iter().chain(wide.map(|r| filled(r, STRANGERS_THING))).collect();
    for name in unique(&others).filter(|name| *name != repository) {
        for context in &contexts {
            found.extend(github_run(
                Distance::Project,
                "another repository of the same owner",
                (owner, own.and_then(|own| own.owner_id).unwrap_or(OWNER_ID)),
                name,
                context,
            ));
        }
    }
    let who = "a pull request of the same repository";
    if own.is_none_or(|s| s.context != "pull_request") {
        found.extend(github_own(Distance::PullRequest, who, own.as_ref(), "pull_request"));
    }
    let branch = format!("ref:refs/heads/{STRANGERS_THING}");
    found.extend(github_own(Distance::Branch, "another branch of the same repository", own.as_ref(), &branch));
    found
}

/// A run in a stranger's repository, with the subject by name and by id. The owner has a name and an id.
fn github_run(
    distance: Distance,
    who: &'static str,
    (owner, owner_id): (&str, &str),
    repository: &str,
    context: &str,
) -> [Candidate; 2] {
    let path = format!("{owner}/{repository}");
    let mut changes = vec![
        ("repository", path.clone()),
        ("repository_id", PROJECT_ID.to_owned()),
        ("job_workflow_ref", format!("{path}/.github/workflows/ci.yml@refs/heads/main")),
        ("actor", STRANGER.to_owned()),
        ("actor_id", OWNER_ID.to_owned()),
    ];
    if distance == Distance::Tenant {
        changes.push(("repository_owner", owner.to_owned()));
        changes.push(("repository_owner_id", OWNER_ID.to_owned()));
        changes.push(("enterprise_id", OWNER_ID.to_owned()));
    }
    let by_name = format!("repo:{path}:{context}");
    let by_id = format!("repo:{owner}@{owner_id}/{repository}@{PROJECT_ID}:{context}");
    [by_name, by_id].map(|subject| Candidate { distance, who, subject, changes: changes.clone() })
}

/// A run in the same repository in another context, started by somebody else.
fn github_own(
    distance: Distance,
    who: &'static str,
    own: Option<&GithubSubject<'_>>,
    context: &str,
) -> Option<Candidate> {
    let own = GithubSubject { context, ..*own? };
    let subject = match (own.owner_id, own.repository_id) {
        (Some(owner_id), Some(repository_id)) => own.by_id(owner_id, repository_id),
        _ => own.by_name(),
    };
    let reference = context.strip_prefix("ref:").unwrap_or("refs/pull/1/merge");
    let changes = vec![
        ("ref", reference.to_owned()),
        ("actor", STRANGER.to_owned()),
        ("actor_id", OWNER_ID.to_owned()),
        ("environment", String::new()),
    ];
    Some(Candidate { distance, who, subject, changes })
}

/// The contexts a stranger may choose in a repository of his own: the token's, the usual ones, the policy's.
fn contexts(own: &str, patterns: &[&str]) -> Vec<String> {
    let mut found = vec![own.to_owned(), "ref:refs/heads/main".to_owned(), "pull_request".to_owned()];
    let written = patterns.iter().filter_map(|pattern| {
        let start = ["ref:", "environment:", "pull_request"].iter().filter_map(|mark| pattern.find(mark)).min()?;
        Some(filled(&pattern[start..], "x"))
    });
    found.extend(written.take(6));
    found.push("environment:production".to_owned());
    unique(&found).map(str::to_owned).collect()
}

fn gitlab(subject: &str, patterns: &[&str]) -> Vec<Candidate> {
    let parts = segments(IssuerKind::GitlabCom, subject);
    let [group, project, ref_type, reference] = parts[..] else { return Vec::new() };
    let run = |distance, who, path: &str, ref_type: &str, reference: &str| {
        let mut changes =
            vec![("user_login", STRANGER.to_owned()), ("user_id", OWNER_ID.to_owned()), ("user_email", String::new())];
        if distance != Distance::Branch {
            changes.push(("project_id", PROJECT_ID.to_owned()));
            changes.push(("project_path", path.to_owned()));
        } else {
            changes.push(("ref_protected", "false".to_owned()));
            changes.push(("ref", reference.to_owned()));
        }
        if distance == Distance::Tenant {
            changes.push(("namespace_id", OWNER_ID.to_owned()));
        }
        let subject = format!("project_path:{path}:ref_type:{ref_type}:ref:{reference}");
        Candidate { distance, who, subject, changes }
    };
    let written = parts_of(patterns, "project_path:", '/', ':');
    let groups = stranger_names(written.iter().map(|(g, _)| *g).chain([group.value]));
    let mut found = Vec::new();
    for stranger in groups {
        for name in [project.value, STRANGERS_THING] {
            let path = format!("{stranger}/{name}");
            found.push(run(Distance::Tenant, "a project of another group", &path, ref_type.value, reference.value));
            found.push(run(Distance::Tenant, "a project of another group", &path, "branch", "main"));
        }
    }
    let path = format!("{}/{STRANGERS_THING}", group.value);
    found.push(run(Distance::Project, "another project of the group", &path, ref_type.value, reference.value));
    let path = format!("{}/{}-{STRANGERS_THING}", group.value, project.value);
    found.push(run(Distance::Project, "another project of the group", &path, ref_type.value, reference.value));
    let path = format!("{}/{}", group.value, project.value);
    found.push(run(Distance::Branch, "another branch of the same project", &path, "branch", STRANGERS_THING));
    found
}

fn circleci(subject: &str) -> Vec<Candidate> {
    let parts = segments(IssuerKind::CircleCi, subject);
    let [organization, _, user, ..] = parts[..] else { return Vec::new() };
    let tail = subject.split_once("/vcs-origin/").map(|(_, tail)| format!("/vcs-origin/{tail}")).unwrap_or_default();
    let mut other = candidate(
        Distance::Project,
        "another project of the organization",
        format!("org/{}/project/{UUID}/user/{}{tail}", organization.value, user.value),
    );
    other.changes.push(("oidc.circleci.com/project-id", UUID.to_owned()));
    let branch = subject.split_once("/vcs-ref/").map(|(head, _)| {
        let subject = format!("{head}/vcs-ref/refs/heads/{STRANGERS_THING}");
        candidate(Distance::Branch, "another branch of the same project", subject)
    });
    [other].into_iter().chain(branch).collect()
}

fn terraform(subject: &str, patterns: &[&str]) -> Vec<Candidate> {
    let parts = segments(IssuerKind::TerraformCloud, subject);
    let [organization, project, workspace, phase] = parts[..] else { return Vec::new() };
    let run = |distance, who, organization: &str, project: &str, workspace: &str| {
        let subject =
            format!("organization:{organization}:project:{project}:workspace:{workspace}:run_phase:{}", phase.value);
        candidate(distance, who, subject)
    };
    let written = patterns.iter().filter_map(|p| p.strip_prefix("organization:")?.split(':').next());
    let mut found = Vec::new();
    for stranger in stranger_names(written.chain([organization.value])) {
        let who = "a workspace of another organization";
        found.push(run(Distance::Tenant, who, &stranger, project.value, workspace.value));
    }
    let who = "another workspace of the organization";
    found.push(run(Distance::Project, who, organization.value, STRANGERS_THING, workspace.value));
    found.push(run(Distance::Project, who, organization.value, project.value, STRANGERS_THING));
    let prefixed = format!("{}-{STRANGERS_THING}", workspace.value);
    found.push(run(Distance::Project, who, organization.value, project.value, &prefixed));
    found
}

fn buildkite(subject: &str, patterns: &[&str]) -> Vec<Candidate> {
    let parts = segments(IssuerKind::Buildkite, subject);
    let [organization, pipeline, reference, commit, step] = parts[..] else { return Vec::new() };
    let run = |distance, who, organization: &str, pipeline: &str, reference: &str| {
        let mut changes = Vec::new();
        match distance {
            Distance::Tenant => {
                changes.push(("organization_id", UUID.to_owned()));
                changes.push(("organization_slug", organization.to_owned()));
                changes.push(("pipeline_id", UUID.to_owned()));
                changes.push(("cluster_id", UUID.to_owned()));
            }
            Distance::Project => {
                changes.push(("pipeline_id", UUID.to_owned()));
                changes.push(("pipeline_slug", pipeline.to_owned()));
            }
            Distance::PullRequest | Distance::Branch => changes.push(("build_branch", STRANGERS_THING.to_owned())),
        }
        let subject = format!(
            "organization:{organization}:pipeline:{pipeline}:ref:{reference}:commit:{}:step:{}",
            commit.value, step.value
        );
        Candidate { distance, who, subject, changes }
    };
    let written = patterns.iter().filter_map(|p| p.strip_prefix("organization:")?.split(':').next());
    let mut found = Vec::new();
    for stranger in stranger_names(written.chain([organization.value])) {
        let who = "a pipeline of another organization";
        found.push(run(Distance::Tenant, who, &stranger, pipeline.value, reference.value));
    }
    let who = "another pipeline of the organization";
    found.push(run(Distance::Project, who, organization.value, STRANGERS_THING, reference.value));
    let branch = format!("refs/heads/{STRANGERS_THING}");
    found.push(run(
        Distance::Branch,
        "another branch of the same pipeline",
        organization.value,
        pipeline.value,
        &branch,
    ));
    found
}

fn kubernetes(subject: &str, patterns: &[&str]) -> Vec<Candidate> {
    let parts = segments(IssuerKind::Kubernetes, subject);
    let [namespace, account] = parts[..] else { return Vec::new() };
    let run = |distance, who, namespace: &str, account: &str| {
        candidate(distance, who, format!("system:serviceaccount:{namespace}:{account}"))
    };
    let written = patterns.iter().filter_map(|p| p.strip_prefix("system:serviceaccount:")?.split(':').next());
    let mut found = Vec::new();
    for stranger in stranger_names(written.chain([namespace.value])) {
        found.push(run(Distance::Tenant, "a pod in another namespace", &stranger, account.value));
    }
    let who = "a pod with another service account";
    found.push(run(Distance::Project, who, namespace.value, STRANGERS_THING));
    found.push(run(Distance::Project, who, namespace.value, &format!("{}-{STRANGERS_THING}", account.value)));
    found
}

/// Names that are none of `known` and that patterns made for one of `known` may take for it.
fn stranger_names<'a>(known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names = vec![STRANGER.to_owned()];
    for name in known.take(16) {
        let literal = name.split(['*', '?', '@']).find(|part| !part.is_empty()).unwrap_or_default();
        if !literal.is_empty() {
            names.push(format!("{literal}-{STRANGER}"));
            names.push(format!("{STRANGER}-{literal}"));
        }
        // Single letters that are left open make a name of this length.
        if name.contains('?') {
            names.push(name.split('@').next().unwrap_or_default().replace('*', STRANGER).replace('?', "x"));
        }
    }
    unique(&names).map(str::to_owned).collect()
}

/// The two parts of patterns such as `repo:OWNER/REPO:…`: before and after `middle`, up to `end`.
fn parts_of<'p>(patterns: &[&'p str], start: &str, middle: char, end: char) -> Vec<(&'p str, &'p str)> {
    let parts = patterns.iter().filter_map(|pattern| {
        let path = pattern.strip_prefix(start)?.split(end).next()?;
        Some(path.split_once(middle).unwrap_or((path, "")))
    });
    parts.take(16).collect()
}

/// A pattern with every wildcard replaced by `name`.
fn filled(pattern: &str, name: &str) -> String {
    pattern.replace('*', name).replace('?', "x")
}

fn unique(names: &[String]) -> impl Iterator<Item = &str> {
    names
        .iter()
        .enumerate()
        .filter(|(at, name)| !name.is_empty() && !names[..*at].contains(name))
        .map(|(_, n)| n.as_str())
}
