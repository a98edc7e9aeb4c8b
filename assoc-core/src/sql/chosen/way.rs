//! What associations that go through others choose: among all that the whole way leads to, so the subquery joins the
//! tables of the way. Its order is that of loading: the order that was asked for, or else the way's own, hop by hop.
//!
//! A part of the way may choose for itself. By a key of its own it does so beside the join; a part that goes through
//! others is a table of its targets, each held against what the part chooses for the row before.

use super::{Choice, Form, Outer, PLACE, direct_order};
use crate::association::{Hop, Route};
use crate::error::Result;
use crate::expr::{Expr, OrderTerm};
use crate::model::{Discriminator, ModelDef};
use crate::planner::{join_scope, order_of_links};
use crate::sql::SqlWriter;
use crate::sql::related::{Wanted, Way};
use crate::sql::select::append_primary_key;

/// One table of a way.
struct Link {
    alias: String,
    model: &'static ModelDef,
    // What it is joined by: a key, or a whole way of which some rows are chosen.
    by: By,
    // The type its owner names, where it does.
    named: Option<Discriminator>,
    visible: Expr,
}

enum By {
    Key { hop: Hop, choice: Option<(Way, Choice)> },
    Chosen(Way, Choice),
}

/// The tables of an association's way, the target's last, and the order of what it leads to.
#[derive(Default)]
struct Tables {
    links: Vec<Link>,
    order: Vec<(String, OrderTerm)>,
}

impl Tables {
    // The order of the rows of one table, behind what decides already.
    fn order_by(&mut self, alias: &str, order: Vec<OrderTerm>) {
        self.order.extend(order.into_iter().map(|term| (alias.to_owned(), term)));
    }
}

/// What decides about a part of a way from outside of it.
#[derive(Clone, Copy)]
struct Context {
    // Whether it matters how often a row comes.
    repeats: bool,
    // Whether the order is decided elsewhere.
    ordered: bool,
}

/// Where a subquery over a way begins.
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
    /// Appends `EXISTS (SELECT 1 FROM target AS related_1 WHERE related_1.id = (SELECT … the whole way …) AND …)`.
    pub(in crate::sql) fn composed_choice(&mut self, way: &Way, choice: Choice, wanted: Wanted<'_>) -> Result<()> {
        let owner = (way.association.owner)();
        let outer = self.outer_name(owner);
        let before = self.qualifier.take();
        let joined = std::mem::take(&mut self.joined);
        self.push("EXISTS (SELECT 1");
        let alias = self.push_related_table((way.association.target)());
        self.push(" WHERE ");
        self.qualify(alias);
        self.chosen_on_the_way(way, choice, Outer { alias: &outer, model: owner })?;
        self.and_wanted(wanted)?;
        self.push(")");
        self.qualifier = before;
        self.joined = joined;
        Ok(())
    }

    // That the row is among those chosen of what a whole way leads to.
    fn chosen_on_the_way(&mut self, way: &Way, choice: Choice, outer: Outer<'_>) -> Result<()> {
        let target = (way.association.target)();
        let (form, _) = self.form_of(way, choice, target)?;
        let tables = self.tables_of(way, choice)?;
        let (Some(first), Some(last)) = (tables.links.first(), tables.links.last()) else { return Ok(()) };
        // Where all owners' rows are numbered at once, each says whose it is: by the key that leads to it where there is
        // one, or else by its owner's own, with the owners in front.
        let owners = self.next_alias();
        let names = |model: &'static ModelDef, columns: &[usize]| -> Vec<&'static str> {
            columns.iter().map(|column| model.columns[*column].name).collect()
        };
        let (whose, theirs, own, start) = match (&first.by, first.named) {
            _ if form != Form::Numbered => (&first.alias, Vec::new(), Vec::new(), Start::Owner(outer)),
            (By::Key { hop, .. }, None) => {
                let theirs = names(first.model, hop.target_columns);
                (&first.alias, theirs, names(outer.model, hop.owner_columns), Start::AllKeys)
            }
            _ => {
                outer.model.require_primary_key("a condition on the rows that an association chooses")?;
                let key = names(outer.model, outer.model.primary_key);
                (&owners, key.clone(), key, Start::AllOwners(Outer { alias: &owners, model: outer.model }))
            }
        };
        let own: Vec<(&str, &str)> = own.into_iter().map(|name| (outer.alias, name)).collect();
        self.is_chosen(way, choice, target, &own, |writer, columns, form| {
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
                writer.push(if choice.distinct { ", DENSE_RANK()" } else { ", ROW_NUMBER()" });
                writer.push(" OVER (PARTITION BY ");
                writer.separated(", ", &theirs, |writer, key| writer.own_column(key));
                writer.order_on_the_way(&tables.order)?;
                writer.push(") AS ");
                writer.identifier(PLACE);
            }
            writer.joined(&tables, start)?;
            if form == Form::Numbered || choice == Choice::ALL {
                return Ok(());
            }
            if choice.distinct {
                writer.push(" GROUP BY ");
                writer.qualify(last.alias.clone());
                writer.separated(", ", columns, |writer, column| writer.own_column(column));
            }
            writer.order_on_the_way(&tables.order)
        })
    }

    // The tables of a way, of which so much is chosen outside.
    fn tables_of(&mut self, way: &Way, choice: Choice) -> Result<Tables> {
        let mut tables = Tables::default();
        let first_alone = choice.limit == Some(1) && choice.offset == 0;
        let context = Context { repeats: !choice.distinct && !first_alone && choice != Choice::ALL, ordered: false };
        self.add_tables(way, context, true, &mut tables)?;
        Ok(tables)
    }

    // As the planner makes edges of an association.
    fn add_tables(&mut self, way: &Way, context: Context, outermost: bool, tables: &mut Tables) -> Result<()> {
        way.check(false)?;
        let association = way.association;
        let target = (association.target)();
        let route = association.kind.route(association)?;
        if !outermost && matches!(route, Route::Through { .. } | Route::JoinTable { .. }) {
            let distinct = way.shape.distinct;
            let choice = match Choice::of_composed(way, &route, Wanted::Filter(&Expr::Any(Vec::new())))? {
                None if distinct && context.repeats => Some(Choice::ALL),
                choice => choice,
            };
            if let Some(choice) = choice {
                // Held against what is chosen, each row is there once, and its place among them is not known.
                let ordered = context.ordered || !way.shape.order.is_empty();
                if !(choice == Choice::NONE || choice.limit == Some(1) || distinct && ordered) {
                    return Err(self.beyond(way));
                }
                let alias = self.next_alias();
                tables.order_by(&alias, direct_order(way, target));
                let by = By::Chosen(way.clone(), choice);
                tables.links.push(Link { alias, model: target, by, named: None, visible: Expr::always() });
                return Ok(());
            }
        }
        let context = Context { ordered: context.ordered || !way.shape.order.is_empty(), ..context };
        let start = tables.order.len();
        match route {
            Route::Found(_) => return Err(self.beyond(way)),
            Route::Direct(hop) => return self.add_table(way, hop, target, None, tables),
            Route::Polymorphic { type_column, owner_columns, variants } => {
                let mut chosen = variants.iter().filter(|one| way.only_type.is_none_or(|tag| tag == one.tag));
                let (Some(variant), None) = (chosen.next(), chosen.next()) else { return Err(self.beyond(way)) };
                let target = (variant.model)();
                let hop = variant.hop(owner_columns);
                let named = Discriminator { column: type_column, tag: variant.tag };
                return self.add_table(way, hop, target, Some(named), tables);
            }
            Route::Through { through, source, source_type } => {
                self.add_tables(&way.through(through), context, false, tables)?;
                self.add_tables(&way.source(source, source_type), context, false, tables)?;
            }
            Route::JoinTable { table, links, targets } => {
                let alias = self.next_alias();
                let base = join_scope(association, table)?;
                let mut order = order_of_links(table, links, targets, base.order);
                append_primary_key(&mut order, table);
                tables.order_by(&alias, order);
                let visible = way.filtered(table, base.filter)?;
                let by = By::Key { hop: links, choice: None };
                tables.links.push(Link { alias, model: table, by, named: None, visible });
                let mut onward = way.clone();
                (onward.shape.limit, onward.shape.offset) = (None, None);
                self.add_table(&onward, targets, target, None, tables)?;
            }
        }
        // An order of its own decides alone, not the order of the way.
        if let (false, Some(last)) = (way.shape.order.is_empty(), tables.links.last()) {
            let alias = last.alias.clone();
            tables.order.truncate(start);
            tables.order_by(&alias, direct_order(way, target));
        }
        Ok(())
    }

    fn add_table(
        &mut self,
        way: &Way,
        hop: Hop,
        target: &'static ModelDef,
        named: Option<Discriminator>,
        tables: &mut Tables,
    ) -> Result<()> {
        let alias = self.next_alias();
        tables.order_by(&alias, direct_order(way, target));
        let choice = Choice::of_direct(way, hop, target, Wanted::Filter(&Expr::Any(Vec::new())));
        let by = By::Key { hop, choice: choice.map(|choice| (way.clone(), choice)) };
        tables.links.push(Link { alias, model: target, by, named, visible: way.visible(target)? });
        Ok(())
    }

    // ` FROM a INNER JOIN b ON … WHERE …`.
    fn joined(&mut self, tables: &Tables, start: Start<'_>) -> Result<()> {
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
        for Link { alias, model, by, .. } in &tables.links {
            self.push(if joins { " INNER JOIN " } else { " FROM " });
            self.table(&model.table);
            self.push(" AS ");
            self.identifier(alias);
            match (by, outer) {
                (By::Key { hop, .. }, Some(outer)) if joins => {
                    self.push(" ON ");
                    self.qualify(alias.clone());
                    self.hop_matches(outer.alias, outer.model, *hop, model);
                }
                _ if joins => self.push(" ON 1 = 1"),
                _ => {}
            }
            (outer, joins) = (Some(Outer { alias, model }), true);
        }
        let mut outer = owner;
        let mut written = false;
        for (at, Link { alias, model, by, named, visible }) in tables.links.iter().enumerate() {
            let mut part = |writer: &mut Self| {
                writer.push(if std::mem::replace(&mut written, true) { " AND " } else { " WHERE " });
                writer.qualify(alias.clone());
            };
            if let (By::Key { hop, .. }, Some(outer), 0, Start::Owner(_)) = (by, outer, at, start) {
                part(self);
                self.hop_matches_one(outer.alias, outer.model, *hop, model);
            } else if let (By::Key { hop: Hop { target_type: Some(named), .. }, .. }, None) = (by, outer) {
                part(self);
                self.condition(&Expr::tagged(&model.columns[named.column], named.tag))?;
            }
            if let (Some(named), Some(outer)) = (named, outer) {
                part(self);
                self.names_type(outer.alias, outer.model, *named);
            }
            if !visible.is_always() {
                part(self);
                self.push("(");
                self.condition(visible)?;
                self.push(")");
            }
            match by {
                By::Key { choice: Some((_, Choice::NONE)), .. } | By::Chosen(_, Choice::NONE) => {
                    part(self);
                    self.push("1 = 0");
                }
                By::Key { hop, choice: Some((way, choice)) } => {
                    part(self);
                    match outer {
                        Some(outer) => self.direct_choice(way, *choice, outer, *hop, model, visible)?,
                        // Of all owners: rows with the same key are those of the same one.
                        None => {
                            let hop = Hop { owner_columns: hop.target_columns, ..*hop };
                            self.direct_choice(way, *choice, Outer { alias, model }, hop, model, visible)?;
                        }
                    }
                }
                By::Chosen(way, choice) => {
                    part(self);
                    let Some(outer) = outer else { return Err(self.beyond(way)) };
                    self.chosen_on_the_way(way, *choice, outer)?;
                }
                By::Key { choice: None, .. } => {}
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
