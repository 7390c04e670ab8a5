//! The program's commands and variables, read from its own `--help` and error messages.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Command, Output, Stdio},
    sync::Mutex,
};

/// The program's commands.
pub(super) struct Program {
    /// The variables of each command, with their defaults.
    commands: BTreeMap<String, BTreeMap<String, Option<String>>>,
    /// Caches the results of [`Program::accepts`], because each needs a process and processes
    /// dominate the time of the tests.
    checked: Mutex<BTreeMap<String, Result<(), String>>>,
}

/// The variable that the program validates last, with an invalid value.
const INVALID_LAST: (&str, &str) = ("TENANTRY_DEFAULT_TENANT_PLAN", "nonsense");

/// Runs the program with these variables only.
fn run(arguments: &[&str], variables: &BTreeMap<String, String>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command.env_clear().envs(variables).args(arguments).stdin(Stdio::null());
    command.output().expect("the program")
}

/// Returns the help text of a command.
fn help(arguments: &[&str]) -> String {
    let output = run(arguments, &BTreeMap::new());
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "{arguments:?}");
    text
}

impl Program {
    /// Reads `--help` of the program and of each command.
    pub(super) fn from_help() -> Self {
        let text = help(&["--help"]);
        let section = text.split("Commands:").nth(1).and_then(|rest| rest.split("\n\n").next());
        let names = section.expect("a list of commands").lines().filter(|line| {
            let indent = line.len() - line.trim_start().len();
            indent == 2
        });
        let names =
            names.filter_map(|line| line.split_whitespace().next()).filter(|n| *n != "help");
        let commands =
            names.map(|name| (name.to_owned(), parse_variables(&help(&[name, "--help"]))));
        Self { commands: commands.collect(), checked: Mutex::default() }
    }

    /// Returns whether the program has this command.
    pub(super) fn has_command(&self, name: &str) -> bool {
        self.commands.contains_key(name)
    }

    /// Returns the variables of all commands.
    pub(super) fn variables(&self) -> BTreeSet<&str> {
        self.commands.values().flat_map(BTreeMap::keys).map(String::as_str).collect()
    }

    /// Returns the default value of a variable of `serve`.
    pub(super) fn default_of(&self, variable: &str) -> &str {
        let default = self.commands["serve"].get(variable);
        default.and_then(Option::as_deref).unwrap_or_else(|| panic!("no default for {variable}"))
    }

    /// Returns an error if `serve` rejects these variables.
    ///
    /// The check needs no port, file or network. It sets the variable that the program validates
    /// last to an invalid value, and expects an error about that variable only.
    pub(super) fn accepts(&self, variables: &BTreeMap<String, String>) -> Result<(), String> {
        let key = format!("{variables:?}");
        if let Some(result) = self.checked.lock().expect("not poisoned").get(&key) {
            return result.clone();
        }
        let mut variables = variables.clone();
        variables.insert(INVALID_LAST.0.to_owned(), INVALID_LAST.1.to_owned());
        let output = run(&["serve"], &variables);
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let only_last_is_invalid =
            message.contains(&format!("{}: invalid plan {:?}", INVALID_LAST.0, INVALID_LAST.1));
        let result = if only_last_is_invalid { Ok(()) } else { Err(message) };
        self.checked.lock().expect("not poisoned").insert(key, result.clone());
        result
    }
}

/// Parses the variables of a help text, with their defaults.
fn parse_variables(help: &str) -> BTreeMap<String, Option<String>> {
    // Long lines are wrapped at any word.
    let text = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut variables = BTreeMap::new();
    for rest in text.split("[env: ").skip(1) {
        let name = rest.split(['=', ']']).next().unwrap_or_default();
        let after = rest.split_once(']').map_or("", |(_, after)| after);
        let default = after.trim_start().strip_prefix("[default: ");
        let default = default.and_then(|rest| rest.split(']').next()).map(str::to_owned);
        variables.insert(name.to_owned(), default);
    }
    variables
}
