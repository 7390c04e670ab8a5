//! A real MongoDB for tests: the one that `TENANTRY_TEST_MONGODB_URI` names, or a `mongod` that
//! lives no longer than the process of the tests. There is no test without one.

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

/// The issuer of users that name none.
pub(crate) const ISSUER: &str = "https://id.example.org/";

/// Ends its server when its own input ends: that is when the tests end, however they do. The word
/// `keep` leaves the data where it is.
const KEEPER: &str = r#"
trap '' INT TERM HUP
data="$1"; shift
"$@" </dev/null & pid=$!
exec >/dev/null 2>&1
read -r word
kill -9 "$pid"; wait "$pid"
[ "$word" = keep ] || rm -rf "$data"
"#;

/// What the members of a replica set know each other by.
const KEY_FILE: &str = "key";

/// How a server is to run.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// A replica set of one; [`Mongod::initiate`] makes it one.
    ReplicaSet,
    /// The same, and it fails when it is told to.
    Faulty,
    /// A server for itself.
    Standalone,
    /// A replica set that asks who you are.
    Secured,
}

/// A server's place: it may be there or not.
pub(crate) struct Mongod {
    kind: Kind,
    port: u16,
    data: PathBuf,
    keeper: Option<Child>,
}

impl Mongod {
    /// A place for a server that does not run yet: a free port and an empty folder.
    pub(crate) fn nowhere(kind: Kind) -> Self {
        let data = tempfile::Builder::new().prefix("tenantry-mongod-").tempdir();
        let data = data.expect("a folder for temporary files").keep();
        Self { kind, port: free_port(), data, keeper: None }
    }

    /// A server that accepts connections.
    pub(crate) fn running(kind: Kind) -> Self {
        for _ in 0..20 {
            let mut mongod = Self::nowhere(kind);
            if mongod.start() {
                return mongod;
            }
        }
        panic!("no mongod would start; its last words are on standard error");
    }

    /// A server with a user `root`, that is a replica set once somebody initiates it: as MongoDB's
    /// image makes it, by a first start without.
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
        let mine = std::os::unix::fs::PermissionsExt::from_mode(0o400);
        std::fs::set_permissions(&key, mine).expect("closed");
        mongod.kind = Kind::Secured;
        let again = move || {
            // Another port, because somebody may have taken the one that was free for a moment.
            let started = (0..20).any(|_| {
                mongod.port = free_port();
                mongod.start()
            });
            assert!(started, "no mongod would start again; its last words are on standard error");
            mongod
        };
        tokio::task::spawn_blocking(again).await.expect("a running mongod")
    }

    /// Where it is: host and port.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Starts the server and waits until it accepts connections; false where it does not, because
    /// somebody was faster with the port.
    pub(crate) fn start(&mut self) -> bool {
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "sh"]).arg(&self.data).arg(binary());
        keeper.args(["--bind_ip", "127.0.0.1", "--port", &self.port.to_string(), "--dbpath"]);
        keeper.arg(&self.data).args(["--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64"]);
        keeper.args(["--setParameter", "diagnosticDataCollectionEnabled=false"]);
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
                // Somebody has to go on reading, or the server stops at a full pipe.
                std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
                return true;
            }
            line.clear();
        }
        self.stop();
        false
    }

    /// Stops the server as a crash would; its data stay for the next start.
    pub(crate) fn stop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take().map(|mut stdin| stdin.write_all(b"keep\n")));
            keeper.wait().expect("the keeper ends");
        }
    }

    /// Makes a replica set of it, once; returns when it has a primary.
    pub(crate) async fn initiate(&self) {
        let direct = format!("mongodb://127.0.0.1:{}/?directConnection=true", self.port);
        let direct = Client::with_uri_str(direct).await.expect("a URL");
        let members = vec![doc! { "_id": 0, "host": format!("127.0.0.1:{}", self.port) }];
        let config = doc! { "_id": "rs0", "members": members };
        let initiate = doc! { "replSetInitiate": config };
        direct.database("admin").run_command(initiate).await.expect("the first to initiate it");
        // The driver's own wait for a server that can be written to.
        let mut options = ClientOptions::parse(self.uri("admin")).await.expect("a URL");
        options.server_selection_timeout = Some(Duration::from_secs(60));
        let client = Client::with_options(options).expect("valid options");
        client.database("admin").run_command(doc! { "ping": 1 }).await.expect("a primary");
    }

    /// The URL of a database there. Who asks a server that is away has an answer soon.
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

/// The server that all tests share, each with a database of its own.
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
        // Patient: many tests at once may keep a small machine busy.
        let uri = format!("mongodb://127.0.0.1:{}/?replicaSet=rs0", mongod.port);
        (uri, Some(mongod))
    };
    &SHARED.get_or_init(start).await.0
}

/// A database that nobody else uses, empty.
pub(crate) struct Fresh {
    pub(crate) uri: String,
    pub(crate) database: Database,
}

impl Fresh {
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

    /// A store on it that is not prepared.
    pub(crate) async fn store(&self) -> MongoStore {
        MongoStore::connect(&self.uri, ISSUER, None).await.expect("a store")
    }

    /// A store on it, prepared.
    pub(crate) async fn prepared(&self) -> MongoStore {
        let store = self.store().await;
        store.prepare().await.expect("prepared");
        store
    }

    /// Stores documents as another program would.
    pub(crate) async fn insert(&self, collection: &str, documents: Vec<Document>) {
        let collection = self.database.collection::<Document>(collection);
        collection.insert_many(documents).await.expect("inserted");
    }
}
