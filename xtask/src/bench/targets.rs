//! The ratio to SQL by hand that each workload is to reach.

/// What the peers run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Database {
    Sqlite,
    MariaDb,
    Postgres,
}

/// Ratios in the order of the workloads, for peers whose names begin so.
struct Targets {
    database: Database,
    peers: &'static [&'static str],
    ratios: [Option<f64>; 11],
}

const TARGETS: [Targets; 4] = [
    Targets {
        database: Database::Sqlite,
        peers: &["assoc"],
        ratios: [
            Some(1.20),
            Some(0.95),
            Some(0.90),
            Some(0.80),
            Some(0.75),
            Some(1.00),
            Some(0.90),
            Some(1.50),
            Some(0.90),
            Some(1.00),
            Some(1.50),
        ],
    },
    Targets {
        database: Database::Sqlite,
        peers: &["assoc-current-thread", "assoc-two-threads"],
        ratios: [
            Some(1.30),
            Some(1.05),
            Some(1.05),
            Some(0.95),
            Some(0.90),
            Some(1.20),
            Some(1.05),
            Some(1.70),
            Some(1.05),
            Some(1.15),
            None,
        ],
    },
    Targets {
        database: Database::MariaDb,
        peers: &["assoc"],
        ratios: [
            Some(1.00),
            Some(1.00),
            Some(1.00),
            Some(0.90),
            Some(0.70),
            Some(1.05),
            Some(0.80),
            Some(1.20),
            Some(1.05),
            Some(1.00),
            None,
        ],
    },
    // Faster than Diesel and SeaORM as well, which the columns beside it show.
    Targets {
        database: Database::Postgres,
        peers: &["assoc"],
        ratios: [None, Some(1.00), Some(1.00), Some(1.00), Some(1.00), Some(1.00), Some(1.00), None, None, None, None],
    },
];

impl Database {
    /// What the peers and files call it.
    pub(super) fn key(self) -> &'static str {
        match self {
            Database::Sqlite => "sqlite",
            Database::MariaDb => "mariadb",
            Database::Postgres => "postgres",
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Database::Sqlite => "SQLite",
            Database::MariaDb => "MariaDB",
            Database::Postgres => "PostgreSQL",
        }
    }

    /// The target of a peer in a workload, where there is one.
    pub(super) fn target(self, peer: &str, workload: &str) -> Option<f64> {
        let place = super::WORKLOADS.iter().position(|name| *name == workload)?;
        let targets = TARGETS.iter().find(|targets| targets.database == self && targets.peers.contains(&peer))?;
        targets.ratios[place]
    }
}
