//! Checks the Kubernetes manifests against the image, the program and each other.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use super::{
    ADMIN_PATHS, Mismatches, check_variables,
    files::{Files, KUBERNETES, fields, items, text, texts},
    image::Image,
    is_pinned, parse_seconds, port_of,
    program::Program,
    shutdown_duration,
};

/// The manifests that the kustomization deliberately excludes.
const EXCLUDED: [&str; 4] =
    ["secret.example.yaml", "jobs.yaml", "route.yaml", "service-monitor.yaml"];

/// All objects of the manifests, each with the name of its file.
struct Cluster(Vec<(String, Value)>);

impl Cluster {
    /// Returns all objects of a kind.
    fn all(&self, kind: &'static str) -> impl Iterator<Item = &Value> {
        self.0.iter().map(|(_, object)| object).filter(move |object| object["kind"] == kind)
    }

    /// Returns the first object of a kind, or null.
    fn first(&self, kind: &'static str) -> &Value {
        self.all(kind).next().unwrap_or(&Value::Null)
    }

    /// Returns the object of a kind with this name.
    fn named(&self, kind: &'static str, name: &Value) -> Option<&Value> {
        self.all(kind).find(|object| object["metadata"]["name"] == *name)
    }
}

/// Checks all manifests.
pub(super) fn check(files: &Files, program: &Program, image: &Image, mismatches: &mut Mismatches) {
    let mut objects = Vec::new();
    for name in files.manifests().filter(|name| *name != "kustomization.yaml") {
        let documents = files.documents(&format!("{KUBERNETES}/{name}")).into_iter();
        objects.extend(documents.map(|document| (name.to_owned(), document)));
    }
    let cluster = Cluster(objects);
    let kustomization = files.yaml(&format!("{KUBERNETES}/kustomization.yaml"));
    check_kustomization(files, &kustomization, mismatches);
    let configuration = check_configuration(&cluster, program, mismatches);
    for workload in cluster.all("Deployment").chain(cluster.all("Job")) {
        let name = text(&workload["metadata"]["name"]);
        let pod = &workload["spec"]["template"]["spec"];
        check_hardening(name, pod, image, mismatches);
        check_image(name, pod, &kustomization, program, image, mismatches);
        check_environment(name, pod, &cluster, mismatches);
    }
    let deployment = cluster.first("Deployment");
    check_ports(deployment, &configuration, image, mismatches);
    check_probes(deployment, mismatches);
    check_shutdown(deployment, &configuration, program, mismatches);
    check_scaling(&cluster, mismatches);
    check_network(&cluster, mismatches);
}

fn check_kustomization(files: &Files, kustomization: &Value, mismatches: &mut Mismatches) {
    let listed = texts(&kustomization["resources"]);
    for name in files.manifests().filter(|name| *name != "kustomization.yaml") {
        let is_listed_or_excluded = listed.contains(&name) != EXCLUDED.contains(&name);
        mismatches.check(is_listed_or_excluded, || {
            format!("kustomization: {name} is neither listed nor excluded")
        });
    }
    for name in listed {
        let exists = files.manifests().any(|file| file == name);
        mismatches.check(exists, || format!("kustomization: no file {name}"));
    }
}

/// Checks the variables of the ConfigMap and the Secret and returns them as a container gets them.
fn check_configuration(
    cluster: &Cluster,
    program: &Program,
    mismatches: &mut Mismatches,
) -> BTreeMap<String, String> {
    let plain = fields(&cluster.first("ConfigMap")["data"]);
    let secret = fields(&cluster.first("Secret")["stringData"]);
    let mut variables = BTreeMap::new();
    for (name, value) in plain {
        let has_credentials = text(value).contains('@');
        mismatches.check(!has_credentials, || format!("ConfigMap: {name} contains a secret"));
        variables.insert(name.to_owned(), text(value).to_owned());
    }
    for (name, value) in secret {
        let is_placeholder = text(value).contains("//USER:PASSWORD@");
        mismatches.check(is_placeholder, || format!("Secret: {name} is not a placeholder"));
        variables.insert(name.to_owned(), text(value).to_owned());
    }
    check_variables("ConfigMap", &variables, program, mismatches);
    variables
}

/// Checks the `restricted` profile of the Pod Security Standards and the read-only root file
/// system.
fn check_hardening(name: &str, pod: &Value, image: &Image, mismatches: &mut Mismatches) {
    let mut check =
        |holds: bool, message: &str| mismatches.check(holds, || format!("{name}: {message}"));
    let pod_context = &pod["securityContext"];
    check(pod_context["runAsNonRoot"] == true, "it may run as root");
    check(
        pod_context["runAsUser"].as_u64() == image.user.parse().ok(),
        "it runs as another user than the image",
    );
    check(pod_context["seccompProfile"]["type"] == "RuntimeDefault", "it has no seccomp profile");
    check(pod["automountServiceAccountToken"] == false, "it mounts a service account token");
    check(pod["enableServiceLinks"] == false, "it gets environment variables of services");
    for container in items(&pod["containers"]) {
        let context = &container["securityContext"];
        check(context["allowPrivilegeEscalation"] == false, "it may gain privileges");
        check(context["readOnlyRootFilesystem"] == true, "its root file system is writable");
        check(
            texts(&context["capabilities"]["drop"]) == ["ALL"],
            "it does not drop all capabilities",
        );
        check(container["resources"]["limits"]["memory"].is_string(), "its memory has no limit");
        check(container["resources"]["requests"]["cpu"].is_string(), "it has no CPU request");
    }
}

fn check_image(
    name: &str,
    pod: &Value,
    kustomization: &Value,
    program: &Program,
    image: &Image,
    mismatches: &mut Mismatches,
) {
    for container in items(&pod["containers"]) {
        let command = texts(&container["args"]);
        let is_known = matches!(command[..], [command] if program.has_command(command));
        mismatches.check(is_known, || format!("{name}: no command {command:?}"));
        let tag = text(&container["image"]);
        let has_version = tag.rsplit(':').next() == Some(&image.version);
        mismatches.check(is_pinned(tag) && has_version, || format!("{name}: its image is {tag}"));
    }
    let tag = &kustomization["images"][0]["newTag"];
    mismatches.check(*tag == image.version, || format!("kustomization: its image tag is {tag}"));
}

fn check_environment(name: &str, pod: &Value, cluster: &Cluster, mismatches: &mut Mismatches) {
    for container in items(&pod["containers"]) {
        for source in items(&container["envFrom"]) {
            for (kind, reference) in [("ConfigMap", "configMapRef"), ("Secret", "secretRef")] {
                let object = &source[reference]["name"];
                let exists = object.is_null() || cluster.named(kind, object).is_some();
                mismatches.check(exists, || format!("{name}: no {kind} {object}"));
            }
        }
        let has_both = items(&container["envFrom"]).count() == 2;
        mismatches.check(has_both, || {
            format!("{name}: it does not use both the ConfigMap and the Secret")
        });
    }
    let account = &pod["serviceAccountName"];
    let exists = cluster.named("ServiceAccount", account).is_some();
    mismatches.check(exists, || format!("{name}: no service account {account}"));
}

/// Returns the gateway's container.
fn container(deployment: &Value) -> &Value {
    &deployment["spec"]["template"]["spec"]["containers"][0]
}

/// Returns a container's port by its name.
fn port(deployment: &Value, name: &Value) -> Option<u64> {
    let mut ports = items(&container(deployment)["ports"]);
    ports.find(|port| port["name"] == *name)?["containerPort"].as_u64()
}

fn check_ports(
    deployment: &Value,
    configuration: &BTreeMap<String, String>,
    image: &Image,
    mismatches: &mut Mismatches,
) {
    for (name, variable, image_port) in [
        ("http", "TENANTRY_BIND", image.public_port),
        ("admin", "TENANTRY_ADMIN_BIND", image.admin_port),
    ] {
        let bound = configuration.get(variable).map_or(image_port, |bind| port_of(bind));
        let matches = port(deployment, &name.into()) == Some(bound.into()) && bound == image_port;
        mismatches.check(matches, || format!("Deployment: no listener has the port {name}"));
    }
}

fn check_probes(deployment: &Value, mismatches: &mut Mismatches) {
    for (probe, expected) in
        [("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")]
    {
        let get = &container(deployment)[probe]["httpGet"];
        let path = text(&get["path"]);
        let matches = path == expected && ADMIN_PATHS.contains(&path) && get["port"] == "admin";
        mismatches.check(matches, || format!("Deployment: its {probe} requests {get}"));
    }
}

/// Checks that the grace period covers the shutdown, and that the shutdown delay covers the time
/// until clients stop sending requests.
fn check_shutdown(
    deployment: &Value,
    configuration: &BTreeMap<String, String>,
    program: &Program,
    mismatches: &mut Mismatches,
) {
    let grace_period =
        deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"].as_u64();
    let is_long_enough =
        grace_period.map(Duration::from_secs) > shutdown_duration(configuration, program);
    mismatches.check(is_long_enough, || {
        "Deployment: its grace period is shorter than the shutdown".to_owned()
    });
    let delay = configuration.get("TENANTRY_SHUTDOWN_DELAY").and_then(|delay| parse_seconds(delay));
    let is_noticed = delay >= Some(Duration::from_secs(5));
    mismatches.check(is_noticed, || {
        "ConfigMap: its shutdown delay is too short for endpoints to update".to_owned()
    });
}

fn check_scaling(cluster: &Cluster, mismatches: &mut Mismatches) {
    let deployment = cluster.first("Deployment");
    let spec = &deployment["spec"];
    let scaler = &cluster.first("HorizontalPodAutoscaler")["spec"];
    let matches = scaler["scaleTargetRef"]["name"] == deployment["metadata"]["name"];
    mismatches.check(matches, || "HorizontalPodAutoscaler: it scales another workload".to_owned());
    let is_unset = spec["replicas"].is_null();
    mismatches.check(is_unset, || {
        "Deployment: it sets replicas, which the autoscaler controls".to_owned()
    });
    let budget = &cluster.first("PodDisruptionBudget")["spec"];
    let some_remain = scaler["minReplicas"].as_u64() > budget["maxUnavailable"].as_u64();
    let some_may_go = budget["maxUnavailable"].as_u64() >= Some(1);
    mismatches.check(some_remain && some_may_go, || {
        "PodDisruptionBudget: it allows the eviction of all pods, or of none".to_owned()
    });
    let is_same = budget["selector"] == spec["selector"];
    mismatches.check(is_same, || "PodDisruptionBudget: it selects other pods".to_owned());
    let rolling = &spec["strategy"]["rollingUpdate"];
    let keeps_capacity = rolling["maxUnavailable"] == 0 && rolling["maxSurge"].as_u64() >= Some(1);
    mismatches.check(keeps_capacity, || {
        "Deployment: an update reduces the number of gateways".to_owned()
    });
}

/// Returns whether the labels contain every label of the selector.
fn selects(selector: &Value, labels: &Value) -> bool {
    selector.is_object() && fields(selector).all(|(name, value)| labels[name] == *value)
}

fn check_network(cluster: &Cluster, mismatches: &mut Mismatches) {
    let deployment = cluster.first("Deployment");
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    let is_selected = selects(&deployment["spec"]["selector"]["matchLabels"], labels);
    mismatches.check(is_selected, || "Deployment: its selector does not match its pods".to_owned());
    for service in cluster.all("Service") {
        let name = text(&service["metadata"]["name"]);
        let is_selected = selects(&service["spec"]["selector"], labels);
        mismatches.check(is_selected, || format!("Service {name}: it selects no gateway"));
        for entry in items(&service["spec"]["ports"]) {
            let target = &entry["targetPort"];
            let exists = port(deployment, target).is_some();
            mismatches.check(exists, || format!("Service {name}: no port {target}"));
        }
    }
    let policy = &cluster.first("NetworkPolicy")["spec"];
    let is_selected = selects(&policy["podSelector"]["matchLabels"], labels);
    mismatches.check(is_selected, || "NetworkPolicy: it selects other pods".to_owned());
    for rule in items(&policy["ingress"]) {
        let ports_exist =
            items(&rule["ports"]).all(|entry| port(deployment, &entry["port"]).is_some());
        let has_sources = rule["from"].is_array();
        mismatches.check(ports_exist && has_sources, || {
            "NetworkPolicy: a rule allows no traffic, or all traffic".to_owned()
        });
    }
    check_route(cluster, mismatches);
    check_monitor(cluster, mismatches);
}

fn check_route(cluster: &Cluster, mismatches: &mut Mismatches) {
    for rule in items(&cluster.first("HTTPRoute")["spec"]["rules"]) {
        let paths: Vec<_> = items(&rule["matches"]).map(|m| text(&m["path"]["value"])).collect();
        mismatches.check(paths == ["/graphql"], || format!("HTTPRoute: it routes {paths:?}"));
        for backend in items(&rule["backendRefs"]) {
            let service = cluster.named("Service", &backend["name"]);
            let mut ports =
                items(service.map_or(&Value::Null, |service| &service["spec"]["ports"]));
            let is_public = ports
                .any(|entry| entry["port"] == backend["port"] && entry["targetPort"] == "http");
            mismatches.check(is_public, || format!("HTTPRoute: its backend is {backend}"));
        }
    }
}

fn check_monitor(cluster: &Cluster, mismatches: &mut Mismatches) {
    let monitor = &cluster.first("ServiceMonitor")["spec"];
    for endpoint in items(&monitor["endpoints"]) {
        let mut services = cluster.all("Service");
        let selected = services
            .find(|s| selects(&monitor["selector"]["matchLabels"], &s["metadata"]["labels"]));
        let mut ports = items(selected.map_or(&Value::Null, |service| &service["spec"]["ports"]));
        let exists = ports.any(|entry| entry["name"] == endpoint["port"]);
        let is_served = ADMIN_PATHS.contains(&text(&endpoint["path"]));
        mismatches.check(exists && is_served, || format!("ServiceMonitor: it scrapes {endpoint}"));
    }
}
