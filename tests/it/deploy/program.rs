//! What the program itself says of its command line.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Command, Output, Stdio},
    sync::Mutex,
};

/// The commands, and the variables that each knows.
pub(super) struct Program {
    commands: BTreeMap<String, BTreeMap<String, Option<String>>>,
    /// What was asked before: a process for each would be most of what the tests take.
    asked: Mutex<BTreeMap<String, Result<(), String>>>,
}

/// The variable that is looked at last, and something that it cannot hold.
const LAST: (&str, &str) = ("TENANTRY_DEFAULT_TENANT_PLAN", "nonsense");

fn run(arguments: &[&str], variables: &BTreeMap<String, String>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command.env_clear().envs(variables).args(arguments).stdin(Stdio::null());
    command.output().expect("the program")
}

fn help(arguments: &[&str]) -> String {
    let output = run(arguments, &BTreeMap::new());
    // Lines are wrapped wherever they are too long.
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "{arguments:?}");
    text
}

impl Program {
    /// Asks for `--help`, of each command too.
    pub(super) fn ask() -> Self {
        let text = help(&["--help"]);
        let listed = text.split("Commands:").nth(1).and_then(|rest| rest.split("\n\n").next());
        let names = listed.expect("commands").lines().filter(|line| {
            let indent = line.len() - line.trim_start().len();
            indent == 2
        });
        let names =
            names.filter_map(|line| line.split_whitespace().next()).filter(|n| *n != "help");
        let commands = names.map(|name| (name.to_owned(), variables(&help(&[name, "--help"]))));
        Self { commands: commands.collect(), asked: Mutex::default() }
    }

    pub(super) fn has_command(&self, name: &str) -> bool {
        self.commands.contains_key(name)
    }

    /// All variables, of whatever command.
    pub(super) fn variables(&self) -> BTreeSet<&str> {
        self.commands.values().flat_map(BTreeMap::keys).map(String::as_str).collect()
    }

    /// What a variable of `serve` is where nobody says.
    pub(super) fn default_of(&self, variable: &str) -> &str {
        let known = self.commands["serve"].get(variable);
        known.and_then(Option::as_deref).unwrap_or_else(|| panic!("no default of {variable}"))
    }

    /// Whether `serve` can work with these. It says so without a port, a file or a network: the one
    /// that it looks at last is made a bad one, and it complains of that one alone.
    pub(super) fn accepts(&self, variables: &BTreeMap<String, String>) -> Result<(), String> {
        let key = format!("{variables:?}");
        if let Some(known) = self.asked.lock().expect("whole").get(&key) {
            return known.clone();
        }
        let mut variables = variables.clone();
        variables.insert(LAST.0.to_owned(), LAST.1.to_owned());
        let output = run(&["serve"], &variables);
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let of_the_last = said.contains(&format!("{}: invalid plan {:?}", LAST.0, LAST.1));
        let answer = if of_the_last { Ok(()) } else { Err(said) };
        self.asked.lock().expect("whole").insert(key, answer.clone());
        answer
    }
}

/// The variables that a help text names, with their defaults.
fn variables(help: &str) -> BTreeMap<String, Option<String>> {
    let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut found = BTreeMap::new();
    for rest in words.split("[env: ").skip(1) {
        let name = rest.split(['=', ']']).next().unwrap_or_default();
        let after = rest.split_once(']').map_or("", |(_, after)| after);
        let default = after.trim_start().strip_prefix("[default: ");
        let default = default.and_then(|rest| rest.split(']').next()).map(str::to_owned);
        found.insert(name.to_owned(), default);
    }
    found
}
