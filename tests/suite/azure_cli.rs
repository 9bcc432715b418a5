//! Microsoft's own command line, signed in to a lab.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use crate::support::{RunningLab, outside};

/// A shell with the Azure CLI in its path, as the lab's administrator's.
pub struct Operator<'l> {
    lab: &'l RunningLab,
    cli: PathBuf,
    names: String,
}

impl<'l> Operator<'l> {
    /// The administrator of a lab, not signed in yet.
    pub fn of(lab: &'l RunningLab) -> Self {
        Operator { lab, cli: outside("TRUSTLINE_TEST_AZURE_CLI"), names: resolver() }
    }

    /// Signs in, by the script that the lab offers.
    pub fn sign_in(&self, folder: &Path) {
        self.sh(folder, &format!("sh '{}' >/dev/null", self.lab.file("azure-login.sh")), "");
    }

    /// The variables that a program needs to run the Azure CLI as this operator.
    pub fn variables(&self) -> Vec<(String, String)> {
        let path = std::env::var_os("PATH").unwrap();
        let path = [self.cli.parent().unwrap().to_owned()].into_iter().chain(std::env::split_paths(&path));
        let file = std::fs::read_to_string(self.lab.file("operator.env")).unwrap();
        let own = file.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
        let own = own.map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned()));
        let more = [
            ("PATH".to_owned(), std::env::join_paths(path).unwrap().into_string().unwrap()),
            ("HTTPS_PROXY".to_owned(), self.names.clone()),
            ("NO_PROXY".to_owned(), "127.0.0.1".to_owned()),
        ];
        own.chain(more).collect()
    }

    /// Runs a script that must succeed, with a value on its standard input; yields what it printed.
    pub fn sh(&self, folder: &Path, script: &str, input: &str) -> String {
        let output = self.run(folder, script, input);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}\n{said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a script.
    pub fn run(&self, folder: &Path, script: &str, input: &str) -> Output {
        let mut shell = Command::new("sh")
            .args(["-e", "-c", script])
            .current_dir(folder)
            .envs(self.variables())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        shell.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        shell.wait_with_output().unwrap()
    }
}

/// A proxy that leads every name to loopback, as RFC 6761 wants it of names below `localhost` and not every system does.
fn resolver() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || tunnel(client));
        }
    });
    address
}

/// One `CONNECT host:port`, to that port on loopback.
fn tunnel(mut client: TcpStream) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let port: u16 = head.split_whitespace().nth(1)?.rsplit(':').next()?.parse().ok()?;
    let mut server = TcpStream::connect(("127.0.0.1", port)).ok()?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?;
    let (mut up, mut down) = (client.try_clone().ok()?, server.try_clone().ok()?);
    thread::spawn(move || {
        let _ = std::io::copy(&mut up, &mut server);
        let _ = server.shutdown(std::net::Shutdown::Write);
    });
    let _ = std::io::copy(&mut down, &mut client);
    client.shutdown(std::net::Shutdown::Write).ok()
}
