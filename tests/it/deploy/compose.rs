//! The compose files against the image, the program and what is on the disk.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    ADMIN_PATHS, Faults, are_options, ending,
    files::{Files, fields, interpolated, items, text, texts},
    image::Image,
    is_pinned, port_of,
    program::Program,
    seconds,
};

/// The platform of a developer.
pub(super) const PLATFORM: &str = "compose.yaml";
/// The example for production.
pub(super) const PRODUCTION: &str = "compose.prod.yaml";

/// What the example for production is told.
pub(super) const TOLD: [(&str, &str); 4] = [
    ("TENANTRY_IMAGE", "registry.example.org/tenantry:0.1.0"),
    ("TENANTRY_HOST", "api.example.org"),
    ("TENANTRY_OIDC_ISSUER", "https://id.example.org/"),
    ("TENANTRY_OIDC_AUDIENCE", "portal"),
];
/// Where `scripts/setup-compose` puts what no repository holds.
pub(super) const MADE: &str = "deploy/secrets/";

struct Service<'a> {
    at: String,
    name: &'a str,
    body: &'a Value,
    all: &'a Value,
}

pub(super) fn look(files: &Files, program: &Program, image: &Image, faults: &mut Faults) {
    for path in [PLATFORM, PRODUCTION] {
        let file = read(files, path);
        for (name, body) in fields(&file["services"]) {
            let at = format!("{path}: {name}");
            let service = Service { at, name, body, all: &file["services"] };
            service.is_hardened(faults);
            service.starts_in_order(faults);
            service.holds_no_secret(&file["secrets"], faults);
            service.mounts_what_is_there(faults);
            if path == PLATFORM {
                service.stays_on_loopback(faults);
            }
            if text(&body["image"]).contains("tenantry:") {
                service.runs_the_program(program, image, faults);
            }
        }
        let balancer = texts(&file["services"]["traefik"]["command"]).join(" ");
        closes_first(path, &balancer, faults);
    }
    rolls(&read(files, PRODUCTION)["services"]["gateway"]["deploy"], faults);
}

/// A compose file where nobody says anything that need not be said.
fn read(files: &Files, path: &str) -> Value {
    interpolate(&files.yaml(path), if path == PRODUCTION { &TOLD } else { &[] })
}

fn interpolate(value: &Value, told: &[(&str, &str)]) -> Value {
    match value {
        Value::String(text) => interpolated(text, told).into(),
        Value::Array(items) => items.iter().map(|item| interpolate(item, told)).collect(),
        Value::Object(fields) => {
            let field = |(name, value): (&String, _)| (name.clone(), interpolate(value, told));
            fields.iter().map(field).collect()
        }
        other => other.clone(),
    }
}

/// A connection that the gateway closes while the balancer sends on it is a failed request.
fn closes_first(path: &str, balancer: &str, faults: &mut Faults) {
    let option = "--serverstransport.forwardingtimeouts.idleconntimeout=";
    let idle = balancer.split(option).nth(1).and_then(|rest| rest.split(' ').next());
    let sooner = idle.and_then(seconds).is_some_and(|idle| idle < tenantry::http::HEAD_TIMEOUT);
    faults.unless(sooner, || {
        format!("{path}: traefik keeps idle connections longer than the gateway")
    });
}

fn rolls(deploy: &Value, faults: &mut Faults) {
    let update = &deploy["update_config"];
    let several = deploy["replicas"].as_u64() > update["parallelism"].as_u64();
    let rolling = several && update["order"] == "start-first";
    faults.unless(rolling, || format!("{PRODUCTION}: an update leaves no gateway to answer"));
}

impl Service<'_> {
    fn is_hardened(&self, faults: &mut Faults) {
        let Self { at, body, .. } = self;
        let image = text(&body["image"]);
        faults.unless(is_pinned(image), || format!("{at}: {image} is not pinned"));
        let dropped = texts(&body["cap_drop"]) == ["ALL"];
        faults.unless(dropped, || format!("{at}: it keeps capabilities"));
        let stays = texts(&body["security_opt"]).contains(&"no-new-privileges:true");
        faults.unless(stays, || format!("{at}: it may gain privileges"));
        let bounded = body["deploy"]["resources"]["limits"]["memory"].is_string();
        faults.unless(bounded, || format!("{at}: its memory has no limit"));
        let comes_back = body["restart"].is_string();
        faults.unless(comes_back, || format!("{at}: nobody starts it again"));
        // Authentik's own is not made for it.
        let read_only = body["read_only"] == true || image.contains("goauthentik");
        faults.unless(read_only, || format!("{at}: its file system can be written to"));
    }

    fn starts_in_order(&self, faults: &mut Faults) {
        let Self { at, body, all, .. } = self;
        for (other, how) in fields(&body["depends_on"]) {
            let there = &all[other];
            faults.unless(there.is_object(), || format!("{at}: no service {other}"));
            let checked = texts(&there["healthcheck"]["test"]).first() == Some(&"CMD");
            let ends = text(&there["restart"]) == "on-failure";
            let will = match text(&how["condition"]) {
                "service_healthy" => checked,
                "service_completed_successfully" => ends,
                "service_started" => text(&body["restart"]) == "on-failure",
                _ => false,
            };
            faults.unless(will, || format!("{at}: it waits for {other} in vain"));
            let profiles = texts(&there["profiles"]);
            let with = texts(&body["profiles"]).iter().all(|profile| profiles.contains(profile));
            faults.unless(with, || format!("{at}: {other} is not in all of its profiles"));
        }
    }

    fn holds_no_secret(&self, declared: &Value, faults: &mut Faults) {
        let Self { at, body, .. } = self;
        for (variable, value) in fields(&body["environment"]) {
            let value = text(value);
            let secret = !variable.ends_with("_URL")
                && ["PASSWORD", "SECRET", "KEY", "TOKEN"].iter().any(|w| variable.contains(w));
            let by_file =
                value.starts_with("/run/secrets/") || value.starts_with("file:///run/secrets/");
            let has_user = value.split_once("://").is_some_and(|(_, rest)| {
                rest.split('/').next().is_some_and(|host| host.contains('@'))
            });
            faults.unless(!has_user && (by_file || !secret), || {
                format!("{at}: {variable} is a secret")
            });
            if let Some((_, name)) = value.split_once("/run/secrets/") {
                let given = texts(&body["secrets"]).contains(&name);
                faults.unless(given, || {
                    format!("{at}: {variable} names a secret that it is not given")
                });
            }
        }
        for name in texts(&body["secrets"]) {
            let file = text(&declared[name]["file"]);
            let made = file == format!("{MADE}{name}");
            faults.unless(made, || format!("{at}: the secret {name} is of no file that is made"));
        }
    }

    fn mounts_what_is_there(&self, faults: &mut Faults) {
        for volume in texts(&self.body["volumes"]) {
            let Some(source) = volume.strip_prefix("./").and_then(|rest| rest.split(':').next())
            else {
                continue;
            };
            let there = source.starts_with(MADE) || super::root().join(source).exists();
            faults.unless(there, || format!("{}: no {source} that could be mounted", self.at));
        }
    }

    fn stays_on_loopback(&self, faults: &mut Faults) {
        for port in texts(&self.body["ports"]) {
            let here = port.starts_with("127.0.0.1:");
            faults.unless(here, || format!("{}: {port} can be reached from elsewhere", self.at));
        }
    }

    fn runs_the_program(&self, program: &Program, image: &Image, faults: &mut Faults) {
        let Self { at, body, .. } = self;
        let command = texts(&body["command"]);
        let command = command.first().copied().unwrap_or("serve");
        faults.unless(program.has_command(command), || format!("{at}: no command {command}"));
        let environment = environment(body);
        are_options(at, &environment, program, faults);
        if let Some(file) = environment.get("TENANTRY_OIDC_CA_FILE") {
            let targets = texts(&body["volumes"]);
            let mut targets = targets.iter().filter_map(|volume| volume.split(':').nth(1));
            let mounted = targets.any(|target| file.starts_with(&format!("{target}/")));
            faults.unless(mounted, || format!("{at}: nothing is mounted at {file}"));
        }
        let binds =
            ["TENANTRY_BIND", "TENANTRY_ADMIN_BIND"].map(|name| port_of(&environment[name]));
        faults.unless(binds == [image.public_port, image.admin_port], || {
            format!("{at}: it listens on {binds:?}, and the image says otherwise")
        });
        for port in texts(&body["ports"]) {
            let inside = port.rsplit(':').next().and_then(|port| port.parse().ok());
            let known = inside.is_some_and(|port| binds.contains(&port));
            faults.unless(known, || format!("{at}: nobody listens at the port of {port}"));
        }
        if command != "serve" {
            return;
        }
        let check = texts(&body["healthcheck"]["test"]);
        let health = check == ["CMD", image.binary.as_str(), "health"];
        faults.unless(health, || format!("{at}: its check is {check:?}"));
        let grace = seconds(text(&body["stop_grace_period"]));
        let enough = grace > ending(&environment, program);
        faults.unless(enough, || format!("{at}: it is killed while requests are under way"));
        self.is_routed_to(&body["labels"], image, faults);
        if body["deploy"]["labels"].is_object() {
            self.is_routed_to(&body["deploy"]["labels"], image, faults);
        }
    }

    fn is_routed_to(&self, labels: &Value, image: &Image, faults: &mut Faults) {
        let at = &self.at;
        let balancer = format!("traefik.http.services.{}.loadbalancer", self.name);
        let label = |name: &str| text(&labels[format!("{balancer}.{name}")]).to_owned();
        let port = label("server.port");
        let right = port == image.public_port.to_string();
        faults.unless(right, || format!("{at}: traefik sends to port {port:?}"));
        let (path, port) = (label("healthcheck.path"), label("healthcheck.port"));
        let asked = path.is_empty()
            || (ADMIN_PATHS.contains(&path.as_str()) && port == image.admin_port.to_string());
        faults.unless(asked, || format!("{at}: traefik asks for health at {port}{path}"));
        if path.is_empty() {
            return;
        }
        let late = seconds(&label("healthcheck.interval"))
            .zip(seconds(&label("healthcheck.timeout")))
            .map(|(interval, timeout)| interval + timeout);
        let delay = environment(self.body).get("TENANTRY_SHUTDOWN_DELAY").and_then(|d| seconds(d));
        let noticed = late.is_some() && delay > late;
        faults.unless(noticed, || format!("{at}: traefik sends to one that is gone"));
    }
}

/// A service's variables.
pub(super) fn environment(body: &Value) -> BTreeMap<String, String> {
    let named = fields(&body["environment"]);
    named.map(|(name, value)| (name.to_owned(), text(value).to_owned())).collect()
}

/// The name that a service is routed by.
pub(super) fn host(body: &Value) -> &str {
    let mut labels = fields(&body["labels"]);
    let rule = labels.find(|(name, _)| name.ends_with(".rule")).map(|(_, rule)| text(rule));
    rule.and_then(|rule| rule.strip_prefix("Host(`")?.strip_suffix("`)")).unwrap_or_default()
}

/// The platform's names, which are also names within it.
pub(super) fn names(files: &Files, faults: &mut Faults) -> Vec<String> {
    let file = read(files, PLATFORM);
    let aliases = texts(&file["services"]["traefik"]["networks"]["edge"]["aliases"]);
    for (name, body) in fields(&file["services"]) {
        let host = host(body);
        if body["labels"]["traefik.enable"] == "true" {
            let known = aliases.contains(&host);
            faults.unless(known, || format!("{PLATFORM}: {name}: {host} is no name within"));
            let joined = texts(&body["networks"]).contains(&"edge");
            faults.unless(joined, || format!("{PLATFORM}: {name}: traefik does not reach it"));
        }
    }
    aliases.into_iter().map(str::to_owned).collect()
}

/// The platform, with its variables as they are where nobody says.
pub(super) fn platform(files: &Files) -> Value {
    read(files, PLATFORM)
}

/// Each secret that some service is given.
pub(super) fn secrets(files: &Files) -> Vec<String> {
    let file = platform(files);
    let files = fields(&file["secrets"]).map(|(_, secret)| text(&secret["file"]).to_owned());
    let mut all: Vec<_> = files.collect();
    for (_, body) in fields(&file["services"]) {
        all.extend(items(&body["env_file"]).map(|path| text(path).to_owned()));
    }
    all
}
