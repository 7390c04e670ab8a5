//! The manifests against the image, the program and each other.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use super::{
    ADMIN_PATHS, Faults, are_options, ending,
    files::{Files, KUBERNETES, fields, items, text, texts},
    image::Image,
    is_pinned, port_of,
    program::Program,
    seconds,
};

/// What the kustomization leaves out, and says so.
const LEFT_OUT: [&str; 4] =
    ["secret.example.yaml", "jobs.yaml", "route.yaml", "service-monitor.yaml"];
/// All objects, each with the file that it is in.
struct Cluster(Vec<(String, Value)>);

impl Cluster {
    fn all(&self, kind: &'static str) -> impl Iterator<Item = &Value> {
        self.0.iter().map(|(_, object)| object).filter(move |object| object["kind"] == kind)
    }

    fn one(&self, kind: &'static str) -> &Value {
        self.all(kind).next().unwrap_or(&Value::Null)
    }

    fn named(&self, kind: &'static str, name: &Value) -> Option<&Value> {
        self.all(kind).find(|object| object["metadata"]["name"] == *name)
    }
}

pub(super) fn look(files: &Files, program: &Program, image: &Image, faults: &mut Faults) {
    let mut objects = Vec::new();
    for name in files.manifests().filter(|name| *name != "kustomization.yaml") {
        let documents = files.documents(&format!("{KUBERNETES}/{name}")).into_iter();
        objects.extend(documents.map(|document| (name.to_owned(), document)));
    }
    let cluster = Cluster(objects);
    let kustomization = files.yaml(&format!("{KUBERNETES}/kustomization.yaml"));
    lists_all(files, &kustomization, faults);
    let configuration = configuration(&cluster, program, faults);
    for workload in cluster.all("Deployment").chain(cluster.all("Job")) {
        let name = text(&workload["metadata"]["name"]);
        let pod = &workload["spec"]["template"]["spec"];
        is_hardened(name, pod, image, faults);
        runs(name, pod, &kustomization, program, image, faults);
        is_configured(name, pod, &cluster, faults);
    }
    let deployment = cluster.one("Deployment");
    listens(deployment, &configuration, image, faults);
    is_probed(deployment, faults);
    ends_well(deployment, &configuration, program, faults);
    scales(&cluster, faults);
    is_reached(&cluster, faults);
}

fn lists_all(files: &Files, kustomization: &Value, faults: &mut Faults) {
    let listed = texts(&kustomization["resources"]);
    for name in files.manifests().filter(|name| *name != "kustomization.yaml") {
        let known = listed.contains(&name) != LEFT_OUT.contains(&name);
        faults.unless(known, || format!("kustomization: {name} is neither in it nor left out"));
    }
    for name in listed {
        let there = files.manifests().any(|file| file == name);
        faults.unless(there, || format!("kustomization: no file {name}"));
    }
}

/// The variables of the ConfigMap and the Secret, as a container has them.
fn configuration(
    cluster: &Cluster,
    program: &Program,
    faults: &mut Faults,
) -> BTreeMap<String, String> {
    let plain = fields(&cluster.one("ConfigMap")["data"]);
    let secret = fields(&cluster.one("Secret")["stringData"]);
    let mut all = BTreeMap::new();
    for (name, value) in plain {
        let url = text(value).contains('@');
        faults.unless(!url, || format!("ConfigMap: {name} is a secret"));
        all.insert(name.to_owned(), text(value).to_owned());
    }
    for (name, value) in secret {
        let placeholder = text(value).contains("//USER:PASSWORD@");
        faults.unless(placeholder, || format!("Secret: {name} may be somebody's"));
        all.insert(name.to_owned(), text(value).to_owned());
    }
    are_options("ConfigMap", &all, program, faults);
    all
}

/// Pod Security's profile `restricted`, and a file system that cannot be written to.
fn is_hardened(name: &str, pod: &Value, image: &Image, faults: &mut Faults) {
    let mut unless = |right: bool, what: &str| faults.unless(right, || format!("{name}: {what}"));
    let of_pod = &pod["securityContext"];
    unless(of_pod["runAsNonRoot"] == true, "it may be root");
    unless(
        of_pod["runAsUser"].as_u64() == image.user.parse().ok(),
        "it is another user than the image's",
    );
    unless(of_pod["seccompProfile"]["type"] == "RuntimeDefault", "it may call anything");
    unless(pod["automountServiceAccountToken"] == false, "it has a token for Kubernetes");
    unless(pod["enableServiceLinks"] == false, "it gets variables of services");
    for container in items(&pod["containers"]) {
        let of_container = &container["securityContext"];
        unless(of_container["allowPrivilegeEscalation"] == false, "it may gain privileges");
        unless(of_container["readOnlyRootFilesystem"] == true, "it can write to its image");
        unless(texts(&of_container["capabilities"]["drop"]) == ["ALL"], "it keeps capabilities");
        unless(container["resources"]["limits"]["memory"].is_string(), "its memory has no limit");
        unless(container["resources"]["requests"]["cpu"].is_string(), "it asks for no CPU");
    }
}

fn runs(
    name: &str,
    pod: &Value,
    kustomization: &Value,
    program: &Program,
    image: &Image,
    faults: &mut Faults,
) {
    for container in items(&pod["containers"]) {
        let command = texts(&container["args"]);
        let known = matches!(command[..], [command] if program.has_command(command));
        faults.unless(known, || format!("{name}: no command {command:?}"));
        let runs = text(&container["image"]);
        let version = runs.rsplit(':').next() == Some(&image.version);
        faults.unless(is_pinned(runs) && version, || format!("{name}: it runs {runs}"));
    }
    let tag = &kustomization["images"][0]["newTag"];
    faults.unless(*tag == image.version, || format!("kustomization: it runs {tag}"));
}

fn is_configured(name: &str, pod: &Value, cluster: &Cluster, faults: &mut Faults) {
    for container in items(&pod["containers"]) {
        for source in items(&container["envFrom"]) {
            for (kind, from) in [("ConfigMap", "configMapRef"), ("Secret", "secretRef")] {
                let wanted = &source[from]["name"];
                let there = wanted.is_null() || cluster.named(kind, wanted).is_some();
                faults.unless(there, || format!("{name}: no {kind} {wanted}"));
            }
        }
        let both = items(&container["envFrom"]).count() == 2;
        faults.unless(both, || format!("{name}: it is not told enough"));
    }
    let account = &pod["serviceAccountName"];
    let there = cluster.named("ServiceAccount", account).is_some();
    faults.unless(there, || format!("{name}: no account {account}"));
}

fn container(deployment: &Value) -> &Value {
    &deployment["spec"]["template"]["spec"]["containers"][0]
}

/// A container's port by its name.
fn port(deployment: &Value, name: &Value) -> Option<u64> {
    let mut ports = items(&container(deployment)["ports"]);
    ports.find(|port| port["name"] == *name)?["containerPort"].as_u64()
}

fn listens(
    deployment: &Value,
    configuration: &BTreeMap<String, String>,
    image: &Image,
    faults: &mut Faults,
) {
    for (name, variable, of_image) in [
        ("http", "TENANTRY_BIND", image.public_port),
        ("admin", "TENANTRY_ADMIN_BIND", image.admin_port),
    ] {
        let told = configuration.get(variable).map_or(of_image, |bind| port_of(bind));
        let right = port(deployment, &name.into()) == Some(told.into()) && told == of_image;
        faults.unless(right, || format!("Deployment: nobody listens at the port {name}"));
    }
}

fn is_probed(deployment: &Value, faults: &mut Faults) {
    for (probe, wanted) in
        [("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")]
    {
        let get = &container(deployment)[probe]["httpGet"];
        let path = text(&get["path"]);
        let asked = path == wanted && ADMIN_PATHS.contains(&path) && get["port"] == "admin";
        faults.unless(asked, || format!("Deployment: its {probe} asks {get}"));
    }
}

/// Long enough for the program, which needs a while until nobody sends it anything.
fn ends_well(
    deployment: &Value,
    configuration: &BTreeMap<String, String>,
    program: &Program,
    faults: &mut Faults,
) {
    let grace = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"].as_u64();
    let enough = grace.map(Duration::from_secs) > ending(configuration, program);
    faults.unless(enough, || "Deployment: it is killed while requests are under way".to_owned());
    let delay = configuration.get("TENANTRY_SHUTDOWN_DELAY").and_then(|delay| seconds(delay));
    let noticed = delay >= Some(Duration::from_secs(5));
    faults.unless(noticed, || "ConfigMap: it is gone before everybody knows".to_owned());
}

fn scales(cluster: &Cluster, faults: &mut Faults) {
    let deployment = cluster.one("Deployment");
    let spec = &deployment["spec"];
    let scaler = &cluster.one("HorizontalPodAutoscaler")["spec"];
    let target = scaler["scaleTargetRef"]["name"] == deployment["metadata"]["name"];
    faults.unless(target, || "HorizontalPodAutoscaler: it scales something else".to_owned());
    let free = spec["replicas"].is_null();
    faults.unless(free, || "Deployment: it works against the autoscaler".to_owned());
    let budget = &cluster.one("PodDisruptionBudget")["spec"];
    let left = scaler["minReplicas"].as_u64() > budget["maxUnavailable"].as_u64();
    let some = budget["maxUnavailable"].as_u64() >= Some(1);
    faults.unless(left && some, || "PodDisruptionBudget: too many go, or none may".to_owned());
    let same = budget["selector"] == spec["selector"];
    faults.unless(same, || "PodDisruptionBudget: it is about others".to_owned());
    let rolling = &spec["strategy"]["rollingUpdate"];
    let whole = rolling["maxUnavailable"] == 0 && rolling["maxSurge"].as_u64() >= Some(1);
    faults.unless(whole, || "Deployment: an update takes gateways away".to_owned());
}

/// Whether each of these labels is among those.
fn selects(selector: &Value, labels: &Value) -> bool {
    selector.is_object() && fields(selector).all(|(name, value)| labels[name] == *value)
}

fn is_reached(cluster: &Cluster, faults: &mut Faults) {
    let deployment = cluster.one("Deployment");
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    let own = selects(&deployment["spec"]["selector"]["matchLabels"], labels);
    faults.unless(own, || "Deployment: its pods are not its own".to_owned());
    for service in cluster.all("Service") {
        let name = text(&service["metadata"]["name"]);
        let found = selects(&service["spec"]["selector"], labels);
        faults.unless(found, || format!("Service {name}: it finds no gateway"));
        for entry in items(&service["spec"]["ports"]) {
            let target = &entry["targetPort"];
            let there = port(deployment, target).is_some();
            faults.unless(there, || format!("Service {name}: no port {target}"));
        }
    }
    let policy = &cluster.one("NetworkPolicy")["spec"];
    let meant = selects(&policy["podSelector"]["matchLabels"], labels);
    faults.unless(meant, || "NetworkPolicy: it is about others".to_owned());
    for rule in items(&policy["ingress"]) {
        let known = items(&rule["ports"]).all(|entry| port(deployment, &entry["port"]).is_some());
        let from = rule["from"].is_array();
        faults.unless(known && from, || "NetworkPolicy: a rule lets in nobody, or all".to_owned());
    }
    is_routed(cluster, faults);
    is_measured(cluster, faults);
}

fn is_routed(cluster: &Cluster, faults: &mut Faults) {
    for rule in items(&cluster.one("HTTPRoute")["spec"]["rules"]) {
        let paths: Vec<_> = items(&rule["matches"]).map(|m| text(&m["path"]["value"])).collect();
        faults.unless(paths == ["/graphql"], || format!("HTTPRoute: it lets {paths:?} through"));
        for backend in items(&rule["backendRefs"]) {
            let service = cluster.named("Service", &backend["name"]);
            let mut ports =
                items(service.map_or(&Value::Null, |service| &service["spec"]["ports"]));
            let public = ports
                .any(|entry| entry["port"] == backend["port"] && entry["targetPort"] == "http");
            faults.unless(public, || format!("HTTPRoute: it leads to {backend}"));
        }
    }
}

fn is_measured(cluster: &Cluster, faults: &mut Faults) {
    let monitor = &cluster.one("ServiceMonitor")["spec"];
    for endpoint in items(&monitor["endpoints"]) {
        let mut services = cluster.all("Service");
        let meant = services
            .find(|s| selects(&monitor["selector"]["matchLabels"], &s["metadata"]["labels"]));
        let mut ports = items(meant.map_or(&Value::Null, |service| &service["spec"]["ports"]));
        let there = ports.any(|entry| entry["name"] == endpoint["port"]);
        let served = ADMIN_PATHS.contains(&text(&endpoint["path"]));
        faults.unless(there && served, || format!("ServiceMonitor: it asks {endpoint}"));
    }
}
