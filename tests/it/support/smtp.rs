//! Runs a real SMTP server with a certificate from a private root.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::Value;

use super::oidc::PrivateCa;

/// A process that runs npm's `smtp-server` until it is dropped.
pub(crate) struct Smtp {
    child: Child,
    commands: ChildStdin,
    events: BufReader<ChildStdout>,
    port: u16,
}

impl Smtp {
    /// Starts the server on a free port. The mode is `smtps`, `starttls` or `plain`.
    pub(crate) fn start(ca: &PrivateCa, mode: &str) -> Self {
        let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/smtp");
        assert!(
            home.join("node_modules/smtp-server").exists(),
            "these tests need an SMTP server. Run: scripts/lay-out-npm tests/smtp"
        );
        let mut node = Command::new("node");
        node.current_dir(home).arg("server.mjs");
        node.args([ca.path("certificate.pem"), ca.path("key.pem")]).arg(mode);
        node.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = node.spawn().expect("these tests need Node.js");
        let commands = child.stdin.take().expect("piped");
        let events = BufReader::new(child.stdout.take().expect("piped"));
        let mut smtp = Self { child, commands, events, port: 0 };
        let started = smtp.event();
        smtp.port = started["port"].as_u64().expect("a port").try_into().expect("16 bits");
        smtp
    }

    /// Returns the port of the server. Its certificate is for `localhost`.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Refuses the next recipients with this code.
    pub(crate) fn refuse(&mut self, code: u16, count: u32) {
        self.command(&format!("refuse {code} {count}"));
    }

    /// Refuses the next senders with this code.
    pub(crate) fn refuse_sender(&mut self, code: u16, count: u32) {
        self.command(&format!("sender {code} {count}"));
    }

    /// Receives the next message, and never replies to it.
    pub(crate) fn hold(&mut self) {
        self.command("hold");
    }

    fn command(&mut self, command: &str) {
        self.commands.write_all(format!("{command}\n").as_bytes()).expect("written");
        while self.event()["event"] != "ok" {}
    }

    /// Returns the next event.
    pub(crate) fn event(&mut self) -> Value {
        let mut line = String::new();
        self.events.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("the server has ended: {line:?}"))
    }

    /// Returns the next accepted message, and skips other events.
    pub(crate) fn mail(&mut self) -> Value {
        loop {
            let event = self.event();
            if event["event"] == "mail" {
                return event;
            }
        }
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
