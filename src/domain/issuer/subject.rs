//! The grammar of the well-known issuers' subjects: what each part is called, and what decides its value.

use super::IssuerKind;

/// One part of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// What the part is, such as `branch`.
    pub name: &'static str,
    pub value: &'a str,
    /// What decides its value.
    pub meaning: &'static str,
}

impl Segment<'_> {
    /// Where the part's value starts in `subject`, in bytes; `None` where the part is not of this very text.
    pub fn start_in(&self, subject: &str) -> Option<usize> {
        let start = (self.value.as_ptr() as usize).checked_sub(subject.as_ptr() as usize)?;
        subject.get(start..)?.starts_with(self.value).then_some(start)
    }
}

/// A GitHub subject: `repo:OWNER/REPO:CONTEXT`, or with ids `repo:OWNER@ID/REPO@ID:CONTEXT`
/// (<https://docs.github.com/en/actions/reference/security/oidc>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GithubSubject<'a> {
    pub owner: &'a str,
    pub owner_id: Option<&'a str>,
    pub repository: &'a str,
    pub repository_id: Option<&'a str>,
    /// `ref:…`, `environment:…`, `pull_request`, or what a customised template adds.
    pub context: &'a str,
}

impl<'a> GithubSubject<'a> {
    /// Reads a subject, or a pattern for one; `None` where its shape is another.
    pub fn parse(subject: &'a str) -> Option<Self> {
        let (path, context) = subject.strip_prefix("repo:")?.split_once(':')?;
        let (owner, repository) = path.split_once('/')?;
        let with_id = |part: &'a str| match part.split_once('@') {
            Some((name, id)) => (name, Some(id)),
            None => (part, None),
        };
        let (owner, owner_id) = with_id(owner);
        let (repository, repository_id) = with_id(repository);
        Some(GithubSubject { owner, owner_id, repository, repository_id, context })
    }

    /// The subject without ids.
    pub fn by_name(&self) -> String {
        format!("repo:{}/{}:{}", self.owner, self.repository, self.context)
    }

    /// The subject with these ids (the claims `repository_owner_id` and `repository_id`).
    pub fn by_id(&self, owner_id: &str, repository_id: &str) -> String {
        format!("repo:{}@{owner_id}/{}@{repository_id}:{}", self.owner, self.repository, self.context)
    }
}

/// Whether a subject has the parts that the issuer's subjects have; of an issuer without a grammar every subject has.
pub fn is_whole(kind: IssuerKind, subject: &str) -> bool {
    let has_grammar =
        !matches!(kind, IssuerKind::Google | IssuerKind::Cognito | IssuerKind::OracleCloud | IssuerKind::Generic);
    !has_grammar || segments(kind, subject).first().is_some_and(|part| part.name != UNKNOWN)
}

/// What the one part of a subject of another shape is called.
const UNKNOWN: &str = "subject";

/// Takes a subject apart. A subject of another shape comes back as one part.
pub fn segments(kind: IssuerKind, subject: &str) -> Vec<Segment<'_>> {
    let parts = match kind {
        IssuerKind::GithubActions | IssuerKind::GithubEnterpriseServer => github(subject),
        IssuerKind::GitlabCom | IssuerKind::GitlabSelfManaged => gitlab(subject),
        IssuerKind::CircleCi => circleci(subject),
        IssuerKind::TerraformCloud => labelled(subject, &TERRAFORM),
        IssuerKind::Buildkite => labelled(subject, &BUILDKITE),
        IssuerKind::Bitbucket => bitbucket(subject),
        IssuerKind::Eks | IssuerKind::Kubernetes => kubernetes(subject),
        IssuerKind::AgentPlatform => subject.strip_prefix("organization:").map(|uuid| {
            vec![segment("organization", uuid, "the organization's UUID, the same for all its automations")]
        }),
        IssuerKind::Aws => principal(subject),
        IssuerKind::Platform(id) => id.platform().and_then(|platform| {
            let parts = platform.parts(subject)?.into_iter();
            Some(parts.map(|(name, value, meaning)| segment(name, value, meaning)).collect())
        }),
        IssuerKind::Google | IssuerKind::Cognito | IssuerKind::OracleCloud | IssuerKind::Generic => None,
    };
    parts.unwrap_or_else(|| vec![segment(UNKNOWN, subject, "whom the token is about")])
}

const fn segment<'a>(name: &'static str, value: &'a str, meaning: &'static str) -> Segment<'a> {
    Segment { name, value, meaning }
}

/// A principal of an AWS account: `arn:aws:iam::ACCOUNT:role/PATH/NAME`.
fn principal(subject: &str) -> Option<Vec<Segment<'_>>> {
    let (service, rest) = subject.strip_prefix("arn:")?.split_once(':')?.1.split_once("::")?;
    let (account, name) = rest.split_once(':').filter(|_| service == "iam" || service == "sts")?;
    let (kind, name) = name.split_once('/').unwrap_or(("principal", name));
    let kind = match kind {
        "role" | "assumed-role" => "role",
        "user" => "user",
        _ => "principal",
    };
    Some(vec![
        segment("account", account, "the account whose principal it is, and whose issuer this is"),
        segment(kind, name, "the principal that asked for the token, with its path"),
    ])
}

fn github(subject: &str) -> Option<Vec<Segment<'_>>> {
    let parsed = GithubSubject::parse(subject)?;
    let mut parts = vec![segment("owner", parsed.owner, "the organization or user that owns the repository")];
    parts.extend(parsed.owner_id.map(|id| segment("owner id", id, "stays when the owner is renamed")));
    parts.push(segment("repository", parsed.repository, "the repository whose workflow runs"));
    parts.extend(parsed.repository_id.map(|id| segment("repository id", id, "stays when the repository is renamed")));
    let context = parsed.context;
    parts.push(if let Some(name) = context.strip_prefix("environment:") {
        segment("environment", name, "the job names this environment, so neither branch nor tag is in the subject")
    } else if context == "pull_request" {
        segment("event", context, "the workflow runs for a pull request, so no branch is in the subject")
    } else if let Some(branch) = context.strip_prefix("ref:refs/heads/") {
        segment("branch", branch, "the branch the workflow runs on; the job names no environment")
    } else if let Some(tag) = context.strip_prefix("ref:refs/tags/") {
        segment("tag", tag, "the tag the workflow runs on; the job names no environment")
    } else {
        segment("context", context, "what the repository's own subject template puts here")
    });
    Some(parts)
}

fn gitlab(subject: &str) -> Option<Vec<Segment<'_>>> {
    let rest = subject.strip_prefix("project_path:")?;
    let (path, rest) = rest.split_once(":ref_type:")?;
    let (ref_type, reference) = rest.split_once(":ref:")?;
    let (group, project) = path.rsplit_once('/')?;
    Some(vec![
        segment("group", group, "the group, with its parents, that owns the project"),
        segment("project", project, "the project whose pipeline runs"),
        segment("ref type", ref_type, "`branch` or `tag`; a merge request's pipeline has its source branch"),
        segment("ref", reference, "the branch or tag the pipeline runs on"),
    ])
}

fn circleci(subject: &str) -> Option<Vec<Segment<'_>>> {
    let (organization, rest) = subject.strip_prefix("org/")?.split_once("/project/")?;
    let (project, rest) = rest.split_once("/user/")?;
    let (user, origin) = match rest.split_once("/vcs-origin/") {
        Some((user, origin)) => (user, Some(origin)),
        None => (rest, None),
    };
    let mut parts = vec![
        segment("organization", organization, "the CircleCI organization's UUID"),
        segment("project", project, "the CircleCI project's UUID"),
        segment("user", user, "whoever started the pipeline: it changes from run to run"),
    ];
    if let Some((origin, reference)) = origin.and_then(|o| o.split_once("/vcs-ref/")) {
        parts.push(segment("origin", origin, "the repository; only CIRCLE_OIDC_TOKEN_V2 has it"));
        parts.push(segment("ref", reference, "the branch or tag; only CIRCLE_OIDC_TOKEN_V2 has it"));
    }
    Some(parts)
}

/// `LABEL:VALUE` pairs in a fixed order; the last value may hold colons.
type Labels = [(&'static str, &'static str)];

const TERRAFORM: [(&str, &str); 4] = [
    ("organization", "the Terraform organization"),
    ("project", "the project the workspace is in"),
    ("workspace", "the workspace that runs"),
    ("run_phase", "`plan` or `apply`: one run has both, with a token each"),
];

const BUILDKITE: [(&str, &str); 5] = [
    ("organization", "the Buildkite organization"),
    ("pipeline", "the pipeline that runs"),
    ("ref", "the branch or tag"),
    ("commit", "the commit: it changes from build to build"),
    ("step", "the step's key"),
];

fn labelled<'a>(subject: &'a str, labels: &Labels) -> Option<Vec<Segment<'a>>> {
    let mut parts = Vec::with_capacity(labels.len());
    let mut rest = subject;
    for (at, (label, meaning)) in labels.iter().enumerate() {
        rest = rest.strip_prefix(*label)?.strip_prefix(':')?;
        let value = match labels.get(at + 1) {
            Some((next, _)) => {
                let end = rest
                    .match_indices(':')
                    .find(|(i, _)| rest[i + 1..].strip_prefix(*next).is_some_and(|after| after.starts_with(':')))?;
                let value = &rest[..end.0];
                rest = &rest[end.0 + 1..];
                value
            }
            None => rest,
        };
        parts.push(segment(label, value, meaning));
    }
    Some(parts)
}

fn bitbucket(subject: &str) -> Option<Vec<Segment<'_>>> {
    let parts: Vec<&str> = subject.split(':').collect();
    let repository = |value| segment("repository", value, "the repository's UUID, in braces");
    let step = |value| segment("step", value, "the step's UUID: it changes from run to run");
    match parts[..] {
        [r, s] => Some(vec![repository(r), step(s)]),
        [r, e, s] => Some(vec![
            repository(r),
            segment("environment", e, "the deployment environment's UUID: only deployment steps have it"),
            step(s),
        ]),
        _ => None,
    }
}

fn kubernetes(subject: &str) -> Option<Vec<Segment<'_>>> {
    let (namespace, account) = subject.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    Some(vec![
        segment("namespace", namespace, "the namespace the pod runs in"),
        segment("service account", account, "the service account the pod runs as"),
    ])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(kind: IssuerKind, subject: &str) -> Vec<(&'static str, &str)> {
        segments(kind, subject).into_iter().map(|s| (s.name, s.value)).collect()
    }

    #[test]
    fn takes_every_issuers_subject_apart() {
        use IssuerKind::*;
        for (kind, subject, parts) in [
            (
                GithubActions,
                "repo:octo/app:ref:refs/heads/main",
                vec![("owner", "octo"), ("repository", "app"), ("branch", "main")],
            ),
            (
                GithubActions,
                "repo:octo@1/app@22:environment:prod",
                vec![
                    ("owner", "octo"),
                    ("owner id", "1"),
                    ("repository", "app"),
                    ("repository id", "22"),
                    ("environment", "prod"),
                ],
            ),
            (
                GithubActions,
                "repo:o/r:pull_request",
                vec![("owner", "o"), ("repository", "r"), ("event", "pull_request")],
            ),
            (GithubActions, "repo:o/r:ref:refs/tags/v1", vec![("owner", "o"), ("repository", "r"), ("tag", "v1")]),
            (
                GitlabSelfManaged,
                "project_path:a/b/c:ref_type:branch:ref:feature/x",
                vec![("group", "a/b"), ("project", "c"), ("ref type", "branch"), ("ref", "feature/x")],
            ),
            (CircleCi, "org/o/project/p/user/u", vec![("organization", "o"), ("project", "p"), ("user", "u")]),
            (
                CircleCi,
                "org/o/project/p/user/u/vcs-origin/github.com/a/b/vcs-ref/refs/heads/x",
                vec![
                    ("organization", "o"),
                    ("project", "p"),
                    ("user", "u"),
                    ("origin", "github.com/a/b"),
                    ("ref", "refs/heads/x"),
                ],
            ),
            (
                TerraformCloud,
                "organization:o:project:p:workspace:w:run_phase:apply",
                vec![("organization", "o"), ("project", "p"), ("workspace", "w"), ("run_phase", "apply")],
            ),
            (
                Buildkite,
                "organization:o:pipeline:p:ref:refs/heads/main:commit:abc:step:deploy",
                vec![
                    ("organization", "o"),
                    ("pipeline", "p"),
                    ("ref", "refs/heads/main"),
                    ("commit", "abc"),
                    ("step", "deploy"),
                ],
            ),
            (Bitbucket, "{r}:{e}:{s}", vec![("repository", "{r}"), ("environment", "{e}"), ("step", "{s}")]),
            (Eks, "system:serviceaccount:ns:sa", vec![("namespace", "ns"), ("service account", "sa")]),
            (AgentPlatform, "organization:7f3e", vec![("organization", "7f3e")]),
            (Aws, "arn:aws:iam::123456789012:role/a/b", vec![("account", "123456789012"), ("role", "a/b")]),
            (Aws, "123456789012", vec![("subject", "123456789012")]),
            (Generic, "anything", vec![("subject", "anything")]),
            (GithubActions, "octo-customised", vec![("subject", "octo-customised")]),
        ] {
            assert_eq!(named(kind, subject), parts, "{subject}");
        }
    }

    #[test]
    fn a_part_knows_where_it_stands() {
        let subject = String::from("repo:a/a:environment:a");
        let starts: Vec<_> =
            segments(IssuerKind::GithubActions, &subject).iter().map(|s| s.start_in(&subject)).collect();
        assert_eq!(starts, [Some(5), Some(7), Some(21)]);
    }

    #[test]
    fn converts_between_names_and_ids() {
        let subject = GithubSubject::parse("repo:o/r:environment:prod").unwrap();
        assert_eq!(subject.by_id("1", "2"), "repo:o@1/r@2:environment:prod");
        assert_eq!(GithubSubject::parse("repo:o@1/r@2:pull_request").unwrap().by_name(), "repo:o/r:pull_request");
        assert_eq!(GithubSubject::parse("repo:o/r"), None);
    }

    proptest! {
        #[test]
        fn no_subject_panics(subject in "\\PC{0,40}|(organization|pipeline|ref|org|repo|project_path)(:[a-z/@]{0,6}){0,5}") {
            use IssuerKind::*;
            for kind in [GithubActions, GitlabCom, CircleCi, TerraformCloud, Buildkite, Bitbucket, Eks, AgentPlatform, Generic] {
                prop_assert!(!segments(kind, &subject).is_empty());
            }
        }
    }
}
