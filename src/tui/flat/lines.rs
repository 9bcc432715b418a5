//! What is typed, line by line. It may be a token or a value, so every buffer here is wiped, and the terminal can be told not to
//! show it.

use std::io;

use tokio::sync::mpsc;
use zeroize::{Zeroize as _, Zeroizing};

/// The longest line that is taken, in bytes.
const LONGEST: usize = 1024 * 1024;

/// The lines of standard input, read by a thread of their own.
pub(super) struct TypedLines(mpsc::Receiver<Zeroizing<String>>);

impl TypedLines {
    pub fn read() -> Self {
        let (sender, receiver) = mpsc::channel(1);
        std::thread::spawn(move || {
            let mut gathering = Gathering::default();
            let mut bytes = Zeroizing::new([0_u8; 4096]);
            loop {
                let count = match read(bytes.as_mut()) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Ok(count) => count,
                    Err(_) => 0,
                };
                let lines = gathering.lines(&bytes[..count]);
                bytes.zeroize();
                for line in lines.into_iter().chain((count == 0).then(|| gathering.rest()).flatten()) {
                    if sender.blocking_send(line).is_err() {
                        return;
                    }
                }
                if count == 0 {
                    return;
                }
            }
        });
        TypedLines(receiver)
    }

    /// The next line without its end; `None` once there are no more.
    pub async fn next(&mut self) -> Option<Zeroizing<String>> {
        self.0.recv().await
    }
}

/// Reads without a buffer that nobody could wipe.
#[cfg(unix)]
fn read(bytes: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::io::read(rustix::stdio::stdin(), bytes)?)
}

#[cfg(not(unix))]
fn read(bytes: &mut [u8]) -> io::Result<usize> {
    io::Read::read(&mut io::stdin().lock(), bytes)
}

/// Bytes that are not a line yet.
#[derive(Default)]
struct Gathering(Zeroizing<Vec<u8>>);

impl Gathering {
    /// The lines that end in these bytes.
    fn lines(&mut self, bytes: &[u8]) -> Vec<Zeroizing<String>> {
        let mut lines = Vec::new();
        for byte in bytes {
            match byte {
                b'\n' => lines.push(self.taken()),
                b'\r' => {}
                _ if self.0.len() < LONGEST => self.push(*byte),
                _ => {}
            }
        }
        lines
    }

    fn push(&mut self, byte: u8) {
        if self.0.len() == self.0.capacity() {
            // A vector that grows by itself would leave its old place as it was.
            let mut larger = Zeroizing::new(Vec::with_capacity((2 * self.0.len()).max(4096)));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.push(byte);
    }

    fn taken(&mut self) -> Zeroizing<String> {
        let line = Zeroizing::new(String::from_utf8_lossy(&self.0).into_owned());
        self.0.zeroize();
        line
    }

    /// What stands behind the last line's end.
    fn rest(&mut self) -> Option<Zeroizing<String>> {
        (!self.0.is_empty()).then(|| self.taken())
    }
}

/// The terminal shows nothing of what is typed until this is dropped.
#[cfg(unix)]
pub(super) struct EchoOff(rustix::termios::Termios);

#[cfg(unix)]
impl EchoOff {
    /// `None` where standard input is no terminal, which shows nothing anyway.
    pub fn begin() -> Option<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(rustix::stdio::stdin()).ok()?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        // The end of the line moves on all the same.
        quiet.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &quiet).ok()?;
        Some(EchoOff(before))
    }
}

#[cfg(unix)]
impl Drop for EchoOff {
    fn drop(&mut self) {
        let _ = rustix::termios::tcsetattr(rustix::stdio::stdin(), rustix::termios::OptionalActions::Now, &self.0);
    }
}

/// There is no way to tell the terminal.
#[cfg(not(unix))]
pub(super) struct EchoOff(());

#[cfg(not(unix))]
impl EchoOff {
    pub fn begin() -> Option<Self> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_however_they_arrive() {
        let mut gathering = Gathering::default();
        let text = |lines: Vec<Zeroizing<String>>| lines.iter().map(|line| line.to_string()).collect::<Vec<_>>();
        assert!(gathering.lines(b"on").is_empty());
        assert_eq!(text(gathering.lines("e\r\ntwo\n\nd\u{e9}".as_bytes())), ["one", "two", ""]);
        assert_eq!(gathering.rest().map(|line| line.to_string()), Some("d\u{e9}".to_owned()));
        assert!(gathering.rest().is_none());
        let long = vec![b'x'; LONGEST + 10];
        assert!(gathering.lines(&long).is_empty());
        assert_eq!(gathering.rest().unwrap().len(), LONGEST);
    }
}
