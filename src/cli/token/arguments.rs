//! The arguments of `trustline token`. None of them takes a token: arguments are seen by every process of the machine.

use std::path::PathBuf;

use clap::Args;

use crate::cli::flags::NetworkArgs;
use crate::cli::flags::PageOutputArgs;
use crate::domain::timestamp::{UnixSeconds, parse_rfc3339};

/// Arguments of `trustline token`.
#[derive(Debug, Args)]
pub(in crate::cli) struct TokenArgs {
    /// The token's file; `-` or nothing reads standard input
    #[arg(value_name = "FILE", group = "source")]
    pub file: Option<PathBuf>,
    /// Read the token from this environment variable
    #[arg(long, value_name = "VAR", group = "source")]
    pub env: Option<String>,
    /// Read the token from what this program prints; must be the last flag, as all that follows belongs to the program
    #[arg(long, value_name = "PROGRAM", num_args = 1.., allow_hyphen_values = true, group = "source")]
    pub command: Option<Vec<String>>,
    /// Request the token of this GitHub Actions job (asks ACTIONS_ID_TOKEN_REQUEST_URL, for --audience)
    #[arg(long, group = "source")]
    pub github_actions: bool,
    /// Check the signature with this key set; an address is asked over the network
    #[arg(long, value_name = "FILE|URL")]
    pub jwks: Option<String>,
    /// Expect this `iss`; without --jwks, the issuer is asked for its keys over the network
    #[arg(long, value_name = "URL")]
    pub issuer: Option<String>,
    /// Expect this audience
    #[arg(long, value_name = "AUDIENCE")]
    pub audience: Option<String>,
    /// Judge the times as of this time instead of now: RFC 3339, or seconds since 1970
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub now: Option<UnixSeconds>,
    #[command(flatten)]
    pub network: NetworkArgs,
    #[command(flatten)]
    pub output: PageOutputArgs,
}

fn time(text: &str) -> Result<UnixSeconds, String> {
    text.parse()
        .ok()
        .or_else(|| parse_rfc3339(text))
        .ok_or_else(|| "write a time such as 2026-01-31T12:00:00Z, or seconds since 1970".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_both_forms() {
        assert_eq!(time("1700000000"), Ok(1_700_000_000));
        assert_eq!(time("2023-11-14T22:13:20Z"), Ok(1_700_000_000));
        assert!(time("noon").is_err());
    }
}
