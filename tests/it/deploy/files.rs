//! What is deployed, as text: that of the repository, or a copy of it with something wrong in it.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;
use serde_json::{Map, Value};

/// The folder of the manifests for Kubernetes.
pub(super) const KUBERNETES: &str = "deploy/kubernetes";
/// The blueprint of Authentik.
pub(super) const BLUEPRINT: &str = "deploy/authentik/dezky.yaml";

const NAMED: [&str; 6] =
    ["Dockerfile", ".dockerignore", "Cargo.toml", "compose.yaml", "compose.prod.yaml", BLUEPRINT];

/// Files by their paths in the repository.
#[derive(Clone)]
pub(super) struct Files(BTreeMap<String, String>);

pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Files {
    /// Those of the repository.
    pub(super) fn committed() -> Self {
        let mut paths = NAMED.map(str::to_owned).to_vec();
        for entry in fs::read_dir(root().join(KUBERNETES)).expect("the manifests") {
            let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
            paths.push(format!("{KUBERNETES}/{name}"));
        }
        let read = |path: String| {
            let text = fs::read_to_string(root().join(&path)).expect("a committed file");
            (path, text)
        };
        Self(paths.into_iter().map(read).collect())
    }

    /// A copy where one text is another.
    pub(super) fn with(&self, path: &str, from: &str, to: &str) -> Self {
        let mut copy = self.clone();
        let text = copy.0.get_mut(path).unwrap_or_else(|| panic!("no file {path}"));
        assert!(text.contains(from), "{path} has no {from:?} that could be changed");
        *text = text.replace(from, to);
        copy
    }

    pub(super) fn text(&self, path: &str) -> &str {
        &self.0[path]
    }

    /// The names of the manifests.
    pub(super) fn manifests(&self) -> impl Iterator<Item = &str> {
        self.0.keys().filter_map(|path| path.strip_prefix(KUBERNETES)?.strip_prefix('/'))
    }

    /// A file's one document.
    pub(super) fn yaml(&self, path: &str) -> Value {
        let [one] = self.documents(path).try_into().expect("one document");
        one
    }

    /// A file's documents, with what `<<` brings in its place, and tags as `{"!Tag": value}`.
    pub(super) fn documents(&self, path: &str) -> Vec<Value> {
        let read = |document: yaml_serde::Deserializer<'_>| {
            let mut value = yaml_serde::Value::deserialize(document)
                .unwrap_or_else(|error| panic!("{path}: {error}"));
            // Once more, because what is merged may itself merge something.
            for _ in 0..2 {
                value.apply_merge().expect("something that can be merged");
            }
            json(value)
        };
        yaml_serde::Deserializer::from_str(self.text(path)).map(read).collect()
    }
}

fn json(value: yaml_serde::Value) -> Value {
    use yaml_serde::Value as Yaml;
    match value {
        Yaml::Null => Value::Null,
        Yaml::Bool(bool) => bool.into(),
        Yaml::Number(number) => serde_json::to_value(number).expect("a number"),
        Yaml::String(text) => text.into(),
        Yaml::Sequence(items) => items.into_iter().map(json).collect(),
        Yaml::Mapping(fields) => {
            let field = |(name, value)| match json(name) {
                Value::String(name) => (name, json(value)),
                other => panic!("{other} is no name"),
            };
            Value::Object(fields.into_iter().map(field).collect())
        }
        Yaml::Tagged(tagged) => {
            let field = (tagged.tag.to_string(), json(tagged.value));
            Value::Object(Map::from_iter([field]))
        }
    }
}

/// What a compose file says where a variable is not set, or is one of those.
pub(super) fn interpolated(text: &str, variables: &[(&str, &str)]) -> String {
    let Some((before, rest)) = text.split_once("${") else { return text.to_owned() };
    let (inside, after) = rest.split_once('}').expect("a closing brace");
    let name = inside.split(':').next().unwrap_or(inside);
    let set = variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| *value);
    let value = set.or_else(|| inside.split_once(":-").map(|(_, default)| default));
    let value = value.unwrap_or_else(|| panic!("nothing for {inside:?}"));
    format!("{before}{value}{}", interpolated(after, variables))
}

/// A text, or nothing.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The texts of a list, or nothing.
pub(super) fn texts(value: &Value) -> Vec<&str> {
    value.as_array().map(|items| items.iter().map(text).collect()).unwrap_or_default()
}

/// The fields of a mapping, or nothing.
pub(super) fn fields(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

/// The items of a list, or nothing.
pub(super) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
