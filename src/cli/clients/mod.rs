//! `trustline clients`: what client libraries and tools do with a web identity, and what each would take here.

mod acting;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser};

use super::exit::{CliError, Exit};
use super::flags::{Offering, OutputFormat, PageOutputArgs};
use super::terminal;
use crate::check::facts::client::ClientFact;
use crate::domain::client::{Client, aws_choice, entra_choice, google};
use crate::domain::guide::Guide;
use crate::domain::profile::{Profile, TokenSource};
use crate::domain::text_difference::nearest;
use crate::probe::client;
use crate::report::clients::{Taken, behaviours, comparison, here, json, list, one};
use crate::run::now;

pub(super) use acting::acting_as;

/// Arguments of `trustline clients`.
#[derive(Debug, Args)]
pub(super) struct ClientsArgs {
    /// These clients alone; without any, all that are known
    #[arg(value_name = "CLIENT", value_parser = client_name())]
    clients: Vec<&'static Client>,
    /// Compare them on one behaviour, such as token, region-variables or refused
    #[arg(long, value_name = "BEHAVIOUR", value_parser = PossibleValuesParser::new(behaviours()), conflicts_with = "env")]
    on: Option<String>,
    /// Say which credentials each would take here: by the variables, the shared files and the kept sessions of this machine
    #[arg(long)]
    env: bool,
    #[command(flatten)]
    output: PageOutputArgs,
}

pub(super) fn run(args: &ClientsArgs) -> Result<Exit, CliError> {
    let clients: Vec<&'static Client> =
        if args.clients.is_empty() { Client::all().collect() } else { args.clients.clone() };
    let taken = args.env.then(|| taken_here(&clients));
    terminal::print(&match args.output.output {
        OutputFormat::Json => terminal::json_text(&json(&clients, taken.as_deref())),
        _ => terminal::rendered(&args.output, |ctx| match (&taken, &args.on, args.clients.as_slice()) {
            (Some(taken), _, _) => here(taken, ctx),
            (None, Some(behaviour), _) => comparison(&clients, behaviour, ctx),
            (None, None, [client]) => one(client, ctx),
            (None, None, _) => list(&clients, ctx),
        }),
    })?;
    Ok(Exit::Passed)
}

/// What each would take where this program was started.
fn taken_here(clients: &[&'static Client]) -> Vec<Taken> {
    let look = |guide, variable| {
        let token = std::env::var_os(variable).map(|path| TokenSource::File(path.into()));
        let ClientFact { around, .. } =
            client::observe(&Profile { token, ..Profile::bare("environment", guide) }, None, now());
        around
    };
    let aws = look(Guide::AwsWorkloadIdentity, "AWS_WEB_IDENTITY_TOKEN_FILE");
    let azure = look(Guide::AzureWorkloadIdentity, "AZURE_FEDERATED_TOKEN_FILE");
    // The token's own file stands in the credential file, which `check` reads.
    let at_gcp = look(Guide::GcpWorkloadIdentity, "");
    let each = |client: &&'static Client| {
        let at_aws = client.aws.as_ref().map(|behaviour| {
            let choice = aws_choice::choose(behaviour, &aws);
            Taken { client, cloud: "aws", source: choice.source.in_words().to_owned(), asks: choice.sts.in_words() }
        });
        let at_azure = client.azure.as_ref().map(|behaviour| {
            let choice = entra_choice::choose(behaviour, &azure);
            let asks = choice.authority.unwrap_or_else(|| "no authority".to_owned());
            Taken { client, cloud: "azure", source: choice.source.in_words().to_owned(), asks }
        });
        let of_google = client.google.as_ref().map(|behaviour| {
            let (source, _) = google::choose(behaviour, &at_gcp);
            let asks = match source {
                google::GoogleSource::WorkloadIdentity => "the token_url of the credential file",
                _ => "no exchange",
            };
            Taken { client, cloud: "gcp", source: source.in_words().to_owned(), asks: asks.to_owned() }
        });
        [at_aws, at_azure, of_google].into_iter().flatten().collect::<Vec<_>>()
    };
    clients.iter().flat_map(each).collect()
}

/// Finds a client by its name.
type FindsClient = fn(&str) -> Result<&'static Client, String>;

/// Takes a client's name, and offers all of them.
pub(super) fn client_name() -> Offering<FindsClient> {
    Offering::new(find, offered)
}

/// Takes names with commas between, which the profile's rules judge.
pub(super) fn client_names() -> Offering<StringValueParser> {
    Offering::new(StringValueParser::new(), offered)
}

fn offered() -> Vec<PossibleValue> {
    Client::ids().map(PossibleValue::new).collect()
}

fn find(name: &str) -> Result<&'static Client, String> {
    Client::named(name).ok_or_else(|| match nearest(name, Client::ids()) {
        Some(near) => format!("no client that is known; did you mean `{near}`?"),
        None => "no client that is known; `trustline clients` lists them".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_client_is_told_the_nearest() {
        assert_eq!(find("boto3").map(|client| client.id), Ok("boto3"));
        assert_eq!(find("botocore").map(|client| client.id), Ok("boto3"));
        assert!(find("boto").unwrap_err().contains("`boto3`"));
        assert!(find("a thing of another kind").unwrap_err().contains("lists them"));
    }
}
