//! The blueprint against the platform around it and what the program makes of groups.

use serde_json::Value;

use super::{
    Faults, compose,
    files::{BLUEPRINT, Files, fields, items, text, texts},
    program::Program,
};

/// What the portal asks for at a sign-in.
const SCOPES: [&str; 5] = ["openid", "profile", "email", "groups", "offline_access"];
/// Scopes that Authentik itself has, by the ends of their names.
const MANAGED: &str = "goauthentik.io/providers/oauth2/scope-";

struct Blueprint<'a> {
    entries: &'a [Value],
    faults: &'a mut Faults,
}

pub(super) fn look(files: &Files, program: &Program, faults: &mut Faults) {
    let file = files.yaml(BLUEPRINT);
    let platform = compose::platform(files);
    let entries = file["entries"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut blueprint = Blueprint { entries, faults };
    blueprint.groups(program);
    blueprint.scopes(program);
    blueprint.provider(&platform["services"]);
    blueprint.secrets(files, &platform["services"]["identity-init"]);
    blueprint.is_applied(&platform["services"]["identity-init"]);
}

impl Blueprint<'_> {
    fn fault(&mut self, right: bool, what: impl FnOnce() -> String) {
        self.faults.unless(right, || format!("{BLUEPRINT}: {}", what()));
    }

    fn of(&self, model: &str) -> Vec<&Value> {
        self.entries.iter().filter(|entry| entry["model"] == model).collect()
    }

    /// The entry that a `!KeyOf` names.
    fn named(&self, id: &Value) -> Option<&Value> {
        let id = id["!KeyOf"].as_str()?;
        self.entries.iter().find(|entry| entry["id"] == id)
    }

    fn groups(&mut self, program: &Program) {
        let made: Vec<_> = self
            .of("authentik_core.group")
            .iter()
            .map(|group| text(&group["identifiers"]["name"]).to_owned())
            .collect();
        let admins = program.default_of("TENANTRY_PLATFORM_ADMIN_GROUP").to_owned();
        let prefix = program.default_of("TENANTRY_TENANT_GROUP_PREFIX").to_owned();
        let tenant = format!("{prefix}{}", program.default_of("TENANTRY_DEFAULT_TENANT_SLUG"));
        for group in [&admins, &tenant] {
            self.fault(made.contains(group), || format!("no group {group}"));
        }
        let users = self.of("authentik_core.user");
        let first = users.first().map_or(Value::Null, |user| user["attrs"]["groups"].clone());
        let joined = items(&first).all(|group| self.named(group).is_some());
        self.fault(joined && first.is_array(), || "the first user is in no group".to_owned());
    }

    fn scopes(&mut self, program: &Program) {
        let claim = format!("\"{}\":", program.default_of("TENANTRY_OIDC_GROUPS_CLAIM"));
        let admins = format!("\"{}\"", program.default_of("TENANTRY_PLATFORM_ADMIN_GROUP"));
        let prefix = format!("\"{}\"", program.default_of("TENANTRY_TENANT_GROUP_PREFIX"));
        let mappings = self.of("authentik_providers_oauth2.scopemapping");
        let groups = mappings.iter().find(|mapping| mapping["attrs"]["scope_name"] == "groups");
        let says = groups.map_or("", |mapping| text(&mapping["attrs"]["expression"])).to_owned();
        for part in [claim, admins, prefix] {
            self.fault(says.contains(&part), || format!("the scope groups does not say {part}"));
        }
        let provider = self.of("authentik_providers_oauth2.oauth2provider")[0].clone();
        let mut attached = Vec::new();
        for mapping in items(&provider["attrs"]["property_mappings"]) {
            let managed = text(&mapping["!Find"][1][1]).strip_prefix(MANAGED).map(str::to_owned);
            let own = self.named(mapping).map(|own| text(&own["attrs"]["scope_name"]).to_owned());
            attached.extend(managed.or(own));
        }
        attached.sort();
        let mut wanted = SCOPES;
        wanted.sort_unstable();
        self.fault(attached == wanted, || format!("the provider has the scopes {attached:?}"));
    }

    fn provider(&mut self, services: &Value) {
        let gateway = compose::environment(&services["gateway"]);
        let portal = compose::environment(&services["portal"]);
        let provider = self.of("authentik_providers_oauth2.oauth2provider")[0].clone();
        let attrs = &provider["attrs"];
        let client = text(&attrs["client_id"]);
        let audience = &gateway["TENANTRY_OIDC_AUDIENCE"];
        self.fault(audience == client, || format!("the client is {client}, and not {audience}"));
        let application = self.of("authentik_core.application")[0].clone();
        let same = self.named(&application["attrs"]["provider"]) == Some(&provider);
        self.fault(same, || "the application has another provider".to_owned());
        let slug = text(&application["identifiers"]["slug"]);
        let host = compose::host(&services["identity"]);
        let issuer = format!("https://{host}/application/o/{slug}/");
        let configured = &gateway["TENANTRY_OIDC_ISSUER"];
        self.fault(*configured == issuer, || format!("tokens name {issuer}, and not {configured}"));
        let key = &attrs["signing_key"]["!Find"][0];
        self.fault(key == "authentik_crypto.certificatekeypair", || {
            "tokens are not signed".to_owned()
        });
        self.fault(attrs["issuer_mode"] == "per_provider", || "another issuer's mode".to_owned());
        for flow in ["authorization_flow", "invalidation_flow"] {
            let found = attrs[flow]["!Find"][0] == "authentik_flows.flow";
            self.fault(found, || format!("the provider has no {flow}"));
        }
        self.portal(attrs, &portal, &issuer, compose::host(&services["portal"]));
    }

    fn portal(
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
            let back = items(&provider["redirect_uris"]).any(|uri| {
                uri["url"] == url
                    && uri["matching_mode"] == "strict"
                    && uri["redirect_uri_type"] == kind
            });
            let here = url.starts_with(&format!("https://{host}/"));
            self.fault(back && here, || format!("nobody may be sent to {url:?} ({kind})"));
        }
        for variable in ["CLIENT_ID", "AUDIENCE"] {
            let right = provider["client_id"] == get(variable);
            self.fault(right, || format!("the portal has another {variable}"));
        }
        for variable in ["OPEN_ID_CONFIGURATION", "LOGOUT_URL"] {
            let right = get(variable).starts_with(issuer);
            self.fault(right, || format!("the portal has the {variable} of another issuer"));
        }
    }

    fn secrets(&mut self, files: &Files, service: &Value) {
        let given = texts(&service["secrets"]);
        let named = files.text(BLUEPRINT).split("!File ").skip(1);
        for path in named.filter_map(|rest| rest.split_whitespace().next()) {
            let name = path.strip_prefix("/run/secrets/").unwrap_or_default();
            let known = given.contains(&name);
            self.fault(known, || format!("who applies it is not given {path}"));
        }
        let entries = self.entries;
        for entry in entries {
            for (name, value) in fields(&entry["attrs"]) {
                let secret = name.contains("password") || name.contains("secret");
                self.fault(!secret || value["!File"].is_string(), || format!("{name} is a secret"));
            }
        }
    }

    fn is_applied(&mut self, service: &Value) {
        let command = texts(&service["command"]);
        let path = match command[..] {
            ["apply_blueprint", path] => format!("/blueprints/{path}"),
            _ => String::new(),
        };
        let mounted = texts(&service["volumes"]).iter().any(|volume| {
            let mut parts = volume.trim_start_matches("./").split(':');
            let (from, to) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let inside = path.strip_prefix(&format!("{to}/"));
            inside.is_some_and(|inside| format!("{from}/{inside}") == BLUEPRINT)
        });
        self.fault(mounted, || format!("nobody applies it; {path:?} is applied"));
    }
}
