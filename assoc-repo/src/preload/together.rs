//! Steps that do not depend on one another: their statements are sent together.
//!
//! Neighbours in the plan's order form a group until a step needs the rows of one before it in the group: as its owners,
//! or to find keys in memory. The order of the statements stays that of the plan, whatever the driver makes of a group, so
//! logs and counts are those of one statement after the other. Where the driver sends a group at once, a plan takes a turn
//! for each group and not for each statement.
//!
//! A step of several statements, of another database or with a function of the program runs alone.

use assoc_core::Result;
use assoc_core::driver::{IndependentQuery, KeySet, RowSink, Statement};
use assoc_core::metadata::ModelDef;
use assoc_core::planner::{Fetch, Step};

use super::by_join_chain::ChainLookUp;
use super::existing::Owners;
use super::fetch::{FoundRows, Run};
use super::key_look_up::KeyLookUp;
use super::recursions::Levels;

/// A step's look-up.
enum LookUp<'k> {
    ByKey(KeyLookUp<'k>),
    JoinChain(ChainLookUp<'k>),
}

impl<'k> LookUp<'k> {
    fn begin(run: &Run<'k, '_>, step: &'k Step, keys: &'k KeySet) -> Result<Self> {
        Ok(match &step.fetch {
            Fetch::JoinChain(chain) => LookUp::JoinChain(ChainLookUp::begin(run, step, chain, keys)),
            _ => LookUp::ByKey(KeyLookUp::begin(run, step, &step.select, keys)?),
        })
    }

    fn model(&self) -> &'static ModelDef {
        match self {
            LookUp::ByKey(look_up) => look_up.model(),
            LookUp::JoinChain(look_up) => look_up.model(),
        }
    }

    fn parts(&self) -> usize {
        match self {
            LookUp::ByKey(look_up) => look_up.parts(),
            LookUp::JoinChain(look_up) => look_up.parts(),
        }
    }

    fn statement(&self, run: &Run<'_, '_>, part: usize) -> Result<Statement> {
        let dialect = run.session.dialect_of(self.model());
        match self {
            LookUp::ByKey(look_up) => look_up.statement(dialect, part),
            LookUp::JoinChain(look_up) => look_up.statement(dialect, part),
        }
    }

    fn only_statement(&self, run: &Run<'_, '_>) -> Result<Option<Statement>> {
        if self.parts() == 0 { Ok(None) } else { self.statement(run, 0).map(Some) }
    }

    fn sink(&mut self) -> &mut dyn RowSink {
        match self {
            LookUp::ByKey(look_up) => look_up.sink(),
            LookUp::JoinChain(look_up) => look_up.sink(),
        }
    }

    fn took(&mut self, part: usize) -> Result<()> {
        match self {
            LookUp::ByKey(look_up) => look_up.took(part),
            LookUp::JoinChain(look_up) => {
                look_up.took(part);
                Ok(())
            }
        }
    }

    fn begun(&mut self) -> Option<Levels> {
        match self {
            LookUp::ByKey(look_up) => look_up.begun(),
            LookUp::JoinChain(_) => None,
        }
    }

    fn found_for(self, owners: &[Owners]) -> Result<FoundRows> {
        match self {
            LookUp::ByKey(look_up) => Ok(look_up.found_for(owners)),
            LookUp::JoinChain(look_up) => look_up.found_for(owners),
        }
    }
}

impl Run<'_, '_> {
    /// Runs the steps from one on that do not depend on one another, and says how many.
    pub(super) async fn run_together(&mut self, first: usize) -> Result<usize> {
        let steps = &self.plan.steps()[first..first + self.plan.independent_from(first)];
        // A failure of the first step is the request's. One of a later step is found again when that step is the first:
        // those before it are to run.
        let owners = all_or_first(steps.iter().map(|step| self.owners_of_step(step)))?;
        let keys: Vec<KeySet> =
            owners.iter().map(|owners| KeySet::distinct(owners.iter().map(|owners| &owners.keys))).collect();
        let look_ups = all_or_first(steps.iter().zip(&keys).map(|(step, keys)| LookUp::begin(self, step, keys)))?;
        let mut look_ups = self.those_that_go_together(look_ups);
        if let [only] = &mut look_ups[..] {
            self.look_up_alone(only).await?;
        } else {
            let statements = all_or_first(look_ups.iter().map(|look_up| look_up.only_statement(self)))?;
            look_ups.truncate(statements.len());
            let queries = look_ups.iter_mut().zip(&statements);
            let queries = queries
                .filter_map(|(look_up, statement)| Some(IndependentQuery::new(statement.as_ref()?, look_up.sink())));
            self.session.query_together(queries.collect()).await?;
            for look_up in look_ups.iter_mut().filter(|look_up| look_up.parts() > 0) {
                look_up.took(0)?;
            }
        }
        let ran = look_ups.len();
        for (step, look_up) in steps.iter().zip(&mut look_ups) {
            self.begun.ran(step, look_up.begun());
        }
        let found = look_ups.into_iter().zip(&owners).map(|(look_up, owners)| look_up.found_for(owners));
        let found = found.collect::<Result<Vec<_>>>()?;
        for ((step, owners), found) in steps.iter().zip(owners).zip(found) {
            self.distribute_rows(step, owners, found);
        }
        Ok(ran)
    }

    // The first look-ups, as far as each is one statement, or none, of this session's database.
    fn those_that_go_together<'k>(&self, mut look_ups: Vec<LookUp<'k>>) -> Vec<LookUp<'k>> {
        let goes = |look_up: &LookUp<'_>| look_up.parts() <= 1 && self.session.is_home_of(look_up.model());
        let together = look_ups.iter().take_while(|look_up| goes(look_up)).count();
        look_ups.truncate(together.max(1));
        look_ups
    }

    async fn look_up_alone(&mut self, look_up: &mut LookUp<'_>) -> Result<()> {
        for part in 0..look_up.parts() {
            let statement = look_up.statement(self, part)?;
            self.session.query_at(look_up.model(), &statement, look_up.sink()).await?;
            look_up.took(part)?;
        }
        if let LookUp::ByKey(look_up) = look_up
            && let Some((select, fetched)) = look_up.out_of_order()
        {
            self.order_across(select, fetched).await?;
        }
        Ok(())
    }
}

// The values before the first failure, or the failure if there are none.
fn all_or_first<T>(results: impl Iterator<Item = Result<T>>) -> Result<Vec<T>> {
    let mut values = Vec::with_capacity(results.size_hint().0);
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(error) if values.is_empty() => return Err(error),
            Err(_) => break,
        }
    }
    Ok(values)
}
