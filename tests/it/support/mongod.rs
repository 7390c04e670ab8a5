//! Provides a real MongoDB server to the tests.
//!
//! The server is the one that `TENANTRY_TEST_MONGODB_URI` names, or a `mongod` that ends with the
//! process of the tests. If neither exists, tests on MongoDB fail.

use std::{
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use mongodb::{
    Client, Database,
    bson::{Document, doc, oid::ObjectId},
    options::ClientOptions,
};
use tenantry::store::{Store, mongo::MongoStore};
use tokio::sync::OnceCell;

/// The issuer of users whose stored document names none.
pub(crate) const ISSUER: &str = "https://id.example.org/";

/// The script that runs a server and kills it at the end of its own standard input.
///
/// The input ends with the process of the tests, even if that process is killed. The script then
/// deletes the data, unless it reads the word `keep`.
const KEEPER: &str = r#"
trap '' INT TERM HUP
data="$1"; shift
"$@" </dev/null & pid=$!
exec >/dev/null 2>&1
read -r word
kill -9 "$pid"; wait "$pid"
[ "$word" = keep ] || rm -rf "$data"
"#;

/// Makes the server close the file of a collection or an index a few seconds after its last use.
///
/// The default is ten minutes. Each test has its own database of some forty files, so a server that
/// keeps them open reaches the limit of open files before the last test, and then aborts.
const CLOSE_IDLE_FILES: &str =
    "file_manager=(close_idle_time=5,close_scan_interval=1,close_handle_minimum=250)";

/// The name of the file with the key that members of a replica set authenticate with.
const KEY_FILE: &str = "key";

/// The configuration of a server.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// A replica set of one member, after [`Mongod::initiate`].
    ReplicaSet,
    /// A replica set of one member that supports fail points.
    Faulty,
    /// A server outside a replica set.
    Standalone,
    /// A replica set of one member that requires authentication.
    Secured,
}

/// A port and a data folder of a server, which may run or not.
pub(crate) struct Mongod {
    kind: Kind,
    port: u16,
    data: PathBuf,
    keeper: Option<Child>,
}

impl Mongod {
    /// Chooses a free port and an empty folder for a server, and does not start it.
    pub(crate) fn unstarted(kind: Kind) -> Self {
        let data = tempfile::Builder::new().prefix("tenantry-mongod-").tempdir();
        let data = data.expect("a folder for temporary files").keep();
        Self { kind, port: free_port(), data, keeper: None }
    }

    /// Starts a server and waits until it accepts connections.
    pub(crate) fn running(kind: Kind) -> Self {
        for _ in 0..20 {
            let mut mongod = Self::unstarted(kind);
            if mongod.start() {
                return mongod;
            }
        }
        panic!("mongod did not start; see its messages on standard error");
    }

    /// Starts a server with a user `root`, whose replica set is not initiated yet.
    ///
    /// Like MongoDB's image, this creates the user during a first start without authentication.
    pub(crate) async fn secured(password: &str) -> Self {
        let start = || tokio::task::spawn_blocking(|| Self::running(Kind::Standalone));
        let mut mongod = start().await.expect("a running mongod");
        let client = Client::with_uri_str(mongod.uri("admin")).await.expect("a URL");
        let concern = doc! { "w": 1, "j": true };
        let root = doc! { "createUser": "root", "pwd": password, "roles": ["root"], "writeConcern": concern };
        client.database("admin").run_command(root).await.expect("a first user");
        mongod.stop();
        let key = mongod.data.join(KEY_FILE);
        std::fs::write(&key, "only this server has it").expect("written");
        // mongod rejects a key file that other users can read.
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o400);
        std::fs::set_permissions(&key, private).expect("permissions set");
        mongod.kind = Kind::Secured;
        let restart = move || {
            // Another process may have taken the port while the server was stopped.
            let started = (0..20).any(|_| {
                mongod.port = free_port();
                mongod.start()
            });
            assert!(started, "mongod did not restart; see its messages on standard error");
            mongod
        };
        tokio::task::spawn_blocking(restart).await.expect("a running mongod")
    }

    /// Returns the host and the port.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Starts the server and waits until it accepts connections.
    ///
    /// Returns false if the server ends instead, because another process took its port first.
    pub(crate) fn start(&mut self) -> bool {
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "sh"]).arg(&self.data).arg(binary());
        keeper.args(["--bind_ip", "127.0.0.1", "--port", &self.port.to_string(), "--dbpath"]);
        keeper.arg(&self.data).args(["--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64"]);
        keeper.args(["--setParameter", "diagnosticDataCollectionEnabled=false"]);
        keeper.args(["--wiredTigerEngineConfigString", CLOSE_IDLE_FILES]);
        if matches!(self.kind, Kind::Faulty) {
            keeper.args(["--setParameter", "enableTestCommands=1"]);
        }
        if !matches!(self.kind, Kind::Standalone) {
            keeper.args(["--replSet", "rs0"]);
        }
        if matches!(self.kind, Kind::Secured) {
            keeper.arg("--keyFile").arg(self.data.join(KEY_FILE));
        }
        keeper.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut keeper = keeper.spawn().expect("sh");
        let mut log = BufReader::new(keeper.stdout.take().expect("piped"));
        self.keeper = Some(keeper);
        let mut line = String::new();
        while log.read_line(&mut line).is_ok_and(|read| read > 0) {
            if line.contains("Waiting for connections") {
                std::thread::spawn(move || print_fatal_lines(log));
                return true;
            }
            line.clear();
        }
        self.stop();
        false
    }

    /// Kills the server, as a crash would, and keeps its data for the next start.
    pub(crate) fn stop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take().map(|mut stdin| stdin.write_all(b"keep\n")));
            keeper.wait().expect("the keeper ends");
        }
    }

    /// Initiates the replica set and waits for a primary. Must be called only once.
    pub(crate) async fn initiate(&self) {
        Self::initiate_set(&[self]).await;
    }

    /// Initiates one replica set of all these servers, and waits for a primary.
    pub(crate) async fn initiate_set(servers: &[&Self]) {
        let direct = format!("mongodb://{}/?directConnection=true", servers[0].host());
        let direct = Client::with_uri_str(direct).await.expect("a URL");
        let member = |(n, server): (i32, &&Self)| doc! { "_id": n, "host": server.host() };
        let members: Vec<_> = (0..).zip(servers).map(member).collect();
        let settings = doc! { "electionTimeoutMillis": 2_000, "heartbeatIntervalMillis": 500 };
        let config = doc! { "_id": "rs0", "members": members, "settings": settings };
        let initiate = doc! { "replSetInitiate": config };
        direct.database("admin").run_command(initiate).await.expect("not initiated before");
        // The ping waits until the driver has selected a primary.
        let mut options = ClientOptions::parse(servers[0].uri("admin")).await.expect("a URL");
        options.server_selection_timeout = Some(Duration::from_secs(60));
        let client = Client::with_options(options).expect("valid options");
        client.database("admin").run_command(doc! { "ping": 1 }).await.expect("a primary");
    }

    /// Returns the host and the port of the primary of a replica set.
    pub(crate) async fn primary(uri: &str) -> String {
        let client = Client::with_uri_str(uri).await.expect("a URL");
        let hello = client.database("admin").run_command(doc! { "hello": 1 }).await;
        hello.expect("a primary").get_str("primary").expect("a host").to_owned()
    }

    /// Returns the URL of a database. Its server selection timeout is short, so that commands to a
    /// stopped server fail soon.
    pub(crate) fn uri(&self, database: &str) -> String {
        let set = match self.kind {
            Kind::ReplicaSet | Kind::Faulty | Kind::Secured => "&replicaSet=rs0",
            Kind::Standalone => "",
        };
        let port = self.port;
        format!("mongodb://127.0.0.1:{port}/{database}?serverSelectionTimeoutMS=300{set}")
    }
}

impl Drop for Mongod {
    fn drop(&mut self) {
        self.stop();
        drop(std::fs::remove_dir_all(&self.data));
    }
}

/// Reads the log to its end, so that the pipe never fills up, and prints the reasons of an abort.
fn print_fatal_lines(log: impl BufRead) {
    for line in log.lines().map_while(Result::ok).filter(|line| line.contains(r#""s":"F""#)) {
        eprintln!("mongod: {line}");
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}

fn binary() -> PathBuf {
    let on_path = Command::new("mongod").arg("--version").stdout(Stdio::null()).status();
    if on_path.is_ok_and(|status| status.success()) {
        return "mongod".into();
    }
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/mongod/mongod");
    assert!(fetched.exists(), "these tests need a MongoDB server. Run: scripts/fetch-mongod");
    fetched
}

/// Returns the URL of the server that all tests share. Each test uses its own database.
async fn shared() -> &'static str {
    static SHARED: OnceCell<(String, Option<Mongod>)> = OnceCell::const_new();
    let start = async || {
        #[expect(clippy::disallowed_methods, reason = "tests have no command line of their own")]
        if let Ok(uri) = std::env::var("TENANTRY_TEST_MONGODB_URI") {
            return (uri, None);
        }
        let mongod = tokio::task::spawn_blocking(|| Mongod::running(Kind::ReplicaSet)).await;
        let mongod = mongod.expect("a running mongod");
        mongod.initiate().await;
        // The driver's default timeouts apply, because many tests at once can keep a small machine
        // busy.
        let uri = format!("mongodb://127.0.0.1:{}/?replicaSet=rs0", mongod.port);
        (uri, Some(mongod))
    };
    &SHARED.get_or_init(start).await.0
}

/// An empty database for one test.
pub(crate) struct FreshDatabase {
    pub(crate) uri: String,
    pub(crate) database: Database,
}

impl FreshDatabase {
    /// Chooses a name that no other test uses. MongoDB creates the database at its first write.
    pub(crate) async fn new() -> Self {
        let shared = shared().await;
        let name = format!("it_{}", ObjectId::new());
        let (hosts, options) = shared.split_once('?').unwrap_or((shared, ""));
        let hosts = hosts.strip_prefix("mongodb://").unwrap_or(hosts);
        let hosts = hosts.split('/').next().unwrap_or(hosts);
        let uri = format!("mongodb://{hosts}/{name}?{options}");
        let client = Client::with_uri_str(&uri).await.expect("a URL");
        Self { uri, database: client.database(&name) }
    }

    /// Uses the database of this URL.
    pub(crate) async fn at(uri: &str) -> Self {
        let client = Client::with_uri_str(uri).await.expect("a URL");
        let database = client.default_database().expect("the URL names a database");
        Self { uri: uri.to_owned(), database }
    }

    /// Connects a store and does not prepare it.
    pub(crate) async fn store(&self) -> MongoStore {
        MongoStore::connect(&self.uri, ISSUER, None).await.expect("a store")
    }

    /// Connects a store and prepares it.
    pub(crate) async fn prepared(&self) -> MongoStore {
        let store = self.store().await;
        store.prepare().await.expect("prepared");
        store
    }

    /// Inserts documents without the store, as another program does.
    pub(crate) async fn insert(&self, collection: &str, documents: Vec<Document>) {
        let collection = self.database.collection::<Document>(collection);
        collection.insert_many(documents).await.expect("inserted");
    }
}
