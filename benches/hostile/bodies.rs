//! Measures how much memory and CPU time hostile requests of the maximum size take.
//!
//! The server, the router and the store are real. Each request is measured in a process of its own:
//!
//! - The memory is the peak of a process in which 512 such requests are in progress: first while the
//!   last byte of each body is missing, then while the store does not respond. It includes the
//!   clients, and everything that the process uses without any request.
//! - The CPU time is that of both sides of a connection. It is compared with the price that the rate
//!   limit charges.

use std::{
    error::Error,
    process::Command,
    sync::{Arc, atomic::AtomicUsize, atomic::Ordering},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Semaphore, watch},
};

use crate::{
    MAX_BODY_BYTES,
    support::{
        app::{App, Backend, Setup},
        store_gate::StoreGate,
        world::World,
    },
};

/// The number of requests in progress: the default limit on concurrent requests.
const REQUESTS: usize = 512;
/// The maximum memory of the process, in KiB.
const MAX_MEMORY_KIB: u64 = 256 * 1024;
/// The number of requests whose CPU time is measured.
const ROUNDS: usize = 40;

/// A hostile request.
struct HostileRequest {
    name: &'static str,
    transport: Transport,
    /// Returns the body or the query string with this number.
    content: fn(usize) -> String,
}

/// The way in which the client sends a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Transport {
    /// A body with a `Content-Length`.
    Post,
    /// A body in chunks of one byte.
    Chunks,
    /// A body with an `Idempotency-Key`.
    PostWithKey,
    /// A query string.
    Get,
}

/// Returns a text that repeats `part` between a prefix and a suffix, up to `bytes`.
fn fill(part: &str, (prefix, suffix): (&str, &str), bytes: usize) -> String {
    let available = bytes - prefix.len() - suffix.len();
    format!("{prefix}{}{suffix}", part.repeat(available / part.len()))
}

/// Returns a body of the maximum size that repeats `part`.
fn body(part: &str, around: (&str, &str)) -> String {
    fill(part, around, MAX_BODY_BYTES)
}

/// Returns lists, each nested as deeply as `serde_json` allows.
fn nested_lists() -> String {
    format!("{}{},", "[".repeat(120), "]".repeat(120))
}

/// Returns a body whose document uses one variable in 20 root fields.
fn in_every_root_field(variable: &str, value: &str) -> String {
    let fields: String = (0..20)
        .map(|k| format!("k{k}: tenants(filter: {{search: $s}}) {{ totalCount }} "))
        .collect();
    format!(
        r#"{{"query":"query($s: String{variable}) {{ {fields} }}","variables":{{"s":"{value}"}}}}"#
    )
}

/// Returns the requests, most of which are of the maximum size.
fn requests() -> Vec<HostileRequest> {
    let post = |name, content| HostileRequest { name, transport: Transport::Post, content };
    vec![
        post("an ordinary query", |_| r#"{"query":"{ me { id } }"}"#.to_owned()),
        post("lists in an undeclared variable", |_| {
            body(&nested_lists(), (r#"{"query":"{ me { id } }","variables":{"a":["#, "0]}}"))
        }),
        post("empty lists in an undeclared variable", |_| {
            body("[],", (r#"{"query":"{ me { id } }","variables":{"a":["#, "0]}}"))
        }),
        post("objects in an undeclared variable", |_| {
            body(r#"{"a":0},"#, (r#"{"query":"{ me { id } }","variables":{"a":["#, "0]}}"))
        }),
        post("very deep lists in an undeclared variable", |_| {
            let half = (MAX_BODY_BYTES - 100) / 2;
            let (open, close) = ("[".repeat(half), "]".repeat(half));
            format!(r#"{{"query":"{{ me {{ id }} }}","variables":{{"a":{open}{close}}}}}"#)
        }),
        post("many undeclared variables", |_| {
            let variables: String = (0..20_000).map(|n| format!("\"v{n}\":0,")).collect();
            format!(r#"{{"query":"{{ me {{ id }} }}","variables":{{{variables}"v":0}}}}"#)
        }),
        post("lists in the extensions", |_| {
            body(&nested_lists(), (r#"{"query":"{ me { id } }","extensions":{"a":["#, "0]}}"))
        }),
        post("lists in an unknown member", |_| {
            body(&nested_lists(), (r#"{"query":"{ me { id } }","a":["#, "0]}"))
        }),
        post("lists in an invalid body", |_| {
            body(&nested_lists(), (r#"{"query":"{ me { id } }","variables":{"a":["#, "0]}"))
        }),
        HostileRequest {
            name: "lists in an undeclared variable of a mutation with a key",
            transport: Transport::PostWithKey,
            content: |_| {
                let start = r#"{"query":"mutation { deleteTenant(input: {id: \"ten_000000000000000000000000\"}) { deletedId } }","variables":{"a":["#;
                body(&nested_lists(), (start, "0]}}"))
            },
        },
        post("60,000 values in a declared variable", |_| {
            body(
                "[],",
                (
                    r#"{"query":"query($i: [ID!]!) { nodes(ids: $i) { id } }","variables":{"i":["#,
                    "[]]}}",
                ),
            )
        }),
        post("1,900 identifiers in a declared variable", |_| {
            let ids = r#""ten_650000000000000000000001","#.repeat(1900);
            format!(
                r#"{{"query":"query($i: [ID!]!) {{ nodes(ids: $i) {{ id }} }}","variables":{{"i":[{ids}"x"]}}}}"#
            )
        }),
        post("1,900 values in a filter of each root field", |_| {
            let fields: String =
                (0..20).map(|k| format!("k{k}: tenants(filter: $f) {{ totalCount }} ")).collect();
            let values = r#""ACTIVE","#.repeat(1900);
            format!(
                r#"{{"query":"query($f: TenantFilter) {{ {fields} }}","variables":{{"f":{{"status":[{values}"ACTIVE"]}}}}}}"#
            )
        }),
        post("lists in a declared variable", |_| {
            body(
                &nested_lists(),
                (
                    r#"{"query":"query($f: TenantFilter) { tenants(filter: $f) { totalCount } }","variables":{"f":["#,
                    "0]}}",
                ),
            )
        }),
        post("a string in a declared variable", |_| {
            body(
                "x",
                (
                    r#"{"query":"query($s: String!) { tenant(slug: $s) { id } }","variables":{"s":""#,
                    r#""}}"#,
                ),
            )
        }),
        post("a string of escapes in a declared variable", |_| {
            body(
                "\\u0041",
                (
                    r#"{"query":"query($s: String!) { tenant(slug: $s) { id } }","variables":{"s":""#,
                    r#""}}"#,
                ),
            )
        }),
        post("a string in a variable of each root field", |_| {
            in_every_root_field("", &"x".repeat(MAX_BODY_BYTES - 2000))
        }),
        post("the longest string in a variable of each root field", |_| {
            in_every_root_field("", &"x".repeat(4094))
        }),
        post("a long default value in each root field", |n| {
            in_every_root_field(&format!(r#" = \"{n} {}\""#, "x".repeat(40_000)), "")
                .replace(r#","variables":{"s":""}"#, "")
        }),
        post("a string in the input of a mutation", |_| {
            body(
                "x",
                (
                    r#"{"query":"mutation($s: String!) { createTenant(input: {slug: \"a-b\", name: $s}) { tenant { id } } }","variables":{"s":""#,
                    r#""}}"#,
                ),
            )
        }),
        post("a document of white space", |n| {
            body(" ", (r#"{"query":"{ me { id } } #"#, &format!(r#"{n}"}}"#)))
        }),
        post("a document of comments", |n| {
            body("#\\n", (r#"{"query":"{ me { id } } "#, &format!(r#"#{n}"}}"#)))
        }),
        post("a document of 1,990 tokens", |n| {
            format!(r#"{{"query":"{{ me {{ k{n}: id {} }} }}"}}"#, "id ".repeat(1980))
        }),
        post("a document of 495 inline fragments", |n| {
            format!(r#"{{"query":"{{ me {{ k{n}: id {} }} }}"}}"#, "... { id } ".repeat(495))
        }),
        post("a document of 600 aliases", |n| {
            let aliases = |k: usize| format!("id{k}: id name{k}: name ");
            let fields = |root: usize| -> String { (root..root + 30).map(aliases).collect() };
            let roots: String =
                (0..10).map(|k| format!("r{k}: me {{ {} }} ", fields(k * 30))).collect();
            format!(r#"{{"query":"{{ x{n}: me {{ id }} {roots} }}"}}"#)
        }),
        post("a document of 1,900 values", |n| {
            format!(
                r#"{{"query":"{{ nodes(ids: [{}\"{n}\"]) {{ id }} }}"}}"#,
                r#"\"x\" "#.repeat(1900)
            )
        }),
        post("a document with a string of 47 KiB", |n| {
            format!(r#"{{"query":"{{ tenant(slug: \"{n} {}\") {{ id }} }}"}}"#, "x".repeat(48_000))
        }),
        post("a long operation name", |_| {
            body("x", (r#"{"query":"{ me { id } }","operationName":""#, r#""}"#))
        }),
        HostileRequest {
            name: "a document in chunks of one byte",
            transport: Transport::Chunks,
            content: |_| fill(" ", (r#"{"query":"{ me { id } }"#, r#""}"#), 32 * 1024),
        },
        HostileRequest {
            name: "lists in an undeclared variable of a query string",
            transport: Transport::Get,
            content: |_| {
                fill(&nested_lists(), ("query=%7Bme%7Bid%7D%7D&variables={\"a\":[", "0]}"), 16_000)
                    .replace('"', "%22")
                    .replace('{', "%7B")
                    .replace('}', "%7D")
            },
        },
    ]
}

impl HostileRequest {
    /// Returns the bytes of the request with this number.
    fn to_bytes(&self, number: usize, token: &str) -> Vec<u8> {
        let content = (self.content)(number);
        let head = format!(
            "host: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n"
        );
        match self.transport {
            Transport::Get => format!("GET /graphql?{content} HTTP/1.1\r\n{head}\r\n"),
            Transport::Chunks => {
                let chunks: String = content.chars().map(|c| format!("1\r\n{c}\r\n")).collect();
                format!("POST /graphql HTTP/1.1\r\n{head}transfer-encoding: chunked\r\n\r\n{chunks}0\r\n\r\n")
            }
            Transport::Post | Transport::PostWithKey => {
                let key = match self.transport {
                    Transport::PostWithKey => format!("idempotency-key: {number}\r\n"),
                    _ => String::new(),
                };
                let length = content.len();
                format!("POST /graphql HTTP/1.1\r\n{head}{key}content-length: {length}\r\n\r\n{content}")
            }
        }
        .into_bytes()
    }
}

/// A client connection that reads whole responses.
struct Client(TcpStream);

impl Client {
    async fn connect(origin: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let address = origin.trim_start_matches("http://");
        Ok(Self(TcpStream::connect(address).await?))
    }

    /// Reads a response, and returns its status and its body.
    async fn response(&mut self) -> Result<(u16, String), Box<dyn Error + Send + Sync>> {
        let mut received = Vec::with_capacity(1024);
        loop {
            let text = String::from_utf8_lossy(&received);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                if body.len() >= length.unwrap_or("0").parse()? {
                    let status = head.split(' ').nth(1).unwrap_or("0").parse()?;
                    return Ok((status, body.to_owned()));
                }
            }
            if self.0.read_buf(&mut received).await? == 0 {
                return Err("the connection was closed".into());
            }
        }
    }
}

/// Returns the peak memory of this process, in KiB.
fn peak_memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Waits until the peak memory stays the same for a second, and returns it.
async fn settled_peak_kib() -> u64 {
    let mut peak = peak_memory_kib();
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let next = peak_memory_kib();
        if next == peak {
            return peak;
        }
        peak = next;
    }
}

/// Holds many of these requests, and prints the peak memory of both phases and a status.
async fn measure_memory(
    request: &'static HostileRequest,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let gate = StoreGate::open();
    let setup = Setup { gate: Some(gate.clone()), ..Setup::default() };
    let app = App::with(Backend::Sqlite, setup).await;
    World::new(&app).await;
    let (origin, token): (Arc<str>, Arc<str>) =
        (app.serve().await.into(), app.token("bob", []).into());
    gate.set_closed(true);
    // The content of a few requests exists at the same time, so that the clients need little memory.
    let sending = Arc::new(Semaphore::new(4));
    let (finish, _) = watch::channel(false);
    let sent = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..REQUESTS)
        .map(|number| {
            let (origin, token, sending, sent) =
                (origin.clone(), token.clone(), sending.clone(), sent.clone());
            let mut finish = finish.subscribe();
            tokio::spawn(async move {
                let mut client = Client::connect(&origin).await?;
                let permit = sending.acquire().await?;
                let mut bytes = request.to_bytes(number, &token);
                let last = bytes.pop().unwrap_or_default();
                // The gateway may reject the request before it has read everything.
                let _ = client.0.write_all(&bytes).await;
                drop((bytes, permit));
                sent.fetch_add(1, Ordering::SeqCst);
                finish.wait_for(|finish| *finish).await?;
                let _ = client.0.write_all(&[last]).await;
                client.response().await
            })
        })
        .collect();
    while sent.load(Ordering::SeqCst) < REQUESTS {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let while_sending = settled_peak_kib().await;
    finish.send_replace(true);
    let at_store = settled_peak_kib().await;
    gate.set_closed(false);
    let mut outcome = String::new();
    for client in clients {
        outcome = client
            .await?
            .map_or_else(|error| error.to_string(), |(status, body)| outcome_of(status, &body));
    }
    println!("{while_sending} {at_store} {outcome}");
    Ok(())
}

/// Returns the status and the first error code of a response.
fn outcome_of(status: u16, body: &str) -> String {
    let json: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let code = json["errors"][0]["extensions"]["code"].as_str().unwrap_or("OK");
    format!("{status} {code}")
}

/// Returns the CPU time of this thread, in nanoseconds.
fn cpu_time_ns() -> u64 {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    schedstat.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
}

/// Prints the mean CPU time of a request, in microseconds, and the number of its bytes.
async fn measure_cpu(request: &'static HostileRequest) -> Result<(), Box<dyn Error + Send + Sync>> {
    let app = App::on(Backend::Sqlite).await;
    World::new(&app).await;
    let token = app.token("bob", []);
    let mut client = Client::connect(&app.serve().await).await?;
    let (mut used, mut bytes) = (0, 0);
    for number in 0..ROUNDS {
        let request = request.to_bytes(number, &token);
        bytes = (request.len()).max(bytes);
        let start = cpu_time_ns();
        client.0.write_all(&request).await?;
        client.response().await?;
        used += cpu_time_ns() - start;
    }
    println!("{} {bytes}", used / 1000 / ROUNDS as u64);
    Ok(())
}

/// Runs one measurement in this process.
pub(crate) fn run(measurement: &str, name: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    let requests: &'static [HostileRequest] = requests().leak();
    let request = requests.iter().find(|request| request.name == name).ok_or("an unknown name")?;
    match measurement {
        "memory" => {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            runtime.worker_threads(2).enable_all().build()?.block_on(measure_memory(request))
        }
        _ => {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            runtime.enable_all().build()?.block_on(measure_cpu(request))
        }
    }
}

/// Runs a measurement in a process of its own, and returns the words that it prints.
fn run_process(measurement: &str, name: &str) -> Result<Vec<String>, Box<dyn Error + Send + Sync>> {
    let output = Command::new(std::env::current_exe()?).args([measurement, name]).output()?;
    if !output.status.success() {
        return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?.split_whitespace().map(str::to_owned).collect())
}

/// Measures all requests, prints a table, and returns the requests that exceed a bound.
pub(crate) fn report() -> Result<Vec<String>, Box<dyn Error + Send + Sync>> {
    println!(
        "| request | bytes | MiB while sending | MiB at the store | µs of CPU | response |\n|---|--:|--:|--:|--:|---|"
    );
    let mut exceeded = Vec::new();
    for HostileRequest { name, .. } in requests() {
        let memory = run_process("memory", name)?;
        let cpu = run_process("cpu", name)?;
        let kib =
            |at: usize| memory.get(at).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(u64::MAX);
        let outcome = memory.get(2..).unwrap_or_default().join(" ");
        let (micros, bytes) = (&cpu[0], &cpu[1]);
        println!(
            "| {name} | {bytes} | {} | {} | {micros} | {outcome} |",
            kib(0) / 1024,
            kib(1) / 1024
        );
        if kib(1) > MAX_MEMORY_KIB {
            exceeded.push(format!("{name}: {} MiB", kib(1) / 1024));
        }
    }
    Ok(exceeded)
}
