//! Copying: by the desktop's own tool where there is one, else by asking the terminal (OSC 52).

use std::env;
use std::process::Stdio;

use crossterm::clipboard::CopyToClipboard;
use crossterm::queue;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::writer;

/// The longest text that terminals commonly take by OSC 52, in bytes.
const LONGEST_OSC52: usize = 74_994;

/// How to copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClipboardMode {
    /// The desktop's tool where the desktop is here, else the terminal.
    #[default]
    Auto,
    /// The desktop's tool only.
    Native,
    /// The terminal only.
    Osc52,
    /// Not at all.
    Off,
}

impl ClipboardMode {
    /// Every mode with its name.
    pub const ALL: &[(ClipboardMode, &'static str)] = &[
        (ClipboardMode::Auto, "auto"),
        (ClipboardMode::Native, "native"),
        (ClipboardMode::Osc52, "osc52"),
        (ClipboardMode::Off, "off"),
    ];
}

/// A desktop's tool that takes what is to be copied on its standard input.
type Tool = (&'static str, &'static [&'static str]);

/// Copies, and says how in the words of a toast.
///
/// # Errors
/// Says why nothing was copied and what to do instead.
pub(super) async fn copy(mode: ClipboardMode, text: String) -> Result<String, String> {
    if mode == ClipboardMode::Off {
        return Err("copying is switched off (clipboard = \"off\")".to_owned());
    }
    if mode != ClipboardMode::Osc52 && (mode == ClipboardMode::Native || !is_remote()) {
        for tool in tools() {
            if feed(tool, &text).await {
                return Ok(format!("copied with {} ({} bytes)", tool.0, text.len()));
            }
        }
        if mode == ClipboardMode::Native {
            return Err(
                "no tool of the desktop took it; install wl-copy, xclip or xsel, or use clipboard = \"osc52\"".into()
            );
        }
    }
    by_terminal(&text)
}

/// Whether the desktop is on another machine.
fn is_remote() -> bool {
    env::var_os("SSH_CONNECTION").is_some() || env::var_os("SSH_TTY").is_some()
}

/// The tools that fit the desktop that is running.
fn tools() -> Vec<Tool> {
    let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let mut tools: Vec<Tool> = Vec::new();
    if cfg!(target_os = "macos") {
        tools.push(("pbcopy", &[]));
    }
    if set("WAYLAND_DISPLAY") {
        tools.push(("wl-copy", &[]));
    }
    if set("DISPLAY") {
        tools.push(("xclip", &["-selection", "clipboard"]));
        tools.push(("xsel", &["--clipboard", "--input"]));
    }
    tools
}

/// Whether a tool of the desktop may take what is copied.
pub(super) fn has_tool() -> bool {
    !is_remote() && !tools().is_empty()
}

async fn feed((program, arguments): Tool, text: &str) -> bool {
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let Ok(mut child) = child else { return false };
    let Some(mut stdin) = child.stdin.take() else { return false };
    let written = stdin.write_all(text.as_bytes()).await.is_ok();
    drop(stdin);
    let ended = tokio::time::timeout(std::time::Duration::from_secs(2), child.wait()).await;
    written && matches!(ended, Ok(Ok(status)) if status.success())
}

fn by_terminal(text: &str) -> Result<String, String> {
    if text.len() > LONGEST_OSC52 {
        return Err(format!("{} bytes are more than terminals take; export the report instead", text.len()));
    }
    let mut bytes = Vec::new();
    queue!(bytes, CopyToClipboard::to_clipboard_from(text)).map_err(|error| error.to_string())?;
    writer::put(&bytes).map_err(|error| error.to_string())?;
    let through = if env::var_os("TMUX").is_some() { "; tmux passes it on with `set -g set-clipboard on`" } else { "" };
    Ok(format!("sent to the terminal to copy ({} bytes){through}", text.len()))
}
