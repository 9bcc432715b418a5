//! Findings on the certificates that an issuer serves: what passes today, and will or may not for long.

use crate::cause::{Cause, Certainty, Finding};
use crate::check::CheckId;
use crate::check::facts::network::{AddressScope, Exchange, Tls};
use crate::domain::certificate::{Chain, ChainOddity};
use crate::domain::timestamp::{UnixSeconds, in_words, rfc3339};

/// A certificate that ends within this many seconds deserves a warning.
const EXPIRES_SOON_S: i64 = 14 * 86_400;

/// What deserves a warning in a chain.
pub(super) fn concerns(check: CheckId, chain: &Chain, now: UnixSeconds) -> Vec<Finding> {
    let mut findings: Vec<Finding> = expires_soon(check, chain, now).into_iter().collect();
    findings.extend(chain.oddities.iter().filter_map(|oddity| odd_chain(check, oddity, chain)));
    findings
}

fn expires_soon(check: CheckId, chain: &Chain, now: UnixSeconds) -> Option<Finding> {
    let (position, next) = chain.certificates.iter().enumerate().min_by_key(|(_, c)| c.not_after)?;
    let left = next.not_after - now;
    if !(0..EXPIRES_SOON_S).contains(&left) {
        return None;
    }
    let whose = if position == 0 { "the issuer's certificate" } else { "an intermediate certificate" };
    let summary = format!("{whose} ends in {}", in_words(left.unsigned_abs()));
    let end = rfc3339(next.not_after).unwrap_or_default();
    Some(
        Finding::new(Cause::TlsExpired, check, Certainty::Possible, summary)
            .with_evidence(format!("{} is valid until {end}", next.subject))
            .with_fix("renew the certificate, or see to it that its automatic renewal works"),
    )
}

fn odd_chain(check: CheckId, oddity: &ChainOddity, chain: &Chain) -> Option<Finding> {
    let name = |position: usize| chain.certificates.get(position).map(|c| c.subject.clone()).unwrap_or_default();
    let summary = match oddity {
        ChainOddity::Duplicate { position } => format!("the server sends a certificate twice: {}", name(*position)),
        ChainOddity::OutOfOrder { position } => {
            format!("the server sends its certificates out of order: {}", name(*position))
        }
        ChainOddity::Extra { position } => {
            format!("the server sends a certificate that signs none of the others: {}", name(*position))
        }
        ChainOddity::Unreadable { position } => {
            format!("certificate {} of those served cannot be read", position + 1)
        }
        // The thumbprint still matches, until the next renewal; nothing is wrong with the chain as such.
        ChainOddity::LeafOnly => return None,
    };
    Some(
        Finding::new(Cause::Thumbprint, check, Certainty::Possible, summary)
            .with_evidence("AWS STS may fail to validate tokens of an issuer whose chain is not in order")
            .with_fix("serve the host's own certificate first, then each one's issuer, each once, without others"),
    )
}

/// The host of the keys has a certificate of an authority that only this program was told of.
pub(super) fn private_authority(check: CheckId, tls: &Tls, exchange: &Exchange) -> Option<Finding> {
    let on_this_machine = exchange.addresses.iter().all(|a| a.scope == AddressScope::Loopback);
    if !tls.named_authority || on_this_machine {
        return None;
    }
    let summary = "the certificate comes from a private authority: AWS then relies on the provider's thumbprints";
    let thumbprint = tls.chain.thumbprint().unwrap_or_default();
    Some(
    Finding::new(Cause::Thumbprint, check, Certainty::Possible, summary)
        .with_evidence("it is trusted here only because of the CA file given to this program")
        .with_command(
            format!("register the thumbprint of the topmost certificate that {} serves", tls.server_name),
            format!(
                "aws iam update-open-id-connect-provider-thumbprint --open-id-connect-provider-arn <PROVIDER_ARN> --thumbprint-list {thumbprint}"
            ),
        ),
    )
}
