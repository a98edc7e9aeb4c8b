//! A proxy before a server: it counts turns, can delay them, and can spoil a `BEGIN`.
//!
//! A turn is a burst of the client after the server has spoken. What the client sends without having heard an answer in between
//! belongs to one turn.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Counts the turns of all connections that go through it. It ends with the test's process.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    /// Of each connection.
    turns: Arc<Mutex<Vec<Arc<AtomicUsize>>>>,
    spoils: Arc<AtomicBool>,
}

impl Proxy {
    /// A proxy to a server, each way of which takes half of the delay.
    pub(crate) fn new(server: SocketAddr, delay: Duration) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let turns = Arc::new(Mutex::new(Vec::new()));
        let spoils = Arc::<AtomicBool>::default();
        let (connections, spoiling) = (Arc::clone(&turns), Arc::clone(&spoils));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(server) else { continue };
                let counted = Arc::default();
                connections.lock().expect("no counter panics").push(Arc::clone(&counted));
                connect(client, server, delay / 2, &counted, &spoiling);
            }
        });
        Proxy { address, turns, spoils }
    }

    /// Whether the server does not understand what begins a transaction from now on.
    #[allow(dead_code)] // Of PostgreSQL's driver.
    pub(crate) fn spoil_begin(&self, spoils: bool) {
        self.spoils.store(spoils, Ordering::SeqCst);
    }

    /// The turns since the last call.
    pub(crate) fn turns(&self) -> usize {
        self.turns_of_each().iter().sum()
    }

    /// The same for each connection: those of one connection wait for each other.
    #[allow(dead_code)] // Only some tests have several.
    pub(crate) fn turns_of_each(&self) -> Vec<usize> {
        let connections = self.turns.lock().expect("no counter panics");
        connections.iter().map(|turns| turns.swap(0, Ordering::SeqCst)).collect()
    }
}

fn connect(client: TcpStream, server: TcpStream, delay: Duration, turns: &Arc<AtomicUsize>, spoils: &Arc<AtomicBool>) {
    // Whether the server has spoken since the client has.
    let answered = Arc::new(AtomicBool::new(true));
    for side in [&client, &server] {
        side.set_nodelay(true).expect("a socket");
    }
    let (to_server, to_client) = (server.try_clone().expect("a socket"), client.try_clone().expect("a socket"));
    let (turns, heard, spoils) = (Arc::clone(turns), Arc::clone(&answered), Arc::clone(spoils));
    thread::spawn(move || {
        pump(client, to_server, delay, |bytes| {
            if heard.swap(false, Ordering::SeqCst) {
                turns.fetch_add(1, Ordering::SeqCst);
            }
            const BEGIN: &[u8] = b"BEGIN";
            if spoils.load(Ordering::SeqCst)
                && let Some(at) = bytes.windows(BEGIN.len()).position(|window| window == BEGIN)
            {
                bytes[at] = b'X';
            }
        });
    });
    thread::spawn(move || pump(server, to_client, delay, |_| answered.store(true, Ordering::SeqCst)));
}

fn pump(mut from: TcpStream, mut to: TcpStream, delay: Duration, passes: impl Fn(&mut [u8])) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        thread::sleep(delay);
        // Before it is passed on, because the answer to it may come at once.
        passes(&mut buffer[..read]);
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Both));
}
