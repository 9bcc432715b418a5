//! The arguments: the subcommands.

use clap::{Parser, Subcommand};

/// Finds out where workload identity federation breaks, and proves it.
#[derive(Debug, Parser)]
#[command(name = "trustline", version, about, max_term_width = 100, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(flatten)]
    pub(super) console: super::console::ConsoleArgs,
    #[command(subcommand)]
    pub(super) command: Option<CliCommand>,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(super) enum CliCommand {
    /// Run every applicable check once and report
    Check(super::check::CheckArgs),
    /// Run the checks and print the root cause's fix as one script, nothing else
    Fix(super::fix::FixArgs),
    /// Decode and verify a token
    Token(super::token::TokenArgs),
    /// Probe an issuer: discovery, keys, TLS chain, thumbprint, timings
    Issuer(super::issuer::IssuerArgs),
    /// Offline: would this trust accept this token?
    Trust(super::trust::TrustArgs),
    /// Every federated trust of a fleet: who gets in, what they reach, what is dead
    Audit(super::audit::AuditArgs),
    /// Name the causes behind an error text
    Explain(super::explain::ExplainArgs),
    /// Name why exchanges were refused that a cloud's own log tells of
    Events(super::events::EventsArgs),
    /// Say what client libraries and tools do with a web identity, and what they would take here
    Clients(super::clients::ClientsArgs),
    /// Rotate a secret, and prove that the running automation has the new value
    Rotate(Box<super::rotate::RotateArgs>),
    /// Print the setup guides, a guide or a step, with the profile's values filled in
    Guide(super::guide::GuideArgs),
    /// Print one artifact of a guide: a policy, a command, a job, Terraform
    Render(super::render::RenderArgs),
    /// Profiles: what is wired to what
    Profile(super::profile::ProfileArgs),
    /// List what is kept on this disk, or remove it
    Data(super::data::DataArgs),
    /// Run the embedded cloud on loopback in the foreground
    Lab(super::lab::LabArgs),
    /// Open a recorded run in the console, read-only, or print it
    Replay(super::replay::ReplayArgs),
    /// Print a shell's completion script
    Completions(super::manual::CompletionsArgs),
    /// Print the man page, or write one for every command
    Man(super::manual::ManArgs),
}
