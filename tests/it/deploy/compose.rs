//! Checks the compose files against the image, the program and the files in the repository.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    ADMIN_PATHS, Mismatches, check_variables,
    files::{Files, fields, interpolate, items, text, texts},
    image::Image,
    is_pinned, parse_seconds, port_of,
    program::Program,
    shutdown_duration,
};

/// The compose file of the development platform.
pub(super) const PLATFORM: &str = "compose.yaml";
/// The compose file of the production example.
pub(super) const PRODUCTION: &str = "compose.prod.yaml";

/// The variables that an operator sets for the production example.
pub(super) const PRODUCTION_VARIABLES: [(&str, &str); 4] = [
    ("TENANTRY_IMAGE", "registry.example.org/tenantry:0.1.0"),
    ("TENANTRY_HOST", "api.example.org"),
    ("TENANTRY_OIDC_ISSUER", "https://id.example.org/"),
    ("TENANTRY_OIDC_AUDIENCE", "portal"),
];
/// The directory of the files that `scripts/setup-compose` generates and the repository ignores.
pub(super) const GENERATED: &str = "deploy/secrets/";

/// A service of a compose file.
struct Service<'a> {
    location: String,
    name: &'a str,
    body: &'a Value,
    all: &'a Value,
}

/// Checks all services of both compose files.
pub(super) fn check(files: &Files, program: &Program, image: &Image, mismatches: &mut Mismatches) {
    for path in [PLATFORM, PRODUCTION] {
        let file = load(files, path);
        for (name, body) in fields(&file["services"]) {
            let location = format!("{path}: {name}");
            let service = Service { location, name, body, all: &file["services"] };
            service.check_hardening(mismatches);
            service.check_dependencies(mismatches);
            service.check_secrets(&file["secrets"], mismatches);
            service.check_mounts(mismatches);
            if path == PLATFORM {
                service.check_loopback(mismatches);
            }
            if text(&body["image"]).contains("tenantry:") {
                service.check_program(program, image, mismatches);
            }
        }
        let balancer = texts(&file["services"]["traefik"]["command"]).join(" ");
        check_idle_timeout(path, &balancer, mismatches);
    }
    check_rolling_update(&load(files, PRODUCTION)["services"]["gateway"]["deploy"], mismatches);
}

/// Parses a compose file and interpolates its variables. Optional ones have their defaults.
fn load(files: &Files, path: &str) -> Value {
    interpolate_all(&files.yaml(path), if path == PRODUCTION { &PRODUCTION_VARIABLES } else { &[] })
}

fn interpolate_all(value: &Value, variables: &[(&str, &str)]) -> Value {
    match value {
        Value::String(text) => interpolate(text, variables).into(),
        Value::Array(items) => items.iter().map(|item| interpolate_all(item, variables)).collect(),
        Value::Object(fields) => {
            let field =
                |(name, value): (&String, _)| (name.clone(), interpolate_all(value, variables));
            fields.iter().map(field).collect()
        }
        other => other.clone(),
    }
}

/// Checks that the balancer closes idle connections before the gateway does. A request fails if the
/// balancer sends it on a connection that the gateway is closing.
fn check_idle_timeout(path: &str, balancer: &str, mismatches: &mut Mismatches) {
    let option = "--serverstransport.forwardingtimeouts.idleconntimeout=";
    let idle = balancer.split(option).nth(1).and_then(|rest| rest.split(' ').next());
    let is_shorter =
        idle.and_then(parse_seconds).is_some_and(|idle| idle < tenantry::http::HEAD_TIMEOUT);
    mismatches.check(is_shorter, || {
        format!("{path}: traefik keeps idle connections longer than the gateway")
    });
}

/// Checks that an update starts new gateways first and never replaces all of them at once.
fn check_rolling_update(deploy: &Value, mismatches: &mut Mismatches) {
    let update = &deploy["update_config"];
    let has_spare = deploy["replicas"].as_u64() > update["parallelism"].as_u64();
    let is_rolling = has_spare && update["order"] == "start-first";
    mismatches.check(is_rolling, || format!("{PRODUCTION}: an update leaves no gateway running"));
}

impl Service<'_> {
    fn check_hardening(&self, mismatches: &mut Mismatches) {
        let Self { location, body, .. } = self;
        let image = text(&body["image"]);
        mismatches.check(is_pinned(image), || format!("{location}: {image} is not pinned"));
        let drops_all = texts(&body["cap_drop"]) == ["ALL"];
        mismatches.check(drops_all, || format!("{location}: it does not drop all capabilities"));
        let no_new_privileges = texts(&body["security_opt"]).contains(&"no-new-privileges:true");
        mismatches.check(no_new_privileges, || format!("{location}: it may gain privileges"));
        let has_memory_limit = body["deploy"]["resources"]["limits"]["memory"].is_string();
        mismatches.check(has_memory_limit, || format!("{location}: its memory has no limit"));
        let restarts = body["restart"].is_string();
        mismatches.check(restarts, || format!("{location}: it has no restart policy"));
        // The Authentik image does not support a read-only file system.
        let read_only = body["read_only"] == true || image.contains("goauthentik");
        mismatches.check(read_only, || format!("{location}: its root file system is writable"));
    }

    fn check_dependencies(&self, mismatches: &mut Mismatches) {
        let Self { location, body, all, .. } = self;
        for (other, dependency) in fields(&body["depends_on"]) {
            let target = &all[other];
            mismatches.check(target.is_object(), || format!("{location}: no service {other}"));
            let has_health_check = texts(&target["healthcheck"]["test"]).first() == Some(&"CMD");
            let completes = text(&target["restart"]) == "on-failure";
            let can_be_met = match text(&dependency["condition"]) {
                "service_healthy" => has_health_check,
                "service_completed_successfully" => completes,
                "service_started" => text(&body["restart"]) == "on-failure",
                _ => false,
            };
            mismatches.check(can_be_met, || {
                format!("{location}: its condition on {other} can never be met")
            });
            let profiles = texts(&target["profiles"]);
            let has_profiles =
                texts(&body["profiles"]).iter().all(|profile| profiles.contains(profile));
            mismatches.check(has_profiles, || {
                format!("{location}: {other} is not in all of its profiles")
            });
        }
    }

    fn check_secrets(&self, declared: &Value, mismatches: &mut Mismatches) {
        let Self { location, body, .. } = self;
        for (variable, value) in fields(&body["environment"]) {
            let value = text(value);
            let is_secret = !variable.ends_with("_URL")
                && ["PASSWORD", "SECRET", "KEY", "TOKEN"].iter().any(|w| variable.contains(w));
            let by_file =
                value.starts_with("/run/secrets/") || value.starts_with("file:///run/secrets/");
            let has_user = value.split_once("://").is_some_and(|(_, rest)| {
                rest.split('/').next().is_some_and(|host| host.contains('@'))
            });
            mismatches.check(!has_user && (by_file || !is_secret), || {
                format!("{location}: {variable} contains a secret")
            });
            if let Some((_, name)) = value.split_once("/run/secrets/") {
                let is_mounted = texts(&body["secrets"]).contains(&name);
                mismatches.check(is_mounted, || {
                    format!("{location}: {variable} names a secret that is not mounted")
                });
            }
        }
        for name in texts(&body["secrets"]) {
            let file = text(&declared[name]["file"]);
            let is_generated = file == format!("{GENERATED}{name}");
            mismatches.check(is_generated, || {
                format!("{location}: the secret {name} is not a generated file")
            });
        }
    }

    fn check_mounts(&self, mismatches: &mut Mismatches) {
        for volume in texts(&self.body["volumes"]) {
            let Some(source) = volume.strip_prefix("./").and_then(|rest| rest.split(':').next())
            else {
                continue;
            };
            let exists = source.starts_with(GENERATED) || super::root().join(source).exists();
            mismatches.check(exists, || {
                format!("{}: the mounted {source} does not exist", self.location)
            });
        }
    }

    fn check_loopback(&self, mismatches: &mut Mismatches) {
        for port in texts(&self.body["ports"]) {
            let is_loopback = port.starts_with("127.0.0.1:");
            mismatches.check(is_loopback, || {
                format!("{}: {port} is not bound to the loopback address", self.location)
            });
        }
    }

    fn check_program(&self, program: &Program, image: &Image, mismatches: &mut Mismatches) {
        let Self { location, body, .. } = self;
        let command = texts(&body["command"]);
        let command = command.first().copied().unwrap_or("serve");
        mismatches
            .check(program.has_command(command), || format!("{location}: no command {command}"));
        let environment = environment(body);
        check_variables(location, &environment, program, mismatches);
        for (_, file) in environment.iter().filter(|(name, _)| name.ends_with("_CA_FILE")) {
            let targets = texts(&body["volumes"]);
            let mut targets = targets.iter().filter_map(|volume| volume.split(':').nth(1));
            let is_mounted = targets.any(|target| file.starts_with(&format!("{target}/")));
            mismatches.check(is_mounted, || format!("{location}: nothing is mounted at {file}"));
        }
        let binds =
            ["TENANTRY_BIND", "TENANTRY_ADMIN_BIND"].map(|name| port_of(&environment[name]));
        mismatches.check(binds == [image.public_port, image.admin_port], || {
            format!("{location}: it listens on {binds:?}, unlike the image")
        });
        for port in texts(&body["ports"]) {
            let container_port = port.rsplit(':').next().and_then(|port| port.parse().ok());
            let is_bound = container_port.is_some_and(|port| binds.contains(&port));
            mismatches
                .check(is_bound, || format!("{location}: no listener has the port of {port}"));
        }
        if command != "serve" {
            return;
        }
        let health_check = texts(&body["healthcheck"]["test"]);
        let is_health = health_check == ["CMD", image.binary.as_str(), "health"];
        mismatches.check(is_health, || format!("{location}: its health check is {health_check:?}"));
        let grace_period = parse_seconds(text(&body["stop_grace_period"]));
        let is_long_enough = grace_period > shutdown_duration(&environment, program);
        mismatches.check(is_long_enough, || {
            format!("{location}: its grace period is shorter than the shutdown")
        });
        self.check_routing(&body["labels"], image, mismatches);
        if body["deploy"]["labels"].is_object() {
            self.check_routing(&body["deploy"]["labels"], image, mismatches);
        }
    }

    fn check_routing(&self, labels: &Value, image: &Image, mismatches: &mut Mismatches) {
        let location = &self.location;
        let balancer = format!("traefik.http.services.{}.loadbalancer", self.name);
        let label = |name: &str| text(&labels[format!("{balancer}.{name}")]).to_owned();
        let port = label("server.port");
        let is_public = port == image.public_port.to_string();
        mismatches
            .check(is_public, || format!("{location}: traefik sends requests to port {port:?}"));
        let (path, port) = (label("healthcheck.path"), label("healthcheck.port"));
        let is_served = path.is_empty()
            || (ADMIN_PATHS.contains(&path.as_str()) && port == image.admin_port.to_string());
        mismatches
            .check(is_served, || format!("{location}: traefik checks health at {port}{path}"));
        if path.is_empty() {
            return;
        }
        let detection = parse_seconds(&label("healthcheck.interval"))
            .zip(parse_seconds(&label("healthcheck.timeout")))
            .map(|(interval, timeout)| interval + timeout);
        let delay = environment(self.body)
            .get("TENANTRY_SHUTDOWN_DELAY")
            .and_then(|delay| parse_seconds(delay));
        let is_detected = detection.is_some() && delay > detection;
        mismatches.check(is_detected, || {
            format!("{location}: traefik sends requests to a stopped gateway")
        });
    }
}

/// Returns a service's environment variables.
pub(super) fn environment(body: &Value) -> BTreeMap<String, String> {
    let variables = fields(&body["environment"]);
    variables.map(|(name, value)| (name.to_owned(), text(value).to_owned())).collect()
}

/// Returns the host name that traefik routes to a service.
pub(super) fn host(body: &Value) -> &str {
    let mut labels = fields(&body["labels"]);
    let rule = labels.find(|(name, _)| name.ends_with(".rule")).map(|(_, rule)| text(rule));
    rule.and_then(|rule| rule.strip_prefix("Host(`")?.strip_suffix("`)")).unwrap_or_default()
}

/// Checks that the platform's host names also resolve inside its network, and returns them.
pub(super) fn check_host_names(files: &Files, mismatches: &mut Mismatches) -> Vec<String> {
    let file = load(files, PLATFORM);
    let aliases = texts(&file["services"]["traefik"]["networks"]["edge"]["aliases"]);
    for (name, body) in fields(&file["services"]) {
        let host = host(body);
        if body["labels"]["traefik.enable"] == "true" {
            let is_alias = aliases.contains(&host);
            mismatches.check(is_alias, || {
                format!("{PLATFORM}: {name}: {host} is not an alias in the network")
            });
            let is_on_edge = texts(&body["networks"]).contains(&"edge");
            mismatches.check(is_on_edge, || {
                format!("{PLATFORM}: {name}: it is not on traefik's network")
            });
        }
    }
    aliases.into_iter().map(str::to_owned).collect()
}

/// Parses the compose file of the platform. Its variables have their defaults.
pub(super) fn load_platform(files: &Files) -> Value {
    load(files, PLATFORM)
}

/// Returns the paths of all secrets and environment files of the services.
pub(super) fn secret_files(files: &Files) -> Vec<String> {
    let file = load_platform(files);
    let files = fields(&file["secrets"]).map(|(_, secret)| text(&secret["file"]).to_owned());
    let mut paths: Vec<_> = files.collect();
    for (_, body) in fields(&file["services"]) {
        paths.extend(items(&body["env_file"]).map(|path| text(path).to_owned()));
    }
    paths
}
