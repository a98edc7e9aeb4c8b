//! A proxy before a server, which makes it as far away as a network would and counts turns.
//!
//! A turn is a burst of the client after the server has spoken: what the client sends without having heard an answer in between
//! belongs to one turn. A turn counts when its answer comes, so that a message without one (`COM_STMT_CLOSE`) costs nothing.
//!
//! A client with several connections waits for several answers at once. So each turn has a depth: one more than the deepest turn
//! whose answer the client had when it began. The deepest of all is how often the client has waited, one time after another. On a
//! single connection it is the number of turns.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::Outcome;

/// Passes on what all its connections say, half of a round trip later. It ends with the process.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    turns: Arc<Mutex<Turns>>,
}

/// What has passed since it was asked last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Counted {
    /// How often the client has waited, one time after another.
    pub(crate) turns: usize,
    /// Those of all connections.
    pub(crate) of_all: usize,
}

#[derive(Default)]
struct Turns {
    lines: Vec<Line>,
    /// The deepest turn whose answer has come.
    answered: usize,
    of_all: usize,
}

/// One connection.
struct Line {
    /// Whether the client has spoken since the server has.
    is_waiting: bool,
    /// Of its last turn.
    depth: usize,
}

impl Turns {
    fn client_speaks(&mut self, line: usize) {
        let depth = self.answered + 1;
        if let Some(line) = self.lines.get_mut(line).filter(|line| !line.is_waiting) {
            *line = Line { is_waiting: true, depth };
        }
    }

    fn server_speaks(&mut self, line: usize) {
        if let Some(line) = self.lines.get_mut(line).filter(|line| line.is_waiting) {
            line.is_waiting = false;
            self.answered = self.answered.max(line.depth);
            self.of_all += 1;
        }
    }
}

impl Proxy {
    /// A proxy to a server, with this time for the way there and back.
    pub(crate) fn new(server: SocketAddr, round_trip: Duration) -> Outcome<Proxy> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let turns = Arc::new(Mutex::new(Turns::default()));
        let of_all = Arc::clone(&turns);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A client whose connection fails here sees it closed.
                let connected =
                    TcpStream::connect(server).and_then(|server| connect(client, server, round_trip / 2, &of_all));
                if let Err(error) = connected {
                    eprintln!("proxy: {error}");
                }
            }
        });
        Ok(Proxy { address, turns })
    }

    /// The turns since the last call. Nothing may be on its way.
    pub(crate) fn count(&self) -> Counted {
        let mut turns = lock(&self.turns);
        let counted = Counted { turns: turns.answered, of_all: turns.of_all };
        (turns.answered, turns.of_all) = (0, 0);
        turns.lines.iter_mut().for_each(|line| *line = Line { is_waiting: false, depth: 0 });
        counted
    }
}

// Each change is complete before anything can panic.
fn lock(turns: &Mutex<Turns>) -> MutexGuard<'_, Turns> {
    turns.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(client: TcpStream, server: TcpStream, delay: Duration, turns: &Arc<Mutex<Turns>>) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, from_server) = (client.try_clone()?, server.try_clone()?);
    let line = {
        let mut turns = lock(turns);
        turns.lines.push(Line { is_waiting: false, depth: 0 });
        turns.lines.len() - 1
    };
    // Both are noted on the client's side: before the way to the server, and behind the way back.
    let (begun, ended) = (Arc::clone(turns), Arc::clone(turns));
    pass_on(from_client, server, delay, move || lock(&begun).client_speaks(line), || {});
    pass_on(from_server, client, delay, || {}, move || lock(&ended).server_speaks(line));
    Ok(())
}

/// Passes on one direction, in order. What arrives while something is on its way does not wait for it: each piece takes the
/// delay from its own arrival on.
fn pass_on(
    mut from: TcpStream,
    mut to: TcpStream,
    delay: Duration,
    arrives: impl Fn() + Send + 'static,
    leaves: impl Fn() + Send + 'static,
) {
    if delay.is_zero() {
        thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(read @ 1..) = from.read(&mut buffer) {
                arrives();
                // Before it is passed on, because what follows from it may come at once.
                leaves();
                if to.write_all(&buffer[..read]).is_err() {
                    break;
                }
            }
            close(&from, &to);
        });
        return;
    }
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            arrives();
            if sender.send((Instant::now() + delay, buffer[..read].to_vec())).is_err() {
                break;
            }
        }
        // The other thread closes, when all is passed on.
    });
    thread::spawn(move || {
        wake_on_time();
        let receiver: Receiver<(Instant, Vec<u8>)> = receiver;
        for (due, bytes) in receiver {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            leaves();
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        // Which ends the reading of the other direction too.
        let _ = to.shutdown(Shutdown::Both);
    });
}

// A side that has closed already is no error.
fn close(from: &TcpStream, to: &TcpStream) {
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

/// Linux lets a thread that sleeps wake up to 50 µs late, to save power: as much as a half of the shortest delay.
#[cfg(target_os = "linux")]
fn wake_on_time() {
    // Without the right to it, delays are longer and the run goes on.
    let _ = rustix::thread::set_current_timer_slack(std::num::NonZero::new(1));
}

#[cfg(not(target_os = "linux"))]
fn wake_on_time() {}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(lines: usize) -> Turns {
        let line = || Line { is_waiting: false, depth: 0 };
        Turns { lines: (0..lines).map(|_| line()).collect(), answered: 0, of_all: 0 }
    }

    #[test]
    fn a_burst_is_one_turn() {
        let mut turns = turns(1);
        turns.client_speaks(0);
        turns.client_speaks(0);
        assert_eq!(turns.answered, 0, "no answer yet");
        turns.server_speaks(0);
        turns.server_speaks(0);
        turns.client_speaks(0);
        turns.server_speaks(0);
        assert_eq!((turns.answered, turns.of_all), (2, 2));
        // Without an answer.
        turns.client_speaks(0);
        assert_eq!(turns.of_all, 2);
    }

    #[test]
    fn connections_wait_at_the_same_time() {
        let mut turns = turns(2);
        // Two side by side; one of them begins its next before the other has its first answer.
        turns.client_speaks(0);
        turns.client_speaks(1);
        turns.server_speaks(0);
        turns.client_speaks(0);
        turns.server_speaks(1);
        turns.server_speaks(0);
        assert_eq!((turns.answered, turns.of_all), (2, 3));
        // What follows from all of them.
        turns.client_speaks(1);
        turns.server_speaks(1);
        assert_eq!((turns.answered, turns.of_all), (3, 4));
    }

    #[test]
    fn what_is_sent_arrives_in_order_and_later() {
        let echo = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = echo.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = echo.accept().unwrap();
            let mut bytes = [0; 4];
            while stream.read_exact(&mut bytes).is_ok() {
                stream.write_all(&bytes).unwrap();
            }
        });
        let proxy = Proxy::new(server, Duration::from_millis(20)).unwrap();
        let mut client = TcpStream::connect(proxy.address).unwrap();
        client.set_nodelay(true).unwrap();
        let started = Instant::now();
        let mut bytes = [0; 8];
        client.write_all(b"1234").unwrap();
        client.write_all(b"5678").unwrap();
        client.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"12345678");
        assert!(started.elapsed() >= Duration::from_millis(20), "{:?}", started.elapsed());
        assert_eq!(proxy.count().turns, 1);
        client.write_all(b"90ab").unwrap();
        client.read_exact(&mut bytes[..4]).unwrap();
        assert_eq!(proxy.count(), Counted { turns: 1, of_all: 1 });
    }
}
