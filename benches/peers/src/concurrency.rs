//! Many tasks at once: how many requests a second they get through, how long one takes, and how much of the processors that uses.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use assoc_repo::Repo;
use assoc_repo::prelude::*;
use tokio::runtime::{Builder, Runtime};

use crate::Outcome;
use crate::clock::Clock;
use crate::data::{Random, USERS};
use crate::ours::{Post, User};

/// How many tasks there are.
const TASKS: [usize; 5] = [1, 4, 16, 64, 256];

/// How many users a page shows.
pub(crate) const SHOWN: i64 = 20;

/// Before the clock starts.
const WARM_UP: Duration = Duration::from_millis(200);

/// What a request answers. It may come from any thread.
pub(crate) type Served = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// What the tasks ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mix {
    Gets,
    Pages,
    /// 80 % gets, 15 % pages and 5 % writes.
    Mixed,
}

const MIXES: [(&str, Mix); 3] = [("gets", Mix::Gets), ("pages", Mix::Pages), ("mixed", Mix::Mixed)];

/// One way to serve requests.
pub(crate) trait Server: Clone + Send + Sync + 'static {
    fn name(&self) -> &'static str;

    /// A user by key.
    fn get(&self, key: i64) -> impl Future<Output = Served> + Send;

    /// [`SHOWN`] users from a key on, with their posts and the comments of these.
    fn page(&self, from: i64) -> impl Future<Output = Served> + Send;

    /// Makes a user a year older.
    fn write(&self, key: i64) -> impl Future<Output = Served> + Send;
}

/// What the command line asks for.
pub(crate) struct Options {
    mixes: Vec<(&'static str, Mix)>,
    seconds: Duration,
    peers: Option<Vec<String>>,
}

impl Options {
    pub(crate) fn of(args: &[&str]) -> Outcome<Options> {
        let mut options = Options { mixes: Vec::new(), seconds: Duration::from_secs(1), peers: None };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("`{arg}` needs a value"));
            match *arg {
                "--seconds" => options.seconds = Duration::try_from_secs_f64(value()?.parse()?)?,
                "--peers" => options.peers = Some(value()?.split(',').map(str::to_owned).collect()),
                name => {
                    let mix = MIXES.into_iter().find(|(own, _)| *own == name);
                    options.mixes.push(mix.ok_or_else(|| format!("there is no mix `{name}`"))?);
                }
            }
        }
        if options.mixes.is_empty() {
            options.mixes = MIXES.to_vec();
        }
        Ok(options)
    }

    /// Whether a peer takes part: each is asked for by name, or is among the usual ones.
    pub(crate) fn has(&self, peer: &str, is_usual: bool) -> bool {
        self.peers.as_ref().map_or(is_usual, |peers| peers.iter().any(|one| one == peer))
    }

    /// Measures one peer with all numbers of tasks.
    pub(crate) fn measure(&self, runtime: &Runtime, server: &impl Server) -> Outcome<()> {
        for (name, mix) in &self.mixes {
            for tasks in TASKS {
                let run = |passes| runtime.block_on(serve(server, *mix, tasks, passes));
                run(WARM_UP)?;
                // The connections are open now.
                let (latencies, passed) = Clock::new().time(|| run(self.seconds));
                print_line(name, server.name(), tasks, latencies?, passed);
            }
        }
        Ok(())
    }
}

/// A runtime as servers have it: a thread for each processor.
pub(crate) fn runtime() -> Outcome<Runtime> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    println!("fact\tthreads\t{}", runtime.metrics().num_workers());
    Ok(runtime)
}

/// Runs some tasks until a time has passed, and answers how long each request took, in nanoseconds.
async fn serve(server: &impl Server, mix: Mix, tasks: usize, passes: Duration) -> Outcome<Vec<u32>> {
    let end = Instant::now() + passes;
    let task = |number: usize| {
        let server = server.clone();
        async move {
            let mut random = Random::new(0x7A5C ^ (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let mut latencies: Vec<u32> = Vec::with_capacity(1 << 12);
            loop {
                let started = Instant::now();
                if started >= end {
                    return Ok::<_, Box<dyn std::error::Error + Send + Sync>>(latencies);
                }
                let key = 1 + random.below(USERS);
                let chosen = match mix {
                    Mix::Gets => 0,
                    Mix::Pages => 80,
                    Mix::Mixed => random.below(100),
                };
                match chosen {
                    ..80 => server.get(key).await?,
                    80..95 => server.page(1 + key.min(USERS - SHOWN)).await?,
                    _ => server.write(key).await?,
                }
                latencies.push(u32::try_from(started.elapsed().as_nanos()).unwrap_or(u32::MAX));
            }
        }
    };
    let tasks: Vec<_> = (0..tasks).map(|number| tokio::spawn(task(number))).collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await?.map_err(|error| error.to_string())?);
    }
    Ok(all)
}

fn print_line(mix: &str, peer: &str, tasks: usize, mut latencies: Vec<u32>, passed: crate::clock::Passed) {
    latencies.sort_unstable();
    let wall = passed.wall.as_secs_f64();
    let at = |share: f64| {
        let place = ((latencies.len().saturating_sub(1)) as f64 * share) as usize;
        latencies.get(place).map_or(0.0, |nanos| f64::from(*nanos) / 1e3)
    };
    print!("{mix}\t{peer}\ttasks={tasks}\trate={:.0}", latencies.len() as f64 / wall);
    print!("\tp50={:.1}\tp99={:.1}\tlongest={:.1}", at(0.5), at(0.99), at(1.0));
    print!("\tclient={:.2}", passed.processor.as_secs_f64() / wall);
    if let Some(server) = passed.server {
        print!("\tserver={:.2}", server.as_secs_f64() / wall);
    }
    println!();
}

/// assoc over a driver.
#[derive(Clone)]
pub(crate) struct OurServer {
    pub(crate) name: &'static str,
    pub(crate) repo: Arc<Repo>,
}

impl Server for OurServer {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn get(&self, key: i64) -> Served {
        std::hint::black_box(self.repo.get_or_fail::<User>(key, Query::new()).await?);
        Ok(())
    }

    async fn page(&self, from: i64) -> Served {
        let page = Query::filter(User::ID.between(from, from + SHOWN - 1));
        let page = page.preload(User::POSTS.with(Post::COMMENTS)).order_by(User::ID.asc());
        std::hint::black_box(self.repo.all(page).await?);
        Ok(())
    }

    async fn write(&self, key: i64) -> Served {
        let written = self.repo.update_all(Query::filter(User::ID.eq(key)), [User::AGE.add(1)]).await?;
        if written == 1 { Ok(()) } else { Err(format!("{written} users have the key {key}").into()) }
    }
}
