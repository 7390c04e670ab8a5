//! Checks the Authentik blueprint against the development platform and the program's group options.

use serde_json::Value;

use super::{
    Mismatches, compose,
    files::{BLUEPRINT, Files, fields, items, text, texts},
    program::Program,
};

/// The scopes that the portal requests at sign-in.
const SCOPES: [&str; 5] = ["openid", "profile", "email", "groups", "offline_access"];
/// The prefix of the scope mappings that Authentik manages.
const MANAGED: &str = "goauthentik.io/providers/oauth2/scope-";

/// The blueprint's entries, with the mismatches found so far.
struct Blueprint<'a> {
    entries: &'a [Value],
    mismatches: &'a mut Mismatches,
}

/// Checks the blueprint.
pub(super) fn check(files: &Files, program: &Program, mismatches: &mut Mismatches) {
    let file = files.yaml(BLUEPRINT);
    let platform = compose::load_platform(files);
    let entries = file["entries"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut blueprint = Blueprint { entries, mismatches };
    blueprint.check_groups(program);
    blueprint.check_scopes(program);
    blueprint.check_provider(&platform["services"]);
    blueprint.check_secrets(files, &platform["services"]["identity-init"]);
    blueprint.check_init_service(&platform["services"]["identity-init"]);
}

impl Blueprint<'_> {
    /// Records a mismatch if the condition does not hold.
    fn check(&mut self, holds: bool, message: impl FnOnce() -> String) {
        self.mismatches.check(holds, || format!("{BLUEPRINT}: {}", message()));
    }

    /// Returns all entries of a model.
    fn entries_of(&self, model: &str) -> Vec<&Value> {
        self.entries.iter().filter(|entry| entry["model"] == model).collect()
    }

    /// Returns the entry that a `!KeyOf` refers to.
    fn referenced(&self, id: &Value) -> Option<&Value> {
        let id = id["!KeyOf"].as_str()?;
        self.entries.iter().find(|entry| entry["id"] == id)
    }

    fn check_groups(&mut self, program: &Program) {
        let names: Vec<_> = self
            .entries_of("authentik_core.group")
            .iter()
            .map(|group| text(&group["identifiers"]["name"]).to_owned())
            .collect();
        let admins = program.default_of("TENANTRY_PLATFORM_ADMIN_GROUP").to_owned();
        let prefix = program.default_of("TENANTRY_TENANT_GROUP_PREFIX").to_owned();
        let tenant = format!("{prefix}{}", program.default_of("TENANTRY_DEFAULT_TENANT_SLUG"));
        for group in [&admins, &tenant] {
            self.check(names.contains(group), || format!("no group {group}"));
        }
        let users = self.entries_of("authentik_core.user");
        let first = users.first().map_or(Value::Null, |user| user["attrs"]["groups"].clone());
        let all_exist = items(&first).all(|group| self.referenced(group).is_some());
        self.check(all_exist && first.is_array(), || "the first user is in no group".to_owned());
    }

    fn check_scopes(&mut self, program: &Program) {
        let claim = format!("\"{}\":", program.default_of("TENANTRY_OIDC_GROUPS_CLAIM"));
        let admins = format!("\"{}\"", program.default_of("TENANTRY_PLATFORM_ADMIN_GROUP"));
        let prefix = format!("\"{}\"", program.default_of("TENANTRY_TENANT_GROUP_PREFIX"));
        let mappings = self.entries_of("authentik_providers_oauth2.scopemapping");
        let groups = mappings.iter().find(|mapping| mapping["attrs"]["scope_name"] == "groups");
        let expression =
            groups.map_or("", |mapping| text(&mapping["attrs"]["expression"])).to_owned();
        for part in [claim, admins, prefix] {
            self.check(expression.contains(&part), || {
                format!("the scope groups does not contain {part}")
            });
        }
        let provider = self.entries_of("authentik_providers_oauth2.oauth2provider")[0].clone();
        let mut attached = Vec::new();
        for mapping in items(&provider["attrs"]["property_mappings"]) {
            let managed = text(&mapping["!Find"][1][1]).strip_prefix(MANAGED).map(str::to_owned);
            let custom = self
                .referenced(mapping)
                .map(|entry| text(&entry["attrs"]["scope_name"]).to_owned());
            attached.extend(managed.or(custom));
        }
        attached.sort();
        let mut expected = SCOPES;
        expected.sort_unstable();
        self.check(attached == expected, || format!("the provider has the scopes {attached:?}"));
    }

    fn check_provider(&mut self, services: &Value) {
        let gateway = compose::environment(&services["gateway"]);
        let portal = compose::environment(&services["portal"]);
        let provider = self.entries_of("authentik_providers_oauth2.oauth2provider")[0].clone();
        let attrs = &provider["attrs"];
        let client = text(&attrs["client_id"]);
        let audience = &gateway["TENANTRY_OIDC_AUDIENCE"];
        self.check(audience == client, || format!("the client is {client}, expected {audience}"));
        let application = self.entries_of("authentik_core.application")[0].clone();
        let is_same = self.referenced(&application["attrs"]["provider"]) == Some(&provider);
        self.check(is_same, || "the application uses another provider".to_owned());
        let slug = text(&application["identifiers"]["slug"]);
        let host = compose::host(&services["identity"]);
        let issuer = format!("https://{host}/application/o/{slug}/");
        let configured = &gateway["TENANTRY_OIDC_ISSUER"];
        self.check(*configured == issuer, || {
            format!("the issuer of tokens is {issuer}, expected {configured}")
        });
        let key = &attrs["signing_key"]["!Find"][0];
        self.check(key == "authentik_crypto.certificatekeypair", || {
            "tokens are not signed".to_owned()
        });
        self.check(attrs["issuer_mode"] == "per_provider", || {
            "the issuer mode is not per_provider".to_owned()
        });
        for flow in ["authorization_flow", "invalidation_flow"] {
            let is_set = attrs[flow]["!Find"][0] == "authentik_flows.flow";
            self.check(is_set, || format!("the provider has no {flow}"));
        }
        self.check_portal(attrs, &portal, &issuer, compose::host(&services["portal"]));
    }

    fn check_portal(
        &mut self,
        provider: &Value,
        portal: &std::collections::BTreeMap<String, String>,
        issuer: &str,
        host: &str,
    ) {
        let get = |name: &str| {
            let name = format!("NUXT_OIDC_PROVIDERS_OIDC_{name}");
            portal.get(&name).cloned().unwrap_or_default()
        };
        for (variable, kind) in
            [("REDIRECT_URI", "authorization"), ("LOGOUT_REDIRECT_URI", "logout")]
        {
            let url = get(variable);
            let is_allowed = items(&provider["redirect_uris"]).any(|uri| {
                uri["url"] == url
                    && uri["matching_mode"] == "strict"
                    && uri["redirect_uri_type"] == kind
            });
            let is_own_host = url.starts_with(&format!("https://{host}/"));
            self.check(is_allowed && is_own_host, || {
                format!("{url:?} is not an allowed redirect URI ({kind})")
            });
        }
        for variable in ["CLIENT_ID", "AUDIENCE"] {
            let matches = provider["client_id"] == get(variable);
            self.check(matches, || format!("the portal has a different {variable}"));
        }
        for variable in ["OPEN_ID_CONFIGURATION", "LOGOUT_URL"] {
            let matches = get(variable).starts_with(issuer);
            self.check(matches, || format!("the portal has the {variable} of another issuer"));
        }
    }

    fn check_secrets(&mut self, files: &Files, service: &Value) {
        let mounted = texts(&service["secrets"]);
        let referenced = files.text(BLUEPRINT).split("!File ").skip(1);
        for path in referenced.filter_map(|rest| rest.split_whitespace().next()) {
            let name = path.strip_prefix("/run/secrets/").unwrap_or_default();
            let is_mounted = mounted.contains(&name);
            self.check(is_mounted, || format!("the service that applies it has no secret {path}"));
        }
        let entries = self.entries;
        for entry in entries {
            for (name, value) in fields(&entry["attrs"]) {
                let is_secret = name.contains("password") || name.contains("secret");
                self.check(!is_secret || value["!File"].is_string(), || {
                    format!("{name} contains a secret")
                });
            }
        }
    }

    fn check_init_service(&mut self, service: &Value) {
        let command = texts(&service["command"]);
        let path = match command[..] {
            ["apply_blueprint", path] => format!("/blueprints/{path}"),
            _ => String::new(),
        };
        let is_mounted = texts(&service["volumes"]).iter().any(|volume| {
            let mut parts = volume.trim_start_matches("./").split(':');
            let (from, to) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let relative = path.strip_prefix(&format!("{to}/"));
            relative.is_some_and(|relative| format!("{from}/{relative}") == BLUEPRINT)
        });
        self.check(is_mounted, || {
            format!("no service applies it; the applied blueprint is {path:?}")
        });
    }
}
