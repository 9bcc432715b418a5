//! The steps that read Google's own side with the operator's access token.

use std::time::Duration;

use crate::check::facts::operator_google::{GoogleSide, ProjectInForce, ProviderSide, RightsSide, SecretSide};
use crate::check::facts::read::Read;
use crate::check::step::Step;
use crate::domain::profile::Profile;
use crate::probe::google::{GoogleSession, GoogleTarget, operator_session};
use crate::probe::http::HttpStack;

/// What one of the steps brought.
pub enum GoogleSeen {
    /// The session and whose it is, or why there is none; with it the project was asked for.
    SignIn {
        signed_in: Result<(GoogleSession, String), String>,
        project: Option<Box<Read<ProjectInForce>>>,
    },
    Provider(Box<ProviderSide>),
    Rights(Box<RightsSide>),
    Secret(Box<SecretSide>),
}

impl GoogleSeen {
    /// Puts it where it belongs.
    pub fn learn(self, side: &mut GoogleSide, session: &mut Option<GoogleSession>) {
        match self {
            GoogleSeen::SignIn { signed_in, project } => {
                side.identity = Some(signed_in.map(|(opened, identity)| {
                    *session = Some(opened);
                    identity
                }));
                side.project = project.map(|read| *read);
            }
            GoogleSeen::Provider(seen) => side.provider = Some(*seen),
            GoogleSeen::Rights(seen) => side.rights = Some(*seen),
            GoogleSeen::Secret(seen) => side.secret = Some(*seen),
        }
    }
}

/// What a step may use.
pub struct OperatorGiven<'a> {
    pub profile: &'a Profile,
    /// What was read before.
    pub side: &'a GoogleSide,
    pub session: Option<&'a GoogleSession>,
    /// The reads end within this time.
    pub left: Duration,
}

/// Performs one of the steps; nothing where it has nothing to work with.
pub async fn at_google(step: Step, given: OperatorGiven<'_>, http: &HttpStack) -> Option<GoogleSeen> {
    let OperatorGiven { profile, side, session, left } = given;
    let target = GoogleTarget::new(http.clone(), &profile.gcp);
    if step == Step::GoogleOperator {
        let signed_in = operator_session(profile.operator.as_ref()?).await;
        let project = match (&signed_in, &profile.gcp.project_id) {
            (Ok((session, _)), Some(project)) => {
                Some(Box::new(target.operator_reader(session, left).project(project).await))
            }
            _ => None,
        };
        return Some(GoogleSeen::SignIn { signed_in, project });
    }
    let reader = target.operator_reader(session?, left);
    Some(match step {
        Step::GooglePoolProvider => {
            let own = side.project.as_ref().and_then(Read::seen);
            GoogleSeen::Provider(Box::new(reader.provider(profile.gcp.provider.as_ref()?, own).await))
        }
        Step::GoogleBindings => {
            let own = side.project.as_ref().and_then(Read::seen);
            GoogleSeen::Rights(Box::new(reader.rights(profile, own).await?))
        }
        Step::GoogleSecretSettings => GoogleSeen::Secret(Box::new(reader.secret(profile).await?)),
        _ => return None,
    })
}
