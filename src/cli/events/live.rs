//! The account's own record, and the trust policies in force, read with the operator's credentials.

use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::audit_log::AuditedProject;
use super::entra::Tenant;
use super::{EventsArgs, input};
use crate::cause::exchange::Trusts;
use crate::cli::exit::CliError;
use crate::cli::flags::ProfileSelector;
use crate::cli::{network, settings, terminal};
use crate::domain::exchange::{Exchange, LogTally};
use crate::domain::iam::Policy;
use crate::domain::ids::Cloud;
use crate::domain::profile::{Operator, Profile};
use crate::domain::timestamp::UnixSeconds;
use crate::probe::aws::{AwsTarget, Session};
use crate::probe::http::HttpStack;
use crate::run::now;

/// How far the record is read back where nobody says.
const A_DAY: UnixSeconds = 86_400;
/// So many roles are asked for at once.
const AT_ONCE: usize = 8;

/// What was read.
pub(in crate::cli) struct Read {
    pub exchanges: Vec<Exchange>,
    pub tally: LogTally,
    pub trusts: Trusts,
    /// Why the record has more than that.
    pub unfinished: Option<String>,
}

/// Reads the files that are named, else the record; and in any case the trust policy of each role.
pub(super) fn read(args: &EventsArgs, profile: Option<Profile>) -> Result<Read, CliError> {
    let profile = match profile {
        Some(profile) => profile,
        None => settings::load_to_read(&ProfileSelector::default())?.profile,
    };
    let operator = args.operator_args.operator(&profile)?;
    let mut logged = Vec::new();
    let files = if args.files.is_empty() {
        None
    } else {
        Some(input::read(&args.files, &mut |exchange| logged.push(exchange))?)
    };
    let stack = args.network.stack()?;
    let runtime = network::runtime()?;
    let since = args.since.unwrap_or_else(|| now() - A_DAY);
    let read = runtime.block_on(async {
        let side = CloudSide::open(stack, &profile, &operator, args.network.timeout).await?;
        terminal::note(&format!("Reading with {}.", side.source()));
        let named = files.map(|tally| (logged, tally));
        side.read(named, since).await
    });
    runtime.shutdown_background();
    let read = read?;
    if let Some(why) = &read.unfinished {
        terminal::note(&format!("There is more: {why}; --timeout gives it more time, --since asks for less."));
    }
    Ok(read)
}

/// The record of a profile's account since a day ago, for the console.
pub(in crate::cli) async fn of_account(
    stack: HttpStack,
    profile: &Profile,
    operator: &Operator,
    timeout: Duration,
) -> Result<Read, CliError> {
    CloudSide::open(stack, profile, operator, timeout).await?.read(None, now() - A_DAY).await
}

/// The account or the directory whose record is read.
enum CloudSide {
    Aws(Box<Account>),
    Entra(Box<Tenant>),
    Google(Box<AuditedProject>),
}

impl CloudSide {
    async fn open(
        stack: HttpStack,
        profile: &Profile,
        operator: &Operator,
        timeout: Duration,
    ) -> Result<Self, CliError> {
        match operator {
            Operator::Aws { profile: shared, file } => {
                let kept_in = (shared.as_deref(), file.as_deref());
                Ok(CloudSide::Aws(Box::new(Account::open(stack, profile, kept_in, timeout).await?)))
            }
            Operator::AzureCli | Operator::AzureApplication { .. } => {
                Ok(CloudSide::Entra(Box::new(Tenant::open(stack, profile, operator, timeout).await?)))
            }
            Operator::Google { .. } => {
                Ok(CloudSide::Google(Box::new(AuditedProject::open(stack, profile, operator, timeout).await?)))
            }
        }
    }

    fn source(&self) -> &str {
        match self {
            CloudSide::Aws(account) => &account.source,
            CloudSide::Entra(tenant) => &tenant.source,
            CloudSide::Google(project) => &project.source,
        }
    }

    async fn read(&self, named: Option<(Vec<Exchange>, LogTally)>, since: UnixSeconds) -> Result<Read, CliError> {
        match self {
            CloudSide::Aws(account) => account.read(named, since).await,
            CloudSide::Entra(tenant) => {
                let (exchanges, tally, trusts) = tenant.read(named, since).await?;
                Ok(Read { exchanges, tally, trusts, unfinished: None })
            }
            CloudSide::Google(project) => {
                let (exchanges, tally, trusts) = project.read(named, since).await?;
                Ok(Read { exchanges, tally, trusts, unfinished: None })
            }
        }
    }
}

/// An account as its operator reads it.
struct Account {
    target: AwsTarget,
    session: Session,
    /// Where the credentials are from.
    source: String,
    deadline: Instant,
}

impl Account {
    /// `shared` and `file` name the shared profile, and the file that it is in.
    async fn open(
        stack: HttpStack,
        profile: &Profile,
        (shared, file): (Option<&str>, Option<&Path>),
        timeout: Duration,
    ) -> Result<Self, CliError> {
        let region = profile.aws.region.clone().filter(|_| profile.guide.cloud() == Cloud::Aws);
        let region = region.ok_or_else(|| {
            CliError::new("the profile names no AWS region whose record to read")
                .with_hint("set aws.region, or AWS_REGION")
        })?;
        let target = AwsTarget { http: stack, region, settings: profile.aws.clone() };
        let (source, session) = target.operator(shared, file).await.map_err(CliError::new)?;
        Ok(Account { target, session, source, deadline: Instant::now() + timeout })
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Reads the record, where no log is named, and the trust policies of its roles. The policies get a part of the time.
    async fn read(&self, named: Option<(Vec<Exchange>, LogTally)>, since: UnixSeconds) -> Result<Read, CliError> {
        let (exchanges, tally, unfinished) = match named {
            Some((exchanges, tally)) => (exchanges, tally, None),
            None => {
                let left = self.left().mul_f64(0.8);
                let found =
                    self.target.look_up_exchanges(&self.session, Some(since), left).await.map_err(CliError::new)?;
                (found.exchanges, found.tally, found.unfinished)
            }
        };
        let mut trusts = Trusts::default();
        let mut roles: Vec<&str> = exchanges.iter().filter_map(|exchange| exchange.resource.as_deref()).collect();
        roles.sort_unstable();
        roles.dedup();
        for some in roles.chunks(AT_ONCE) {
            let reads = join_all(some.iter().map(|role| self.trust(role))).await;
            some.iter().zip(reads).for_each(|(role, trust)| trust.add_to(&mut trusts, role));
        }
        Ok(Read { exchanges, tally, trusts, unfinished })
    }

    async fn trust(&self, role: &str) -> Trust {
        let name = role.rsplit('/').next().unwrap_or_default();
        let read = self.target.read_role(&self.session, name, self.left()).await;
        match read.seen() {
            Some(seen) if seen.arn == role => match Policy::parse(&seen.trust_policy) {
                Ok(policy) => Trust::InForce(Box::new(Policy { role_created_at: seen.created_at, ..policy })),
                Err(error) => Trust::Unread(format!("the trust policy in force cannot be read: {error}")),
            },
            Some(seen) => Trust::Unread(format!("the operator's account has {} under this name", seen.arn)),
            None if read.is_nowhere() => Trust::Nowhere,
            None => Trust::Unread(read.unread().unwrap_or_default()),
        }
    }
}

/// What a role's trust turned out to be.
enum Trust {
    InForce(Box<Policy>),
    Nowhere,
    /// Why it is not known.
    Unread(String),
}

impl Trust {
    fn add_to(self, trusts: &mut Trusts, role: &str) {
        match self {
            Trust::InForce(policy) => trusts.add_policy(*policy, Some(role)),
            Trust::Nowhere => trusts.add_missing(role),
            Trust::Unread(why) => trusts.add_unread(role, why),
        }
    }
}
