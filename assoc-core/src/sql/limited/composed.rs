//! The rows within the limit of a through association, among all rows of its chain; so the subquery joins the tables of
//! the chain. Its order is that of loading: the requested order, or else the chain's, hop by hop.
//!
//! A part of the chain may have a limit. A part by a key applies it beside the join. A part that is a through
//! association is a table of its targets, each compared with the rows within the part's limit for the row before.

use super::{Form, Outer, PLACE, RowLimit, total_order};
use crate::error::Result;
use crate::metadata::association::{Chain, ChainHop, ChainParts, KeyJoin};
use crate::metadata::expr::{Expr, OrderTerm};
use crate::metadata::model::ModelDef;
use crate::metadata::request::ScopeDef;
use crate::sql::SqlWriter;
use crate::sql::related::{TargetCondition, check};

/// One table of a chain.
struct Link<'c> {
    alias: String,
    model: &'static ModelDef,
    // The condition of its join: a key, or a whole chain with a limit.
    by: By<'c>,
}

impl<'c> Link<'c> {
    // The table of a single hop; of a chain there is no more than its targets.
    fn hop(&self) -> Option<&'c ChainHop> {
        match self.by {
            By::Key { hop, .. } => Some(hop),
            By::Limited(..) => None,
        }
    }
}

enum By<'c> {
    Key { hop: &'c ChainHop, row_limit: Option<RowLimit> },
    Limited(&'c Chain, RowLimit),
}

/// The tables of an association's chain, with the target's last, and the order of the targets.
#[derive(Default)]
struct Tables<'c> {
    links: Vec<Link<'c>>,
    order: Vec<(String, OrderTerm)>,
}

impl<'c> Tables<'c> {
    // The order of the rows of one table, behind what decides already.
    fn order_by(&mut self, alias: &str, order: Vec<OrderTerm>) {
        self.order.extend(order.into_iter().map(|term| (alias.to_owned(), term)));
    }

    fn add(&mut self, alias: String, hop: &'c ChainHop, row_limit: Option<RowLimit>) {
        self.order_by(&alias, total_order(&hop.scope, hop.model));
        self.links.push(Link { alias, model: hop.model, by: By::Key { hop, row_limit } });
    }
}

/// The circumstances of a part of a chain that its surroundings decide.
#[derive(Clone, Copy)]
struct Context {
    // Whether the number of occurrences of a row matters.
    repeats: bool,
    // Whether the surroundings decide the order.
    ordered: bool,
}

/// Where a subquery over a chain begins.
#[derive(Clone, Copy)]
enum Start<'o> {
    /// At one owner, a row outside.
    Owner(Outer<'o>),
    /// At the first table, for the keys of all owners.
    AllKeys,
    /// At all owners, under this alias.
    AllOwners(Outer<'o>),
}

impl SqlWriter<'_> {
    /// Appends `EXISTS (SELECT 1 FROM target AS related_1 WHERE related_1.id = (SELECT … the whole chain …) AND …)`.
    pub(in crate::sql) fn through_limit(
        &mut self,
        chain: &Chain,
        row_limit: RowLimit,
        target_condition: TargetCondition<'_>,
    ) -> Result<()> {
        let owner = (chain.association.owner)();
        let outer = self.outer_name(owner);
        let before = self.qualifier.take();
        let joined = std::mem::take(&mut self.joined);
        self.push("EXISTS (SELECT 1");
        let alias = self.push_related_table((chain.association.target)());
        self.push(" WHERE ");
        self.qualify(alias);
        self.limited_along_chain(chain, row_limit, Outer { alias: &outer, model: owner })?;
        self.and_target_condition(target_condition)?;
        self.push(")");
        self.qualifier = before;
        self.joined = joined;
        Ok(())
    }

    // Appends the condition that the row is within the limit over a whole chain.
    fn limited_along_chain(&mut self, chain: &Chain, row_limit: RowLimit, outer: Outer<'_>) -> Result<()> {
        let association = chain.association;
        let target = (association.target)();
        let (form, _) = self.form_of(association, row_limit, target)?;
        let tables = self.tables_of(chain, row_limit)?;
        let (Some(first), Some(last)) = (tables.links.first(), tables.links.last()) else { return Ok(()) };
        // Where the rows of all owners are numbered at once, each says which owner it belongs to: by the key to it if
        // there is one, and otherwise by the owner's key, with the owners' table in front.
        let owners = self.next_alias();
        let names = |model: &'static ModelDef, columns: &[usize]| -> Vec<&'static str> {
            columns.iter().map(|column| model.columns[*column].name).collect()
        };
        let (whose, theirs, own, start) = match first.hop() {
            _ if form != Form::Numbered => (&first.alias, Vec::new(), Vec::new(), Start::Owner(outer)),
            Some(ChainHop { key, owner_type: None, .. }) => {
                let theirs = names(first.model, key.target_columns);
                (&first.alias, theirs, names(outer.model, key.owner_columns), Start::AllKeys)
            }
            _ => {
                outer.model.require_primary_key("a condition on the rows that an association chooses")?;
                let key = names(outer.model, outer.model.primary_key);
                (&owners, key.clone(), key, Start::AllOwners(Outer { alias: &owners, model: outer.model }))
            }
        };
        let own: Vec<(&str, &str)> = own.into_iter().map(|name| (outer.alias, name)).collect();
        self.is_among_limited(association, row_limit, target, &own, |writer, columns, form| {
            writer.push("SELECT ");
            writer.qualify(last.alias.clone());
            writer.key_columns(columns, form);
            if form == Form::Numbered {
                writer.qualify(whose.clone());
                for (part, key) in theirs.iter().enumerate() {
                    writer.push(", ");
                    writer.own_column(key);
                    writer.push(" AS ");
                    writer.identifier(&format!("k{part}"));
                }
                // Equal rows have equal places, so that each counts once.
                writer.push(if row_limit.distinct { ", DENSE_RANK()" } else { ", ROW_NUMBER()" });
                writer.push(" OVER (PARTITION BY ");
                writer.separated(", ", &theirs, |writer, key| writer.own_column(key));
                writer.order_on_the_way(&tables.order)?;
                writer.push(") AS ");
                writer.identifier(PLACE);
            }
            writer.joined(&tables, start)?;
            if form == Form::Numbered || row_limit == RowLimit::ALL {
                return Ok(());
            }
            if row_limit.distinct {
                writer.push(" GROUP BY ");
                writer.qualify(last.alias.clone());
                writer.separated(", ", columns, |writer, column| writer.own_column(column));
            }
            writer.order_on_the_way(&tables.order)
        })
    }

    // The tables of a chain, with the limit of its surroundings.
    fn tables_of<'c>(&mut self, chain: &'c Chain, row_limit: RowLimit) -> Result<Tables<'c>> {
        let mut tables = Tables::default();
        let first_alone = row_limit.limit == Some(1) && row_limit.offset == 0;
        let context =
            Context { repeats: !row_limit.distinct && !first_alone && row_limit != RowLimit::ALL, ordered: false };
        self.add_tables(chain, context, true, &mut tables)?;
        Ok(tables)
    }

    fn add_tables<'c>(
        &mut self,
        chain: &'c Chain,
        context: Context,
        outermost: bool,
        tables: &mut Tables<'c>,
    ) -> Result<()> {
        check(chain, false)?;
        let Chain { association, scope, .. } = chain;
        let ordered = context.ordered || !scope.order.is_empty();
        let start = tables.order.len();
        match &chain.parts {
            ChainParts::CustomSql(_) => return Err(self.beyond(association)),
            ChainParts::Key(hop) => return self.add_hop(hop, tables),
            ChainParts::ByType { hops, .. } => {
                let [hop] = &hops[..] else { return Err(self.beyond(association)) };
                return self.add_hop(hop, tables);
            }
            ChainParts::Through { .. } | ChainParts::JoinTable { .. } if !outermost => {
                let row_limit = match RowLimit::of_through(chain, TargetCondition::Filter(&Expr::Any(Vec::new())))? {
                    None if scope.distinct && context.repeats => Some(RowLimit::ALL),
                    row_limit => row_limit,
                };
                if let Some(row_limit) = row_limit {
                    // Compared with the rows within the limit, each row occurs once, and its place among them is not
                    // known.
                    if !(row_limit == RowLimit::NONE || row_limit.limit == Some(1) || scope.distinct && ordered) {
                        return Err(self.beyond(association));
                    }
                    let (alias, model) = (self.next_alias(), (association.target)());
                    tables.order_by(&alias, order_of_targets(chain));
                    tables.links.push(Link { alias, model, by: By::Limited(chain, row_limit) });
                    return Ok(());
                }
            }
            ChainParts::Through { .. } | ChainParts::JoinTable { .. } => {}
        }
        let context = Context { ordered, ..context };
        match &chain.parts {
            ChainParts::Through { through, source } => {
                self.add_tables(through, context, false, tables)?;
                self.add_tables(source, context, false, tables)?;
            }
            ChainParts::JoinTable { rows, targets } => {
                tables.add(self.next_alias(), rows, None);
                self.add_hop(targets, tables)?;
            }
            ChainParts::Key(_) | ChainParts::ByType { .. } | ChainParts::CustomSql(_) => {}
        }
        // An order of the association decides alone, not the order of the chain.
        if let (false, Some(last)) = (scope.order.is_empty(), tables.links.last()) {
            let alias = last.alias.clone();
            tables.order.truncate(start);
            tables.order_by(&alias, order_of_targets(chain));
        }
        Ok(())
    }

    fn add_hop<'c>(&mut self, hop: &'c ChainHop, tables: &mut Tables<'c>) -> Result<()> {
        let row_limit = RowLimit::of_hop(hop, TargetCondition::Filter(&Expr::Any(Vec::new())));
        tables.add(self.next_alias(), hop, row_limit);
        Ok(())
    }

    // ` FROM a INNER JOIN b ON … WHERE …`.
    fn joined(&mut self, tables: &Tables<'_>, start: Start<'_>) -> Result<()> {
        let mut joins = false;
        let owner = match start {
            Start::Owner(outer) | Start::AllOwners(outer) => Some(outer),
            Start::AllKeys => None,
        };
        if let Start::AllOwners(Outer { alias, model }) = start {
            self.push(" FROM ");
            self.table(&model.table);
            self.push(" AS ");
            self.identifier(alias);
            joins = true;
        }
        let mut outer = owner;
        for link @ Link { alias, model, .. } in &tables.links {
            self.push(if joins { " INNER JOIN " } else { " FROM " });
            self.table(&model.table);
            self.push(" AS ");
            self.identifier(alias);
            match (link.hop(), outer) {
                (Some(hop), Some(outer)) if joins => {
                    self.push(" ON ");
                    self.qualify(alias.clone());
                    self.hop_matches(outer.alias, outer.model, hop.key, model);
                }
                _ if joins => self.push(" ON 1 = 1"),
                _ => {}
            }
            (outer, joins) = (Some(Outer { alias, model }), true);
        }
        let mut outer = owner;
        let mut written = false;
        for (at, link @ Link { alias, model, by }) in tables.links.iter().enumerate() {
            let mut part = |writer: &mut Self| {
                writer.push(if std::mem::replace(&mut written, true) { " AND " } else { " WHERE " });
                writer.qualify(alias.clone());
            };
            if let Some(hop) = link.hop() {
                if let (Some(outer), 0, Start::Owner(_)) = (outer, at, start) {
                    part(self);
                    self.hop_matches_one(outer.alias, outer.model, hop.key, model);
                } else if let (Some(named), None) = (hop.key.target_type, outer) {
                    part(self);
                    self.condition(&Expr::tagged(&model.columns[named.column], named.tag))?;
                }
                if let (Some(named), Some(outer)) = (hop.owner_type, outer) {
                    part(self);
                    self.names_type(outer.alias, outer.model, named);
                }
                if !hop.scope.filter.is_always() {
                    part(self);
                    self.push("(");
                    self.condition(&hop.scope.filter)?;
                    self.push(")");
                }
            }
            match by {
                By::Key { row_limit: Some(RowLimit::NONE), .. } | By::Limited(_, RowLimit::NONE) => {
                    part(self);
                    self.push("1 = 0");
                }
                By::Key { hop, row_limit: Some(row_limit) } => {
                    part(self);
                    match outer {
                        Some(outer) => self.direct_limit(hop, *row_limit, outer)?,
                        // Of all owners: rows with the same key are those of the same one.
                        None => {
                            let key = KeyJoin { owner_columns: hop.key.target_columns, ..hop.key };
                            let hop = ChainHop { key, ..(*hop).clone() };
                            self.direct_limit(&hop, *row_limit, Outer { alias, model })?;
                        }
                    }
                }
                By::Limited(chain, row_limit) => {
                    part(self);
                    let Some(outer) = outer else { return Err(self.beyond(chain.association)) };
                    self.limited_along_chain(chain, *row_limit, outer)?;
                }
                By::Key { row_limit: None, .. } => {}
            }
            outer = Some(Outer { alias, model });
        }
        Ok(())
    }

    fn order_on_the_way(&mut self, order: &[(String, OrderTerm)]) -> Result<()> {
        for (at, (alias, term)) in order.iter().enumerate() {
            self.push(if at > 0 { ", " } else { " ORDER BY " });
            self.qualify(alias.clone());
            self.order_term(term)?;
        }
        Ok(())
    }
}

// The order of the targets by themselves: the requested order, or that of their table.
fn order_of_targets(chain: &Chain) -> Vec<OrderTerm> {
    let target = (chain.association.target)();
    let mut scope = ScopeDef { order: chain.scope.order.clone(), ..ScopeDef::default() };
    if scope.order.is_empty() {
        scope.order = target.base_scope(chain.scope.unscoped).order;
    }
    total_order(&scope, target)
}
