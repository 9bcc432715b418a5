//! Requests for an exchange as a log keeps them: a proxy's or a gateway's lines, and CloudTrail's events. Their form tells whose they
//! are, how many of them are one attempt, and whether the token stands in the log.

use serde_json::Value;

use super::client::PrintedBy;
use crate::domain::client::{AwsBehaviour, Client, TokenPlace};

/// How a request for an exchange names itself.
const ACTION: &str = "Action=AssumeRoleWithWebIdentity";
/// How far a line is read around that.
const LONGEST_LINE: usize = 8_000;
/// How many are compared.
const MOST: usize = 200;

/// The requests of one client that a log holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Requests {
    /// How many equal ones there are.
    seen: usize,
    method: Option<String>,
    place: Option<TokenPlace>,
    session: String,
    agent: Option<String>,
    status: Option<u16>,
}

impl Requests {
    /// The requests of a proxy's log or of a trace, in any of the usual forms.
    pub(super) fn of_lines(text: &str) -> Option<Requests> {
        let mut all = text.match_indices(ACTION).take(MOST).map(|(at, _)| Requests::of_line(line_at(text, at)));
        let first = all.next()?;
        let equal = all.filter(|other| other.is_like(&first)).count();
        Some(Requests { seen: 1 + equal, ..first })
    }

    /// The requests of which CloudTrail tells.
    pub(super) fn of_events<'e>(events: impl Iterator<Item = &'e Value>) -> Option<Requests> {
        let mut all = events.filter_map(|event| {
            let at = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
            let is_exchange = at("/eventName") == Some("AssumeRoleWithWebIdentity");
            let session = at("/requestParameters/roleSessionName").filter(|_| is_exchange)?.to_owned();
            let status = (at("/errorCode") == Some("AccessDenied")).then_some(403);
            // The console writes brackets around it.
            let agent = at("/userAgent").map(|agent| agent.trim_matches(['[', ']']).to_owned());
            Some(Requests { seen: 1, method: None, place: None, session, agent, status })
        });
        let first = all.next()?;
        let equal = all.filter(|other| other.is_like(&first)).count();
        Some(Requests { seen: 1 + equal, ..first })
    }

    fn of_line(line: &str) -> Requests {
        let address = line.split([' ', '"', '\'', '\t']).find(|word| word.contains(ACTION)).unwrap_or_default();
        let before = line.split(address).next().unwrap_or_default();
        let method = ["GET", "POST"].into_iter().find(|method| before.contains(method)).map(str::to_owned);
        let is_address = address.find('?').zip(address.find(ACTION)).is_some_and(|(query, action)| query < action);
        let session =
            address.split(['?', '&']).find_map(|pair| pair.strip_prefix("RoleSessionName=")).unwrap_or_default();
        let agent = ["ser-Agent: ", "ser-agent: "].into_iter().find_map(|mark| line.split(mark).nth(1));
        // The combined form of web servers ends with the agent.
        let last = line.trim_end().strip_suffix('"').and_then(|line| line.rsplit('"').next());
        let agent = agent.or(last.filter(|last| !last.contains(ACTION))).map(str::trim);
        let behind = line.split_once(address).map_or("", |(_, behind)| behind);
        let status =
            behind.split([' ', '"']).find_map(|word| word.parse().ok().filter(|code| (200..600).contains(code)));
        Requests {
            seen: 1,
            method,
            place: Some(if is_address { TokenPlace::Address } else { TokenPlace::Body }),
            session: session.to_owned(),
            agent: agent.filter(|agent| !agent.is_empty() && *agent != "-").map(str::to_owned),
            status,
        }
    }

    /// Whether both are attempts at the same: the session's name has the time in it for some clients.
    fn is_like(&self, other: &Requests) -> bool {
        (&self.method, self.place, &self.agent, self.status) == (&other.method, other.place, &other.agent, other.status)
    }

    /// What a client would have been told, where the log says that STS knew the token and refused.
    pub(super) fn answer(&self) -> Option<&'static str> {
        (self.status == Some(403)).then_some("AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity")
    }

    /// Whose requests they are, among these clients: none where their form is nobody's.
    pub(super) fn sent_by<'c>(&self, clients: impl Iterator<Item = &'c Client>) -> Option<PrintedBy> {
        let fitting = clients.filter_map(|client| Some((client, self.fits(client.aws.as_ref()?)?)));
        // The one whose agent it is goes before those that send none.
        let (client, _) = fitting.reduce(|best, other| if other.1 > best.1 { other } else { best })?;
        let notes = self.notes(client.aws.as_ref()?);
        Some(PrintedBy { name: client.name.clone(), hides: false, instead: Vec::new(), see: None, notes })
    }

    /// What a person reads of them.
    fn notes(&self, aws: &AwsBehaviour) -> Vec<String> {
        let for_one_refusal = aws.attempts.as_ref().map(|attempts| match self.status {
            Some(500..) => attempts.unavailable,
            Some(400) => attempts.invalid,
            _ => attempts.denied,
        });
        let counted = match (self.seen, for_one_refusal) {
            (0 | 1, _) => None,
            (seen, Some(each @ 2..)) => {
                let refusals = seen.div_ceil(usize::from(each));
                let are = if refusals == 1 { "one refusal".to_owned() } else { format!("about {refusals} refusals") };
                Some(format!("{seen} equal requests: this client sends {each} for each refusal, so they are {are}"))
            }
            (seen, _) => Some(format!("{seen} equal requests")),
        };
        let in_address = (self.place == Some(TokenPlace::Address)).then(|| {
            "this client writes the token into the address: whoever reads this log has it until it ends".to_owned()
        });
        counted.into_iter().chain(in_address).collect()
    }

    /// How well they fit what a client sends: nothing where they do not.
    fn fits(&self, aws: &AwsBehaviour) -> Option<usize> {
        let is_sent = self.place.is_none_or(|place| place == aws.token_in)
            && self.method.as_ref().is_none_or(|method| *method == aws.method);
        let named = (self.session.is_empty() || is_of_template(&self.session, &aws.session_name)) && is_sent;
        match (&self.agent, &aws.user_agent) {
            // The version that was run is surer than another of the same client.
            (Some(seen), Some(own)) if seen.starts_with(own.as_str()) => named.then_some(1 + own.len()),
            (Some(seen), Some(own)) if seen.starts_with(product(own)) => named.then_some(1 + product(own).len()),
            (Some(_), Some(_)) => None,
            // An agent is known of no such client; a log may leave it out.
            _ => named.then_some(0).filter(|_| !self.session.is_empty()),
        }
    }
}

/// The line around a place, as far as a request goes.
fn line_at(text: &str, at: usize) -> &str {
    let from = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let from = text.ceil_char_boundary(from.max(at.saturating_sub(LONGEST_LINE)));
    let to = text[at..].find('\n').map_or(text.len(), |end| at + end);
    &text[from..text.floor_char_boundary(to.min(at + LONGEST_LINE))]
}

/// The product that an agent begins with, with its first number: `aws-cli/2` of `aws-cli/2.9.19`.
fn product(agent: &str) -> &str {
    agent.split('.').next().unwrap_or(agent)
}

/// Whether a session's name is one that this template makes.
fn is_of_template(name: &str, template: &str) -> bool {
    let Some((before, rest)) = template.split_once('{') else { return name == template };
    let (kind, behind) = rest.split_once('}').unwrap_or((rest, ""));
    let Some(varying) = name.strip_prefix(before).and_then(|name| name.strip_suffix(behind)) else { return false };
    let digits = |length: usize| varying.len() == length && varying.bytes().all(|byte| byte.is_ascii_digit());
    let is_uuid = varying.len() == 36 && varying.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    match kind {
        "seconds" => digits(10),
        "milliseconds" => digits(13),
        "nanoseconds" => digits(19),
        "ticks" => digits(18),
        "uuid" => is_uuid && !varying.bytes().any(|byte| byte.is_ascii_uppercase()),
        _ => is_uuid && !varying.bytes().any(|byte| byte.is_ascii_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::client::session_name;

    fn sender(text: &str) -> Option<PrintedBy> {
        Requests::of_lines(text)?.sent_by(Client::all())
    }

    /// A line of a proxy's log, of the client's form.
    fn line(client: &Client) -> Option<String> {
        let aws = client.aws.as_ref()?;
        let session = session_name(&aws.session_name, 1_796_000_000_123_456_789);
        let query = format!("{ACTION}&RoleArn=arn&RoleSessionName={session}&WebIdentityToken=<token>");
        let agent = aws.user_agent.as_deref().unwrap_or("-");
        Some(match aws.token_in {
            TokenPlace::Address => format!("10.0.0.1 \"{} /?{query} HTTP/1.1\" 403 306 \"-\" \"{agent}\"", aws.method),
            TokenPlace::Body => format!("{} / 403 \"{query}\" User-Agent: {agent}", aws.method),
        })
    }

    #[test]
    fn every_clients_requests_are_its_own_or_of_one_that_has_the_same_inside() {
        for client in Client::all() {
            let Some(line) = line(client) else { continue };
            let told = sender(&line).unwrap_or_else(|| panic!("{}: {line}", client.id));
            let other = Client::all().find(|other| other.name == told.name).unwrap();
            let (own, other) = (client.aws.as_ref().unwrap(), other.aws.as_ref().unwrap());
            let form = |aws: &AwsBehaviour| (aws.method.clone(), aws.token_in, aws.session_name.clone());
            assert_eq!(form(own), form(other), "{}: {}", client.id, told.name);
            let agent = |aws: &AwsBehaviour| aws.user_agent.as_deref().map(|agent| product(agent).to_owned());
            assert!(own.user_agent.is_none() || agent(own) == agent(other), "{}: {}", client.id, told.name);
        }
    }

    #[test]
    fn equal_requests_are_counted_against_what_the_client_makes_of_one_refusal() {
        let gdal = line(Client::named("rasterio").unwrap()).unwrap();
        let notes = |line: &str, times: usize| sender(&vec![line; times].join("\n")).unwrap().notes;
        let once = notes(&gdal, 6);
        assert!(once[0].contains("6 for each refusal, so they are one refusal"), "{once:?}");
        assert!(once[1].contains("the token into the address"), "{once:?}");
        assert!(notes(&gdal, 12)[0].contains("about 2 refusals"));
        let boto3 = line(Client::named("boto3").unwrap()).unwrap();
        assert_eq!(notes(&boto3, 2), ["2 equal requests"]);
        assert!(notes(&boto3, 1).is_empty());
    }

    #[test]
    fn a_strangers_request_is_nobodys() {
        for line in [
            "GET /?Action=AssumeRoleWithWebIdentity&RoleSessionName=my-own&WebIdentityToken=x",
            "\"POST /?Action=AssumeRoleWithWebIdentity&RoleSessionName=reqsign HTTP/1.1\" 200 1 \"-\" \"curl/8.1\"",
            "Action=AssumeRoleWithWebIdentity",
        ] {
            assert_eq!(sender(line), None, "{line}");
        }
        assert_eq!(Requests::of_lines("nothing of it"), None);
    }

    #[test]
    fn an_event_has_the_agent_and_the_session() {
        let event = |agent: &str, session: &str| {
            serde_json::json!({ "eventName": "AssumeRoleWithWebIdentity", "userAgent": agent, "errorCode": "AccessDenied",
                "requestParameters": { "roleSessionName": session } })
        };
        for (agent, session, id) in [
            ("[aws-cli/2.15.1 md/awscrt#0.19]", "botocore-session-1796000000", "aws-cli-v2"),
            ("Boto3/1.45.0 md/Botocore#1.45", "botocore-session-1796000000", "boto3"),
            ("object_store/0.14.2", "WebIdentitySession", "obstore"),
            ("aws-sdk-crt/sts-web-identity-credentials-provider", "6D1C0F5E-8A0B-4C2B-9D6E-1A2B3C4D5E6F", "pyarrow"),
        ] {
            let told = Requests::of_events([event(agent, session)].iter()).unwrap().sent_by(Client::all()).unwrap();
            assert_eq!(told.name, Client::named(id).unwrap().name, "{agent}");
            assert!(told.notes.is_empty(), "{:?}", told.notes);
        }
    }
}
