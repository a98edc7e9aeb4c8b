//! What distance costs: the workloads, a page of ten associations, saves, transactions and trees through a [`Proxy`] that delays,
//! with the turns that each took.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::proxy::{Counted, Proxy};
use crate::rounds::{Peer, Store};
use crate::workload::{Inputs, WORKLOADS, Workload};

pub(crate) mod ours;
pub(crate) mod page;
pub(crate) mod tables;
pub(crate) mod trees;

use tables::{MEDIUM, NARROW, Tree, WIDE};

/// The times for the way there and back.
const ROUND_TRIPS: [Duration; 4] =
    [Duration::ZERO, Duration::from_micros(200), Duration::from_millis(1), Duration::from_millis(5)];

/// How many rows W1 gets here: at 5 ms each takes as long.
const GETS: usize = 50;

/// How many rows are saved one by one, or together.
pub(crate) const SAVED: usize = 20;

/// How often a case runs before the clock starts. With several connections, each prepares the texts that come to it.
const WARM_UP: usize = 6;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Usual(Workload),
    /// 20 orders with ten associations.
    Page,
    Inserts,
    Updates,
    /// A read, an update and an insert.
    TransactionOfThree,
    TransactionOfTwenty,
    InsertAll,
    Tree(Tree),
}

const OTHERS: [(&str, Case); 9] = [
    ("page", Case::Page),
    ("inserts", Case::Inserts),
    ("updates", Case::Updates),
    ("transaction-3", Case::TransactionOfThree),
    ("transaction-20", Case::TransactionOfTwenty),
    ("insert_all", Case::InsertAll),
    ("tree-narrow", Case::Tree(NARROW)),
    ("tree", Case::Tree(MEDIUM)),
    ("tree-wide", Case::Tree(WIDE)),
];

/// Names of several cases.
const GROUPS: [(&str, &[&str]); 3] = [
    ("saves", &["inserts", "updates"]),
    ("transaction", &["transaction-3", "transaction-20"]),
    ("trees", &["tree-narrow", "tree", "tree-wide"]),
];

impl Case {
    fn all() -> Vec<Case> {
        let usual = WORKLOADS.into_iter().filter(|workload| *workload != Workload::W11).map(Case::Usual);
        usual.chain(OTHERS.map(|(_, case)| case)).collect()
    }

    /// The cases of a name.
    fn named(name: &str) -> Outcome<Vec<Case>> {
        if let Some((_, members)) = GROUPS.iter().find(|(group, _)| *group == name) {
            return Ok(OTHERS.into_iter().filter(|(name, _)| members.contains(name)).map(|(_, case)| case).collect());
        }
        let other = OTHERS.into_iter().find(|(own, _)| *own == name).map(|(_, case)| case);
        let case = other.or_else(|| Workload::named(name).map(Case::Usual));
        Ok(vec![case.ok_or_else(|| format!("there is no case `{name}`"))?])
    }

    fn name(self) -> String {
        if let Case::Usual(workload) = self {
            return format!("{workload:?}");
        }
        OTHERS.into_iter().find(|(_, case)| *case == self).map_or_else(String::new, |(name, _)| name.to_owned())
    }
}

/// One way to do the cases that are not among the workloads.
pub(crate) trait Shop {
    fn does(&self, case: Case) -> bool;

    /// A checksum of what was read, where something is read.
    fn run(&mut self, case: Case) -> Outcome<u64>;

    /// Uses all connections at once, as other requests of a program at work do: some are of no use after a rest.
    fn keep_awake(&mut self) -> Outcome<()> {
        Ok(())
    }
}

/// One way to do all of them.
pub(crate) struct Caller {
    pub(crate) usual: Box<dyn Peer>,
    pub(crate) shop: Box<dyn Shop>,
}

impl Caller {
    fn does(&self, case: Case) -> bool {
        match case {
            Case::Usual(workload) => self.usual.does(workload),
            other => self.shop.does(other),
        }
    }

    fn run(&mut self, case: Case, inputs: &Arc<Inputs>, check: bool) -> Outcome<u64> {
        match case {
            Case::Usual(workload) => self.usual.run(workload, inputs, check),
            other => self.shop.run(other),
        }
    }
}

/// What the command line asks for.
pub(crate) struct Options {
    cases: Vec<Case>,
    rounds: usize,
    peers: Option<Vec<String>>,
}

impl Options {
    pub(crate) fn of(args: &[&str]) -> Outcome<Options> {
        let mut options = Options { cases: Vec::new(), rounds: 7, peers: None };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("`{arg}` needs a value"));
            match *arg {
                "--rounds" => options.rounds = value()?.parse()?,
                "--peers" => options.peers = Some(value()?.split(',').map(str::to_owned).collect()),
                name => options.cases.extend(Case::named(name)?),
            }
        }
        if options.cases.is_empty() {
            options.cases = Case::all();
        }
        Ok(options)
    }

    /// Whether a peer takes part.
    pub(crate) fn has(&self, peer: &str) -> bool {
        self.peers.as_ref().is_none_or(|peers| peers.iter().any(|one| one == peer))
    }
}

/// Measures over each distance. `open` connects all peers to the server at an address; `store` is what they insert into.
pub(crate) fn measure(
    options: &Options,
    server: SocketAddr,
    mut inputs: Inputs,
    store: &mut dyn Store,
    mut open: impl FnMut(SocketAddr) -> Outcome<Vec<Caller>>,
) -> Outcome<()> {
    inputs.keys.truncate(GETS);
    let inputs = Arc::new(inputs);
    println!("fact\trounds\t{}", options.rounds);
    for round_trip in ROUND_TRIPS {
        let proxy = Proxy::new(server, round_trip)?;
        let mut callers = open(proxy.address)?;
        for case in &options.cases {
            measure_case(*case, options.rounds, round_trip, &proxy, &inputs, &mut callers, store)?;
        }
    }
    Ok(())
}

fn measure_case(
    case: Case,
    rounds: usize,
    round_trip: Duration,
    proxy: &Proxy,
    inputs: &Arc<Inputs>,
    callers: &mut [Caller],
    store: &mut dyn Store,
) -> Outcome<()> {
    let is_written = matches!(case, Case::Usual(workload) if workload.writes());
    let mut expected = None;
    for caller in callers.iter_mut().filter(|caller| caller.does(case)) {
        let name = caller.usual.name();
        if case == Case::Page {
            caller.shop.keep_awake()?;
        }
        proxy.count();
        let mut found = caller.run(case, inputs, true)?;
        let first_use = proxy.count();
        if is_written {
            found = store.inserted(name)?;
            store.clean(name)?;
        }
        if *expected.get_or_insert(found) != found {
            return Err(format!("{}: {name} did other work than the first peer", case.name()).into());
        }
        // One after the other, so that a connection has answered a moment ago, as it has in a program at work.
        let (mut times, mut turns): (Vec<Duration>, Vec<Counted>) = Default::default();
        for round in 0..WARM_UP + rounds {
            if case == Case::Page {
                caller.shop.keep_awake()?;
            }
            proxy.count();
            let started = Instant::now();
            caller.run(case, inputs, false)?;
            let passed = started.elapsed();
            if round >= WARM_UP {
                times.push(passed);
                turns.push(proxy.count());
            }
            if is_written {
                store.clean(name)?;
            }
        }
        times.sort_unstable();
        turns.sort_unstable();
        let (Some(wall), Some(least), Some(counted)) =
            (times.get(times.len() / 2), times.first(), turns.get(turns.len() / 2))
        else {
            return Err("no rounds, no times".into());
        };
        println!(
            "{}\t{name}\tround-trip={}\twall={:.3}\twall-least={:.3}\tturns={}\tturns-of-all={}\tturns-of-first-use={}",
            case.name(),
            round_trip.as_secs_f64() * 1e3,
            wall.as_secs_f64() * 1e3,
            least.as_secs_f64() * 1e3,
            counted.turns,
            counted.of_all,
            first_use.turns
        );
    }
    Ok(())
}

/// Where the server of a URL listens.
pub(crate) fn address_of(url: &str, port: u16) -> Outcome<SocketAddr> {
    let place = place(url)?;
    let (host, port) = match place.rsplit_once(':') {
        Some((host, own)) => (host, own.parse()?),
        None => (place, port),
    };
    (host, port).to_socket_addrs()?.next().ok_or_else(|| format!("`{host}` has no address").into())
}

/// The URL with another server.
pub(crate) fn with_address(url: &str, address: SocketAddr) -> Outcome<String> {
    Ok(url.replacen(place(url)?, &address.to_string(), 1))
}

// The part of a URL that names host and port.
fn place(url: &str) -> Outcome<&str> {
    let (_, rest) = url.split_once("://").ok_or("the server's URL has no `://`")?;
    let server = rest.split(['/', '?']).next().unwrap_or(rest);
    Ok(server.rsplit_once('@').map_or(server, |(_, place)| place))
}
