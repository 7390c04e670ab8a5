//! A proxy between a gateway and MongoDB, with which a test interrupts a commit at a known point.

use std::{net::SocketAddr, sync::Arc};

use mongodb::{
    Client, ClientSession,
    bson::{Document, doc},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// The offset of the command's name in a message: after the header, the flags, the kind of the
/// section, the length of the document and the type of its first element.
const NAME_OFFSET: usize = 26;
/// The command that ends a transaction successfully.
const COMMIT: &[u8] = b"commitTransaction\0";

/// The handling of commits and connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Forwards all messages.
    Forward,
    /// Withholds commits until the mode changes.
    WithholdCommits,
    /// Closes the connection of each commit instead of forwarding it.
    RejectCommits,
    /// Closes all connections and accepts no others, as after the end of the client's process.
    Closed,
}

/// A proxy that forwards connections to a MongoDB server.
pub(crate) struct MongoProxy {
    uri: String,
    mode: watch::Sender<Mode>,
    commits: Arc<watch::Sender<usize>>,
}

impl MongoProxy {
    /// Starts a proxy to the first server of the URL.
    pub(crate) async fn start(uri: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let server = authority(uri).to_owned();
        let uri = through(uri, address);
        let (mode, commits) = (watch::Sender::new(Mode::Forward), Arc::default());
        let proxy = Self { uri, mode, commits };
        let (mode, commits) = (proxy.mode.subscribe(), proxy.commits.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, mode, commits) = (server.clone(), mode.clone(), commits.clone());
                tokio::spawn(async move {
                    let server = TcpStream::connect(server).await.expect("the server accepts");
                    forward(client, server, mode, &commits).await;
                });
            }
        });
        proxy
    }

    /// Returns the URL of the database through this proxy.
    pub(crate) fn uri(&self) -> &str {
        &self.uri
    }

    /// Withholds later commits from the server.
    pub(crate) fn withhold_commits(&self) {
        self.mode.send_replace(Mode::WithholdCommits);
    }

    /// Closes the connection of each later commit, which never reaches the server.
    pub(crate) fn reject_commits(&self) {
        self.mode.send_replace(Mode::RejectCommits);
    }

    /// Waits until a commit was withheld or rejected.
    pub(crate) async fn wait_for_commit(&self) {
        let mut commits = self.commits.subscribe();
        commits.wait_for(|commits| *commits > 0).await.expect("the proxy runs");
    }

    /// Forwards withheld commits, and everything after them.
    pub(crate) fn resume(&self) {
        self.mode.send_replace(Mode::Forward);
    }

    /// Closes all connections and accepts no others.
    pub(crate) fn close(&self) {
        self.mode.send_replace(Mode::Closed);
    }
}

/// Opens a transaction that changes all documents, as a process does that is then killed. The
/// server sees an open transaction whose connection was closed.
pub(crate) async fn abandon_transaction(uri: &str, database: &str) -> ClientSession {
    let proxy = MongoProxy::start(uri).await;
    let client = Client::with_uri_str(format!("{}&appName=tenantry", proxy.uri())).await;
    let client = client.expect("a URL");
    let mut session = client.start_session().await.expect("a session");
    session.start_transaction().await.expect("a transaction");
    for collection in ["tenants", "users", "requests"] {
        let collection = client.database(database).collection::<Document>(collection);
        let update = collection.update_many(doc! {}, doc! { "$set": { "lost": true } });
        update.session(&mut session).await.expect("update succeeds");
    }
    proxy.close();
    session
}

/// Forwards a connection until one of its ends or the proxy closes it.
async fn forward(
    client: TcpStream,
    server: TcpStream,
    mode: watch::Receiver<Mode>,
    commits: &watch::Sender<usize>,
) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let mut closed = mode.clone();
    tokio::select! {
        _ = closed.wait_for(|mode| *mode == Mode::Closed) => {}
        _ = copy(&mut from_server, &mut to_client) => {}
        _ = forward_messages(&mut from_client, &mut to_server, mode, commits) => {}
    }
}

async fn forward_messages(
    client: &mut OwnedReadHalf,
    server: &mut OwnedWriteHalf,
    mut mode: watch::Receiver<Mode>,
    commits: &watch::Sender<usize>,
) -> std::io::Result<()> {
    loop {
        let length = client.read_i32_le().await?;
        let mut message = length.to_le_bytes().to_vec();
        message.resize(length.try_into().expect("a length"), 0);
        client.read_exact(&mut message[4..]).await?;
        let is_commit = message.get(NAME_OFFSET..).is_some_and(|name| name.starts_with(COMMIT));
        let current = *mode.borrow();
        if is_commit && current != Mode::Forward {
            commits.send_modify(|commits| *commits += 1);
            if current == Mode::RejectCommits {
                return Ok(());
            }
            let mut next = [0];
            tokio::select! {
                _ = mode.wait_for(|mode| *mode != Mode::WithholdCommits) => {}
                // The client sends nothing before the reply, so it has closed the connection.
                _ = client.peek(&mut next) => return Ok(()),
            }
        }
        server.write_all(&message).await?;
    }
}

/// Returns the first host and port of a URL.
fn authority(uri: &str) -> &str {
    let hosts = uri.trim_start_matches("mongodb://").split('/').next().expect("a first part");
    let hosts = hosts.rsplit('@').next().expect("a last part");
    hosts.split(',').next().expect("a first host")
}

/// Returns the URL with another address. The driver must not look for the other members of the
/// replica set, because it would bypass the proxy.
fn through(uri: &str, address: SocketAddr) -> String {
    let hosts = uri.trim_start_matches("mongodb://").split('/').next().expect("a first part");
    let hosts = hosts.rsplit('@').next().expect("a last part");
    let uri = uri.replacen(hosts, &address.to_string(), 1);
    let (base, options) = uri.split_once('?').unwrap_or((&uri, ""));
    format!("{base}?directConnection=true&{options}")
}
