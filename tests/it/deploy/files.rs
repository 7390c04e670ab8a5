//! The deployment files as text: those of the repository, or a copy with a mutation.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;
use serde_json::{Map, Value};

/// The directory of the Kubernetes manifests.
pub(super) const KUBERNETES: &str = "deploy/kubernetes";
/// The Authentik blueprint.
pub(super) const BLUEPRINT: &str = "deploy/authentik/dezky.yaml";

/// The deployment files apart from the Kubernetes manifests.
const SINGLE_FILES: [&str; 6] =
    ["Dockerfile", ".dockerignore", "Cargo.toml", "compose.yaml", "compose.prod.yaml", BLUEPRINT];

/// File contents by path in the repository.
#[derive(Clone)]
pub(super) struct Files(BTreeMap<String, String>);

/// Returns the root of the repository.
pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Files {
    /// Reads the files of the repository.
    pub(super) fn committed() -> Self {
        let mut paths = SINGLE_FILES.map(str::to_owned).to_vec();
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

    /// Returns a copy in which one text is replaced in one file.
    pub(super) fn with(&self, path: &str, from: &str, to: &str) -> Self {
        let mut copy = self.clone();
        let text = copy.0.get_mut(path).unwrap_or_else(|| panic!("no file {path}"));
        assert!(text.contains(from), "{path} does not contain {from:?}");
        *text = text.replace(from, to);
        copy
    }

    /// Returns a file's content.
    pub(super) fn text(&self, path: &str) -> &str {
        &self.0[path]
    }

    /// Returns the file names of the Kubernetes manifests.
    pub(super) fn manifests(&self) -> impl Iterator<Item = &str> {
        self.0.keys().filter_map(|path| path.strip_prefix(KUBERNETES)?.strip_prefix('/'))
    }

    /// Parses a YAML file with a single document.
    pub(super) fn yaml(&self, path: &str) -> Value {
        let [document] = self.documents(path).try_into().expect("one document");
        document
    }

    /// Parses all documents of a YAML file. Merge keys (`<<`) are applied, and a tagged value
    /// becomes `{"!Tag": value}`.
    pub(super) fn documents(&self, path: &str) -> Vec<Value> {
        let parse = |document: yaml_serde::Deserializer<'_>| {
            let mut value = yaml_serde::Value::deserialize(document)
                .unwrap_or_else(|error| panic!("{path}: {error}"));
            // Two passes, because a merged mapping may itself have a merge key.
            for _ in 0..2 {
                value.apply_merge().expect("valid merge keys");
            }
            json(value)
        };
        yaml_serde::Deserializer::from_str(self.text(path)).map(parse).collect()
    }
}

/// Converts a YAML value to JSON.
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
                other => panic!("{other} is not a valid field name"),
            };
            Value::Object(fields.into_iter().map(field).collect())
        }
        Yaml::Tagged(tagged) => {
            let field = (tagged.tag.to_string(), json(tagged.value));
            Value::Object(Map::from_iter([field]))
        }
    }
}

/// Interpolates `${NAME:-default}` in a text of a compose file, with these variables set.
pub(super) fn interpolate(text: &str, variables: &[(&str, &str)]) -> String {
    let Some((before, rest)) = text.split_once("${") else { return text.to_owned() };
    let (inside, after) = rest.split_once('}').expect("a closing brace");
    let name = inside.split(':').next().unwrap_or(inside);
    let set = variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| *value);
    let value = set.or_else(|| inside.split_once(":-").map(|(_, default)| default));
    let value = value.unwrap_or_else(|| panic!("no value for {inside:?}"));
    format!("{before}{value}{}", interpolate(after, variables))
}

/// Returns a string value, or an empty text.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Returns the strings of a list. Any other value yields an empty list.
pub(super) fn texts(value: &Value) -> Vec<&str> {
    value.as_array().map(|items| items.iter().map(text).collect()).unwrap_or_default()
}

/// Returns the fields of a mapping. Any other value has no fields.
pub(super) fn fields(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

/// Returns the items of a list. Any other value has no items.
pub(super) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
